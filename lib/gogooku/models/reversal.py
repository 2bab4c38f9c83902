"""Reversal: yesterday's losers are tomorrow's winners. The baseline that costs nothing."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from gogooku.dataset.inputs import Days
from gogooku.errors import UserError

RETURN = "returns_1d"


def predict(days: Days, test: np.ndarray, horizons: Sequence[int]) -> pl.DataFrame:
    """Score every member at positions `test` by minus its one-session return, for all horizons.

    Returns date, code, prediction_{h}d. Raises UserError without the column returns_1d. Source:
    Jegadeesh (1990).
    """
    if RETURN not in days.columns:
        raise UserError(f"reversal needs the column {RETURN}: add technical to features.families")
    score = -days.x[test, :, days.columns.index(RETURN)]
    return days.tidy(test, np.repeat(score[..., None], len(horizons), axis=-1), horizons)
