"""Every trial is counted, once, whatever happens to its writer."""

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import polars as pl
import pytest
from gogooku import errors, files, locks
from gogooku.evaluation import ledger
from helpers import judged

LIB = locks.__file__.rsplit("/", 2)[0]
WRITE = """
import itertools, sys
sys.path.insert(0, {lib!r})
from gogooku.evaluation import ledger
numbers = itertools.count() if {count} is None else range({count})
for number in numbers:
    entry = dict.fromkeys(ledger.FIELDS, "x" * 500)
    ledger.append(entry | dict(kind="fit", model={name!r}, data=str(number)), {path!r})
"""


def writer(path, name, count):
    code = WRITE.format(lib=LIB, path=str(path), name=name, count=count)
    return subprocess.Popen([sys.executable, "-c", code])


def fit(**changes):
    entry = {"kind": "fit", "market": "real", "run": "a", "model": "ridge", "fold": 0, "seed": 0}
    return entry | {"settings": "s", "code": "c", "data": "d", "when": "2026-12-01"} | changes


def evaluation(configuration, sharpe, last="2021-12-30", **changes):
    test = {"horizon": 1, "sharpe_gross": {"long_short": sharpe, "neutral": None}}
    own = {"kind": "evaluation", "configuration": configuration, "last": last, "test": [test]}
    return fit(**own, sealed=None, command="first") | changes


def written(path, *entries):
    for entry in entries:
        ledger.append(entry, path)
    return ledger.trials(path)


def test_two_processes_that_write_at_once_lose_no_line(tmp_path):
    path = tmp_path / "ledger.jsonl"
    writers = [writer(path, name, 500) for name in ("ridge", "atft")]
    assert [process.wait(timeout=120) for process in writers] == [0, 0]
    counted = ledger.trials(path)
    assert counted.fits == {"atft": 500, "ridge": 500} and not counted.faults
    assert len(pl.read_ndjson(path)) == 1000


def test_a_killed_writer_loses_no_line_of_its_own_or_of_others(tmp_path):
    path = tmp_path / "ledger.jsonl"
    victim, other = writer(path, "ridge", None), writer(path, "atft", 200)
    deadline = time.monotonic() + 120
    while not path.is_file() or path.stat().st_size < 200_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(victim.pid, signal.SIGKILL)
    assert (victim.wait(timeout=60), other.wait(timeout=120)) == (-signal.SIGKILL, 0)
    counted = written(path, fit(model="zero"))
    assert counted.fits["atft"] == 200 and counted.fits["zero"] == 1
    entries, _ = ledger.read(path)
    numbers = [int(entry["data"]) for entry in entries if entry["model"] == "ridge"]
    assert numbers == list(range(len(numbers)))


def test_a_torn_line_is_ended_by_the_next_writer_and_left_out(tmp_path):
    path = tmp_path / "ledger.jsonl"
    whole = json.dumps(fit())
    path.write_text(f"{whole}\n{whole[: len(whole) // 2]}")
    counted = written(path, fit(seed=1))
    assert counted.fits == {"ridge": 2}
    (fault,) = counted.faults
    assert fault.startswith(f"{path}, line 2 is no entry of a ledger and is not counted")
    assert path.read_text().endswith("\n") and len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize("line", ["{", "[1]", '{"kind": "guess"}', '{"kind": "fit"}', "\udcff"])
def test_a_corrupt_line_is_named_and_the_rest_is_counted(tmp_path, line):
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(line.encode(errors="surrogateescape") + b"\n")
    counted = written(path, fit())
    assert counted.fits == {"ridge": 1} and len(counted.faults) == 1
    assert "line 1 " in counted.faults[0]


def test_a_ledger_that_is_not_there_counts_nothing(tmp_path):
    assert ledger.trials(tmp_path / "none.jsonl") == ledger.Trials([], {}, 0, [], 0, [])


def test_a_ledger_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(errors.UserError, match="cannot be written"):
        ledger.append(fit(), tmp_path)


def test_a_fit_that_is_repeated_counts_once(tmp_path):
    path = tmp_path / "ledger.jsonl"
    others = [fit(**{name: "other"}) for name in ("settings", "code", "data", "fold", "seed")]
    counted = written(path, fit(), fit(run="b", when="2026-12-02"), *others)
    assert counted.fits == {"ridge": 6} and counted.runs == ["a", "b"]


def test_a_configuration_counts_once_by_its_newest_evaluation(tmp_path):
    path = tmp_path / "ledger.jsonl"
    tries = [evaluation("x", 1.0), evaluation("y", -0.5), evaluation("x", 2.0, last="2022-03-01")]
    counted = written(path, *tries, evaluation("z", None))
    assert counted.evaluated == 3
    assert counted.sharpe == [2.0, -0.5]


