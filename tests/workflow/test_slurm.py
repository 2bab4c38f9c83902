"""The cluster path on a real Slurm: jobs land where they belong and build what one machine does."""

import hashlib
import subprocess
import sys

import pytest
from helpers.checkout import Checkout, copy_of_the_workflow
from helpers.slurm import cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("checkout"),
    pytest.mark.skipif(bool(cluster.lacking()), reason=cluster.lacking()),
]
# This cluster keeps no accounts, and its jobs are short.
HASTE = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"]
APART = {"logs", "benchmarks", "index.html", "run.json"}  # hold clock times
APART |= {"claim.json", ".lock"}  # name the working directory and the process
APART |= {"audit"}  # another test's, in the checkout that tests share


@pytest.fixture(scope="module")
def on_slurm(tmp_path_factory):
    """A copy of the workflow that Slurm ran, and Slurm's record of its jobs."""
    root = copy_of_the_workflow(tmp_path_factory.mktemp("slurm"))
    (root / "slurm").symlink_to("profiles/slurm")
    command = [sys.executable, "-m", "snakemake", "train_all", "--profile", "slurm", *HASTE]
    with cluster.one_machine() as machine:
        done = subprocess.run(
            [*command, "--configfile", "config/smoke.yaml"],
            cwd=root,
            env=machine.environment,
            capture_output=True,
            text=True,
            timeout=900,
        )
        jobs = machine.jobs()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return Checkout(root), jobs


def contents(checkout):
    """Checksum of everything that the smoke run built and that holds no clock time."""
    roots = [checkout.root / folder for folder in ("runs/smoke", "builds/smoke", "data/raw/smoke")]
    files = [path for root in roots for path in root.rglob("*") if path.is_file()]
    names = {path: path.relative_to(checkout.root).parts for path in files}
    return {
        "/".join(parts): hashlib.sha256(path.read_bytes()).hexdigest()
        for path, parts in names.items()
        if not APART & set(parts)
    }


def test_every_job_ended_well(on_slurm):
    assert {job["JobState"] for job in on_slurm[1]} == {"COMPLETED"}


def test_jobs_with_a_gpu_ran_on_the_gpu_partition_and_all_others_elsewhere(on_slurm):
    placed = {(job["Partition"], job.get("TresPerJob")) for job in on_slurm[1]}
    assert placed == {("gpu", "gres:gpu:1"), ("cpu", None)}
    trained = [job for job in on_slurm[1] if job["Partition"] == "gpu"]
    assert {job["Comment"].split("_wildcards")[0] for job in trained} == {"rule_train"}


def test_a_cluster_builds_what_one_machine_builds_bit_for_bit(on_slurm, checkout):
    there, here = contents(on_slurm[0]), contents(checkout)
    assert len(here) > 50
    assert {
        name for name in here.keys() | there.keys() if here.get(name) != there.get(name)
    } == set()
