"""The rate limiter: what counts, when it refuses, when it blocks."""

import itertools

import pytest
from helpers.asking import PATHS, get
from helpers.tiny_market import KEY, LAST, tables
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_exchange.server.exchange import Exchange
from simulated_exchange.server.limits import LIMITS, Limiter


class Hand:
    """A clock that is moved by hand [s]."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def limiter(plan, clock, **options):
    return Limiter(plan, on=True, clock=clock, **options)


@pytest.mark.parametrize("plan", LIMITS)
def test_a_plan_admits_its_limit_and_no_more(plan):
    limit = limiter(plan, Hand(), hammer=10**6)
    admitted = [limit.admit("") for _ in range(LIMITS[plan] + 3)]
    assert admitted == [True] * LIMITS[plan] + [False] * 3
    assert (limit.refused, limit.most[""]) == (3, LIMITS[plan] + 3)


def test_the_window_slides():
    clock = Hand()
    limit = limiter("free", clock)
    for second in (0, 10, 20, 30, 40):
        clock.now = second
        assert limit.admit("")
    clock.now = 59.9
    assert not limit.admit("")  # and it counts
    clock.now = 60.0
    assert not limit.admit("")
    clock.now = 100.1
    assert limit.admit("")


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 30.0), min_size=1, max_size=80))
def test_what_is_admitted_keeps_to_the_limit_in_every_window(gaps):
    clock = Hand()
    limit = limiter("free", clock, hammer=10**6)
    moments = []
    for gap in gaps:
        clock.now += gap
        if limit.admit(""):
            moments.append(clock.now)
    for moment in moments:
        assert sum(moment - 60 < other <= moment for other in moments) <= LIMITS["free"]


def test_filings_share_a_limit_of_their_own_on_top_of_the_plans():
    limit = limiter("standard", Hand(), hammer=10**6)
    assert all(limit.admit("fins") for _ in range(60))
    assert not limit.admit("fins")
    assert [limit.admit("") for _ in range(60)] == [True] * 59 + [False]


def test_minute_bars_have_a_limit_apart():
    limit = limiter("light", Hand())
    assert all(limit.admit("minute") for _ in range(60))
    assert not limit.admit("minute")
    assert limit.admit("")


def test_twice_the_limit_blocks_for_five_minutes():
    clock = Hand()
    limit = limiter("free", clock)
    assert [limit.admit("") for _ in range(11)].count(True) == 5
    assert limit.blocks == 1
    clock.now = 299.9
    assert not limit.admit("")
    clock.now += 300
    assert limit.admit("")


def test_many_refusals_within_a_minute_block_too():
    limit = limiter("light", Hand(), hammer=3)
    for _ in range(64):
        limit.admit("")
    assert limit.blocks == 1


def test_a_request_during_the_block_prolongs_it():
    clock = Hand()
    limit = limiter("free", clock)
    limit.block()
    clock.now = 200
    assert not limit.admit("")
    clock.now = 310
    assert not limit.admit("")
    clock.now = 611
    assert limit.admit("")


def test_without_limits_requests_are_counted_all_the_same():
    limit = Limiter("free", on=False, clock=Hand())
    assert all(limit.admit("") for _ in range(100))
    assert limit.most[""] == 100 and limit.refused == 0


def test_a_short_minute_shortens_the_block():
    clock = Hand()
    limit = limiter("free", clock, minute=3.0)
    for _ in range(11):
        limit.admit("")
    clock.now = 15.1
    assert limit.admit("")


def test_failed_requests_and_pages_count_and_other_keys_do_not():
    clock = Hand()
    limit = limiter("free", clock, hammer=10**6)
    with Exchange(tables(), key=KEY, today=LAST, plan="free", limiter=limit) as exchange:
        for _ in range(10):
            assert get(exchange, PATHS["bars"], key="another")[0] == 403
        asked = [("/no/path", 403), (PATHS["bars"], 400), (PATHS["details"], 403)]
        asked += [(PATHS["calendar"], 400)] * 2  # outside the window
        for path, status in asked:
            assert get(exchange, path, from_="2024-10-08")[0] == status
        refused = get(exchange, PATHS["calendar"])
    assert refused == (429, {"message": "Rate limit exceeded. Please try again later."})


def test_the_server_tells_filings_and_minute_bars_from_the_rest():
    limit = limiter("premium", Hand())
    options = {"plan": "premium", "minute_bars": True, "limiter": limit}
    with Exchange(tables(), key=KEY, today=LAST, **options) as exchange:
        for dataset, n in {"summary": 2, "details": 3, "bars_minute": 4, "topix": 5}.items():
            for _ in itertools.repeat(None, n):
                get(exchange, PATHS[dataset], code="130A0")
        get(exchange, "/bulk/list", endpoint="/equities/bars/minute")
    assert dict(limit.most) == {"": 10, "fins": 5, "minute": 5}


def test_the_plans_limit_holds_when_it_is_asked_for():
    with Exchange(tables(), key=KEY, today=LAST, plan="free", limited=True) as exchange:
        found = [get(exchange, PATHS["master"])[0] for _ in range(6)]
    assert found == [200] * 5 + [429]
