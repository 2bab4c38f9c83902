"""The report's tables: rows of ready text from the summaries and daily rows of evaluations.

A number that nothing supports is shown as –. Models keep the order in which they were given: no
table sorts by a result.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

import polars as pl

from gogooku.evaluation.evaluate import MEAN_OF_SEEDS, Evaluations

NONE = "–"
SHOWN = 200  # findings of the data check on the page
SIGNED = "{:+,.3f}"
COUNT = "{:,.0f}"


class Cell(NamedTuple):
    """A table's cell: its text, a smaller note behind it, and CSS classes."""

    text: str
    note: str = ""
    look: str = ""


class Table(NamedTuple):
    """A table: column names, left-aligned if they start with <, and titled groups of rows."""

    head: list[str]
    groups: list[tuple[str, list[list[Cell]]]]


Column = Callable[[Mapping[str, Any]], Cell]
"""Gives a cell from `scores`."""


def headline(evaluations: Evaluations) -> Table:
    """All models by horizon: the mean of seeds, with intervals and what a portfolio earned."""
    columns = {
        "RankIC": _column("rank_ic"),
        "Seeds": lambda scores: Cell(_range(scores["seeds"]), look="mute"),
        "IC": _column("ic"),
        "ICIR": _column("icir", "{:+,.2f}"),
        "Hit rate": _column("hit_rate", "{:,.1%}", nothing=0.5),
        "Spread": _column("spread", "{:+,.1f} bp", 1e4),
        "Net return a year": _a_year("long_short.net.annual"),
        "Net Sharpe": _column("long_short.net.sharpe", "{:+,.2f}"),
        "Turnover": _column("long_short.turnover", "{:,.2f}"),
    }
    return _by_model(evaluations, columns)


def missing(evaluations: Evaluations) -> list[str]:
    """Say which folds a model lacks that another has, and which horizons it does not predict."""
    every = sorted({fold for _, summary in evaluations.values() for fold in summary["folds"]})
    sentences = []
    for model, (_, summary) in evaluations.items():
        if lost := [str(fold) for fold in every if fold not in summary["folds"]]:
            sentences.append(
                f"{model} has no predictions of fold {', '.join(lost)}: its numbers are of fewer "
                "days, and it is compared on the days that both models have."
            )
        if left := [h for h in horizons(evaluations) if not summary["horizons"].get(h)]:
            sentences.append(f"{model} predicts nothing at {', '.join(map(sessions, left))}.")
    return sentences


def seeds(evaluations: Evaluations) -> Table:
    """Every seed of every model beside their mean."""
    columns = {
        "RankIC": _column("rank_ic"),
        "ICIR": _column("icir", "{:+,.2f}"),
        "Spread": _column("spread", "{:+,.1f} bp", 1e4),
        "Net Sharpe": _column("long_short.net.sharpe", "{:+,.2f}"),
    }
    groups = []
    for horizon in horizons(evaluations):
        rows = []
        for model, (_, summary) in evaluations.items():
            by_seed = summary["horizons"].get(horizon, {})
            for seed in sorted(by_seed, key=int):
                fit = Cell("mean" if int(seed) == MEAN_OF_SEEDS else f"seed {seed}")
                cells = [column(by_seed[seed]) for column in columns.values()]
                rows.append([Cell(model), fit, *cells])
        groups.append((sessions(horizon), rows))
    return Table(["<Model", "Fit", *columns], groups)


def power(evaluations: Evaluations) -> Table:
    """Days, effective days and the smallest RankIC that they would show."""
    columns = {
        "Days": _column("rank_ic.days", COUNT),
        "Effective days": _column("rank_ic.effective", COUNT),
        "Standard error": _column("rank_ic.error", "{:,.4f}"),
        "Detectable RankIC": _column("rank_ic.detectable", "{:,.3f}"),
    }
    return _by_model(evaluations, columns)


def truth(evaluations: Evaluations) -> dict[str, Table] | None:
    """Share of the attainable RankIC and each planted part; None where nothing was planted."""
    if not any(summary["truth"] for _, summary in evaluations.values()):
        return None

    columns = {
        "RankIC": _column("rank_ic"),
        "Attainable": _column("truth.attainable"),
        "Share reached": _column("truth.share", "{:+,.1%}"),
    }
    truths = [truth for _, summary in evaluations.values() for truth in summary["truth"].values()]
    names = sorted({name for truth in truths for name in truth.get("parts", {})})
    groups = [(sessions(name), _parts(evaluations, name, names)) for name in horizons(evaluations)]
    return {
        "share": _by_model(evaluations, columns),
        "parts": Table(["<Model", *(name.replace("_", "-") for name in names)], groups),
    }


