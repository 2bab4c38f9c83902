"""What options on the Nikkei 225 expect: the same value for every stock of a day.

A day takes the newest chain that was public at its decision, if it is of that session or the one
before: a chain is served in the night after its session, so a close sees the one of the session
before. Each contract counts once, by its row of normal settlement, if it was known by then.

Volumes and open interest are of all contracts. An IV that is not positive is missing, and IVs count
from a week before expiry. τ is the time to the special quotation in years of 365 days, F = the
underlying × e^(rate × τ), dividends neglected. At the money is the strike nearest to F, at most
5 % away, with the mean of its put's and call's IV. Between expiries total variance IV² τ is linear
in τ, from 0 at τ = 0; beyond the last it is unknown. Windows count sessions.
"""

import math
from functools import partial
from math import nan

import numpy as np
import polars as pl
from scipy.special import ndtr

from gogooku.arrays import time_series
from gogooku.arrays.time_series import Array, enough, excess, ratio
from gogooku.calendar import Days
from gogooku.features.balances import session_of
from gogooku.features.column import Column
from gogooku.features.inputs import Inputs

Chain = dict[str, np.ndarray]

YEAR = 245  # sessions
FAST, SLOW = 5, 20  # sessions of momentum
MONTH, SEASON = 30 / 365, 60 / 365  # years
WEEK = 7 / 365  # years
NEAR_MONEY = 0.05  # distance of the nearest strike from F, in logs
DELTA, WIDEST = 0.25, 0.10  # sought, and how far from it the nearest strike's may be
DECILE = 10

EMERGENCY, PUT, CALL = "001", "1", "2"

BLACK = "Black (1976), Journal of Financial Economics 3"
CBOE = "CBOE volatility index: total variance between expiries"
SOURCE = "J-Quants options/225"
_column = partial(
    Column, kind="market", look_back=1, min_obs=1, source=SOURCE, inputs=("options_225",)
)
_trend = partial(_column, look_back=SLOW + 1, min_obs=enough(SLOW))

COLUMNS = [
    _column("put_call_ratio", unit="ratio", definition="volume of puts / that of calls"),
    _column("iv_skew", unit="per √year", source=BLACK, definition="IV of the put less IV of the "
            "call whose Black-76 deltas are nearest to ∓0.25 (within 0.10), out of the money, "
            "mean of the nearest two expiries that have both"),
    _column("oi_call_put_imbalance", unit="−1…1",
            definition="(calls − puts) / (calls + puts), open interest"),
    _column("avg_iv", unit="per √year", source=CBOE, definition="IV at the money in 30 days"),
    _column("iv_dispersion", unit="per √year",
            definition="sd of the IVs of contracts traded, nearest two expiries, divisor n"),
    _column("term_structure_slope", unit="per √year", source=CBOE,
            definition="IV at the money in 60 days less that in 30"),
    _column("smart_money_indicator", unit="−1…1", definition="(puts − calls) / (puts + calls), "
            "volume of the tenth of the traded contracts with most of it, ties included"),
    _column("iv_percentile_rank", unit="0–1", look_back=YEAR, min_obs=enough(YEAR),
            definition="share of 245 sessions with a lower avg_iv, ties half"),
    _trend("option_flow_momentum", unit="1", definition="(calls − puts) / (calls + puts), value "
           "traded, mean of 5 sessions less mean of 20"),
    _trend("pcr_momentum", unit="share",
           definition="put_call_ratio, mean of 5 sessions / mean of 20 − 1"),
]  # fmt: skip

PREMIUM = "premium"  # the balance of value traded, of which a momentum is made


