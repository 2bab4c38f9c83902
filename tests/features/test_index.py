"""Indices by pandas, TA-Lib and by hand; each stock finds the index of its own sector."""

import datetime as dt
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import talib
import yaml
from gogooku import point_in_time
from gogooku.errors import UserError
from gogooku.families import FAMILIES
from gogooku.features import index
from gogooku.panel.panel import Panel
from helpers.family_inputs import inputs_of
from helpers.panels import make, walk, weekdays

NAMES = {column.name for column in index.COLUMNS}
KINDS = {column.name: column.kind for column in index.COLUMNS}
START = dt.date(2020, 1, 6)
KEY = ["Date", "Code"]
CLOSE_ONLY = "0503"
OUTAGE = 140  # session on which no stock traded and every index repeats the day before
LATE = 60  # session on which Prime, Standard and Growth begin
BEGIN_LATE = ("0500", "0501", "0502")
LISTED = (  # the exchange's codes: of markets, of size, of style, of REITs
    "0000 0001 0070 0091 0500 0501 0502 0503 0028 0029 002A 002B 002C 002D 002E 002F "
    "8100 812C 812D 8200 822C 822D 0075 8501 8502 8503"
).split()


def bars(sessions=320, seed=0, codes=index.CODES):
    """Random bars of all indices; three begin late and one has its close alone."""
    rng = np.random.default_rng(seed)
    days, frames = weekdays(sessions, START), []
    for code in codes:
        close = 1000 * np.exp(np.cumsum(rng.normal(0, 0.01, sessions)))
        high, low = (close * np.exp(s * rng.exponential(0.005, sessions)) for s in (1, -1))
        if sessions > OUTAGE:
            close[OUTAGE] = high[OUTAGE] = low[OUTAGE] = close[OUTAGE - 1]
        frame = pl.DataFrame({"Date": days, "Code": code, "H": high, "L": low, "C": close})
        if code == CLOSE_ONLY:
            frame = frame.with_columns(pl.lit(None, pl.Float64).alias("H"),
                                       pl.lit(None, pl.Float64).alias("L"))  # fmt: skip
        if code in BEGIN_LATE:
            frame = frame[LATE:]
        frames.append(frame)
    return pl.concat(frames).sort("Date", "Code").cast({"Date": pl.Date})


def panel_of(sessions=320, stocks=4, s33=None, s17=None):
    """Stocks that trade every day but the outage's; sectors (T, N) or one for each stock."""
    close = walk(sessions, stocks, seed=3)
    if sessions > OUTAGE:
        close[OUTAGE] = np.nan
    panel = make(close, days=weekdays(sessions, START))
    fields = dict(panel.fields)
    for name, own in (("s33", s33), ("s17", s17)):
        if own is not None:
            fields[name] = np.broadcast_to(np.asarray(own, np.int32), panel.shape)
    return Panel(panel.dates, panel.codes, fields)


@pytest.fixture(scope="module")
def exchange():
    """A panel, the bars and the columns made of them."""
    panel = panel_of(s33=[50, 3250, 9050, -1], s17=[1, 5, 17, 99])
    rows = bars()
    return panel, rows, index.compute(inputs_of(panel, indices=rows))


def series(rows, code, bar="C"):
    """One index's bar by session, the outage's left out."""
    own = rows.filter(Code=code)
    values = pd.Series(np.nan, weekdays(320, START))
    values[own["Date"].to_numpy()] = own[bar].to_numpy()
    values.iloc[OUTAGE] = np.nan
    return values


def measures(rows, code):
    """Each measure of an index by pandas, over sessions; windows as documented."""
    close, topix = series(rows, code), series(rows, "0000")
    moves = {h: np.log(close / close.shift(h)) for h in (1, 5, 20)}
    window = close.rolling(20, min_periods=14)
    columns = {f"r_{h}d": move for h, move in moves.items()}
    return columns | {
        "vol_20d": moves[1].rolling(20, min_periods=14).std() * np.sqrt(245),
        "z_close_20": (close - window.mean()) / window.std(ddof=0),
        "rel_r_5d": moves[5] - np.log(topix / topix.shift(5)),
    }


