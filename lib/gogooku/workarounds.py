"""What goes around other packages' behaviour: each with its reason, a guard and a test.

A guard says when a workaround no longer bites: then it can go.
"""

import ctypes
import functools
import importlib
import importlib.metadata
import logging
import os
import sys
from typing import Any

import numpy as np

log = logging.getLogger(__name__)

NUMBA = "0.68"
"""Version of numba whose imports were looked at."""

HEAP = 128 << 20  # bytes that the arrays of one block of stocks take
LARGEST = 32 << 20  # bytes of an array up to which glibc lets the heap hold it
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def lift_job_rate(scheduler: Any) -> None:
    """Take from Snakemake's scheduler its limit of jobs a second, which no option lifts.

    It sets a timer at each look for jobs and looks again when it rings: after some hundred jobs it
    would do little else. It is there for a cluster's queue, and should stay where there is one.
    """
    if not hasattr(scheduler, "job_rate_limiter"):
        log.warning("Snakemake has no job_rate_limiter any more: workarounds.lift_job_rate can go")
    scheduler.job_rate_limiter = None


def set_missing_cores(workflow: Any) -> None:
    """Set Snakemake's cores to those of this process where the command line names none.

    It refuses a run without a number, and asks for one even to list rules.
    """
    resources = workflow.resource_settings
    if not hasattr(resources, "cores") or "_cores" not in workflow.global_resources:
        log.warning("Snakemake keeps cores elsewhere: workarounds.set_missing_cores can go")
    elif resources.cores is None:
        resources.cores = workflow.global_resources["_cores"] = len(os.sched_getaffinity(0))


def import_numba() -> Any:
    """Import numba and have it take SciPy for absent meanwhile.

    It asks for SciPy's linear algebra when the first kernel is loaded, which would cost each job a
    fifth of its start. The answer decides how `np.correlate` multiplies in a kernel, and nothing
    else: what needs linear algebra asks again when it is compiled. Another version than NUMBA is
    imported as it is, slowly.
    """
    tried = importlib.metadata.version("numba").startswith(f"{NUMBA}.")
    if "scipy" in sys.modules or not tried:
        return importlib.import_module("numba")
    sys.modules["scipy"] = None  # type: ignore[assignment] # so that its import fails
    try:
        importlib.import_module("numba.np.arraymath")
        return importlib.import_module("numba")
    finally:
        del sys.modules["scipy"]


@functools.cache
def keep_freed_memory() -> None:
    """Let glibc hand freed arrays out again: fresh pages cost more than the sums in them.

    What the heap once held stays with the process. NumPy asks for huge pages for large arrays.
    Without glibc nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        mallopt(M_TRIM_THRESHOLD, -1)  # give nothing back
        [np.empty(8 << 20, np.uint8) for _ in range(HEAP >> 23)]
