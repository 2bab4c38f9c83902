"""Noise, prices and volumes of the simulated exchange.

The return of a session has an overnight part, which is noise, and an intraday part, which is noise
plus the drift common to all plus the expected return of the planted parts:

    overnight = lever x (market + sector + cluster + own), 35 % of the variance, + news + jump
    intraday  = lever x (market + sector + cluster + own), 65 % of the variance, + news + jump
                + DRIFT + expected

All noise has mean zero and a symmetric distribution (Student t with 6 degrees of freedom times a
volatility that is itself an autoregression of its logarithm), and simple returns are compounded, so
that no stock is expected to beat another, however volatile it is. `lever` is a slow average of the
price over the price: volatility rises as a price falls, and over a month price changes all but add
up, so that volatility says nothing about the median of later returns either. Without it compounding
would lower the median of volatile stocks, and ranks would be predictable where returns are not.

A price that the daily limit holds back goes on from where it would have been.
"""

from dataclasses import dataclass

import numpy as np
from gogooku.panel import price_limits

from simulated_exchange.market.listings import Flags, Floats, Listings

MARKET, SECTOR, RESIDUAL = 0.0105, 0.006, 0.016  # standard deviations of a session's return
CLUSTERED = 0.5  # share of a stock's residual variance that its cluster has in common
NIGHT = 0.35  # share of the variance that falls between sessions
DRIFT = 0.00025  # of all stocks, a session
NEWS = 0.025  # return per unit of a filing's surprise
JUMPS, JUMP = 0.002, 0.12  # how often a stock jumps for no reason, and how far
FREEDOM = 6
CALM, SWINGS = 0.97, 0.35  # persistence and sd of log volatility
SLOW = 1 / 120  # weight of the newest price in the slow average
OUTAGE = np.datetime64("2020-10-01")


@dataclass(frozen=True)
class Noise:
    """Returns without drift, (T, N) each.

    night, day   noise between and during sessions; own  own shocks of unit variance
    sector       (T, sectors) shocks of unit variance that sectors have in common
    spread       (N,) standard deviation of the day's noise; beta  (N,) share in the market's shocks
    """

    night: Floats
    day: Floats
    own: Floats
    sector: Floats
    spread: Floats
    beta: Floats


@dataclass(frozen=True)
class Bars:
    """Raw bars, (T, N) each: prices [JPY], volume [shares], value [JPY]; NaN without a trade.

    fair_open and fair_close are the prices [JPY] before rounding and limits, never absent.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    value: Floats
    upper: Flags
    lower: Flags
    fair_open: Floats
    fair_close: Floats


def draw_noise(rng: np.random.Generator, listings: Listings) -> Noise:
    """Draw the returns that nothing predicts, news of filings left out."""
    sessions, issues = listings.listed.shape
    beta = rng.normal(1, 0.2, (issues,))
    residual = RESIDUAL * np.exp(rng.normal(0, 0.2, issues))
    clustered = np.where(listings.cluster >= 0, CLUSTERED, 0.0)
    loads = [
        (np.zeros(issues, np.int64), MARKET * beta),
        (listings.sector, np.full(issues, SECTOR)),
        (listings.cluster.clip(min=0), residual * np.sqrt(clustered)),
        (np.arange(issues), residual * np.sqrt(1 - clustered)),
    ]
    night, day = np.zeros((2, sessions, issues))
    common = []
    for group, size in loads:
        shocks = _shocks(rng, sessions, group.max() + 1)
        volatility = _volatility(rng, sessions, group.max() + 1)[:, group] * size
        night += np.sqrt(NIGHT) * (volatility * shocks[0][:, group])
        day += np.sqrt(1 - NIGHT) * (volatility * shocks[1][:, group])
        common.append(np.sqrt(NIGHT) * shocks[0] + np.sqrt(1 - NIGHT) * shocks[1])
    spread = np.sqrt((1 - NIGHT) * sum(size**2 for _, size in loads))
    _, sector, _, own = common
    return Noise(night, day, own, sector, spread, beta)


def _shocks(rng, sessions, count):
    """(2, sessions, count) shocks of unit variance, night and day."""
    return rng.standard_t(FREEDOM, (2, sessions, count)) / np.sqrt(FREEDOM / (FREEDOM - 2))


def _volatility(rng, sessions, count):
    """(sessions, count) volatility that clusters in time, mean square one."""
    moves = rng.normal(0, SWINGS, (sessions, count))
    moves[1:] *= np.sqrt(1 - CALM**2)
    for session in range(1, sessions):
        moves[session] += CALM * moves[session - 1]
    return np.exp(moves - SWINGS**2)


def trade(
    rng: np.random.Generator,
    listings: Listings,
    noise: Noise,
    expected: Floats,
    surprise: tuple[Floats, Floats],
    busy: Floats,
    premium: float,
) -> Bars:
    """Let the exchange trade.

    expected  (T, N) expected return of the session beside the common drift
    surprise  (T, N) of all filings that the session's close is first to know, and of those
              published before its opening
    busy      (T, N) planted part of log volume
    premium   expected return of the session per standard deviation of smallness at the last close
    """
    sudden = _jumps(rng, listings.listed.shape)
    news, early = surprise
    night = NEWS * early + sudden[0]
    day = NEWS * (news - early) + sudden[1] + DRIFT + expected
    fair_open, fair_close, spread = _fair(listings, noise, night, day, premium)
    traded = _traded(rng, listings)
    wanted = np.stack([fair_open, *_extremes(rng, fair_open, fair_close, spread), fair_close])
    prices, upper, lower = _quote(listings, wanted, traded)
    volume = _volume(rng, listings, fair_open, fair_close, noise.spread, busy)
    volume = np.where(traded, volume, np.nan)
    share = rng.uniform(0.3, 0.7, volume.shape)
    value = np.round(volume * (prices[2] + share * (prices[1] - prices[2])))
    start, high, low, close = prices
    return Bars(start, high, low, close, volume, value, upper, lower, fair_open, fair_close)


def _jumps(rng, shape):
    """(2, T, N) sudden moves, at night and by day."""
    happens = rng.random((2, *shape)) < JUMPS / 2
    return np.where(happens, rng.normal(0, JUMP, (2, *shape)), 0.0)


def smallness(listings: Listings, price: Floats, session: int | slice) -> Floats:
    """How many standard deviations a company's log market value lies below the mean of all.

    price    (..., N) of the close of the session, or of all of them [JPY]

    Zero for what is not listed or no common stock.
    """
    counted = listings.listed[session] & listings.common
    value = np.where(counted, np.log(price * listings.shares[session]), np.nan)
    mean, spread = (part(value, axis=-1, keepdims=True) for part in (np.nanmean, np.nanstd))
    return np.nan_to_num((mean - value) / spread)


def _fair(listings, noise, night, day, premium):
    """Prices (T, N) before rounding and limits, and the day's volatility."""
    opens, closes, spread = np.empty((3, *night.shape))
    price = slow = listings.price
    for session, factor in enumerate(listings.factor):
        lever = np.clip(slow / price, 0.5, 2.0)
        spread[session] = lever * noise.spread
        opens[session] = (
            price * factor * (1 + _bounded(lever * noise.night[session] + night[session]))
        )
        drift = day[session]
        if premium and session:
            drift = drift + premium * smallness(listings, price, session - 1)
        price = opens[session] * (1 + _bounded(lever * noise.day[session] + drift))
        closes[session] = price
        slow = slow * factor + SLOW * (price - slow * factor)
    return opens, closes, spread