def compute(inputs: Inputs) -> dict[str, np.ndarray]:
    """Make the family's columns, name → (T,) float32; NaN where nothing was known.

    options_225   chains of those sessions, with `known_at`; may be empty
    """
    dates = inputs.panel.dates
    without = "no chain of options is known: all columns of option are null"
    names = [*(column.name for column in COLUMNS), PREMIUM]
    columns = {name: np.full(len(dates), np.nan) for name in names}
    for session, chain in _chains(dates, inputs.rows("options_225", without), inputs.moments):
        for name, value in measures(chain).items():
            columns[name][session] = value
    premium, puts = columns.pop(PREMIUM), columns["put_call_ratio"]
    columns["iv_percentile_rank"] = _percentile(columns["avg_iv"])
    columns["option_flow_momentum"] = _mean(premium, FAST) - _mean(premium, SLOW)
    columns["pcr_momentum"] = excess(_mean(puts, FAST), _mean(puts, SLOW))
    return {name: time_series.known(values, np.float32) for name, values in columns.items()}


def _chains(dates: Days, rows: pl.DataFrame, moments: Days) -> list[tuple[int, Chain]]:
    """Give each session's chain as it was known at its decision, sorted by contract."""
    known_at = rows["known_at"].dt.replace_time_zone(None).to_numpy()
    first, last = pl.Series(np.searchsorted(moments, known_at)), session_of(rows["Date"], dates)
    rows = rows.with_columns(first=first, last=last)
    rows = rows.filter(pl.col("EmMrgnTrgDiv") != EMERGENCY, pl.col("PCDiv").is_in([PUT, CALL]))
    # A chain can count on the last session up to its day and on the one after.
    shown = pl.concat([rows.with_columns(session=pl.col("last") + later) for later in (0, 1)])
    earliest = pl.max_horizontal("first", 1)
    shown = shown.filter(pl.col("session").is_between(earliest, len(dates) - 1))
    shown = shown.filter(pl.col("Date") == pl.col("Date").max().over("session"))
    shown = shown.sort("session", "Code", "known_at", maintain_order=True)
    shown = shown.unique(["session", "Code"], keep="last", maintain_order=True)
    parts = shown.partition_by("session", maintain_order=True)
    return [(part.item(0, "session"), _arrays(part)) for part in parts]


def _arrays(rows: pl.DataFrame) -> Chain:
    days = (rows["SQD"] - rows["Date"]).dt.total_days().cast(pl.Float64).to_numpy()
    fields = {name: rows[name].to_numpy() for name in ("Strike", "Vo", "OI", "Va", "UnderPx")}
    iv = rows["IV"].to_numpy() / 100
    return fields | {
        "put": (rows["PCDiv"] == PUT).to_numpy(),
        "years": days / 365,
        "IV": time_series.where(iv > 0, iv),
        "rate": rows["IR"].fill_null(0.0).to_numpy() / 100,
    }


def measures(chain: Chain) -> dict[str, float]:
    """Measure one session's chain; NaN for what it does not hold.

    chain   (K,) arrays: put (bool), Strike, UnderPx [points], Vo, OI [contracts], Va [JPY],
            years to expiry, IV and rate [fraction a year]; NaN where unknown
    """
    volumes = {name: np.nan_to_num(chain[name]) for name in ("Vo", "OI", "Va")}
    puts, calls = _sides(volumes["Vo"], chain["put"])
    busiest = _busiest(volumes["Vo"])
    columns = {
        "put_call_ratio": puts / calls if calls > 0 else nan,
        "oi_call_put_imbalance": -_imbalance(volumes["OI"], chain["put"]),
        "smart_money_indicator": _imbalance(volumes["Vo"][busiest], chain["put"][busiest]),
        PREMIUM: -_imbalance(volumes["Va"], chain["put"]),
    }
    return columns | _expected(chain)


def _sides(amount: np.ndarray, put: np.ndarray) -> tuple[float, float]:
    return float(amount[put].sum()), float(amount[~put].sum())


def _imbalance(amount: np.ndarray, put: np.ndarray) -> float:
    puts, calls = _sides(amount, put)
    return (puts - calls) / (puts + calls) if puts + calls > 0 else nan


def _busiest(volume: np.ndarray) -> np.ndarray:
    """Mark the tenth of the traded contracts, rounded up, with most volume, ties included."""
    traded = np.sort(volume[volume > 0])
    if not len(traded):
        return volume > 0
    return volume >= traded[-math.ceil(len(traded) / DECILE)]


