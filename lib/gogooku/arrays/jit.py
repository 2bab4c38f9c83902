"""How kernels are compiled: once for all jobs, and with no more of numba than they need."""

import importlib
import sys
from typing import Any


def _numba_alone() -> Any:
    """Import numba and have it take SciPy for absent.

    It asks for SciPy's linear algebra when the first kernel is loaded, which would cost each job a
    fifth of its start. The answer decides how `np.correlate` multiplies in a kernel, and nothing
    else: what needs linear algebra asks again when it is compiled.
    """
    if "scipy" in sys.modules:
        return importlib.import_module("numba")
    sys.modules["scipy"] = None  # type: ignore[assignment] # so that its import fails
    try:
        importlib.import_module("numba.np.arraymath")
        return importlib.import_module("numba")
    finally:
        del sys.modules["scipy"]


def kernel(function: Any) -> Any:
    """Compile `function`, as a decorator; what is compiled is kept if there is a folder for it.

    Division by zero gives inf or nan instead of an exception, which would forbid vector code.
    """
    try:
        return _numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # neither beside the module, nor in the user's home, nor NUMBA_CACHE_DIR
        return _numba.njit(nogil=True, error_model="numpy")(function)


_numba = _numba_alone()
