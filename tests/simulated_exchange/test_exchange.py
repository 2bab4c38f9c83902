import datetime as dt
import gzip
import http.client
import json
import threading
import urllib.parse

import polars as pl
import pytest
from gogooku.raw.catalogue import DATASETS
from helpers.asking import PATHS, PLANS, data, fetch, get, pages
from helpers.tiny_market import (
    ANSWERS,
    CODES,
    FIRST,
    KEY,
    LAST,
    RIGHTS,
    SESSIONS,
    SPLIT,
    many_bars,
    tables,
)
from simulated_exchange.server.exchange import Exchange


@pytest.fixture(scope="module")
def market():
    with Exchange(tables(), key=KEY, today=LAST) as exchange:
        yield exchange


def day_of(dataset):
    """Parameters that choose rows of the tiny market, of one day where the path allows it."""
    if dataset in ("calendar", "investor_types", "topix", "earnings_calendar", "bars_am"):
        return {}
    if dataset == "margin_interest":
        return {"date": "2024-09-27"}
    if dataset in ("summary", "details"):
        return {"date": "2024-09-27"}
    return {"disc_date" if dataset == "short_sale" else "date": "2024-10-01"}


@pytest.mark.parametrize("dataset", sorted(ANSWERS))
def test_answers_have_the_fields_of_the_vendor_in_its_order(market, dataset):
    assert list(data(market, dataset, **day_of(dataset))[0]) == list(ANSWERS[dataset])


@pytest.mark.parametrize("dataset", sorted(set(ANSWERS) - {"bars", "calendar", "earnings_date"}))
def test_values_are_written_as_the_vendor_writes_them(market, dataset):
    """The answer on file holds the marks of missing values, the types and nested objects."""
    rows = data(market, dataset, **day_of(dataset))
    same = [
        {n: json.dumps(row[n]) == json.dumps(v) for n, v in ANSWERS[dataset].items()}
        for row in rows
    ]
    changed = {"DiscDate", "DiscTime", "DiscNo", "PubDate", "EnDate", "Date", "C"}
    assert max(sum(row.values()) for row in same) >= len(ANSWERS[dataset]) - 3
    assert all(any(row[n] for row in same) for n in ANSWERS[dataset] if n not in changed)


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
        found = pages(exchange, "bars", date="2024-10-01")
        assert get(exchange, PATHS["bars"], date="20241001", pagination_key="x")[0] == 400
    assert [len(page["data"]) for page in found] == [3, 3, 1]
    assert list(found[-1]) == ["data"]


def test_answers_are_packed_for_those_who_can_unpack_them(market):
    headers = {"x-api-key": KEY, "Accept-Encoding": "gzip, deflate"}
    _, said, body = fetch(f"{market.url}/markets/calendar", headers)
    assert said["Content-Encoding"] == "gzip" and said["Content-Type"] == "application/json"
    packed = json.loads(gzip.decompress(body))
    assert packed["data"] == data(market, "calendar")


def test_a_folder_serves_the_files_that_it_holds(tmp_path):
    tables()["topix"].write_parquet(tmp_path / "topix.parquet")
    with Exchange(tmp_path, key=KEY, today=LAST) as exchange:
        assert len(data(exchange, "topix")) == len(SESSIONS)
        assert get(exchange, PATHS["calendar"])[0] == 403


def test_no_thread_outlives_the_exchange_even_if_a_client_stays():
    before = set(threading.enumerate())
    with Exchange(tables(), key=KEY, today=FIRST) as exchange:
        stays = http.client.HTTPConnection(urllib.parse.urlsplit(exchange.url).netloc, timeout=60)
        stays.request("GET", "/v2/markets/calendar", headers={"x-api-key": KEY})
        assert stays.getresponse().read()
    stays.close()
    assert set(threading.enumerate()) == before


# ---- parameters ----------------------------------------------------------------------------------

MATRIX = [
    ("bars", "'date','code'"), ("bars_minute", "'date','code'"), ("breakdown", "'date','code'"),
    ("indices", "'date','code'"), ("margin_alert", "'date','code'"), ("dividend", "'date','code'"),
    ("valuation", "'date','code'"), ("summary", "'date','code'"), ("details", "'date','code'"),
    ("margin_interest", "'date','code','published_date'"), ("short_ratio", "'date','s33'"),
    ("short_sale", "'code','disc_date','calc_date'"),
    ("earnings_date", "'code','date','scheduled_date'"),
    ("futures", "'date'"), ("options", "'date'"), ("options_225", "'date'"),
]  # fmt: skip


