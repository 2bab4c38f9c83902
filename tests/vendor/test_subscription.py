"""What people are told of their data: what is there, what is missing, what must be deleted."""

import datetime as dt
import json
import os
import re

import numpy as np
import polars as pl
import pytest
from gogooku import files
from gogooku.raw import plans, provenance
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor import fetch, jquants, subscription
from gogooku.vendor.cache import Cache
from helpers.tiny_market import FIRST, KEY, LAST, SESSIONS, tables
from simulated_exchange.server.clock import JST
from simulated_exchange.server.exchange import Exchange

TABLES = tables()
NOW = dt.datetime(2024, 10, 8, 20, 0, tzinfo=JST)
DAYS = np.array(SESSIONS, "datetime64[D]")


@pytest.fixture
def store(tmp_path):
    """A store with what a plan had served, and a client of the plan that is left."""

    def opened(had, has, window=None):
        raw = tmp_path / "raw"
        with (
            Exchange(TABLES, key=KEY, now=lambda: NOW, plan=had) as exchange,
            jquants.Client(exchange.url, KEY, None, 60, 2) as client,
        ):
            client.plan = had
            cache = Cache(raw / ".days", had, "")
            for dataset in ("bars", "topix", "short_ratio"):
                got = fetch.read(client, dataset, FIRST, LAST, SESSIONS, now=NOW, cache=cache)
                told = provenance.describe(got.rows, dataset, "jquants", had, got.times)
                files.write_parquet(got.rows, raw / dataset / "2024q4.parquet", told)
        files.write_parquet(TABLES["master"], raw / "master" / "2024q4.parquet", {"source": "x"})
        exchange = Exchange(TABLES, key=KEY, now=lambda: NOW, plan=has, window=window)
        return raw, exchange

    return opened


def found(raw, exchange):
    with exchange, jquants.Client(exchange.url, KEY, None, 60, 2) as client:
        return subscription.uncovered(client, raw)


def test_a_plan_that_stays_leaves_nothing_uncovered(store):
    assert found(*store("standard", "standard")) == {}


def test_a_dearer_plan_leaves_nothing_uncovered(store):
    assert found(*store("light", "standard")) == {}


def test_a_cheaper_plan_uncovers_what_it_lacks_and_what_it_was_not_to_see(store):
    raw, exchange = store("premium", "light")
    reasons = {path.relative_to(raw).parts[:2]: why for path, why in found(raw, exchange).items()}
    assert reasons["short_ratio", "2024q4.parquet"] == "not part of the plan light"
    assert (
        reasons["bars", "2024q4.parquet"] == "has fields of the plan premium, and the plan is light"
    )
    assert ("topix", "2024q4.parquet") not in reasons
    assert not any(parts[0] == "master" for parts in reasons)  # of another source


def test_days_that_have_left_the_window_are_uncovered_and_purged_with_their_spans(store):
    window = (SESSIONS[3], None)
    raw, exchange = store("standard", "standard", window)
    gone = found(raw, exchange)
    days = {path.stem for path in gone if "bars" in path.parts and ".days" in path.parts}
    assert days == {str(day) for day in SESSIONS[:3]}
    assert raw / "bars" / "2024q4.parquet" in gone
    told = subscription.listed(gone, raw)
    assert re.search(r"\.days/bars/\S+ +3  holds days outside 2024-09-30 to now", told)
    assert f"{len(gone)} files deleted" in subscription.purge(gone)
    assert not any(path.exists() for path in gone)
    left = {path.stem for path in raw.rglob("*.parquet")}
    assert left >= {str(day) for day in SESSIONS[3:]}


def test_drafts_that_killed_jobs_have_left_are_purged_and_those_of_living_ones_stay(store):
    raw, exchange = store("standard", "standard")
    answers = next((raw / ".days" / "bars").iterdir())
    old, new = answers / ".2024-10-01.parquet.k2x9", raw / "bars" / ".2024q4.parquet.a7b3"
    for draft in (old, new):
        draft.write_bytes(b"half")
    os.utime(old, times=(0, 0))
    gone = found(raw, exchange)
    assert gone == {old: "left by a job that was killed"}
    subscription.purge(gone)
    assert (old.exists(), new.exists()) == (False, True)


def test_files_that_a_cheaper_plan_left_without_something_are_named(store):
    raw, _ = store("light", "premium")
    head, *names = subscription.outgrown(raw, "premium").splitlines()
    assert head.startswith("fetched with a cheaper plan than premium; delete them")
    assert names == [
        f"  {raw}/bars/2024q4.parquet  the plan light has fewer fields",
        f"  {raw}/short_ratio/2024q4.parquet  the plan light lacks the data set",
    ]
    assert subscription.outgrown(raw, "light") == subscription.outgrown(raw, "free") == ""


