"""The report's tables on which models can be told apart, and on the luck of having chosen."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from gogooku.evaluation import comparison, inference, overfitting
from gogooku.evaluation.evaluate import Evaluations, series
from gogooku.evaluation.inference import Series
from gogooku.report import tables
from gogooku.report.tables import NONE, SIGNED, Cell, Table

LOOKS = {"higher": "text sure", "lower": "text stop", "": "text"}
DIFFERENCE = ["<Model", "RankIC difference", "Days", "Detectable", "p, corrected", "<Verdict"]
PROBABILITY = "{:.1%}"
ROOT = np.sqrt(inference.SESSIONS)


def build(
    evaluations: Evaluations, yardstick: str, trials: int, sharpes: Series
) -> dict[str, Table | None]:
    """Give the tables that comparisons.html names.

    trials    tries that stand behind the run
    sharpes   Sharpe ratios of the known ones among them, before costs, of a session
    """
    return {
        "differences": differences(evaluations, yardstick),
        "confidence_sets": confidence_sets(evaluations),
        "choices": choices(evaluations),
        "deflated": deflated(evaluations, trials, sharpes),
    }


def trials_of(evaluations: Evaluations) -> Series:
    """Sharpe ratios, before costs and of a session, of each model, horizon and kind of book."""
    scores = [
        tables.scores(evaluations, model, horizon)
        for model in evaluations
        for horizon in tables.horizons(evaluations)
    ]
    books = [book for own in scores for book in own.values() if _is_book(book)]
    annual = [tables.at(book, "gross.sharpe.mean") for book in books]
    return np.array([ratio for ratio in annual if ratio is not None]) / ROOT


def differences(evaluations: Evaluations, yardstick: str) -> Table | None:
    """Each model's daily RankIC less the yardstick's, and whether that says anything.

    None if there is no second model, or the yardstick is not among them.
    """
    if len(evaluations) < 2 or yardstick not in evaluations:
        return None
    horizons = [int(horizon) for horizon in tables.horizons(evaluations)]
    found = comparison.differences(evaluations, yardstick, horizons)
    groups = [
        (
            f"{tables.sessions(str(horizon))}, against {yardstick}",
            [difference(row) for row in found if row.horizon == horizon],
        )
        for horizon in horizons
    ]
    return Table(DIFFERENCE, groups)


def confidence_sets(evaluations: Evaluations) -> Table | None:
    """The models that cannot be told from the best one, by horizon; None for a single model."""
    groups = []
    for horizon in tables.horizons(evaluations):
        found = comparison.confidence_set(evaluations, int(horizon))
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
            groups.append((f"{tables.sessions(horizon)}, {found.days:,} days", rows))
    return Table(["<Model", "RankIC", "p", "<Among the best"], groups) if groups else None


def choices(evaluations: Evaluations) -> Table | None:
    """Probability that the model chosen on half of the days is in the worse half on the others."""
    entry = next(iter(evaluations.values()))[1]["entry"]
    rows = []
    for horizon in tables.horizons(evaluations):
        names, daily = comparison.aligned(evaluations, "rank_ic", int(horizon))
        by_skill = overfitting.backtest_overfitting(daily, inference.reach(int(horizon), entry))
        earned = comparison.aligned(evaluations, "long_short_net", int(horizon))[1]
        by_book = overfitting.backtest_overfitting(earned, 1)
        if len(names) > 1:
            cells = [Cell(tables.sessions(horizon)), Cell(str(len(names)))]
            rows.append([*cells, _probability(by_skill), _probability(by_book)])
    head = ["<Horizon", "Models", "Chosen by RankIC", "Chosen by net return"]
    return Table(head, [("", rows)]) if rows else None


def deflated(evaluations: Evaluations, trials: int, sharpes: Series) -> Table:
    """What is left of each long–short book's net Sharpe ratio after so many trials."""
    groups = []
    for horizon in tables.horizons(evaluations):
        rows = []
        for model, (daily, rules) in evaluations.items():
            returns = series(daily, "long_short_net", int(horizon))["value"].to_numpy()
            found = overfitting.deflate(returns, trials, sharpes, rules["confidence"])
            sharpe = tables.at(
                tables.scores(evaluations, model, horizon), "long_short.net.sharpe.mean"
            )
            rows.append([Cell(model), *_deflated(found, sharpe, rules["confidence"])])
        groups.append((tables.sessions(horizon), rows))
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


def _is_book(scores: Mapping[str, Any] | Any) -> bool:
    return isinstance(scores, Mapping) and "gross" in scores
