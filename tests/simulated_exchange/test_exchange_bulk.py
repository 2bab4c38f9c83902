"""Files of whole months and days: which there are, what is in them, and how they are fetched."""

import csv
import datetime as dt
import gzip
import io
import urllib.parse

import polars as pl
import pytest
from helpers.asking import PATHS, data, fetch, get
from helpers.tiny_market import ANSWERS, CODES, KEY, LAST, SESSIONS, tables
from simulated_exchange.server.bulk import Links
from simulated_exchange.server.clock import JST
from simulated_exchange.server.exchange import Exchange

BARS = "equities/bars/daily"
SEPTEMBER = f"{BARS}/historical/2024/equities_bars_daily_202409.csv.gz"


@pytest.fixture(scope="module")
def market():
    with Exchange(tables(), key=KEY, today=LAST, plan="standard") as exchange:
        yield exchange


def at(moment):
    return lambda: dt.datetime.fromisoformat(moment).replace(tzinfo=JST)


def keys(exchange, **query):
    status, body = get(exchange, "/bulk/list", **query)
    assert status == 200, body
    return [file["Key"] for file in body["data"]]


def rows(exchange, **query):
    """The lines of a file, all values as text."""
    status, body = get(exchange, "/bulk/get", **query)
    assert status == 200, body
    status, headers, content = fetch(body["url"], {})
    assert (status, headers["Content-Type"]) == (200, "application/gzip")
    return list(csv.DictReader(io.StringIO(gzip.decompress(content).decode("utf-8-sig"))))


def test_past_months_and_the_days_of_late_are_files(market):
    found = keys(market, endpoint=f"/{BARS}")
    live = [f"{BARS}/live/equities_bars_daily_{day:%Y%m%d}.csv.gz" for day in SESSIONS]
    assert found == [SEPTEMBER, *live]


def test_a_months_file_appears_on_the_second_day_and_its_days_go_on_the_tenth():
    found = {}
    for moment in ("2024-10-02T04:59", "2024-10-02T05:00", "2024-10-09T23:59", "2024-10-10T00:00"):
        with Exchange(tables(), key=KEY, now=at(moment), plan="light") as exchange:
            files = keys(exchange, endpoint=f"/{BARS}", to="2024-09")
        found[moment[8:]] = SEPTEMBER in files, len([file for file in files if "live" in file])
    assert found == {
        "02T04:59": (False, 4),
        "02T05:00": (True, 4),
        "09T23:59": (True, 4),
        "10T00:00": (True, 0),
    }


def test_a_days_file_appears_with_its_rows():
    for moment, there in (("2024-10-08T16:29", False), ("2024-10-08T16:30", True)):
        with Exchange(tables(), key=KEY, now=at(moment)) as exchange:
            assert any("20241008" in key for key in keys(exchange, endpoint=f"/{BARS}")) == there


def test_files_of_minutes_are_of_whole_months():
    with Exchange(tables(), key=KEY, today=LAST, plan="premium", minute_bars=True) as exchange:
        found = keys(exchange, endpoint="/equities/bars/minute")
        head = list(rows(exchange, key_=found[0])[0])
    folder = "equities/bars/minute/historical/2024/equities_bars_minute"
    assert found == [f"{folder}_202409.csv.gz"]
    assert head == ["Date", "Time", "Code", "O", "H", "L", "C", "Vo", "Va"]


def test_a_list_can_be_bounded_and_asked_for_by_day(market):
    bounded = keys(market, endpoint=f"/{BARS}", from_="20241003", to="2024-10-07")
    assert [key[-15:-7] for key in bounded] == ["20241003", "20241007"]
    files = keys(market, date="2024-09")
    assert SEPTEMBER in files and "calendar" not in str(files)
    assert {key.split("/")[0] for key in files} == {
        "equities", "fins", "indices", "markets", "derivatives",
    }  # fmt: skip
    assert not [key for key in keys(market, date="20241003") if "20241003" not in key]


def test_wide_bars_have_a_folder_of_their_own():
    with Exchange(tables(), key=KEY, today=LAST, plan="premium") as exchange:
        found = keys(exchange, endpoint=f"/{BARS}", to="202409")
        assert len(rows(exchange, key_=found[-1])[0]) == 27
    assert found[0] == f"{BARS}/premium/historical/2024/equities_bars_daily_202409.csv.gz"


def test_files_have_the_rows_of_the_answers_without_adjusted_values(market):
    found = rows(market, endpoint=f"/{BARS}", date="20241001")
    assert list(found[0]) == [
        "Date", "Code", "O", "H", "L", "C", "UL", "LL", "Vo", "Va", "AdjFactor",
    ]  # fmt: skip
    asked = data(market, "bars", date="2024-10-01")
    for line, row in zip(found, asked, strict=True):
        assert line == {n: "" if row[n] is None else str(row[n]) for n in line}
    month = rows(market, key_=SEPTEMBER)
    days = [str(day) for day in SESSIONS if day.month == 9]
    assert [(row["Date"], row["Code"]) for row in month] == [(d, c) for d in days for c in CODES]


