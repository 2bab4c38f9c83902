"""Ask the J-Quants API for one data set of one span."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs, point_in_time
from gogooku.raw import provenance
from gogooku.vendor import account, fetch
from gogooku.vendor.cache import Cache

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

wildcards, params, inputs = snakemake.wildcards, snakemake.params, snakemake.input
jquants, target = params.jquants, snakemake.output[0]
jobs.start(snakemake)
first, last = params.days

days, now = calendar.Sessions.read(inputs.calendar).days, dt.datetime.now(dt.UTC)
with account.open_client(**dict(jquants)) as client:
    cache = Cache.beside(target, client.plan, jquants.url)
    answer = fetch.read(
        client, wildcards.dataset, first, last, days, now=now, cache=cache, in_bulk=jquants.bulk
    )

rows = point_in_time.stamp(answer.rows, **params.known, sessions=days)
metadata = provenance.describe(rows, wildcards.dataset, "jquants", client.plan, answer.times)
files.write_parquet(rows, target, metadata)
