"""Link every stock of one span to those it has moved with."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.graph import correlation
from gogooku.panel.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.start(snakemake)

panel = Panel.read(snakemake.input)
edges = correlation.edges(panel, dt.date.fromisoformat(params.first), **params.graph)
files.write_parquet(edges, snakemake.output[0])
