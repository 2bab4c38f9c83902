"""Clean one span's bars, judge each day's universe and lay both out."""

import datetime as dt
from typing import TYPE_CHECKING

from gogooku import calendar, panel_rows, run
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

bars = raw.read("bars", files.bars, knobs.moment["clock"], panel_rows.BARS)
master = raw.read("master", files.master, knobs.moment["clock"], panel_rows.LISTS)
dates = calendar.Sessions.read(files.calendar).until(knobs.last)
moments = calendar.decision_moments(dates, knobs.moment["decision"], knobs.moment["closes"])

first = dt.date.fromisoformat(knobs.first)

rows, findings = panel_rows.build(
    bars, master, dates, moments, first, **knobs.quality, **knobs.universe
)
run.write_parquet(rows, snakemake.output.panel)
run.write_parquet(findings, snakemake.output.quality)
