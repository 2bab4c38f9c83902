"""Check that no model finds anything where nothing is planted."""

from typing import TYPE_CHECKING

from gogooku import audit, run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

run.log_to(snakemake.log[0])

table = audit.noise(snakemake.input, snakemake.params.parts)
run.write_json(table, snakemake.output[0])
