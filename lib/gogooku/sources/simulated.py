"""A simulated exchange with the fields, traps and calendar of the vendor, and with a known truth.

The noise is described in market_prices.py, the planted parts of expected return and their exact
expectations in market_signals.py, the filings in market_filings.py. Everything is drawn at once for
all days from streams of random numbers that are named after what they are used for: switching a
part off changes no other draw.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from gogooku import run
from gogooku.sources import (
    market_aggregates,
    market_filings,
    market_listings,
    market_prices,
    market_signals,
    market_summary,
)

WARM_UP = dt.timedelta(days=450)
BUSY = 0.5  # amplitude of the planted cycle in log volume


@dataclass(frozen=True)
class Market:
    """Everything that the simulated exchange publishes, and what nobody there can know.

    tables  rows per data set of sources/schema.py
    truth   date, code, part (reversal | drift | lead_lag | cycle | total), expected_1d, _5d, _10d,
            _20d: the return expected, at the close of `date`, from the close of the next session to
            the close 1, 5, 10, 20 sessions later, beside the drift common to all stocks
    """

    tables: dict[str, pl.DataFrame]
    truth: pl.DataFrame


def simulate(
    *, seed: int, start: dt.date, end: dt.date, stocks: int, parts: Mapping[str, float]
) -> Market:
    """Simulate the exchange from `start` to `end`.

    seed    of all random draws; the same seed gives the same bits
    stocks  common stocks listed at one time, about
    parts   strength of each part of expected return: standard deviation across stocks of the
            return expected, at a close, for one session from the next close on; mean over all
            sessions [bp]; 0 is exactly off. A part that is not named is off.

    Raises UserError if the time holds too few sessions or a part is unknown.
    """
    _check(parts)
    days = market_aggregates.sessions(start - WARM_UP, end)
    first = int(np.searchsorted(days, np.datetime64(start)))
    if len(days) - first < 70:
        raise run.UserError(
            f"market.start {start} and market.end {end} are too close: give the simulated exchange "
            f"70 sessions at least"
        )
    listings = market_listings.draw(_stream(seed, "listings"), days, first, stocks)
    events = market_filings.draw(_stream(seed, "filings"), listings)
    noise = market_prices.draw_noise(_stream(seed, "noise"), listings)
    surprise = market_filings.surprises(events, listings)
    phase, step = market_signals.draw_phases(_stream(seed, "phases"), *listings.listed.shape)
    planted = {
        "reversal": market_signals.reversal(noise.own),
        "drift": market_signals.drift(surprise[0]),
        "lead_lag": market_signals.lead_lag(noise.own, listings),
        "cycle": market_signals.cycle(phase, step),
    }
    strength = _scales(planted, parts, listings)
    expected = sum(strength[part] * market_signals.accrue(planted[part]) for part in planted)
    bars = market_prices.trade(
        _stream(seed, "trading"), listings, noise, expected, surprise, BUSY * np.sin(phase)
    )
    tables = _tables(seed, listings, events, bars)
    tables["calendar"] = market_aggregates.calendar(days, start, end)
    return Market(tables, _truth(planted, strength, listings))


def _check(parts):
    for name in parts:
        if name not in market_signals.PARTS:
            raise run.UserError(
                f"market.parts has no part {name!r}; choose among {', '.join(market_signals.PARTS)}"
            )


def _stream(seed, name):
    return np.random.default_rng([seed, *name.encode()])


def _scales(planted, parts, listings):
    counted = listings.listed & listings.common
    counted[: listings.first] = False
    return {
        part: market_signals.scale(ahead, counted, parts.get(part, 0) / 1e4)
        for part, ahead in planted.items()
    }


def _tables(seed, listings, events, bars):
    traded = market_prices.table(listings, bars)
    issues = market_listings.master(listings)
    return {
        "master": issues,
        "bars": traded,
        "topix": market_aggregates.topix(_stream(seed, "topix"), listings, bars),
        "summary": market_summary.table(_stream(seed, "summary"), events, listings),
        "investor_types": market_aggregates.investor_types(_stream(seed, "flows"), traded, issues),
    }


def _truth(planted, strength, listings):
    """Rows of all parts and their total, by day, code and part."""
    session, issue = listings.served()
    kept = listings.common[issue]
    at = session[kept], issue[kept]
    found = np.stack([
        [strength[part] * horizon[at] for horizon in market_signals.over_horizons(ahead)]
        for part, ahead in planted.items()
    ])  # fmt: skip
    found = np.concatenate([found, found.sum(axis=0, keepdims=True)])
    names = [*planted, "total"]
    columns = {
        f"expected_{h}d": found[:, k].T.ravel() for k, h in enumerate(market_signals.HORIZONS)
    }
    return pl.DataFrame({
        "date": np.repeat(listings.days[at[0]], len(names)),
        "code": pl.Series(np.repeat(at[1], len(names))).cast(pl.UInt32),
        "part": pl.Series(names * len(at[0])),
        **columns,
    }).with_columns(code=pl.lit(pl.Series(listings.codes)).gather(pl.col("code")))  # fmt: skip
