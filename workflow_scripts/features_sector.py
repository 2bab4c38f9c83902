"""Compute the sector columns of one span."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.features import column, sector
from gogooku.panel.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
values = sector.compute(panel, panel.row(params.first))

frame, kinds = column.finish(panel, "sector", sector.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
