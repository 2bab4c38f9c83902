"""Price and volume of the stock itself, and the exchange's calendar.

Prices and volumes are adjusted; O, H, L, C, V are the session's, r1 = C_t / C_t−1 − 1 with t−1 the
session before. Volatilities are annualised with 245 sessions. The weights of EMA_n fall
by 1 − 2/(n + 1) a session, those of Wilder's average by 1 − 1/n; both start as the simple mean of
their first n sessions and look back so far (5 n, Wilder's 10 n) that the start weighs under 0.06 %.
A window of n sessions, and the last n of an average, need two thirds of n observations where no
other number stands.
Deviations divide by n − 1 in volatilities and by n in z-scores, bands and moments. Where a high or
low was rejected, the extremes of several sessions take the close.
"""

import logging
from collections.abc import Iterator
from functools import partial

import numpy as np

from gogooku.arrays import indicators as ind
from gogooku.arrays import time_series
from gogooku.arrays.time_series import Made, delay, enough, enough_changes, excess, ratio, settled
from gogooku.arrays.windows import Rolling
from gogooku.calendar import Sessions
from gogooku.features import balances
from gogooku.features.column import Column, Values
from gogooku.features.inputs import Inputs
from gogooku.features.technical_calendar import (
    CALENDAR,
    LISTING,
    of_the_calendar,
    of_the_listing,
)
from gogooku.panel.panel import Panel

log = logging.getLogger(__name__)

INPUTS = ("open", "high", "low", "close", "volume", "value")
AVERAGED = ("high", "low", "close")
REACH = 245  # sessions of the longest window; averages look back farther
LONGEST_RUN = 60  # sessions
TA_LIB = "TA-Lib 0.6"
WILDER = "Wilder (1978)"
WILDER_14 = settled(27) + 1  # of what compares with the session before
MACD = settled(26) + settled(9)


def _stock(
    name: str,
    unit: str,
    definition: str,
    look_back: int,
    min_obs: int = 0,
    source: str = "as defined here",
    inputs: tuple[str, ...] = ("close",),
) -> Column:
    fewest = min_obs or enough(look_back)
    return Column(name, "stock", unit, definition, look_back, fewest, source, inputs=inputs)


_body = partial(_stock, inputs=("open", "close"))
_reach = partial(_stock, inputs=("high", "low"))
_range = partial(_stock, inputs=("high", "low", "close"))
_bar = partial(_stock, inputs=("open", "high", "low", "close"))
_volume = partial(_stock, inputs=("volume",))
_flow = partial(_stock, inputs=("high", "low", "close", "volume"))


class Bars:
    """The bars of some stocks, (R, n) each, and what several columns are made of.

    whole   what averages are made of: high, low and close, (T, n) each, whose last R rows are those
    """

    def __init__(self, bars: Values) -> None:
        self.open, self.high, self.low, self.close, self.volume, self.value = (
            bars[name] for name in INPUTS
        )
        self.whole = [bars[f"whole_{name}"] for name in AVERAGED]
        self.closes = Rolling(self.close, means=SMAS, variances=(20,), zscores=(20, 60), ddof=0)
        # A rejected high or low is absent; the close beside it still marks the range.
        self.highs = Rolling(np.fmax(self.high, self.close), maxima=(STOCHASTIC, *EDGES))
        self.lows = Rolling(np.fmin(self.low, self.close), minima=(STOCHASTIC, *EDGES))
        self.daily, self.log_close = ind.returns(self.close, 1), ind.log(self.close)

    def late(self, average: np.ndarray) -> np.ndarray:
        """Give the last R rows."""
        return average[len(average) - len(self.close) :]


# ---- returns and their spread --------------------------------------------------------------------

RETURNS = (1, 2, 3, 5, 10, 20, 60, 120)
LOG_RETURNS = (1, 5, 10, 20)
VOLATILITIES = (5, 10, 20, 60, 120)
RANGES = (20, 60)  # windows of volatilities from ranges, and of the volatility's own

