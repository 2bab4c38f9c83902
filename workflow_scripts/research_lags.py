"""Measure how old the rows are that a day uses, on both clocks."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.research import lags, lags_page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs, outputs = snakemake.params, snakemake.input, snakemake.output
jobs.start(snakemake)

panel = files.read_parquet(inputs.panel, ["date", "code", "universe"])
rows = lags.measure(panel, inputs.raw, params.families, params.decisions, params.closes)

files.write_parquet(rows, outputs.rows)
files.write_json(lags.summary(rows), outputs.summary)
files.write_text(lags_page.build(rows, params.name, params.decisions), outputs.page)
