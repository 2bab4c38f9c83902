"""Measure how old the rows are that a day uses, on both clocks."""

from typing import TYPE_CHECKING

from gogooku import lags, lags_page, run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files, made = snakemake.params, snakemake.input, snakemake.output
run.log_to(snakemake.log[0])

panel = run.read_parquet(files.panel, ["date", "code", "universe"])
rows = lags.measure(panel, files.raw, knobs.families, knobs.decisions, knobs.closes)

run.write_parquet(rows, made.rows)
run.write_json(lags.summary(rows), made.summary)
run.write_text(lags_page.build(rows, knobs.name, knobs.decisions), made.page)
