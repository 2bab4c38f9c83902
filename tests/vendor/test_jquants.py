import contextlib
import datetime as dt
import gzip
import http.server
import io
import logging
import socket
import threading
import time
import traceback

import numpy as np
import polars as pl
import pytest
import requests
import urllib3
from gogooku.errors import UserError
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor import fetch, jquants
from helpers.tiny_market import FIRST, KEY, LAST, SESSIONS, many_bars, tables
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from simulated_exchange import local
from simulated_exchange.server.exchange import Exchange

DAY = dt.date(2024, 10, 1)


class Clock:
    """Time passes when somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@contextlib.contextmanager
def opened(content=None, key=KEY, plan=None, attempts=3, clock=None, workers=1, **server):
    """An exchange and a client of it."""
    with (
        Exchange(content or tables(), key=KEY, **{"today": LAST} | server) as exchange,
        jquants.Client(
            exchange.url, key, plan, 60, attempts, workers=workers, clock=clock or Clock()
        ) as client,
    ):
        yield exchange, client


def read(client, dataset, first=FIRST, last=LAST):
    return fetch.read(client, dataset, first, last, SESSIONS).rows


SERVED = sorted(set(tables()) - {"earnings_calendar"})


@pytest.mark.parametrize("dataset", SERVED)
@pytest.mark.parametrize("workers", [1, 6])
def test_what_is_read_is_what_the_exchange_holds(dataset, workers):
    with opened(workers=workers, page_rows=2) as (_, client):
        found = read(client, dataset)
    entry = DATASETS[dataset]
    held = tables()[dataset].sort(entry.order)
    if entry.request == "session":
        held = held.filter(pl.col(entry.day).is_in(SESSIONS))
    assert_frame_equal(found, held)


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 30), st.integers(1, 31))
def test_any_split_into_pages_gives_the_same_rows(stocks, page_rows):
    content = many_bars(stocks)
    with opened(content, page_rows=page_rows) as (exchange, client):
        found = read(client, "bars", DAY, DAY)
    assert_frame_equal(found, content["bars"])
    assert len(exchange.requests) == -(-stocks // page_rows)


def test_sessions_weeks_and_ranges_are_asked_in_their_own_way():
    with opened() as (exchange, client):
        for dataset in ("bars", "summary", "short_sale", "margin_interest", "topix"):
            read(client, dataset)
        read(client, "investor_types")
    asked = [query for _, query in exchange.requests]
    per_session = [{"date": str(day)} for day in SESSIONS]
    assert asked == [
        *per_session,
        *per_session,
        *({"disc_date": str(day)} for day in SESSIONS),
        {"date": "2024-09-27"},
        {"date": "2024-10-03"},
        {"from": "2024-09-25", "to": "2024-10-08"},
        {"from": "2024-09-11", "to": "2024-10-22"},
    ]


def test_only_the_days_wanted_are_kept_of_a_range_asked_wider():
    with opened() as (_, client):
        found = read(client, "investor_types", DAY, LAST)
    assert found["PubDate"].to_list() == [dt.date(2024, 10, 3)] * 2


def test_the_margin_of_a_range_yields_to_the_window_of_the_plan():
    window = (dt.date(2024, 9, 20), None)
    with opened(window=window) as (exchange, client):
        assert len(read(client, "investor_types")) == 3
    assert exchange.requests[-1][1]["from"] == "2024-09-20"


def test_a_period_without_sessions_gives_typed_nothing():
    with opened() as (_, client):
        found = read(client, "bars", dt.date(2024, 9, 28), dt.date(2024, 9, 29))
    assert found.schema == pl.Schema(DATASETS["bars"].schema) and found.is_empty()


@pytest.mark.parametrize("fault", ["500", "truncate", "reset"])
def test_a_fault_that_passes_is_waited_out(fault):
    clock = Clock()
    with opened(faults=[fault, fault], clock=clock) as (exchange, client):
        assert len(read(client, "topix")) == len(SESSIONS)
    assert len(exchange.requests) == 3
    assert clock.now == 1 + 2


def test_too_many_requests_stop_all_of_them_for_a_minute_and_then_for_five():
    clock = Clock()
    with opened(faults=["429", "429-text"], clock=clock) as (_, client):
        clock.sleep(1)
        client.rows("topix", {})
        assert clock.now == pytest.approx(1 + 60 + 310)


def test_a_refusal_that_ends_the_attempts_of_one_request_still_holds_the_others():
    clock = Clock()
    with opened(faults=["429"] * 3, clock=clock) as (_, client):
        with pytest.raises(UserError, match="topix failed 3 times"):
            client.rows("topix", {})
        before = clock.now
        client.rows("topix", {})
        assert clock.now == pytest.approx(before + 310)


@pytest.mark.parametrize("fault, reason", [("500", "status 500"), ("truncate", "broken JSON")])
def test_a_fault_that_stays_is_told_in_one_sentence(fault, reason):
    with opened(faults=[fault] * 9) as (exchange, client):
        with pytest.raises(UserError, match=rf"topix failed 3 times \({reason}\): run again later"):
            read(client, "topix")
        assert len(exchange.requests) == 3


def test_a_server_that_does_not_answer_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v2"
        client = jquants.Client(url, KEY, None, 0.05, 2, clock=Clock())
        with client, pytest.raises(UserError, match=r"failed 2 times \(ReadTimeout\)"):
            read(client, "topix")


def test_a_page_that_points_to_itself_is_refused():
    with (
        opened(many_bars(9), page_rows=3, faults=[None, "repeat"]) as (_, client),
        pytest.raises(UserError, match="bars/daily sent one page twice"),
    ):
        read(client, "bars", DAY, DAY)


def test_a_page_that_comes_twice_is_counted_once():
    content = many_bars(9)
    with opened(content, page_rows=3, faults=["repeat"]) as (exchange, client):
        assert_frame_equal(read(client, "bars", DAY, DAY), content["bars"])
    assert len(exchange.requests) == 4


def test_two_different_rows_of_one_key_are_refused():
    twice = tables()["topix"]
    twice = pl.concat([twice, twice[:1].with_columns(C=pl.lit(1.0))])
    with (
        opened({"topix": twice}) as (_, client),
        pytest.raises(UserError, match="topix holds two different rows for Date 2024-09-25"),
    ):
        read(client, "topix")


REFUSALS = [
    ({"key": "another-key"}, "topix", "the API key was refused: set JQUANTS_API_KEY"),
    ({"content": {"topix": tables()["topix"]}}, "bars", "daily is not part of the subscription"),
]


@pytest.mark.parametrize("server, dataset, sentence", REFUSALS)
def test_a_refusal_is_final_and_told_in_one_sentence(server, dataset, sentence):
    with opened(**server) as (exchange, client):
        with pytest.raises(UserError, match=sentence) as told:
            read(client, dataset)
        assert len({str(asked) for asked in exchange.requests}) == len(exchange.requests)
    assert "\n" not in str(told.value)


def test_the_workflow_s_own_exchange_answers_in_pages(monkeypatch):
    stocks, pages = 2 * local.PAGE_ROWS + 1, []
    whole = jquants.Client._answer
    monkeypatch.setattr(
        jquants.Client, "_answer", lambda *asked: pages.append(asked) or whole(*asked)
    )
    content = many_bars(stocks)
    sessions = np.array(SESSIONS, "datetime64[D]")
    found = local.read(content, "bars", DAY, DAY, sessions, LAST)
    assert_frame_equal(found, content["bars"])
    assert len(pages) == 3


@pytest.mark.parametrize("dataset", sorted(tables()))
def test_the_workflow_reads_what_the_exchange_holds(dataset):
    held, entry = tables()[dataset], DATASETS[dataset]
    sessions = np.array(SESSIONS, "datetime64[D]")
    found = local.read({dataset: held}, dataset, FIRST, LAST, sessions, LAST)
    if entry.request == "session":
        held = held.filter(pl.col(entry.day).is_in(SESSIONS))
    assert_frame_equal(found, held.sort(entry.order))


@contextlib.contextmanager
def answering(status, body, headers=()):
    """A server with one answer to everything; gives its address and the keys that it saw."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers.get("x-api-key"))
            self.send_response(status)
            for header in headers:
                self.send_header(*header)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def asking(status, body, headers=()):
    """A client of such a server, and the keys that the server saw."""
    with (
        answering(status, body, headers) as (url, seen),
        jquants.Client(url, KEY, None, 60, 3) as client,
    ):
        yield client, seen


