"""Compute the graph columns of one span."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.features import column, graph
from gogooku.panel.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
edges = files.read_parquet(snakemake.input.graphs)
values = graph.compute(panel, edges)

frame, kinds = column.finish(panel, "graph", graph.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
