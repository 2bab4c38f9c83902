"""Ask the simulated exchange for one data set of one span, over HTTP."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import calendar, known, run
from gogooku.sources import local, provenance

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

me, knobs, files = snakemake.wildcards, snakemake.params, snakemake.input
run.log_to(snakemake.log[0])
first, last = map(dt.date.fromisoformat, knobs.days)

days = calendar.Sessions.read(files.calendar).days
table = {me.dataset: run.read_parquet(files.table)}
today = dt.date.fromisoformat(knobs.today)
got = local.read(table, me.dataset, first, last, days, today)

rows = known.stamp(got, **knobs.known, sessions=days)
told = provenance.describe(rows, me.dataset, "simulated")
run.write_parquet(rows, snakemake.output[0], told)