def portfolios(evaluations: Evaluations, book: str) -> Table | None:
    """What one kind of book earned, gross and net of the dearer cost; None if no model has it."""
    if not any(
        at(scores(evaluations, model, horizon), book)
        for model in evaluations
        for horizon in horizons(evaluations)
    ):
        return None
    columns = {
        "Gross a year": _a_year(f"{book}.gross.annual"),
        "Net a year": _a_year(f"{book}.net.annual"),
        "Volatility": _column(f"{book}.net.volatility", "{:,.1%}"),
        "Gross Sharpe": _column(f"{book}.gross.sharpe", "{:+,.2f}"),
        "Net Sharpe": _column(f"{book}.net.sharpe", "{:+,.2f}"),
        "Turnover": _column(f"{book}.turnover", "{:,.2f}"),
        "Flat cost": _column(f"{book}.flat", "{:,.1%}"),
        "Cost by stock": _column(f"{book}.detailed", "{:,.1%}"),
        "Break-even": _column(f"{book}.break_even", "{:+,.1f} bp"),
        "Drawdown": _column(f"{book}.net.drawdown", "{:,.1%}"),
        "Capacity": _column(f"{book}.capacity", "{:,.0f} m JPY", 1e-6),
    }
    return _by_model(evaluations, columns)


def universe(years: Sequence[Mapping[str, Any]]) -> Table | None:
    """Sessions and sizes of the universe by year."""
    if not years:
        return None
    names = ("sessions", "listed", "members", "stocks")
    rows = [
        [Cell(str(year["year"])), *(Cell(number(year[name], COUNT)) for name in names)]
        for year in years
    ]
    head = ["<Year", "Sessions", "Listed, a session", "Members, a session", "Different members"]
    return Table(head, [("", rows)])


def stages(rows: Sequence[Mapping[str, Any]]) -> Table | None:
    """What each stage cost; None if nothing is known of any."""
    cells = [
        [
            Cell(row["stage"]),
            Cell(number(row["jobs"], COUNT)),
            *(Cell(number(row[name], "{:,.1f}")) for name in ("wall", "cpu")),
            Cell(number(row["peak"], "{:,.0f} MB")),
        ]
        for row in rows
    ]
    head = ["<Stage", "Jobs", "Seconds", "CPU seconds", "Most memory of a job"]
    return Table(head, [("", cells)]) if cells else None


def findings(quality: pl.DataFrame) -> dict[str, Any] | None:
    """Counts of the panel's findings by rule, and the first of them; None if there are none."""
    if quality.is_empty():
        return None
    counts = quality.group_by("rule").agg(
        pl.len(), pl.col("code").n_unique(), pl.col("date").min(), pl.col("date").max().alias("to")
    )
    rows = [
        [Cell(rule), *(Cell(f"{count:,}") for count in (values, codes)), Cell(f"{a} – {b}")]
        for rule, values, codes, a, b in counts.sort("rule").iter_rows()
    ]
    first = quality.sort("date", "code", "rule", "field").head(SHOWN)
    extent = f"The first {len(first)} of {len(quality):,}" if len(first) < len(quality) else "All"
    return {
        "counts": Table(["<Rule", "Values", "Stocks", "Between"], [("", rows)]),
        "title": f"{extent} findings",
        "rows": Table(
            ["<Date", "<Code", "<Rule", "<Field", "Value", "<Reason"],
            [("", [_finding(row) for row in first.iter_rows(named=True)])],
        ),
    }


def _by_model(evaluations: Evaluations, columns: Mapping[str, Column]) -> Table:
    """One row a model and horizon."""
    groups = []
    for horizon in horizons(evaluations):
        by_model = {model: scores(evaluations, model, horizon) for model in evaluations}
        rows = [
            [Cell(model), *(column(by_model[model]) for column in columns.values())]
            for model in by_model
        ]
        groups.append((sessions(horizon), rows))
    return Table(["<Model", *columns], groups)


