"""A run as people see it: one line a job, progress, and one last word."""

import io
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.checkout import ROOT
from helpers.screen import on_a_terminal, shown
from run_display import display
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.tests import TestLogHandlerBase

SNAKEFILE = """
import sys
sys.path.insert(0, LIB)
from run_display import display
display.attach(workflow, "runs/toy", lambda run: "")

rule train_all:
    input: collect("{seed}.out", seed=[0, 1])

rule train_toy:
    input: "in.txt"
    output: "{seed}.out"
    log: "logs/{seed}.log"
    script: "train.py"
"""

SCRIPT = """
import sys, time
sys.path.insert(0, LIB)
from gogooku import errors, jobs
jobs.SHORTEST_PAUSE = 0.2
jobs.log_to(snakemake.log[0])
word, seconds = open(snakemake.input[0]).read().split()
for _ in jobs.progress(range(20), f"epoch of {snakemake.wildcards.seed}"):
    time.sleep(float(seconds) / 20)
if word == "damaged":
    raise errors.UserError("in.txt is damaged: delete it and run again")
if word == "wrong":
    1 / 0
if word == "killed":
    import os
    os.kill(os.getpid(), 9)
open(snakemake.output[0], "w").write("done")
"""


@pytest.fixture
def toy(tmp_path):
    """A workflow of two jobs, which can run at one time."""
    for name, text in (("Snakefile", SNAKEFILE), ("train.py", SCRIPT)):
        (tmp_path / name).write_text(text.replace("LIB", repr(str(ROOT / "lib"))))
    (tmp_path / "in.txt").write_text("sound 0")
    return tmp_path


COMMAND = [sys.executable, "-m", "snakemake", "--cores", "2", "--scheduler", "greedy"]


