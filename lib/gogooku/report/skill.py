"""The report's tables of where skill lies, from the breakdowns of each model's mean of seeds."""

from collections.abc import Mapping
from typing import Any

from gogooku.evaluation import breakdowns
from gogooku.evaluation.evaluate import Evaluations
from gogooku.report import tables
from gogooku.report.tables import NONE, Cell, Table

TITLES = {
    "year": "By year",
    "volatility": "By the market's volatility of 20 sessions, among all sessions before",
    "regime": "By the universe's mean return of 60 sessions",
    "size": "By market value",
    "liquidity": "By traded value",
    "sector": "By sector (S33 code)",
}
RISING = {name: place for place, name in enumerate(breakdowns.THIRDS)}
INDICES = {"market": "Beta, predicted stocks", "topix": "Beta, TOPIX"}


def build(evaluations: Evaluations) -> dict[str, Any]:
    """Give the tables that skill.html names; nothing where no model has breakdowns."""
    horizons = [
        horizon
        for horizon in tables.horizons(evaluations)
        if any(_of(evaluations, model, horizon) for model in evaluations)
    ]
    if not horizons:
        return {}
    return {
        "groups": {tables.sessions(h): groups(evaluations, h) for h in horizons},
        "monotonicity": monotonicity(evaluations, horizons),
        "exposures": exposures(evaluations, horizons),
    }


def groups(evaluations: Evaluations, horizon: str) -> Table:
    """RankIC of each model in each part of days and of stocks."""
    found = {model: _of(evaluations, model, horizon).get("groups", {}) for model in evaluations}
    rows = []
    for split, title in TITLES.items():
        parts = {part for own in found.values() for part in own.get(split, {})}
        cells = [
            [Cell(part), *(_estimate(own.get(split, {}).get(part)) for own in found.values())]
            for part in sorted(parts, key=lambda part: (RISING.get(part, 0), part))
        ]
        if cells:
            rows.append((title, cells))
    return Table(["<Part", *evaluations], rows)


def monotonicity(evaluations: Evaluations, horizons: list[str]) -> Table:
    """Correlation of a decile's number with its mean label, by model and horizon."""
    rows = [
        [
            Cell(model),
            *(_estimate(_of(evaluations, model, h).get("monotonicity")) for h in horizons),
        ]
        for model in evaluations
    ]
    return Table(["<Model", *map(tables.sessions, horizons)], [("", rows)])


def exposures(evaluations: Evaluations, horizons: list[str]) -> Table:
    """What the long–short book is exposed to: indices, traits of its stocks, sectors."""
    every = [
        _of(evaluations, model, horizon).get("exposures", {})
        for model in evaluations
        for horizon in horizons
    ]
    betas = [name for name in INDICES if any(name in own.get("beta", {}) for own in every)]
    traits = list(dict.fromkeys(name for own in every for name in own.get("traits", {})))
    head = [*(INDICES[name] for name in betas), *(name.capitalize() for name in traits)]
    rows = []
    for horizon in horizons:
        cells = []
        for model in evaluations:
            own = _of(evaluations, model, horizon).get("exposures", {})
            known = [own.get("beta", {}).get(name) for name in betas]
            known += [own.get("traits", {}).get(name) for name in traits]
            sectors = Cell(_sectors(own.get("sectors", {})) or NONE, look="text")
            cells.append([Cell(model), *(_estimate(each, "{:+,.2f}") for each in known), sectors])
        rows.append((tables.sessions(horizon), cells))
    return Table(["<Model", *head, "<Sectors, net weight"], rows)


def _sectors(weights: Mapping[str, Mapping[str, float | None]]) -> str:
    known = {code: own["mean"] for code, own in weights.items() if own["mean"] is not None}
    return ", ".join(f"{code} {tables.number(mean, '{:+.1%}')}" for code, mean in known.items())


def _estimate(known: Mapping[str, Any] | None, form: str = tables.SIGNED) -> Cell:
    return tables.interval(known, form) if known else Cell(NONE)


def _of(evaluations: Evaluations, model: str, horizon: str) -> Mapping[str, Any]:
    return evaluations[model][1].get("breakdowns", {}).get(horizon) or {}
