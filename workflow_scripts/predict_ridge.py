"""Predict one fold's test part with the ridge coefficients."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset.inputs import Days
from gogooku.models import ridge

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

inputs = snakemake.input
jobs.log_to(snakemake.log[0])

fold, scaler = files.read_json(inputs.fold), files.read_json(inputs.scaler)
days = Days.read(inputs.dataset, None, None, scaler)

rows = ridge.predict(ridge.load(inputs.model), days, days.part(fold["test"]))
files.write_parquet(rows, snakemake.output[0])
