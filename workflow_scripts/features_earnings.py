"""Compute the earnings columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, known, run
from gogooku.features import column, earnings
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

panel = Panel.read(files.panel)
summary, scheduled, next_session = (
    known.visible(run.read_parquet(rows), knobs.moment["clock"])
    for rows in (files.summary, files.earnings_date, files.earnings_calendar)
)
sessions = calendar.Sessions.read(files.calendar)
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
values = earnings.compute(panel, summary, scheduled, next_session, sessions, moments)

frame, kinds = column.finish(panel, "earnings", earnings.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
