"""Which models can be told apart by their daily numbers, however many are compared.

Two answers. Each model's paired difference from the yardstick has a p-value that is corrected for
the number of all differences (Holm 1979). The model confidence set (Hansen, Lunde and Nason 2011)
holds the models that cannot be told from the best one, whichever that is. Both rest on the errors
that intervals are made of (`inference`), so that overlapping labels count.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy import fft

from gogooku.arrays.agreement import Table
from gogooku.arrays.spread import RESOLUTION
from gogooku.evaluation import inference
from gogooku.evaluation.evaluate import Evaluations, series
from gogooku.evaluation.inference import Series

DRAWS = 4000


class Difference(NamedTuple):
    """A model's mean RankIC less another's at a horizon.

    estimate   with the interval of this difference alone
    p          two-sided, corrected for the number of differences; NaN where too few days tell
    verdict    higher, lower or not told apart, by the corrected p; the same if no day differs;
               empty where too few days tell
    """

    model: str
    horizon: int
    estimate: inference.Estimate
    p: float
    verdict: str


class Pair(NamedTuple):
    """Two evaluations of a horizon, the first of which is compared with the last."""

    model: str
    horizon: int
    evaluations: Evaluations

    @property
    def rules(self) -> list[Mapping[str, Any]]:
        """The rules that each was judged by."""
        return [summary for _, summary in self.evaluations.values()]


class ConfidenceSet(NamedTuple):
    """The models that cannot be told from the best at a horizon.

    means     of the daily numbers, on the days that all models have
    p         smallest error rate at which a model would be dropped; NaN where too few days tell
    members   p above the error rate; none where too few days tell
    """

    horizon: int
    days: int
    means: dict[str, float]
    p: dict[str, float]
    members: list[str]


def aligned(evaluations: Evaluations, metric: str, horizon: int) -> tuple[list[str], Table]:
    """Names of the K models that have a metric, and its numbers (T, K) on days that all have."""
    columns = {
        model: series(daily, metric, horizon).select("date", pl.col("value").alias(model))
        for model, (daily, _) in evaluations.items()
    }
    known = [column for column in columns.values() if len(column)]
    if not known:
        return [], np.zeros((0, 0))
    table = functools.reduce(lambda left, right: left.join(right, on="date"), known).sort("date")
    return table.columns[1:], table.drop("date").to_numpy()


def differences(
    evaluations: Evaluations, yardstick: str, horizons: Sequence[int]
) -> list[Difference]:
    """Compare every other model with the yardstick, by horizon and in the models' order."""
    return judge([
        Pair(model, horizon, {name: evaluations[name] for name in (model, yardstick)})
        for horizon in horizons
        for model in evaluations
        if model != yardstick
    ])  # fmt: skip


def judge(pairs: Sequence[Pair]) -> list[Difference]:
    """Compare the two evaluations of each pair on the days that both have, the first less the last.

    A difference is called higher or lower only if its p-value, corrected for all of them, is
    below the error rate of the intervals.
    """
    estimates, p, alike = [], [], []
    for pair in pairs:
        names, daily = aligned(pair.evaluations, "rank_ic", pair.horizon)
        gaps = daily[:, 0] - daily[:, 1] if len(names) == 2 else np.zeros(0)
        reach = max(inference.reach(pair.horizon, rules["entry"]) for rules in pair.rules)
        estimates.append(inference.mean_estimate(gaps, reach, pair.rules[-1]["confidence"]))
        p.append(inference.p_value(estimates[-1], reach))
        alike.append(len(gaps) > 0 and not gaps.any())
    return [
        Difference(
            pair.model,
            pair.horizon,
            known,
            float(own),
            "the same" if same else _verdict(known.mean, own, 1 - pair.rules[-1]["confidence"]),
        )
        for pair, known, own, same in zip(pairs, estimates, holm(p), alike, strict=True)
    ]


