"""Compute the index columns of one span."""

from typing import TYPE_CHECKING

from gogooku import calendar, known, run
from gogooku.features import column, index
from gogooku.panel import Panel
from gogooku.sources import raw

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
rows = raw.read("indices", snakemake.input.indices, knobs.moment["clock"])
moments = calendar.decision_moments(panel.dates, knobs.moment["decision"], knobs.moment["closes"])
indices = known.on_the_day(rows, ["Date", "Code"], panel.dates, moments)
values = index.compute(panel, indices, panel.row(knobs.first))

frame, kinds = column.finish(panel, "index", index.COLUMNS, values, knobs.first)
run.write_parquet(frame, snakemake.output[0], kinds)
