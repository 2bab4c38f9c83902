"""Predict one fold's test part with the ridge coefficients."""

from typing import TYPE_CHECKING

from gogooku import run
from gogooku.days import Days
from gogooku.models import linear

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

files = snakemake.input
run.log_to(snakemake.log[0])

fold, scaler = run.read_json(files.fold), run.read_json(files.scaler)
days = Days.read(files.dataset, None, None, scaler)

rows = linear.predict(linear.load(files.model), days, days.part(fold["test"]))
run.write_parquet(rows, snakemake.output[0])