@pytest.mark.parametrize("dataset, names", MATRIX)
@pytest.mark.parametrize("query", [{}, {"from_": "20241001"}, {"code": "", "date": ""}])
def test_a_path_that_needs_a_parameter_says_which(market, dataset, names, query):
    refused = get(market, PATHS[dataset], **query)
    assert refused == (
        400,
        {"message": f"This API requires at least 1 parameter as follows; {names}."},
    )


@pytest.mark.parametrize("dataset", sorted(set(PATHS) - {name for name, _ in MATRIX}))
def test_other_paths_need_none(market, dataset):
    assert data(market, dataset)


@pytest.mark.parametrize(
    "dataset, query",
    [
        ("earnings_date", {"code": "130A0", "date": "2024-10-01"}),
        ("margin_interest", {"published_date": "2024-10-01", "date": "2024-09-27"}),
        ("margin_interest", {"published_date": "2024-10-01", "code": "130A0", "from_": "20240927"}),
    ],
)
def test_parameters_that_exclude_each_other_are_refused(market, dataset, query):
    assert get(market, PATHS[dataset], **query)[0] == 400


RANGES = ["bars", "breakdown", "indices", "margin_alert", "dividend", "margin_interest"]


@pytest.mark.parametrize("dataset", RANGES)
def test_a_range_goes_with_a_code_and_may_have_one_end(market, dataset):
    day = DATASETS[dataset].day
    code = {"indices": "0040", "margin_interest": "130A"}.get(dataset, "130A0")
    every = [row[day] for row in data(market, dataset, code=code)]
    assert every == sorted(every) and len(set(every)) > 1
    first, last = every[0], every[-1]
    assert {row[day] for row in data(market, dataset, code=code, from_=last)} == {last}
    assert {row[day] for row in data(market, dataset, code=code, to=first)} == {first}
    both = {row[day] for row in data(market, dataset, code=code, from_=first, to=first)}
    assert both == {first}


def test_a_day_wins_over_a_range_and_a_range_without_a_code_is_ignored(market):
    day = {"date": "2024-10-01", "from_": "2024-09-26", "to": "2024-09-27"}
    assert {row["Date"] for row in data(market, "bars", code="130A0", **day)} == {"2024-10-01"}
    assert len(data(market, "bars", **day)) == len(CODES)


def test_one_end_of_a_range_of_valuations_is_ignored(market):
    assert len(data(market, "valuation", code="130A0", from_="2024-10-01")) == len(SESSIONS)
    both = data(market, "valuation", code="130A0", from_="2024-10-01", to="2024-10-02")
    assert len(both) == 2


def test_short_sales_are_found_by_either_day_and_by_code(market):
    rows = data(market, "short_sale", disc_date="2024-10-01")
    assert [row["SSName"] for row in rows] == ["Mihon Capital", "個人", "個人"]
    assert [row["Code"] for row in data(market, "short_sale", calc_date="20241001")] == ["86010"]
    ranged = {"disc_date_from": "2024-10-02", "disc_date_to": "2024-10-08"}
    assert len(data(market, "short_sale", code="8601", **ranged)) == 1
    assert data(market, "short_sale", code="130A", **ranged) == []


def test_sectors_may_lack_their_zero_and_index_codes_gain_none(market):
    assert data(market, "short_ratio", s33="50") == data(market, "short_ratio", s33="0050")
    assert len(data(market, "short_ratio", s33="9999", from_="20241007")) == 2
    assert len(data(market, "indices", code="0040")) == len(SESSIONS)


def test_schedules_are_found_by_code_by_publication_and_by_the_scheduled_day(market):
    assert len(data(market, "earnings_date", code="130A")) == 2
    assert len(data(market, "earnings_date", date="2024-10-01")) == 2
    assert len(data(market, "earnings_date", scheduled_date="2024-10-09")) == 2


def test_contracts_are_chosen_by_category_flag_and_underlying(market):
    day = {"date": "2024-10-01"}
    assert len(data(market, "futures", **day)) == 2
    assert len(data(market, "futures", **day, contract_flag="1")) == 1
    assert len(data(market, "options", **day, category="EQOP", code="8601")) == 1


def test_a_night_session_that_was_not_held_is_an_empty_text(market):
    first, second = data(market, "options_225", date="2024-10-01")
    assert (first["EO"], second["EO"]) == ("", 12.0)
    assert (first["O"], first["OI"]) == (0.0, 330.0)


