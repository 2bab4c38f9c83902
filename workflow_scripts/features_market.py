"""Compute the market columns of one span."""

from typing import TYPE_CHECKING

from gogooku import run
from gogooku.features import column, market
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
topix = run.read_parquet(snakemake.input.topix)
values = market.compute(panel, topix)

frame, kinds = column.finish(panel, "market", market.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