def plain(toy, *arguments, status=0):
    """What a run writes where there is no terminal."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=toy, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done.stderr


def test_a_pipe_gets_one_line_a_job_and_the_second_run_says_that_nothing_is_to_be_done(toy):
    text = plain(toy)
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", text)
    lines = text.splitlines()
    assert "2 jobs: train 2" in lines
    ran = [re.split(" {2,}", line)[:2] for line in lines if line.startswith("[")]
    assert [number for number, _ in ran] == ["[1/2]", "[2/2]"]
    assert sorted(name for _, name in ran) == ["train toy, seed 0", "train toy, seed 1"]
    assert re.fullmatch(r"2 jobs in .+; log of everything: \.snakemake/log/\S+", lines[-1])
    log = toy / lines[-1].split(": ")[-1]
    assert "rule train_toy" in log.read_text()
    assert plain(toy).splitlines()[-1].startswith("Nothing to be done")


@pytest.mark.parametrize(
    "word, fault",
    [
        ("wrong", "ZeroDivisionError: division by zero"),
        ("killed", "the job was ended by SIGKILL: perhaps memory ran out; close other programs"),
    ],
)
def test_a_failure_ends_with_stage_sentence_log_and_command(toy, word, fault):
    (toy / "in.txt").write_text(f"{word} 0")
    text = plain(toy, "0.out", status=1)
    block = text[text.index("The run stopped: 1 job failed; 0 of 1 are done") :]
    assert f"\n  train toy, seed 0\n  {fault}" in block
    assert "\n  log: logs/0.log\n" in block
    assert re.search(r"run again:\n  python\S* -m snakemake --cores 2 .*0\.out\n", block)
    assert "Traceback" not in text and "CalledProcessError" not in text


def test_jobs_that_fail_alike_are_told_as_one(toy):
    (toy / "in.txt").write_text("damaged 0")
    text = plain(toy, "--keep-going", status=1)
    assert text.count("\n  in.txt is damaged: delete it and run again\n  log: logs/") == 1
    assert re.search(r"train toy, seed [01]; train toy, seed [01]\n", text)


def test_a_terminal_shows_progress_of_both_jobs_and_then_only_what_stays(toy):
    (toy / "in.txt").write_text("sound 6")
    status, pieces = on_a_terminal(COMMAND, toy, dict(os.environ))
    assert status == 0
    moments = ["\n".join(shown("".join(pieces[:n]))) for n in range(1, len(pieces) + 1)]
    both = [m for m in moments if re.search(r"epoch of 0: \d+ of 20, .+ left", m)
            and re.search(r"epoch of 1: \d+ of 20, .+ left", m)]  # fmt: skip
    assert both and all(m.count("  train toy, seed 0") == 1 for m in both)
    assert re.search(r" 0% \[\.+\] 0 of 2 jobs, 2 running, \d\.\d s so far\n", both[0])
    last = moments[-1]
    assert "epoch of" not in last and "running" not in last
    assert len(re.findall(r"^\[\d/2\]  train toy, seed [01]", last, re.MULTILINE)) == 2


@pytest.mark.parametrize("option", ["--verbose", "--printshellcmds", "--quiet"])
def test_details_or_quiet_on_demand_are_snakemakes_own(option):
    settings = SimpleNamespace(
        verbose=option == "--verbose", printshellcmds=option == "--printshellcmds",
        debug_dag=False, quiet={"rules"} if option == "--quiet" else None, stdout=False,
        nocolor=False, dryrun=False,
    )  # fmt: skip
    assert attached(settings) == []
    assert len(attached(SimpleNamespace(**vars(settings) | PLAIN))) == 1


PLAIN = {"verbose": False, "printshellcmds": False, "quiet": {"host"}}


def attached(settings, name=display.SNAKEMAKES_OWN):
    """Displays that a run with these settings has, whose own handler is called `name`."""
    logger = logging.Logger("of a run")
    logger.addHandler(logging.NullHandler())
    logger.handlers[0].name = name
    workflow = SimpleNamespace(
        output_settings=settings, is_main_process=True,
        logger_manager=SimpleNamespace(logger=logger),
        modifier=SimpleNamespace(is_main_snakefile=lambda: True),
    )  # fmt: skip
    for _ in range(2):  # a workflow may be read twice
        display.attach(workflow, "runs/x", lambda run: "")
    return [handler for handler in logger.handlers if isinstance(handler, display.Display)]


def test_a_logger_that_people_have_chosen_keeps_its_place():
    settings = SimpleNamespace(**PLAIN, debug_dag=False, stdout=False, nocolor=False, dryrun=False)
    assert attached(settings, name="rich") == []


def test_a_dry_run_sums_up_by_stage_and_why(toy):
    plain(toy, "0.out")
    (toy / "in.txt").write_text("sound 0.1")
    done = subprocess.run([*COMMAND, "-n"], cwd=toy, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:4] == [
        "stage    jobs  because",
        "train       2  input newer 1, output missing 1",
        "all         2",
    ]
    done = subprocess.run([*COMMAND, "-np"], cwd=toy, capture_output=True, text=True, check=True)
    assert "rule train_toy:" in done.stdout and "Job stats:" in done.stdout


@pytest.mark.xdist_group("checkout")
def test_the_finished_run_shows_its_results_even_if_nothing_is_to_be_done(checkout):
    done = checkout.snakemake("train_all")
    assert "Nothing to be done" in done.stderr
    assert re.search(r"^ridge +[+-]\d\.\d{3} \[", done.stderr, re.MULTILINE)
    assert "report: runs/smoke/report/index.html" in done.stderr


# ---- the handler by itself -----------------------------------------------------------------------


class TestPlugin(TestLogHandlerBase):
    """The tests that Snakemake's interface has for loggers."""

    __test__ = True

    def get_log_handler_cls(self):
        return display.Display

    def get_log_handler_settings(self):
        return None


def record(event, **values):
    entry = logging.makeLogRecord({"msg": "", "levelno": logging.INFO, **values})
    entry.event = event
    return entry


@pytest.fixture
def handler(monkeypatch, tmp_path):
    """A display whose terminal is a text."""
    monkeypatch.chdir(tmp_path)
    settings = SimpleNamespace(stdout=False, nocolor=False, dryrun=False)
    made = display.Display(settings, None)
    made.terminal.stream = io.StringIO()
    made.emit(record(LogEvent.WORKFLOW_STARTED))
    return made


def started(number, **values):
    defaults = {"rule_name": "train", "wildcards": {"seed": str(number)}, "log": ["a.log"],
                "output": ["a"], "jobid": number, "reason": ""}  # fmt: skip
    return record(LogEvent.JOB_INFO, **defaults | values)


