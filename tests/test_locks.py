"""A folder belongs to one living run: the system knows who lives, and nobody has to unlock."""

import os
import subprocess
import sys
import textwrap

import psutil
import pytest
from gogooku import files, locks
from gogooku.errors import UserError

LIB = locks.__file__.rsplit("/", 2)[0]


@pytest.fixture
def run(tmp_path):
    """Start a process that takes a folder as a run does, with a job if asked to; end all after."""
    started = []

    def start(written=("runs/a",), read=(), job=False, check=True):
        code = f"""
        import subprocess, sys, time
        from pathlib import Path
        sys.path.insert(0, {LIB!r})
        from gogooku import locks
        locks.take([Path(p) for p in {list(written)}], [Path(p) for p in {list(read)}])
        job = subprocess.Popen(["sleep", "600"]) if {job} else None
        print(job.pid if job else "taken", flush=True)
        time.sleep(600)
        """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        process.said = process.stdout.readline().strip()
        assert not check or process.said, process.stderr.read()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def kill(process):
    process.kill()
    process.wait()


def refused(process):
    assert not process.said
    return process.communicate()[1].splitlines()[-1]


def test_a_second_run_in_a_folder_is_refused_and_a_killed_one_stands_in_nobodys_way(run):
    first = run()
    assert "another run is at work in runs/a" in refused(run(check=False))
    kill(first)
    assert run().said


def test_readers_share_a_folder(run, tmp_path):
    (tmp_path / "builds/x").mkdir(parents=True)
    assert all(run(written=(name,), read=("builds/x",)).said for name in ("runs/a", "runs/b"))


def test_a_writer_waits_for_readers_and_they_for_it(run, tmp_path):
    (tmp_path / "builds/x").mkdir(parents=True)
    reader = run(written=(), read=("builds/x",))
    assert "builds/x" in refused(run(written=("builds/x",), check=False))
    kill(reader)
    writer = run(written=("builds/x",))
    said = refused(run(written=(), read=("builds/x",), check=False))
    assert f"at work in builds/x (process {writer.pid} on " in said


def test_a_reader_of_a_folder_that_nobody_can_write_needs_no_lock(run):
    assert run(written=(), read=("nowhere/x",)).said


def test_jobs_of_a_killed_run_are_ended_before_the_next_begins(run):
    killed = run(job=True)
    job = psutil.Process(int(killed.said))
    kill(killed)
    assert job.is_running() and job.status() != psutil.STATUS_ZOMBIE
    run()
    gone, _ = psutil.wait_procs([job], timeout=10)
    assert gone or job.status() == psutil.STATUS_ZOMBIE


def test_jobs_of_a_run_in_another_folder_go_on(run):
    other = run(written=("runs/b",), job=True)
    run(written=("runs/a",))
    assert psutil.Process(int(other.said)).status() != psutil.STATUS_ZOMBIE


def test_a_job_whose_folder_another_run_has_taken_writes_nothing(run, tmp_path, monkeypatch):
    run()
    folder = tmp_path / "runs/a"
    owner = files.read_json(folder / locks.LOCK)["token"]
    monkeypatch.setenv(locks.HELD, f"{folder}={owner}")
    files.write_text("mine", folder / "x.txt")
    monkeypatch.setenv(locks.HELD, f"{tmp_path}/elsewhere=1{os.pathsep}{folder}=0")
    with pytest.raises(UserError, match=r"y\.txt is not written: another run has taken over .*/a$"):
        files.write_text("mine", folder / "y.txt")
    assert {path.name for path in folder.iterdir()} == {locks.LOCK, "x.txt"}
