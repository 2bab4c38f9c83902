"""Cut one fold and prove that no label of a part reaches into the next."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs, splits

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.start(snakemake)

sessions = calendar.Sessions.read(snakemake.input)
fold = splits.cut(
    int(snakemake.wildcards.fold),
    calendar.Sessions(sessions.between(dt.date.fromisoformat(params.start))),
    params.spans,
    embargo=params.embargo,
    horizons=params.horizons,
    entry=params.entry,
)
files.write_json(fold, snakemake.output[0])