@pytest.mark.parametrize("code", LISTED)
def test_every_index_agrees_with_pandas(exchange, code):
    _, rows, columns = exchange
    for name, expected in measures(rows, code).items():
        if (code, name) == ("0000", "rel_r_5d"):
            assert f"idx_{code}_{name}" not in NAMES
            continue
        actual = columns[f"idx_{code}_{name}"]
        assert actual.shape == (320,)
        np.testing.assert_allclose(actual, expected.where(series(rows, code).notna()), rtol=2e-5,
                                   atol=2e-6, err_msg=name)  # fmt: skip


@pytest.mark.parametrize("code", [code for code in LISTED if code != CLOSE_ONLY])
def test_range_is_wilders_by_talib_before_the_outage(exchange, code):
    _, rows, columns = exchange
    first = LATE if code in BEGIN_LATE else 0
    high, low, close = (series(rows, code, bar).to_numpy()[first:OUTAGE] for bar in "HLC")
    expected = talib.ATR(high, low, close, 14) / close
    actual = columns[f"idx_{code}_natr_14"]
    np.testing.assert_allclose(actual[first:OUTAGE], expected, rtol=1e-5)
    assert np.isnan(actual[:first]).all() and np.isfinite(expected[14:]).all()


def test_an_index_that_has_a_range_is_measured_by_it():
    """The one whose own bars lack it in the sample, from bars that have it."""
    rows = bars(130, codes=["0000", "0500"]).with_columns(
        pl.col("Code").replace({"0500": CLOSE_ONLY})
    )
    high, low, close = (rows.filter(Code=CLOSE_ONLY)[bar].to_numpy() for bar in "HLC")
    actual = index.compute(inputs_of(panel_of(130), indices=rows))[f"idx_{CLOSE_ONLY}_natr_14"]
    np.testing.assert_allclose(actual[LATE:], talib.ATR(high, low, close, 14) / close, rtol=1e-5)


def test_a_late_index_is_null_before_it_begins_and_then_for_its_windows(exchange):
    _, _, columns = exchange
    first = {
        name: int(np.isfinite(columns[f"idx_0500_{name}"]).argmax()) - LATE
        for name in index.MEASURES
    }
    assert first == {"r_1d": 1, "r_5d": 5, "r_20d": 20, "natr_14": 14, "vol_20d": 14,
                     "z_close_20": 13, "rel_r_5d": 5}  # fmt: skip
    assert np.isnan(columns["spread_prime_growth_5d"][: LATE + 5]).all()
    assert np.isfinite(columns["spread_prime_growth_5d"][LATE + 5 : OUTAGE]).all()


def test_an_index_that_has_ended_is_null():
    rows = bars(130)
    last = rows["Date"].unique().sort()[100]
    early = rows.filter((pl.col("Code") != "0001") | (pl.col("Date") <= last))
    columns = index.compute(inputs_of(panel_of(130), indices=early))
    for name in index.MEASURES:
        assert np.isfinite(columns[f"idx_0001_{name}"][100])
        assert np.isnan(columns[f"idx_0001_{name}"][101:]).all()


def test_an_index_without_a_range_has_its_close(exchange):
    _, _, columns = exchange
    assert np.isnan(columns[f"idx_{CLOSE_ONLY}_natr_14"]).all()
    assert np.isfinite(columns[f"idx_{CLOSE_ONLY}_r_1d"][1:OUTAGE]).all()


def test_the_day_of_the_outage_has_no_index_and_no_return(exchange):
    _, _, columns = exchange
    known_on = {day: [name for name in NAMES if np.isfinite(columns[name][day]).any()]
                for day in (OUTAGE, OUTAGE + 1)}  # fmt: skip
    assert known_on[OUTAGE] == []
    assert "idx_0000_r_1d" not in known_on[OUTAGE + 1]
    assert "idx_0000_r_5d" in known_on[OUTAGE + 1]


