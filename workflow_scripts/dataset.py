"""Join the families of one span and normalise day by day."""

import json
from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset import assembly

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.start(snakemake)

panel = files.read_parquet(snakemake.input.panel, ["date", "code", "universe", "s33"])
families = assembly.read_families(snakemake.input.families)

rows, reasons, kinds = assembly.assemble(panel, families, **params.normalisation)
metadata = {"kinds": json.dumps(kinds), "reasons": json.dumps(reasons)}
files.write_parquet(rows, snakemake.output[0], metadata)
