"""The vendor's own Python client, unmodified, reads our server, and its frames equal ours."""

import datetime as dt
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor import fetch
from gogooku.vendor.jquants import Client
from helpers.tiny_market import typed
from polars.testing import assert_frame_equal
from simulated_exchange.market import simulation
from simulated_exchange.server.exchange import Exchange

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("official")]

CLIENT = "jquants-api-client==2.8.0"
PLACE = Path(__file__).parents[2] / ".venv" / "official"
KEY = "the-key-of-the-official-client"
START, END = dt.date(2026, 6, 1), dt.date(2026, 10, 30)
NOW = dt.datetime(2026, 10, 30, 19, 30, tzinfo=dt.timezone(dt.timedelta(hours=9)))
DAY, WEEK = dt.date(2026, 10, 22), "2026-08-07"

# Data set → the official client's method and words, and the same question in ours.
DAILY = {
    "master": ("get_eq_master", "date", "date"),
    "bars": ("get_eq_bars_daily", "date_yyyymmdd", "date"),
    "bars_minute": ("get_eq_bars_minute", "date_yyyymmdd", "date"),
    "valuation": ("get_eq_valuation", "date_yyyymmdd", "date"),
    "summary": ("get_fin_summary", "date_yyyymmdd", "date"),
    "details": ("get_fin_details", "date_yyyymmdd", "date"),
    "dividend": ("get_fin_dividend", "date_yyyymmdd", "date"),
    "earnings_date": ("get_fin_earnings_date", "date_yyyymmdd", "date"),
    "short_ratio": ("get_mkt_short_ratio", "date_yyyymmdd", "date"),
    "short_sale": ("get_mkt_short_sale_report", "disclosed_date", "disc_date"),
    "margin_interest": ("get_mkt_margin_interest", "date_yyyymmdd", "date"),
    "margin_alert": ("get_mkt_margin_alert", "date_yyyymmdd", "date"),
    "breakdown": ("get_mkt_breakdown", "date_yyyymmdd", "date"),
    "indices": ("get_idx_bars_daily", "date_yyyymmdd", "date"),
    "futures": ("get_drv_bars_daily_fut", "date_yyyymmdd", "date"),
    "options": ("get_drv_bars_daily_opt", "date_yyyymmdd", "date"),
    "options_225": ("get_drv_bars_daily_opt_225", "date_yyyymmdd", "date"),
}
RANGES = {
    "calendar": "get_mkt_calendar",
    "topix": "get_idx_bars_daily_topix",
    "investor_types": "get_eq_investor_types",
}
NOW_ONLY = {"bars_am": "get_eq_bars_daily_am", "earnings_calendar": "get_eq_earnings_cal"}
EVERY = [*DAILY, *RANGES, *NOW_ONLY]
SEPTEMBER = dt.date(2026, 9, 1), dt.date(2026, 9, 30)
MONTH = "equities/bars/daily/premium/historical/2026/equities_bars_daily_202609.csv.gz"


def busiest(tables, name):
    """The day of a data set that has most rows; DAY for those that every session fills."""
    if name not in tables or not DATASETS[name].empty:
        return str(DAY)
    days = tables[name][DATASETS[name].day]
    return str(days.filter(days <= DAY).mode().max())


def questions(folder, days):
    asked = [
        {"name": name, "method": method, "arguments": {word: days[name]}}
        for name, (method, word, _) in DAILY.items()
    ]
    asked.append({
        "name": "weekly", "method": "get_mkt_margin_interest", "arguments": {"date_yyyymmdd": WEEK},
    })  # fmt: skip
    asked += [
        {"name": name, "method": method,
         "arguments": {"from_yyyymmdd": "2026-07-01", "to_yyyymmdd": "2026-09-30"}}
        for name, method in RANGES.items()
    ]  # fmt: skip
    asked += [
        {"name": name, "method": method, "arguments": {}} for name, method in NOW_ONLY.items()
    ]
    asked.append({
        "name": "bulk_list", "method": "get_bulk_list",
        "arguments": {"endpoint": "/equities/bars/daily"},
    })  # fmt: skip
    asked.append({
        "name": "bulk_get", "method": "download_bulk",
        "arguments": {"key": MONTH, "output_path": str(folder / "month.csv.gz")},
    })  # fmt: skip
    return asked


