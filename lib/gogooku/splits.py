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
LEARNT = PARTS[:2]


def count(spans: int, *, train: int, valid: int, step: int) -> int:
    """Count the folds that `spans` spans begin; lengths in spans."""
    return max(0, (spans - train - valid - 1) // step + 1)


def plan(
    spans: int, *, mode: Mode, train: int, valid: int, test: int, step: int
) -> list[dict[str, list[int]]]:
    """List each fold's spans by position: {"train": [0, 1, …], "valid": […], "test": […]}.

    A fold begins with the first span of its test part, and that part grows to its length: the
    newest span is always tested. One span more can add a fold or a span to test parts, and changes
    nothing that is learnt from.

    >>> for fold in plan(8, mode="rolling", train=3, valid=1, test=2, step=2):
    ...     print(fold["train"], fold["valid"], fold["test"])
    [0, 1, 2] [3] [4, 5]
    [2, 3, 4] [5] [6, 7]
    >>> plan(7, mode="rolling", train=3, valid=1, test=2, step=2)[-1]["test"]
    [6]
    """
    folds = []
    for fold in range(count(spans, train=train, valid=valid, step=step)):
        first = fold * step if mode == "rolling" else 0
        ends = pairwise([first, *accumulate([fold * step + train, valid, test])])
        folds.append({
            part: [*range(start, min(end, spans))]
            for part, (start, end) in zip(PARTS, ends, strict=True)
        })  # fmt: skip
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
    """Give the first and the last session of training and validation, and the test part's first.

    sessions   at least those of the training and validation spans and the first one after
    spans      names of each part's spans: {"train": […], "valid": […]}
    embargo    sessions that pass between a part's last label and the next part
    horizons   sessions from entry to exit

    Returns what is written as fold{number}.json. All labels of train and of valid are filed in
    the part's own spans. Where the test part ends is not written: nothing learnt depends on it.

    Raises UserError where a part keeps no session.

    Of 2022 the training part loses 26 weekdays: 1 + 5 of the longest label, and 20 of the embargo.

    >>> days = np.arange("2022-01-01", "2025-01-01", dtype="datetime64[D]")
    >>> weekdays = Sessions(days[np.is_busday(days)])
    >>> spans = {"train": ["2022y"], "valid": ["2023y"]}
    >>> fold = cut(0, weekdays, spans, embargo=20, horizons=[1, 5], entry="next_close")
    >>> for part in ("train", "valid"):
    ...     print(part, fold[part]["first"], fold[part]["last"], fold[part]["sessions"])
    train 2022-01-03 2022-11-24 234
    valid 2023-01-02 2023-11-23 234
    >>> fold["test"]
    {'first': '2024-01-01'}
    """
    gap = ENTRY_LAG[entry] + max(horizons) + embargo
    parts = {part: _sessions_of(number, part, sessions, spans[part]) for part in LEARNT}
    later = sessions.days[sessions.days > parts["valid"][-1]]
    if not len(later):
        raise UserError(
            f"fold {number}: no session follows {parts['valid'][-1]}, the last one to learn from: "
            "fetch the calendar or move dates.end on"
        )
    fold: Fold = {"fold": number, "horizons": list(horizons), "entry": entry, "embargo": embargo}
    for part, after in (("train", parts["valid"][0]), ("valid", later[0])):
        fold[f"{part}_spans"] = list(spans[part])
        days, end = parts[part], _before(sessions, after, gap)
        fold[part] = _range(number, part, days[days <= end], gap)
    fold["test"] = {"first": str(later[0])}
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
