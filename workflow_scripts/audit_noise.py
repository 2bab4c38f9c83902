"""Check that no model finds anything where nothing is planted, nor in shuffled labels."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.evaluation import certificate, noise

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.start(snakemake)

table = noise.certify(inputs.daily, params.parts, params.horizons, params.entry)
labels = files.read_parquet(inputs.labels, ["date", "code", "horizon", "label"])
shuffled = noise.shuffled(inputs.predictions, labels, params.horizons, params.seed)
paper = certificate.issue(params.certified, inputs.raw)
content = {"market": table, "shuffled": shuffled, "certificate": paper}
files.write_json(content, snakemake.output[0])