@pytest.fixture(scope="module")
def python():
    """Python of an environment that holds the official client and nothing of ours."""
    found = PLACE / "bin" / "python"
    done = subprocess.run(
        [found, "-c", "import jquantsapi"], capture_output=True, check=False
    ) if found.exists() else None  # fmt: skip
    if done is None or done.returncode:
        shutil.rmtree(PLACE, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", PLACE], check=True)
        made = subprocess.run(
            [PLACE / "bin" / "pip", "install", "-q", CLIENT],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"{CLIENT} cannot be installed here: {made.stderr[-300:]}")
    return found


@pytest.fixture(scope="module")
def told(python, tmp_path_factory):
    """What either client got of one market: theirs in a folder, ours by name."""
    folder = tmp_path_factory.mktemp("official")
    market = simulation.simulate(seed=3, start=START, end=END, stocks=60, parts={})
    tables = dict(market.tables)
    days = {name: busiest(tables, name) for name in DAILY}
    with Exchange(
        tables, key=KEY, now=lambda: NOW, plan="premium", minute_bars=True, page_rows=40
    ) as exchange:
        done = subprocess.run(
            [python, Path(__file__).parent / "official" / "ask.py", exchange.url, folder],
            input=json.dumps(questions(folder, days)), text=True, capture_output=True, check=False,
            env={**os.environ, "JQUANTS_API_KEY": KEY, "HOME": str(folder)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        with Client(exchange.url, KEY, None, 30, 2) as client:
            ours = {
                name: client.rows(name, {word: days[name]}) for name, (_, _, word) in DAILY.items()
            }
            ours["weekly"] = client.rows("margin_interest", {"date": WEEK})
            span = {"from": "2026-07-01", "to": "2026-09-30"}
            ours |= {name: client.rows(name, span) for name in RANGES}
            ours |= {name: client.rows(name, {}) for name in NOW_ONLY}
            listed = client.files("bars", "202606", "202610")
            ours["file"] = client.download(next(file for file in listed if file.key == MONTH))
            days = tables["calendar"].filter(pl.col("HolDiv") != "0")["Date"]
            ours["month"] = fetch.read(client, "bars", *SEPTEMBER, days).rows
    return folder, ours, listed


def theirs(told, name):
    return json.loads((told[0] / f"{name}.json").read_text(encoding="utf-8"))


def test_every_endpoint_of_a_data_set_is_compared():
    assert set(EVERY) == set(DATASETS)


@pytest.mark.parametrize("name", [*EVERY, "weekly"])
def test_the_official_clients_frame_equals_ours(told, name):
    dataset = "margin_interest" if name == "weekly" else name
    rows = theirs(told, name)
    found = typed(dataset, rows)
    mine = told[1][name]
    assert len(rows) == len(mine) > 0
    key = DATASETS[dataset].key
    assert_frame_equal(found.sort(key), mine.select(found.columns).sort(key), check_exact=True)
    named = {field.name for field in DATASETS[dataset].fields if field.name != "ReadOn"}
    assert named <= set().union(*rows)


def test_the_bulk_list_is_the_same_for_both(told):
    found = [(row["Key"], row["Size"]) for row in theirs(told, "bulk_list")]
    mine = [(file.key, file.size) for file in told[2]]
    assert set(mine) <= set(found) and len(mine) >= 5


def test_a_bulk_file_has_the_same_bytes_and_the_rows_of_the_api(told):
    stored = (told[0] / "month.csv.gz").read_bytes()
    # Ours comes unpacked.
    assert gzip.decompress(stored) == told[1]["file"]
    rows = schema.table("bars", told[1]["file"]).sort(DATASETS["bars"].key)
    assert len(rows) > 1000
    assert_frame_equal(rows, told[1]["month"], check_exact=True)
