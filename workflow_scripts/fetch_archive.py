"""Read one data set of one span from the archive."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import calendar, known, run
from gogooku.sources import archive, provenance

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

me, knobs, files = snakemake.wildcards, snakemake.params, snakemake.input
run.log_to(snakemake.log[0])
first, last = map(dt.date.fromisoformat, knobs.days)

days = calendar.Sessions.read(files.calendar).days
got = archive.read(knobs.folder, me.dataset, first, last, factor_convention=knobs.factor_convention)

rows = known.stamp(got, **knobs.known, sessions=days)
run.write_parquet(rows, snakemake.output[0], provenance.describe(rows, me.dataset, "archive"))
