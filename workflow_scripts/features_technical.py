"""Compute the technical columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, run
from gogooku.features import column, technical
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
sessions = calendar.Sessions.read(snakemake.input.calendar)
values = technical.compute(panel, sessions)

frame, kinds = column.finish(panel, "technical", technical.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
