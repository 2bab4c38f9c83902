"""The market, the stock against it and the stock in its sector: known truths and laws of time."""

import numpy as np
import polars as pl
import pytest
import talib
from gogooku import point_in_time
from gogooku.arrays import cross_section
from gogooku.arrays.time_series import settled
from gogooku.errors import UserError
from gogooku.features import market, relative, sector
from gogooku.panel.panel import Panel
from helpers import panels, sample_panel
from helpers.family_inputs import inputs_of
from hypothesis import given, settings
from hypothesis import strategies as st

COUNT = 300
NO_INDEX = sample_panel.topix(1).clear()


def computed(family, panel, topix=NO_INDEX):
    return family.compute(inputs_of(panel, topix=topix))


FAMILIES = {
    "market": lambda panel, topix: computed(market, panel, topix),
    "market without index": lambda panel, _: computed(market, panel, NO_INDEX),
    "relative": lambda panel, topix: computed(relative, panel, topix),
    "relative without index": lambda panel, _: computed(relative, panel, NO_INDEX),
    "sector": lambda panel, _: computed(sector, panel),
}


def panel_of(close, **fields):
    """Panel of closes (T, N) alone, all in the universe and one sector unless told otherwise."""
    days = sample_panel.sessions(len(close)).days[: len(close)]
    return panels.make(close, open=np.asarray(close, float), days=days, **fields)


def index_of(close):
    """Index rows whose bars are their close."""
    days = sample_panel.sessions(len(close)).days[: len(close)]
    return pl.DataFrame({"Date": days} | {bar: np.asarray(close, float) for bar in "OHLC"})


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), row=st.integers(5, COUNT - 2))
def test_the_future_moves_no_bit_of_the_past(family, seed, row):
    frame, topix = sample_panel.rows(count=COUNT, seed=seed), sample_panel.topix(COUNT)
    day = sample_panel.sessions(COUNT).days[row]
    late = pl.col("Date") > day
    other_index = topix.with_columns(
        pl.when(late).then(pl.col(bar) * 1.5).otherwise(bar).alias(bar) for bar in "OHLC"
    ).filter(~late | (pl.col("Date").dt.day() != 7))
    columns = FAMILIES[family](Panel.of(frame), topix)
    other = Panel.of(sample_panel.changed(frame, day, seed))
    again = FAMILIES[family](other, other_index)
    for name in columns:
        np.testing.assert_array_equal(columns[name][: row + 1], again[name][: row + 1], name)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_catalogue_names_what_is_made(family):
    columns = FAMILIES[family](sample_panel.panel(count=COUNT), sample_panel.topix(COUNT))
    module = {"market": market, "relative": relative, "sector": sector}[family.split()[0]]
    assert [column.name for column in module.COLUMNS] == list(dict.fromkeys(
        column.name for column in module.COLUMNS))  # fmt: skip
    assert {column.name for column in module.COLUMNS} == set(columns)
    for column in module.COLUMNS:
        assert columns[column.name].ndim == (1 if module is market else 2), column.name
        assert columns[column.name].dtype == np.float32
        assert column.look_back > COUNT or np.isfinite(columns[column.name]).any(), column.name


def test_a_split_changes_no_column():
    frame, topix = sample_panel.rows(count=COUNT), sample_panel.topix(COUNT)
    split = (pl.col("code") == "13010") & (pl.col("date") >= topix["Date"][150])
    on_the_day = split & (pl.col("date") == topix["Date"][150])
    splitted = frame.with_columns(
        *(
            pl.when(split).then(pl.col(p) / 3).otherwise(p).alias(p)
            for p in ("open", "high", "low", "close")
        ),
        pl.when(split).then(pl.col("volume") * 3).otherwise("volume").alias("volume"),
        *(
            pl.when(on_the_day).then(1 / 3).otherwise(f).alias(f)
            for f in ("factor", "volume_factor")
        ),
    )
    for name, compute in FAMILIES.items():
        columns, again = compute(Panel.of(frame), topix), compute(Panel.of(splitted), topix)
        for column in columns:
            np.testing.assert_allclose(
                again[column], columns[column], rtol=1e-5, atol=1e-5, err_msg=f"{name} {column}"
            )