def test_an_answer_that_trickles_is_given_up_in_the_time_of_one_answer():
    """The server goes on until the client hangs up, or beyond all patience."""
    given_up = []

    def trickle(server):
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
            try:
                for _ in range(2000):
                    connection.sendall(b" ")
                    time.sleep(0.05)
            except OSError:
                given_up.append(True)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        url, begin = f"http://127.0.0.1:{server.getsockname()[1]}", time.monotonic()
        with (
            jquants.Client(url, KEY, None, 0.4, 1) as client,
            pytest.raises(UserError, match="topix failed 1 times .ReadTimeout.: run again later"),
        ):
            client.rows("topix", {"from": "2024-09-25"})
        assert time.monotonic() - begin >= 0.4
        thread.join()
    assert given_up


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data": 1}', b'{"data": [[1]]}', b'"data"'])
def test_an_answer_of_another_shape_is_refused(body):
    with (
        asking(200, body) as (client, _),
        pytest.raises(UserError, match="topix answered something else than rows"),
    ):
        read(client, "topix")


@pytest.mark.parametrize("key", ["7", "1.5", "true", '["a"]', '{"a": 1}'])
@pytest.mark.parametrize("rows", ["", '{"Date": "2024-09-25", "O": 1, "H": 1, "L": 1, "C": 1}'])
def test_a_key_of_the_next_page_that_is_no_text_is_refused_and_the_endpoint_named(rows, key):
    body = f'{{"data": [{rows}], "pagination_key": {key}}}'.encode()
    said = "answered a pagination_key that is no text$"
    with asking(200, body) as (client, seen):
        with pytest.raises(UserError, match=f"^/indices/bars/daily/topix {said}"):
            read(client, "topix")
        if not rows:
            with pytest.raises(UserError, match=f"^/bulk/list {said}"):
                client.files("bars", "2024-09", "2024-10")
    assert len(seen) == 1 + (not rows)


