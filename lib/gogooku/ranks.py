"""Ranks that ties share."""

import numpy as np


def mean_ranks(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank each row of x (F, N) from 1, ties sharing their mean; NaN keeps NaN.

    Returns the ranks (F, N) and the number of known values (F, 1).
    """
    known = np.isfinite(x).sum(axis=1, keepdims=True)
    ranks = np.full(x.shape, np.nan)
    for row, ordered, count, out in zip(x, np.sort(x, axis=1), known[:, 0], ranks, strict=True):
        present = np.isfinite(row)
        below = np.searchsorted(ordered[:count], row[present], side="left")
        upto = np.searchsorted(ordered[:count], row[present], side="right")
        out[present] = (below + upto + 1) / 2
    return ranks, known
