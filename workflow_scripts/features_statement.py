"""Compute the statement columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, filings, run
from gogooku.features import column, statement
from gogooku.panel import Panel
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
rows = raw.read("summary", snakemake.input.summary, knobs.moment["clock"], filings.FIELDS)
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
values = statement.compute(panel, rows, moments, panel.row(knobs.first))

frame, kinds = column.finish(panel, "statement", statement.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
