"""The client under faults and kills, beside others with its key, and what it tells of the key."""

import base64
import contextlib
import datetime as dt
import gzip
import json
import multiprocessing as mp
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
import yaml
from gogooku import files
from gogooku.raw.catalogue import DATASETS
from gogooku.vendor.jquants import KEY_VARIABLE, Client
from helpers.checkout import Checkout, copy_of_the_workflow
from simulated_exchange.market import simulation
from simulated_exchange.server.exchange import Exchange
from simulated_exchange.server.limits import Limiter

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import soak  # noqa: E402

KEY, WRONG = "a-key-that-nobody-may-see", "a-wrong-key-that-nobody-may-see"
LIGHT = 60  # requests a minute


# ---- faults and kills ----------------------------------------------------------------------------


@pytest.mark.slow
def test_faults_and_kills_lose_and_double_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "lib"))
    first = dt.date(2024, 6, 17)
    result = soak.soak(tmp_path, faults=60, kills=4, stocks=20, first=first, seed=3)
    print(soak.report(result))
    assert result.faults.total() >= 60 and len(result.faults) >= 12
    assert result.kills >= 4
    assert result.retries > 0
    assert result.verdicts["byte for byte"] > result.verdicts["but for times"]
    assert result.verdicts.total() > 100
    assert result.equal
    assert result.found == []


ROWS = pl.DataFrame({"Code": ["1", "2"], "C": [1.0, None]})
TOLD = {"source": "jquants", "content": "a", "fetched_first": "1"}
NEW = {"NewFld": "x", "NewNum": "1.5", "NewObj": "{}"}


@pytest.mark.parametrize(
    "rows, told, verdict",
    [
        (ROWS, TOLD, "byte for byte"),
        (ROWS, TOLD | {"fetched_first": "2"}, "but for times"),
        (ROWS.with_columns(pl.lit(v).alias(k) for k, v in NEW.items()), TOLD | {"content": "b"},
         "but for unknown keys"),
        (ROWS.with_columns(C=pl.lit(1.0)), TOLD, "differs"),
        (ROWS.with_columns(C=pl.col("C").cast(pl.Float32)), TOLD, "differs"),
        (ROWS[:1], TOLD, "differs"),
        (ROWS[[0, 1, 1]], TOLD, "differs"),
        (ROWS.reverse(), TOLD, "differs"),
        (ROWS.rename({"C": "O"}), TOLD, "differs"),
        (ROWS, TOLD | {"source": "archive"}, "differs"),
        (ROWS, TOLD | {"content": "b"}, "differs"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_the_undisturbed_one_is_seen(tmp_path, rows, told, verdict):
    for folder, frame, words in [("calm", ROWS, TOLD), ("round", rows, told)]:
        files.write_parquet(frame, tmp_path / folder / "bars" / "a.parquet", words)
    assert [*soak.compared(tmp_path / "calm", tmp_path / "round").values()] == [verdict]


def test_a_file_too_few_or_too_many_is_seen(tmp_path):
    files.write_parquet(ROWS, tmp_path / "calm" / "bars" / "a.parquet")
    files.write_parquet(ROWS, tmp_path / "round" / ".days" / "bars" / "v" / "a.parquet")
    assert [*soak.compared(tmp_path / "calm", tmp_path / "round").values()] == ["differs"] * 2


def test_a_draft_is_no_data_and_is_counted(tmp_path):
    draft = tmp_path / ".days" / "bars" / "v" / ".2024-06-17.parquet.k2x9"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"half")
    assert soak.whole_files(tmp_path) == set()
    assert soak.drafts(tmp_path) == [draft]


# ---- the limit of a key --------------------------------------------------------------------------


def serve(folder, plan, minute, pipe):
    """Serve a folder of tables; answer each word with what was counted so far, "stop" ends it."""
    limiter = Limiter(plan, on=True, minute=minute)
    with Exchange(folder, key=KEY, now=lambda: soak.NOW, plan=plan, limiter=limiter) as exchange:
        pipe.send(exchange.url)
        while pipe.recv() != "stop":
            pipe.send((len(exchange.requests), limiter.most[""], limiter.refused))


@contextlib.contextmanager
def exchange_apart(folder, plan, minute=60.0):
    """An exchange in a process of its own: its URL, and a function that gives its counts."""
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(folder, plan, minute, theirs))
    process.start()
    try:
        yield ours.recv(), lambda: ours.send("count") or ours.recv()
        ours.send("stop")
        process.join(60)
    finally:
        process.kill()
        process.join()


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """A folder of tables."""
    folder = tmp_path_factory.mktemp("market")
    names = ["calendar", "master", "bars", "topix", "indices", "summary"]
    made = simulation.simulate(
        seed=1, start=soak.START, end=soak.END, stocks=8, parts={}, datasets=names
    )
    for name in names:
        files.write_parquet(made.tables[name], folder / f"{name}.parquet")
    return folder


def ask(url, ledger, minute, requests, gate):
    """Ask as fast as the pace allows, once all have come to the gate."""
    with Client(url, KEY, "light", 60, 9, share=0.5, ledger=ledger, minute=minute) as client:
        gate.wait(600)
        query = {"from": "2024-06-17", "to": "2024-06-18"}
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: client.rows("topix", query), range(requests)))