MOVES = [
    *(_stock(f"returns_{h}d", "share", f"C_t / C_t−{h} − 1", h, h + 1) for h in RETURNS),
    *(_stock(f"log_returns_{h}d", "log", f"ln(C_t / C_t−{h})", h, h + 1) for h in LOG_RETURNS),
    _stock("momentum_12_1", "share", "C_t−20 / C_t−245 − 1", 245, 246, "Jegadeesh, Titman (1993)"),
    _body("overnight_return", "share", "O_t / C_t−1 − 1", 1, 2),
    _body("intraday_return", "share", "C_t / O_t − 1", 0, 1),
    _stock("mom_persist_5d", "share", "sessions with r1 > 0 over those with r1, of 5", 5,
           enough_changes(5)),
    _stock("up_streak", "sessions", f"run of r1 > 0 to this day, at most {LONGEST_RUN}", 61, 2),
    _stock("down_streak", "sessions", f"run of r1 < 0 to this day, at most {LONGEST_RUN}", 61, 2),
    _stock("zscore_20", "sd", "(C − mean) / sd of 20 closes", 20),
    _stock("zscore_60", "sd", "(C − mean) / sd of 60 closes", 60),
    _stock("skew_60", "1", "population skewness of 60 r1", 60, enough_changes(60)),
    _stock("kurt_60", "1", "population excess kurtosis of 60 r1", 60, enough_changes(60)),
    _stock("autocorr_20", "1", "correlation of r1 with that of the session before, 19 pairs", 20,
           15),
]  # fmt: skip


def _moves(bars: Bars) -> Iterator[Made]:
    close, daily = bars.close, bars.daily
    for h in RETURNS:
        yield f"returns_{h}d", ind.returns(close, h)
    for h in LOG_RETURNS:
        yield f"log_returns_{h}d", ind.change(bars.log_close, h)
    for n in (20, 60):
        yield f"zscore_{n}", bars.closes.zscores[n]
    yield "momentum_12_1", excess(delay(close, 20), delay(close, 245))
    yield "overnight_return", excess(bars.open, delay(close, 1))
    yield "intraday_return", excess(close, bars.open)
    yield (
        "mom_persist_5d",
        time_series.ts_mean(time_series.where_known(daily, daily > 0), 5, enough(5)),
    )
    yield "up_streak", time_series.where_known(daily, time_series.ts_run(daily > 0, LONGEST_RUN))
    yield "down_streak", time_series.where_known(daily, time_series.ts_run(daily < 0, LONGEST_RUN))
    yield from zip(
        ("skew_60", "kurt_60"), time_series.ts_skew_kurt(daily, 60, enough(60)), strict=True
    )
    yield "autocorr_20", time_series.ts_autocorr(daily, 20, enough(19))


SPREADS = [
    *(_stock(f"volatility_{n}d", "per √year", f"sd of {n} daily log returns × √245", n,
             enough_changes(n)) for n in VOLATILITIES),
    _reach("parkinson_20", "per √year", "√(mean of ln(H/L)² / 4 ln 2 × 245)", 20, 0,
           "Parkinson (1980)"),
    _bar("garman_klass_20", "per √year", "√(mean of ½ ln(H/L)² − (2 ln 2 − 1) ln(C/O)² × 245)", 20,
         0, "Garman and Klass (1980)"),
    _bar("rogers_satchell_20", "per √year", "√(mean of ln(H/C) ln(H/O) + ln(L/C) ln(L/O) × 245)",
         20, 0, "Rogers and Satchell (1991)"),
    *(_bar(f"yang_zhang_{n}", "per √year",
           f"overnight, open-to-close and Rogers-Satchell variances of {n} sessions", n,
           enough_changes(n), "Yang and Zhang (2000)") for n in (20, 60)),
    *(_stock(f"vol_of_vol_{n}", "per √year", f"sd of {n} values of volatility_20d", n + 20,
             enough(20) + enough(n)) for n in (20, 60)),
]  # fmt: skip


