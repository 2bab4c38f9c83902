"""Compute the short columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs
from gogooku.features import column, short
from gogooku.panel.panel import Panel
from gogooku.raw import store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.log_to(snakemake.log[0])

panel = Panel.read(inputs.panel)
reports, sales = (
    store.read(name, inputs[name], params.moment["clock"]) for name in ("short_sale", "short_ratio")
)
moments = calendar.decision_moments(panel.dates, params.moment["decision"], params.moment["closes"])
values = short.compute(panel, reports, sales, moments, panel.row(params.first))

frame, kinds = column.finish(panel, "short", short.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
