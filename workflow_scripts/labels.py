"""Label the entries whose exit falls into one span."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset import labels
from gogooku.panel.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.start(snakemake)

panel = Panel.read(snakemake.input.panel)
first, last = params.days
rows = labels.realised(panel, first, last, **params.labels)
files.write_parquet(rows, snakemake.output[0])
