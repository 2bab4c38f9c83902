"""Measure the quality of every column of one span."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset import assembly, column_quality, normalize

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

wildcards, params, inputs = snakemake.wildcards, snakemake.params, snakemake.input
jobs.start(snakemake)

panel = files.read_parquet(inputs.panel, ["date", "code", "universe"])
families = dict(zip(params.families, assembly.read_families(inputs.families), strict=True))
fewest = normalize.fewest_known(params.min_stocks)
about = assembly.read_about(inputs.families)

rows = column_quality.measure(panel, families, wildcards.span, fewest, about)
files.write_parquet(rows, snakemake.output[0])