@pytest.mark.parametrize("family", FAMILIES)
def test_a_column_needs_no_more_than_its_look_back(family):
    frame, topix = sample_panel.rows(count=600), sample_panel.topix(600)
    module = {"market": market, "relative": relative, "sector": sector}[family.split()[0]]
    full = FAMILIES[family](Panel.of(frame), topix)
    for back in {column.look_back for column in module.COLUMNS} - {settled(200)}:
        first = topix["Date"][599 - back]
        part = Panel.of(frame.filter(pl.col("date") >= first))
        columns = FAMILIES[family](part, topix.filter(pl.col("Date") >= first))
        for column in (column for column in module.COLUMNS if column.look_back == back):
            expected, actual = full[column.name][-1], columns[column.name][-1]
            np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected), column.name)
            apart = np.abs(np.where(np.isnan(actual), 0, actual - expected)).max()
            assert apart <= 1e-3 * np.nanstd(full[column.name]) + 1e-9, column.name


# ---- market --------------------------------------------------------------------------------------


def test_a_big_move_is_judged_by_the_days_before_it():
    step = np.where(np.arange(100) % 2, 0.01, -0.01)  # 2 sd are 2.02 %, and 2.07 % with the move
    step[90] = 0.0204
    index = index_of(1500 * np.cumprod(1 + step))
    columns = computed(market, sample_panel.panel(count=100), index)
    assert np.flatnonzero(columns["mkt_big_move_flag"] == 1).tolist() == [90]


def test_an_index_row_known_after_the_decision_is_not_used():
    panel, topix = sample_panel.panel(count=COUNT), sample_panel.topix(COUNT)
    close = pl.col("Date").cast(point_in_time.MOMENT) + pl.duration(hours=6)
    late = pl.col("Date") == topix["Date"][200]
    stamped = topix.with_columns(
        known_at=pl.when(late).then(close + pl.duration(seconds=1)).otherwise(close)
    )
    moments = panel.dates.astype("datetime64[us]") + np.timedelta64(6, "h")
    seen = point_in_time.on_the_day(stamped, ["Date"], panel.dates, moments)
    columns, without = computed(market, panel, seen), computed(market, panel, topix.filter(~late))
    assert np.isnan(columns["mkt_ret_1d"][200]) and np.isfinite(columns["mkt_ret_1d"][199])
    for name in columns:
        np.testing.assert_array_equal(columns[name], without[name], name)


def test_two_index_rows_of_a_day_that_differ_are_refused():
    panel, topix = sample_panel.panel(count=COUNT), sample_panel.topix(COUNT)
    same = computed(market, panel, pl.concat([topix, topix[:1]]))
    np.testing.assert_array_equal(same["mkt_ret_1d"], computed(market, panel, topix)["mkt_ret_1d"])
    other = topix[:1].with_columns(C=pl.lit(1.0))
    with pytest.raises(UserError, match="topix holds two different rows for Date 2019-01-04"):
        computed(market, panel, pl.concat([topix, other]))


def test_what_is_0_or_1_is_a_flag():
    columns = computed(market, sample_panel.panel(count=COUNT), sample_panel.topix(COUNT))
    for column in market.COLUMNS:
        values = columns[column.name][np.isfinite(columns[column.name])]
        assert (column.kind == "flag") == (set(values.tolist()) <= {0, 1}) or not len(values)


def test_an_outage_has_no_index_return():
    frame, topix = sample_panel.rows(count=COUNT, missing=0), sample_panel.topix(COUNT)
    outage = topix["Date"][100]
    absent = [
        pl.when(pl.col("date") != outage).then(name).alias(name)
        for name in ("open", "high", "low", "close", "volume", "value")
    ]
    repeated = topix.with_columns(
        pl.when(pl.col("Date") == outage).then(pl.col(bar).shift()).otherwise(bar).alias(bar)
        for bar in "OHLC"
    )
    for index in (repeated, NO_INDEX):
        columns = computed(market, Panel.of(frame.with_columns(absent)), index)
        assert np.isnan(columns["mkt_ret_1d"][100:102]).all()
        assert np.isfinite(columns["mkt_ret_1d"][[99, 102]]).all()
        assert np.isfinite(columns["mkt_ret_5d"][[101, 104]]).all()
        assert np.isfinite(columns["mkt_vol_20d"][100:103]).all()


@pytest.mark.parametrize("family", [market, relative])
def test_without_topix_a_warning_names_what_stands_in_for_it(family, caplog):
    computed(family, sample_panel.panel(count=30), NO_INDEX)
    (record,) = caplog.records
    assert "no TOPIX is known: the universe's mean return stands in" in record.message


