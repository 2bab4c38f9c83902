"""Tell of each data set what is there, what is missing and what is damaged."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import jobs
from gogooku.raw import inventory

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.start(snakemake)
print(inventory.status(Path(params.raw), params.datasets, params.spans, params.source))
