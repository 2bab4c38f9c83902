"""The lag report says how old the newest rows are that a day may use."""

import datetime as dt

import polars as pl
import pytest
from gogooku import calendar, files, point_in_time
from gogooku.research import lags, lags_page
from helpers import markup

CLOSES = [calendar.Close("15:00", since=dt.date(1900, 1, 1))]
DECISIONS = {"published": "close", "served": "19:00"}
DAYS = [dt.date(2023, 12, 28), dt.date(2023, 12, 29), dt.date(2024, 1, 4)]
PANEL = pl.DataFrame({"date": DAYS}).join(
    pl.DataFrame({"code": ["13010", "13020", "99990"], "universe": [True, True, False]}),
    how="cross",
)


def at(text):
    """A moment, told in JST."""
    moment = dt.datetime.fromisoformat(text) - dt.timedelta(hours=9)
    return moment.replace(tzinfo=dt.UTC)


def write(path, *rows):
    """Raw rows of (code, known, served); code None where the data set has no stocks."""
    columns = {
        "Code": pl.String,
        "known_at": point_in_time.MOMENT,
        "served_at": point_in_time.MOMENT,
    }
    frame = pl.DataFrame(
        [(code, at(published), at(served)) for code, published, served in rows],
        columns,
        orient="row",
    )
    files.write_parquet(frame if rows[0][0] else frame.drop("Code"), path)
    return str(path)


@pytest.fixture
def raw(tmp_path):
    bars = [
        (code, f"{day}T15:00", f"{day}T16:30")
        for day in DAYS
        for code in PANEL["code"].unique(maintain_order=True)
    ]
    filings = [
        ("13010", "2023-12-28T16:00", "2023-12-28T18:00"),
        ("13010", "2024-01-04T15:00:01", "2024-01-04T18:00"),
        ("99990", "2023-12-27T09:00", "2023-12-27T18:00"),
    ]
    weekly = [
        (None, "2023-12-28T15:00", "2023-12-28T20:00"),
        (None, "2023-12-28T14:00", "2023-12-28T18:00"),
    ]
    return [
        write(tmp_path / "bars" / "2023q4.parquet", *bars[:6]),
        write(tmp_path / "bars" / "2024q1.parquet", *bars[6:]),
        write(tmp_path / "master" / "2023q4.parquet", *bars),
        write(tmp_path / "summary" / "2023q4.parquet", *filings),
        write(tmp_path / "investor_types" / "2023q4.parquet", *weekly),
        write(tmp_path / "topix" / "2023q4.parquet", *weekly),
    ]


def measured(raw, families=("statement", "flow")):
    return lags.measure(PANEL, raw, families, DECISIONS, CLOSES)


def row(rows, clock, dataset, year=None):
    found = rows.filter(pl.col("year").eq_missing(pl.lit(year)), clock=clock, dataset=dataset)
    return found.row(0, named=True)


def test_prices_are_known_at_the_decision_itself_or_when_the_api_has_delivered(raw):
    rows = measured(raw)
    told = row(rows, "published", "bars")
    assert (told["family"], told["asked"], told["missing"]) == ("panel", 6, 0)
    assert [told[name] for name in lags.LAGS] == [0, 0, 0, 0]
    assert [row(rows, "served", "bars")[name] for name in lags.LAGS] == [2.5] * 4


def test_the_newest_filing_of_each_member_counts_and_one_known_later_does_not(raw):
    rows = measured(raw)
    told = row(rows, "published", "summary")  # 13010 on 12-29 and 01-04; 13020 has none
    assert (told["asked"], told["missing"]) == (6, 4)
    assert (told["min"], told["max"]) == (23, 23 + 6 * 24)
    assert row(rows, "published", "summary", 2024)["min"] == 23 + 6 * 24
    served = row(rows, "served", "summary")
    assert (served["missing"], served["min"], served["max"]) == (3, 1, 25)


def test_rows_of_no_stock_count_once_a_session(raw):
    told = row(measured(raw), "published", "investor_types")
    assert (told["family"], told["asked"], told["min"], told["max"]) == ("flow", 3, 0, 7 * 24)


def test_only_what_the_families_read_is_measured_once_for_each(raw):
    rows = measured(raw, ["market", "relative"]).filter(pl.col("year").is_null())
    read = {("panel", "bars"), ("panel", "master"), ("market", "topix"), ("relative", "topix")}
    assert set(rows.select("family", "dataset").rows()) == read
    assert len(rows) == 2 * len(read)


def test_the_page_tells_both_clocks_and_every_year(raw):
    rows = measured(raw)
    page = lags_page.build(rows, "<trial>", DECISIONS)
    assert "&lt;trial&gt;" in page and "http" not in page
    assert markup.read(page).faults == []
    assert "decided at the close" in page and "decided at 19:00 JST" in page
    assert "summary<i>2023</i>" in page and "summary<i>2024</i>" in page
    assert ">23.0 h<" in page and ">7.0 days<" in page
    assert {entry["dataset"] for entry in lags.summary(rows)} == set(rows["dataset"])
