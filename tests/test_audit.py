"""The audit changes the future only, and sees the smallest difference in the past."""

import datetime as dt

import polars as pl
import pytest
from gogooku import audit, run

NOON = dt.datetime(2024, 1, 5, 12, tzinfo=dt.UTC)


def raw(days=40):
    dates = pl.date_range(
        dt.date(2024, 1, 1), dt.date(2024, 1, 1) + dt.timedelta(days - 1), eager=True
    )
    known = dates.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.DataFrame({"Date": dates, "Code": ["13010"] * days, "C": [100.0] * days,
                         "known_at": known, "served_at": known.dt.offset_by("5d")})  # fmt: skip


@pytest.mark.parametrize("clock, past", [("published", 5), ("served", 0)])
def test_rows_known_by_then_stay_and_later_ones_change(clock, past):
    changed, unknown = audit.change_future(raw(), NOON, clock, seed=1)
    assert unknown == 40 - past
    assert changed.head(past).equals(raw().head(past))
    later = changed.tail(len(changed) - past)
    assert (later["C"] != 100.0).all() and 0 < len(later) <= 40 - past
    assert later["known_at"].is_sorted()


def test_corrections_are_added_to_filings():
    rows = raw(400).with_columns(DiscNo=pl.col("Date").cast(pl.String))
    changed, _ = audit.change_future(rows, NOON, "published", seed=1)
    assert changed["DiscNo"].is_duplicated().any()


def run_with(folder, values):
    dates = [dt.date(2024, 1, day) for day in (4, 5, 9)]
    frame = pl.DataFrame({"date": dates, "code": ["13010"] * 3, "a": values})
    run.write_parquet(frame, folder / "panel" / "2024q1.parquet")
    return folder


@pytest.mark.parametrize(
    "values, difference",
    [
        ([1.0, None, 9.0], None),
        ([1.0, 2.0, 3.0], "2024-01-05 13010"),
        ([1.0 + 1e-15, None, 3.0], "2024-01-04 13010"),
    ],
)
def test_the_first_difference_up_to_the_day_is_named(tmp_path, values, difference):
    before = run_with(tmp_path / "before", [1.0, None, 3.0])
    row, fits = audit.compare(before, run_with(tmp_path / "after", values), dt.date(2024, 1, 5))
    assert fits["difference"] is None
    assert row["rows"] == 2
    assert (row["difference"] or {}).get("first") == difference


def test_a_leak_and_a_blind_audit_are_both_refused(tmp_path):
    before, day = run_with(tmp_path / "before", [1.0, None, 3.0]), dt.date(2024, 1, 5)
    leaking = audit.compare(before, run_with(tmp_path / "leak", [1.0, 2.0, 4.0]), day)
    with pytest.raises(run.UserError, match="look-ahead: panel/2024q1.parquet column a"):
        audit.verdict(leaking, day)
    blind = audit.compare(before, run_with(tmp_path / "same", [1.0, None, 3.0]), day)
    with pytest.raises(run.UserError, match=r"changed nothing that .*panel"):
        audit.verdict(blind, day)
    audit.verdict(audit.compare(before, run_with(tmp_path / "fine", [1.0, None, 4.0]), day), day)


def test_a_model_that_learnt_from_the_future_is_named(tmp_path):
    day = dt.date(2024, 1, 5)
    houses = [run_with(tmp_path / name, [1.0, None, 3.0]) for name in ("before", "after")]
    for house, weight in zip(houses, (1.0, 2.0), strict=True):
        run.write_json({"weight": weight}, house / "models/ridge/fold0/seed0/model.json")
    with pytest.raises(run.UserError, match="models/ridge/fold0/seed0/model.json"):
        audit.verdict(audit.compare(*houses, day), day)
