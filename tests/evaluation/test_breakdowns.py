"""Where skill lies: against SciPy, against hand values, and against what was planted."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from gogooku.arrays import ordered
from gogooku.arrays.ordered import Ordered
from gogooku.evaluation import breakdowns, evaluate, portfolio
from gogooku.evaluation.breakdowns import Parts, Split
from gogooku.evaluation.market import Market
from gogooku.evaluation.trading import Surroundings, Trading
from helpers import judged, panels
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

NAN = np.nan
LABELS, TRUTH = judged.market()


def tables(seed, days=12, stocks=120, decimals=1):
    """Scores and labels with ties and holes."""
    random = np.random.default_rng(seed)
    score, label = random.normal(size=(2, days, stocks))
    for table in (score, label):
        table[random.random(table.shape) < 0.1] = NAN
    return np.round(score, decimals), np.round(label + 0.3 * score, decimals)


def spearman(x, y, fewest=20):
    both = np.isfinite(x) & np.isfinite(y)
    return stats.spearmanr(x[both], y[both]).statistic if both.sum() >= fewest else NAN


# ---- parts of stocks -----------------------------------------------------------------------------


def test_rank_ic_of_a_part_is_scipys_among_its_stocks():
    score, label = tables(0)
    part = np.random.default_rng(1).integers(-1, 3, score.shape).astype(np.int8)
    part[:, :9] = 3  # nine stocks: too few on any day
    found = breakdowns.by_part(Ordered.of(score), Ordered.of(label), Split(list("abcd"), part))
    assert list(found) == ["a", "b", "c"]
    for number, values in enumerate(found.values()):
        inside = np.where(part == number, score, NAN)
        expected = [spearman(x, y) for x, y in zip(inside, label, strict=True)]
        np.testing.assert_allclose(values, expected, atol=1e-12)


def test_a_part_with_enough_stocks_on_fewer_than_half_of_the_days_is_left_out():
    score, label = tables(2)
    part = np.zeros(score.shape, np.int8)
    part[:5, 60:] = 1
    found = breakdowns.by_part(Ordered.of(score), Ordered.of(label), Split(["a", "b"], part))
    assert list(found) == ["a"]


def test_a_part_whose_predictions_are_alike_says_nothing():
    score, label = tables(3)
    part = (np.arange(120) < 60).astype(np.int8) * np.ones((12, 1), np.int8)
    score[:, :60] = 0.3
    daily = ordered.rank_ic(Ordered.of(score), Ordered.of(label), 20, part, 2)
    assert np.isnan(daily[:, 1]).all() and np.isfinite(daily[:, 0]).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3, 10]))
def test_parts_are_of_alike_size_and_ties_are_in_one(seed, number):
    score, label = tables(seed, days=3, stocks=47)
    part = ordered.parts(Ordered.of(score), label, number)
    both = np.isfinite(score) & np.isfinite(label)
    np.testing.assert_array_equal(part >= 0, both)
    for own, values, inside in zip(part, score, both, strict=True):
        share = (stats.rankdata(values[inside]) - 0.5) / inside.sum()
        np.testing.assert_array_equal(own[inside], (share * number).astype(int))


def parts_of(codes=40, sizes=None, **fields):
    close = panels.walk(30, codes, seed=4)
    panel = panels.make(close, days=panels.weekdays(30), **fields)
    grid = panel.grid
    surroundings = Surroundings(panel, None, sizes)
    trading = Trading.of(grid, surroundings, judged.rules())
    return Parts.of(grid, np.ones(grid.shape, bool), trading, surroundings), grid


def test_an_undeclared_sector_is_left_out():
    names = np.array(["0050"] * 10 + ["9999"] * 10 + [None] * 10 + ["3650"] * 10, object)
    parts, _ = parts_of(s33=names)
    split = parts.stocks["sector"]
    assert split.names == ["0050", "3650"]
    np.testing.assert_array_equal(split.part[0], [0] * 10 + [-1] * 20 + [1] * 10)


def test_size_is_broken_down_only_where_market_values_are_known():
    parts, grid = parts_of()
    assert set(parts.stocks) == {"sector", "liquidity"}
    assert set(parts.traits) == {"liquidity", "momentum"}
    sizes = pl.DataFrame({
        "date": np.repeat(grid.dates, 40), "code": np.tile(grid.codes, 30),
        "market_cap_log": np.tile(np.arange(40.0), 30),
    })  # fmt: skip
    parts, _ = parts_of(sizes=sizes)
    np.testing.assert_array_equal(np.bincount(parts.stocks["size"].part[7]), [13, 14, 13])
    assert (np.diff(parts.stocks["size"].part[7]) >= 0).all()
    np.testing.assert_allclose(parts.traits["size"].std(axis=1), 1)


def test_an_effect_that_is_planted_in_one_third_is_seen_there_alone():
    random = np.random.default_rng(6)
    days, stocks = 250, 150
    every = np.array(judged.sessions(days), "datetime64[D]")
    value = np.exp(np.arange(stocks)) ** 0.1 * np.ones((days, 1))
    gains = random.normal(0, 0.02, (days, stocks))
    close = 1000 * np.cumprod(1 + gains, axis=0)
    panel = panels.make(close, days=every, value=value * 1e6)
    grid = panel.grid
    label = np.vstack([gains[2:], np.full((2, stocks), NAN)])
    score = random.normal(size=label.shape)
    score[:, 100:] += 40 * np.nan_to_num(label[:, 100:])  # the most traded third
    rows = {"date": np.repeat(grid.dates, stocks), "code": np.tile(grid.codes, days)}
    labels = pl.DataFrame(rows | {"label": label.ravel()}).with_columns(
        horizon=pl.lit(1, pl.Int16)
    ).filter(pl.col("label").is_not_nan())  # fmt: skip
    prediction = pl.DataFrame(rows | {"prediction_1d": score.ravel()})
    prediction = prediction.with_columns(fold=pl.lit(0, pl.Int16))
    _, summary = evaluate.evaluate(
        {0: prediction}, labels, None, Surroundings(panel), [1], judged.rules()
    )
    found = summary["breakdowns"]["1"]["groups"]["liquidity"]
    assert found["high"]["low"] > 0.3
    for name in ("low", "middle"):
        assert found[name]["low"] < 0 < found[name]["high"]


# ---- parts of days -------------------------------------------------------------------------------


def test_a_days_third_is_told_by_the_days_before_it():
    values = np.r_[np.arange(60.0), 59.5, -1, 30, 20, NAN, 99]
    thirds = breakdowns._third_among_past(values)
    assert (thirds[:60] == -1).all()
    # 60.5 past values below; none; 31 of 62 below; 22 of 63; unknown; all.
    np.testing.assert_array_equal(thirds[60:], [2, 0, 1, 1, -1, 2])


def test_the_markets_states_are_those_of_the_universes_mean_return():
    close = panels.walk(140, 6, seed=5)
    panel = panels.make(close)
    mean = np.append(NAN, (close[1:] / close[:-1] - 1).mean(axis=1))
    volatility, regime = breakdowns.market_states(panel)
    assert (regime[:60] == -1).all()
    for t in (60, 99, 139):
        assert regime[t] == (mean[t - 59 : t + 1].mean() > 0)
    # The first return is of the second session, and the first of 20 ends in the 21st.
    assert (volatility[:80] == -1).all()
    trailing = np.array([mean[t - 19 : t + 1].std() for t in range(20, 140)])
    for t in (80, 110, 139):
        share = (trailing[: t - 20] < trailing[t - 20]).mean()
        assert volatility[t] == int(3 * share - 1e-12)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(70, 118))
def test_what_comes_later_changes_no_grouping_of_an_earlier_day(seed, row):
    close, value = panels.walk(120, 30, seed, holes=0.05), panels.walk(120, 30, seed + 1)
    random = np.random.default_rng(seed)
    changed, other = close.copy(), value.copy()
    changed[row + 1 :] *= random.uniform(0.5, 2, changed[row + 1 :].shape)
    other[row + 1 :] *= random.uniform(0.1, 9, other[row + 1 :].shape)
    found = []
    for prices, values in ((close, value), (changed, other)):
        panel = panels.make(prices, value=values)
        surroundings = Surroundings(panel)
        trading = Trading.of(panel.grid, surroundings, judged.rules())
        members = np.ones(panel.shape, bool)
        found.append(Parts.of(panel.grid, members, trading, surroundings))
    for kind in ("days", "stocks"):
        one, two = (getattr(parts, kind) for parts in found)
        for name, split in one.items():
            np.testing.assert_array_equal(split.part[: row + 1], two[name].part[: row + 1], name)
    for name, trait in found[0].traits.items():
        np.testing.assert_array_equal(trait[: row + 1], found[1].traits[name][: row + 1], name)


def test_days_are_parted_and_a_part_without_a_day_is_left_out():
    rank_ic = np.array([0.1, 0.2, NAN, 0.4])
    found = breakdowns.of_days(rank_ic, Split(["a", "b", "c"], np.array([0, 1, 2, 1])))
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["b"], [NAN, 0.2, NAN, 0.4])


# ---- deciles and age -----------------------------------------------------------------------------


def test_decile_means_are_those_of_hand_and_rise_with_the_label():
    label = np.arange(40.0)[None] ** 2
    means, rising = breakdowns.deciles(Ordered.of(np.arange(40.0)[None]), Ordered.of(label))
    hand = label.reshape(10, 4).mean(axis=1) - label.mean()
    np.testing.assert_allclose(means[0], hand)
    assert rising[0] == pytest.approx(1)
    _, falling = breakdowns.deciles(Ordered.of(-np.arange(40.0)[None]), Ordered.of(label))
    assert falling[0] == pytest.approx(-1)


def test_monotonicity_is_scipys_and_an_empty_decile_is_left_out():
    score, label = tables(8)
    score[3] = np.where(score[3] > 0, 1.0, 0.0) + 0 * score[3]  # two values: two deciles
    means, rising = breakdowns.deciles(Ordered.of(score), Ordered.of(label))
    numbers = np.arange(10.0)
    expected = [spearman(numbers, row, fewest=3) for row in means]
    np.testing.assert_allclose(rising, expected, atol=1e-12)
    assert np.isfinite(means[3]).sum() == 2 and np.isnan(rising[3])


def test_a_day_with_too_few_stocks_has_no_deciles():
    means, rising = breakdowns.deciles(Ordered.of(np.arange(19.0)[None]), Ordered.of(np.eye(1, 19)))
    assert np.isnan(means).all() and np.isnan(rising).all()


def test_an_old_forecast_meets_the_label_of_the_later_day():
    score, label = tables(9, days=25)
    found = breakdowns.ages(Ordered.of(score), Ordered.of(label))
    assert list(found) == [0, 1, 2, 5, 10, 20]
    for age, values in found.items():
        expected = [NAN] * age + [spearman(score[t - age], label[t]) for t in range(age, 25)]
        np.testing.assert_allclose(values, expected, atol=1e-12)


def test_a_forecast_of_one_day_alone_is_worth_nothing_at_another_age():
    rows = judged.forecast(TRUTH, "reversal")
    surroundings = judged.surroundings(LABELS)
    _, summary = evaluate.evaluate({0: rows}, LABELS, None, surroundings, [1, 5], judged.rules())
    decay = summary["breakdowns"]["5"]["decay"]
    assert list(decay) == ["1", "5"]
    assert decay["1"]["0"]["low"] > 0.2
    for age in ("1", "2", "5"):
        assert decay["1"][age]["low"] < 0.03 and decay["1"][age]["mean"] < 0.1


# ---- exposures -----------------------------------------------------------------------------------


def test_beta_is_the_slope_of_a_regression():
    random = np.random.default_rng(3)
    index = random.normal(0, 0.01, 400)
    returns = 0.4 * index + random.normal(0, 0.01, 400)
    returns[:7], index[50] = NAN, NAN
    both = np.isfinite(returns) & np.isfinite(index)
    known = breakdowns.beta(returns, index, 0.95)
    assert known.mean == pytest.approx(np.polyfit(index[both], returns[both], 1)[0])
    assert known.low < 0.4 < known.high and known.days == both.sum()
    assert np.isnan(breakdowns.beta(returns, np.full(400, NAN), 0.95).mean)


def test_exposures_are_those_of_the_stocks_that_are_held():
    days = 60
    price = np.full((days + 1, 4), 100.0)
    every = np.ones(price.shape, bool)
    market = Market(price, every, every, ~every, 1e8 * every, 0.02 * every)
    _, grid = parts_of()
    split = Split(["0050", "3650"], np.tile([0, 1, 1, -1], (days + 1, 1)))
    trait = np.tile([1.5, 0.5, -0.5, -1.5], (days + 1, 1))
    parts = Parts({}, {"sector": split}, {"size": trait})
    trading = Trading(market, split.part, trait, None, judged.rules(quantiles=4))
    score = np.vstack([np.tile([4.0, 3, 2, 1], (days, 1)), np.full((1, 4), NAN)])
    book = portfolio.trade(judged.long_short(score, 4), market, 1, judged.rules().costs)
    known = breakdowns._exposures(Ordered.of(score), book, parts, trading, 1)
    # Long the first stock and short the last, which has no sector.
    assert known["traits"]["size"]["mean"] == pytest.approx(3.0)
    assert list(known["sectors"]) == ["0050"]
    assert known["sectors"]["0050"]["mean"] == pytest.approx(1.0)
    assert set(known["beta"]) == {"market"}
    with_index = dataclasses.replace(trading, topix=np.linspace(-0.01, 0.01, days + 1))
    known = breakdowns._exposures(Ordered.of(score), book, parts, with_index, 1)
    assert known["beta"]["topix"]["mean"] == pytest.approx(0, abs=1e-12)


def test_a_model_that_opens_no_book_has_no_exposures_and_is_still_broken_down():
    rows = judged.forecast(TRUTH).with_columns(
        pl.lit(0.0).alias("prediction_1d"), pl.lit(0.0).alias("prediction_5d")
    )
    surroundings = judged.surroundings(LABELS)
    _, summary = evaluate.evaluate({0: rows}, LABELS, None, surroundings, [1, 5], judged.rules())
    known = summary["breakdowns"]["1"]
    assert known["groups"]["year"] == {} and known["exposures"]["sectors"] == {}
    assert known["exposures"]["traits"]["liquidity"]["days"] == 0
