"""Compute the margin columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, known, run
from gogooku.features import column, margin
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

panel = Panel.read(files.panel)
interest, alerts, summary = (
    known.visible(run.read_parquet(rows), knobs.moment["clock"])
    for rows in (files.margin_interest, files.margin_alert, files.summary)
)
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
values = margin.compute(panel, interest, alerts, summary, moments)

frame, kinds = column.finish(panel, "margin", margin.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
