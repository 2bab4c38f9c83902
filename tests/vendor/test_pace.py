"""Requests of all threads and processes with one key keep to the account's limits together."""

import json
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from gogooku.errors import UserError
from gogooku.vendor import pace
from hypothesis import given, settings
from hypothesis import strategies as st

LIB = Path(__file__).parents[2] / "lib"


class Clock:
    """Time passes when somebody sleeps."""

    def __init__(self, now=1.7e9):
        self.now = now

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def most(times, length):
    """Largest number of `times` within any window of `length`."""
    return max(sum(start <= t < start + length for t in times) for start in times)


@pytest.mark.parametrize("plan", sorted(pace.LIMITS))
def test_a_plan_s_minute_is_used_to_nine_tenths_and_never_beyond(plan, tmp_path):
    clock, times = Clock(), []
    one = pace.Pace("key", tmp_path, plan, clock=clock)
    for _ in range(4 * pace.LIMITS[plan]):
        one.wait("")
        times.append(clock.now)
    assert most(times, 60) <= pace.LIMITS[plan]
    assert times[-1] - times[0] <= 4 * 60 * 1.1


@pytest.mark.parametrize("plan, limit", [("premium", 60), ("standard", 60), ("free", 5)])
def test_filings_have_a_limit_of_their_own_within_the_plan_s(plan, limit, tmp_path):
    clock, times = Clock(), []
    one = pace.Pace("key", tmp_path, plan, clock=clock)
    for turn in range(4 * limit):
        one.wait("fins" if turn % 2 else "")
        times.append((clock.now, turn % 2))
    fins = [moment for moment, is_fins in times if is_fins]
    assert most(fins, 60) <= limit
    assert most([moment for moment, _ in times], 60) <= pace.LIMITS[plan]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 40), min_size=30, max_size=120), st.sampled_from(["free", "light"]))
def test_however_late_turns_are_taken_no_minute_holds_too_many(tmp_path_factory, idle, plan):
    clock, times = Clock(), []
    one = pace.Pace("key", tmp_path_factory.mktemp("ledger"), plan, clock=clock)
    for seconds in idle:
        clock.sleep(seconds if seconds > 30 else 0)
        one.wait("")
        times.append(clock.now)
    assert most(times, 60) <= pace.LIMITS[plan]


def test_a_refusal_holds_everybody_for_a_minute_and_a_second_one_for_five(tmp_path):
    clock = Clock()
    one, other = (pace.Pace("key", tmp_path, "light", clock=clock) for _ in range(2))
    stranger = pace.Pace("another key", tmp_path, "light", clock=clock)
    begin = clock.now
    assert one.pause(sent=clock.now - 1) == 60
    assert other.pause(sent=begin - 2) == 0  # left before the pause began
    stranger.wait("")
    assert clock.now == begin
    other.wait("")
    assert clock.now == pytest.approx(begin + 60, abs=0.01)
    assert other.pause(sent=clock.now) == 310
    one.wait("fins")
    assert clock.now == pytest.approx(begin + 370, abs=0.01)
    clock.sleep(100)
    assert one.pause(sent=clock.now) == 60


def test_without_a_plan_nobody_waits_but_for_a_pause():
    clock = Clock()
    free = pace.Pace("key", None, None, clock=clock)
    begin = clock.now
    for _ in range(1000):
        free.wait("")
    assert clock.now == begin
    free.pause(sent=begin)
    free.wait("")
    assert clock.now == pytest.approx(begin + 60, abs=0.01)


def test_a_clock_that_runs_faster_has_shorter_minutes_and_pauses(tmp_path):
    clock = Clock()
    fast = pace.Pace("key", tmp_path, "light", minute=6.0, clock=clock)
    begin = clock.now
    for _ in range(61):
        fast.wait("")
    assert clock.now - begin == pytest.approx(6 / 0.95, rel=0.05)
    assert fast.pause(sent=clock.now) == 6


def test_the_ledger_is_named_by_a_digest_and_holds_no_key(tmp_path):
    pace.Pace("a-key-that-nobody-may-see", tmp_path, "light", clock=Clock()).wait("")
    for path in tmp_path.iterdir():
        assert "nobody" not in path.name and b"nobody" not in path.read_bytes()
    assert any(path.suffix == ".pace" for path in tmp_path.iterdir())


def test_a_ledger_that_was_cut_short_is_begun_anew(tmp_path):
    clock = Clock()
    pace.Pace("key", tmp_path, "light", clock=clock).wait("")
    (path,) = tmp_path.glob("*.pace")
    path.write_bytes(b"half")
    pace.Pace("key", tmp_path, "light", clock=clock).wait("")


@pytest.mark.parametrize("paused", [False, True])
def test_a_ledger_of_another_clock_is_no_reason_to_wait_for_hours(tmp_path, paused):
    clock = Clock(1.7e9 + 7200)
    ahead = pace.Pace("key", tmp_path, "light", clock=clock)
    ahead.pause(sent=clock.now) if paused else ahead.wait("")
    clock.now = 1.7e9
    with pytest.raises(UserError, match=r"\.pace is 7\d+ s ahead of this machine's clock: set"):
        pace.Pace("key", tmp_path, "light", clock=clock).wait("")
    assert clock.now == 1.7e9


def test_a_small_share_makes_turns_rare_and_is_no_other_clock(tmp_path):
    clock = Clock()
    one = pace.Pace("key", tmp_path, "free", share=0.01, clock=clock)
    for _ in range(5):
        one.wait("")
    assert clock.now - 1.7e9 >= 3 * 1200


WORKER = """
    import json, sys, threading
    sys.path.insert(0, {lib!r})
    from pathlib import Path
    from gogooku.vendor.pace import Pace
    mine, times = Pace("key", Path({ledger!r}), "standard", minute=1.0), []
    print("ready", flush=True)
    sys.stdin.readline()
    def work():
        for _ in range(20):
            times.append(mine.wait(""))  # its place in the ledger, however late the thread goes on
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(json.dumps(times))
"""


def test_two_processes_keep_to_one_limit_together(tmp_path):
    text = textwrap.dedent(WORKER).format(lib=str(LIB), ledger=str(tmp_path))
    pipe = subprocess.PIPE
    workers = [
        subprocess.Popen([sys.executable, "-c", text], stdin=pipe, stdout=pipe, text=True)
        for _ in range(2)
    ]
    assert [worker.stdout.readline() for worker in workers] == ["ready\n"] * 2
    found = [worker.communicate("go\n")[0] for worker in workers]
    times = sorted(moment for text in found for moment in json.loads(text))
    assert len(times) == 160
    assert most(times, 1.0) <= 120


def test_threads_pass_one_by_one(tmp_path):
    one, times = pace.Pace("key", tmp_path, "premium", minute=6.0), []

    def work():
        times.append(one.wait(""))

    threads = [threading.Thread(target=work) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(times) - min(times) > 0.8 * 50 * 6 / 500
