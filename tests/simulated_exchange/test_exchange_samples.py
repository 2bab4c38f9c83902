"""Answers beside the samples of the vendor's documentation: the same keys, words and values.

The samples are not part of the repository; GOGOOKU_SAMPLES names their folder.
"""

import csv
import datetime as dt
import gzip
import io
import json
import os
from pathlib import Path

import pytest
from gogooku.archive import bulk_files
from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS
from helpers.asking import fetch
from helpers.tiny_market import KEY, stored, tables, typed
from simulated_exchange.server.clock import JST
from simulated_exchange.server.exchange import DERIVED, ROOT, Exchange
from simulated_exchange.server.limits import Limiter

BESIDE = Path(__file__).parents[3] / "shared" / "reference" / "jquants_samples"
FOLDER = Path(os.environ.get("GOGOOKU_SAMPLES", BESIDE))
if not (FOLDER / "INDEX.json").exists():
    pytest.skip(f"no samples in {FOLDER}: set GOGOOKU_SAMPLES", allow_module_level=True)

INDEX = json.loads((FOLDER / "INDEX.json").read_text(encoding="utf-8"))["samples"]
BY_PATH = {ROOT + entry.path: entry for entry in DATASETS.values()}
ANSWERED = [s for s in INDEX if s["path"] in BY_PATH and s["status"] == 200]
REFUSED = [s for s in INDEX if s["status"] != 200]
PLANS = {"Free": "free", "Light": "light", "Standard": "standard", "Premium": "premium"}


