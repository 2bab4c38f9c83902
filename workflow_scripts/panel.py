"""Clean one span's bars, judge each day's universe and lay both out."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs
from gogooku.panel import rows as panel_rows
from gogooku.raw import store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.start(snakemake)

first, last = params.days

bars = store.read("bars", inputs.bars, params.moment["clock"], panel_rows.BARS)
master = store.read("master", inputs.master, params.moment["clock"], panel_rows.LISTS)
dates = calendar.Sessions.read(inputs.calendar).between(last=last)
moments = calendar.decision_moments(dates, params.moment["decision"], params.moment["closes"])

rows, findings = panel_rows.build(
    bars, master, dates, moments, first, **params.quality, **params.universe
)
files.write_parquet(rows, snakemake.output.panel)
files.write_parquet(findings, snakemake.output.quality)
