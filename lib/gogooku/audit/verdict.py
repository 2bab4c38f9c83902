"""What the audited days have shown: the table, the verdict, and the raw row behind a leak."""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from gogooku import layout
from gogooku.audit import compare, edits
from gogooku.audit.rebuild import Rebuild
from gogooku.calendar import Clock
from gogooku.errors import UserError
from gogooku.point_in_time import COLUMN
from gogooku.raw.catalogue import DATASETS
from gogooku.raw.plans import JAPAN

log = logging.getLogger(__name__)

COLUMNS = ("columns", "moved")


def audit(
    rebuild: Rebuild, day: dt.date, moment: dt.datetime, seed: int, targets: Sequence[str] | None
) -> dict[str, Any]:
    """Audit one day: draw another future, build again, compare.

    targets   of a build of everything from raw files; None: the files of the day's span

    Returns the day, its moment, the seed, whether everything was built anew (`from_raw`), how many
    raw rows of each data set were edited, and the compared stages (`compare.stages`).
    """
    # A model's predictions are only tried if its columns go on, so there every data set does.
    changes = rebuild.draw(moment, seed, ending=not targets)
    rebuild.build(changes, targets or rebuild.targets(day), None if targets else day)
    stages = compare.stages(Path(), rebuild.folder, day)
    rebuild.discard()
    edited: Counter[str] = Counter()
    for path, frame in changes.items():
        edited[layout.dataset(path)] += len(frame)
    return {
        "day": str(day),
        "moment": moment.isoformat(),
        "seed": seed,
        "from_raw": bool(targets),
        "rows_edited": edited,
        "stages": stages,
    }


def table(days: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sum the audited days up, one row a stage, in the order of the stages.

    Counts add; `columns` and `moved` (those whose values later than the day differed) are united;
    `leaks` counts the days with a difference.
    """
    stages: dict[str, list[Mapping[str, Any]]] = {}
    for stage in (stage for record in days for stage in record["stages"]):
        stages.setdefault(stage["stage"], []).append(stage)
    return [
        {
            "stage": name,
            "days": len(rows),
            "leaks": sum(row["difference"] is not None for row in rows),
            **{count: sum(row.get(count, 0) for row in rows) for count in compare.COUNTS},
            **{key: sorted({c for row in rows for c in row.get(key, ())}) for key in COLUMNS},
        }
        for name, rows in stages.items()
    ]


def text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay the table out for people."""
    head = f"{'stage':<22}{'days':>5}{'rows':>12}{'values':>14}{'later rows':>12}{'changed':>12}"
    lines = [head + f"{'columns':>9}{'moved':>7}{'leaks':>7}"]
    for row in rows:
        counts = f"{row['days']:>5}{row['rows']:>12}{row['values']:>14}{row['later_rows']:>12}"
        seen = f"{row['later_rows_changed']:>12}{len(row['columns']):>9}{len(row['moved']):>7}"
        lines.append(f"{row['stage']:<22}{counts}{seen}{row['leaks']:>7}")
    return "\n".join(lines)


def judge(days: Sequence[Mapping[str, Any]], rebuild: Rebuild) -> list[dict[str, Any]]:
    """Log the table and give it; UserError on the first leak, or if none could have been seen.

    The first leak is that of the earliest stage, and of its days the first audited. Its raw row is
    found by building the one file again, with fewer and fewer edits.
    """
    rows = table(days)
    log.info("the audit of %d days\n%s", len(days), text(rows))
    edited = sum(sum(record["rows_edited"].values()) for record in days)
    compared = sum(row["values"] for row in rows)
    log.info("%d raw rows changed, %d values compared", edited, compared)
    leaking = [row["stage"] for row in rows if row["leaks"]]
    if leaking:
        _refuse(days, leaking[0], rebuild)
    blind = [row["stage"] for row in rows if row["later_rows"] and not row["later_rows_changed"]]
    if blind or not rows:
        raise UserError(
            f"the audit changed nothing that {blind or 'any stage'} could show: raise audit.days "
            "or choose an earlier audit.day"
        )
    for row in rows:
        if still := set(row["columns"]) - set(row["moved"]):
            log.info("%s: no later value of %s differed", row["stage"], sorted(still))
    return rows


def _refuse(days: Sequence[Mapping[str, Any]], stage: str, rebuild: Rebuild) -> None:
    record, fault = next(
        (record, row["difference"])
        for record in days
        for row in record["stages"]
        if row["stage"] == stage and row["difference"]
    )
    effect, row = culprit(record, fault, rebuild)
    raise UserError(
        f"look-ahead: {fault['file']} column {effect['column']} ({effect['first']}) changes with a "
        f"raw row that was not known when {record['day']} was decided, at "
        f"{_in_tokyo(dt.datetime.fromisoformat(record['moment']))}: {row}; make it use rows with "
        "known_at up to the day's decision"
    )


def culprit(
    record: Mapping[str, Any], fault: Mapping[str, Any], rebuild: Rebuild
) -> tuple[Mapping[str, Any], str]:
    """Find the raw row whose edit makes a file differ up to the audited day.

    record  of the audited day, as `audit` gives it
    fault   the file, and its difference with all edits

    Returns the difference that this edit makes beside those before it, which make none, and the
    row's description. One build of the file a step, of n edits ⌈log₂ n⌉ steps: 20 for a million.
    """
    file = fault["file"]
    day = dt.date.fromisoformat(record["day"])
    moment = dt.datetime.fromisoformat(record["moment"])
    clock = rebuild.settings.clock
    changes, count = edits.ranked(
        rebuild.draw(moment, record["seed"], ending=not record["from_raw"]), clock
    )
    differences = {count: fault}

    def shows(number: int) -> bool:
        log.info("%s with the first %d of %d edits", file, number, count)
        first = {name: frame.filter(pl.col(edits.RANK) < number) for name, frame in changes.items()}
        rebuild.build(first, [file], None if record["from_raw"] else day)
        rest = compare.of_file(Path(), rebuild.folder, file, day)
        if rest:
            differences[number] = rest
        return rest is not None

    rank = guilty(count, shows)
    rebuild.discard()
    return differences[rank + 1], describe(changes, rank, clock)


def guilty(count: int, shows: Callable[[int], bool]) -> int:
    """Give the rank of an edit without which the edits before it show nothing, and with it do.

    shows   whether the first so many edits show a difference: true of `count`, not of 0; it is
            asked ⌈log₂ count⌉ times
    """
    without, enough = 0, count
    while enough - without > 1:
        middle = (without + enough) // 2
        without, enough = (without, middle) if shows(middle) else (middle, enough)
    return enough - 1


def describe(changes: Mapping[str, pl.DataFrame], rank: int, clock: Clock) -> str:
    """Describe the edit of `rank`: its file, key and kind, and when the row was known."""
    name, frame = next((n, f) for n, f in changes.items() if rank in f[edits.RANK])
    row = frame.row(by_predicate=pl.col(edits.RANK) == rank, named=True)
    key = ", ".join(f"{field} {row[field]}" for field in DATASETS[layout.dataset(name)].key)
    moment = row[COLUMN[clock]]
    return f"{name} {key} ({row[edits.EDIT]}), known at {_in_tokyo(moment)}"


def _in_tokyo(moment: dt.datetime) -> str:
    return f"{moment.astimezone(JAPAN):%Y-%m-%d %H:%M} JST"
