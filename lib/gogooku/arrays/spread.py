"""Whether numbers differ, or only their rounding does."""

from typing import Any

import numpy as np
import numpy.typing as npt

RESOLUTION = 1e-12
"""A spread below this share of the largest number is rounding, not variation.

Sums of some thousand terms, as of a day's stocks, end up to 1e-13 of their size apart where they
should be equal; returns, predictions and correlations differ by more than 1e-6 of their size.
"""


def varies(values: npt.NDArray[np.floating], axis: int = 0) -> Any:
    """Whether values along `axis` differ by more than rounding, NaN left out; False if all are NaN.

    >>> varies(np.array([0.001, 0.001 + 2e-19])), varies(np.array([0.001, 0.0011]))
    (np.False_, np.True_)
    """
    high, low = np.fmax.reduce(values, axis=axis), np.fmin.reduce(values, axis=axis)
    return high - low > RESOLUTION * np.maximum(np.abs(high), np.abs(low))