def _spreads(bars: Bars) -> Iterator[Made]:
    steps = Rolling(ind.change(bars.log_close), variances=VOLATILITIES, centred=True)
    for n in VOLATILITIES:
        yield f"volatility_{n}d", ind.volatility(steps, n)
    steady = Rolling(ind.volatility(steps, 20), variances=RANGES, centred=True)
    for n in RANGES:
        yield f"vol_of_vol_{n}", np.sqrt(steady.variances[n])
    del steps, steady  # what comes next finds their memory in the cache
    first, high, low = (ind.log(price) for price in (bars.open, bars.high, bars.low))
    logs = ind.Logs(first, high, low, bars.log_close, RANGES)
    for n in RANGES:
        yield f"yang_zhang_{n}", ind.yang_zhang(logs, n)
    yield "rogers_satchell_20", ind.rogers_satchell(logs, 20)
    yield "parkinson_20", ind.parkinson(logs, 20)
    yield "garman_klass_20", ind.garman_klass(logs, 20)


# ---- where the price stands ----------------------------------------------------------------------

SMAS = (5, 20, 60, 120, 200)
EMAS = (5, 10, 20, 60, 200)
GAPS = ((5, 20), (20, 60), (60, 200))
SLOPES = (5, 20, 60)
EDGES = (60, 245)  # windows of the highest high and the lowest low

LEVELS = [
    *(_stock(f"price_to_sma_{n}", "share", f"C / mean of {n} closes − 1", n) for n in SMAS),
    *(_stock(f"price_to_ema_{n}", "share", f"C / EMA_{n} − 1", settled(n), n, TA_LIB)
      for n in EMAS),
    *(_stock(f"ma_gap_{a}_{b}", "share", f"EMA_{a} / EMA_{b} − 1", settled(b), b, TA_LIB)
      for a, b in GAPS),
    *(_stock(f"ema{n}_slope", "share", f"EMA_{n} / EMA_{n} of t−1 − 1", settled(n) + 1, n + 1,
             TA_LIB) for n in SLOPES),
    _reach("high_low_ratio", "ratio", "H / L", 0, 1),
    _range("close_to_high", "share", "(H − C) / (H − L)", 0, 1),
    _range("close_to_low", "share", "(C − L) / (H − L)", 0, 1),
    *(_stock(f"dist_to_{side}_{n}", "share", f"C / {edge} of {n} sessions − 1", n,
             inputs=(side, "close"))
      for side, edge in (("high", "highest H"), ("low", "lowest L")) for n in EDGES),
]  # fmt: skip


def _levels(bars: Bars) -> Iterator[Made]:
    high, low, close = bars.high, bars.low, bars.close
    averages = {n: bars.late(time_series.ts_ema(bars.whole[-1], n)) for n in EMAS}
    for n in SMAS:
        yield f"price_to_sma_{n}", excess(close, bars.closes.means[n])
    for n in EMAS:
        yield f"price_to_ema_{n}", excess(close, averages[n])
    for a, b in GAPS:
        yield f"ma_gap_{a}_{b}", excess(averages[a], averages[b])
    for n in SLOPES:
        yield f"ema{n}_slope", time_series.where_known(close, ind.returns(averages[n], 1))
    for n in EDGES:
        yield f"dist_to_high_{n}", excess(close, bars.highs.maxima[n])
        yield f"dist_to_low_{n}", excess(close, bars.lows.minima[n])
    yield "high_low_ratio", ratio(high, low)
    yield "close_to_high", ind.place(close, high, low)
    yield "close_to_low", ind.place(close, low, high)


# ---- oscillators ---------------------------------------------------------------------------------

STOCHASTIC = 14  # sessions of the range in which the close stands

