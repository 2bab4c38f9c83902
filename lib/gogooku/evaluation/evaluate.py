"""One model's predictions against what happened: daily numbers and their summary.

The numbers are kept by seed; seed -1 is the mean of seeds, that is of their predictions after each
was standardised on its day. A simulated market also has a truth, the return that was planted for
each stock: with it the summary says how much of what could be known a model found.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gogooku import files, layout
from gogooku.arrays import agreement
from gogooku.arrays.agreement import Table
from gogooku.arrays.grid import Grid
from gogooku.errors import UserError
from gogooku.evaluation import inference, metrics, portfolio
from gogooku.evaluation.inference import Series
from gogooku.evaluation.trading import Rules, Surroundings, Trading

Evaluations = Mapping[str, tuple[pl.DataFrame, dict[str, Any]]]  # model → daily rows, summary
MEAN_OF_SEEDS = -1


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
        keys = pl.concat([frame.select("date", "code", "fold") for frame in predictions.values()])
        folds = keys.group_by("date").agg(pl.col("fold").max()).sort("date")
        every = pl.Series("date", sessions).cast(pl.Date)
        if strange := folds.filter(~pl.col("date").is_in(every.implode()))["date"].to_list():
            raise UserError(f"predictions lie on {strange[0]}, of which the panel has no session")
        first, last = (int(every.search_sorted(folds["date"][end])) for end in (0, -1))
        days = every[first : last + 1 + tail]
        table = days.to_frame().join(folds, on="date", how="left", maintain_order="left")
        return cls(table, Grid.of(days, keys["code"]))

    def table(self, rows: pl.DataFrame, column: str) -> Table:
        """Lay `column` of tidy rows out as (T, N); NaN where no row lies."""
        values = rows[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return self.grid.dense(self.grid.cells(rows), values, np.nan)

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
    and the summary, ready for JSON: "horizons" → horizon → seed → statistics, and "truth" → horizon
    → what the mean of seeds found of it. Raises UserError if predictions and labels share no day.
    """
    predictions = {seed: _newest(predictions[seed]) for seed in sorted(predictions)}
    answers = Predicted.of(predictions, surroundings.panel.dates, max(horizons))
    trading = Trading.of(answers.grid, surroundings, rules)
    daily, statistics, of_truth = [], {}, {}
    for horizon in horizons:
        label, scores = _label(answers, labels, horizon), _scores(answers, predictions, horizon)
        rows, statistics[str(horizon)] = _measure(answers, scores, label, trading, horizon, rules)
        daily += rows
        if truth is not None and rules.entry == "next_close" and scores:
            parts = _parts(answers, truth, horizon)
            rows, of_truth[str(horizon)] = _compare(answers, scores, label, parts, horizon, rules)
            daily += rows
    days = answers.days.drop_nulls("fold")
    summary = {
        **rules._asdict(),
        "costs": rules.costs._asdict(),
        "seeds": list(predictions),
        "folds": days["fold"].unique().sort().to_list(),
        "first": str(days["date"][0]),
        "last": str(days["date"][-1]),
        "days": len(days),
        "horizons": statistics,
        "truth": of_truth,
    }
    return pl.concat(daily), _plain(summary)


def paired(
    predictions: dict[int, pl.DataFrame], labels: pl.DataFrame, horizons: Sequence[int]
) -> dict[int, tuple[Table, Table]]:
    """Lay the mean of seeds and the labels out as tables (T, N), by horizon that is predicted."""
    predictions = {seed: _newest(predictions[seed]) for seed in sorted(predictions)}
    days = pl.concat([rows["date"] for rows in predictions.values()]).unique().sort()
    answers = Predicted.of(predictions, days.to_numpy(), 0)
    scores = {horizon: _scores(answers, predictions, horizon) for horizon in horizons}
    return {
        horizon: (of_seeds[MEAN_OF_SEEDS], _label(answers, labels, horizon))
        for horizon, of_seeds in scores.items()
        if of_seeds
    }


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("fold") == pl.col("fold").max().over("date"))


def _scores(
    answers: Predicted, predictions: dict[int, pl.DataFrame], horizon: int
) -> dict[int, Table]:
    column = f"prediction_{horizon}d"
    scores = {
        seed: answers.table(rows, column) for seed, rows in predictions.items() if column in rows
    }
    if scores:
        stack = [metrics.standardise(score) for score in scores.values()]
        scores[MEAN_OF_SEEDS] = _mean_present(stack)
    return scores


def _mean_present(tables: list[Table]) -> Table:
    count = sum(np.isfinite(table).astype(int) for table in tables)
    total = sum(np.nan_to_num(table) for table in tables)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _measure(
    answers: Predicted,
    scores: dict[int, Table],
    label: Table,
    trading: Trading,
    horizon: int,
    rules: Rules,
) -> tuple[list[pl.DataFrame], dict[str, Any]]:
    rows, statistics = [], {}
    for seed, score in scores.items():
        series = {
            "rank_ic": agreement.rank_ic(score, label),
            "ic": agreement.ic(score, label),
            "hit_rate": metrics.hit_rate(score, label),
            "spread": metrics.spread(score, label, rules.quantiles),
        }
        books = trading.books(score, horizon, all_kinds=seed == MEAN_OF_SEEDS)
        statistics[str(seed)] = {
            **{name: _estimate(values, horizon, rules) for name, values in series.items()},
            "icir": inference.icir(series["rank_ic"]),
            **{
                name: portfolio.statistics(book, rules.entry, rules.confidence)
                for name, book in books.items()
            },
        }
        for name, book in books.items():
            series |= {
                f"{name}_gross": book.gross,
                f"{name}_net": book.net,
                f"{name}_turnover": book.turnover,
            }
        rows.append(answers.tidy(series, seed, horizon))
    return rows, statistics


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


def _estimate(values: Series, horizon: int, rules: Rules) -> inference.Estimate:
    return inference.estimate(values, horizon, rules.entry, rules.confidence)


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


def _plain(content: Any) -> Any:
    """Make estimates and numpy numbers fit for JSON; a number that is not known becomes None."""
    if isinstance(content, inference.Estimate):
        content = asdict(content)
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, float):
        return float(content) if math.isfinite(content) else None
    return content
