"""Compute the listed columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs, point_in_time
from gogooku.features import balances, column, listed
from gogooku.panel.panel import Panel
from gogooku.raw import store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.log_to(snakemake.log[0])

panel = Panel.read(inputs.panel)
lists = store.read("master", inputs.master, params.moment["clock"], listed.FIELDS)
summary = store.read("summary", inputs.summary, params.moment["clock"], balances.COUNTS)
moments = calendar.decision_moments(panel.dates, params.moment["decision"], params.moment["closes"])
master = point_in_time.on_the_day(lists, listed.KEY, panel.dates, moments)
values = listed.compute(panel, master, summary, moments, panel.row(params.first))

frame, kinds = column.finish(panel, "listed", listed.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
