"""One page that says what a run found, how sure it is, and what it was made from.

`build` turns evaluations and facts into tables of ready text, plots.py draws, and report.html has
the words. A number that nothing supports is shown as –.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.figure import Figure

from gogooku import errors, files, layout
from gogooku.arrays import agreement
from gogooku.config.settings import Settings
from gogooku.dataset import assembly
from gogooku.evaluation.evaluate import Evaluations
from gogooku.report import (
    comparisons,
    competition,
    importance,
    judgement,
    page,
    plots,
    skill,
    survivorship,
    tables,
    verdict,
)

THIN_DAYS = 10  # named on the page
DAILY = ["date", "seed", "fold", "horizon", "metric", "value"]
"""Columns of an evaluation's daily numbers."""


def read_evaluations(
    daily: Sequence[str | Path], summaries: Sequence[str | Path]
) -> dict[str, tuple[pl.DataFrame, dict[str, Any]]]:
    """Read {model}.parquet and {model}.json of each model, in the given order."""
    pairs = zip(daily, summaries, strict=True)
    return {
        layout.model(rows): (files.read_parquet(rows, DAILY), files.read_json(means))
        for rows, means in pairs
    }


def read_curves(paths: Sequence[str | Path]) -> pl.DataFrame:
    """Read …/{model}/fold{k}/seed{s}/curve.jsonl: model, fold, seed, epoch, loss."""
    with_epochs = [str(path) for path in paths if Path(path).stat().st_size]
    return pl.concat(map(_curve, with_epochs)) if with_epochs else pl.DataFrame()


def read_folds(paths: Sequence[str], until: Sequence[str]) -> list[dict[str, Any]]:
    """Read the fold files, and add the last day of each one's test part."""
    folds = map(files.read_json, paths)
    return [
        {**fold, "test": {**fold["test"], "last": last}}
        for fold, last in zip(folds, until, strict=True)
    ]


def facts(
    settings: Settings,
    panel: pl.DataFrame,
    folds: Sequence[Mapping[str, Any]],
    lacks: Sequence[str] = (),
    columns: Sequence[str] = (),
    *,
    fitted: Sequence[str],
) -> dict[str, Any]:
    """Gather what the page says of a run beside its results.

    panel     date, code, universe: rows of all spans
    folds     the fold files' content, and the last day of their test parts
    lacks     sentences on what the source did not serve
    columns   sentences on the columns' quality
    fitted    models that learn something

    Returns these but the panel; of it first and last day, the number of rows and stocks, `thin`
    (sentences on days without normalised values) and `universe` (year, sessions, listed and
    members per session, different members); `survivorship`; the settings' text and its digest.
    """
    first, last = str(panel["date"].min()), str(panel["date"].max())
    text = json.dumps(
        settings.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False
    )
    return {
        "settings": settings,
        "text": text,
        "digest": hashlib.sha256(text.encode()).hexdigest()[:12],
        "first": first,
        "last": last,
        "rows": len(panel),
        "stocks": panel["code"].n_unique(),
        "folds": folds,
        "lacks": lacks,
        "columns": columns,
        "fitted": fitted,
        "survivorship": survivorship.of(panel),
        "thin": _thin(panel, settings.features.min_stocks),
        "universe": _universe(panel),
    }


def judged(evaluations: Evaluations, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Answer what can be told apart and what is luck, and say it: `judgement` and `verdict`.

    facts   as `facts` gives them; with `sharpes` and `certificates` of `assurance.of`, if the page
            has a head

    Raises UserError if there is no evaluation.
    """
    if not evaluations:
        raise errors.UserError("the report has no model to show: name one in the settings' models")
    yardstick = facts["settings"].evaluation.yardstick
    found = judgement.of(evaluations, yardstick, facts.get("sharpes", ()))
    said = verdict.sentences(evaluations, found, yardstick, facts.get("certificates", ()))
    return {"judgement": found, "verdict": said}


def build(
    evaluations: Evaluations,
    facts: Mapping[str, Any],
    quality: pl.DataFrame,
    figures: Mapping[str, Figure],
) -> str:
    """Write the page: one HTML text with its pictures, which loads nothing from anywhere.

    evaluations  model → (daily rows, summary), as `evaluation.evaluate` gives them
    facts        as `facts` and `judged` give them
    quality      date, code, rule, field, value, reason: the findings of quality.clean
    figures      as plots.draw gives them
    """
    yardstick, found = facts["settings"].evaluation.yardstick, facts["judgement"]
    return page.fill(
        Path(__file__).with_name("report.html"),
        facts=facts,
        rules=next(iter(evaluations.values()))[1],
        models=len(evaluations),
        horizons=tables.horizons(evaluations),
        fits=sum(
            len(summary["seeds"]) * len(summary["folds"])
            for model, (_, summary) in evaluations.items()
            if model in facts["fitted"]
        ),
        pictures={name: plots.inline(figure, name) for name, figure in figures.items()},
        min_pairs=agreement.MIN_PAIRS,
        headline=tables.headline(evaluations),
        missing=tables.missing(evaluations),
        seeds=tables.seeds(evaluations),
        power=tables.power(evaluations),
        trials=found.trials,
        comparisons=comparisons.build(evaluations, yardstick, found),
        stages=tables.stages(facts["provenance"]["stages"]) if "provenance" in facts else None,
        skill=skill.build(evaluations),
        importance=importance.table(facts.get("importance", {})),
        truth=tables.truth(evaluations),
        competition=(
            competition.table(evaluations) if facts["settings"].source == "archive" else None
        ),
        long_short=tables.portfolios(evaluations, "long_short"),
        long_only=tables.portfolios(evaluations, "long_only"),
        against_topix=tables.portfolios(evaluations, "against_topix"),
        neutral=tables.portfolios(evaluations, "neutral"),
        universe=tables.universe(facts["universe"]),
        quality=tables.findings(quality),
    )


def _thin(panel: pl.DataFrame, min_stocks: int) -> list[str]:
    days = assembly.thin_days(panel, min_stocks).rows()
    sentences = [f"{day}: {assembly.reason(size, min_stocks)}." for day, size in days[:THIN_DAYS]]
    more = len(days) - len(sentences)
    return [*sentences, f"… and {more:,} more days."] if more else sentences


def _universe(panel: pl.DataFrame) -> list[dict[str, Any]]:
    member = pl.col("universe")
    sessions = pl.col("date").n_unique()
    return (
        panel.group_by(pl.col("date").dt.year().alias("year"))
        .agg(
            sessions=sessions,
            listed=pl.len() / sessions,
            members=member.sum() / sessions,
            stocks=pl.col("code").filter(member).n_unique(),
        )
        .sort("year")
        .to_dicts()
    )


def _curve(path: str) -> pl.DataFrame:
    names = [pl.lit(value).alias(name) for name, value in layout.fit(path)._asdict().items()]
    with files.reading(path):
        return pl.read_ndjson(path).select(*names, "epoch", "loss")
