"""How kernels are compiled: once for all jobs, and with no more of numba than they need."""

import importlib
import sys

from numba import njit

# Division by zero gives inf or nan instead of an exception, which would forbid vector code.
kernel = njit(cache=True, nogil=True, error_model="numpy")


def _without_linear_algebra() -> None:
    """Load the part of numba that asks at once whether SciPy has BLAS, and have it hear no.

    The answer would cost each job a fifth of its start. It decides how `np.correlate` multiplies in
    a kernel, and nothing else: what needs BLAS asks again when it is compiled.
    """
    asked = "scipy.linalg"
    if asked in sys.modules:
        return
    sys.modules[asked] = None  # type: ignore[assignment] # Python takes it for a module that is not there
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del sys.modules[asked]


_without_linear_algebra()
