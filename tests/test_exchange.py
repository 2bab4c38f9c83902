import datetime as dt
import gzip
import http.client
import json
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from gogooku.sources.exchange import Exchange
from tiny_market import ANSWERS, CODES, FIRST, KEY, LAST, SESSIONS, many_bars, tables

PATHS = {
    "calendar": "/markets/calendar",
    "master": "/equities/master",
    "bars": "/equities/bars/daily",
    "topix": "/indices/bars/daily/topix",
    "summary": "/fins/summary",
    "investor_types": "/equities/investor-types",
}
PLANS = "If you want more data, please check other plans:https://jpx-jquants.com/#dataset"


@pytest.fixture(scope="module")
def market():
    with Exchange(tables(), key=KEY, today=LAST) as exchange:
        yield exchange


def get(exchange, path, key=KEY, **query):
    """Status and decoded body of one request; a final _ keeps Python's words out of the way."""
    words = urllib.parse.urlencode({name.rstrip("_"): value for name, value in query.items()})
    headers = {"x-api-key": key} if key else {}
    request = urllib.request.Request(f"{exchange.url}{path}?{words}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def data(exchange, dataset, **query):
    status, body = get(exchange, PATHS[dataset], **query)
    assert (status, list(body)) == (200, ["data"])
    return body["data"]


@pytest.mark.parametrize("dataset", sorted(PATHS))
def test_answers_have_the_fields_of_the_vendor_in_its_order(market, dataset):
    query = {"date": "2024-09-27"} if dataset in ("bars", "summary") else {}
    assert list(data(market, dataset, **query)[0]) == list(ANSWERS[dataset])


def test_filings_are_texts_and_nothing_is_an_empty_one(market):
    row = data(market, "summary", date="2024-09-28")[0]
    changed = {"DiscDate": "2024-09-28", "DiscTime": "", "DiscNo": "20240926500002"}
    assert row == ANSWERS["summary"] | changed


def test_prices_are_floats_and_flows_are_integers(market):
    bar = data(market, "bars", date="2024-09-27")[0]
    assert {type(bar[name]) for name in ("O", "C", "Vo", "Va", "AdjFactor", "AdjVo")} == {float}
    flows = data(market, "investor_types")[0]
    assert {type(value) for name, value in flows.items() if name.endswith("Bal")} == {int}


def test_a_day_without_trade_has_a_row_of_nulls(market):
    row = data(market, "bars", code="86010", date=str(SESSIONS[3]))[0]
    names = ("O", "H", "L", "C", "Vo", "Va", "AdjO", "AdjC", "AdjVo")
    assert {row[name] for name in names} == {None}
    assert (row["UL"], row["LL"], row["AdjFactor"]) == ("0", "0", 1.0)


@pytest.mark.parametrize(
    "path, key, query, status, message",
    [
        ("/equities/bars", None, {}, 403, "The requested endpoint does not exist. Please check the "
         "URL, HTTP method, and API version:https://jpx-jquants.com/spec/"),
        ("/equities/bars/daily", None, {}, 403, "The api key is required."),
        ("/indices/bars/daily/topix", "no", {}, 403, "The incoming api key is invalid or expired."),
        ("/indices/bars/daily/topix", KEY, {"from_": "x"}, 403,
         f"This API is not available on your subscription. {PLANS}"),
        ("/equities/bars/daily", KEY, {"from_": "x"}, 400,
         "This API requires at least 1 parameter as follows; 'date','code'."),
        ("/fins/summary", KEY, {"date": "20240230"}, 400, "'date' is not valid."),
        ("/fins/summary", KEY, {"date": "2024-9-3"}, 400, "'date' is not valid."),
        ("/fins/summary", KEY, {"date": "2024-09-25"}, 400,
         f"Your subscription covers the following dates: 2024-09-26 ~ . {PLANS}"),
    ],
)  # fmt: skip
def test_requests_are_refused_in_the_order_and_the_words_of_the_vendor(
    path, key, query, status, message
):
    lacking = {name: table for name, table in tables().items() if name != "topix"}
    window = (dt.date(2024, 9, 26), None)
    with Exchange(lacking, key=KEY, today=LAST, window=window) as exchange:
        assert get(exchange, path, key=key, **query) == (status, {"message": message})


def test_the_window_of_a_plan_may_end_and_is_named_whole():
    window = (dt.date(2024, 9, 26), dt.date(2024, 10, 1))
    with Exchange(tables(), key=KEY, today=LAST, window=window) as exchange:
        refused = get(exchange, PATHS["topix"], from_="2024-09-26", to="2024-10-02")
        covered = [row["Date"] for row in data(exchange, "bars", code="86010")]
    assert refused[0] == 400
    assert f"2024-09-26 ~ 2024-10-01. {PLANS}" in refused[1]["message"]
    assert (covered[0], covered[-1]) == ("2024-09-26", "2024-10-01")


def test_days_codes_and_ranges_choose_the_rows(market):
    def chosen(**query):
        return [(row["Date"], row["Code"]) for row in data(market, "bars", **query)]

    assert chosen(date="20240926") == [("2024-09-26", code) for code in CODES]
    assert chosen(date="2024-09-26", code="8601") == [("2024-09-26", "86010")]
    assert chosen(code="130A", from_="20241001", to="2024-10-02") == [
        ("2024-10-01", "130A0"),
        ("2024-10-02", "130A0"),
    ]
    assert len(chosen(code="130A0")) == len(SESSIONS)
    assert chosen(date="2024-09-28") == chosen(code="99990") == []


def test_a_parameter_that_a_path_does_not_know_is_ignored(market):
    assert len(data(market, "topix", date="2024-09-26", page="3")) == len(SESSIONS)
    assert len(data(market, "topix", from_="2024-10-03")) == len(SESSIONS) - 6


def test_calendar_and_flows_are_chosen_by_kind_too(market):
    closed = data(market, "calendar", hol_div="0", to="2024-10-04")
    assert [row["Date"] for row in closed] == ["2024-09-28", "2024-09-29", "2024-10-04"]
    assert data(market, "investor_types", section="TSEGrowth") == []


@pytest.mark.parametrize(
    "asked, listed",
    [
        ({"date": "2024-09-27"}, "2024-09-27"),
        ({"date": "2024-09-28"}, "2024-09-30"),
        ({"date": "2024-10-20"}, "2024-10-07"),
        ({"date": "2008-01-01"}, "2024-09-25"),
        ({}, "2024-10-07"),
    ],
)
def test_the_list_of_a_closed_day_is_that_of_the_next_session(asked, listed):
    with Exchange(tables(), key=KEY, today=dt.date(2024, 10, 5)) as exchange:
        assert {row["Date"] for row in data(exchange, "master", **asked)} == {listed}


def test_what_comes_after_today_does_not_exist_yet():
    with Exchange(tables(), key=KEY, today=dt.date(2024, 9, 27)) as exchange:
        assert data(exchange, "bars", date="2024-09-30") == []
        assert data(exchange, "topix")[-1]["Date"] == "2024-09-27"
        assert data(exchange, "calendar")[-1]["Date"] == str(LAST)


def test_adjusted_prices_know_every_action_up_to_today_and_no_later_one():
    def first_bar(today, code):
        with Exchange(tables(), key=KEY, today=today) as exchange:
            return data(exchange, "bars", code=code)[0]

    before, after = dt.date(2024, 9, 27), dt.date(2024, 9, 30)
    assert first_bar(before, "130A0")["AdjC"] == 1225.0
    assert first_bar(after, "130A0")["AdjC"] == 612.5
    assert first_bar(after, "130A0")["AdjVo"] == 5000.0
    assert first_bar(after, "86010")["AdjC"] == 1225.0


def test_the_day_of_a_split_stands_on_the_new_basis_already(market):
    row = data(market, "bars", code="130A0", date="2024-09-30")[0]
    assert (row["AdjFactor"], row["ExRT"], row["AdjC"], row["C"]) == (0.5, "1", 1201.0, 1201.0)


def test_a_rights_issue_moves_prices_and_no_volume(market):
    row = data(market, "bars", code="86010", date="2024-10-01")[0]
    assert (row["C"], row["AdjC"]) == (1201.0, 960.8)
    assert row["AdjVo"] == row["Vo"]


def test_pages_are_chained_by_changing_keys_and_the_last_has_none():
    with Exchange(many_bars(7), key=KEY, today=LAST, page_rows=3) as exchange:
        pages, query = [], {"date": "2024-10-01"}
        while not pages or "pagination_key" in pages[-1]:
            pages.append(get(exchange, PATHS["bars"], **query)[1])
            query["pagination_key"] = pages[-1].get("pagination_key")
        assert get(exchange, PATHS["bars"], date="20241001", pagination_key="x")[0] == 400
    assert [len(page["data"]) for page in pages] == [3, 3, 1]
    assert pages[0]["pagination_key"] != pages[1]["pagination_key"]
    assert list(pages[-1]) == ["data"]


def test_answers_are_packed_for_those_who_can_unpack_them(market):
    headers = {"x-api-key": KEY, "Accept-Encoding": "gzip, deflate"}
    request = urllib.request.Request(f"{market.url}/markets/calendar", headers=headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Type"] == "application/json"
        packed = json.loads(gzip.decompress(answer.read()))
    assert packed["data"] == data(market, "calendar")


def test_a_folder_serves_the_files_that_it_holds(tmp_path):
    tables()["topix"].write_parquet(tmp_path / "topix.parquet")
    with Exchange(tmp_path, key=KEY, today=LAST) as exchange:
        assert len(data(exchange, "topix")) == len(SESSIONS)
        assert get(exchange, PATHS["calendar"])[0] == 403


def test_no_thread_outlives_the_exchange_even_if_a_client_stays():
    before = set(threading.enumerate())
    with Exchange(tables(), key=KEY, today=FIRST) as exchange:
        stays = http.client.HTTPConnection(urllib.parse.urlsplit(exchange.url).netloc, timeout=5)
        stays.request("GET", "/v2/markets/calendar", headers={"x-api-key": KEY})
        assert stays.getresponse().read()
    stays.close()
    assert set(threading.enumerate()) == before
