"""Indicators agree with TA-Lib and pandas-ta; the family keeps the laws of time."""

import datetime as dt

import numpy as np
import pandas as pd
import pandas_ta_classic as ta
import polars as pl
import pytest
import talib
from gogooku.arrays import indicators as ind
from gogooku.arrays import time_series
from gogooku.arrays.windows import Rolling
from gogooku.calendar import Sessions
from gogooku.families import FAMILIES
from gogooku.features import technical, technical_calendar
from gogooku.features.column import finish
from gogooku.panel.panel import Panel
from helpers import sample_panel
from hypothesis import given, settings
from hypothesis import strategies as st

COUNT = 300


def bars(seed=3, count=400, tick=None):
    """Gap-free open, high, low, close and volume of one stock, (T, 1); ticks make ties."""
    panel = sample_panel.panel(count=count, stocks=1, seed=seed, missing=0)
    made = {name: panel[name] for name in ("open", "high", "low", "close", "volume")}
    return {name: np.round(x / tick) * tick if tick else x for name, x in made.items()}


def ours(bars):
    """Indicators of gogooku, name → (T, 1)."""
    high, low, close, volume = (bars[name] for name in ("high", "low", "close", "volume"))
    plus, minus, adx = ind.directional(high, low, close, 14)
    place, width = ind.bollinger(
        Rolling(close, means=(20,), variances=(20,), zscores=(20,), ddof=0), 20, 2
    )
    line, signal = ind.macd(close, 12, 26, 9)
    return {
        "EMA": time_series.ts_ema(close, 20),
        "SMA": ind.mean(close, 20),
        "RSI of 2": ind.rsi(close, 2),
        "RSI of 14": ind.rsi(close, 14),
        "MACD": line,
        "MACD signal": signal,
        "ATR": ind.atr(high, low, close, 14),
        "+DI": plus,
        "-DI": minus,
        "ADX": adx,
        "CCI": ind.cci(high, low, close, 20),
        "Williams": 100
        * ind.place(close, time_series.ts_min(low, 14, 10), time_series.ts_max(high, 14, 10))
        - 100,
        "MFI": ind.mfi(high, low, close, volume, 14),
        "band width": width,
        "band place": place,
        "OBV z": ind.obv_zscore(close, volume, 60),
        "CMF": ind.cmf(high, low, close, volume, 20),
    }


def theirs(bars):
    """The same of TA-Lib and pandas-ta, name → (T,)."""
    high, low, close, volume = (bars[name][:, 0] for name in ("high", "low", "close", "volume"))
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    line, signal, _ = talib.MACD(close)
    path = pd.Series(talib.OBV(close, volume))
    score = (path - path.rolling(60).mean()) / path.rolling(60).std(ddof=0)
    return {
        "EMA": talib.EMA(close, 20),
        "SMA": talib.SMA(close, 20),
        "RSI of 2": talib.RSI(close, 2),
        "RSI of 14": talib.RSI(close, 14),
        "MACD": line,
        "MACD signal": signal,
        "ATR": talib.ATR(high, low, close, 14),
        "+DI": talib.PLUS_DI(high, low, close, 14),
        "-DI": talib.MINUS_DI(high, low, close, 14),
        "ADX": talib.ADX(high, low, close, 14),
        "CCI": talib.CCI(high, low, close, 20),
        "Williams": talib.WILLR(high, low, close, 14),
        "MFI": talib.MFI(high, low, close, volume, 14),
        "band width": (upper - lower) / middle,
        "band place": (close - lower) / (upper - lower),
        "OBV z": score.where(score.index >= 60).to_numpy(),  # the first volume has no direction
        "CMF": ta.cmf(*map(pd.Series, (high, low, close, volume)), length=20).to_numpy(),
    }


@pytest.mark.parametrize("tick", [None, 10.0], ids=["fine", "ties"])
def test_indicators_are_those_of_the_libraries(tick):
    sample = bars(tick=tick)
    made, expected = ours(sample), theirs(sample)
    for name in expected:
        known = np.isfinite(expected[name])
        assert known.sum() > 300
        scale = np.abs(expected[name][known]).max()
        np.testing.assert_allclose(
            made[name][known, 0], expected[name][known], 1e-9, 1e-9 * scale, err_msg=name
        )


def computed(panel, sessions):
    """The family's columns, with a hundred million shares of the first session's basis."""
    factor = np.nan_to_num(panel["volume_factor"], nan=1.0)
    factor[0] = 1.0
    return technical.measured(panel, sessions, 1e8 / np.cumprod(factor, axis=0))


