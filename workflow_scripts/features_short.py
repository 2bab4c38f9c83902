"""Compute the short columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, run
from gogooku.features import column, short
from gogooku.panel import Panel
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

panel = Panel.read(files.panel)
reports, sales = (
    raw.read(name, files[name], knobs.moment["clock"]) for name in ("short_sale", "short_ratio")
)
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
values = short.compute(panel, reports, sales, moments, panel.row(knobs.first))

frame, kinds = column.finish(panel, "short", short.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