def _column(path: str, form: str = SIGNED, scale: float = 1, nothing: float = 0) -> Column:
    """Show the score at a path of keys: a number, as icir, or an estimate with its interval."""

    def cell(scores: Mapping[str, Any]) -> Cell:
        score = at(scores, path)
        if isinstance(score, Mapping):
            return interval(score, form, scale, nothing)
        return Cell(number(score, form, scale))

    return cell


def _a_year(path: str) -> Column:
    """Show a return of a year; one below -100 % says that it is no error."""
    column = _column(path, "{:+,.1%}")

    def cell(scores: Mapping[str, Any]) -> Cell:
        text, note, look = column(scores)
        mean = at(scores, path)
        mean = mean["mean"] if isinstance(mean, Mapping) else mean
        if not _is_number(mean) or mean >= -1:
            return Cell(text, note, look)
        return Cell(text, f"{note} {-mean:.1f} times a leg's capital".strip(), look)

    return cell


def at(scores: Mapping[str, Any], path: str) -> Any:
    """Give the score at a path of keys, as rank_ic.mean; None if there is none."""
    score: Any = scores
    for key in path.split("."):
        score = (score or {}).get(key)
    return score


def scores(evaluations: Evaluations, model: str, horizon: str) -> dict[str, Any]:
    """Give the scores of the mean of a model's seeds at a horizon; none if it does not predict it.

    Beside them stand `seeds`, the mean RankIC of each seed alone, and `truth`.
    """
    summary = evaluations[model][1]
    by_seed = dict(summary["horizons"].get(horizon, {}))
    mean = by_seed.pop(str(MEAN_OF_SEEDS), {})
    single = [at(of_seed, "rank_ic.mean") for of_seed in by_seed.values()]
    return {**mean, "seeds": single, "truth": summary["truth"].get(horizon, {})}


def _parts(evaluations: Evaluations, horizon: str, names: Sequence[str]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    ceiling: dict[str, float | None] = {}
    for model in evaluations:
        parts = at(scores(evaluations, model, horizon), "truth.parts") or {}
        ceiling |= {name: part["ceiling"]["mean"] for name, part in parts.items()}
        rows.append([Cell(model), *(_part(parts.get(name)) for name in names)])
    top = [Cell(number(ceiling.get(name)), look="mute") for name in names]
    return [*rows, [Cell("the true expected return", look="mute"), *top]]


def _part(part: Mapping[str, Any] | None) -> Cell:
    if part is None:
        return Cell(NONE)
    text, note, _ = interval(part["correlation"])
    return Cell(text, note, "sure" if part["above_zero"] else "mute")


def _finding(row: Mapping[str, Any]) -> list[Cell]:
    texts = [Cell(str(row[name]), look="text") for name in ("date", "code", "rule", "field")]
    value = NONE if row["value"] is None else f"{row['value']:,.6g}"
    return [*texts, Cell(value), Cell(row["reason"], look="text")]


def _range(means: Sequence[float | None]) -> str:
    known = [mean for mean in means if mean is not None]
    if len(known) < 2:
        return ""
    return f"{number(min(known))} … {number(max(known))}"


def interval(
    estimate: Mapping[str, Any], form: str = SIGNED, scale: float = 1, nothing: float = 0
) -> Cell:
    """Show a mean and its interval, strong where that leaves out `nothing`, which no skill has."""
    mean, low, high = (estimate[name] for name in ("mean", "low", "high"))
    text = number(mean, form, scale)
    if not _is_number(mean) or not _is_number(low):
        return Cell(text)
    bounds = ", ".join(number(bound, form, scale).rstrip("% bp") for bound in (low, high))
    return Cell(text, f"[{bounds}]", "strong" if low > nothing or high < nothing else "")


def number(value: float | None, form: str = SIGNED, scale: float = 1) -> str:
    """Write a number in a format, with a true minus; – if it is not known.

    What rounds to 0 keeps its sign: a bound just below 0 is not above it.
    """
    if not _is_number(value):
        return NONE
    return form.format(value * scale + 0.0).replace("-", "\N{MINUS SIGN}")


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def horizons(evaluations: Evaluations) -> list[str]:
    """Give the horizons that any model predicted, ascending [sessions]."""
    by_horizon = [summary["horizons"].items() for _, summary in evaluations.values()]
    return sorted({horizon for each in by_horizon for horizon, seeds in each if seeds}, key=int)


def sessions(horizon: str) -> str:
    """Name a horizon for people."""
    return "1 session" if horizon == "1" else f"{horizon} sessions"
