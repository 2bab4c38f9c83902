"""The noise certificate: nothing is found where nothing is planted, nor in shuffled labels."""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gogooku import files, layout
from gogooku.arrays import agreement
from gogooku.arrays.agreement import Table
from gogooku.errors import UserError
from gogooku.evaluation import evaluate, inference

CONFIDENCE = 0.99


def certify(
    daily: Sequence[str],
    parts: Mapping[str, float],
    horizons: Sequence[int],
    entry: inference.Entry,
) -> list[dict[str, Any]]:
    """Give the mean RankIC of every model (mean of seeds) and horizon with its 99 % interval.

    daily   evaluation files <model>.parquet
    parts   strengths of what the market plants [bp]; all must be 0

    A model whose scores are always alike has no RankIC, and no row. Raises UserError if something
    is planted, or naming the first model and horizon whose days are
    too few for an interval or whose interval excludes 0.
    """
    if planted := [name for name, strength in parts.items() if strength]:
        raise UserError(f"market.parts plants {planted}: lay config/noise.yaml over the settings")
    table = [_row(Path(path), horizon, entry) for path in daily for horizon in horizons]
    table = [row for row in table if row["days"]]
    for row in table:
        logging.info("%(model)s %(horizon)2d d: RankIC %(mean).4f [%(low).4f, %(high).4f]", row)
    for row in table:
        _judge(row)
    return table


def shuffled(
    predictions: Sequence[str], labels: pl.DataFrame, horizons: Sequence[int], seed: int
) -> list[dict[str, Any]]:
    """Give the RankIC of every model and horizon with labels permuted within each day.

    predictions   files …/<model>/fold<k>/seed<s>.parquet
    labels        date, code, horizon, label

    Days are independent then; the intervals hold together with 99 %: each with 1 less a share of
    1 %. Raises UserError naming the first model and horizon whose interval excludes 0, which says
    that stocks or days are mixed up in evaluation itself.
    """
    by_model: dict[str, list[str]] = {}
    for path in predictions:
        by_model.setdefault(layout.fit(path).model, []).append(path)
    confidence = 1 - (1 - CONFIDENCE) / (len(by_model) * len(horizons))
    table = []
    for model, paths in by_model.items():
        tables = evaluate.paired(evaluate.read_predictions(paths), labels, horizons)
        for horizon, (score, label) in tables.items():
            random = np.random.default_rng([seed, horizon])
            daily = agreement.rank_ic(score, _permuted(label, random))
            estimate = inference.mean_estimate(daily, 1, confidence)
            table.append(_entry(model, horizon, estimate))
    table = [row for row in table if row["days"]]
    for row in table:
        if not row["low"] <= 0 <= row["high"]:
            raise UserError(
                f"{row['model']} has RankIC {row['mean']:.4f} at {row['horizon']} sessions with "
                "labels that are shuffled within days: evaluation itself is at fault"
            )
    return table


def _permuted(label: Table, random: np.random.Generator) -> Table:
    """Permute each day's labels among the stocks that have one."""
    mixed = label.copy()
    for day in mixed:
        known = np.isfinite(day)
        day[known] = random.permutation(day[known])
    return mixed


def _judge(row: Mapping[str, Any]) -> None:
    if math.isnan(row["low"]):
        raise UserError(
            f"{row['model']} has a RankIC at {row['horizon']} sessions on {row['days']} days, too "
            "few for an interval: lengthen the test parts (splits.test) or the run (dates)"
        )
    if not row["low"] <= 0 <= row["high"]:
        raise UserError(
            f"{row['model']} finds RankIC {row['mean']:.4f} at {row['horizon']} sessions in "
            "pure noise: look for a leak before you believe any result"
        )


def _row(path: Path, horizon: int, entry: inference.Entry) -> dict[str, Any]:
    values = evaluate.series(files.read_parquet(path), "rank_ic", horizon)["value"].to_numpy()
    return _entry(
        layout.model(path), horizon, inference.estimate(values, horizon, entry, CONFIDENCE)
    )


def _entry(model: str, horizon: int, estimate: inference.Estimate) -> dict[str, Any]:
    return {
        "model": model,
        "horizon": horizon,
        "days": estimate.days,
        "mean": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
    }