def test_range_volatilities_find_the_volatility_of_a_random_walk():
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.normal(0, 0.02 / np.sqrt(390), (200 * 390, 3)), axis=0)
    days = 1000 * np.exp(steps).reshape(200, 390, 3)
    bars = np.log([days[:, 0], days.max(1), days.min(1), days[:, -1]])
    logs = ind.Logs(*bars, windows=(200,))
    for estimate in (ind.parkinson, ind.garman_klass, ind.rogers_satchell, ind.yang_zhang):
        made = estimate(logs, 200)
        np.testing.assert_allclose(made[-1], 0.02 * np.sqrt(245), rtol=0.12)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(5, COUNT - 2))
def test_the_future_moves_no_bit_of_the_past(seed, row):
    frame, sessions = sample_panel.rows(count=COUNT, seed=seed), sample_panel.sessions(COUNT)
    day = sessions.days[row]
    told = Panel.of(frame)
    other = Panel.of(sample_panel.changed(frame, day, seed))
    made, again = computed(told, sessions), computed(other, sessions)
    for name in made:
        np.testing.assert_array_equal(made[name][: row + 1], again[name][: row + 1], name)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_places_in_a_range_stay_in_it_where_a_high_or_a_low_was_rejected(seed):
    frame = sample_panel.rows(count=120, seed=seed)
    lost = np.random.default_rng(seed).random((2, len(frame))) < 0.3
    frame = frame.with_columns(
        pl.when(pl.Series(where)).then(None).otherwise(name).alias(name)
        for name, where in zip(("high", "low"), lost, strict=True)
    )
    made = computed(Panel.of(frame), sample_panel.sessions(120))
    bounds = {"williams_r_14": (-100, 0), "stoch_k": (0, 100), "stoch_d": (0, 100)}
    bounds |= {f"dist_to_high_{n}": (-1, 0) for n in (60,)}
    bounds |= {f"dist_to_low_{n}": (0, np.inf) for n in (60,)}
    for name, (low, high) in bounds.items():
        known = made[name][np.isfinite(made[name])]
        assert len(known) > 100 and known.min() >= low - 1e-4 and known.max() <= high + 1e-4, name


def test_the_end_of_the_panel_is_not_seen():
    frame, sessions = sample_panel.rows(count=COUNT), sample_panel.sessions(COUNT)
    whole = computed(Panel.of(frame), sessions)
    early = Panel.of(frame.filter(pl.col("date") <= sessions.days[211]))
    for name, values in computed(early, sessions).items():
        np.testing.assert_array_equal(values, whole[name][:212], name)


def test_a_column_needs_no_more_than_its_look_back():
    frame, sessions = sample_panel.rows(count=COUNT), sample_panel.sessions(COUNT)
    whole = computed(Panel.of(frame), sessions)
    priced = technical.COLUMNS[: -len(technical.LISTING + technical.CALENDAR)]
    for back in {column.look_back for column in priced if column.look_back < COUNT}:
        part = frame.filter(pl.col("date") >= sessions.days[COUNT - 1 - back])
        made = computed(Panel.of(part), sessions)
        for column in (column for column in priced if column.look_back == back):
            expected, told = whole[column.name][-1], made[column.name][-1]
            np.testing.assert_array_equal(np.isnan(told), np.isnan(expected), column.name)
            step = np.nanmax(np.abs(told - expected)) / np.nanstd(whole[column.name])
            assert step <= 1e-3, column.name


@pytest.mark.parametrize("missing", [0.03, 0.3, 0.4, 0.6])
def test_neighbouring_spans_join_without_a_step(missing):
    """What the look-back of the family leaves of an average's start: 1e-3 sd at most."""
    count, back = 1400, FAMILIES["technical"]["panel"].look_back
    frame = sample_panel.rows(count=count, stocks=40, missing=missing)
    sessions = sample_panel.sessions(count)
    whole = computed(Panel.of(frame), sessions)
    late = frame.filter(pl.col("date") >= sessions.days[count - 1 - back])
    made = computed(Panel.of(late), sessions)
    for column in technical.COLUMNS[: -len(technical.CALENDAR)]:
        expected, told = whole[column.name][-1], made[column.name][-1]
        np.testing.assert_array_equal(np.isnan(told), np.isnan(expected), column.name)
        if np.isfinite(expected).any():
            step = np.nanmax(np.abs(told - expected)) / (np.nanstd(whole[column.name]) + 1e-9)
            assert step <= 1e-3, column.name


