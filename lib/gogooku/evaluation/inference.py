"""How sure a mean of daily numbers is: intervals that respect overlapping labels.

A label of h sessions shares h - 1 of them with the next day's, so daily RankICs of one horizon
move together and the textbook interval is too short. Here the variance of a mean comes from the
slowest movements of the series alone, which is what a mean errs by: the mean square of its first B
cosine coefficients, of which each is nearly independent of the others whatever the dependence of
days, so that the critical value is Student's t with B degrees of freedom (Müller 2004; Lazarus,
Lewis, Stock and Watson 2018, the "equal-weighted cosine" estimator). B grows with the number of
days as they propose and stays below a third of the label-lengths that the days hold: a wave as
short as a label's reach is no slow movement. `benchmarks/intervals.py` counts how often the
intervals hold the truth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, special

from gogooku.arrays.spread import RESOLUTION, varies
from gogooku.calendar import ENTRY_LAG, Entry

Series = NDArray[np.float64]

POWER = 0.8
SESSIONS = 245
FEWEST_REACHES = 10
"""Label-lengths that the days must hold for an interval: with fewer none is honest."""
FEWEST_WAVES = 4


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


def reach(horizon: int, entry: Entry) -> int:
    """Sessions that a label of `horizon` covers, those between decision and entry among them."""
    return horizon + ENTRY_LAG[entry]


def waves(days: int, reach: int) -> int:
    """Cosines that the variance of a mean of `days` is taken from; 0 if the days are too few."""
    if days < max(FEWEST_REACHES * reach, 2 * FEWEST_WAVES):
        return 0
    return max(FEWEST_WAVES, min(int(0.4 * days ** (2 / 3)), days // (3 * reach)))


def long_run_variance(values: Series, waves: int) -> float:
    """Variance of √T times the mean of T dependent days, by equal weights on `waves` cosines.

    values (T,) finite, T > waves.
    """
    coefficients = fft.dct(values - values.mean(), norm="ortho")[1 : waves + 1]
    return float(np.mean(coefficients**2))


def mean_estimate(values: Series, reach: int, confidence: float = 0.95) -> Estimate:
    """Mean of `values` (T,), NaN days left out, with its interval.

    reach   sessions that one day's number covers; fewer days than FEWEST_REACHES times as many
            give no interval
    """
    values = values[np.isfinite(values)]
    days = len(values)
    count = waves(days, reach)
    if not count or not varies(values):
        return Estimate(float(values.mean()) if days else np.nan, days=days)
    variance = long_run_variance(values, count)
    error = float(np.sqrt(variance / days))
    critical = float(special.stdtrit(count, 0.5 + confidence / 2))
    mean = float(values.mean())
    return Estimate(
        mean=mean,
        error=error,
        low=float(mean - critical * error),
        high=float(mean + critical * error),
        days=days,
        effective=float(days * values.var() / variance),
        detectable=float((critical + special.stdtrit(count, POWER)) * error),
    )


def estimate(values: Series, horizon: int, entry: Entry, confidence: float = 0.95) -> Estimate:
    """`mean_estimate` of a daily number (T,) about labels of `horizon` sessions."""
    return mean_estimate(values, reach(horizon, entry), confidence)


def p_value(known: Estimate, reach: int) -> float:
    """Two-sided p-value that a mean with this estimate is 0; NaN where it has no interval.

    reach   with which the estimate was made
    """
    count = waves(known.days, reach)
    if not count or not known.error > 0:
        return np.nan
    return float(2 * special.stdtr(count, -abs(known.mean / known.error)))


def icir(values: Series) -> float:
    """Mean of daily correlations over their standard deviation; per day, not annualised."""
    values = values[np.isfinite(values)]
    if len(values) < 3 or not varies(values):
        return np.nan
    return float(values.mean() / values.std(ddof=1))


def ratio(top: Series, bottom: Series, reach: int, confidence: float = 0.95) -> Estimate:
    """Mean of `top` over mean of `bottom`, on the days (T,) that have both, with its interval.

    Delta method: to first order the ratio errs as the mean of (top - ratio * bottom) / mean(bottom)
    does, so both are allowed to move together.
    """
    both = np.isfinite(top) & np.isfinite(bottom)
    top, bottom = top[both], bottom[both]
    if not both.any() or abs(bottom.mean()) <= RESOLUTION * np.abs(bottom).max():
        return Estimate(np.nan, days=int(both.sum()))
    value = top.mean() / bottom.mean()
    return mean_estimate(value + (top - value * bottom) / bottom.mean(), reach, confidence)


def sharpe(returns: Series, reach: int, confidence: float = 0.95) -> Estimate:
    """Annualised Sharpe ratio of daily `returns` (T,) with its interval, over 245 sessions.

    Delta method (Ledoit and Wolf 2008): with z the standardised returns and
    S their ratio, S errs as the mean of z - S (z² - 1) / 2 does. Skewed and fat-tailed days widen
    it, as they should. Returns that are 0 but for rounding have none.
    """
    returns = returns[np.isfinite(returns)]
    if len(returns) < 3 or not varies(returns) or np.abs(returns).max() < RESOLUTION:
        return Estimate(np.nan, days=len(returns))
    score = (returns - returns.mean()) / returns.std()
    value = returns.mean() / returns.std()
    daily = value + score - value * (score**2 - 1) / 2
    return mean_estimate(np.sqrt(SESSIONS) * daily, reach, confidence)
