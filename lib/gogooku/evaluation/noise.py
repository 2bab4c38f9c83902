"""The noise certificate: on a market without predictability no model may find any."""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gogooku import files, layout
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

    Raises UserError if something is planted, or naming the first model and horizon whose days are
    too few for an interval or whose interval excludes 0.
    """
    if planted := [name for name, strength in parts.items() if strength]:
        raise UserError(f"market.parts plants {planted}: lay config/noise.yaml over the settings")
    table = [_row(Path(path), horizon, entry) for path in daily for horizon in horizons]
    for row in table:
        logging.info("%(model)s %(horizon)2d d: RankIC %(mean).4f [%(low).4f, %(high).4f]", row)
    for row in table:
        _judge(row)
    return table


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
    estimate = inference.estimate(values, horizon, entry, CONFIDENCE)
    return {
        "model": layout.model(path),
        "horizon": horizon,
        "days": estimate.days,
        "mean": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
    }
