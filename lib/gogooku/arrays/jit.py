"""How kernels are compiled: once for all jobs, and with no more of numba than they need."""

from typing import Any

from gogooku import workarounds

_numba = workarounds.import_numba()

KERNELS: list[Any] = []
"""The kernels of the modules that this process has loaded, as numba's compiled functions."""


def kernel(function: Any) -> Any:
    """Compile `function`, as a decorator; what is compiled is kept if there is a folder for it.

    Division by zero gives inf or nan instead of an exception, which would forbid vector code.
    """
    try:
        dispatcher = _numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # neither beside the module, nor in the user's home, nor NUMBA_CACHE_DIR
        dispatcher = _numba.njit(nogil=True, error_model="numpy")(function)
    KERNELS.append(dispatcher)
    return dispatcher
