"""Compute the relative columns of one span."""

from typing import TYPE_CHECKING

from gogooku import run
from gogooku.features import column, relative
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
topix = run.read_parquet(snakemake.input.topix)
values = relative.compute(panel, topix)

frame, kinds = column.finish(panel, "relative", relative.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
