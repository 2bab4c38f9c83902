"""The profile counts what is known, constant, far out, stale and alike; the page tells."""

import datetime as dt
from collections import defaultdict

import numpy as np
import polars as pl
import pytest
from gogooku.dataset import column_quality
from gogooku.report import columns_page
from helpers import markup
from scipy import stats

DATES = [dt.date(2024, 1, 4), dt.date(2024, 1, 5), dt.date(2024, 1, 9), dt.date(2024, 1, 10)]
CODES = [f"{1301 + i}0" for i in range(20)]
SHAPE = (len(DATES), len(CODES))
OUTSIDER = 19  # the last stock is no member
ABOUT = defaultdict(lambda: "made up (1); <here>")


def panel(dates=DATES):
    rows = pl.DataFrame({"date": dates}).join(pl.DataFrame({"code": CODES}), how="cross")
    return rows.with_columns(universe=pl.col("code") != CODES[OUTSIDER])


def family(kinds, **columns):
    frame = panel().select("date", "code")
    values = {
        name: pl.Series(np.broadcast_to(x, SHAPE).ravel().astype(np.float32), nan_to_null=True)
        for name, x in columns.items()
    }
    return frame.with_columns(**values), dict.fromkeys(columns, kinds)


def measured(kind="stock", **columns):
    rows = column_quality.measure(panel(), {"own": family(kind, **columns)}, "2024q1", 10, ABOUT)
    return {row["column"]: row for row in rows.iter_rows(named=True)}


def noise(seed=0):
    return np.random.default_rng(seed).standard_normal(SHAPE)


def test_coverage_counts_the_rows_of_members_alone():
    x = noise()
    x[0, :5] = np.nan
    x[:, OUTSIDER] = np.nan
    told = measured(x=x)["x"]
    assert (told["rows"], told["known"], told["year"]) == (4 * 19, 4 * 19 - 5, 2024)


def test_a_stock_column_is_constant_by_day_and_a_market_column_by_span():
    x = noise()
    x[1, :OUTSIDER] = 3.0
    x[2, 1:] = np.nan  # one known value says nothing
    told = measured(x=x)["x"]
    assert (told["days"], told["constant"]) == (3, 1)
    moving, still = np.arange(4.0)[:, None], np.full((4, 1), 7.0)
    told = measured("market", moving=moving, still=still)
    assert (told["moving"]["days"], told["moving"]["constant"]) == (4, 0)
    assert (told["still"]["days"], told["still"]["constant"]) == (4, 4)


def test_a_stale_value_equals_the_same_stocks_of_the_session_before():
    x = noise()
    x[1, 3] = x[0, 3]
    x[3, 4] = x[1, 4]  # two sessions apart
    x[0, 5] = np.nan
    x[2, OUTSIDER] = x[1, OUTSIDER]
    told = measured(x=x)["x"]
    assert (told["pairs"], told["stale"]) == (3 * 19 - 1, 1)
    assert measured("flag", x=x)["x"]["pairs"] == 0


def test_a_stock_that_was_away_a_session_has_no_value_before():
    days = panel().filter(~((pl.col("date") == DATES[1]) & (pl.col("code") == CODES[0])))
    rows = days.select("date", "code", x=pl.lit(1.0))
    told = column_quality.measure(days, {"own": (rows, {"x": "stock"})}, "2024q1", 10, ABOUT)
    assert told["pairs"].item() == 3 * 19 - 2


def test_a_value_far_out_is_measured_in_ranges_and_an_infinite_one_counted():
    x = np.tile(np.linspace(-1, 1, 20), (4, 1))
    assert measured(x=x)["x"]["farthest"] == pytest.approx(0.5, abs=0.1)
    x[2, 2], x[3, 3] = 2e4, np.inf
    told = measured(x=x)["x"]
    assert told["infinite"] == 1 and told["known"] == 4 * 19 - 1
    assert told["farthest"] == pytest.approx(1e4, rel=0.2)
    still = np.zeros(SHAPE)
    assert measured(x=still)["x"]["farthest"] == 0
    still[2, 2] = 1e30
    assert measured(x=still)["x"]["farthest"] == pytest.approx(1e30)


def test_a_day_on_which_few_stocks_have_a_column_is_thin():
    x = noise()
    x[0, 9:], x[1, 10:], x[2] = np.nan, np.nan, np.nan
    assert measured(x=x)["x"]["thin"] == 1  # 9 have it, 10, none, all
    assert measured("market", x=x)["x"]["thin"] == 0