def test_a_span_that_the_window_of_a_cheaper_plan_has_cut_is_named(store):
    raw, _ = store("light", "standard")
    (raw / "topix" / "2024q4.parquet").rename(raw / "topix" / "2024q3.parquet")
    told = subscription.outgrown(raw, "standard")
    assert "topix/2024q3.parquet  the plan light covers fewer days" in told
    assert "bars" not in told


def test_days_that_no_plan_has_are_not_said_to_be_missing(tmp_path):
    """An index begins in May 2008, and the announcers of a day are told on its eve alone."""
    begins = pl.DataFrame({"Date": [DATASETS["topix"].since + dt.timedelta(1)]})
    none = pl.DataFrame({"Date": []}, schema={"Date": pl.Date})
    kept = {("topix", "2008y"): begins, ("topix", "2007y"): none, ("bars_am", "2008y"): none,
            ("earnings_calendar", "2008y"): none}  # fmt: skip
    for (dataset, span), rows in kept.items():
        told = {"plan": "light", "rows": json.dumps({str(day): 1 for day in rows["Date"]})}
        files.write_parquet(rows, tmp_path / dataset / f"{span}.parquet", told)
    assert subscription.outgrown(tmp_path, "standard") == ""


def status(raw, plan, now, datasets, periods=((FIRST, LAST),), in_bulk=False):
    client = jquants.Client("http://127.0.0.1:1", KEY, plan, 60, 2)
    client.memory.keep(window=plans.Window(SESSIONS[1], None))
    cache = Cache(raw / ".days", plan, "")
    text = subscription.status(client, cache, datasets, periods, DAYS, 0.95, now, in_bulk)
    names, *lines = (re.split(r"  +", line.strip()) for line in text.splitlines())
    return {line[0]: dict(zip(names, line, strict=False)) for line in lines}


def test_the_status_counts_what_is_there_missing_open_and_refused(store):
    raw, _ = store("standard", "standard")
    next((raw / ".days" / "bars").rglob(f"{SESSIONS[4]}.parquet")).unlink()
    told = status(raw, "standard", NOW, ["bars", "topix", "summary", "breakdown"])
    bars = told["bars"]
    counts = [bars[name] for name in ("days", "there", "missing", "not covered")]
    assert counts == ["9", "7", "1", "1"]
    assert (bars["open"], bars["ask"]) == ("4", "1")
    assert (told["topix"]["days"], told["topix"]["there"]) == ("1", "1")
    assert (told["breakdown"]["not covered"], told["breakdown"]["ask"]) == ("9", "0")
    assert told["summary"]["missing"] == "7"  # the last day's is out at half past midnight


def test_the_status_tells_how_long_the_rest_takes(tmp_path):
    told = status(tmp_path, "free", NOW, ["bars", "summary"])
    assert told["bars"]["ask"] == "8"
    assert float(told["bars"]["min"]) == pytest.approx(8 / (0.95 * 5), abs=0.06)
    assert "all" in told


@pytest.mark.parametrize(
    "plan, spans, requests",
    [
        ("light", [(SESSIONS[1], LAST)], 3),  # a list and two files, of three and five sessions
        ("light", [(SESSIONS[1], dt.date(2024, 9, 30)), (dt.date(2024, 10, 1), LAST)], 2 + 2),
        ("light", [(SESSIONS[2], LAST)], 2 + 2),  # two sessions of September are asked for
        ("light", [(SESSIONS[-2], LAST)], 2),
        ("free", [(SESSIONS[1], LAST)], 8),
    ],
)
def test_months_that_files_bring_cost_one_request_each(tmp_path, plan, spans, requests):
    later = NOW + dt.timedelta(60)
    days = status(tmp_path, plan, later, ["bars", "topix"], spans)["bars"]
    told = status(tmp_path, plan, later, ["bars", "topix"], spans, in_bulk=True)
    assert (told["bars"]["ask"], told["bars"]["missing"]) == (str(requests), days["missing"])
    assert days["ask"] == days["missing"]
    assert told["topix"]["ask"] == str(len(spans) if plan == "light" else 0)


def test_the_present_month_has_no_file(tmp_path):
    told = status(tmp_path, "light", NOW, ["bars"], [(SESSIONS[1], LAST)], in_bulk=True)
    assert told["bars"]["ask"] == str(2 + 5)


def test_data_sets_with_one_limit_take_their_time_one_after_the_other(tmp_path):
    told = status(tmp_path, "premium", NOW, ["summary", "details", "bars"])
    asked = [int(told[name]["ask"]) for name in ("summary", "details")]
    assert asked == [7, 7]
    assert [told[name]["min"] for name in ("summary", "details")] == ["0.1", "0.1"]
    assert list(told["all"].values())[-2:] == ["22", "0.2"]  # 14 of 57 a minute