@pytest.mark.parametrize(
    "pair, one, other",
    [
        ("value_growth", "8100", "8200"),
        ("core30_small", "0028", "002D"),
        ("prime_standard", "0500", "0501"),
        ("prime_growth", "0500", "0502"),
        ("reit_office_residential", "8501", "8502"),
        ("reit_office_retail", "8501", "8503"),
        ("reit_residential_retail", "8502", "8503"),
    ],
)
def test_a_spread_is_what_one_index_gains_on_another(exchange, pair, one, other):
    _, rows, columns = exchange
    ratio = series(rows, one) / series(rows, other)
    for h in (1, 5, 20):
        np.testing.assert_allclose(
            columns[f"spread_{pair}_{h}d"], np.log(ratio / ratio.shift(h)), atol=1e-6
        )


def test_breadth_counts_sectors_above_their_mean(exchange):
    _, rows, columns = exchange
    close = pd.DataFrame(
        {code: series(rows, code) for code in (f"{0x40 + i:04X}" for i in range(33))}
    )
    above = close > close.rolling(50, min_periods=34).mean()
    expected = above.mean(axis=1).where(close.rolling(50, min_periods=34).count().min(axis=1) > 33)
    expected.iloc[OUTAGE] = np.nan
    np.testing.assert_allclose(columns["breadth_sector_gt_ma50"], expected, atol=1e-6)
    assert np.nanmin(expected) < 0.4 < 0.6 < np.nanmax(expected)


# The exchange's list: 33 sectors in the order of their codes, hexadecimal from 0040; 17 from 0080.
S33 = (
    "0050 1050 2050 3050 3100 3150 3200 3250 3300 3350 3400 3450 3500 3550 3600 3650 3700 3750 3800"
    " 4050 5050 5100 5150 5200 5250 6050 6100 7050 7100 7150 7200 8050 9050"
).split()


@pytest.mark.parametrize(
    "field, prefix, sector, code",
    [
        *(("s33", "sect", int(sector), f"{0x40 + i:04X}") for i, sector in enumerate(S33)),
        *(("s17", "sect17", sector, f"{0x7F + sector:04X}") for sector in range(1, 18)),
    ],
)
def test_a_stock_takes_the_index_of_its_sector(field, prefix, sector, code):
    rows = bars(130)
    columns = index.compute(
        inputs_of(panel_of(130, **{field: [sector, -1, 9999, 99]}), indices=rows)
    )
    own = rows.filter(Code=code)["C"].to_numpy()
    np.testing.assert_allclose(columns[f"{prefix}_r_1d"][1:, 0], np.log(own[1:] / own[:-1]),
                               atol=1e-7)  # fmt: skip
    for name in index.MEASURES:
        values = columns[f"{prefix}_{name}"]
        assert np.isfinite(values[-1, 0]) and np.isnan(values[:, 1:]).all()


def test_every_measure_of_a_sector_agrees_with_pandas(exchange):
    panel, rows, columns = exchange
    for prefix, codes in (("sect", ["0040", "0047", "0060"]), ("sect17", ["0080", "0084", "0090"])):
        for slot, code in enumerate(codes):
            expected = measures(rows, code)
            for name in set(index.MEASURES) - {"natr_14"}:
                np.testing.assert_allclose(
                    columns[f"{prefix}_{name}"][:, slot],
                    expected[name].where(series(rows, code).notna()), rtol=2e-5, atol=2e-6,
                )  # fmt: skip
            bar = [series(rows, code, bar).to_numpy()[:OUTAGE] for bar in "HLC"]
            np.testing.assert_allclose(
                columns[f"{prefix}_natr_14"][:OUTAGE, slot], talib.ATR(*bar, 14) / bar[2], rtol=1e-5
            )
    close = pd.DataFrame(panel["close"])
    own = np.log(close / close.shift(5))[0] - columns["sect_r_5d"][:, 0]
    np.testing.assert_allclose(columns["sect_rel_to_sec_5d"][:, 0], own, atol=1e-6)


def test_a_stock_that_changes_sector_takes_the_past_of_its_new_one():
    sector = np.full((130, 4), 50)
    sector[100:] = 3250
    rows = bars(130)
    columns = index.compute(inputs_of(panel_of(130, s33=sector), indices=rows))
    for day, code in ((99, "0040"), (100, "0047")):
        own = rows.filter(Code=code)["C"].to_numpy()
        expected = np.log(own[day] / own[day - 5])
        assert columns["sect_r_5d"][day, 0] == pytest.approx(expected, rel=1e-5)


