"""One page that says what a run found, how sure it is, and what it was made from.

`build` turns evaluations and facts into tables of ready text; report.html lays them out and
plots.py draws. A number that nothing supports is shown as –.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from gogooku import errors, files, layout
from gogooku.arrays import agreement
from gogooku.dataset import assembly
from gogooku.evaluation.evaluate import Evaluations
from gogooku.report import page, plots, tables

THIN_DAYS = 10  # named on the page

SOURCES = {
    "simulated": "The simulated exchange of gogooku: nothing here is about real stocks.",
    "jquants": "The J-Quants API.",
    "archive": "A folder in the layout of the public JPX data set.",
    "stored": "Raw files as they stood in the store.",
}
CAUTIONS = {
    "simulated": "The prices are simulated, with a planted signal. Results show whether the "
    "workflow finds what is there, and say nothing about real markets.",
    "archive": "The archive holds the stocks that its maker chose. If those that were later "
    "delisted are missing, every result here is too good by an unknown amount. Sectors, sections "
    "and sizes come from its one list of stocks and not from the day, so earlier days see a later "
    "classification.",
}
UNTRADABLE = (
    "NOT TRADABLE: entry is “close”. Labels start at the very price that decides the prediction, "
    "at which nobody who waits for it can still buy. For comparison with other work only."
)
LABELS = {
    "next_close": "Return from the close of the session after the prediction's to the close h "
    "sessions later.",
    "next_open": "Return from the open of the session after the prediction's to the open h "
    "sessions later.",
    "close": "Return from the close of the prediction's own session to the close h sessions later: "
    "not tradable.",
}


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
    """Read …/{model}/fold{k}/seed{s}/curve.jsonl: model, fold, seed, epoch, rank_ic.

    A model without epochs leaves an empty file.
    """
    curves = [_curve(str(path)) for path in paths if Path(path).stat().st_size]
    return pl.concat(curves) if curves else pl.DataFrame()


def facts(
    settings: Mapping[str, Any],
    panel: pl.DataFrame,
    folds: Sequence[Mapping[str, Any]],
    lacks: Sequence[str] = (),
    columns: Sequence[str] = (),
    *,
    fitted: Sequence[str],
    baselines: Sequence[str],
) -> dict[str, Any]:
    """Gather what the page says of a run beside its results.

    settings   all settings of the run
    panel     date, code, universe: rows of all spans
    folds     the fold files' content
    lacks     sentences on what the source did not serve
    columns   sentences on the columns' quality
    fitted    models that learn something;  baselines  those that others are compared with

    Returns name, source, data, entry, digest, config, folds, lacks, columns, fitted, baselines,
    thin (sentences on days without normalised values), notes and universe (year, sessions, listed
    and members per session, different members).
    """
    source, entry = settings["source"], settings["labels"]["entry"]
    first, last = (str(day) for day in (panel["date"].min(), panel["date"].max()))
    text = json.dumps(settings, indent=1, sort_keys=True, ensure_ascii=False)
    notes = [("stop", UNTRADABLE)] if entry == "close" else []
    if source in CAUTIONS:
        notes.append(("", CAUTIONS[source]))
    return {
        "name": settings["name"],
        "source": source,
        "entry": entry,
        "data": f"{SOURCES[source]} Sessions from {first} to {last}, {len(panel):,} rows of "
        f"{panel['code'].n_unique():,} stocks; the clock is “{settings['clock']}”.",
        "digest": hashlib.sha256(text.encode()).hexdigest()[:12],
        "config": text,
        "folds": [_until(fold, last) for fold in folds],
        "lacks": lacks,
        "columns": columns,
        "fitted": fitted,
        "baselines": baselines,
        "thin": _thin(panel, settings["features"]["min_stocks"]),
        "notes": notes,
        "universe": _universe(panel),
    }


def _until(fold: Mapping[str, Any], last: str) -> dict[str, Any]:
    """End the fold's test part with the run: its file goes on to the end of the span."""
    return {**fold, "test": {**fold["test"], "last": min(fold["test"]["last"], last)}}