def _verdict(mean: float, p: float, size: float) -> str:
    if np.isnan(p):
        return ""
    return "not told apart" if p >= size else "higher" if mean > 0 else "lower"


def holm(p: Sequence[float] | Series) -> Series:
    """Correct p-values (K,) for their number, step by step; NaN are no comparisons (Holm 1979)."""
    p = np.asarray(p, float)
    corrected = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def confidence_set(
    evaluations: Evaluations, horizon: int, metric: str = "rank_ic"
) -> ConfidenceSet:
    """Find the models that cannot be told from the best at a horizon."""
    rules = next(iter(evaluations.values()))[1]
    names, daily = aligned(evaluations, metric, horizon)
    p = set_p_values(daily, inference.reach(horizon, rules["entry"]))
    return ConfidenceSet(
        horizon,
        len(daily),
        dict(zip(names, daily.mean(axis=0).tolist() if len(daily) else [], strict=False)),
        dict(zip(names, p.tolist(), strict=True)),
        [name for name, own in zip(names, p, strict=True) if own > 1 - rules["confidence"]],
    )


def set_p_values(daily: Table, reach: int, seed: int = 0) -> Series:
    """P-values (K,) of the model confidence set of daily numbers (T, K), larger ones being better.

    reach   sessions that one day's number covers; too few days for an interval give NaN

    The worst model is dropped again and again; each time all pairs of those left are compared, and
    the largest |t| with its distribution if all were alike. A model's p-value is the largest up to
    when it was dropped. The distribution is drawn: means and cosine coefficients that follow the
    models' joint covariance, and t from them as t from the days (`inference`). Resampling blocks
    of days instead, as is common, drops one of six equal models at the 5 % level in 15 % of
    samples where labels overlap by five sessions, because it takes errors for known.
    """
    days, models = daily.shape
    waves = inference.waves(days, reach)
    if not waves or not models:
        return np.full(models, np.nan)
    gaps = np.abs(daily[:, :, None] - daily[:, None, :]).max(axis=0)
    first = np.argmax(gaps < RESOLUTION, axis=1)  # of several that are equal, one stands for all
    different = np.unique(first)
    daily = daily[:, different]
    cosines = fft.dct(daily - daily.mean(axis=0), norm="ortho", axis=0)[1 : waves + 1]
    found = _t_values(np.sqrt(days) * daily.mean(axis=0)[None], cosines[None])[0]
    draws = np.random.default_rng(seed).standard_normal((DRAWS, waves + 1, waves))
    drawn = draws @ cosines / np.sqrt(waves)
    p = _eliminated(found, _t_values(drawn[:, 0], drawn[:, 1:]))
    return p[np.searchsorted(different, first)]


def _t_values(means: Table, cosines: np.ndarray) -> np.ndarray:
    """Give t of each pair, (R, K, K), from means (R, K) and cosine coefficients (R, B, K)."""
    products = np.swapaxes(cosines, 1, 2) @ cosines / cosines.shape[1]
    own = np.diagonal(products, axis1=1, axis2=2)
    variance = own[:, :, None] + own[:, None, :] - 2 * products
    pairs = variance > RESOLUTION * own[:, :, None]
    gaps = means[:, :, None] - means[:, None, :]
    return np.where(pairs, gaps / np.sqrt(np.where(pairs, variance, 1)), 0.0)


def _eliminated(found: Table, drawn: np.ndarray) -> Series:
    """Drop the worst model until one is left: p-values (K,) by t (K, K) and its draws (R, K, K)."""
    left = list(range(len(found)))
    p, highest = np.ones(len(found)), 0.0
    while len(left) > 1:
        largest = drawn[:, left][:, :, left].max(axis=(1, 2))
        own = found[np.ix_(left, left)]
        share = (1 + np.sum(largest >= own.max())) / (1 + len(largest))
        highest = max(highest, float(share))
        p[left.pop(int(np.argmin(own.min(axis=1))))] = highest
    return p