def test_levels_play_no_part(exchange):
    panel, rows, columns = exchange
    scaled = index.compute(inputs_of(panel, indices=rows.with_columns(pl.col("H", "L", "C") * 64)))
    for name in NAMES:
        np.testing.assert_allclose(scaled[name], columns[name], rtol=1e-5, atol=1e-6, err_msg=name)


# ---- laws


@pytest.mark.parametrize("cut", [100, 141, 250])
def test_nothing_known_later_moves_an_earlier_day(exchange, cut):
    panel, rows, _ = exchange
    rows = rows.with_columns(
        known_at=pl.col("Date")
        .cast(pl.Datetime("us"))
        .dt.offset_by("6h")
        .dt.replace_time_zone("UTC")
    )
    fixed = rows.sample(400, seed=cut).with_columns(
        pl.col("known_at") + pl.duration(hours=20), C=pl.col("C") * 1.5
    )
    rows = pl.concat([rows, fixed])
    moments = panel.dates + np.timedelta64(6 * 3600 * 10**6, "us")
    early = rows.filter(pl.col("known_at").dt.replace_time_zone(None) <= moments[cut])
    full, partial = (
        index.compute(
            inputs_of(panel, indices=point_in_time.on_the_day(part, KEY, panel.dates, moments))
        )
        for part in (rows, early)
    )
    for name in NAMES:
        np.testing.assert_array_equal(full[name][: cut + 1], partial[name][: cut + 1], err_msg=name)
    assert any(np.isfinite(full[name][cut + 2 :]).any() for name in NAMES)


def test_a_span_with_its_look_back_equals_the_whole(exchange):
    panel, rows, columns = exchange
    length = 40
    window = slice(320 - length - FAMILIES["index"]["panel"].look_back, 320)
    since = panel.dates[window][0].item()
    part = Panel(panel.dates[window], panel.codes, {k: v[window] for k, v in panel.fields.items()})
    own = index.compute(inputs_of(part, indices=rows.filter(pl.col("Date") >= since)))
    for name in NAMES:
        actual, expected = own[name][-length:], columns[name][-length:]
        if name.endswith("natr_14"):  # Wilder's average never quite forgets
            np.testing.assert_allclose(actual, expected, rtol=1e-6, err_msg=name)
        else:
            np.testing.assert_array_equal(actual, expected, err_msg=name)


def test_rows_of_one_day_that_differ_are_refused():
    rows = bars(30)
    twice = pl.concat([rows, rows[:1].with_columns(C=pl.col("C") + 1)])
    with pytest.raises(UserError, match=r"indices holds two different rows for Date .* Code"):
        index.compute(inputs_of(panel_of(30), indices=twice))


def test_indices_that_are_not_listed_change_nothing():
    rows = bars(130)
    strange = rows.filter(Code="0000").with_columns(Code=pl.lit("9999"), C=pl.col("C") * 2)
    one, other = (index.compute(inputs_of(panel_of(130), indices=part)) for part in
                  (rows, pl.concat([rows, strange])))  # fmt: skip
    for name in NAMES:
        np.testing.assert_array_equal(one[name], other[name])


def test_no_rows_give_null_columns_and_a_warning(caplog):
    panel = panel_of(60)
    with caplog.at_level(logging.WARNING):
        columns = index.compute(inputs_of(panel, indices=bars(60)[:0]))
    assert "all columns of index are null" in caplog.text
    assert set(columns) == NAMES
    for name, values in columns.items():
        assert np.isnan(values).all()
        assert values.shape == ((60,) if KINDS[name] == "market" else (60, 4))


def test_the_research_configuration_adds_the_family_and_drops_none():
    config = Path(__file__).parents[2] / "config"
    default, research = (yaml.safe_load((config / f"{name}.yaml").read_text())["features"]
                         for name in ("default", "research"))  # fmt: skip
    assert "index" not in default["families"]
    assert set(research["families"]) == {*default["families"], "index"}
    assert set(research) == {"families", "pandas_ta"}
