"""The score of the JPX Tokyo Stock Exchange Prediction (Kaggle, 2022), on a run's own test days.

There, each day's 2,000 stocks were ranked from 0 to 1999. A day's return is the weighted sum of the
first 200 less that of the last 200, with weights that fall from 2 to 1, over the mean weight; the
target was the change from the next session's close to the one after, which is our label of one
session from `next_close`. The score is the mean of daily returns over their standard deviation.
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from gogooku.arrays.agreement import Table
from gogooku.arrays.ordered import Ordered
from gogooku.arrays.spread import varies
from gogooku.calendar import Entry
from gogooku.evaluation import inference, overfitting
from gogooku.evaluation.inference import Estimate, Series

HORIZON = 1
ENTRY: Entry = "next_close"
LEG = 200
WEIGHTS = np.linspace(2, 1, LEG)
PODIUM = {"first": 0.381, "second": 0.356, "third": 0.352}
DAYS = 64
"""Sessions that the podium was judged on, from 2022-07-06 to 2022-10-07."""
ENTRIES = 500


def spread(prediction: Ordered, label: Table) -> Series:
    """Give each day's return, (T,), from predictions and labels (T, N) of one session.

    Ranks must be unique: alike predictions are ranked by code, of which the later stands higher. A
    stock without a label counts as 0, as in the published code: who has one is not known when
    stocks are ranked. NaN on days with fewer than twice 200 predicted stocks, without any label, or
    with predictions that are all alike.
    """
    stocks = members(prediction)
    judged = (stocks >= 2 * LEG) & np.isfinite(label).any(axis=1)
    judged &= np.atleast_1d(varies(prediction.values, axis=1))
    returns = np.full(len(label), np.nan)
    for t in np.flatnonzero(judged):
        ascending, outcome = prediction.order[t, : stocks[t]], np.nan_to_num(label[t])
        first, last = outcome[ascending[::-1][:LEG]], outcome[ascending[:LEG]]
        returns[t] = WEIGHTS @ (first - last) / WEIGHTS.mean()
    return returns


def members(prediction: Ordered) -> np.ndarray:
    """Count the stocks of each day that have a prediction, (T,)."""
    return (prediction.order >= 0).sum(axis=1)


def score(returns: Series, confidence: float) -> Estimate:
    """Mean of daily returns (T,) over their standard deviation (T - 1), with its interval.

    The interval is that of a Sharpe ratio (`inference.sharpe`), which differs by units alone.
    """
    known = inference.sharpe(returns, inference.reach(HORIZON, ENTRY), confidence)
    days = max(known.days, 1)
    unit = np.sqrt((days - 1) / days / inference.SESSIONS)
    scaled = {name: unit * getattr(known, name) for name in ("mean", "error", "low", "high")}
    return Estimate(**scaled, days=known.days)


def summary(prediction: Ordered, returns: Series, confidence: float) -> dict[str, Any]:
    """Give score, its days, and the median number of stocks that they ranked; {} without a day."""
    judged = np.isfinite(returns)
    if not judged.any():
        return {}
    known = asdict(score(returns, confidence))
    kept = {name: known[name] for name in ("mean", "low", "high", "days")}
    return {"score": kept, "stocks": int(np.median(members(prediction)[judged]))}


def of_luck(days: int, entries: int = ENTRIES) -> float:
    """Expected best score of that many independent entries without any skill on so many days.

    A score of T days without skill errs by about 1/√T.
    """
    return overfitting.expected_maximum(entries, 1 / days)
