"""One model's predictions against what happened: daily numbers and their summary.

The numbers are kept by seed; seed -1 is the mean of seeds, that is of their predictions after each
was standardised on its day. A simulated market also has a truth, the return that was planted for
each stock: with it the summary says how much of what could be known a model found.
"""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gogooku import files, layout
from gogooku.arrays import agreement
from gogooku.arrays.agreement import Table
from gogooku.arrays.grid import Grid
from gogooku.arrays.ordered import Ordered
from gogooku.errors import UserError
from gogooku.evaluation import breakdowns, competition, inference, metrics, portfolio
from gogooku.evaluation.inference import Series
from gogooku.evaluation.portfolio import Book
from gogooku.evaluation.trading import Rules, Surroundings, Trading

Evaluations = Mapping[str, tuple[pl.DataFrame, dict[str, Any]]]  # model → daily rows, summary
MEAN_OF_SEEDS = -1
NO_LABEL = (
    "no predicted stock has a label of %d sessions from %s to %s: nothing is judged there; the "
    "labels are of other days or stocks, or have not ended yet"
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Predicted:
    """The days and stocks that a model predicted, and the fold that answered each day.

    days   (T,) date and fold: all predicted days and, with a null fold, the sessions in a hole
           between folds and those after the last day on which a book may still be held
    grid   of these days and N codes
    """

    days: pl.DataFrame
    grid: Grid

    @classmethod
    def of(
        cls, predictions: dict[int, pl.DataFrame], sessions: np.ndarray, tail: int
    ) -> "Predicted":
        """Span the rows of all seeds, and `tail` of the `sessions` after the last day.

        Raises UserError if a predicted day is no session.
        """
        folds = pl.concat([
            rows.group_by("date").agg(pl.col("fold").max()) for rows in predictions.values()
        ]).group_by("date").agg(pl.col("fold").max()).sort("date")  # fmt: skip
        codes = pl.concat([rows["code"].unique() for rows in predictions.values()])
        every = pl.Series("date", sessions).cast(pl.Date)
        if strange := folds.filter(~pl.col("date").is_in(every.implode()))["date"].to_list():
            raise UserError(f"predictions lie on {strange[0]}, of which the panel has no session")
        first, last = (int(every.search_sorted(folds["date"][end])) for end in (0, -1))
        days = every[first : last + 1 + tail]
        table = days.to_frame().join(folds, on="date", how="left", maintain_order="left")
        return cls(table, Grid.of(days, codes))

    def newest(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Give the rows of each day's newest fold, `cell` on the grid in place of date and code."""
        cell, fold = self.grid.cells(rows), rows["fold"].to_numpy()
        last = np.full(len(self.days), -1, fold.dtype)
        day = cell // len(self.grid.codes)
        np.maximum.at(last, day, fold)
        placed = rows.drop("date", "code", "fold").with_columns(cell=cell)
        return placed if (kept := fold == last[day]).all() else placed.filter(kept)

    def table(self, rows: pl.DataFrame, column: str) -> Table:
        """Lay `column` of rows, with their `cell` or date and code, out as (T, N); NaN if none."""
        cells = rows["cell"].to_numpy() if "cell" in rows.columns else self.grid.cells(rows)
        values = rows[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return self.grid.dense(cells, values, np.nan)

    def members(self, predictions: Mapping[int, pl.DataFrame]) -> NDArray[np.bool_]:
        """Say which stocks any seed predicts, (T, N)."""
        inside = np.zeros(self.grid.shape, bool)
        for rows in predictions.values():
            inside.ravel()[rows["cell"].to_numpy()] = True
        return inside

    def tidy(self, series: dict[str, Series], seed: int, horizon: int) -> pl.DataFrame:
        """Give daily series (T,) as rows; days that no fold answered keep only what has a value."""
        wide = self.days.select("date", "fold").with_columns(
            pl.Series(name, values).fill_nan(None) for name, values in series.items()
        )
        rows = wide.unpivot(index=["date", "fold"], variable_name="metric")
        return rows.filter(pl.col("fold").is_not_null() | pl.col("value").is_not_null()).select(
            "date",
            pl.lit(seed, pl.Int16).alias("seed"),
            pl.col("fold").cast(pl.Int16),
            pl.lit(horizon, pl.Int16).alias("horizon"),
            "metric",
            "value",
        )


def read_predictions(paths: Sequence[str | Path]) -> dict[int, pl.DataFrame]:
    """Read …/fold{k}/seed{s}.parquet files: rows by seed, with the column `fold` (Int16)."""
    frames: dict[int, list[pl.DataFrame]] = {}
    for path in sorted(map(str, paths)):
        fit = layout.fit(path)
        rows = files.read_parquet(path, required=["date", "code"]).with_columns(
            fold=pl.lit(fit.fold, pl.Int16)
        )
        frames.setdefault(fit.seed, []).append(rows)
    return {seed: pl.concat(frames[seed]) for seed in sorted(frames)}


def series(daily: pl.DataFrame, metric: str, horizon: int) -> pl.DataFrame:
    """Give the known daily rows of a metric and horizon, of the mean of seeds, sorted by date."""
    own = (pl.col("metric") == metric) & (pl.col("horizon") == horizon)
    mean = pl.col("seed") == MEAN_OF_SEEDS
    return daily.filter(own & mean & pl.col("value").is_not_null()).sort("date")


def evaluate(
    predictions: dict[int, pl.DataFrame],
    labels: pl.DataFrame,
    truth: pl.DataFrame | None,
    surroundings: Surroundings,
    horizons: Sequence[int],
    rules: Rules,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Compare each seed's predictions, and their mean, with the labels.

    predictions  by seed: date, code, fold, prediction_{h}d; where test parts of folds overlap, the
                 newest fold's answer counts, and a horizon without its column is left out
    labels       date, code, horizon, label [return]
    truth        date, code, part, expected_{h}d [return from entry next_close]; None if unknown,
                 and of no use to another entry

    Returns the daily rows date, seed, fold, horizon, metric, value, null where a day says nothing,
    and the summary, ready for JSON: "horizons" → horizon → seed → statistics, "breakdowns" →
    horizon → where the mean of seeds is right, "truth" → horizon → what it found of it, and
    "competition" → its score there. A horizon without a label on the predicted days is logged, and
    its numbers are null. Raises UserError if a predicted day is no session.
    """
    answers = Predicted.of(predictions, surroundings.panel.dates, max(horizons))
    predictions = {seed: answers.newest(predictions[seed]) for seed in sorted(predictions)}
    trading = Trading.of(answers.grid, surroundings, rules)
    parts = breakdowns.Parts.of(answers.grid, answers.members(predictions), trading, surroundings)
    outcomes = _outcomes(answers, labels, horizons)
    daily, statistics, of_truth, where = [], {}, {}, {}
    contest: dict[str, Any] = {}
    for horizon in horizons:
        name, scores = str(horizon), _scores(answers, predictions, horizon)
        rows, statistics[name], where[name] = _measure(
            answers, scores, outcomes, trading, parts, horizon
        )
        daily += rows
        if truth is not None and rules.entry == "next_close" and scores:
            planted = _parts(answers, truth, horizon)
            label = outcomes[horizon].values
            rows, of_truth[name] = _compare(answers, scores, label, planted, horizon, rules)
            daily += rows
        if (horizon, rules.entry) == (competition.HORIZON, competition.ENTRY) and scores:
            rows, contest = _compete(answers, scores, outcomes[horizon].values, rules)
            daily += rows
    summary = _about(answers, predictions, rules) | {
        "horizons": statistics,
        "breakdowns": where,
        "truth": of_truth,
        "competition": contest,
    }
    return pl.concat(daily), plain(summary)


def _about(answers: Predicted, seeds: Iterable[int], rules: Rules) -> dict[str, Any]:
    days = answers.days.drop_nulls("fold")
    return {
        **rules._asdict(),
        "costs": rules.costs._asdict(),
        "seeds": list(seeds),
        "folds": days["fold"].unique().sort().to_list(),
        "first": str(days["date"][0]),
        "last": str(days["date"][-1]),
        "days": len(days),
    }


def paired(
    predictions: dict[int, pl.DataFrame], labels: pl.DataFrame, horizons: Sequence[int]
) -> dict[int, tuple[Table, Table]]:
    """Lay the mean of seeds and the labels out as tables (T, N), by horizon that is predicted."""
    days = pl.concat([rows["date"] for rows in predictions.values()]).unique().sort()
    answers = Predicted.of(predictions, days.to_numpy(), 0)
    predictions = {seed: answers.newest(predictions[seed]) for seed in sorted(predictions)}
    scores = {horizon: _scores(answers, predictions, horizon) for horizon in horizons}
    return {
        horizon: (of_seeds[MEAN_OF_SEEDS], _label(answers, labels, horizon))
        for horizon, of_seeds in scores.items()
        if of_seeds
    }


def _scores(
    answers: Predicted, predictions: dict[int, pl.DataFrame], horizon: int
) -> dict[int, Table]:
    """Lay out each seed's predictions of a horizon and their mean; that of one seed is the seed."""
    column = f"prediction_{horizon}d"
    scores = {
        seed: answers.table(rows, column) for seed, rows in predictions.items() if column in rows
    }
    if len(scores) == 1:
        scores[MEAN_OF_SEEDS] = next(iter(scores.values()))
    elif scores:
        scores[MEAN_OF_SEEDS] = metrics.mean_of_standardised(scores.values())
    return scores


def _measure(
    answers: Predicted,
    scores: dict[int, Table],
    outcomes: Mapping[int, Ordered],
    trading: Trading,
    parts: breakdowns.Parts,
    horizon: int,
) -> tuple[list[pl.DataFrame], dict[str, Any], dict[str, Any]]:
    """Give daily rows and statistics of each seed and of their mean, and where the mean is right.

    scores   (T, N) by seed;  outcomes  labels (T, N) by horizon, of one session among them
    """
    if not scores:
        return [], {}, {}
    rules, label = trading.rules, outcomes[horizon]
    mean = Ordered.of(scores[MEAN_OF_SEEDS])
    series = metrics.daily(mean, label, rules.quantiles)
    books = trading.books(mean, horizon, all_kinds=True)
    rows, statistics = [], {}
    for seed, table in scores.items():
        if seed == MEAN_OF_SEEDS:
            numbers, own = series, books
        elif len(scores) == 2:
            numbers, own = series, {"long_short": books["long_short"]}
        else:
            score = Ordered.of(table)
            numbers = metrics.daily(score, label, rules.quantiles)
            own = trading.books(score, horizon, all_kinds=False)
        statistics[str(seed)] = _statistics(numbers, own, horizon, rules)
        rows.append(answers.tidy(numbers | _by_book(own), seed, horizon))
    where = breakdowns.breakdown(
        mean, label, outcomes[1], series["rank_ic"], books["long_short"], parts, trading, horizon
    )
    return rows, statistics, where


def _statistics(
    series: dict[str, Series], books: Mapping[str, Book], horizon: int, rules: Rules
) -> dict[str, Any]:
    return {
        **{name: _estimate(values, horizon, rules) for name, values in series.items()},
        "icir": inference.icir(series["rank_ic"]),
        **{
            name: portfolio.statistics(book, rules.entry, rules.confidence)
            for name, book in books.items()
        },
    }


def _by_book(books: Mapping[str, Book]) -> dict[str, Series]:
    return {
        f"{name}_{kind}": getattr(book, kind)
        for name, book in books.items()
        for kind in ("gross", "net", "turnover")
    }


def _compare(
    answers: Predicted,
    scores: dict[int, Table],
    label: Table,
    parts: dict[str, Table],
    horizon: int,
    rules: Rules,
) -> tuple[list[pl.DataFrame], dict[str, Any]]:
    """Say how much of the planted return the mean of seeds found."""
    if "total" not in parts:
        return [], {}
    score = scores[MEAN_OF_SEEDS]
    total = np.where(np.isfinite(score), parts.pop("total"), np.nan)
    daily = {"attainable": agreement.rank_ic(total, label)}
    for part, expected in parts.items():
        daily[f"part_{part}"] = agreement.rank_ic(score, expected)
        daily[f"ceiling_{part}"] = agreement.rank_ic(total, expected)
    estimates = {name: _estimate(values, horizon, rules) for name, values in daily.items()}
    reach = inference.reach(horizon, rules.entry)
    rank_ic = agreement.rank_ic(score, label)
    return [answers.tidy(daily, MEAN_OF_SEEDS, horizon)], {
        "attainable": estimates["attainable"],
        "share": inference.ratio(rank_ic, daily["attainable"], reach, rules.confidence),
        "parts": {
            part: {
                "above_zero": estimates[f"part_{part}"].low > 0,
                "correlation": estimates[f"part_{part}"],
                "ceiling": estimates[f"ceiling_{part}"],
            }
            for part in parts
        },
    }


def _compete(
    answers: Predicted, scores: dict[int, Table], label: Table, rules: Rules
) -> tuple[list[pl.DataFrame], dict[str, Any]]:
    """Give the daily returns and the score that the mean of seeds has by the competition's rule."""
    score = Ordered.of(scores[MEAN_OF_SEEDS])
    returns = competition.spread(score, label)
    found = competition.summary(score, returns, rules.confidence)
    daily = {"competition": returns}
    return ([answers.tidy(daily, MEAN_OF_SEEDS, 1)] if found else []), found


def _estimate(values: Series, horizon: int, rules: Rules) -> inference.Estimate:
    return inference.estimate(values, horizon, rules.entry, rules.confidence)


def _outcomes(
    answers: Predicted, labels: pl.DataFrame, horizons: Sequence[int]
) -> dict[int, Ordered]:
    """Lay labels out by horizon, those of one session among them; log a horizon without any."""
    outcomes = {horizon: Ordered.of(_label(answers, labels, horizon)) for horizon in {1, *horizons}}
    for horizon in horizons:
        if not np.isfinite(outcomes[horizon].values).any():
            log.warning(NO_LABEL, horizon, answers.grid.dates[0], answers.grid.dates[-1])
    return outcomes


def _label(answers: Predicted, labels: pl.DataFrame, horizon: int) -> Table:
    return answers.table(labels.filter(pl.col("horizon") == horizon), "label")


def _parts(answers: Predicted, truth: pl.DataFrame, horizon: int) -> dict[str, Table]:
    column = f"expected_{horizon}d"
    if column not in truth.columns:
        return {}
    return {
        part: answers.table(truth.filter(pl.col("part") == part), column)
        for part in truth["part"].unique(maintain_order=True)
    }


def plain(content: Any) -> Any:
    """Make estimates and numpy numbers fit for JSON; a number that is not known becomes None."""
    if isinstance(content, inference.Estimate):
        content = asdict(content)
    elif hasattr(content, "_asdict"):
        content = content._asdict()
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [plain(value) for value in content]
    if isinstance(content, float):
        return float(content) if math.isfinite(content) else None
    return content
