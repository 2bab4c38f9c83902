"""Compute the statement columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs
from gogooku.features import column, filings, statement
from gogooku.panel.panel import Panel
from gogooku.raw import store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
rows = store.read("summary", snakemake.input.summary, params.moment["clock"], filings.FIELDS)
moments = calendar.decision_moments(panel.dates, params.moment["decision"], params.moment["closes"])
values = statement.compute(panel, rows, moments, panel.row(params.first))

frame, kinds = column.finish(panel, "statement", statement.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