def test_a_job_that_succeeds_when_tried_again_is_no_failure(handler):
    handler.emit(record(LogEvent.RUN_INFO, stats={"train": 1, "total": 1}))
    handler.emit(started(1))
    failure = {"rule_name": "train", "rule_msg": "node lost", "log": ["a.log"], "jobid": 1}
    handler.emit(record(LogEvent.JOB_ERROR, **failure))
    handler.emit(started(1))
    handler.emit(record(LogEvent.JOB_FINISHED, job_id=1))
    handler.close()
    text = handler.terminal.stream.getvalue()
    assert "failed: train, seed 1" in text and "The run stopped" not in text


def test_what_a_cluster_says_of_a_failure_is_told_where_the_log_is_silent(handler):
    handler.emit(record(LogEvent.RUN_INFO, stats={"train": 1, "total": 1}))
    handler.emit(started(1))
    failure = {"rule_name": "train", "rule_msg": "OUT_OF_MEMORY", "log": ["a.log"], "jobid": 1}
    handler.emit(record(LogEvent.JOB_ERROR, **failure))
    handler.close()
    text = handler.terminal.stream.getvalue()
    assert "\n  train, seed 1\n  OUT_OF_MEMORY\n  log: a.log\n" in text


def test_the_log_of_an_earlier_job_explains_nothing(handler):
    Path("a.log").write_text("2024-01-04 09:00:00,000 ERROR an old sentence\n")
    os.utime("a.log", (1e9, 1e9))
    handler.emit(record(LogEvent.RUN_INFO, stats={"train": 1, "total": 1}))
    handler.emit(started(1))
    failure = {"rule_name": "train", "rule_msg": None, "log": ["a.log"], "jobid": 1}
    handler.emit(record(LogEvent.JOB_ERROR, **failure))
    handler.close()
    text = handler.terminal.stream.getvalue()
    assert "old sentence" not in text and "the job ended without a word" in text


def test_a_remark_on_one_job_explains_no_other(handler):
    handler.emit(record(LogEvent.RUN_INFO, stats={"train": 2, "total": 2}))
    for number, told in ((1, "2099-01-04 09:00:00,000 ERROR a sentence\n"), (2, "")):
        Path("a.log").write_text(told)
        handler.emit(started(number))
        if told:
            handler.emit(record(LogEvent.ERROR, msg="died with <Signals.SIGKILL: 9>"))
        failure = {"rule_name": "train", "rule_msg": None, "log": ["a.log"], "jobid": number}
        handler.emit(record(LogEvent.JOB_ERROR, **failure))
    handler.close()
    last = handler.terminal.stream.getvalue().partition("The run stopped")[2]
    assert "a sentence" in last and "the job ended without a word" in last
    assert "ended by SIGKILL" not in last


def test_a_run_of_targets_alone_is_no_run(handler):
    handler.targets = lambda: {"all"}
    for _ in range(2):
        handler.emit(record(LogEvent.RUN_INFO, stats={"all": 1, "total": 1}))
    assert "0 jobs" not in handler.terminal.stream.getvalue()


def test_a_command_that_is_not_where_it_was_called_is_written_as_it_was(monkeypatch):
    monkeypatch.setattr("sys.argv", ["snakemake", "-n"])
    monkeypatch.setattr(display.shutil, "which", lambda name: f"/nowhere/{name}")
    assert display.command() == "snakemake -n"


def test_a_run_that_was_stopped_tells_how_to_go_on(handler):
    handler.emit(record(LogEvent.RUN_INFO, stats={"train": 2, "total": 2}))
    handler.emit(started(1))
    handler.close()
    text = handler.terminal.stream.getvalue()
    assert "The run stopped: it was interrupted; 0 of 2 are done" in text and "To go on:" in text


def test_an_error_outside_of_jobs_is_the_last_word_itself(handler):
    handler.emit(record(LogEvent.RUN_INFO, stats={"train": 2, "total": 2}))
    handler.emit(record(LogEvent.ERROR, msg="the folder is locked", exception="LockException"))
    handler.close()
    assert handler.terminal.stream.getvalue().endswith("\nthe folder is locked\n")
