"""Read one data set of one span from the archive."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import known, run
from gogooku.sources import archive

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

me, knobs, files = snakemake.wildcards, snakemake.params, snakemake.input
run.log_to(snakemake.log[0])
first, last = map(dt.date.fromisoformat, knobs.days)

rows = archive.read(
    knobs.folder, me.dataset, first, last, factor_convention=knobs.factor_convention
)
run.write_parquet(known.stamp(rows, **knobs.known), snakemake.output[0])
