"""Compute the market columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, known, run
from gogooku.features import column, market
from gogooku.panel import Panel
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
rows = raw.read("topix", snakemake.input.topix, knobs.moment["clock"])
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
topix = known.on_the_day(rows, ["Date"], panel.dates, moments)
values = market.compute(panel, topix, panel.row(knobs.first))

frame, kinds = column.finish(panel, "market", market.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
