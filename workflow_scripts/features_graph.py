"""Compute the graph columns of one span."""

from typing import TYPE_CHECKING

from gogooku import run
from gogooku.features import column, graph
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
edges = run.read_parquet(snakemake.input.graphs)
values = graph.compute(panel, edges)

frame, kinds = column.finish(panel, "graph", graph.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
