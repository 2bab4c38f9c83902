"""Compute the user's own columns of one span."""

from typing import TYPE_CHECKING

from gogooku import run
from gogooku.features import column, user
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
columns, values = user.compute(panel, **knobs.user)

frame, kinds = column.finish(panel, "user", columns, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
