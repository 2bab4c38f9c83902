"""Each way in which an answer goes wrong, and that no other answer is hurt."""

import collections
import http.client
import itertools
import json
import time
import urllib.error

import pytest
from gogooku.errors import UserError
from helpers.asking import PATHS, data, fetch, get, pages
from helpers.tiny_market import CODES, KEY, LAST, SESSIONS, tables
from simulated_exchange.server.exchange import Exchange
from simulated_exchange.server.faults import FAULTS, at_random
from simulated_exchange.server.limits import Limiter

DAY = {"date": "2024-10-01"}
WORDS = "Rate limit exceeded. Please try again later."


def faulty(*faults, **options):
    return Exchange(tables(), key=KEY, today=LAST, faults=faults, **options)


def raw(exchange, dataset="bars", query="date=2024-10-01"):
    return fetch(f"{exchange.url}{PATHS[dataset]}?{query}", {"x-api-key": KEY})


def codes(body):
    return [row["Code"] for row in body["data"]]


def test_a_good_answer_follows_a_bad_one_and_faults_come_in_order():
    with faulty("500", None, "429") as exchange:
        found = [raw(exchange)[0] for _ in range(4)]
        assert found == [500, 200, 429, 200]
        assert len(exchange.requests) == 4


@pytest.mark.parametrize(
    "fault, status, kind, retry",
    [
        ("429", 429, "application/json", None),
        ("429-text", 429, "text/plain", None),
        ("429-after", 429, "application/json", "60"),
        ("500", 500, "text/html", None),
        ("500-json", 500, "application/json", None),
        ("502", 502, "text/html", None),
    ],
)
def test_refusals_have_their_own_kind(fault, status, kind, retry):
    with faulty(fault) as exchange:
        found, headers, body = raw(exchange)
    assert (found, headers["Content-Type"], headers["Retry-After"]) == (status, kind, retry)
    assert (kind == "application/json") == body.startswith(b"{")
    assert fault[:3] != "429" or kind != "application/json" or json.loads(body)["message"] == WORDS


def test_no_content_is_an_empty_body():
    with faulty("210") as exchange:
        assert raw(exchange)[::2] == (210, b"")


def test_a_truncated_answer_is_no_json():
    with faulty("truncate") as exchange:
        status, headers, body = raw(exchange)
    assert status == 200 and int(headers["Content-Length"]) == len(body)
    with pytest.raises(ValueError):
        json.loads(body)


def test_a_reset_comes_before_or_in_the_middle_of_the_body():
    with faulty("reset", "reset-body") as exchange:
        with pytest.raises((urllib.error.URLError, ConnectionError, http.client.HTTPException)):
            raw(exchange)
        with pytest.raises(http.client.IncompleteRead) as cut:
            raw(exchange)
    assert cut.value.partial.startswith(b'{"data"')


def test_a_slow_answer_is_a_good_one():
    with faulty("slow", slow=0.2) as exchange:
        start = time.monotonic()
        assert len(data(exchange, "bars", **DAY)) == 3
    assert time.monotonic() - start >= 0.2


def test_a_block_refuses_what_follows():
    seconds = itertools.count(0.0, 100.0)
    limiter = Limiter(None, on=False, clock=lambda: next(seconds))
    with faulty("429-block", limiter=limiter) as exchange:
        found = [raw(exchange)[0] for _ in range(2)]
    assert found == [429, 429] and limiter.blocks == 1


def test_a_page_that_points_to_itself_has_its_own_key():
    with faulty(None, "repeat", page_rows=1) as exchange:
        key = get(exchange, PATHS["bars"], **DAY)[1]["pagination_key"]
        assert get(exchange, PATHS["bars"], **DAY, pagination_key=key)[1]["pagination_key"] == key


@pytest.mark.parametrize("fault, key", [("null-key", None), ("empty-key", "")])
def test_the_last_page_may_have_a_key_that_is_none(fault, key):
    with faulty(fault, fault, page_rows=2) as exchange:
        first, last = pages(exchange, "bars", **DAY)
    assert first["pagination_key"] and last["pagination_key"] == key
    assert codes(first) + codes(last) == CODES


def test_an_empty_page_in_between_loses_nothing():
    with faulty(None, "empty-page", page_rows=2) as exchange:
        found = [codes(page) for page in pages(exchange, "bars", **DAY)]
    assert found == [CODES[:2], [], CODES[2:]]


def test_a_row_may_come_on_two_pages():
    with faulty(None, "duplicate", page_rows=2) as exchange:
        found = [codes(page) for page in pages(exchange, "bars", **DAY)]
    assert found == [CODES[:2], CODES[1:]]


