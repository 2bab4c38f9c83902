"""The laws of the design, on whole runs of the workflow at small size."""

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import psutil
import pytest
from gogooku import files, locks, splits
from gogooku.audit import compare
from gogooku.calendar import Sessions
from gogooku.families import BUILT, FAMILIES
from helpers.checkout import Checkout, copy_of_the_workflow

pytestmark = pytest.mark.xdist_group("checkout")

RUN = Path("runs", "smoke")
BUILD = Path("builds", "smoke")
RAW = Path("data", "raw", "smoke")
MINE = "def columns(panel):\n    return {'value_1': panel['value'] / 1e9}\n"
USER = "features={pandas_ta: [vortex], user: mine.py}"
WHOLE = ("--configfile", "config/smoke.yaml", "config/research.yaml", "--config", USER)


def copy_with_a_users_module(target):
    root = copy_of_the_workflow(target)
    (root / "mine.py").write_text(MINE)
    return Checkout(root)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of an audited run of every family, a user's columns among them."""
    checkout = copy_with_a_users_module(tmp_path_factory.mktemp("whole"))
    checkout.snakemake("audit_all", *WHOLE, "models=[atft,ridge]")
    return checkout.root


def test_no_limit_of_jobs_wakes_the_scheduler(checkout):
    told = checkout.snakemake("train_all", "--verbose", "--forcerun", "report")
    allowed = set(re.findall(r"Resources .* job selection: .*'_job_count': (\d+)", told.stderr))
    assert allowed == {str(sys.maxsize)}


def summaries(checkout, name="smoke"):
    paths = (checkout.root / "runs" / name / "evaluation").glob("*.json")
    return {path.stem: json.loads(path.read_text()) for path in paths}


@pytest.mark.slow
def test_1_changing_the_future_moves_no_earlier_bit(whole):
    told = files.read_json(whole / "runs/research/audit/leaks.json")
    stages = {stage["stage"]: stage for stage in told["stages"]}
    families = {f"features/{family}" for family in FAMILIES}
    predictions = {f"predictions/{model}" for model in ("atft", "ridge")}
    assert stages.keys() >= {"panel", "labels", "graphs", "dataset"} | families | predictions
    assert all(stage["leaks"] == 0 for stage in stages.values())
    assert all(s["later_rows_changed"] for s in stages.values() if s["later_rows"])
    assert stages["fold, scaler, models"]["files"] == 2 + 2
    assert {stages[family]["days"] for family in families} == {2 + 1}
    assert all(stages[family]["moved"] for family in families)
    read = {"calendar", "master", "bars"}.union(*FAMILIES.values()) - {*BUILT}
    assert {name for day in told["days"] for name, rows in day["rows_edited"].items() if rows} >= (
        read - {"calendar"}
    )


