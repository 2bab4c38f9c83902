"""Measure one model day by day on all test parts."""

from typing import TYPE_CHECKING

from gogooku import evaluation, run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

predictions = evaluation.read_predictions(files.predictions)
labels = run.read_parquet(files.labels)
truth = run.read_parquet(files.truth) if files.truth else None

daily, summary = evaluation.evaluate(
    predictions, labels, truth, horizons=knobs.horizons, entry=knobs.entry, **knobs.evaluation
)
run.write_parquet(daily, snakemake.output.daily)
run.write_json(summary, snakemake.output.summary)
