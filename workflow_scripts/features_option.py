"""Compute the option columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, run
from gogooku.features import column, option
from gogooku.panel import Panel
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
paths, clock = snakemake.input.options_225, knobs.moment["clock"]
chains = raw.read("options_225", paths, clock, option.FIELDS)
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
values = option.compute(panel, chains, moments)

frame, kinds = column.finish(panel, "option", option.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
