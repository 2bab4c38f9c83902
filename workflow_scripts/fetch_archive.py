"""Read one data set of one span from the archive."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs, point_in_time
from gogooku.archive import reader
from gogooku.raw import provenance

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

wildcards, params, inputs = snakemake.wildcards, snakemake.params, snakemake.input
jobs.start(snakemake)
first, last = params.days

days = calendar.Sessions.read(inputs.calendar).days
answer = reader.read(
    params.folder, wildcards.dataset, first, last, factor_convention=params.factor_convention
)

rows = point_in_time.stamp(answer, **params.known, sessions=days)
files.write_parquet(
    rows, snakemake.output[0], provenance.describe(rows, wildcards.dataset, "archive")
)
