"""How sure a mean of daily numbers is: intervals that respect overlapping labels.

A label of h sessions shares h - 1 of them with the next day's, so daily RankICs of one horizon
move together and the textbook interval is too short. Here the variance of a mean is Newey and
West's (1987), over at least twice the overlap, because their triangular weights see little of the
dependence near the end of their reach. What a long reach costs in certainty is paid back: the
variance is freed of the bias that its own mean brings, and the critical value is Student's t with
the degrees of freedom that the weights leave (Lazarus, Lewis, Stock and Watson 2018); together they
come within a few percent of the limit of Kiefer and Vogelsang (2005).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gogooku.arrays.spread import RESOLUTION, varies
from gogooku.calendar import ENTRY_LAG, Entry

Series = NDArray[np.float64]

POWER = 0.8
SESSIONS = 245


@dataclass(frozen=True)
class Estimate:
    """A mean of daily numbers and what is known of its error; NaN where too few days say.

    error       standard error
    low, high   the interval
    days        days that have a number
    effective   independent days that would be as sure
    detectable  smallest true mean that a two-sided test finds four times in five
    """

    mean: float
    error: float = np.nan
    low: float = np.nan
    high: float = np.nan
    days: int = 0
    effective: float = np.nan
    detectable: float = np.nan


def lag_for(horizon: int, entry: Entry, days: int) -> int:
    """Lags to sum over: the larger of twice the label's reach and 1.3 √days.

    The reach is the horizon plus the sessions between decision and entry [sessions]; the second
    term is the rule of Lazarus et al. for dependence of unknown length.
    """
    reach = horizon + ENTRY_LAG[entry]
    return max(2 * reach, int(np.ceil(1.3 * np.sqrt(days))))


def long_run_variance(values: Series, lag: int) -> float:
    """Variance of √T times the mean of T dependent days: Newey–West, Bartlett weights.

    values (T,) finite, T > lag.
    """
    gap = values - values.mean()
    days = len(gap)
    shared = np.array([gap[k:] @ gap[: days - k] / days for k in range(lag + 1)])
    weights = 1 - np.arange(1, lag + 1) / (lag + 1)
    return float(shared[0] + 2 * weights @ shared[1:])


def mean_estimate(values: Series, lag: int, confidence: float = 0.95) -> Estimate:
    """Mean of `values` (T,), NaN days left out, with its interval.

    A lag beyond a third of the days is cut to it: further out a variance cannot be told from noise.
    """
    values = values[np.isfinite(values)]
    days = len(values)
    if days < 3 or not varies(values):
        return Estimate(float(values.mean()) if days else np.nan, days=days)
    lag = min(lag, days // 3 - 1)
    variance = long_run_variance(values, lag)
    error = float(np.sqrt(variance / (days - lag - 1)))
    freedom = min(days - 1.0, 1.5 * days / (lag + 1))
    critical = stats.t.ppf(0.5 + confidence / 2, freedom)
    mean = float(values.mean())
    return Estimate(
        mean=mean,
        error=error,
        low=float(mean - critical * error),
        high=float(mean + critical * error),
        days=days,
        effective=float(days * values.var() / variance),
        detectable=float((critical + stats.t.ppf(POWER, freedom)) * error),
    )


def estimate(values: Series, horizon: int, entry: Entry, confidence: float = 0.95) -> Estimate:
    """`mean_estimate` of a daily number (T,) about labels of `horizon` sessions."""
    days = int(np.isfinite(values).sum())
    return mean_estimate(values, lag_for(horizon, entry, days), confidence)


def icir(values: Series) -> float:
    """Mean of daily correlations over their standard deviation; per day, not annualised."""
    values = values[np.isfinite(values)]
    if len(values) < 3 or not varies(values):
        return np.nan
    return float(values.mean() / values.std(ddof=1))


def ratio(top: Series, bottom: Series, lag: int, confidence: float = 0.95) -> Estimate:
    """Mean of `top` over mean of `bottom`, on the days (T,) that have both, with its interval.

    Delta method: to first order the ratio errs as the mean of (top - ratio * bottom) / mean(bottom)
    does, so both are allowed to move together.
    """
    both = np.isfinite(top) & np.isfinite(bottom)
    top, bottom = top[both], bottom[both]
    if not both.any() or abs(bottom.mean()) <= RESOLUTION * np.abs(bottom).max():
        return Estimate(np.nan, days=int(both.sum()))
    value = top.mean() / bottom.mean()
    return mean_estimate(value + (top - value * bottom) / bottom.mean(), lag, confidence)


def sharpe(returns: Series, lag: int, confidence: float = 0.95) -> Estimate:
    """Annualised Sharpe ratio of daily `returns` (T,) with its interval, over 245 sessions.

    Delta method with Newey–West errors (Ledoit and Wolf 2008): with z the standardised returns and
    S their ratio, S errs as the mean of z - S (z² - 1) / 2 does. Skewed and fat-tailed days widen
    it, as they should.
    """
    returns = returns[np.isfinite(returns)]
    if len(returns) < 3 or not varies(returns):
        return Estimate(np.nan, days=len(returns))
    score = (returns - returns.mean()) / returns.std()
    value = returns.mean() / returns.std()
    daily = value + score - value * (score**2 - 1) / 2
    return mean_estimate(np.sqrt(SESSIONS) * daily, lag, confidence)
