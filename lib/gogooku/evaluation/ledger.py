"""The trial ledger: every fit, evaluation and opening of a sealed period, as JSON lines.

A number is worth little without the number of tries behind it. Each job that fits or evaluates a
model appends a line before it writes its result, so that nobody sees a result that is not counted.
One line is one write under the system's lock on the file, flushed to the disk: no writer loses
another's line, on whatever machine both are. A line that a killed writer left torn is ended by the
next one, and left out by readers. What is written here decides no value of any other file.
"""

import datetime as dt
import fcntl
import json
import logging
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from gogooku import files, layout, locks
from gogooku.errors import unwritable

KINDS = ("fit", "evaluation", "opening")
FIELDS = ("kind", "market", "run", "model", "settings", "code", "data", "when")
"""What every line says."""

log = logging.getLogger(__name__)


class Trials(NamedTuple):
    """What stands in a ledger, each thing once however often it was repeated.

    runs        names of runs
    fits        model → different fits: of model, fold, seed, settings, code and data
    evaluated   different configurations that were evaluated
    sharpe      annual Sharpe ratios before costs of each configuration, horizon and kind of book,
                from its newest evaluation: how far luck reaches is read from their spread
    openings    how often a sealed period was opened: commands that evaluated days of one
    faults      sentences on lines that cannot be read
    """

    runs: list[str]
    fits: dict[str, int]
    evaluated: int
    sharpe: list[float]
    openings: int
    faults: list[str]


# ---- writing -------------------------------------------------------------------------------------


def fitted(job: Any, validation: Mapping[str, float]) -> None:
    """Note a fit that has ended.

    job          Snakemake's, of the rule `train`
    validation   what the model says of its choice; its `rank_ic` may be missing
    """
    fit, params = layout.fit(job.output.model), job.params
    settings = [params.settings, params.refit, params.columns, params.neighbours]
    skill = validation.get("rank_ic", math.nan)
    entry = {
        **_described("fit", job, job.output.model, settings),
        **fit._asdict(),
        "validation": {"rank_ic": skill if math.isfinite(skill) else None},
    }
    append(entry)


def evaluated(
    job: Any, predictions: Mapping[int, pl.DataFrame], summary: Mapping[str, Any]
) -> None:
    """Note an evaluation, and that it opened a sealed period if it did.

    job           Snakemake's, of the rule `evaluate`
    predictions   by seed, all that there are;  summary  as `evaluate.evaluate` gives it
    """
    params, config = job.params, job.config
    model = layout.model(job.output.summary)
    settings = [params.horizons, params.entry, params.evaluation, config["splits"]]
    identity = model, _text(settings), _first_scores(predictions)
    entry = {
        **_described("evaluation", job, job.output.summary, settings),
        "model": model,
        "configuration": files.fingerprint(*identity, files=[]),
        **{name: summary[name] for name in ("folds", "seeds", "first", "last", "days")},
        "sealed": params.sealed,
        "test": _tests(summary),
    }
    append(entry)
    if params.opened:
        append({**entry, "kind": "opening", "sealed": params.opened})


def _described(kind: str, job: Any, target: str, settings: object) -> dict[str, Any]:
    return {
        "kind": kind,
        "market": market(job.config["source"], job.config["store"]),
        "run": layout.run(target),
        "settings": files.fingerprint(_text(settings), files=[]),
        "code": job.params.code[0],
        "data": files.fingerprint(files=job.input),
        # Since Python's logging was loaded, with which a job begins.
        "seconds": round(logging.makeLogRecord({}).relativeCreated / 1000, 1),
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "command": os.environ.get(locks.HELD, "").rpartition("=")[2],
    }


def _text(settings: object) -> str:
    return json.dumps(settings, sort_keys=True, default=str)


def _first_scores(predictions: Mapping[int, pl.DataFrame]) -> list[Any]:
    """Give each seed's scores of the first test day.

    They follow from all that a model was made of, and stay when a later end adds days and folds.
    """
    days = {
        seed: rows.filter(pl.col("date") == pl.col("date").min())
        for seed, rows in predictions.items()
    }
    return [(seed, day.sort("fold", "code").rows()) for seed, day in sorted(days.items())]


