"""Labels are returns that can be had: entered after the day, counted in sessions, never guessed."""

import numpy as np
import polars as pl
import pytest
from gogooku.calendar import ENTRY_LAG
from gogooku.dataset import labels
from gogooku.features import technical
from helpers.panels import make, walk, weekdays
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

FIRST, LAST = "1900-01-01", "2100-01-01"


def realised(panel, horizons=(1, 5), entry="next_close", first=FIRST, last=LAST):
    return labels.realised(panel, first, last, horizons=list(horizons), entry=entry)


def test_a_label_of_one_session_is_the_return_two_sessions_later():
    panel = make(walk(40, 6, holes=0.1))
    rows = realised(panel, [1])
    day = np.searchsorted(panel.dates, rows["date"].to_numpy().astype("datetime64[D]"))
    slot = np.searchsorted(panel.codes, rows["code"].to_numpy().astype(str))
    returns = technical.ind.returns(panel["close"], 1).astype(np.float32)
    assert len(rows) == np.isfinite(returns[2:]).sum()
    np.testing.assert_array_equal(rows["label"].to_numpy(), returns[day + 2, slot])


@pytest.mark.parametrize(
    "entry, start, end",
    [("next_close", 110, 121), ("next_open", 108.9, 119.79), ("close", 100, 110)],
)
def test_entry_and_exit_prices_are_those_of_the_convention(entry, start, end):
    rows = realised(make([[100], [110], [121], [133.1]]), [1], entry)
    assert rows["label"][0] == pytest.approx(end / start - 1, rel=1e-6)
    assert len(rows) == (3 if entry == "close" else 2)


def test_a_split_between_entry_and_exit_is_no_loss():
    factor = np.array([[1.0], [1.0], [0.5], [1.0]])
    rows = realised(make([[100], [100], [52], [53]], factor=factor), [1])
    np.testing.assert_allclose(rows["label"], [0.04, 53 / 52 - 1], rtol=1e-6)


def test_no_label_crosses_a_new_level_of_prices():
    level = np.zeros((8, 1), bool)
    level[4] = True
    factor = np.where(level, 0.5, 1.0)
    close = [[100], [101], [102], [np.nan], [52], [53], [54], [55]]
    rows = realised(make(close, factor=factor, new_level=level), [1, 2], "close")
    days = weekdays(8)
    ends = {(row["date"], row["horizon"]) for row in rows.iter_rows(named=True)}
    within = [(0, 1), (1, 1), (0, 2), (4, 1), (5, 1), (6, 1), (4, 2), (5, 2)]
    assert ends == {(days[start].item(), horizon) for start, horizon in within}


def test_a_label_with_a_missing_price_has_no_row_and_no_other_exit():
    rows = realised(make([[100], [100], [np.nan], [103], [104]]), [1])
    assert rows["date"].to_list() == [weekdays(5)[2].item()]


def test_a_session_without_any_price_still_counts_as_one():
    close = walk(12, 3)
    close[5] = np.nan
    rows = realised(make(close), [5])
    held = rows.select(
        pl.col("exit").replace_strict(dict(zip(weekdays(12).tolist(), range(12), strict=True)))
        - pl.col("date").replace_strict(dict(zip(weekdays(12).tolist(), range(12), strict=True)))
    )
    assert held.to_series().unique().to_list() == [6]


def test_a_stock_has_no_label_before_its_listing():
    frame = make(walk(6, 2))
    listed = frame["listed"].copy()
    listed[:2, 1] = False
    rows = realised(type(frame)(frame.dates, frame.codes, {**frame.fields, "listed": listed}), [1])
    assert rows.filter(pl.col("code") == frame.codes[1])["date"].min() == frame.dates[2].item()


@settings(max_examples=30, deadline=None)
@given(st.integers(12, 60), st.integers(1, 58), st.sampled_from(list(ENTRY_LAG)))
def test_files_by_exit_hold_every_label_once(sessions, cut, entry):
    panel = make(walk(sessions, 3, holes=0.2))
    cut = panel.dates[min(cut, sessions - 1)]
    early = realised(panel, entry=entry, last=str(cut - 1))
    late = realised(panel, entry=entry, first=str(cut))
    whole = realised(panel, entry=entry)
    assert_frame_equal(pl.concat([early, late]).sort("date", "code", "horizon"), whole)
    assert early.is_empty() or early["exit"].max() < cut.item()


def test_what_was_realised_by_a_day_depends_on_no_later_price():
    close = walk(60, 5)
    changed = close.copy()
    changed[40:] *= 1.5
    day = str(weekdays(60)[39])
    assert_frame_equal(realised(make(close), last=day), realised(make(changed), last=day))
    assert not realised(make(close)).equals(realised(make(changed)))
