"""Check that no model finds anything where nothing is planted."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.evaluation import noise

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

jobs.start(snakemake)

params = snakemake.params
table = noise.certify(snakemake.input, params.parts, params.horizons, params.entry)
files.write_json(table, snakemake.output[0])
