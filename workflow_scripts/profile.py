"""Measure the quality of every column of one span."""

from typing import TYPE_CHECKING

from gogooku import dataset, normalize, profile, run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

me, knobs, files = snakemake.wildcards, snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

panel = run.read_parquet(files.panel, ["date", "code", "universe"])
families = dict(zip(knobs.families, dataset.read_families(files.families), strict=True))
fewest = normalize.fewest_known(knobs.min_stocks)
about = dataset.read_about(files.families)

rows = profile.measure(panel, families, me.span, fewest, about)
run.write_parquet(rows, snakemake.output[0])
