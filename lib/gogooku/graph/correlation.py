"""Correlation graphs: who moves with whom, from the returns up to a day.

A day's graph depends on that day's window alone. Products are summed in one fixed order without a
numerical library, so a graph has the same bits on any number of threads.
"""

import datetime as dt

import numpy as np
import polars as pl

from gogooku.arrays.jit import kernel
from gogooku.panel.panel import Panel

TILE = 256  # sources at a time: with 60 sessions of float64 they fit a core's cache
UNROLL = 4

SCHEMA = {"date": pl.Date, "source": pl.String, "target": pl.String, "weight": pl.Float32}


def edges(
    panel: Panel,
    first: dt.date,
    *,
    window: int,
    half_life: float,
    shrinkage: float,
    neighbours: int,
    min_correlation: float,
    min_observations: int,
) -> pl.DataFrame:
    """Link every universe member of each day from `first` on to those it has moved with.

    panel              the days and window + 1 sessions before them
    window             sessions of log returns, the day's own the last
    half_life          of the weights of older sessions [sessions]
    shrinkage          of every correlation towards 0 [share]
    neighbours         per stock at most, by absolute correlation; of equals the lower code
    min_correlation    weaker edges are left out (after shrinkage)
    min_observations   returns in the window; a stock with fewer has no edges

    Returns date, source, target, weight [signed correlation], by date, target, strongest first:
    `source` is a neighbour of `target`.

    Returns are demeaned over the sessions on which a stock has one; a missing one then counts as
    average, so a correlation with gaps is drawn towards 0 and never leaves [−1, 1].
    """
    returns = np.full(panel.shape, np.nan)
    returns[1:] = np.log(panel["close"][1:] / panel["close"][:-1])
    days = [pl.DataFrame(schema=SCHEMA)]
    for day in range(panel.row(first), len(panel.dates)):
        recent = returns[max(0, day - window + 1) : day + 1]
        members, scores = _standardised(recent, panel["universe"][day], half_life, min_observations)
        padded = np.pad(scores, ((0, -len(scores) % UNROLL), (0, 0)))
        floor = np.float32(min_correlation)
        partners = _strongest(np.ascontiguousarray(padded), neighbours, 1 - shrinkage, floor)
        days.append(_rows(panel.dates[day], panel.codes[members], *partners))
    return pl.concat(days)


def _standardised(
    returns: np.ndarray, universe: np.ndarray, half_life: float, min_observations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give the members with enough returns and their columns of weighted norm 1, (W, M)."""
    known = np.isfinite(returns)
    members = np.flatnonzero(universe & (known.sum(axis=0) >= min_observations))
    known, recent = known[:, members], np.where(known, returns, 0.0)[:, members]
    weight = 0.5 ** (np.arange(len(returns))[::-1, None] / half_life)
    mean = (weight * recent).sum(axis=0) / (weight * known).sum(axis=0)
    scores = np.where(known, np.sqrt(weight) * (recent - mean), 0.0)
    norm = np.sqrt((scores**2).sum(axis=0))
    # Prices that never moved leave a rounding error, not a direction.
    moved = norm > 1e-9
    return members[moved], scores[:, moved] / norm[moved]


@kernel
def _strongest(scores, neighbours, share, floor):
    """Give each column's strongest partners (M, K), −1 for none, and their weights float32.

    Each pair is correlated once, two targets at a time; a stock meets the others in order.
    """
    size = scores.shape[1]
    partner = np.full((size, neighbours), -1, np.int32)
    weight = np.zeros((size, neighbours), np.float32)
    weakest = np.full(size, np.nextafter(floor, np.float32(-1)), np.float32)
    product = np.empty((2, TILE))
    for start in range(0, size, TILE):
        tile = scores[:, start : start + TILE].copy()
        for first in range(0, min(start + TILE, size), 2):
            second = min(first + 1, size - 1)
            _products(scores, first, second, tile, product)
            for target in range(first, second + 1):
                for column in range(max(target + 1 - start, 0), tile.shape[1]):
                    correlation = np.float32(share * product[target - first, column])
                    source, strength = start + column, abs(correlation)
                    if strength > weakest[target]:
                        _insert(partner, weight, weakest, target, source, correlation)
                    if strength > weakest[source]:
                        _insert(partner, weight, weakest, source, target, correlation)
    return partner, weight


@kernel
def _insert(partner, weight, weakest, target, source, correlation):
    """Put a partner where it belongs by strength, behind its equals; the last one drops out."""
    partners, weights = partner[target], weight[target]
    slot = len(weights) - 1
    while slot > 0 and (partners[slot - 1] < 0 or abs(weights[slot - 1]) < abs(correlation)):
        weights[slot], partners[slot] = weights[slot - 1], partners[slot - 1]
        slot -= 1
    weights[slot], partners[slot] = correlation, source
    if partners[-1] >= 0:
        weakest[target] = abs(weights[-1])


@kernel
def _products(scores, first, second, tile, product):
    """Multiply two columns with each column of `tile`, four rows at a time, in row order."""
    product[:] = 0.0
    for row in range(0, scores.shape[0], UNROLL):
        a, b = scores[row, first], scores[row + 1, first]
        c, d = scores[row + 2, first], scores[row + 3, first]
        e, f = scores[row, second], scores[row + 1, second]
        g, h = scores[row + 2, second], scores[row + 3, second]
        for column in range(tile.shape[1]):
            w, x = tile[row, column], tile[row + 1, column]
            y, z = tile[row + 2, column], tile[row + 3, column]
            product[0, column] = product[0, column] + a * w + b * x + c * y + d * z
            product[1, column] = product[1, column] + e * w + f * x + g * y + h * z


def _rows(
    day: np.datetime64, codes: np.ndarray, partner: np.ndarray, weight: np.ndarray
) -> pl.DataFrame:
    names = pl.Series(codes, dtype=pl.String)
    target, column = np.nonzero(partner >= 0)
    columns = {
        "date": np.full(len(target), day),
        "source": names.gather(partner[target, column]),
        "target": names.gather(target),
        "weight": weight[target, column],
    }
    return pl.DataFrame(columns, schema=SCHEMA)
