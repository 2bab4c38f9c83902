"""Compute the flow columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, run
from gogooku.features import column, flow
from gogooku.panel import Panel
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
rows = raw.read("investor_types", snakemake.input.investor_types, knobs.moment["clock"])
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
values = flow.compute(panel, rows, moments)

frame, kinds = column.finish(panel, "flow", flow.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
