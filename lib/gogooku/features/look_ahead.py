"""Whether a user's columns know the future, or differ from call to call.

They are computed three times more: on the same panel, on the panel up to a day, and on one with
another future after a day. Of all days up to that one each column must say the same. The two days
lie within a week and a month, and where most stocks have no price, so that a look at the end of
either, a filled gap and a mean of all the sample show. The audit proves it for the run.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from gogooku.errors import UserError
from gogooku.panel.panel import Panel, changed

Values = Mapping[str, np.ndarray]

AHEAD = 5  # sessions after the later day, at the least
WITHIN = 60  # sessions before it from which both days are taken
ROUNDING = 1e-5  # relative; sums over other stocks are rounded otherwise

FUTURE = "looks ahead: its value of {day} changes with later days; make it of rows up to its day"
CALLS = (
    "differs on {day} between two calls on one panel: seed what is random, and keep nothing from "
    "call to call"
)


def refuse(path: str, panel: Panel, values: Values, compute: Callable[[Panel], Values]) -> None:
    """Raise UserError if what `compute` makes of a day changes with later days or with each call.

    path     of the user's module, for the sentence
    values   what `compute` has made of `panel`, (T, N) or (T,) each
    """
    itself = len(panel.dates) - 1, panel, np.ones(len(panel.codes), bool)
    for day, other, stocks in [itself, *_others(panel)]:
        again = compute(other)
        _require_shapes(path, other, values, again)
        sentence, rounding = (CALLS, 0.0) if other is panel else (FUTURE, ROUNDING)
        early, listed = slice(day + 1), panel["listed"][: day + 1, stocks]
        for name, x in values.items():
            own = x[early] if x.ndim == 1 else x[early, stocks]
            moved = _moved(own, again[name][early], rounding)
            moved = (moved & listed).any(axis=1) if x.ndim == 2 else moved
            if moved.any():
                date = panel.dates[np.flatnonzero(moved)[-1]]
                raise UserError(f"{path}: the column {name!r} {sentence.format(day=date)}")


def _require_shapes(path: str, panel: Panel, values: Values, again: Values) -> None:
    if values.keys() != again.keys():
        raise UserError(
            f"{path}: the columns' names differ from call to call: name the same each time"
        )
    for name, own in values.items():
        if np.shape(again[name]) != panel.shape[: own.ndim]:
            raise UserError(
                f"{path}: the column {name!r} has the shape {np.shape(again[name])} for a panel of "
                f"{panel.shape}: make it of the panel that columns(panel) is given"
            )


def _moved(one: np.ndarray, other: np.ndarray, rounding: float) -> np.ndarray:
    """Say of which cells two computations differ by more than rounding."""
    one, other = one.astype(np.float64), np.asarray(other, np.float64)
    size = np.abs(one[np.isfinite(one) & (one != 0)])
    slack = rounding * (np.abs(one) + (np.median(size) if len(size) else 0.0))
    with np.errstate(invalid="ignore"):
        apart = np.abs(one - other) > slack
    return np.isnan(one) != np.isnan(other) | apart


def _others(panel: Panel) -> Iterator[tuple[int, Panel, np.ndarray]]:
    """Give a day, a panel with another future after it, and which of the stocks it holds."""
    days = _days(panel)
    if not len(days):
        return
    stocks = np.asarray(panel["listed"][: days[-1] + 1].any(axis=0))
    ended = changed(panel.fields, lambda _, x: x[: days[-1] + 1, stocks])
    yield days[-1], Panel(panel.dates[: days[-1] + 1], panel.codes[stocks], ended), stocks
    other = changed(panel.fields, lambda name, x: _with_other_future(name, x, days[0]))
    yield days[0], Panel(panel.dates, panel.codes, other), np.ones(len(panel.codes), bool)


def _days(panel: Panel) -> np.ndarray:
    """Choose an earlier and a later day; none if there is nothing after any."""
    count = len(panel.dates)
    last = max(count - 1 - AHEAD, (count - 1) // 2)
    days = np.arange(max(last - WITHIN, 0), min(last + 1, count - 1))
    week, month = ((panel.dates + 3).astype("datetime64[W]"), panel.dates.astype("datetime64[M]"))
    inside = (week[days] == week[days + 1]) & (month[days] == month[days + 1])
    days = days[inside] if inside.any() else days
    gaps = (panel["listed"] & np.isnan(panel["close"])).sum(axis=1)
    halves = (half for half in np.array_split(days, 2) if len(half))
    return np.array([half[np.argmax(gaps[half])] for half in halves], int)


def _with_other_future(name: str, x: np.ndarray, day: int) -> np.ndarray:
    """Turn the rows after `day` around, and give each stock those of another."""
    later = np.roll(x[day + 1 :][::-1], 1, axis=1)
    return np.concatenate([x[: day + 1], ~later if name in ("universe", "new_level") else later])
