"""Link every stock of one span to those it has moved with."""

from typing import TYPE_CHECKING

from gogooku import graphs, run
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input)
edges = graphs.edges(panel, knobs.first, **knobs.graph)
run.write_parquet(edges, snakemake.output[0])
