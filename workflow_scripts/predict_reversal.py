"""Rank one fold's test part by minus the last day's return."""

from typing import TYPE_CHECKING

from gogooku import run
from gogooku.days import Days
from gogooku.models import naive

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

files = snakemake.input
run.log_to(snakemake.log[0])

fold = run.read_json(files.fold)
days = Days.read(files.dataset, None, None, {}, columns=[naive.RETURN])

rows = naive.predict(days, days.part(fold["test"]), fold["horizons"])
run.write_parquet(rows, snakemake.output[0])
