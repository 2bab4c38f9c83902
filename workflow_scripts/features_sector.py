"""Compute the sector columns of one span."""

from typing import TYPE_CHECKING

from gogooku import run
from gogooku.features import column, sector
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
values = sector.compute(panel, panel.row(knobs.first))

frame, kinds = column.finish(panel, "sector", sector.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
