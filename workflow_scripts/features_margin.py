"""Compute the margin columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, positions, run
from gogooku.features import column, margin
from gogooku.panel import Panel
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

panel = Panel.read(files.panel)
interest, alerts = (
    raw.read(name, files[name], knobs.moment["clock"])
    for name in ("margin_interest", "margin_alert")
)
summary = raw.read("summary", files.summary, knobs.moment["clock"], positions.COUNTS)
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
values = margin.compute(panel, interest, alerts, summary, moments, panel.row(knobs.first))

frame, kinds = column.finish(panel, "margin", margin.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
