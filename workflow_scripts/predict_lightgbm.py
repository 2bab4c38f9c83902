"""Predict one fold's test part with one seed's trees."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset.inputs import Days
from gogooku.models import lightgbm

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

inputs = snakemake.input
jobs.log_to(snakemake.log[0])

fold, scaler = files.read_json(inputs.fold), files.read_json(inputs.scaler)
days = Days.read(inputs.dataset, None, None, scaler)

rows = lightgbm.predict(
    lightgbm.load(inputs.model), days, days.part(fold["test"]), snakemake.threads
)
files.write_parquet(rows, snakemake.output[0])