OSCILLATORS = [
    _stock("rsi_2", "0–100", "RSI of 2, Wilder's averages", settled(3) + 1, 3, TA_LIB),
    _stock("rsi_14", "0–100", "RSI of 14, Wilder's averages", WILDER_14, 15, TA_LIB),
    _stock("rsi_delta", "points", "rsi_14 − rsi_14 of t−1", WILDER_14 + 1, 16, TA_LIB),
    _stock("macd", "share", "(EMA_12 − EMA_26) / C", settled(26), 26, TA_LIB),
    _stock("macd_signal", "share", "EMA_9 of EMA_12 − EMA_26, / C", MACD, 34, TA_LIB),
    _stock("macd_histogram", "share", "macd − macd_signal", MACD, 34, TA_LIB),
    _stock("macd_hist_slope", "share", "change of the histogram before ÷ C, / C", MACD + 1, 35,
           TA_LIB),
    _stock("bb_pct_b", "share", "place between mean ∓ 2 sd of 20 closes", 20, 0, TA_LIB),
    _stock("bb_width", "share", "4 sd / mean of 20 closes", 20, 0, TA_LIB),
    _range("atr_14", "share", "Wilder's average of 14 true ranges, each over the close before it",
           WILDER_14, 15, WILDER),
    _range("natr_14", "share",
           "Wilder's average of 14 true ranges in JPY, / C; atr_14 is relative before it is "
           "averaged", WILDER_14, 15, TA_LIB),
    _range("adx_14", "0–100", "Wilder's average of 14 directional indices", 2 * WILDER_14, 28,
           TA_LIB),
    _range("plus_di_14", "0–100", "upward movement over true range, 14", WILDER_14, 15, TA_LIB),
    _range("minus_di_14", "0–100", "downward movement over true range, 14", WILDER_14, 15, TA_LIB),
    _range("stoch_k", "0–100", "mean of 3 places of C in the range of 14 sessions", 16, 11,
           TA_LIB),
    _range("stoch_d", "0–100", "mean of 3 stoch_k", 18, 12, TA_LIB),
    _range("williams_r_14", "−100–0", "100 × (C − highest H) / range of 14", 14, 0, TA_LIB),
    _range("cci_20", "1", "typical price − mean of 20, / 0.015 mean deviation", 20, 0, TA_LIB),
]  # fmt: skip


def _oscillators(bars: Bars) -> Iterator[Made]:
    high, low, close = bars.high, bars.low, bars.close
    past_high, past_low, past_close = bars.whole
    strength = bars.late(ind.rsi(past_close, 14))
    yield "rsi_2", ind.rsi(past_close, 2)
    yield "rsi_14", strength
    yield "rsi_delta", time_series.where_known(bars.daily, ind.change(strength))
    yield from _macd(past_close)
    bands = ind.bollinger(bars.closes, 20, 2)
    yield from zip(("bb_pct_b", "bb_width"), bands, strict=True)
    reach = ind.true_range(past_high, past_low, past_close)
    yield "atr_14", time_series.ts_wilder(ratio(reach, delay(past_close, 1)), 14)
    yield "natr_14", ratio(time_series.ts_wilder(reach, 14), past_close)
    directions = ind.directional(past_high, past_low, past_close, 14)
    yield from zip(("plus_di_14", "minus_di_14", "adx_14"), directions, strict=True)
    position = 100 * ind.place(close, bars.lows.minima[STOCHASTIC], bars.highs.maxima[STOCHASTIC])
    smooth = time_series.ts_mean(position, 3, enough(3))
    yield "stoch_k", smooth
    yield "stoch_d", time_series.ts_mean(smooth, 3, enough(3))
    yield "williams_r_14", position - 100
    yield "cci_20", ind.cci(high, low, close, 20)


def _macd(close: np.ndarray) -> Iterator[Made]:
    line, signal = ind.macd(close, 12, 26, 9)
    yield "macd", ratio(line, close)
    yield "macd_signal", ratio(signal, close)
    histogram = line - signal
    yield "macd_histogram", ratio(histogram, close)
    yield "macd_hist_slope", ratio(ind.change(histogram), close)


# ---- volume and money ----------------------------------------------------------------------------