@pytest.mark.parametrize("onward", ["null", '""'])
def test_a_last_page_may_say_that_nothing_follows(onward):
    body = f'{{"data": [], "pagination_key": {onward}}}'.encode()
    with asking(200, body) as (client, seen):
        assert read(client, "topix").is_empty()
    assert len(seen) == 1


def test_no_content_is_an_answer_of_the_morning_session_alone():
    with asking(210, b"") as (client, seen):
        assert client.rows("bars_am", {}).is_empty() and len(seen) == 1
        client._persist.sleep = Clock().sleep
        with pytest.raises(UserError, match="topix failed 3 times .status 210.: run again later"):
            client.rows("topix", {"from": "2024-09-25"})


@pytest.mark.parametrize(
    "body, said",
    [
        (b"{}", "something else than files"),
        (b'{"data": 1}', "something else than files"),
        (b'{"data": ["a"]}', "a file without one of the fields Key, LastModified and Size"),
        (b'{"data": [{"Key": "a_202409.csv.gz", "LastModified": "2024-10-02"}]}', "a file without"),
        (b'{"data": [{"Key": "a", "LastModified": "b", "Size": null}]}', "a file without"),
    ],
)
def test_a_list_of_files_of_another_shape_is_refused(body, said):
    with (
        asking(200, body) as (client, _),
        pytest.raises(UserError, match=f"/bulk/list answered {said}"),
    ):
        client.files("bars", "2024-09", "2024-10")


@pytest.mark.parametrize("headers", [[], [("Content-Encoding", "gzip")]])
def test_a_packed_file_is_unpacked_once_whatever_the_server_calls_it(headers, monkeypatch):
    packed = gzip.compress(b"Date,Code\n")
    with asking(200, packed, headers) as (client, seen):
        monkeypatch.setattr(client, "_document", lambda *_: {"url": client._url})
        file = jquants.File("a.csv.gz", dt.datetime.now(dt.UTC), len(packed))
        assert client.download(file) == b"Date,Code\n"
    assert seen == [None]


