"""Compute the listed columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, known, positions, run
from gogooku.features import column, listed
from gogooku.panel import Panel
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

panel = Panel.read(files.panel)
lists = raw.read("master", files.master, knobs.moment["clock"], listed.FIELDS)
summary = raw.read("summary", files.summary, knobs.moment["clock"], positions.COUNTS)
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
master = known.on_the_day(lists, listed.KEY, panel.dates, moments)
values = listed.compute(panel, master, summary, moments, panel.row(knobs.first))

frame, kinds = column.finish(panel, "listed", listed.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