TRADING = [
    *(_volume(f"volume_ratio_{n}", "ratio", f"V / mean of {n} V", n) for n in (5, 20, 60)),
    _volume("volume_accel", "share", "mean of 5 V / mean of 20 V − 1", 20),
    _flow("mfi_14", "0–100", "money flow index of 14; ties count for neither side", 14,
          enough_changes(14), TA_LIB),
    _stock("obv_z60", "sd", "on-balance volume as a z-score of 60 sessions", 60, enough_changes(60),
           TA_LIB, inputs=("close", "volume")),
    _flow("cmf_20", "−1–1", "V weighted by the close's place in H–L, over V, 20", 20, 0,
          "Chaikin"),
    _stock("amihud_20", "1/million JPY", "mean of abs(r1) / value of 20 sessions", 20,
           enough_changes(20), "Amihud (2002)", inputs=("close", "value")),
    _stock("dollar_volume_log", "ln JPY", "ln of the mean value of 20 sessions", 20,
           inputs=("value",)),
]  # fmt: skip


def _trading(bars: Bars) -> Iterator[Made]:
    high, low, close, volume = bars.high, bars.low, bars.close, bars.volume
    means = Rolling(volume, means=(5, 20, 60), centred=True).means
    for n in means:
        yield f"volume_ratio_{n}", ratio(volume, means[n])
    yield "volume_accel", excess(means[5], means[20])
    yield "mfi_14", ind.mfi(high, low, close, volume, 14)
    yield "obv_z60", ind.obv_zscore(close, volume, 60)
    yield "cmf_20", ind.cmf(high, low, close, volume, 20)
    illiquidity = ratio(np.abs(bars.daily), bars.value / 1e6)
    yield "amihud_20", ind.mean(illiquidity, 20, centred=True)
    yield "dollar_volume_log", ind.log(ind.mean(bars.value, 20, centred=True))


FACTORS = ("rsi_14", "volatility_20d", "returns_5d", "volume_ratio_20")
PRODUCTS = [
    _stock("rsi_vol_interact", "points per √year", "rsi_14 × volatility_20d", WILDER_14, 15,
           TA_LIB),
    _stock("vol_confirmed_mom", "share", "returns_5d × volume_ratio_20", 20,
           inputs=("close", "volume")),
]  # fmt: skip


GROUPS = [
    (MOVES, _moves),
    (SPREADS, _spreads),
    (LEVELS, _levels),
    (OSCILLATORS, _oscillators),
    (TRADING, _trading),
]
COLUMNS = [*(column for columns, _ in GROUPS for column in columns), *PRODUCTS, *LISTING, *CALENDAR]


def compute(inputs: Inputs) -> Values:
    """Compute the family, name → (T − start, N) or, for the calendar, (T,) float32; NaN = unknown.

    calendar   whole months of the exchange's calendar
    summary    rows of fins/summary with `known_at`, for the shares outstanding

    Raises ValueError if a day of the panel in those months is not a session.
    """
    panel, start = inputs.panel, inputs.start
    _, outstanding = balances.shares(panel, inputs.rows("summary"), inputs.moments, start)
    return measured(panel, inputs.sessions, outstanding, start)


def measured(panel: Panel, sessions: Sessions, outstanding: np.ndarray, start: int = 0) -> Values:
    """Compute the family from the shares outstanding.

    sessions      whole months of the exchange's calendar; it may begin after the panel does, whose
                  earlier days then have no columns of the month
    outstanding   (T − start, N) shares as known, in the basis of the day
    start         first of the panel's days that is wanted

    Raises ValueError if a day of the panel in those months is not a session.
    """
    if np.isnan(outstanding).all():
        log.warning("no statement with shares is known: turnover_rate is null")
    bars = {f"whole_{name}": panel[name] for name in AVERAGED}
    recent = panel.since(start - REACH)
    bars |= {name: recent[name] for name in INPUTS}
    traded = time_series.by_blocks(_traded, bars, last=len(panel.dates) - start)
    listing = of_the_listing(panel, outstanding, start)
    return traded | listing | of_the_calendar(panel.dates, sessions)


def _traded(block: Values) -> Iterator[Made]:
    bars, factors = Bars(block), {}
    for name, values in (pair for _, group in GROUPS for pair in group(bars)):
        if name in FACTORS:
            factors[name] = values
        yield name, values
    yield "rsi_vol_interact", factors["rsi_14"] * factors["volatility_20d"]
    yield "vol_confirmed_mom", factors["returns_5d"] * factors["volume_ratio_20"]