def test_trials_on_another_market_are_none_of_this_one(tmp_path):
    path = tmp_path / "ledger.jsonl"
    noise = ledger.market("simulated", "noise")
    other = evaluation("y", 9.0, market=noise, run="noise")
    everything = written(path, fit(), evaluation("x", 1.0), fit(market=noise), other)
    assert everything.evaluated == 2 and everything.runs == ["a", "noise"]
    real = ledger.trials(path, ledger.market("jquants", "mine"))
    assert real == ledger.trials(path, ledger.market("archive", "folder"))
    assert (real.runs, real.fits, real.evaluated) == (["a"], {"ridge": 1}, 1)
    assert real.sharpe == [1.0]


def test_openings_are_counted_by_command_and_a_seal_that_is_taken_away_is_one(tmp_path):
    path = tmp_path / "ledger.jsonl"
    sealed = evaluation("x", 1.0, last="2021-06-29", sealed="2021-06-30")
    assert written(path, sealed).openings == 0
    opened = [
        evaluation("x", 1.0, model=model, kind="opening", sealed="2021-06-30", command="second")
        for model in ("ridge", "atft")
    ]
    assert written(path, *opened).openings == 1
    assert written(path, evaluation("x", 1.0, command="third")).openings == 2
    assert written(path, evaluation("x", 1.0, last="2021-06-29", command="fourth")).openings == 2


# ---- what jobs write -----------------------------------------------------------------------------


CONFIG = {"source": "simulated", "store": "demo", "splits": {"train": 4}}


class Files(list):
    """Paths of a job, some by name."""

    def __init__(self, *paths, **named):
        super().__init__([*paths, *named.values()])
        vars(self).update(named)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input").write_text("rows")
    return tmp_path


def job(output, **params):
    params = SimpleNamespace(code=["c0de"], **params)
    return SimpleNamespace(input=Files("input"), output=output, params=params, config=CONFIG)


def fitting(penalty=1):
    output = Files(model="runs/demo/models/ridge/fold1/seed2/model")
    settings = {"settings": {"penalty": penalty}, "refit": True, "columns": None, "neighbours": 0}
    return job(output, **settings)


def test_a_fit_is_noted_with_what_it_was_made_of(folder):
    ledger.fitted(fitting(), {"rank_ic": 0.02})
    ledger.fitted(fitting(), {})
    ledger.fitted(fitting(penalty=2), {})
    entries, faults = ledger.read()
    first = entries[0]
    assert (first["run"], first["model"], first["fold"], first["seed"]) == ("demo", "ridge", 1, 2)
    assert first["code"] == "c0de" and first["data"] == files.fingerprint(files=["input"])
    assert [entry["validation"]["rank_ic"] for entry in entries] == [0.02, None, None]
    assert first["seconds"] > 0 and first["when"].endswith("+00:00")
    assert ledger.trials().fits == {"ridge": 2} and not faults


LABELS, TRUTH = judged.market()


def test_an_evaluation_is_noted_and_later_days_are_the_same_configuration(folder):
    from gogooku.evaluation import evaluate

    rules, surroundings = judged.rules(), judged.surroundings(LABELS)
    whole = {0: judged.forecast(TRUTH, noise=1.0)}
    early = {0: whole[0].filter(pl.col("date") < pl.col("date").median())}
    other = {0: judged.forecast(TRUTH, noise=1.0, seed=3)}
    output = Files(summary="runs/demo/evaluation/ridge.json")
    params = {"horizons": [1, 5], "entry": "next_close", "evaluation": {"quantiles": 5}}
    for predictions in (early, whole, other):
        _, summary = evaluate.evaluate(predictions, LABELS, None, surroundings, [1, 5], rules)
        ledger.evaluated(job(output, sealed=None, opened=None, **params), predictions, summary)
    counted = ledger.trials()
    assert counted.evaluated == 2 and counted.openings == 0 and counted.fits == {}
    assert len(counted.sharpe) == 2 * 2 * 3  # configurations, horizons and kinds of books
    found = summary["horizons"]["5"]["-1"]
    test = ledger.read()[0][-1]["test"][1]
    assert test["rank_ic_mean"] == found["rank_ic"]["mean"]
    for kind in ("gross", "net"):
        ratio = found["long_short"][kind]["sharpe"]["mean"]
        assert test[f"sharpe_{kind}"]["long_short"] == ratio
    ledger.evaluated(job(output, sealed=None, opened="2021-12-01", **params), other, summary)
    assert ledger.trials().openings == 1