def sample(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def file_name(entry):
    return entry["file"].removesuffix(".json")


def holding(dataset, rows):
    """Tables from which the rows of a sample come."""
    if dataset in DERIVED:
        day = {name.removeprefix("M"): value for name, value in rows[0].items() if name != "Time"}
        rest = {"AdjFactor": 1.0, "UL": "0", "LL": "0"}
        return {"bars": made("bars", [day | rows[0] | rest])}
    if dataset == "earnings_calendar":
        friday = {"ReadOn": str(dt.date.fromisoformat(rows[0]["Date"]) - dt.timedelta(days=3))}
        rows = [row | friday for row in rows]
    tables = {dataset: made(dataset, rows)}
    if dataset == "bars":
        no_figures = dict.fromkeys(DATASETS["valuation"].schema)
        tables["valuation"] = made("valuation", [no_figures | row for row in rows])
    return tables


def made(dataset, rows):
    return typed(dataset, [stored(dataset, row) for row in rows])


def moment_of(dataset, rows):
    """A moment at which the rows of a sample can be read."""
    day = DATASETS[dataset].day
    days = [dt.date.fromisoformat(row.get(day) or row["Date"]) for row in rows]
    late = {"bars_am": 13, "earnings_calendar": -52, "margin_interest": 24 * 7, "details": 23,
            "summary": 23}  # fmt: skip
    midnight = dt.datetime.combine(max(days), dt.time(), JST)
    return midnight + dt.timedelta(hours=late.get(dataset, 30))


def numbers(row):
    """A row whose texts of numbers are numbers: 26.0 and 26 are one."""

    def number(text):
        try:
            return float(text)
        except (TypeError, ValueError):
            return text

    return {name: number(value) for name, value in row.items()}


def in_order(rows):
    return sorted(
        map(numbers, rows), key=lambda row: [row[n] for n in ("Date", "Code") if n in row]
    )


@pytest.mark.parametrize("entry", ANSWERED, ids=file_name)
def test_an_answer_is_the_sample(entry):
    catalogued = BY_PATH[entry["path"]]
    wanted = sample(entry["file"])
    rows = wanted["data"]
    plan = PLANS[(entry.get("min_plan") or "Free").split()[0]]
    content = holding(catalogued.name, rows) if rows else tables()
    moment = moment_of(catalogued.name, rows or [{"Date": entry["query"]["date"]}])
    options = {"plan": plan, "minute_bars": True, "window": (dt.date(2008, 1, 1), None)}
    query = {name: value for name, value in entry["query"].items() if name != "pagination_key"}
    if "<" in query.get("date", ""):
        query["date"] = f"{moment:%Y-%m-%d}"
    with Exchange(content, key=KEY, now=lambda: moment, **options) as exchange:
        words = "&".join(f"{name}={value}" for name, value in query.items())
        url = f"{exchange.url}{catalogued.path}?{words}"
        status, headers, body = fetch(url, {"x-api-key": KEY})
    found = json.loads(body)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert [k for k in found if k != "pagination_key"] == [
        k for k in wanted if k != "pagination_key"
    ]
    assert [list(row) for row in found["data"]][: len(rows)] == [list(row) for row in rows]
    if catalogued.name != "bars_minute":  # they are made from those of the day
        assert in_order(found["data"]) == in_order(rows)


@pytest.mark.parametrize("entry", ANSWERED, ids=file_name)
def test_a_sample_of_the_api_is_read_row_by_row_and_has_no_unknown_field(entry):
    dataset, body = BY_PATH[entry["path"]].name, (FOLDER / entry["file"]).read_bytes()
    found, _ = schema.page(dataset, body)
    assert len(found) == len(json.loads(body)["data"])
    assert found.columns == list(DATASETS[dataset].schema)


FILES = {
    path: name
    for path in sorted(FOLDER.glob("bulk_*.csv"))
    if (name := bulk_files.STEMS.get(path.stem.removeprefix("bulk_")))
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sample_of_a_file_is_read_row_by_row_and_has_no_unknown_field(path):
    found = schema.table(FILES[path], path.read_bytes())
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert len(found) == len(rows) - 1 > 0
    assert found.columns == list(DATASETS[FILES[path]].schema)


@pytest.mark.parametrize("entry", REFUSED, ids=file_name)
def test_a_refusal_has_the_samples_words(entry):
    plan, moment = "light", dt.datetime(2026, 9, 4, 20, tzinfo=JST)
    if "free" in entry["file"]:
        plan, moment = "free", dt.datetime(2026, 9, 13, 20, tzinfo=JST)
    if "short" in entry["file"]:
        plan = "standard"
    headers = {} if "no_key" in entry["file"] else {"x-api-key": KEY}
    headers = {"x-api-key": "wrong"} if "bad_key" in entry["file"] else headers
    faults = [{429: "429", 500: "500-json"}.get(entry["status"])]
    content = tables()
    limiter = Limiter(plan, on=False)
    options = {"plan": plan, "faults": faults, "limiter": limiter}
    with Exchange(content, key=KEY, now=lambda: moment, **options) as exchange:
        words = "&".join(f"{name}={value}" for name, value in entry["query"].items())
        path = entry["path"].removeprefix(ROOT)
        status, said, body = fetch(f"{exchange.url}{path}?{words}", headers)
    assert (status, json.loads(body)) == (entry["status"], sample(entry["file"]))
    assert "Retry-After" not in said


@pytest.mark.parametrize("name", ["bulk_list", "bulk_get"])
def test_a_list_of_files_and_a_link_have_the_samples_keys(name):
    with Exchange(tables(), key=KEY, today=dt.date(2024, 10, 8), plan="light") as exchange:
        wanted = sample(f"{name}.json")
        bars = "endpoint=/equities/bars/daily"
        url = f"{exchange.url}/{name.replace('_', '/')}?{bars}"
        body = json.loads(fetch(url + "&date=202409" * (name == "bulk_get"), {"x-api-key": KEY})[2])
    assert list(body) == list(wanted)
    if name == "bulk_list":
        assert list(body["data"][0]) == list(wanted["data"][0])
        pattern = wanted["data"][0]["Key"].replace("2025", "2024").replace("202401", "202409")
        assert pattern in [file["Key"] for file in body["data"]]


CSV = sorted(FOLDER.glob("bulk_*.csv"))


@pytest.mark.parametrize("path", CSV, ids=lambda path: path.stem)
def test_files_have_the_samples_head(path):
    wanted = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    endpoint = "/" + path.stem.removeprefix("bulk_").replace("_", "/", 1)
    endpoint = {
        "/equities/bars_daily": "/equities/bars/daily",
        "/equities/bars_minute": "/equities/bars/minute",
        "/markets/margin_alert": "/markets/margin-alert",
    }.get(endpoint, endpoint)
    plan = "standard" if endpoint == "/equities/bars/daily" else "premium"
    options = {"plan": plan, "minute_bars": True}
    with Exchange(tables(), key=KEY, today=dt.date(2024, 10, 8), **options) as exchange:
        url = f"{exchange.url}/bulk/get?endpoint={endpoint}&date=202409"
        if endpoint == "/markets/margin-alert":
            url = url.replace("202409", "20241001")
        status, _, body = fetch(url, {"x-api-key": KEY})
        if endpoint == "/equities/trades":
            assert status == 400  # single trades are not served
            return
        content = gzip.decompress(fetch(json.loads(body)["url"], {})[2])
    unfiled = {"MktCap", "ExRT"}  # in the sample of bars, and in no file that people hold
    head = [name for name in wanted[0] if name not in unfiled]
    assert next(csv.reader(io.StringIO(content.decode()))) == head
