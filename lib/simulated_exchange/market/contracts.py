"""Derivatives on the simulated indices: which contracts live when, and what they are worth.

Prices are Black and Scholes's (1973) on the index itself, without dividends, at an implied
volatility that has a level and a skew. The level follows the index's own moving volatility; both
rise with a fear of the market that is drawn apart, and of which puts, the skew and the level all
tell. The fear is what the planted part `option` knows.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from simulated_exchange.market.indices import Path
from simulated_exchange.market.listings import Days, Floats, Ints
from simulated_exchange.market.signals import FEAR

YEAR = 245  # sessions
USUAL = 0.175  # volatility in the long run, a year
MEMORY, REVERSION = 0.94, 6.0  # of the moving volatility a session, and its return a year
PREMIUM, ALARM = 1.08, 0.12  # implied over moving volatility, and its rise by a unit of fear
SKEW, WORRY, SMILE = 0.6, 0.2, 0.8  # slope, its growth by a unit of fear, and curvature
RATES = {  # policy rate [fraction a year]
    "0001-01-01": 0.0005, "2024-03-19": 0.001, "2024-07-31": 0.0025, "2025-01-24": 0.005,
}  # fmt: skip
EMERGENCY = 0.04  # move of the index that brings an emergency margin call


@dataclass(frozen=True)
class Underlying:
    """An index with what its options need, (T,) each.

    before   close of the session before [points]; rate  [fraction a year]; fear  of unit variance
    moving   variance of the moving volatility, a year
    """

    days: Days
    path: Path
    before: Floats
    rate: Floats
    fear: Floats
    moving: Floats


@dataclass(frozen=True)
class Contract:
    """A contract month: name, special quotation day, last session and the sessions of its life."""

    month: str
    number: int
    quotation: np.datetime64
    last: np.datetime64
    sessions: Ints


def draw_fear(rng: np.random.Generator, sessions: int) -> Floats:
    """(T,) fear of the market: unit variance, persistent."""
    moves = rng.standard_normal(sessions)
    moves[1:] *= np.sqrt(1 - FEAR**2)
    for session in range(1, sessions):
        moves[session] += FEAR * moves[session - 1]
    return moves


def underlying(days: Days, path: Path, fear: Floats) -> Underlying:
    """Add to an index what prices of options need."""
    before = np.append(path.open[:1], path.close[:-1])
    moving = np.empty(len(days))
    last = USUAL**2
    for session, move in enumerate(path.close / before - 1):
        last = moving[session] = MEMORY * last + (1 - MEMORY) * YEAR * move**2
    starts = np.array(list(RATES), "datetime64[D]")
    rate = np.array(list(RATES.values()))[np.searchsorted(starts, days, side="right") - 1]
    return Underlying(days, path, before, rate, fear, moving)


def emergencies(index: Underlying, first: int) -> Ints:
    """Sessions of large moves from `first` on; the largest move is one in any case."""
    moves = np.abs(index.path.close / index.before - 1)
    moves[:first] = 0
    return np.flatnonzero((moves > EMERGENCY) | (moves == moves.max()))


def contracts(days: Days, timeline: Days, months: int, lives: dict[int, int]) -> list[Contract]:
    """List the contracts that live in `days`, the first sessions of `timeline`.

    months   contract months are multiples of it
    lives    sessions of a contract's life by the step of its month: a month that is a multiple of
             several steps lives as long as the longest
    """
    first, last = days[[0, -1]].astype("datetime64[M]").astype(np.int64)
    contracts = []
    for month in range(first, last + 16):
        steps = [step for step in lives if (month + 1) % step == 0]
        if (month + 1) % months == 0 and steps:
            contract = _contract(days, timeline, month, max(lives[step] for step in steps))
            if contract is not None:
                contracts.append(contract)
    return contracts


def _contract(days, timeline, month, life):
    """A contract ends on the session before the second Friday, or before that if it is closed."""
    friday = np.datetime64(month, "M").astype("datetime64[D]")
    friday += (1 - friday.astype(np.int64)) % 7 + 7
    place = int(np.searchsorted(timeline, friday, side="right")) - 1
    if place < 1 or place >= len(timeline) - 1:
        return None
    sessions = np.arange(max(int(place) - life, 0), min(int(place), len(days)))
    if not len(sessions):
        return None
    return Contract(str(np.datetime64(month, "M")), month - 360, timeline[place],
                    timeline[place - 1], sessions)  # fmt: skip


def maturity(index: Underlying, contract: Contract) -> Floats:
    """Years (m,) from each session of a contract's life to its quotation."""
    left = contract.quotation - index.days[contract.sessions]
    return left.astype(np.float64) / 365


def level(index: Underlying, sessions: Ints, years: Floats) -> Floats:
    """(m,) implied volatility at the money: between the moving one and the usual one."""
    pull = REVERSION * years
    variance = USUAL**2 + (index.moving[sessions] - USUAL**2) * -np.expm1(-pull) / pull
    return PREMIUM * np.sqrt(variance) * np.exp(ALARM * index.fear[sessions] * np.exp(-years))


def implied(index: Underlying, sessions: Ints, years: Floats, strikes: Floats) -> Floats:
    """(m, K) implied volatility at each strike: low strikes cost more, by fear and by distance."""
    years, fear = years[:, None], index.fear[sessions, None]
    forward = index.path.close[sessions, None] * np.exp(index.rate[sessions, None] * years)
    far = np.clip(np.log(strikes / forward) / np.sqrt(np.maximum(years, 0.02)), -0.6, 0.6)
    factor = 1 - (SKEW + WORRY * fear) * far + SMILE * far**2
    return level(index, sessions, years[:, 0])[:, None] * np.maximum(factor, 0.4)


def price(
    spot: Floats, strikes: Floats, years: Floats, rate: Floats, volatility: Floats, call: bool
) -> Floats:
    """Value [points] of European options without dividends.

    Source: Black and Scholes (1973), The Pricing of Options and Corporate Liabilities.
    """
    width = volatility * np.sqrt(years)
    upper = (np.log(spot / strikes) + rate * years) / width + width / 2
    paid = strikes * np.exp(-rate * years)
    sign = 1.0 if call else -1.0
    return sign * (spot * ndtr(sign * upper) - paid * ndtr(sign * (upper - width)))
