"""How much of a result is the luck of a search: Sharpe ratios deflated, choices tried elsewhere.

Sharpe ratios here are of one session, the mean of daily returns over their standard deviation; that
of a year is √245 times as large. A probability that the days do not support is NaN.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from gogooku.arrays.agreement import Table
from gogooku.arrays.spread import RESOLUTION, varies
from gogooku.evaluation.inference import Series

FEWEST_DAYS = 20
BLOCKS, FEWEST_BLOCKS = 16, 6


class Moments(NamedTuple):
    """What a Sharpe ratio and its error are made of; NaN and the reason where days say too little.

    sharpe     of a session;  kurtosis  3 for a normal distribution
    """

    days: int
    sharpe: float = np.nan
    skew: float = np.nan
    kurtosis: float = np.nan
    reason: str = ""

    @classmethod
    def of(cls, returns: Series) -> "Moments":
        """Take them from daily returns (T,), NaN days left out; unbiased as far as can be."""
        returns = returns[np.isfinite(returns)]
        days = len(returns)
        if days < FEWEST_DAYS:
            return cls(days, reason=f"{days} days, fewer than {FEWEST_DAYS}")
        if not varies(returns) or np.abs(returns).max() < RESOLUTION:
            return cls(days, reason="the returns do not vary")
        skew, kurtosis = stats.skew(returns, bias=False), stats.kurtosis(returns, bias=False) + 3
        return cls(days, returns.mean() / returns.std(ddof=1), float(skew), float(kurtosis))

    @property
    def variance(self) -> float:
        """Of √(T - 1) times the Sharpe ratio, if days are independent (Mertens 2002)."""
        return 1 - self.skew * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2


def probabilistic_sharpe(moments: Moments, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio is above `benchmark`, both of a session.

    Source: Bailey and Lopez de Prado (2012), "The Sharpe ratio efficient frontier", eq. 8.
    """
    score = (moments.sharpe - benchmark) * _root(moments.days - 1) / _root(moments.variance)
    return float(special.ndtr(score))


def minimum_track_record(moments: Moments, confidence: float, benchmark: float = 0.0) -> float:
    """Days of such returns after which `probabilistic_sharpe` reaches `confidence`.

    Infinite if the Sharpe ratio is not above the benchmark. Source: as above, eq. 11.
    """
    if moments.sharpe <= benchmark:
        return np.inf
    distance = special.ndtri(confidence) / (moments.sharpe - benchmark)
    return float(1 + moments.variance * distance**2)


def expected_maximum(trials: int, variance: float) -> float:
    """Expected largest of the Sharpe ratios of that many independent trials without skill.

    variance   of the trials' Sharpe ratios; the result is in the units of its root

    Source: Bailey and Lopez de Prado (2014), "The deflated Sharpe ratio", eq. 1.
    """
    if trials < 2:
        return 0.0
    high, higher = special.ndtri([1 - 1 / trials, 1 - 1 / (trials * np.e)])
    return float(_root(variance) * ((1 - np.euler_gamma) * high + np.euler_gamma * higher))


class Deflated(NamedTuple):
    """What is left of a Sharpe ratio after a search; NaN and the reason where nothing can be said.

    probabilistic  probability that the true ratio is above 0, had there been one trial only
    threshold      the ratio, of a session, that the best of the trials reaches without any skill
    probability    that the true ratio is above 0, given the trials: the deflated Sharpe ratio
    days           of such returns that make `probabilistic` as sure as asked
    """

    probabilistic: float
    threshold: float
    probability: float
    days: float
    reason: str


def deflate(
    returns: Series, trials: int, sharpes: Sequence[float] | Series, confidence: float
) -> Deflated:
    """Judge daily `returns` (T,) that were found by a search.

    trials    tries that the search took
    sharpes   the Sharpe ratios, of a session, of those tries that are known: their variance says
              how far luck reaches; NaN are left out
    """
    moments = Moments.of(returns)
    known = np.asarray(sharpes, float)
    known = known[np.isfinite(known)]
    variance = float(known.var(ddof=1)) if len(known) > 1 else np.nan
    threshold = expected_maximum(trials, variance)
    reason = "" if np.isfinite(threshold) else "the trials have fewer than two Sharpe ratios"
    return Deflated(
        probabilistic=probabilistic_sharpe(moments),
        threshold=threshold,
        probability=probabilistic_sharpe(moments, threshold),
        days=minimum_track_record(moments, confidence),
        reason=moments.reason or reason,
    )


class Overfitting(NamedTuple):
    """Probability of backtest overfitting; NaN and the reason where days say too little."""

    probability: float
    blocks: int = 0
    reason: str = ""


def backtest_overfitting(daily: Table, reach: int) -> Overfitting:
    """Probability that the best of S strategies is not in the better half on other days.

    daily   (T, S), returns or RankICs; days on which any is NaN are left out
    reach   sessions that one day's number covers: no block of days is shorter

    The days are cut into up to 16 blocks. Each half of the blocks chooses the strategy with the
    highest mean over standard deviation, the other half ranks it; a middle rank counts as half.
    About 0.5 if the choice is luck. Source: Bailey, Borwein, Lopez de Prado and Zhu (2017),
    combinatorially symmetric cross-validation.
    """
    daily = daily[np.isfinite(daily).all(axis=1)]
    daily = daily[:, np.atleast_1d(varies(daily))] if len(daily) else daily[:, :0]
    days, strategies = daily.shape
    if strategies < 2:
        return Overfitting(np.nan, reason="fewer than two strategies that vary")
    blocks = min(BLOCKS, days // max(reach, 2) // 2 * 2)
    if blocks < FEWEST_BLOCKS:
        return Overfitting(np.nan, reason=f"{days} days, fewer than {FEWEST_BLOCKS} blocks")
    inside = _performance(daily, blocks)
    outside = inside[::-1]  # the combinations of the other blocks, in reverse order
    best = np.take_along_axis(outside, inside.argmax(axis=1)[:, None], axis=1)
    twice = 2 * (outside < best).sum(axis=1) + (outside == best).sum(axis=1) + 1  # twice its rank
    median = strategies + 1
    return Overfitting(float(np.mean((twice < median) + 0.5 * (twice == median))), blocks)


def _performance(daily: Table, blocks: int) -> Table:
    """Mean over standard deviation of each strategy on each half of the blocks, (C, S)."""
    size = len(daily) // blocks
    pieces = daily[: size * blocks].reshape(blocks, size, -1)
    chosen = list(itertools.combinations(range(blocks), blocks // 2))
    halves = np.zeros((len(chosen), blocks))
    np.put_along_axis(halves, np.array(chosen), 1.0, axis=1)
    count = size * blocks // 2
    mean = halves @ pieces.sum(axis=1) / count
    variance = halves @ (pieces**2).sum(axis=1) / count - mean**2
    return mean / np.sqrt(np.maximum(variance, RESOLUTION * daily.var(axis=0)))


def _root(variance: float) -> float:
    return float(np.sqrt(variance)) if variance >= 0 else np.nan
