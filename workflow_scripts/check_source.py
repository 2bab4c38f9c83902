"""Tell whether the source can be used, and what is in it."""

from typing import TYPE_CHECKING

from gogooku import jobs, sources

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.start(snakemake)
print(sources.check(params.settings, params.datasets, params.spans))
