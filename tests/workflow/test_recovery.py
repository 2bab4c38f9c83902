"""After a kill one command goes on; what was deleted is made again; folders have one owner."""

import contextlib
import re
import shutil
import subprocess
import sys
import time

import kills
import psutil
import pytest
from helpers.checkout import Checkout, copy_of_the_workflow

pytestmark = pytest.mark.xdist_group("checkout")

CALENDARS = [f"data/raw/smoke/calendar/{year}y.parquet" for year in (2020, 2021)]
SMOKE = ["--configfile", "config/smoke.yaml"]


def start(root):
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *CALENDARS, *SMOKE]
    return subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def stopped_job(process):
    """The process that runs Snakemake's first script, halted so that it cannot end by itself."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
        for child in children:
            if "python" in child.name():
                child.suspend()
                return child
        time.sleep(0.05)
    raise AssertionError(process.stdout.read())


def test_after_a_kill_the_same_command_goes_on_and_what_it_left_is_ended(tmp_path):
    checkout = Checkout(copy_of_the_workflow(tmp_path))
    process = start(checkout.root)
    left = stopped_job(process)
    second = checkout.snakemake(*CALENDARS, check=False)
    assert second.returncode and "another run is at work in data/raw/smoke" in second.stderr
    assert "Traceback" not in second.stderr
    process.kill()
    process.wait()
    said = checkout.snakemake(*CALENDARS)
    assert all((checkout.root / path).is_file() for path in CALENDARS), said.stderr
    assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE


@contextlib.contextmanager
def without(*paths):
    """Take files away within the block."""
    for path in paths:
        path.rename(path.with_name(f"{path.name}.away"))
    try:
        yield
    finally:
        for path in paths:
            path.with_name(f"{path.name}.away").rename(path)


@pytest.mark.parametrize(
    "file, rule",
    [
        ("builds/smoke/features/flow/2021y.parquet", "features"),
        ("builds/smoke/dataset/2021y.parquet", "dataset"),
        ("builds/smoke/labels/2021y.parquet", "labels"),
        ("runs/smoke/predictions/ridge/fold0/seed0.parquet", "predict"),
    ],
)
def test_a_deleted_file_is_made_again(checkout, file, rule):
    with without(checkout.root / file):
        planned = checkout.would_run()
    assert [name for name in planned if name.startswith(rule)]


def test_snakemake_needs_no_cores_to_answer(checkout):
    for question in ("--list", "--dry-run"):
        command = [sys.executable, "-m", "snakemake", question, *SMOKE]
        done = subprocess.run(
            command, cwd=checkout.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (question, done.stderr)


def test_a_run_that_would_write_anothers_build_differently_is_refused_in_words(checkout):
    other = ["name=second", "features={clip: 0.02}"]
    done = checkout.snakemake("train_all", "--dry-run", "--config", *other, check=False)
    said = re.sub(r"\s+", " ", done.stdout + done.stderr)
    assert done.returncode and "Traceback" not in said
    assert "builds/smoke is the build of the run smoke, with features.clip 0.01" in said
    assert "the run second has 0.02" in said


def test_a_folder_of_an_older_version_is_refused_in_words(checkout):
    stale = checkout.root / "runs" / "stale" / "panel"
    stale.mkdir(parents=True)
    (stale / "2020y.parquet").touch()
    done = checkout.snakemake("train_all", "--dry-run", "--config", "name=stale", check=False)
    shutil.rmtree(stale.parent)
    said = done.stdout + done.stderr
    assert done.returncode and "runs/stale holds files of another version" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_kills_at_random_moments_lose_nothing_and_change_no_bit(checkout, tmp_path):
    root = copy_of_the_workflow(tmp_path)
    assert kills.disturbed(root, kills=4, seed=5, seconds=100) == []
    assert kills.contents(root) == kills.contents(checkout.root)