def _bounded(change):
    return np.clip(change, -0.5, 0.5)


def _extremes(rng, start, end, spread):
    """Highest and lowest point of a Brownian bridge from `start` to `end`.

    Source: distribution of the bridge's maximum, Karatzas and Shreve (1991), 4.3.40.
    """
    chance = -2 * np.log(rng.random((2, *start.shape)))
    reach = np.sqrt((end - start) ** 2 + (0.8 * spread * start) ** 2 * chance)
    middle, tiny = (start + end) / 2, 0.5 * start
    return middle + reach[0] / 2, np.maximum(middle - reach[1] / 2, tiny)


def _traded(rng, listings):
    """(T, N) whether the stock trades: rarely on the professional market, never in the outage."""
    issues = len(listings.codes)
    absent = np.where(rng.random(issues) < 0.06, rng.uniform(0.02, 0.3, issues), 0.0005)
    absent[listings.segment == "0105"] = 0.97
    traded = rng.random(listings.listed.shape) >= absent
    traded[listings.days == OUTAGE] = False
    return traded & listings.listed


def _quote(listings, wanted, traded):
    """Round prices (4, T, N) and keep them within the daily limits around the last close.

    The first trade of all has no limit. Returns prices, NaN where nothing is traded, and whether
    the upper and the lower limit was touched.
    """
    prices = np.full(wanted.shape, np.nan)
    upper, lower = np.zeros((2, *traded.shape), bool)
    base = np.full(traded.shape[1], np.nan)
    rounded = _ordered(_to_tick(wanted, np.round))
    for session, now in enumerate(traded):
        base = base * listings.factor[session]
        top, bottom = _bounds(base)
        quotes = np.clip(rounded[:, session], bottom, top)
        prices[:, session, now] = quotes[:, now]
        upper[session] = now & (quotes[1] >= top)
        lower[session] = now & (quotes[2] <= bottom)
        base = np.where(now, quotes[3], base)
    return prices, upper, lower


def _bounds(base):
    """Highest and lowest price of a session after a close at `base`; none without a base."""
    limit = price_limits.daily_limit(base)
    top = _to_tick(base + limit, np.floor)
    bottom = np.maximum(_to_tick(base - limit, np.ceil), price_limits.tick_size(base))
    return np.where(np.isnan(base), np.inf, top), np.where(np.isnan(base), 0.0, bottom)


def _to_tick(price, rounding):
    tick = price_limits.tick_size(price)
    # Steps of a tenth leave dust behind the last digit.
    return np.round(np.maximum(rounding(np.round(price / tick, 6)), 1) * tick, 1)


def _ordered(prices):
    start, high, low, end = prices
    top, bottom = np.maximum(start, end), np.minimum(start, end)
    return np.stack([start, np.maximum(high, top), np.minimum(low, bottom), end])


def _volume(rng, listings, fair_open, fair_close, spread, busy):
    """Shares traded (T, N): turnover follows the size of the day's move and its own slow noise."""
    shape = fair_open.shape
    usual = rng.normal(np.log(0.003), 0.4, shape[1])
    restless = 0.3 * _slow_noise(rng, shape) + 0.25 * rng.normal(size=shape)
    move = np.abs(fair_close / fair_open - 1) / spread
    turnover = np.exp(usual + restless + 0.2 * np.minimum(move, 5) + busy)
    return np.maximum(np.round(turnover * listings.shares / 100), 1) * 100


def _slow_noise(rng, shape):
    noise = rng.normal(size=shape)
    for session in range(1, shape[0]):
        noise[session] = 0.8 * noise[session - 1] + 0.6 * noise[session]
    return noise