@pytest.mark.parametrize(
    "path",
    ["/edinet/major-shareholders", "/edinet/cross-shareholdings", "/equities/trades",
     "/edinet/large-volume-shareholders", "/td/list", "/td/files", "/td/bulk"],
)  # fmt: skip
def test_filings_of_other_services_are_not_part_of_a_subscription(market, path):
    message = f"This API is not available on your subscription. {PLANS}"
    assert get(market, path) == (403, {"message": message})


# ---- what is computed when asked -----------------------------------------------------------------


def test_minute_bars_agree_with_those_of_the_day(market):
    for bar in data(market, "bars", date="2024-10-01"):
        rows = data(market, "bars_minute", date="2024-10-01", code=bar["Code"])
        assert [row["Time"] for row in rows] == ["09:00", "11:29", "12:30", "15:00"]
        assert (rows[0]["O"], rows[-1]["C"]) == (bar["O"], bar["C"])
        assert max(row["H"] for row in rows) == bar["H"]
        assert min(row["L"] for row in rows) == bar["L"]
        assert sum(row["Vo"] for row in rows) == bar["Vo"]
        assert sum(row["Va"] for row in rows) == bar["Va"]


def test_a_day_without_trade_has_no_minute(market):
    assert data(market, "bars_minute", code="86010", date=str(SESSIONS[3])) == []


def test_minute_bars_come_in_pages():
    with Exchange(many_bars(3000), key=KEY, today=LAST) as exchange:
        found = pages(exchange, "bars_minute", date="2024-10-01")
    assert [len(page["data"]) for page in found] == [10_000, 2_000]


def test_market_value_is_that_of_the_valuation(market):
    first, _, last = data(market, "bars", date="2024-10-01")
    assert (first["MktCap"], last["MktCap"]) == (ANSWERS["valuation"]["MktCap"], None)


def test_a_correction_replaces_a_row_and_adds_one(market):
    tiny = tables()
    bar = tiny["bars"].filter(Date=SPLIT, Code="130A0").with_columns(C=1.0)
    filing = tiny["summary"][:1].with_columns(DiscNo=pl.lit("20240926599999"))
    with Exchange(tiny, key=KEY, today=LAST) as exchange:
        exchange.correct("bars", bar.with_columns(AdjFactor=1.0))
        exchange.correct("summary", filing)
        assert data(exchange, "bars", code="130A0", date=str(SPLIT))[0]["C"] == 1.0
        assert data(exchange, "bars", code="130A0")[0]["AdjC"] == 1225.0  # the split is undone
        assert len(data(exchange, "bars", date=str(SPLIT))) == len(CODES)
        assert len(data(exchange, "summary", date="2024-09-27")) == 3


# ---- plans ---------------------------------------------------------------------------------------

SERVED = {
    "free": "calendar master bars earnings_calendar summary",
    "light": "valuation investor_types earnings_date topix",
    "standard": "indices margin_interest margin_alert short_ratio short_sale options_225",
    "premium": "bars_am details dividend breakdown futures options",
}


@pytest.mark.parametrize("plan", SERVED)
def test_a_plan_serves_its_data_sets_and_those_of_the_plans_below(plan):
    plans = list(SERVED)
    wanted = {n for p in plans[: plans.index(plan) + 1] for n in SERVED[p].split()}
    with Exchange(tables(), key=KEY, today=LAST, plan=plan) as exchange:
        found = {name for name, path in PATHS.items() if get(exchange, path)[0] != 403}
    assert found == wanted


def test_minute_bars_need_the_add_on():
    with Exchange(tables(), key=KEY, today=LAST, plan="light", minute_bars=True) as exchange:
        assert data(exchange, "bars_minute", date="2024-10-01")


@pytest.mark.parametrize("plan, fields", [("standard", 18), ("premium", 44)])
def test_sessions_are_absent_below_premium(plan, fields):
    with Exchange(tables(), key=KEY, today=LAST, plan=plan) as exchange:
        row = data(exchange, "bars", date="2024-10-01")[0]
    assert len(row) == fields and ("MO" in row) == (plan == "premium")
    assert list(row)[-2:] == ["MktCap", "ExRT"]


def test_the_halves_of_a_day_are_adjusted_like_the_whole(market):
    row = data(market, "bars", date=str(FIRST), code="130A0")[0]
    assert (row["MO"], row["MAdjO"], row["AAdjC"]) == (1200.0, 600.0, row["AdjC"])
    assert row["MAdjVo"] == 2 * row["MVo"]
    rights = data(market, "bars", date="2024-10-01", code="86010")[0]
    assert dt.date(2024, 10, 1) < RIGHTS and rights["AAdjVo"] == rights["AVo"]