@pytest.mark.parametrize("family", [market, relative])
@pytest.mark.parametrize("row", [5, 80, COUNT - 2])
def test_an_index_that_begins_later_moves_no_earlier_bit(family, row):
    panel, topix = sample_panel.panel(count=COUNT), sample_panel.topix(COUNT)
    began = topix.filter(pl.col("Date") > panel.dates[row])
    columns, again = computed(family, panel, NO_INDEX), computed(family, panel, began)
    for name in columns:
        np.testing.assert_array_equal(columns[name][: row + 1], again[name][: row + 1], name)
    if family is market:
        gains = began["C"].to_numpy()[1:] / began["C"].to_numpy()[:-1] - 1
        np.testing.assert_allclose(again["mkt_ret_1d"][row + 2 :], gains, rtol=1e-5)


@given(st.integers(0, 1000))
def test_a_mean_across_stocks_keeps_its_bits_when_further_stocks_are_listed(seed):
    x = np.random.default_rng(seed).normal(size=(3, 40))
    more = np.insert(x, [1, 7, 7, 30], np.nan, axis=1)
    actual = [cross_section.cs_mean(values, np.ones(values.shape, bool)) for values in (x, more)]
    np.testing.assert_array_equal(*actual)
    np.testing.assert_allclose(actual[0], x.mean(axis=1), atol=1e-12)


def test_the_universe_stands_in_for_a_missing_index():
    close = np.array([[100, 100, 100], [110, 130, 300], [121, 130, 900.0]])
    inside = np.array([[True, True, False]] * 3)
    panel = panel_of(close, universe=inside)
    columns = computed(market, panel, NO_INDEX)
    np.testing.assert_allclose(columns["mkt_ret_1d"], [np.nan, 0.2, 0.05], rtol=1e-5)
    np.testing.assert_allclose(columns["mkt_breadth_up"], [np.nan, 1, 0.5])
    np.testing.assert_allclose(columns["mkt_dispersion"], [np.nan, 0.1, 0.05], rtol=1e-5)


# ---- relative ------------------------------------------------------------------------------------


def planted(betas, lagged=0.0, count=200):
    """Closes of an index and of stocks that follow it, or its day before, without noise."""
    step = np.random.default_rng(5).normal(0, 0.01, count)
    before = np.roll(step, 1)
    stocks = np.asarray(betas) * step[:, None] + lagged * before[:, None]
    return 1000 * np.cumprod(1 + step), 1000 * np.cumprod(1 + stocks, axis=0)


def test_a_planted_beta_is_found_and_leaves_no_alpha():
    index, close = planted([0.5, 1.0, 2.0])
    columns = computed(relative, panel_of(close), index_of(index))
    np.testing.assert_allclose(columns["beta_60d"][-1], [0.5, 1, 2], rtol=1e-5)
    np.testing.assert_allclose(columns["alpha_1d"][-100:], 0, atol=1e-7)
    np.testing.assert_allclose(columns["idio_vol_ratio"][-1], 0, atol=1e-5)
    np.testing.assert_allclose(columns["beta_stability_60d"][-1], 1, atol=1e-6)
    np.testing.assert_allclose(
        columns["rel_strength_5d"][-1], close[-1] / close[-6] - index[-1] / index[-6], atol=1e-6
    )
    np.testing.assert_allclose(columns["trend_align_mkt"][-50:, 1], 1)


def test_a_lagged_beta_is_that_of_the_day_before():
    index, close = planted([0.0], lagged=1.5)
    columns = computed(relative, panel_of(close), index_of(index))
    np.testing.assert_allclose(columns["beta_lagged_60d"][-1], 1.5, rtol=1e-5)
    assert abs(columns["beta_60d"][-1, 0]) < 0.5


def test_beta_needs_forty_returns():
    index, close = planted([1.0], count=60)
    columns = computed(relative, panel_of(close), index_of(index))
    assert np.isnan(columns["beta_60d"][39]) and np.isfinite(columns["beta_60d"][40])
    assert np.isnan(columns["alpha_1d"][40]) and np.isfinite(columns["alpha_1d"][41])


