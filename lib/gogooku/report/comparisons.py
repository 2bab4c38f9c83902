"""The report's tables on which models can be told apart, and on the luck of having chosen."""

from dataclasses import asdict

import numpy as np

from gogooku.evaluation import comparison, inference, overfitting
from gogooku.evaluation.evaluate import Evaluations
from gogooku.report import tables
from gogooku.report.judgement import ROOT, Judgement
from gogooku.report.tables import NONE, SIGNED, Cell, Table

LOOKS = {"higher": "text sure", "lower": "text stop", "": "text"}
DIFFERENCE = ["<Model", "RankIC difference", "Days", "Detectable", "p, corrected", "<Verdict"]
PROBABILITY = "{:.1%}"


def build(
    evaluations: Evaluations, yardstick: str, judgement: Judgement
) -> dict[str, Table | None]:
    """Give the tables that comparisons.html names."""
    return {
        "differences": differences(judgement, yardstick),
        "confidence_sets": confidence_sets(judgement),
        "choices": choices(judgement),
        "deflated": deflated(evaluations, judgement),
    }


def differences(judgement: Judgement, yardstick: str) -> Table | None:
    """Each model's daily RankIC less the yardstick's, and whether that says anything."""
    by_horizon: dict[int, list[list[Cell]]] = {}
    for row in judgement.differences:
        by_horizon.setdefault(row.horizon, []).append(difference(row))
    groups = [
        (f"{tables.sessions(str(horizon))}, against {yardstick}", rows)
        for horizon, rows in by_horizon.items()
    ]
    return Table(DIFFERENCE, groups) if groups else None


def confidence_sets(judgement: Judgement) -> Table | None:
    """The models that cannot be told from the best one, by horizon; None for a single model."""
    groups = []
    for found in judgement.sets:
        rows = [
            [
                Cell(model),
                Cell(tables.number(mean)),
                Cell(tables.number(found.p[model], "{:.3f}")),
                _membership(found, model),
            ]
            for model, mean in found.means.items()
        ]
        if len(rows) > 1:
            groups.append((f"{tables.sessions(str(found.horizon))}, {found.days:,} days", rows))
    return Table(["<Model", "RankIC", "p", "<Among the best"], groups) if groups else None


def choices(judgement: Judgement) -> Table | None:
    """Probability that the model chosen on half of the days is in the worse half on the others."""
    rows = [
        [
            Cell(tables.sessions(str(choice.horizon))),
            Cell(str(choice.models)),
            _probability(choice.by_skill),
            _probability(choice.by_book),
        ]
        for choice in judgement.choices
    ]
    head = ["<Horizon", "Models", "Chosen by RankIC", "Chosen by net return"]
    return Table(head, [("", rows)]) if rows else None


def deflated(evaluations: Evaluations, judgement: Judgement) -> Table:
    """What is left of each long–short book's net Sharpe ratio after all trials."""
    by_horizon: dict[int, list[list[Cell]]] = {}
    for book in judgement.books:
        scores = tables.scores(evaluations, book.model, str(book.horizon))
        sharpe = tables.at(scores, "long_short.net.sharpe.mean")
        confidence = evaluations[book.model][1]["confidence"]
        cells = [Cell(book.model), *_deflated(book.deflated, sharpe, confidence)]
        by_horizon.setdefault(book.horizon, []).append(cells)
    groups = [(tables.sessions(str(horizon)), rows) for horizon, rows in by_horizon.items()]
    head = ["<Model", "Net Sharpe", "Threshold", "Probabilistic", "Deflated", "Years needed"]
    return Table(head, groups)


def difference(row: comparison.Difference) -> list[Cell]:
    """Give the cells of a difference under the head DIFFERENCE."""
    known = row.estimate
    return [
        Cell(row.model),
        tables.interval(asdict(known)),
        Cell(tables.number(known.days or None, tables.COUNT)),
        Cell(tables.number(known.detectable, "{:,.3f}")),
        Cell(tables.number(row.p, "{:.3f}")),
        Cell(row.verdict or NONE, look=LOOKS.get(row.verdict, "text mute")),
    ]


def _membership(found: comparison.ConfidenceSet, model: str) -> Cell:
    if np.isnan(found.p[model]):
        return Cell(NONE, look="text")
    return Cell("yes", look="text") if model in found.members else Cell("no", look="text stop")


def _probability(found: overfitting.Overfitting) -> Cell:
    if found.reason:
        return Cell(NONE, found.reason, "mute")
    return Cell(tables.number(found.probability, PROBABILITY))


def _deflated(found: overfitting.Deflated, sharpe: float | None, confidence: float) -> list[Cell]:
    """Give the cells behind a model's name; ratios are shown of a year."""
    if found.reason:
        return [Cell(tables.number(sharpe, SIGNED)), *[Cell(NONE)] * 3, Cell(NONE, found.reason)]
    look = "strong" if found.probability >= confidence else ""
    return [
        Cell(tables.number(sharpe, "{:+,.2f}")),
        Cell(tables.number(found.threshold * ROOT, "{:+,.2f}")),
        Cell(tables.number(found.probabilistic, PROBABILITY)),
        Cell(tables.number(found.probability, PROBABILITY), look=look),
        Cell(tables.number(found.days / inference.SESSIONS, "{:,.1f}")),
    ]
