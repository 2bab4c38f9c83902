"""Rank one fold's test part by minus the last day's return."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset.inputs import Days
from gogooku.models import reversal

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

inputs = snakemake.input
jobs.log_to(snakemake.log[0])

fold = files.read_json(inputs.fold)
days = Days.read(inputs.dataset, None, None, {}, columns=[reversal.RETURN])

rows = reversal.predict(days, days.part(fold["test"]), fold["horizons"])
files.write_parquet(rows, snakemake.output[0])