def _tests(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give RankIC and the Sharpe ratios of the mean of seeds, by horizon."""
    means = {horizon: seeds.get("-1") for horizon, seeds in summary["horizons"].items()}
    return [
        {
            "horizon": int(horizon),
            **{f"rank_ic_{name}": mean["rank_ic"][name] for name in ("mean", "low", "high")},
            **{
                f"sharpe_{kind}": {
                    name: _sharpe(book[kind]) for name, book in mean.items() if _is_book(book)
                }
                for kind in ("gross", "net")
            },
        }
        for horizon, mean in means.items()
        if mean
    ]


def _is_book(statistics: Any) -> bool:
    return isinstance(statistics, Mapping) and "net" in statistics


def _sharpe(returns: Mapping[str, Any]) -> float | None:
    return returns["sharpe"]["mean"] if returns["sharpe"] else None


def append(entry: Mapping[str, Any], path: str | Path = layout.LEDGER) -> None:
    """Add a line, by one write under the file's lock.

    Raises UserError if it cannot be written: its fit or evaluation then has no result either.
    """
    line = json.dumps(entry, sort_keys=True, allow_nan=False).encode() + b"\n"
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab+", buffering=0) as file:
            _lock(file.fileno(), path)
            end = file.seek(0, os.SEEK_END)
            if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
                line = b"\n" + line
            if file.write(line) < len(line):
                raise OSError(None, "the disk took a part of a line")
            os.fsync(file.fileno())
    except OSError as error:
        raise unwritable(path, error) from error


def _lock(handle: int, path: str | Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        log.warning("%s cannot be locked (%s): start no second run there", path, error.strerror)


# ---- reading -------------------------------------------------------------------------------------


def read(path: str | Path = layout.LEDGER) -> tuple[list[dict[str, Any]], list[str]]:
    """Give a ledger's entries in their order, and a sentence on each line that is none.

    A ledger that does not exist yet has neither.
    """
    entries, faults = [], []
    for number, line in enumerate(_lines(Path(path)), 1):
        entry = _entry(line)
        if entry:
            entries.append(entry)
        elif line.strip():
            faults.append(
                f"{path}, line {number} is no entry of a ledger and is not counted: it was torn or "
                "edited; delete the line"
            )
    return entries, faults


def _lines(path: Path) -> Iterator[bytes]:
    if path.is_file():
        with files.reading(path), open(path, "rb") as file:
            yield from file


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    known = isinstance(entry, dict) and entry.get("kind") in KINDS and set(FIELDS) <= set(entry)
    return entry if known else None


def market(source: str, store: str) -> str:
    """Name what trials are about: real stocks, whatever the store, or one simulated market."""
    return f"simulated {store}" if source == "simulated" else "real"


def trials(path: str | Path = layout.LEDGER, market: str | None = None) -> Trials:
    """Count what was tried on a market, or on all of them; see `Trials`."""
    entries, faults = read(path)
    entries = [entry for entry in entries if market in (None, entry["market"])]
    kinds = {kind: [entry for entry in entries if entry["kind"] == kind] for kind in KINDS}
    names = ("fold", "seed", "settings", "code", "data")
    fits = {(e["model"], *(e.get(name) for name in names)) for e in kinds["fit"]}
    newest = {entry.get("configuration"): entry for entry in kinds["evaluation"]}
    return Trials(
        runs=sorted({entry["run"] for entry in entries}),
        fits=dict(sorted(Counter(str(model) for model, *_ in fits).items())),
        evaluated=len(newest),
        sharpe=_sharpes(newest.values()),
        openings=len(_openings(entries)),
        faults=faults,
    )


def _sharpes(evaluations: Any) -> list[float]:
    tests = [test for entry in evaluations for test in entry.get("test", ())]
    ratios = [ratio for test in tests for ratio in test.get("sharpe_gross", {}).values()]
    return [ratio for ratio in ratios if ratio is not None]


def _openings(entries: Sequence[Mapping[str, Any]]) -> set[str]:
    """Name the commands that evaluated days of a sealed period.

    An evaluation without a seal, or with a later one, opens what an earlier line had sealed.
    """
    seal, commands = "", set()
    for entry in entries:
        own = entry.get("sealed") or ""
        if entry["kind"] == "opening" or (seal and entry.get("last", "") >= seal):
            commands.add(entry.get("command") or entry["when"])
        seal = min(filter(None, [seal, own]), default="")
    return commands