def test_twins_are_columns_of_the_same_order_up_or_down_on_all_days():
    x, rough = noise(), noise(1).round()
    almost = x.copy()
    almost[3, :2] = almost[3, 1::-1]
    told = measured(
        x=x, up=np.exp(x), down=-3 * x, almost=almost, rough=rough, negated=-rough, other=noise(2)
    )
    twins = {name: row["twin"] for name, row in told.items() if row["twin"]}
    assert twins == {"up": "x", "down": "x", "negated": "rough"}


def test_twins_share_their_gaps_and_columns_that_say_nothing_have_none():
    x = noise()
    gaps = x.copy()
    gaps[1, 4] = np.nan
    told = measured(x=x, gaps=gaps, again=2 * gaps, none=x * np.nan, nought=x * 0, one=x * 0 + 1)
    assert {name: row["twin"] for name, row in told.items() if row["twin"]} == {"again": "gaps"}


def test_the_sketch_holds_the_quantiles_and_drift_is_the_ks_distance_of_two():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 20000), rng.normal(0.7, 1, 20000)
    sketches = [column_quality._sketched(np.sort(x))["sketch"] for x in (a, b)]
    np.testing.assert_allclose(sketches[0], np.quantile(a, np.linspace(0, 1, 101)), atol=0.02)
    assert column_quality.drift(*sketches) == pytest.approx(
        stats.ks_2samp(a, b).statistic, abs=0.02
    )
    assert column_quality.drift(sketches[0], sketches[0]) == 0
    assert column_quality.drift([0.0] * 101, [1.0] * 101) == 1


def test_a_span_without_members_is_measured_as_nothing():
    empty = panel().with_columns(universe=pl.lit(False))
    (told,) = column_quality.measure(
        empty, {"own": family("stock", x=noise())}, "q", 10, ABOUT
    ).rows(named=True)
    assert (told["rows"], told["known"], told["days"], told["sketch"]) == (0, 0, 0, [])


@pytest.fixture
def rows():
    x = noise()
    late = np.where(np.arange(4)[:, None] < 2, np.nan, noise(3))
    columns = {
        "x": x,
        "log_x": np.exp(x),
        "late": late,
        "never": x * np.nan,
        "nought": x * 0,
        "wild": np.where(np.arange(80).reshape(SHAPE) == 47, 1e6, x),
        "slow": np.tile(x[0], (4, 1)),
        "sec_member_cnt": np.tile(x[1], (4, 1)),
    }
    first = column_quality.measure(
        panel(), {"technical": family("stock", **columns)}, "2024q1", 10, ABOUT
    )
    moved = columns | {"wild": noise(9) + 40}
    second = column_quality.measure(
        panel(), {"technical": family("stock", **moved)}, "2025q1", 10, ABOUT
    )
    return pl.concat([first, second.with_columns(year=pl.lit(2025, pl.Int32))])


def test_the_words_name_what_is_wrong(rows):
    told = columns_page.words(rows)
    assert told[0] == "6 of 8 columns are known in at least 95% of the universe's rows."
    assert "1 column is never known: never." in told
    assert "1 column never tells anything apart: nought." in told
    assert "1 column has values more than 100 ranges out: wild." in told
    assert "2 columns should move with prices and mostly stand still: nought, slow." in told
    assert "1 column orders stocks exactly as another column does: log_x." in told


def test_the_page_shows_coverage_by_year_and_the_worst_columns(rows):
    page = columns_page.build(rows, "<trial>")
    assert "&lt;trial&gt;" in page and "http" not in page
    assert 'title="late, 2024: 50.0\N{NO-BREAK SPACE}%"' in page
    assert 'title="never, 2025: 0\N{NO-BREAK SPACE}%"' in page
    assert "2024q1 → 2025q1" in page
    assert page.count("<small>made up (1); &lt;here&gt;</small>") == 8
    reader = markup.read(page)
    assert reader.faults == [] and reader.open == []
    assert set(reader.links) - {"index.html"} <= {f"#{name}" for name in reader.names}
    assert page.count("<details>") == 1 and page.count("<i style=") == 16


def test_a_twin_for_a_while_is_none(rows):
    parted = rows.with_columns(twin=pl.when(pl.col("span") == "2024q1").then("twin"))
    assert "log_x." not in " ".join(columns_page.words(parted))


def test_a_share_that_is_not_whole_never_reads_as_whole():
    texts = [columns_page._percent(share) for share in (1.0, 0.99999, 0.00001, 0.0, None)]
    assert [text.replace("\N{NO-BREAK SPACE}", "") for text in texts] == [
        "100%", "99.9%", "0.1%", "0%", "–"
    ]  # fmt: skip


def test_one_clean_span_makes_a_page_too(rows):
    page = columns_page.build(rows.filter(span="2024q1", column="x"), "trial")
    assert "There is no second span" in page and "Every column is known" in page
