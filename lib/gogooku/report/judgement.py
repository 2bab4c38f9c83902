"""What of a run can be told apart and what is luck: every question answered once, for all pages.

The answers come from `evaluation.comparison` and `evaluation.overfitting`; tables, verdict and the
run's record show them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gogooku.evaluation import comparison, inference, overfitting
from gogooku.evaluation.comparison import ConfidenceSet, Difference
from gogooku.evaluation.evaluate import Evaluations, series
from gogooku.evaluation.inference import Series
from gogooku.evaluation.overfitting import Deflated, Overfitting
from gogooku.report import tables

ROOT = np.sqrt(inference.SESSIONS)


class Book(NamedTuple):
    """What is left of a long–short book's net Sharpe ratio after all trials."""

    model: str
    horizon: int
    deflated: Deflated


class Choice(NamedTuple):
    """Whether the best of a horizon's models on some days is a good one on others.

    models   that have a daily RankIC;  by_skill  chosen by RankIC;  by_book  by net return
    """

    horizon: int
    models: int
    by_skill: Overfitting
    by_book: Overfitting


class Judgement(NamedTuple):
    """The answers on one run.

    differences  of daily RankIC from the yardstick; none if it or a second model is missing
    sets         of models that cannot be told from the best, by horizon
    books        long–short, by horizon and model
    choices      by horizon; none for a single model
    trials       tries that the books are deflated by
    """

    differences: list[Difference]
    sets: list[ConfidenceSet]
    books: list[Book]
    choices: list[Choice]
    trials: int


def of(evaluations: Evaluations, yardstick: str, ledger: Sequence[float] = ()) -> Judgement:
    """Answer for all models and horizons of a run.

    ledger   annual Sharpe ratios before costs of all tries on this market; where they are fewer
             than the run's own, as of a lost ledger, the run's own count
    """
    own = _sharpes(evaluations)
    tried = np.asarray(own if len(ledger) < len(own) else ledger, float) / ROOT
    horizons = [int(horizon) for horizon in tables.horizons(evaluations)]
    with_yardstick = len(evaluations) > 1 and yardstick in evaluations
    return Judgement(
        differences=(
            comparison.differences(evaluations, yardstick, horizons) if with_yardstick else []
        ),
        sets=[comparison.confidence_set(evaluations, horizon) for horizon in horizons],
        books=[
            Book(model, horizon, _deflated(evaluations, model, horizon, tried))
            for horizon in horizons
            for model in evaluations
        ],
        choices=[
            choice
            for choice in (_choice(evaluations, horizon) for horizon in horizons)
            if choice.models > 1
        ],
        trials=len(tried),
    )


def _sharpes(evaluations: Evaluations) -> list[float]:
    """Annual Sharpe ratios before costs of each model, horizon and kind of book."""
    scores = [
        tables.scores(evaluations, model, horizon)
        for model in evaluations
        for horizon in tables.horizons(evaluations)
    ]
    books = [book for own in scores for book in own.values() if _is_book(book)]
    annual = [tables.at(book, "gross.sharpe.mean") for book in books]
    return [ratio for ratio in annual if ratio is not None]


def _is_book(scores: Mapping[str, Any] | Any) -> bool:
    return isinstance(scores, Mapping) and "gross" in scores


def _deflated(evaluations: Evaluations, model: str, horizon: int, tried: Series) -> Deflated:
    daily, rules = evaluations[model]
    returns = series(daily, "long_short_net", horizon)["value"].to_numpy()
    return overfitting.deflate(returns, len(tried), tried, rules["confidence"])


def _choice(evaluations: Evaluations, horizon: int) -> Choice:
    entry = next(iter(evaluations.values()))[1]["entry"]
    names, daily = comparison.aligned(evaluations, "rank_ic", horizon)
    _, earned = comparison.aligned(evaluations, "long_short_net", horizon)
    return Choice(
        horizon,
        len(names),
        overfitting.backtest_overfitting(daily, inference.reach(horizon, entry)),
        overfitting.backtest_overfitting(earned, 1),
    )