def test_numbers_and_texts_change_places_and_codes_stay():
    with faulty("flip", "flip") as exchange:
        bars = data(exchange, "bars", **DAY)
        filing = data(exchange, "summary", date="2024-09-27")[0]
    assert [type(row["C"]) for row in bars] == [str, float, str]
    assert float(bars[0]["C"]) == 1201.0 and codes({"data": bars}) == CODES
    assert (filing["Sales"], filing["Code"], filing["DEPS"]) == (7350000000.0, "130A0", "")


def test_what_is_missing_is_written_in_every_way_and_values_stay():
    with faulty("mix") as exchange:
        mixed = data(exchange, "valuation", date="2024-10-01")
        sound = data(exchange, "valuation", date="2024-10-01")
    assert list(mixed[0]) == list(sound[0])
    for found, row in zip(mixed, sound, strict=True):
        assert {n: v for n, v in found.items() if v not in (None, "")} == {
            name: value for name, value in row.items() if value is not None
        }
    assert len(mixed[2]) < len(sound[2])


def test_unknown_keys_come_beside_the_known():
    with faulty("extra") as exchange:
        extended, sound = (data(exchange, "bars", **DAY) for _ in range(2))
    assert all(row.items() <= more.items() for row, more in zip(sound, extended, strict=True))
    assert len(extended[0]) > len(sound[0])


def test_too_early_is_empty_and_preliminary_is_a_part():
    with faulty("early", "preliminary", None, page_rows=2) as exchange:
        found = [get(exchange, PATHS["bars"], **DAY)[1] for _ in range(3)]
    assert found[0] == {"data": []}
    assert (codes(found[1]), codes(found[2])) == (CODES[:1], CODES[:2])


def test_a_split_changes_adjusted_values_and_nothing_else():
    with faulty(None, "split", None) as exchange:
        before, during, after = (data(exchange, "bars", **DAY)[0] for _ in range(3))
        newest = data(exchange, "bars", date=str(SESSIONS[-1]))[0]
    assert (before["AdjC"], during["AdjC"]) == (1201.0, 600.5)
    assert during == after and newest["AdjC"] == newest["C"]
    assert {n for n in before if before[n] != after[n]} == {n for n in before if "Adj" in n} - {
        "AdjFactor"
    }


def test_faults_of_transport_hit_downloads_too():
    with faulty(None, "502", "reset-body", None) as exchange:
        query = {"endpoint": "/equities/bars/daily", "date": "202409"}
        url = get(exchange, "/bulk/get", **query)[1]["url"]
        assert fetch(url, {})[0] == 502
        with pytest.raises(http.client.IncompleteRead):
            fetch(url, {})
        assert fetch(url, {})[0] == 403  # the link was used up


def test_a_callable_decides_by_path_and_parameters():
    def fate(path, query):
        return "500" if query.get("date") == "2024-10-02" else None

    with Exchange(tables(), key=KEY, today=LAST, faults=fate) as exchange:
        assert [raw(exchange, query=f"date=2024-10-0{n}")[0] for n in (1, 2, 3)] == [200, 500, 200]


def test_random_faults_repeat_themselves_at_their_rates():
    rates = {"500": 0.1, "slow": 0.3}
    one, same, other = (at_random(rates, seed) for seed in (1, 1, 2))
    drawn = [one("", {}) for _ in range(4000)]
    assert drawn == [same("", {}) for _ in range(4000)]
    assert drawn != [other("", {}) for _ in range(4000)]
    counted = collections.Counter(drawn)
    assert counted["500"] / 4000 == pytest.approx(0.1, abs=0.02)
    assert counted["slow"] / 4000 == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("rates", [{"501": 0.1}, {"500": -0.1}, {"500": 0.6, "502": 0.6}])
def test_unknown_faults_and_impossible_rates_are_refused(rates):
    with pytest.raises(UserError):
        at_random(rates, 0)


def test_an_unknown_fault_is_refused_and_the_known_are_named():
    with pytest.raises(UserError, match="'soon'.*429-block"):
        faulty("500", "soon")


LASTING = {"429-block", "slow", "reset", "reset-body"}  # their own tests show what follows them


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - LASTING))
def test_no_fault_hurts_the_server(fault):
    """Whatever a fault does to one request of every data set, the next request is answered."""
    with faulty(*[fault] * len(PATHS)) as exchange:
        for dataset in PATHS:
            raw(exchange, dataset)
        assert len(data(exchange, "breakdown", **DAY)) == 3
