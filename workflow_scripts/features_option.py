"""Compute the option columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs
from gogooku.features import column, option
from gogooku.panel.panel import Panel
from gogooku.raw import store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params = snakemake.params
jobs.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
paths, clock = snakemake.input.options_225, params.moment["clock"]
chains = store.read("options_225", paths, clock, option.FIELDS)
moments = calendar.decision_moments(panel.dates, params.moment["decision"], params.moment["closes"])
values = option.compute(panel, chains, moments)

frame, kinds = column.finish(panel, "option", option.COLUMNS, values, params.first)
files.write_parquet(frame, snakemake.output[0], kinds)
