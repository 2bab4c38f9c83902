"""Check that no model finds anything where nothing is planted."""

from typing import TYPE_CHECKING

from gogooku import noise, run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

run.log_to(snakemake.log[0])

knobs = snakemake.params
table = noise.certify(snakemake.input, knobs.parts, knobs.horizons, knobs.entry)
run.write_json(table, snakemake.output[0])
