"""Tell of each data set what is there, what is missing, and how long the rest takes."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import calendar, jobs
from gogooku.vendor import account, subscription
from gogooku.vendor.cache import Cache

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, jquants = snakemake.params, snakemake.params.jquants
jobs.start(snakemake)
days = calendar.Sessions.read(snakemake.input.calendar).days
now = dt.datetime.now(dt.UTC)

with account.open_client(**dict(jquants)) as client:
    cache = Cache(Path(params.days), client.plan, jquants.url)
    how = {"share": jquants.share, "now": now, "in_bulk": jquants.bulk}
    print(subscription.status(client, cache, params.datasets, params.periods, days, **how))
    print(subscription.outgrown(cache.folder.parent, client.plan))
