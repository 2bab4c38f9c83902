"""Measure one model day by day on all test parts."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.evaluation import evaluate, trading
from gogooku.panel.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.start(snakemake)

predictions = evaluate.read_predictions(inputs.predictions)
labels = files.read_parquet(inputs.labels, required=["date", "code", "horizon", "label"])
planted = ["date", "code", "part"]
truth = files.read_parquet(inputs.truth, required=planted) if inputs.truth else None
topix = files.read_parquet(inputs.topix, required=["Date", "O", "C"]) if inputs.topix else None
size = ["date", "code", "market_cap_log"]
sizes = files.read_parquet(inputs.sizes, size) if inputs.sizes else None
surroundings = trading.Surroundings(Panel.read(inputs.panel), topix, sizes)

rules = trading.Rules.of(params.entry, params.evaluation)
daily, summary = evaluate.evaluate(predictions, labels, truth, surroundings, params.horizons, rules)
files.write_parquet(daily, snakemake.output.daily)
files.write_json(summary, snakemake.output.summary)