def _expected(chain: Chain) -> dict[str, float]:
    """Measure implied volatilities: level, term structure, skew and dispersion."""
    usable = np.isfinite(chain["IV"]) & (chain["years"] >= WEEK)
    usable &= np.isfinite(chain["Strike"]) & np.isfinite(chain["UnderPx"])
    quoted = {name: values[usable] for name, values in chain.items()}
    expiries = np.unique(quoted["years"])
    smiles = [
        {name: values[quoted["years"] == years] for name, values in quoted.items()}
        for years in expiries
    ]
    middle = np.array([_at_the_money(smile) for smile in smiles])
    month, season = (_interpolated(expiries, middle, target) for target in (MONTH, SEASON))
    wings = np.array([_skew(smile) for smile in smiles])
    wings = wings[np.isfinite(wings)][:2]
    near = quoted["IV"][np.isin(quoted["years"], expiries[:2]) & (quoted["Vo"] > 0)]
    return {
        "avg_iv": month,
        "term_structure_slope": season - month,
        "iv_skew": float(wings.mean()) if len(wings) == 2 else nan,
        "iv_dispersion": float(near.std()) if len(near) > 1 else nan,
    }


def _moneyness(smile: Chain) -> np.ndarray:
    """Give ln(F / strike)."""
    return np.log(smile["UnderPx"] / smile["Strike"]) + smile["rate"] * smile["years"]


def _at_the_money(smile: Chain) -> float:
    distance = np.abs(_moneyness(smile))
    nearest = distance == distance.min()
    return float(smile["IV"][nearest].mean()) if distance.min() <= NEAR_MONEY else nan


def _interpolated(years: np.ndarray, iv: np.ndarray, target: float) -> float:
    """Give the IV at `target` years, total variance being linear between expiries."""
    known = np.isfinite(iv)
    times = np.append(0.0, years[known])
    variance = np.append(0.0, iv[known] ** 2 * years[known])
    return float(np.sqrt(np.interp(target, times, variance, right=nan) / target))


def _skew(smile: Chain) -> float:
    delta, moneyness = black_delta(smile), _moneyness(smile)
    put = _nearest(smile["IV"], -delta, smile["put"] & (moneyness > 0))
    call = _nearest(smile["IV"], delta, ~smile["put"] & (moneyness < 0))
    return put - call


def _nearest(iv: np.ndarray, delta: np.ndarray, wing: np.ndarray) -> float:
    """Give the IV in `wing` whose delta is nearest to 0.25; NaN if none is within 0.10."""
    apart = np.where(wing, np.abs(delta - DELTA), np.inf)
    nearest = apart.argmin()
    return float(iv[nearest]) if apart[nearest] <= WIDEST else nan


def black_delta(smile: Chain) -> Array:
    """Give each contract's delta to the forward, discounted: negative for puts.

    smile   as in `measures`, with a positive IV, strike, underlying and time throughout

    Source: Black (1976), The pricing of commodity contracts.
    """
    spread = smile["IV"] * np.sqrt(smile["years"])
    up = ndtr(_moneyness(smile) / spread + spread / 2)
    return np.exp(-smile["rate"] * smile["years"]) * np.where(smile["put"], up - 1, up)


def _mean(x: Array, window: int) -> Array:
    return time_series.ts_mean(x[:, None], window, enough(window))[:, 0]


def _percentile(x: Array) -> Array:
    """Rank each value in the YEAR that ends with it: (below + ½ equal)/n."""
    padded = np.append(np.full(YEAR - 1, np.nan), x)
    windows = np.lib.stride_tricks.sliding_window_view(padded, YEAR)
    below, equal = windows < x[:, None], windows == x[:, None]
    count = np.isfinite(windows).sum(axis=1)
    rank = ratio(below.sum(axis=1) + equal.sum(axis=1) / 2, count)
    return time_series.where((count >= enough(YEAR)) & np.isfinite(x), rank)