@pytest.mark.parametrize("factor", [0.5, 0.1, 1 / 3, 10.0])
def test_a_split_changes_no_column(factor):
    frame, sessions = sample_panel.rows(count=COUNT), sample_panel.sessions(COUNT)
    split = (pl.col("code") == "13010") & (pl.col("date") >= sessions.days[150])
    on_the_day = split & (pl.col("date") == sessions.days[150])
    prices = ("open", "high", "low", "close")
    splitted = frame.with_columns(
        *(pl.when(split).then(pl.col(p) * factor).otherwise(p).alias(p) for p in prices),
        pl.when(split).then(pl.col("volume") / factor).otherwise("volume").alias("volume"),
        *(
            pl.when(on_the_day).then(factor).otherwise(f).alias(f)
            for f in ("factor", "volume_factor")
        ),
    )
    made, again = (computed(Panel.of(x), sessions) for x in (frame, splitted))
    for name in made:
        np.testing.assert_allclose(again[name], made[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_a_session_without_a_trade_has_no_price_of_its_own():
    frame, sessions = sample_panel.rows(count=COUNT, missing=0), sample_panel.sessions(COUNT)
    gap = (pl.col("code") == "13010") & (pl.col("date") == sessions.days[200])
    fields = ("open", "high", "low", "close", "volume", "value")
    gappy = frame.with_columns(pl.when(~gap).then(pl.col(x)).alias(x) for x in fields)
    made = computed(Panel.of(gappy), sessions)
    for name in ("returns_1d", "returns_5d", "overnight_return", "price_to_ema_20", "up_streak"):
        assert np.isnan(made[name][200, 0]), name
    assert np.isnan(made["returns_1d"][201, 0])
    assert np.isnan(made["returns_5d"][205, 0])
    assert np.isfinite(made["returns_5d"][201, 0])
    for name in ("volatility_20d", "rsi_14", "ma_gap_5_20", "adx_14", "dollar_volume_log"):
        assert np.isfinite(made[name][200, 0]), name
    assert made["rsi_14"][200, 0] == made["rsi_14"][199, 0]
    full = computed(Panel.of(frame), sessions)
    for name in made:
        np.testing.assert_array_equal(made[name][:200], full[name][:200], name)


def test_averages_end_where_a_stock_is_suspended():
    frame, sessions = sample_panel.rows(count=COUNT, missing=0), sample_panel.sessions(COUNT)
    gap = (pl.col("code") == "13010") & (pl.col("date") >= sessions.days[200])
    fields = ("open", "high", "low", "close", "volume", "value")
    gappy = frame.with_columns(pl.when(~gap).then(pl.col(x)).alias(x) for x in fields)
    made = computed(Panel.of(gappy), sessions)
    others = {column.name for column in technical.LISTING} - {"turnover_rate"}
    for column in technical.COLUMNS[: -len(technical.CALENDAR)]:
        if column.name not in others:
            assert np.isnan(made[column.name][-1, 0]), column.name
            assert np.isfinite(made[column.name][-1, 1:]).any(), column.name
    frame, _ = finish(
        Panel.of(gappy), "technical", technical.COLUMNS, made, sessions.days[0].item()
    )
    valid = frame.filter(pl.col("code") == "13010")["is_technical_valid"]
    assert valid[:200].all() and not valid[-1]
    changes = ["rsi_delta", *(f"ema{n}_slope" for n in technical.SLOPES)]
    for name in changes:
        assert np.isfinite(made[name][199, 0]) and np.isnan(made[name][200:, 0]).all(), name


def test_without_shares_outstanding_turnover_is_null_and_a_warning_says_so(caplog):
    panel = sample_panel.panel(count=30)
    made = technical.measured(panel, sample_panel.sessions(30), np.full(panel.shape, np.nan))
    assert np.isnan(made["turnover_rate"]).all()
    (record,) = caplog.records
    assert "turnover_rate is null" in record.message


def test_a_price_that_never_moves_has_no_score():
    frame = sample_panel.rows(count=150, stocks=2, missing=0)
    prices = {name: 100.0 for name in ("open", "high", "low", "close")}
    still = frame.with_columns(pl.lit(value).alias(name) for name, value in prices.items())
    made = computed(Panel.of(still), sample_panel.sessions(150))
    for name in ("zscore_20", "rsi_14", "bb_pct_b", "skew_60", "obv_z60", "mfi_14"):
        assert np.isnan(made[name]).all(), name
    assert (made["volatility_20d"][-1] == 0).all()
    assert (made["price_to_sma_20"][-1] == 0).all()


def test_a_stock_with_one_row_has_what_needs_no_other_and_disturbs_none():
    frame, sessions = sample_panel.rows(count=COUNT, missing=0), sample_panel.sessions(COUNT)
    last = sessions.days[COUNT - 1]
    young = frame.filter((pl.col("code") != "13010") | (pl.col("date") == last))
    made, full = computed(Panel.of(young), sessions), computed(Panel.of(frame), sessions)
    alone = {name for name, x in made.items() if x.ndim == 2 and np.isfinite(x[-1, 0])}
    assert alone == {
        "intraday_return", "high_low_ratio", "close_to_high", "close_to_low", "turnover_rate",
        "limit_up", "limit_down", "days_since_listing_log",
    }  # fmt: skip
    for name in made:
        np.testing.assert_array_equal(made[name][..., 1:], full[name][..., 1:], name)


@pytest.mark.parametrize("told", [np.inf, -np.inf, 1e300])
def test_an_impossible_price_gives_no_infinite_value_and_touches_no_other_stock(told):
    frame, sessions = sample_panel.rows(count=COUNT, missing=0), sample_panel.sessions(COUNT)
    cell = (pl.col("code") == "13010") & (pl.col("date") == sessions.days[100])
    prices = ("open", "high", "low", "close")
    broken = frame.with_columns(pl.when(cell).then(told).otherwise(x).alias(x) for x in prices)
    with np.errstate(all="ignore"):
        made = computed(Panel.of(broken), sessions)
    full = computed(Panel.of(frame), sessions)
    for name in made:
        assert not np.isinf(made[name]).any(), name
        np.testing.assert_array_equal(made[name][..., 1:], full[name][..., 1:], name)


def test_the_calendar_is_that_of_the_exchange():
    exchange = Sessions(
        np.array(["2024-04-26", "2024-04-30", "2024-05-01", "2024-05-02"], "datetime64[D]")
    )
    frame = sample_panel.rows(count=4, stocks=1).with_columns(date=pl.Series(exchange.days))
    made = computed(Panel.of(frame), exchange)
    assert made["sessions_to_month_end"].tolist() == [1, 0, 1, 0]
    assert made["month_end"].tolist() == [0, 1, 0, 1]
    assert made["month_start"].tolist() == [1, 0, 1, 0]
    assert made["weekday_4"].tolist() == [1, 0, 0, 0]
    assert made["weekday_1"].tolist() == [0, 1, 0, 0]


def test_months_before_the_calendar_begins_are_unknown():
    sessions = sample_panel.sessions(60)
    months = Sessions(sessions.days[sessions.days >= np.datetime64("2019-02-01")])
    made = computed(sample_panel.panel(count=60), months)
    assert np.isnan(made["month_end"][:20]).all() and np.isfinite(made["month_end"][20:]).all()
    assert np.isfinite(made["weekday_0"]).all()


def test_a_new_listing_is_young_and_others_are_old():
    frame, sessions = sample_panel.rows(count=30, stocks=3), sample_panel.sessions(30)
    new = (pl.col("code") == "13010") & (pl.col("date") < sessions.days[10])
    made = computed(Panel.of(frame.filter(~new)), sessions)
    age = np.expm1(made["days_since_listing_log"])
    assert np.isnan(age[:10, 0]).all()
    np.testing.assert_allclose(age[10:, 0], np.arange(20), atol=1e-4)
    np.testing.assert_allclose(age[:, 1], technical_calendar.LONGEST_LISTING, rtol=1e-5)


def test_the_catalogue_names_what_is_made_and_its_files_hold_it():
    panel, sessions = sample_panel.panel(count=60), sample_panel.sessions(60)
    made = computed(panel, sessions)
    assert all(values.dtype == np.float32 for values in made.values())
    frame, metadata = finish(panel, "technical", technical.COLUMNS, made, dt.date(2019, 3, 1))
    assert len(technical.COLUMNS) == len({column.name for column in technical.COLUMNS}) == 99
    assert frame["date"].min() == dt.date(2019, 3, 1)
    assert '"weekday_0": "flag"' in metadata["kinds"]
