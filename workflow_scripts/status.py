"""Tell of each data set what is there, what is missing, and how long the rest takes."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import calendar, run
from gogooku.sources import account, doors
from gogooku.sources.cache import Cache

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, jquants = snakemake.params, snakemake.config["jquants"]
run.log_to(snakemake.log[0])
days = calendar.Sessions.read(snakemake.input.calendar).days
periods = [tuple(map(dt.date.fromisoformat, period)) for period in knobs.periods]
now = dt.datetime.now(dt.UTC)

with account.open_client(**jquants) as client:
    cache = Cache(Path(knobs.days), client.plan, jquants["url"])
    how = {"share": jquants["share"], "now": now, "in_bulk": jquants["bulk"]}
    print(doors.status(client, cache, knobs.datasets, periods, days, **how))
    print(doors.outgrown(cache.folder.parent, client.plan))
