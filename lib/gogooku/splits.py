"""Walk-forward folds: train, then valid, then test, with no label of one part in another.

A label of a day reads prices from its entry session to its exit session. A part therefore ends so
early that all its labels have ended, and `embargo` sessions more have passed, before the next part
begins. Lengths of parts count spans; gaps count sessions of the exchange.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, Literal

import numpy as np

from gogooku.calendar import ENTRY_LAG, Days, Entry, Sessions, bounds
from gogooku.errors import UserError

Mode = Literal["expanding", "rolling"]
Fold = dict[str, Any]

PARTS = ("train", "valid", "test")


def count(spans: int, *, train: int, valid: int, test: int, step: int) -> int:
    """Count the folds that `spans` spans hold; lengths in spans."""
    return max(0, (spans - train - valid - test) // step + 1)


def plan(
    spans: int, *, mode: Mode, train: int, valid: int, test: int, step: int
) -> list[dict[str, list[int]]]:
    """List each fold's spans by position: {"train": [0, 1, …], "valid": […], "test": […]}.

    A fold has all its spans: one span more can add a fold and changes none.

    >>> for fold in plan(7, mode="rolling", train=3, valid=1, test=1, step=1):
    ...     print(fold["train"], fold["valid"], fold["test"])
    [0, 1, 2] [3] [4]
    [1, 2, 3] [4] [5]
    [2, 3, 4] [5] [6]
    """
    folds = []
    for fold in range(count(spans, train=train, valid=valid, test=test, step=step)):
        first = fold * step if mode == "rolling" else 0
        ends = pairwise([first, *accumulate([fold * step + train, valid, test])])
        folds.append({part: [*range(*pair)] for part, pair in zip(PARTS, ends, strict=True)})
    return folds


def cut(
    number: int,
    sessions: Sessions,
    spans: Mapping[str, Sequence[str]],
    *,
    embargo: int,
    horizons: Sequence[int],
    entry: Entry,
) -> Fold:
    """Give the first and the last session of each part of fold `number`.

    sessions   of the run, at least those within the fold's spans
    spans      names of each part's spans: {"train": […], "valid": […], "test": […]}
    embargo    sessions that pass between a part's last label and the next part
    horizons   sessions from entry to exit

    Returns what is written as fold{number}.json. All labels of train and of valid are filed in
    the part's own spans. The test part ends with the sessions: its last labels may still be
    unknown.

    Raises UserError where a part keeps no session.

    A label of h sessions entered at the next close reaches h + 1 sessions past its day, and 20 more
    pass before the next part: so of 2022 the training part loses its last 26 weekdays.

    >>> days = np.arange("2022-01-01", "2025-01-01", dtype="datetime64[D]")
    >>> weekdays = Sessions(days[np.is_busday(days)])
    >>> spans = {"train": ["2022y"], "valid": ["2023y"], "test": ["2024y"]}
    >>> fold = cut(0, weekdays, spans, embargo=20, horizons=[1, 5], entry="next_close")
    >>> for part in PARTS:
    ...     print(part, fold[part]["first"], fold[part]["last"], fold[part]["sessions"])
    train 2022-01-03 2022-11-24 234
    valid 2023-01-02 2023-11-23 234
    test 2024-01-01 2024-12-31 262
    """
    gap = ENTRY_LAG[entry] + max(horizons) + embargo
    parts = [_sessions_of(number, part, sessions, spans[part]) for part in PARTS]
    ends = [_before(sessions, after[0], gap) for after in parts[1:]] + [parts[-1][-1]]
    fold: Fold = {"fold": number, "horizons": list(horizons), "entry": entry, "embargo": embargo}
    for part, days, end in zip(PARTS, parts, ends, strict=True):
        fold[f"{part}_spans"] = list(spans[part])
        fold[part] = _range(number, part, days[days <= end], gap)
    check(fold, sessions)
    return fold


def _sessions_of(number: int, part: str, sessions: Sessions, spans: Sequence[str]) -> Days:
    days = sessions.between(bounds(spans[0])[0], bounds(spans[-1])[1])
    if not len(days):
        raise UserError(
            f"fold {number}: the {part} spans {spans[0]}…{spans[-1]} hold no session: fetch their "
            "calendar or change dates"
        )
    return days


def _before(sessions: Sessions, day: np.datetime64, gap: int) -> np.datetime64:
    """Give the newest session with `gap` sessions between itself and `day`."""
    position = int(sessions.position(day)) - gap - 1
    return sessions.days[position] if position >= 0 else np.datetime64("NaT")


def _range(number: int, part: str, days: Days, gap: int) -> dict[str, Any]:
    if not len(days):
        raise UserError(
            f"fold {number}: its {part} part is shorter than the {gap} sessions that must pass "
            f"before the next part: raise splits.{part} or lower splits.embargo"
        )
    return {"first": str(days[0]), "last": str(days[-1]), "sessions": len(days)}


def check(fold: Fold, sessions: Sessions) -> None:
    """Prove that no label of one part of `fold` reaches another part or its embargo.

    sessions   at least those of the training and validation spans

    Raises UserError that names the parts, the sessions between them, and the remedy.
    """
    gap = ENTRY_LAG[fold["entry"]] + max(fold["horizons"]) + fold["embargo"]
    for part, after in zip(PARTS[:-1], PARTS[1:], strict=True):
        last, first = np.datetime64(fold[part]["last"]), np.datetime64(fold[after]["first"])
        between = int(((sessions.days > last) & (sessions.days < first)).sum())
        if between < gap:
            raise UserError(
                f"fold {fold['fold']}: {between} sessions lie between {part} (to {last}) and "
                f"{after} (from {first}), but its labels and embargo take {gap}: delete the fold's "
                "file and run again"
            )
