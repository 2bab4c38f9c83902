"""Simulate the exchange: its tables for the server, the truth for evaluation alone."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import run
from gogooku.sources import simulated

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

market = snakemake.params.market
run.log_to(snakemake.log[0])
start, end = map(dt.date.fromisoformat, (market["start"], market["end"]))

made = simulated.simulate(**{**market, "start": start, "end": end})
run.write_parquets({**made.tables, "truth": made.truth}, dict(snakemake.output.items()))
