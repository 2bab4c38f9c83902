"""Whose key it is, what it serves, and that nobody else gets to see it."""

import contextlib
import datetime as dt
import logging
import traceback

import pytest
from gogooku.errors import UserError
from gogooku.raw import plans
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor import account, fetch, jquants, pace, subscription
from gogooku.vendor.cache import Cache
from helpers.tiny_market import FIRST, KEY, LAST, SESSIONS, tables
from simulated_exchange.server.exchange import Exchange
from simulated_exchange.server.limits import Limiter

TABLES = tables()
TODAY = dt.datetime.now(plans.JAPAN).date()


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """Neither the environment nor the folder tells a key."""
    monkeypatch.delenv("JQUANTS_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(exchange, folder, plan="auto"):
    return {
        "url": exchange.url, "plan": plan, "timeout": 60, "attempts": 2, "share": 0.95,
        "ledger": str(folder / "ledger"), "bulk": False, "minute": 0.05,
    }  # fmt: skip


def test_without_a_key_one_sentence_says_where_to_put_it(alone):
    with pytest.raises(UserError, match="no API key: set the environment variable JQUANTS_API_KEY"):
        account.key()


def test_the_key_comes_from_the_environment_or_else_from_a_file(alone, monkeypatch):
    (alone / ".env").write_text("# mine\nOTHER=1\nJQUANTS_API_KEY=of-the-file\n")
    assert account.key() == "of-the-file"
    monkeypatch.setenv("JQUANTS_API_KEY", "of-the-environment")
    assert account.key() == "of-the-environment"


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_an_empty_or_blank_variable_hides_no_key_of_the_file(alone, monkeypatch, blank):
    (alone / ".env").write_text("JQUANTS_API_KEY=of-the-file\n")
    monkeypatch.setenv("JQUANTS_API_KEY", blank)
    assert account.key() == "of-the-file"


def test_a_key_with_a_line_end_is_the_key(alone, monkeypatch):
    monkeypatch.setenv("JQUANTS_API_KEY", "of-a-secret\n")
    assert account.key() == "of-a-secret"


def test_an_empty_file_and_an_empty_variable_hold_no_key(alone, monkeypatch):
    (alone / ".env").write_text("JQUANTS_API_KEY=\n")
    monkeypatch.setenv("JQUANTS_API_KEY", " ")
    with pytest.raises(UserError, match="no API key"):
        account.key()


def test_a_file_that_is_no_text_is_named(alone):
    (alone / ".env").write_bytes(b"\xff\xfe\x00JQ")
    with pytest.raises(UserError, match=r"\.env cannot be read"):
        account.key()


@pytest.mark.parametrize(
    "plan, asked", [("free", 3), ("light", 2), ("standard", 2), ("premium", 2)]
)
def test_a_plan_is_found_out_by_three_requests_at_most_and_remembered(
    alone, monkeypatch, plan, asked
):
    monkeypatch.setenv("JQUANTS_API_KEY", KEY)
    with Exchange(TABLES, key=KEY, today=TODAY, plan=plan) as exchange:
        for _ in range(2):
            with account.open_client(**settings(exchange, alone)) as client:
                assert client.plan == plan
                assert client.memory.window.start < TODAY - dt.timedelta(700)
        assert len(exchange.requests) == asked


def test_what_is_known_of_an_account_is_forgotten_the_next_day(tmp_path):
    path = tmp_path / "account.json"
    window = plans.Window(dt.date(2024, 1, 1), None)
    plans.Memory(path, TODAY).keep(plan="light", window=window)
    same, next_one = (plans.Memory(path, TODAY + dt.timedelta(n)) for n in (0, 1))
    assert (same.plan, same.window) == ("light", window)
    assert (next_one.plan, next_one.window) == (None, None)


def test_what_one_process_learns_leaves_what_another_has_found_out(tmp_path):
    path, window = tmp_path / "account.json", plans.Window(dt.date(2024, 1, 1), None)
    one, other = plans.Memory(path, TODAY), plans.Memory(path, TODAY)
    one.keep(plan="light")
    other.keep(window=window)
    assert (other.plan, other.window) == ("light", window)
    assert (plans.Memory(path, TODAY).plan, plans.Memory(path, TODAY).window) == ("light", window)


@pytest.mark.parametrize(
    "text, start, end",
    [
        ("covers the following dates: 2016-07-05 ~ . If you want", (2016, 7, 5), None),
        ("dates: 2024-03-21 ~ 2026-03-21. If you", (2024, 3, 21), (2026, 3, 21)),
        ("dates: 2024-03-21 ~ 2026-03-21.\nIf you", (2024, 3, 21), (2026, 3, 21)),
    ],
)
def test_the_window_stands_in_the_text_of_a_refusal(text, start, end):
    told = plans.Window.parse(text)
    assert (told.start, told.end) == (dt.date(*start), end and dt.date(*end))


def test_a_window_cuts_a_period_at_both_ends():
    window = plans.Window(dt.date(2024, 1, 10), dt.date(2024, 1, 20))
    days = [dt.date(2024, 1, day) for day in (1, 9, 10, 15, 20, 21, 30)]
    assert [day in window for day in days] == [False, False, True, True, True, False, False]
    assert window.clamp(days[0], days[-1]) == (days[2], days[4])
    assert window.clamp(days[0], days[1]) is None
    assert window.clamp(days[5], days[6]) is None


def test_a_plan_serves_what_cheaper_ones_do_and_add_ons_are_found_out():
    serves = {
        plan: sum(plans.serves(plan, entry) for entry in DATASETS.values())
        for plan in ("free", "light", "standard", "premium", None)
    }
    assert sorted(serves.values()) == list(serves.values())
    assert serves["premium"] == serves[None] == len(DATASETS)


@pytest.mark.parametrize("plan", ["light", "standard"])
def test_the_check_tells_plan_window_and_what_is_lacking(alone, monkeypatch, plan):
    monkeypatch.setenv("JQUANTS_API_KEY", KEY)
    with (
        Exchange(TABLES, key=KEY, today=TODAY, plan=plan) as exchange,
        account.open_client(**settings(exchange, alone)) as client,
    ):
        told = subscription.check(client)
    assert f"plan                {plan}" in told and "works" in told and "to now" in told
    assert ("short_ratio" in told) == (plan == "light")
    assert KEY not in told


@pytest.mark.parametrize(
    "said, sentence",
    [
        ("The incoming api key is invalid or expired.", "the API key was refused"),
        ("There is no active subscription.", "the subscription has ended: renew it"),
    ],
)
def test_a_wrong_key_and_an_ended_plan_are_told_in_one_sentence(said, sentence):
    client = jquants.Client("http://127.0.0.1:1", KEY, None, 60, 3)
    told = client._refusal("/fins/summary", {"date": "2024-01-04"}, 403, said)
    assert sentence in str(told) and "\n" not in str(told)


@pytest.mark.parametrize(
    "dataset, query, sentence",
    [
        ("bras", {}, "no data set 'bras': choose among calendar, master"),
        ("bars", {"code": "13 01"}, "'13 01' is no code of an issue"),
        ("bars", {"date": ""}, "asked with an empty date"),
    ],
)
def test_a_question_without_sense_is_not_asked(dataset, query, sentence):
    client = jquants.Client("http://127.0.0.1:1", KEY, None, 60, 3)
    with pytest.raises(UserError, match=sentence):
        client.rows(dataset, query)


def test_the_key_is_nowhere_after_reads_that_fail_and_reads_that_do_not(
    alone, monkeypatch, caplog, capfd
):
    monkeypatch.setenv("JQUANTS_API_KEY", KEY)
    faults = [None, "429", "500", "truncate", "reset", "502", "repeat", *[None] * 8, *["500"] * 4]
    said = []
    with caplog.at_level(logging.DEBUG), Exchange(
        TABLES, key=KEY, today=TODAY, plan="premium", faults=faults
    ) as exchange:  # fmt: skip
        for dataset in ("bars", "topix", "summary", "bars", "bars", "summary"):
            try:
                with account.open_client(**settings(exchange, alone)) as client:
                    said += [repr(client), repr(vars(client))]
                    cache, now = Cache(alone / "days", client.plan, ""), dt.datetime.now(dt.UTC)
                    fetch.read(
                        client, dataset, FIRST, LAST, SESSIONS, now=now, cache=cache, in_bulk=True
                    )
            except UserError as error:
                said += traceback.format_exception(error)
    said += capfd.readouterr()
    assert len(list(alone.rglob("*"))) > 10 and any("run again" in text for text in said)
    assert KEY not in "".join(said) + caplog.text
    for path in alone.rglob("*"):
        assert KEY not in str(path)
        assert path.is_dir() or KEY.encode() not in path.read_bytes()


class Clock:
    """Time passes when somebody sleeps: what leaves in a minute depends on no machine."""

    def __init__(self):
        self.now = 1.7e9

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@contextlib.contextmanager
def on_one_clock(plan, *ledgers):
    """An exchange with the limits of a plan, and a client for each ledger; one clock for all."""
    clock = Clock()
    limiter = Limiter(plan, on=True, clock=clock.time)
    with contextlib.ExitStack() as stack:
        exchange = stack.enter_context(
            Exchange(TABLES, key=KEY, today=TODAY, plan=plan, limiter=limiter)
        )
        clients = [
            jquants.Client(exchange.url, KEY, plan, 60, 2, ledger=path, workers=1, clock=clock)
            for path in ledgers
        ]
        yield limiter, [stack.enter_context(client) for client in clients]


@pytest.mark.parametrize("plan", ["light", "standard"])
def test_a_client_never_passes_the_limit_of_its_plan(tmp_path, plan):
    with on_one_clock(plan, tmp_path) as (limiter, (client,)):
        for dataset in ("bars", "valuation", "summary"):
            for _ in range(-(-pace.LIMITS[plan] // len(SESSIONS))):
                fetch.read(client, dataset, FIRST, LAST, SESSIONS)
    assert limiter.refused == 0
    assert 0.9 * pace.LIMITS[plan] < limiter.most[""] <= pace.LIMITS[plan]
    assert 54 < limiter.most["fins"] <= 60


@pytest.mark.parametrize("ledgers, holds", [("aa", True), ("ab", False)])
def test_two_clients_exceed_the_limit_unless_they_share_a_ledger(tmp_path, ledgers, holds):
    with on_one_clock("light", *(tmp_path / name for name in ledgers)) as (limiter, clients):
        for turn in range(130):
            clients[turn % 2].rows("topix", {"from": str(FIRST), "to": str(LAST)})
    assert (limiter.refused == 0) == holds
    assert (54 < limiter.most[""] <= 60) == holds