def test_alpha_uses_the_beta_of_the_day_before():
    index, close = planted([1.0])
    close[-1] *= 1.2
    columns = computed(relative, panel_of(close), index_of(index))
    market_return = index[-1] / index[-2] - 1
    expected = close[-1, 0] / close[-2, 0] - 1 - market_return
    np.testing.assert_allclose(columns["alpha_1d"][-1, 0], expected, rtol=1e-5)


# ---- sector --------------------------------------------------------------------------------------


def test_the_sector_is_the_median_of_the_others():
    steps = np.array([0.01, 0.02, 0.04, 0.08, 0.50, -0.10])
    sectors = np.array([["0050"] * 4 + ["3250"] * 2] * 2)
    columns = computed(sector, panel_of([[100] * 6, 100 * (1 + steps)], s33=sectors))
    expected = [0.04, 0.04, 0.02, 0.02, -0.10, 0.50]
    np.testing.assert_allclose(columns["sec_ret_1d"][1], expected, rtol=1e-5)
    np.testing.assert_allclose(columns["rel_to_sec_1d"][1], steps - expected, rtol=1e-5)
    np.testing.assert_allclose(columns["sec_member_cnt"][1], [4, 4, 4, 4, 2, 2])
    np.testing.assert_allclose(columns["sec_small_flag"][1], 1)
    np.testing.assert_allclose(columns["ret_1d_rank_in_sec"][1, :4], [1 / 8, 3 / 8, 5 / 8, 7 / 8])
    score = (steps[:4] - steps[:4].mean()) / steps[:4].std()
    np.testing.assert_allclose(columns["returns_1d_in_sec_z"][1, :4], score, rtol=1e-5)
    assert np.isnan(columns["returns_1d_in_sec_z"][1, 4:]).all()


def test_who_is_not_in_the_universe_is_nobodys_peer_and_has_peers():
    steps, inside = np.array([0.01, 0.02, 0.04, 0.99]), [[True, True, True, False]] * 2
    columns = computed(sector, panel_of([[100] * 4, 100 * (1 + steps)], universe=inside))
    np.testing.assert_allclose(columns["sec_ret_1d"][1], [0.03, 0.025, 0.015, 0.02], rtol=1e-5)
    np.testing.assert_allclose(columns["sec_member_cnt"][1], 3)


def test_a_stock_that_changes_its_sector_is_compared_as_of_the_day():
    steps = np.array([0.01, 0.02, 0.03, 0.04, 0.05])
    close = 100 * (1 + steps) ** np.arange(3)[:, None]
    sectors = np.array([["0050", "0050", "0050", "3250", "3250"]] * 3)
    sectors[2, 0] = "3250"
    columns = computed(sector, panel_of(close, s33=sectors))
    np.testing.assert_allclose(columns["sec_ret_1d"][1, 0], 0.025, rtol=1e-4)
    np.testing.assert_allclose(columns["sec_ret_1d"][2, 0], 0.045, rtol=1e-4)
    np.testing.assert_allclose(columns["sec_ret_1d"][2, 1], 0.03, rtol=1e-4)


def test_a_stock_without_a_sector_has_no_peers():
    sectors = np.array([["0050", "0050", None]] * 3)
    columns = computed(sector, panel_of(np.full((3, 3), 100.0), s33=sectors))
    assert all(np.isnan(values[:, 2]).all() for values in columns.values())


def test_the_sector_moves_as_its_members_do():
    rng = np.random.default_rng(3)
    step = rng.normal(0, 0.01, (200, 1))
    close = 100 * np.cumprod(1 + np.hstack([2 * step, step, step, step]), axis=0)
    columns = computed(sector, panel_of(close))
    np.testing.assert_allclose(columns["beta_to_sec_60"][-1], [2, 1, 1, 1], rtol=1e-4)
    np.testing.assert_allclose(columns["alpha_vs_sec_1d"][-1], 0, atol=1e-7)
    np.testing.assert_allclose(
        columns["sec_mom_20"][-1], close[-1, 1] / close[-21, 1] - 1, rtol=1e-4
    )
    level = talib.EMA(close[:, 1], 5) / talib.EMA(close[:, 1], 20) - 1
    np.testing.assert_allclose(columns["sec_gap_5_20"][-1, 0], level[-1], rtol=1e-3)
    np.testing.assert_allclose(
        columns["sec_vol_20"][-1, 0], step[-20:].std(ddof=1) * np.sqrt(245), rtol=1e-4
    )
