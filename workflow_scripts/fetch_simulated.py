"""Ask the simulated exchange for one data set of one span, over HTTP."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import calendar, known, run
from gogooku.sources import jquants, local

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

me, knobs, files = snakemake.wildcards, snakemake.params, snakemake.input
run.log_to(snakemake.log[0])
first, last = map(dt.date.fromisoformat, knobs.days)

sessions = calendar.Sessions.read(files.calendar).between(first, last).tolist()
table = {me.dataset: run.read_parquet(files.table)}
with local.connect(table, dt.date.fromisoformat(knobs.today)) as client:
    rows = jquants.read(client, me.dataset, first, last, sessions)

run.write_parquet(known.stamp(rows, **knobs.known), snakemake.output[0])
