"""Words, logs and estimates that the display is made of."""

import io
import time

import pytest
from run_display import course, logs, plan, terminal


def test_the_sentence_is_the_last_error_with_all_its_lines(tmp_path):
    log = tmp_path / "a.log"
    log.write_text(
        "2024-01-04 09:00:00,000 INFO begins\n"
        "2024-01-04 09:00:01,000 ERROR one key\nanother key\n"
        "2024-01-04 09:00:02,000 INFO after it\n"
    )
    assert logs.sentence([log], 0) == "one key\nanother key"
    assert logs.last([log], 0) == "after it"
    assert logs.sentence([tmp_path / "none.log"], 0) == ""


def test_of_a_traceback_the_last_line_counts(tmp_path):
    log = tmp_path / "a.log"
    log.write_text(
        "2024-01-04 09:00:01,000 CRITICAL the job failed\n"
        "Traceback (most recent call last):\n  File x\nKeyError: 'bars'\n"
    )
    assert logs.sentence([log], 0) == "KeyError: 'bars'"


def failure(text):
    return f"2024-01-04 09:00:01,000 CRITICAL the job failed\n{text}"


def test_an_error_of_several_lines_is_told_by_its_first(tmp_path):
    log = tmp_path / "a.log"
    trace = "Traceback (most recent call last):\n  File x\n    f()\n"
    log.write_text(
        failure(f"{trace}KeyError: 1\n\nin between\n\n{trace}ValueError: one\n  two\nthree\n")
    )
    assert logs.sentence([log], 0) == "ValueError: one"


def test_an_error_is_told_however_long_it_is(tmp_path):
    log = tmp_path / "a.log"
    lines = "".join(f"  File {n}\n    some code\n" for n in range(2000))
    log.write_text(failure(f"Traceback (most recent call last):\n{lines}KeyError: 1\n"))
    assert logs.sentence([log], 0) == "KeyError: 1"


def test_control_characters_of_a_log_do_not_reach_the_terminal(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("2024-01-04 09:00:00,000 INFO \x1b[2Jepoch 1\x07\n")
    assert logs.last([log], 0) == "[2Jepoch 1"


@pytest.mark.parametrize(
    "status, name", [(137, "SIGKILL"), (143, "SIGTERM"), (127, ""), (128, ""), (199, ""), (1, "")]
)
def test_a_status_names_a_signal_or_none(status, name):
    text = logs.killed(f"Command 'x' returned non-zero exit status {status}.")
    assert (name in text) if name else text == ""


def test_a_terminal_that_is_closed_ends_no_run():
    stream = io.StringIO()
    screen = terminal.Terminal(stream)
    stream.close()
    screen.say("a line")


DIFF = "Params have changed since last execution: Union of exclusive params before and now: "


@pytest.mark.parametrize(
    "reason, causes",
    [
        ("Missing output files: a; Input files updated by another job: b", {"output missing"}),
        ("Input files updated by another job: b", {plan.FOLLOWS}),
        (DIFF + "before: '0123456789ab' now: 'ba9876543210' ", {"code changed"}),
        (
            DIFF + "before: '0123456789ab',5 now: 'ba9876543210',6 ",
            {"code changed", "settings changed"},
        ),
        (DIFF + "before: <nothing exclusive> now: {'a': 1} ", {"settings changed"}),
        ("Set of input files has changed since last execution", {"other input files"}),
    ],
)
def test_reasons_become_causes(reason, causes):
    assert plan.causes(reason) == causes


def test_the_rest_is_estimated_by_rule_and_by_how_many_run_at_one_time():
    now = [0.0]
    run = course.Course(clock=lambda: now[0])
    run.plan({"a": 4, "b": 2})
    assert run.remaining() is None
    for number in (1, 2):
        run.start(number, "a", {}, [], output=True)
    now[0] = 10.0
    run.finish(1)
    run.finish(2)
    # Two more of ten seconds and two of an unknown rule, two at a time.
    assert run.remaining() == (pytest.approx(20.0), False)
    for number in (3, 4):
        run.start(number, "b", {}, [], output=True)
    now[0] = 40.0
    run.finish(3)
    run.finish(4)
    assert run.remaining() == (pytest.approx(10.0), True)


def test_a_stream_that_is_no_terminal_gets_lines_alone():
    stream = io.StringIO()
    screen = terminal.Terminal(stream)
    screen.draw(["an area"])
    screen.say("a line", warn=True)
    assert stream.getvalue() == "a line\n"


def test_only_a_log_written_since_the_job_began_is_read(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("2024-01-04 09:00:00,000 INFO begins\n")
    assert logs.last([log], time.time() + 3600) == ""
