"""Join the families of one span and normalise day by day."""

import json
from typing import TYPE_CHECKING

from gogooku import dataset, run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = run.read_parquet(snakemake.input.panel, ["date", "code", "universe", "s33"])
families = dataset.read_families(snakemake.input.families)

rows, reasons, kinds = dataset.assemble(panel, families, **knobs.normalisation)
told = {"kinds": json.dumps(kinds), "reasons": json.dumps(reasons)}
run.write_parquet(rows, snakemake.output[0], told)
