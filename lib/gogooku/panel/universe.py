"""Which stocks are in, judged each day with what was known that day."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

VALUE_WINDOW = 20
"""Sessions over which the traded value is averaged."""

CLOSE_WINDOW = 60
"""Sessions in which closes are counted: no value depends on an earlier one, except that the price
of a member is its last close, which lies in the window since members have closes there."""


def members(
    close: Floats,
    value: Floats,
    listed: Flags,
    *,
    min_price: float,
    min_value: float,
    min_sessions: int,
) -> Flags:
    """Say for T sessions × N stocks who is a member of the day's universe.

    close          (T, N) raw [JPY], NaN without a trade
    value          (T, N) traded [JPY], NaN without a trade
    listed         (T, N)
    min_price      of the last close [JPY]
    min_value      mean over the last VALUE_WINDOW sessions; one without a trade counts as 0 [JPY]
    min_sessions   with a close among the last CLOSE_WINDOW

    A session on which nothing trades (an outage, a halt) keeps its members: the last close stands
    in. Rows before the window is full count what there is.
    """
    counted = ~np.isnan(close)
    liquid = _trailing_sum(np.nan_to_num(value), VALUE_WINDOW) >= min_value * VALUE_WINDOW
    seasoned = _trailing_sum(counted.astype(np.float64), CLOSE_WINDOW) >= min_sessions
    with np.errstate(invalid="ignore"):
        dear = _last_known(close) >= min_price
    return listed & liquid & seasoned & dear


def _trailing_sum(values: Floats, window: int) -> Floats:
    """Sum the last `window` rows one after the other, so that no other row touches a bit."""
    padded = np.concatenate([np.zeros((window - 1, values.shape[1])), values])
    total = np.zeros(values.shape)
    for age in range(window):
        total += padded[age : age + len(values)]
    return total


def _last_known(values: Floats) -> Floats:
    rows = np.arange(len(values))[:, None]
    newest = np.maximum.accumulate(np.where(np.isnan(values), -1, rows), axis=0)
    return np.where(newest < 0, np.nan, np.take_along_axis(values, np.maximum(newest, 0), axis=0))
