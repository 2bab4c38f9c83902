"""Several finished runs side by side: what differs in their settings, and whether it matters.

Runs are compared with the first that can be read, model by model and day by day. What cannot be
compared is told in a sentence, and the rest is shown.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gogooku.errors import UserError
from gogooku.evaluation import comparison
from gogooku.evaluation.comparison import Difference, Pair
from gogooku.evaluation.evaluate import Evaluations, series
from gogooku.report import comparisons, page, runs, tables
from gogooku.report.runs import Run
from gogooku.report.tables import NONE, Cell, Table

FEWEST = "there are no two runs to compare: name folders of runs/, as --config 'runs=[a, b]'"

Found = Mapping[str, Sequence[Difference]]
"""Differences of each further run from the first, by its name."""


def read(names: Sequence[str]) -> tuple[list[Run], list[str]]:
    """Read the runs that can be compared, and say what is wrong with these and with the others.

    Raises UserError if fewer than two are named, or have an evaluation.
    """
    if len(names) < 2:
        raise UserError(FEWEST)
    found = [runs.read(name) for name in names]
    faults = [fault for run in found for fault in run.faults]
    usable = [run for run in found if run.evaluations]
    if len(usable) < 2:
        raise UserError(". ".join(["there are no two runs to compare", *faults]))
    return usable, faults


def differences(found: Sequence[Run]) -> Found:
    """Compare each further run with the first: model by model, at each horizon that both predict.

    All p-values are corrected for the number of all differences.
    """
    first, *others = found
    pairs = [(other.name, pair) for other in others for pair in _pairs(first, other)]
    judged = comparison.judge([pair for _, pair in pairs])
    return {
        other.name: [
            row for row, (name, _) in zip(judged, pairs, strict=True) if name == other.name
        ]
        for other in others
    }


def content(found: Sequence[Run], faults: Sequence[str], differ: Found) -> dict[str, Any]:
    """Give all that the page says, ready for JSON: a number that is not known is None.

    Returns runs (their names), remarks (sentences), settings (key → run → value, where they differ)
    and differences (one entry a run, model and horizon).
    """
    rows = [(run, row) for run, own in differ.items() for row in own]
    return {
        "runs": [run.name for run in found],
        "remarks": [*faults, *remarks(found, differ)],
        "settings": differing(found),
        "differences": [
            {
                **{"run": run, "against": found[0].name, "model": row.model},
                **{"horizon": row.horizon, "verdict": row.verdict, "p": _known(row.p)},
                **{name: _known(value) for name, value in asdict(row.estimate).items()},
            }
            for run, row in rows
        ],
    }


def build(found: Sequence[Run], content: Mapping[str, Any], differ: Found) -> str:
    """Write the page: one HTML text that loads nothing from anywhere."""
    side_by_side = {
        f"{model} in {run.name}": run.evaluations[model]
        for model in _models(found)
        for run in found
        if model in run.evaluations
    }
    return page.fill(
        Path(__file__).with_name("compare.html"),
        runs=content["runs"],
        remarks=content["remarks"],
        confidence=next(iter(found[0].evaluations.values()))[1]["confidence"],
        known=sum(bool(run.settings) for run in found),
        settings=_settings(content),
        differences=_differences(found, differ),
        headline=tables.headline(side_by_side),
        provenance=_provenance(found),
    )


# ---- what differs --------------------------------------------------------------------------------


def differing(found: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Give the settings that differ between the runs whose settings are known, by dotted key.

    A run of another release may lack one; it is then left out.
    """
    known = {run.name: run.settings for run in found if run.settings}
    keys = dict.fromkeys(key for settings in known.values() for key in settings)
    values = {key: {name: own[key] for name, own in known.items() if key in own} for key in keys}
    return {
        key: of_runs
        for key, of_runs in values.items()
        if len(of_runs) < len(known) or len({json.dumps(value) for value in of_runs.values()}) > 1
    }


def remarks(found: Sequence[Run], differ: Found) -> list[str]:
    """Say what makes the differences of runs mean something else, or leaves some out."""
    first, *others = found
    return [
        sentence
        for other in others
        for sentence in (
            *_of_data(first, other),
            *_of_code(first, other),
            *_of_models(first, other),
            *_of_days(first, other, differ[other.name]),
        )
    ]


def _of_data(first: Run, other: Run) -> Iterator[str]:
    one, two = first.settings, other.settings
    if one and two and _market(one) != _market(two):
        yield (
            f"{first.name} is about {_market_words(one)}, {other.name} about {_market_words(two)}: "
            "what differs between them says nothing about models or settings"
        )
    elif one and two and one["store"] != two["store"]:
        yield (
            f"{first.name} reads the store {one['store']} and {other.name} the store "
            f"{two['store']}: what differs between them may come from the data"
        )
    entries = [next(iter(run.evaluations.values()))[1]["entry"] for run in (first, other)]
    if entries[0] != entries[1]:
        yield (
            f"Labels of {first.name} enter at {entries[0]}, those of {other.name} at {entries[1]}: "
            "their RankICs are about different returns"
        )


