"""Compute the market columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs, point_in_time
from gogooku.features import column, market
from gogooku.panel.panel import Panel
from gogooku.raw import store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
rows = store.read("topix", snakemake.input.topix, params.moment["clock"])
moments = calendar.decision_moments(panel.dates, params.moment["decision"], params.moment["closes"])
topix = point_in_time.on_the_day(rows, ["Date"], panel.dates, moments)
values = market.compute(panel, topix, panel.row(params.first))

frame, kinds = column.finish(panel, "market", market.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