def test_rows_of_a_day_that_nobody_asked_for_are_refused():
    body = b'{"data": [{"Date": "2024-07-01", "O": 1, "H": 1, "L": 1, "C": 1}]}'
    with (
        asking(200, body) as (client, _),
        pytest.raises(UserError, match="answered rows of 2024-07-01 when asked for 2024-09"),
    ):
        read(client, "topix")


def test_the_key_does_not_follow_a_redirect():
    with (
        answering(200, b'{"data": []}') as (elsewhere, seen),
        asking(302, b"", [("Location", elsewhere)]) as (client, asked),
        pytest.raises(UserError, match="status 302"),
    ):
        read(client, "topix")
    assert (seen, asked) == ([], [KEY])


def test_the_key_is_in_no_message_log_or_repr(caplog):
    echo = f'{{"message": "what is {KEY}?"}}'.encode()
    said = []
    with caplog.at_level(logging.DEBUG), answering(400, echo) as (url, _):
        clients = [
            jquants.Client(url, KEY, "premium", 60, 2, clock=Clock()),
            jquants.Client("http://127.0.0.1:1", KEY, None, 60, 2, clock=Clock()),
            jquants.Client("nowhere", KEY, None, 60, 2, clock=Clock()),
        ]
        for client in clients:
            with client, pytest.raises(UserError) as told:
                read(client, "topix")
            said += [repr(client), *traceback.format_exception(told.value)]
    assert len(said) > 3
    assert KEY not in "".join(said) + caplog.text


@pytest.mark.parametrize("key", ["", "two words", "line\n", "キー"])
def test_a_key_that_cannot_be_one_is_refused_unseen(key):
    with pytest.raises(UserError, match="JQUANTS_API_KEY") as told:
        jquants.Client("http://127.0.0.1:1", key, None, 60, 3)
    assert not key or key not in str(told.value)


def test_no_thread_is_left_behind():
    before = set(threading.enumerate())
    with opened(workers=4) as (_, client), contextlib.suppress(UserError):
        read(client, "bars")
    with opened(workers=4, key="wrong") as (_, client), pytest.raises(UserError):
        read(client, "bars")
    assert set(threading.enumerate()) == before


def test_the_first_refusal_spares_the_questions_behind_it():
    many = [FIRST + dt.timedelta(n) for n in range(2000)]
    with opened(key="wrong", workers=2) as (exchange, client), pytest.raises(UserError):
        fetch.read(client, "summary", many[0], many[-1], many)
    assert len(exchange.requests) < len(many) / 2


def test_a_refusal_of_a_request_that_passed_before_a_pause_is_no_second_one(tmp_path, monkeypatch):
    clock, said = Clock(), [429, 200]
    clock.now = 1.7e9
    with jquants.Client("http://a", KEY, "light", 60, 3, ledger=tmp_path, clock=clock) as client:

        def wait(kind):
            passed = let_pass(kind)
            if len(said) == 2:
                clock.sleep(1)
                client._pace.pause(clock.now)  # for another's refusal
                clock.sleep(1)
            return passed

        def get(*_, **__):
            answer = requests.Response()
            answer.status_code = said.pop(0)
            answer.raw = urllib3.HTTPResponse(io.BytesIO(b'{"data": []}'), preload_content=False)
            return answer

        let_pass = client._pace.wait
        monkeypatch.setattr(client._pace, "wait", wait)
        monkeypatch.setattr(client._session, "get", get)
        client.rows("topix", {"from": "2024-09-25"})
    assert 60 < clock.now - 1.7e9 < 70


def test_a_proxy_does_not_stand_before_this_machines_own_exchange(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with opened() as (exchange, client):
        with pytest.raises(requests.ConnectionError):
            requests.get(exchange.url, timeout=60)
        assert len(read(client, "topix")) == len(SESSIONS)
