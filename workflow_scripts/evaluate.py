"""Measure one model day by day on all test parts."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.evaluation import evaluate, ledger, trading
from gogooku.evaluation.sealing import Seal

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.start(snakemake)

seal = Seal(params.sealed)
predictions = seal.predictions(evaluate.read_predictions(inputs.predictions))
labels = seal.labels(inputs.labels)
planted = ["date", "code", "part"]
truth = files.read_parquet(inputs.truth, required=planted) if inputs.truth else None
topix = files.read_parquet(inputs.topix, required=["Date", "O", "C"]) if inputs.topix else None
size = ["date", "code", "market_cap_log"]
sizes = files.read_parquet(inputs.sizes, size) if inputs.sizes else None
surroundings = trading.Surroundings(seal.panel(inputs.panel), topix, sizes)

rules = trading.Rules.of(params.entry, params.evaluation)
daily, summary = evaluate.evaluate(predictions, labels, truth, surroundings, params.horizons, rules)
ledger.evaluated(snakemake, predictions, summary)
files.write_parquet(daily, snakemake.output.daily)
files.write_json(summary, snakemake.output.summary)
