"""A job runs the code that was planned, from the workflow's own lib/, or stops."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gogooku import jobs
from gogooku.errors import UserError

ROOT = Path(__file__).parents[1]

SNAKEFILE = """
from pathlib import Path
from gogooku import jobs

def code(script):
    path = Path(workflow.basedir, "workflow_scripts", f"{script}.py")
    return jobs.code_of(path, planning=workflow.is_main_process)

rule first:
    output: "first.out"
    log: "first.log"
    params: code=code("first")
    script: "workflow_scripts/first.py"

rule second:
    input: "first.out"
    output: "second.out"
    log: "second.log"
    params: code=code("second")
    script: "workflow_scripts/second.py"
"""
SCRIPT = """
from pathlib import Path
from gogooku import jobs
jobs.start(snakemake)
VALUE = 1
Path(snakemake.output[0]).write_text(f"{VALUE}")
"""
EDIT = 'p = Path("workflow_scripts/second.py"); p.write_text(p.read_text().replace({}, {}))\n'


@pytest.fixture
def flow(tmp_path):
    """A workflow of two jobs, with gogooku as its own library."""
    (tmp_path / "workflow_scripts").mkdir()
    (tmp_path / "lib").symlink_to(ROOT / "lib")
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    for name in ("first", "second"):
        (tmp_path / "workflow_scripts" / f"{name}.py").write_text(SCRIPT)
    return tmp_path


def run(flow, *more, lib=ROOT / "lib"):
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "second.out", *more]
    environment = {**os.environ, "PYTHONPATH": str(lib)}
    return subprocess.run(
        command, cwd=flow, env=environment, capture_output=True, text=True, check=False
    )


def edit(flow, old, new):
    """Let the first job edit the script of the second."""
    path = flow / "workflow_scripts" / "first.py"
    path.write_text(path.read_text() + EDIT.format(repr(old), repr(new)))


def test_a_job_whose_code_changed_after_it_was_planned_stops_and_the_next_run_goes_on(flow):
    edit(flow, "VALUE = 1", "VALUE = 2")
    assert run(flow).returncode == 1
    assert (
        "the code of second changed after the run was planned" in (flow / "second.log").read_text()
    )
    assert not (flow / "second.out").exists()
    assert run(flow).returncode == 0
    assert (flow / "second.out").read_text() == "2"


def test_a_comment_that_comes_in_between_stops_nothing(flow):
    edit(flow, "VALUE = 1", "VALUE = 1  # one")
    assert run(flow).returncode == 0


def test_a_job_on_another_machine_is_held_to_what_was_planned(flow):
    planned = json.dumps({"first": "0" * 12})
    script = flow / "workflow_scripts" / "first.py"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(jobs.PLANNED, planned)
        jobs.code_of.cache_clear()
        assert jobs.code_of(script, planning=False) == ["0" * 12]
        assert jobs.code_of(script)[0] != "0" * 12
        assert json.loads(os.environ[jobs.PLANNED])["first"] == jobs.code_of(script)[0]
    jobs.code_of.cache_clear()


def test_a_job_that_imports_another_gogooku_stops(flow):
    (flow / "lib").unlink()
    shutil.copytree(ROOT / "lib", flow / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    (flow / "envs").symlink_to(ROOT / "envs")
    assert run(flow).returncode == 1
    told = (flow / "first.log").read_text()
    assert "imported from" in told and str(flow / "lib") in told
    assert run(flow, lib=flow / "lib").returncode == 0


def test_a_users_file_that_is_no_python_is_one_sentence(tmp_path):
    (tmp_path / "script.py").write_text("x = 1\n")
    (tmp_path / "mine.py").write_text("x = 1\ndef (\n")
    with pytest.raises(UserError, match=r"mine\.py, line 2 is no Python"):
        jobs.code_of(tmp_path / "script.py", str(tmp_path / "mine.py"))
    with pytest.raises(UserError, match="missing.py cannot be read"):
        jobs.code_of(tmp_path / "script.py", str(tmp_path / "missing.py"))
