"""Compute the earnings columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, filings, run
from gogooku.features import column, earnings
from gogooku.panel import Panel
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

panel = Panel.read(files.panel)
schedules = (raw.read(name, files[name], knobs.moment["clock"]) for name in earnings.SCHEDULED)
summary = raw.read("summary", files.summary, knobs.moment["clock"], filings.FIELDS)
published = raw.read("summary", files.summary, "published", [])["known_at"]
summary = summary.with_columns(published_at=published)
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
closes = calendar.decision_moments(panel.dates, "close", knobs.moment["closes"])
days = calendar.Sessions.read(files.calendar), moments, closes, panel.row(knobs.first)
values = earnings.compute(panel, summary, *schedules, *days)

frame, kinds = column.finish(panel, "earnings", earnings.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
