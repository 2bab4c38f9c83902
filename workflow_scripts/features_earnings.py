"""Compute the earnings columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs
from gogooku.features import column, earnings, filings
from gogooku.panel.panel import Panel
from gogooku.raw import store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.log_to(snakemake.log[0])

panel = Panel.read(inputs.panel)
schedules = (store.read(name, inputs[name], params.moment["clock"]) for name in earnings.SCHEDULED)
summary = store.read("summary", inputs.summary, params.moment["clock"], filings.FIELDS)
published = store.read("summary", inputs.summary, "published", [])["known_at"]
summary = summary.with_columns(published_at=published)
moments = calendar.decision_moments(panel.dates, params.moment["decision"], params.moment["closes"])
closes = calendar.decision_moments(panel.dates, "close", params.moment["closes"])
days = calendar.Sessions.read(inputs.calendar), moments, closes, panel.row(params.first)
values = earnings.compute(panel, summary, *schedules, *days)

frame, kinds = column.finish(panel, "earnings", earnings.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