def test_two_processes_with_one_ledger_keep_to_the_limit_together(market, tmp_path):
    """The share leaves seconds to spare, so that a request may be as late as on a busy machine."""
    context, minute, requests = mp.get_context("spawn"), 4.0, 35
    gate = context.Barrier(2)
    with exchange_apart(market, "light", minute) as (url, counts):
        askers = [
            context.Process(target=ask, args=(url, tmp_path, minute, requests, gate))
            for _ in range(2)
        ]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join(600)
        asked, most, refused = counts()
    assert [asker.exitcode for asker in askers] == [0, 0]
    assert (asked, refused) == (2 * requests, 0)
    assert most <= LIGHT < asked


def checkout_of(folder, name, url, **jquants):
    """A copy of the workflow that asks the exchange at `url`."""
    folder.mkdir()
    root = copy_of_the_workflow(folder)
    asked = {"url": url, "plan": "light", "attempts": 2, "timeout": 20} | jquants
    overlay = {
        "name": name, "store": name, "source": "jquants", "spans": "month",
        "dates": {"start": "2024-02-01", "end": "2024-06-26"}, "jquants": asked,
        "labels": {"horizons": [1, 5]}, "splits": {"train": 2, "valid": 2, "test": 1, "step": 1},
    }  # fmt: skip
    settings = yaml.safe_load((root / "config" / "smoke.yaml").read_text()) | overlay
    (root / "config" / "own.yaml").write_text(yaml.safe_dump(settings))
    return Checkout(root)


