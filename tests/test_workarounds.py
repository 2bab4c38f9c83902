"""Each workaround still bites, harms nothing, and says so when it can go."""

import inspect
import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from gogooku import workarounds
from snakemake import api
from snakemake.scheduling.job_scheduler import JobScheduler

ROOT = Path(__file__).parents[1]


def python(text):
    """What a new process prints that has gogooku on its path."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    command = [sys.executable, "-c", text]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_snakemake_s_scheduler_has_the_limit_that_is_lifted():
    assert "if self.job_rate_limiter is not None" in inspect.getsource(JobScheduler)


def test_a_scheduler_without_the_limit_is_said(caplog):
    limited = SimpleNamespace(job_rate_limiter=object())
    workarounds.lift_job_rate(limited)
    assert limited.job_rate_limiter is None and not caplog.text
    workarounds.lift_job_rate(SimpleNamespace())
    assert "lift_job_rate can go" in caplog.text


def test_snakemake_still_refuses_to_answer_without_cores():
    assert "if self.workflow_api.resource_settings.cores is None:" in inspect.getsource(api)


@pytest.mark.parametrize(("named", "cores"), [(None, len(os.sched_getaffinity(0))), (7, 7)])
def test_cores_that_nobody_named_are_those_of_the_process(named, cores, caplog):
    resources = SimpleNamespace(cores=named)
    workflow = SimpleNamespace(resource_settings=resources, global_resources={"_cores": named})
    workarounds.set_missing_cores(workflow)
    assert resources.cores == workflow.global_resources["_cores"] == cores
    assert not caplog.text


def test_a_snakemake_that_keeps_its_cores_elsewhere_is_said(caplog):
    workflow = SimpleNamespace(resource_settings=SimpleNamespace(), global_resources={})
    workarounds.set_missing_cores(workflow)
    assert "set_missing_cores can go" in caplog.text and not workflow.global_resources


LOADED = "import sys; from gogooku.arrays import jit; print('scipy' in sys.modules); "


def test_numba_is_imported_without_scipy_which_others_can_still_have():
    after = "import scipy.linalg; print(scipy.linalg.norm([3, 4]))"
    assert python(LOADED + after) == ["False", "5.0"]


def test_another_numba_is_imported_as_it_is():
    other = "from gogooku import workarounds; workarounds.NUMBA = 'another'; "
    assert python(other + LOADED) == ["True"]  # else the workaround can go


def test_the_numba_that_was_looked_at_is_the_locked_one():
    lock = (ROOT / "envs" / "lock.txt").read_text().splitlines()
    assert [line for line in lock if line.startswith(f"numba=={workarounds.NUMBA}.")]


FAULTS = """
import resource
import numpy as np
from gogooku import workarounds
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.zeros(3 << 20).fill(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
plain = faults()
workarounds.keep_freed_memory()
faults()
print(plain, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a workaround of glibc's")
def test_freed_memory_is_handed_out_again():
    plain, kept = map(int, python(FAULTS))
    assert kept < plain / 4


def test_no_function_of_the_library_changes_how_memory_is_kept():
    callers = [path.stem for path in (ROOT / "lib").rglob("*.py") if "mallopt" in path.read_text()]
    assert callers == ["workarounds"]
