"""Ask the simulated exchange for one data set of one span, over HTTP."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs, point_in_time
from gogooku.raw import provenance
from gogooku.raw.catalogue import DATASETS
from simulated_exchange import local

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

wildcards, params, inputs = snakemake.wildcards, snakemake.params, snakemake.input
jobs.start(snakemake)
first, last = params.days

days = calendar.Sessions.read(inputs.calendar).days
fields = list(DATASETS[wildcards.dataset].schema)
table = {wildcards.dataset: files.read_parquet(inputs.table, fields)}
today = dt.date.fromisoformat(params.today)
answer = local.read(table, wildcards.dataset, first, last, days, today)

rows = point_in_time.stamp(answer, **params.known, sessions=days)
metadata = provenance.describe(rows, wildcards.dataset, "simulated")
files.write_parquet(rows, snakemake.output[0], metadata)