def _market(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Tell markets apart: real stocks from each simulated one."""
    if settings["source"] != "simulated":
        return {}
    return {key: value for key, value in settings.items() if key.startswith("market.")}


def _market_words(settings: Mapping[str, Any]) -> str:
    simulated = settings["source"] == "simulated"
    return f"the simulated market of the store {settings['store']}" if simulated else "real stocks"


def _of_code(first: Run, other: Run) -> Iterator[str]:
    both = [model for model in first.judged if model in other.judged]
    if any(first.judged[model]["code"] != other.judged[model]["code"] for model in both):
        yield (
            f"{first.name} and {other.name} were evaluated by different code: evaluate both by one "
            "before a small difference is believed"
        )


def _of_models(first: Run, other: Run) -> Iterator[str]:
    for run, lacking in ((first, other), (other, first)):
        if alone := [model for model in run.evaluations if model not in lacking.evaluations]:
            yield f"{', '.join(alone)}: evaluated in {run.name}, not in {lacking.name}"
        for model in run.evaluations:
            own = _horizons(run, model)
            missing = [h for h in own if h not in _horizons(lacking, model)]
            if missing and model in lacking.evaluations:
                yield (
                    f"{model} predicts {', '.join(missing)} sessions in {run.name}, not in "
                    f"{lacking.name}"
                )


def _of_days(first: Run, other: Run, rows: Sequence[Difference]) -> Iterator[str]:
    empty = [row for row in rows if not row.estimate.days]
    names = f"{first.name} and {other.name}"
    if empty and len(empty) == len(rows):
        yield f"{names} share no test day, and their daily numbers cannot be paired"
        return
    for row in empty:
        yield f"{names} share no day of {row.model} at {tables.sessions(str(row.horizon))}"


# ---- tables --------------------------------------------------------------------------------------


def _settings(content: Mapping[str, Any]) -> Table | None:
    names = content["runs"]
    rows = [
        [Cell(key), *(Cell(_text(of_runs[name]) if name in of_runs else NONE, look="text")
                      for name in names)]
        for key, of_runs in content["settings"].items()
    ]  # fmt: skip
    return Table(["<Setting", *(f"<{name}" for name in names)], [("", rows)]) if rows else None


def _differences(found: Sequence[Run], differ: Found) -> Table | None:
    groups = [
        (
            f"{name} less {found[0].name}, {tables.sessions(str(horizon))}",
            [comparisons.difference(row) for row in rows if row.horizon == horizon],
        )
        for name, rows in differ.items()
        for horizon in sorted({row.horizon for row in rows})
    ]
    return Table(comparisons.DIFFERENCE, groups) if groups else None


def _provenance(found: Sequence[Run]) -> Table:
    columns = [_of_run(run) for run in found]
    rows = [
        [Cell(name), *(Cell(column[name], look="text") for column in columns)]
        for name in columns[0]
    ]
    return Table(["<What", *(f"<{run.name}" for run in found)], [("", rows)])


def _of_run(run: Run) -> dict[str, str]:
    """Give what is known of a run's making, as text."""
    kept, settings = run.record, run.settings
    summaries = [summary for _, summary in run.evaluations.values()]
    lines = [run.judged[model] for model in run.evaluations if model in run.judged]
    return {
        "Source": f"{settings['source']}, store {settings['store']}" if kept else NONE,
        "Data": (
            f"{kept['first']} to {kept['last']}, {kept['rows']:,} rows of {kept['stocks']:,} stocks"
            if kept
            else NONE
        ),
        "Settings": kept["digest"] if kept else NONE,
        "Test days": (
            f"{min(summary['first'] for summary in summaries)} to "
            f"{max(summary['last'] for summary in summaries)}, "
            f"{max(summary['days'] for summary in summaries):,} sessions"
        ),
        "Folds": str(max(len(summary["folds"]) for summary in summaries)),
        "Evaluated": max((line["when"][:10] for line in lines), default=NONE),
        "Code of the evaluation": ", ".join(sorted({line["code"] for line in lines})) or NONE,
    }


def _pairs(first: Run, other: Run) -> Iterator[Pair]:
    common = [model for model in other.evaluations if model in first.evaluations]
    for model in common:
        two: Evaluations = {run.name: run.evaluations[model] for run in (other, first)}
        for horizon in _horizons(other, model):
            if horizon in _horizons(first, model):
                yield Pair(model, int(horizon), two)


def _models(found: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(model for run in found for model in run.evaluations))


def _horizons(run: Run, model: str) -> list[str]:
    """Give the horizons at which a run's model has a RankIC, ascending."""
    if model not in run.evaluations:
        return []
    daily, summary = run.evaluations[model]
    return sorted(
        (h for h in summary["horizons"] if len(series(daily, "rank_ic", int(h)))), key=int
    )


def _text(value: Any) -> str:
    if isinstance(value, list) and not any(isinstance(item, list) for item in value):
        return ", ".join(map(_text, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
