"""Compute the option columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, known, run
from gogooku.features import column, option
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
chains = run.read_parquet(snakemake.input.options_225, [*option.FIELDS, *known.COLUMN.values()])
chains = known.visible(chains, knobs.moment["clock"])
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
values = option.compute(panel, chains, moments)

frame, kinds = column.finish(panel, "option", option.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