@dataclass
class Interrupted:
    """A checkout whose first run, of every family, got SIGINT as its bars came in."""

    checkout: Checkout
    status: int
    left: list[psutil.Process]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """Such a checkout; its run's exit status and the processes that were left."""
    root = copy_with_a_users_module(tmp_path_factory.mktemp("interrupted")).root
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "dataset_all", *WHOLE]
    with open(root / "told.txt", "w") as told:
        job = subprocess.Popen(command, cwd=root, stdout=told, stderr=told, start_new_session=True)
        deadline = time.monotonic() + 600
        while not list((root / RAW / "bars").glob("*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.2)
        os.killpg(job.pid, signal.SIGINT)
        status = job.wait(timeout=600)
    left = [process for process in psutil.process_iter() if _session_of(process) == job.pid]
    return Interrupted(Checkout(root), status, left)


def _session_of(process):
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return None


def test_7_an_interrupted_run_leaves_no_process(interrupted):
    assert interrupted.status != 0
    assert not interrupted.left
    assert not list((interrupted.checkout.root / BUILD / "dataset").glob("*.parquet"))


@pytest.mark.slow
def test_2_7_interrupted_and_built_span_by_span_equals_built_at_once(whole, interrupted):
    grown, cut = interrupted.checkout, dt.date(2022, 6, 30)
    made, built_at_once = grown.root / BUILD, whole / BUILD
    finished = {}
    for span in ("2020y", "2021y"):
        grown.snakemake("--rerun-incomplete", *built(span), *WHOLE)
        finished |= {path: path.stat().st_mtime_ns for path in made.rglob(f"{span}.parquet")}
    grown.snakemake(*built("2022y"), *WHOLE, f"dates={{end: {cut}}}")
    for path in made.rglob("2022y.parquet"):
        when = pl.col(compare.WHEN.get(path.parent.name, "date")) <= cut
        whole_file = files.read_parquet(built_at_once / path.relative_to(made))
        assert compare.difference(whole_file.filter(when), files.read_parquet(path)) is None, path
    grown.snakemake("dataset_all", *WHOLE)
    assert all(path.stat().st_mtime_ns == moment for path, moment in finished.items())
    paths = sorted(made.rglob("*.parquet"))
    assert {path.parent.name for path in paths} >= {"panel", "dataset", "graphs", *FAMILIES}
    for file in paths:
        assert file.read_bytes() == (built_at_once / file.relative_to(made)).read_bytes(), file


def built(span):
    return [f"builds/smoke/{stage}/{span}.parquet" for stage in ("dataset", "labels", "graphs")]


@pytest.mark.slow
def test_3_noise_gives_nothing(checkout):
    checkout.snakemake("audit_noise", "--configfile", "config/smoke.yaml", "config/noise.yaml")
    assert len(summaries(checkout, "noise")) == 5


def test_3_what_is_planted_is_found(checkout):
    found = summaries(checkout)["ridge"]["truth"]["5"]
    assert found["share"]["low"] > 0.1
    assert found["attainable"]["low"] > 0.1


def test_4_labels_of_train_and_test_never_overlap(checkout):
    fold = files.read_json(checkout.root / RUN / "folds" / "fold0.json")
    sessions = Sessions.read(sorted((checkout.root / RAW / "calendar").glob("*.parquet")))
    splits.check(fold, sessions)
    labels = files.read_parquet(sorted((checkout.root / BUILD / "labels").glob("*.parquet")))
    for part, after in (("train", "valid"), ("valid", "test")):
        last, first = (
            dt.date.fromisoformat(fold[p][e]) for p, e in ((part, "last"), (after, "first"))
        )
        exit_of_part = labels.filter(pl.col("date") <= last)["exit"].max()
        between = sessions.between(exit_of_part, first)
        assert exit_of_part < first and len(between) - 2 >= fold["embargo"] >= 20


def test_6_all_models_predict_the_same_rows_of_the_universe(checkout):
    keys = [
        files.read_parquet(path).select("date", "code")
        for path in sorted((checkout.root / RUN / "predictions").rglob("*.parquet"))
    ]
    assert len(keys) == 5 and all(keys[0].equals(other) for other in keys)
    panel = files.read_parquet(checkout.root / BUILD / "panel" / "2022y.parquet")
    assert keys[0].equals(panel.filter("universe").select("date", "code"))


def test_6_the_truth_is_read_by_evaluation_alone(checkout):
    truth = files.read_parquet(checkout.root / "data" / "truth" / "smoke.parquet")
    assert set(truth["part"].unique()) == {"reversal", "drift", "lead_lag", "cycle", "total"}
    for path in (checkout.root / BUILD / "dataset").glob("*.parquet"):
        assert not [name for name in files.read_parquet(path).columns if "expected" in name]


@pytest.fixture
def archive(checkout, tmp_path):
    """A folder in the layout of the public data set, made of the simulated prices; no filings."""
    raw = [
        files.read_parquet(sorted((checkout.root / RAW / name).glob("*.parquet")))
        for name in ("bars", "master")
    ]
    ordinary = raw[1].filter(pl.col("ProdCat") == "011", pl.col("Code").str.ends_with("0"))
    bars = raw[0].join(ordinary.select("Date", "Code"), on=["Date", "Code"], how="semi")
    bars = bars.filter(pl.col("Code").str.contains(r"^\d+$"))
    bars.select(
        pl.col("Date"),
        SecuritiesCode=pl.col("Code").str.head(4),
        Open="O", High="H", Low="L", Close="C", Volume="Vo", AdjustmentFactor="AdjFactor",
    ).write_csv(tmp_path / "stock_prices.csv")  # fmt: skip
    newest = ordinary.unique("Code", keep="last").sort("Code")
    newest.select(
        pl.lit("First Section (Domestic)").alias("Section/Products"),
        pl.lit("Prime Market").alias("NewMarketSegment"),
        SecuritiesCode=pl.col("Code").str.head(4),
        Name="CoNameEn",
        **{
            "33SectorCode": "S33",
            "33SectorName": "S33Nm",
            "17SectorCode": "S17",
            "17SectorName": "S17Nm",
        },
        NewIndexSeriesSize="ScaleCat",
    ).write_csv(tmp_path / "stock_list.csv")
    return tmp_path


@pytest.mark.slow
def test_6_what_an_archive_lacks_is_null_warned_of_and_reported(checkout, archive):
    settings = [
        "source=archive",
        f"archive={archive}",
        "store=folder",
        "name=folder",
        "models=[reversal]",
        "features={families: [technical, market, flow, statement]}",
    ]
    checkout.snakemake("train_all", "--config", *settings)
    rows = files.read_parquet(sorted((checkout.root / "builds/folder/dataset").glob("*.parquet")))
    assert rows["stmt_roe"].is_null().all() and rows["flow_foreign_net_ratio"].is_null().all()
    assert rows["returns_1d"].is_not_null().mean() > 0.8
    log = "".join(p.read_text() for p in (checkout.root / "runs/folder/logs/fetch").glob("*.log"))
    page = (checkout.root / "runs/folder/report/index.html").read_text()
    for lacking in ("topix", "summary", "investor_types"):
        assert f"{lacking}: the source has no row" in page
    assert "financials" in log and "trades" in log


def test_7_a_finished_run_has_left_no_draft(checkout):
    for place in ("runs", "builds", "data"):
        hidden = {path.name for path in (checkout.root / place).rglob(".*") if path.is_file()}
        assert hidden <= {locks.LOCK}


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--config", "hoizons=3"], "hoizons is no setting"),
        (["--config", "source=archive", "archive=nowhere"], "archive nowhere is no folder"),
    ],
)
def test_a_bad_setting_ends_the_run_with_one_sentence(checkout, arguments, sentence):
    told = checkout.snakemake("train_all", *arguments, check=False)
    assert told.returncode != 0
    assert sentence in told.stderr and "Traceback" not in told.stderr


def test_a_span_whose_days_all_have_too_few_stocks_is_refused_and_writes_nothing(checkout):
    settings = ["features={families: [technical], min_stocks: 500}", "name=few", "build=few"]
    span = "builds/few/dataset/2020y.parquet"
    told = checkout.snakemake(span, "--config", *settings, check=False)
    assert told.returncode != 0, told.stderr
    log = next((checkout.root / "runs/few/logs/dataset").glob("*.log")).read_text()
    assert "500" in log and "Traceback" not in log
    assert not list((checkout.root / "builds/few/dataset").glob("*.parquet"))
