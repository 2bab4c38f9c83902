"""The command that sets runs side by side."""

import json

import numpy as np
import pytest
from helpers import finished
from helpers.checkout import Checkout, copy_of_the_workflow


@pytest.fixture
def finished_runs(tmp_path):
    """A checkout in which two runs stand that nothing there could build, and no raw data."""
    common = np.random.default_rng(0).normal(0.02, 0.1, 200)
    for name, skill in (("a", 0.0), ("b", 0.05)):
        noise = np.random.default_rng(ord(name)).normal(skill, 0.02, 200)
        ridge = finished.evaluation({1: common + noise})
        finished.write(name, {"ridge": ridge}, finished.settings(name), root=tmp_path)
    return Checkout(copy_of_the_workflow(tmp_path))


def test_finished_runs_are_compared_as_they_stand_and_again_when_they_change(finished_runs):
    names = ("--config", "runs=[a, b]")
    told = finished_runs.snakemake("compare", *names)
    text = told.stdout + told.stderr
    assert "1 job: compare 1" in text and "comparison: comparisons/a+b.html" in text
    content = json.loads((finished_runs.root / "comparisons/a+b.json").read_text())
    assert [row["verdict"] for row in content["differences"]] == ["higher"]
    assert (finished_runs.root / "comparisons/a+b.html").is_file()
    assert not (finished_runs.root / "builds").exists()

    changed = finished.evaluation({1: np.random.default_rng(9).normal(0, 0.1, 200)})
    finished.write("b", {"ridge": changed}, finished.settings("b"), root=finished_runs.root)
    dry = finished_runs.snakemake("compare", "--dry-run", *names)
    assert "compare" in dry.stdout + dry.stderr
    assert "Nothing to be done" not in dry.stdout + dry.stderr


def test_a_comparison_of_no_runs_says_how_to_name_them(finished_runs):
    done = finished_runs.snakemake("compare", check=False)
    assert done.returncode != 0
    assert "name folders of runs/, as --config 'runs=[a, b]'" in done.stdout + done.stderr
