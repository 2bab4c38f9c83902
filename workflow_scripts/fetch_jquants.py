"""Ask the J-Quants API for one data set of one span."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import calendar, known, run
from gogooku.sources import account, fetch, provenance
from gogooku.sources.cache import Cache

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

me, knobs, files = snakemake.wildcards, snakemake.params, snakemake.input
jquants, target = snakemake.config["jquants"], snakemake.output[0]  # what no row depends on
run.log_to(snakemake.log[0])
first, last = map(dt.date.fromisoformat, knobs.days)

days, now = calendar.Sessions.read(files.calendar).days, dt.datetime.now(dt.UTC)
with account.open_client(**jquants) as client:
    cache = Cache.beside(target, client.plan, jquants["url"])
    got = fetch.read(
        client, me.dataset, first, last, days, now=now, cache=cache, in_bulk=jquants["bulk"]
    )

rows = known.stamp(got.rows, **knobs.known, sessions=days)
told = provenance.describe(rows, me.dataset, "jquants", client.plan, got.times)
run.write_parquet(rows, target, told)
