"""Predict one fold's test part with one seed's network."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset.inputs import Days
from gogooku.models import atft, training

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

wildcards, params, inputs = snakemake.wildcards, snakemake.params, snakemake.input
jobs.log_to(snakemake.log[0])

jobs.seed_everything(int(wildcards.seed), snakemake.threads)

fold, scaler = files.read_json(inputs.fold), files.read_json(inputs.scaler)
days = Days.read(inputs.dataset, None, inputs.graphs, scaler, neighbours=params.neighbours)

rows = training.predict(atft.load(inputs.model), days, days.part(fold["test"]))
files.write_parquet(rows, snakemake.output[0])
