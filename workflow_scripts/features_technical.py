"""Compute the technical columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, positions, run
from gogooku.features import column, technical
from gogooku.panel import Panel
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

panel = Panel.read(files.panel)
sessions = calendar.Sessions.read(files.calendar)
rows = raw.read("summary", files.summary, knobs.moment["clock"], positions.COUNTS)
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
start = panel.row(knobs.first)
_, outstanding = positions.shares(panel, rows, moments, start)
values = technical.compute(panel, sessions, outstanding, start)

frame, kinds = column.finish(panel, "technical", technical.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
