"""Predict one fold's test part with one seed's trees."""

from typing import TYPE_CHECKING

from gogooku import run
from gogooku.days import Days
from gogooku.models import trees

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

files = snakemake.input
run.log_to(snakemake.log[0])

fold, scaler = run.read_json(files.fold), run.read_json(files.scaler)
days = Days.read(files.dataset, None, None, scaler)

rows = trees.predict(trees.load(files.model), days, days.part(fold["test"]), snakemake.threads)
run.write_parquet(rows, snakemake.output[0])
