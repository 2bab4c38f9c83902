"""Compute the margin columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs
from gogooku.features import balances, column, margin
from gogooku.panel.panel import Panel
from gogooku.raw import store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.log_to(snakemake.log[0])

panel = Panel.read(inputs.panel)
interest, alerts = (
    store.read(name, inputs[name], params.moment["clock"])
    for name in ("margin_interest", "margin_alert")
)
summary = store.read("summary", inputs.summary, params.moment["clock"], balances.COUNTS)
moments = calendar.decision_moments(panel.dates, params.moment["decision"], params.moment["closes"])
values = margin.compute(panel, interest, alerts, summary, moments, panel.row(params.first))

frame, kinds = column.finish(panel, "margin", margin.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
