"""Compute the flow columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs
from gogooku.features import column, flow
from gogooku.panel.panel import Panel
from gogooku.raw import store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
rows = store.read("investor_types", snakemake.input.investor_types, params.moment["clock"])
moments = calendar.decision_moments(panel.dates, params.moment["decision"], params.moment["closes"])
values = flow.compute(panel, rows, moments)

frame, kinds = column.finish(panel, "flow", flow.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