def build(
    evaluations: Evaluations,
    facts: Mapping[str, Any],
    quality: pl.DataFrame,
    curves: pl.DataFrame | None = None,
) -> str:
    """Write the page: one HTML text with its pictures, which loads nothing from anywhere.

    evaluations  model → (daily rows, summary), as `evaluation.evaluate` gives them
    facts        as `facts` gives them
    quality      date, code, rule, field, value, reason: the findings of quality.clean
    curves       as `read_curves` gives them; None if no model keeps any

    Raises UserError if there is no evaluation.
    """
    if not evaluations:
        raise errors.UserError("the report has no model to show: name one in the settings' models")
    figures = plots.draw(evaluations, facts["folds"], curves)
    rules = next(iter(evaluations.values()))[1]
    return page.fill(
        Path(__file__).with_name("report.html").read_text(encoding="utf-8"),
        title=facts["name"],
        facts=facts,
        notes=facts["notes"],
        lead=f"{len(evaluations)} models, horizons of {', '.join(tables.horizons(evaluations))} "
        f"sessions, tested from {rules['first']} to {rules['last']}.",
        glance=_glance(evaluations, facts, rules),
        pictures={name: plots.inline(figure, name) for name, figure in figures.items()},
        percent=f"{rules['confidence']:.0%}".replace("%", "\N{NO-BREAK SPACE}%"),
        quantiles=rules["quantiles"],
        cost=f"{rules['cost']:g}",
        label=LABELS[rules["entry"]],
        min_pairs=agreement.MIN_PAIRS,
        protocol=_protocol(facts["folds"], rules),
        headline=tables.headline(evaluations),
        seeds=tables.seeds(evaluations),
        power=tables.power(evaluations),
        differences=tables.differences(evaluations, facts["baselines"]),
        truth=tables.truth(evaluations),
        long_short=tables.portfolios(evaluations, "long_short"),
        long_only=tables.portfolios(evaluations, "long_only"),
        universe=tables.universe(facts["universe"]),
        quality=tables.findings(quality),
    )


def _glance(
    evaluations: Evaluations, facts: Mapping[str, Any], rules: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    fits = sum(
        len(summary["seeds"]) * len(summary["folds"])
        for model, (_, summary) in evaluations.items()
        if model in facts["fitted"]
    )
    members = [year["members"] for year in facts["universe"]]
    size = f"{min(members):,.0f} – {max(members):,.0f}" if members else tables.NONE
    return [
        ("Source", facts["source"], ""),
        (
            "Entry",
            rules["entry"].replace("_", " "),
            "not tradable" if rules["entry"] == "close" else "",
        ),
        ("Test sessions", f"{rules['days']:,}", f"{len(rules['folds'])} folds"),
        ("Universe", size, "members a session, by year"),
        ("Fits", f"{fits:,}", "model, fold and seed; earlier runs not counted"),
        ("Cost", f"{rules['cost']:g} bp", "a side of a trade"),
        ("Settings", facts["digest"][:8], "digest"),
    ]


def _protocol(folds: Sequence[Mapping[str, Any]], rules: Mapping[str, Any]) -> str:
    embargo = max((fold.get("embargo", 0) for fold in folds), default=0)
    gap = f" and an embargo of {embargo} sessions" if embargo else ""
    return (
        f"Walk-forward, {len(folds)} folds: a model is fitted on the training part, may stop by "
        f"the validation part, and then predicts the test part once. Between the parts lie the "
        f"reach of the longest label{gap}."
    )


def _thin(panel: pl.DataFrame, min_stocks: int) -> list[str]:
    days = assembly.thin_days(panel, min_stocks).rows()
    named = [f"{day}: {assembly.reason(size, min_stocks)}." for day, size in days[:THIN_DAYS]]
    more = len(days) - len(named)
    return [*named, f"… and {more:,} more days."] if more else named


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
    named = [pl.lit(value).alias(name) for name, value in layout.fit(path)._asdict().items()]
    with files.reading(path):
        return pl.read_ndjson(path).select(*named, "epoch", "rank_ic")
