"""How often LightGBM and ridge, fitted on pure noise, are said to know something.

    python benchmarks/noise_runs.py [RUNS]

Each of 200 runs (RUNS) is a market of its own without predictability: 330 stocks as in the demo,
whose returns share a factor and have fat tails. The inputs are what models meet: past returns over
several windows, and columns that last for weeks. Both models are fitted on 490 sessions and judged
on the 490 after them by the code that judges models. Prints the share of models and horizons whose
RankIC is significant at 5 %, and the shares of runs in which the verdict's sentences rank a model
above another, see skill, or a gain after costs.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))

import numpy as np
import polars as pl
from gogooku.dataset.inputs import ModelInputs
from gogooku.evaluation import evaluate
from gogooku.evaluation.trading import Surroundings
from gogooku.models import lightgbm, ridge
from gogooku.models.contract import Job
from gogooku.report import judgement, verdict
from helpers import judged, panels
from tqdm import tqdm

STOCKS, BEFORE, TRAIN, TEST = 330, 60, 490, 490
HORIZONS, LAST = [1, 5], 0.95
WINDOWS, LASTING = (1, 5, 20, 60), 4
MODELS = {
    "lightgbm": (
        lightgbm,
        lightgbm.Settings(
            rounds=30, learning_rate=0.1, leaves=7, min_leaf=100, feature_share=1, row_share=1,
            max_bins=63, max_rows=40_000,
        ),
    ),
    "ridge": (ridge, ridge.Settings(penalty=[10])),
}  # fmt: skip


def market(random):
    """Closes (T, N) and the inputs of the days from BEFORE on."""
    days = BEFORE + TRAIN + TEST + 2 * max(HORIZONS) + 2
    common = random.normal(0, 0.01, (days, 1))
    gains = 0.012 * random.standard_t(5, (days, STOCKS)) / np.sqrt(5 / 3) + common
    level = np.cumsum(gains, axis=0)
    past = [level - np.roll(level, window, axis=0) for window in WINDOWS]
    lasting = random.normal(size=(days, STOCKS, LASTING))
    for day in range(1, days):
        lasting[day] = LAST * lasting[day - 1] + np.sqrt(1 - LAST**2) * lasting[day]
    columns = np.concatenate([np.stack(past, axis=2), lasting], axis=2)[BEFORE:]
    columns = (columns - columns.mean(axis=1, keepdims=True)) / columns.std(axis=1, keepdims=True)
    close = 1000 * np.exp(level[BEFORE:])
    labels = np.full((*close.shape, len(HORIZONS)), np.nan)
    for h, horizon in enumerate(HORIZONS):
        labels[: -horizon - 1, :, h] = close[horizon + 1 :] / close[1:-horizon] - 1
    return close, columns.astype(np.float32), labels.astype(np.float32)


def inputs_of(columns, labels):
    nobody = np.full((*labels.shape[:2], 1), -1, np.int32)
    return ModelInputs(
        x=columns,
        universe=np.ones(labels.shape[:2], bool),
        labels=labels,
        dates=panels.weekdays(len(labels)),
        codes=np.array([f"{1301 + i}0" for i in range(STOCKS)]),
        columns=[f"column{k}" for k in range(columns.shape[2])],
        horizons=HORIZONS,
        neighbours=nobody,
        weights=np.zeros(nobody.shape, np.float32),
    )


def tidy(inputs, days, values, names):
    rows = {"date": np.repeat(inputs.dates[days], STOCKS), "code": np.tile(inputs.codes, len(days))}
    return pl.DataFrame(rows | {name: values[..., h].ravel() for h, name in enumerate(names)})


def run(seed):
    """Evaluations of both models on one market."""
    close, columns, labels = market(np.random.default_rng(seed))
    inputs, train = inputs_of(columns, labels), np.arange(TRAIN)
    test = np.arange(TEST) + TRAIN + max(HORIZONS) + 1
    wide = tidy(inputs, test, labels[test].astype(float), map(str, HORIZONS))
    long = wide.unpivot(index=["date", "code"], variable_name="horizon", value_name="label")
    long = long.with_columns(pl.col("horizon").cast(pl.Int16))
    surroundings = Surroundings(panels.make(close, days=inputs.dates, codes=inputs.codes.tolist()))
    evaluations = {}
    for name, (model, settings) in MODELS.items():
        job = Job(settings=settings, seed=seed)
        fitted = model.fit(inputs, train, train[:0], job)
        scores = model.predict(fitted, inputs, test, job)[: len(test)]
        rows = tidy(inputs, test, scores, [f"prediction_{h}d" for h in HORIZONS])
        answers = {0: rows.with_columns(fold=pl.lit(0, pl.Int16))}
        rules = judged.rules(quantiles=10)
        evaluations[name] = evaluate.evaluate(answers, long, None, surroundings, HORIZONS, rules)
    return evaluations


def claims(evaluations):
    """What the report says: significant RankICs, ranks, models of no skill, deflated ratios."""
    known = [
        summary["horizons"][str(horizon)][str(evaluate.MEAN_OF_SEEDS)]["rank_ic"]
        for _, summary in evaluations.values()
        for horizon in HORIZONS
    ]
    found = judgement.of(evaluations, "ridge")
    said = verdict.sentences(evaluations, found, "ridge")
    return (
        np.mean([own["low"] > 0 or own["high"] < 0 for own in known]),
        bool(verdict.ranked(found.sets, verdict.share(0.95))),
        not any("No model shows skill" in text for text in said),
        not any("othing" in text for text in said),
    )


def main(runs):
    found = np.array([claims(run(seed)) for seed in tqdm(range(runs))], float).mean(axis=0)
    significant, ranks, skill, gains = found
    print(
        f"{runs} runs: {significant:.1%} of the RankICs are significant at 5 %; the verdict ranks "
        f"models in {ranks:.1%} of the runs, sees skill in {skill:.1%}, and a gain after costs in "
        f"{gains:.1%}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