def started(checkout, *targets, key=KEY):
    """A run of the workflow in a process group of its own."""
    words = [
        sys.executable, "-m", "snakemake", "--cores", "2", "--keep-going", "--verbose",
        "--printshellcmds", "--show-failed-logs", "--configfile", "config/own.yaml", "--",
        *(f"data/raw/own/{target}.parquet" for target in targets),
    ]  # fmt: skip
    environment = {name: it for name, it in os.environ.items() if name != KEY_VARIABLE}
    return subprocess.Popen(
        words, cwd=checkout.root, env=environment | ({KEY_VARIABLE: key} if key else {}), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


@pytest.mark.slow
def test_two_runs_of_the_workflow_keep_to_one_limit_together(market, tmp_path):
    with exchange_apart(market, "light") as (url, counts):
        ledger = str(tmp_path / "ledger")
        options = {"ledger": ledger, "share": 0.8, "timeout": 60}  # and twelve seconds to be late
        checkouts = [checkout_of(tmp_path / name, "own", url, **options) for name in ("one", "two")]
        targets = ["bars/2024m04", "bars/2024m05", "topix/2024m04", "summary/2024m05"]
        runs = [started(checkout, *targets) for checkout in checkouts]
        said = [run.communicate(timeout=1800)[0] for run in runs]
        asked, most, refused = counts()
    print(f"{asked} requests, {most} in the fullest minute, {refused} refused")
    assert [run.returncode for run in runs] == [0, 0], said
    assert refused == 0
    assert most <= LIGHT < asked / 1.5
    one, two = (checkout.root / "data" / "raw" / "own" for checkout in checkouts)
    assert set(soak.compared(one, two).values()) <= {"byte for byte", "but for times"}


# ---- what the vendor may have corrected ----------------------------------------------------------


@pytest.mark.slow
def test_a_later_end_fetches_an_open_span_again_and_equal_rows_redo_nothing(
    market, tmp_path, monkeypatch
):
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    panel = "builds/own/panel/2024m05.parquet"
    with Exchange(market, key=KEY, now=lambda: soak.NOW) as exchange:
        options = {"ledger": str(tmp_path / "ledger"), "plan": "premium"}
        checkout = checkout_of(tmp_path / "checkout", "own", exchange.url, **options)

        def ran(end, *words):
            with checkout.edited("config/own.yaml", "2024-06-26", end):
                done = checkout.snakemake(panel, "-p", *words, "--configfile", "config/own.yaml")
            counts = re.findall(r"^(fetch|panel) +(\d+)$", done.stdout + done.stderr, re.MULTILINE)
            return {rule: int(count) for rule, count in counts}

        assert ran("2024-06-05") == {"fetch": 3 * 4, "panel": 1}
        assert ran("2024-06-05", "--dry-run") == {}
        assert ran("2024-06-20", "--dry-run") == {
            "fetch": 2,
            "panel": 1,
        }  # of May; April is settled
        assert ran("2024-06-20", "--until", "fetch") == {"fetch": 2}
        assert ran("2024-06-20", "--dry-run") == {}


@pytest.mark.parametrize("plan, served", [("light", 9), ("auto", 21)])
def test_all_that_a_plan_serves_can_be_fetched_whether_a_family_reads_it_or_not(
    tmp_path, plan, served
):
    checkout = checkout_of(tmp_path / "checkout", "own", "http://127.0.0.1:1", plan=plan)
    said = checkout.snakemake("fetch_all", "-np", "--configfile", "config/own.yaml").stdout
    assert re.search(rf"^fetch +{5 * served}$", said, re.MULTILINE), said[-600:]


def test_the_status_of_a_named_plan_lists_what_it_refuses(market, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    with Exchange(market, key=KEY, now=lambda: soak.NOW, plan="light") as exchange:
        checkout = checkout_of(
            tmp_path / "checkout", "own", exchange.url, ledger=str(tmp_path / "ledger")
        )
        said = checkout.snakemake("status", "--configfile", "config/own.yaml").stdout
    rows = {words[0]: words[1:] for words in map(str.split, said.splitlines()) if len(words) == 9}
    assert set(rows) == set(DATASETS) - {"calendar", "bars_minute"}
    for name, (plan, days, there, missing, refused, *_) in rows.items():
        assert (refused == days) == (plan in ("standard", "premium")), name
        assert int(there) + int(missing) + int(refused) <= int(days), name


# ---- the key -------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", range(4))
def test_a_key_in_base64_is_found_wherever_it_begins(tmp_path, before):
    text = json.dumps({"k": "x" * before + KEY + "and more"})
    (tmp_path / "record").write_bytes(base64.b64encode(text.encode()))
    assert soak.traces(tmp_path, KEY) == [tmp_path / "record"]


def test_a_key_is_found_in_texts_names_and_packed_files(tmp_path):
    (tmp_path / "sound.log").write_text("a sound word")
    (tmp_path / "a.log").write_text(f"x-api-key: {KEY}\n")
    (tmp_path / f"b-{KEY}").write_text("")
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(f"a,{KEY}".encode()))
    files.write_parquet(ROWS.with_columns(Code=pl.lit(KEY)), tmp_path / "d.parquet")
    files.write_parquet(ROWS, tmp_path / "e.parquet", {"url": f"http://a/?key={KEY}"})
    found = [path.name[0] for path in soak.traces(tmp_path, KEY)]
    assert found == ["a", "b", "c", "d", "e"]


def fate(path, query):
    """Bars never come and lists come late."""
    if path.endswith("/bars/daily"):
        return "500"
    return "slow" if path.endswith("/master") else None


@pytest.mark.slow
def test_the_key_stands_nowhere_after_runs_that_fail(market, tmp_path):
    with Exchange(market, key=KEY, now=lambda: soak.NOW, plan="light", faults=fate) as exchange:
        checkout = checkout_of(
            tmp_path / "checkout", "own", exchange.url, ledger=str(tmp_path / "ledger")
        )
        with checkout.edited(
            "lib/gogooku/raw/schema.py", "    rows, following = _read(dataset, body)",
            '    assert dataset != "topix", "a bug"\n    rows, following = _read(dataset, body)',
        ):  # fmt: skip
            run = started(checkout, *(f"{name}/2024m06" for name in "bars topix indices".split()))
            said = run.communicate(timeout=1800)[0]
        said += "".join(log.read_text() for log in (checkout.root / "runs").rglob("*.log"))
        assert run.returncode != 0
        assert "failed 2 times (status 500)" in said
        assert "Traceback" in said and "AssertionError: a bug" in said
        assert "not part of the plan light" in said
        (checkout.root / ".env").write_text(f"{KEY_VARIABLE}={WRONG}\n")
        run = started(checkout, "summary/2024m06", key=None)
        refused = run.communicate(timeout=1800)[0]
        assert run.returncode != 0 and "the API key was refused" in refused
        (checkout.root / ".env").unlink()
        run = started(checkout, "master/2024m06")
        while run.poll() is None and not any("master" in path for path, _ in exchange.requests):
            time.sleep(0.02)
        os.killpg(run.pid, signal.SIGKILL)
        cut = run.communicate()[0]
        assert run.returncode == -signal.SIGKILL
    assert list(checkout.root.glob(".snakemake/metadata/*"))
    assert list(checkout.root.glob("runs/own/logs/fetch/*"))
    assert list(tmp_path.glob("ledger/*.pace"))
    for key in (KEY, WRONG):
        assert soak.traces(tmp_path, key) == []
        assert key not in said + refused + cut
