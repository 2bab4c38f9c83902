"""Compute the technical columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs
from gogooku.features import balances, column, technical
from gogooku.panel.panel import Panel
from gogooku.raw import store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.log_to(snakemake.log[0])

panel = Panel.read(inputs.panel)
sessions = calendar.Sessions.read(inputs.calendar)
rows = store.read("summary", inputs.summary, params.moment["clock"], balances.COUNTS)
moments = calendar.decision_moments(panel.dates, params.moment["decision"], params.moment["closes"])
start = panel.row(params.first)
_, outstanding = balances.shares(panel, rows, moments, start)
values = technical.compute(panel, sessions, outstanding, start)

frame, kinds = column.finish(panel, "technical", technical.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