def test_objects_are_written_as_python_writes_them_and_empty_is_missing():
    with Exchange(tables(), key=KEY, today=LAST) as exchange:
        details = rows(exchange, endpoint="/fins/details", date="202409")
        alert, fund = rows(exchange, endpoint="/markets/margin-alert", date="20241001")
        notice = rows(exchange, endpoint="/fins/dividend", date="20241001")[1]
        night = rows(exchange, endpoint="/derivatives/bars/daily/options/225", date="20241001")[0]
    assert details[0]["FS"] == str(ANSWERS["details"]["FS"])
    assert alert["PubReason"] == str(ANSWERS["margin_alert"]["PubReason"])
    assert (alert["ShrtNegOutChg"], alert["ShrtOutRatio"], fund["ShrtOutRatio"]) == ("", "0.1", "*")
    assert (notice["DivRate"], notice["PayDate"], night["EO"]) == ("", "", "")


def test_a_month_at_the_edge_of_the_window_is_whole():
    window = (dt.date(2024, 9, 30), None)
    with Exchange(tables(), key=KEY, today=LAST, plan="light", window=window) as exchange:
        assert get(exchange, PATHS["bars"], date="2024-09-27")[0] == 400
        assert rows(exchange, key_=SEPTEMBER)[0]["Date"] == "2024-09-25"


def test_free_has_the_calendar_alone_as_its_one_file():
    with Exchange(tables(), key=KEY, today=LAST, plan="free") as exchange:
        file = keys(exchange, endpoint="/markets/calendar", from_="203001")
        assert len(file) == 1 and len(rows(exchange, key_=file[0])) == 14
        assert get(exchange, "/bulk/list", endpoint=f"/{BARS}")[0] == 403
        assert keys(exchange, date="2024-09") == []
        by_date = {"endpoint": "/markets/calendar", "date": "202409"}
        assert get(exchange, "/bulk/get", **by_date)[0] == 400


@pytest.mark.parametrize(
    "endpoint", ["/edinet/major-shareholders", "/equities/earnings-calendar", "bars", "/td/list"]
)
def test_what_is_never_a_file_is_refused(market, endpoint):
    refused = get(market, "/bulk/list", endpoint=endpoint)
    assert refused == (400, {"message": "This endpoint is not available for csv download"})


@pytest.mark.parametrize(
    "path, query",
    [
        ("/bulk/list", {}),
        ("/bulk/list", {"endpoint": f"/{BARS}", "date": "202409"}),
        ("/bulk/list", {"endpoint": f"/{BARS}", "from_": "2024"}),
        ("/bulk/get", {}),
        ("/bulk/get", {"endpoint": f"/{BARS}"}),
        ("/bulk/get", {"key_": SEPTEMBER, "date": "202409"}),
        ("/bulk/get", {"key_": "equities/master/no.csv.gz"}),
        ("/bulk/get", {"endpoint": f"/{BARS}", "date": "2030-01"}),
    ],
)
def test_requests_that_name_no_file_are_refused(market, path, query):
    assert get(market, path, **query)[0] == 400


def test_a_link_works_once_without_the_key_and_not_with_it(market):
    url = get(market, "/bulk/get", key_=SEPTEMBER)[1]["url"]
    assert urllib.parse.urlsplit(url).netloc != urllib.parse.urlsplit(market.url).netloc
    assert fetch(url, {"x-api-key": KEY})[0] == 400
    assert fetch(url, {})[0] == 200
    assert fetch(url, {})[0] == 403
    assert market.downloads[-1] == SEPTEMBER


def test_a_link_ends_after_five_minutes(market, tmp_path):
    seconds = [0.0]
    links = Links(60.0, lambda: seconds[0])
    (tmp_path / "file").write_bytes(b"x")
    file = market._files.one({"key": SEPTEMBER}, at("2024-10-08T20:00")(), None)
    for later, status in ((299.9, 200), (300.0, 403)):
        seconds[0] = 0.0
        path, _, words = links.sign(file, tmp_path / "file").partition("?")
        seconds[0] = later
        assert links.answer(path, dict(urllib.parse.parse_qsl(words)), None).status == status


def test_the_size_is_that_of_the_file_and_the_time_has_its_zone(market):
    listed = get(market, "/bulk/list", endpoint=f"/{BARS}", to="202409")[1]["data"][0]
    assert list(listed) == ["Key", "LastModified", "Size"]
    assert listed["LastModified"] == "2024-10-01T20:00:00.000000+00:00"
    url = get(market, "/bulk/get", key_=SEPTEMBER)[1]["url"]
    assert len(fetch(url, {})[2]) == listed["Size"]


def test_a_correction_renews_the_file_of_its_month_and_no_other():
    with Exchange(tables(), key=KEY, today=LAST) as exchange:
        before = {f["Key"]: f for f in get(exchange, "/bulk/list", endpoint=f"/{BARS}")[1]["data"]}
        bar = tables()["bars"].filter(Date=dt.date(2024, 9, 26), Code="130A0")
        exchange.correct("bars", bar.with_columns(C=pl.lit(1.5)))
        after = {f["Key"]: f for f in get(exchange, "/bulk/list", endpoint=f"/{BARS}")[1]["data"]}
        changed = {key for key in after if after[key] != before[key]}
        month = next(key for key in changed if "historical" in key)
        assert [row["C"] for row in rows(exchange, key_=month)].count("1.5") == 1
    assert after[month]["LastModified"] > before[month]["LastModified"]
    assert not [key for key in changed if "_202410" in key]
