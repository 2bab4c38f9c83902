"""What models learn: each day's labels by their order."""

import numpy as np
from scipy.special import ndtri

from gogooku.arrays.ranks import mean_ranks


def rank_normal(labels: np.ndarray) -> np.ndarray:
    """Turn each day's labels into normal scores: what all models learn to predict.

    labels   (T, N, H); NaN where unknown

    Returns (T, N, H) float32: per day and horizon about mean 0 and sd 1, whatever the market's
    volatility and however wild the tails; NaN stays NaN. Source: van der Waerden (1952).
    """
    scores = np.empty(labels.shape, np.float32)
    for day, rows in enumerate(labels):
        ranks, known = mean_ranks(np.ascontiguousarray(rows.T, np.float64))
        scores[day] = ndtri(ranks / (known + 1)).T
    return scores
