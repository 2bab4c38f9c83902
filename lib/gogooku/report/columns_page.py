"""The report's page on its columns: how much is known of each, and what looks wrong with any.

`build` writes the page from the profiles of all spans; `words` says the same in a few sentences.
Nothing here judges a column: the worst by each measure stand first, and the reader decides.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from gogooku.dataset.column_quality import drift
from gogooku.report import page
from gogooku.report.tables import NONE, Cell, Table

SHOWN = 12  # columns a table
NAMED = 6  # columns a sentence
WELL_KNOWN = 0.95  # share of the universe's rows
FAR = 100.0  # ranges from the 1st to the 99th percentile
STALE = 0.9  # share of values
PRICES = ("technical", "relative", "sector", "graph")
"""Families whose columns move with prices: one that stands still is worth a look."""
AT_REST = ("days_since_listing_log", "sec_member_cnt")
"""Their columns that do not."""


def build(rows: pl.DataFrame, name: str) -> str:
    """Write the page: one HTML text that loads nothing from anywhere.

    rows   as `column_quality.measure` gives them, of all spans in order of time
    name   of the run
    """
    summary = _summary(rows)
    first, last = rows["span"][0], rows["span"][-1]
    return page.fill(
        Path(__file__).with_name("columns.html"),
        title=f"{name}: columns",
        lead=f"{len(summary)} columns of {summary['family'].n_unique()} families, spans {first} to "
        f"{last}, as they are before normalisation, on the rows of the universe.",
        glance=_glance(summary),
        words=words(rows),
        heat=_heat(rows),
        least=_table(
            _worst(summary, "coverage", 1.0), ["Known", "<First known", "<Least in"], _least
        ),
        thin=_table(_worst(summary, "thin"), ["Days"], lambda row: [Cell(f"{row['thin']:,}")]),
        constant=_table(_worst(summary, "constant"), ["Constant"], _share("constant")),
        far=_table(_worst(summary, "farthest"), ["Ranges away", "<Infinite", "<In"], _far),
        stale=_table(_worst(summary, "stale"), ["Unchanged"], _share("stale")),
        twins=_table(
            summary.filter(pl.col("twin").is_not_null()),
            ["<Orders stocks as"],
            lambda row: [_text(row["twin"])],
            shown=len(summary),
        ),
        moved=_table(_steps(rows), ["Gap", "<Between", "Median before", "Median after"], _moved),
        spans=rows["span"].n_unique(),
    )


def words(rows: pl.DataFrame) -> list[str]:
    """Say in a few sentences what the profiles found."""
    summary = _summary(rows)
    well = (summary["coverage"] >= WELL_KNOWN).sum()
    price = pl.col("family").is_in(PRICES) & ~pl.col("column").is_in(AT_REST)
    price &= pl.col("kind") == "stock"
    findings = {
        "is|are never known": pl.col("coverage") == 0,
        "is|are left out on days on which too few stocks have it|them": pl.col("thin") > 0,
        "never tells|tell anything apart": pl.col("constant") == 1,
        "holds|hold infinite values": pl.col("infinite") > 0,
        f"has|have values more than {FAR:g} ranges out": pl.col("farthest") >= FAR,
        "should move with prices and mostly stands|stand still": price & (pl.col("stale") >= STALE),
        "orders|order stocks exactly as another column does": pl.col("twin").is_not_null(),
    }
    texts = (_sentence(summary.filter(mask)["column"], verb) for verb, mask in findings.items())
    coverage = f"known in at least {WELL_KNOWN:.0%} of the universe's rows."
    return [f"{well} of {len(summary)} columns are {coverage}", *filter(None, texts)]


def _sentence(names: pl.Series, verb: str) -> str:
    """Say of the named columns what `verb` says; of its words in pairs, one is for one column."""
    if names.is_empty():
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    one = len(names) == 1
    verb = re.sub(r"(\w+)\|(\w+)", r"\1" if one else r"\2", verb)
    return f"{len(names)} column{'' if one else 's'} {verb}: {', '.join(names[:NAMED])}{more}."


def _summary(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a column over all spans: coverage, constant, stale, farthest, infinite, twin."""
    known = pl.col("known") > 0
    alike = pl.col("twin").filter(known)
    far = pl.col("farthest").fill_null(-1.0).arg_max()
    return rows.group_by("family", "column", "kind", maintain_order=True).agg(
        coverage=_ratio("known", "rows"),
        constant=_ratio("constant", "days"),
        stale=_ratio("stale", "pairs"),
        thin=pl.col("thin").sum(),
        infinite=pl.col("infinite").sum(),
        farthest=pl.col("farthest").max(),
        where=pl.col("span").get(far),
        since=pl.col("span").filter(known).first(),
        poorest=pl.col("span").get((pl.col("known") / pl.col("rows")).arg_min()),
        twin=pl.when(alike.n_unique() == 1, alike.null_count() == 0).then(alike.first()),
    )


def _ratio(part: str, base: str) -> pl.Expr:
    total = pl.col(base).sum()
    return pl.when(total > 0).then(pl.col(part).sum() / total)


def _steps(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a column: its greatest drift from a span to the next, greatest first.

    Beside it stand `between`, the spans, and the medians `before` and `after`.
    """
    gaps = []
    for (family, column), part in rows.group_by("family", "column", maintain_order=True):
        spans = [(span, sketch) for span, sketch in part.select("span", "sketch").rows() if sketch]
        gaps += [
            {
                "family": family,
                "column": column,
                "drift": drift(old, new),
                "between": f"{earlier} → {later}",
                "before": old[len(old) // 2],
                "after": new[len(new) // 2],
            }
            for (earlier, old), (later, new) in pairwise(spans)
        ]
    if not gaps:
        return pl.DataFrame()
    ordered = pl.DataFrame(gaps).sort("drift", descending=True, maintain_order=True)
    return ordered.unique(["family", "column"], keep="first", maintain_order=True)


# ---- what the page shows -------------------------------------------------------------------------


def _glance(summary: pl.DataFrame) -> list[tuple[str, str, str]]:
    def count(mask: pl.Expr) -> str:
        return f"{len(summary.filter(mask))}"

    mean = summary["coverage"].mean()
    return [
        ("Columns", f"{len(summary)}", f"{summary['family'].n_unique()} families"),
        ("Known", NONE if mean is None else _percent(mean), "mean of columns"),  # type: ignore[arg-type]
        ("Never known", count(pl.col("coverage") == 0), "columns"),
        ("Always constant", count(pl.col("constant") == 1), "columns"),
        ("Far out", count(pl.col("farthest") >= FAR), f"beyond {FAR:g} ranges"),
        ("Twins", count(pl.col("twin").is_not_null()), "columns with one before them"),
    ]


def _heat(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Coverage of each column by year, family by family."""
    by = ["family", "column", "year"]
    known = rows.group_by(by, maintain_order=True).agg(share=_ratio("known", "rows"))
    years = known["year"].unique().sort().to_list()
    about = dict(rows.select("column", "about").rows())
    means = dict(_summary(rows).group_by("family").agg(pl.col("coverage").mean()).rows())
    families: dict[str, list[dict[str, Any]]] = {}
    for (family, column), part in known.group_by("family", "column", maintain_order=True):
        shares = dict(part.select("year", "share").rows())
        cells = [_shade(shares.get(year)) for year in years]
        families.setdefault(str(family), []).append(
            {"name": column, "about": about[column], "cells": cells}
        )
    return [
        {"name": family, "years": years, "mean": _percent(means[family]), "columns": columns}
        for family, columns in families.items()
    ]


def _shade(share: float | None) -> dict[str, str]:
    return {"gap": f"{100 * (1 - (share or 0)):.0f}", "text": _percent(share)}


def _worst(summary: pl.DataFrame, measure: str, best: float = 0.0) -> pl.DataFrame:
    """Order the columns that are not at the `best` value, from the farthest from it."""
    apart = summary.filter(pl.col(measure) != best)
    return apart.sort(measure, descending=not best, maintain_order=True)


def _table(
    rows: pl.DataFrame,
    head: Sequence[str],
    cells: Callable[[Mapping[str, Any]], list[Cell]],
    shown: int = SHOWN,
) -> Table | None:
    """List the first of `rows`, each by its column and family; None if there is none."""
    if rows.is_empty():
        return None
    lines = [
        [Cell(row["column"]), _text(row["family"]), *cells(row)]
        for row in rows.head(shown).iter_rows(named=True)
    ]
    title = f"The first {shown} of {len(rows):,}" if len(rows) > shown else ""
    return Table(["<Column", "<Family", *head], [(title, lines)])


def _text(text: str) -> Cell:
    return Cell(text, look="text")


def _least(row: Mapping[str, Any]) -> list[Cell]:
    known = Cell(_percent(row["coverage"]), look="stop" if row["coverage"] < 0.5 else "")
    return [known, _text(row["since"] or "never"), _text(row["poorest"])]


def _far(row: Mapping[str, Any]) -> list[Cell]:
    ranges = Cell(f"{row['farthest']:,.1f}", look="stop" if row["farthest"] >= FAR else "")
    return [ranges, _text(f"{row['infinite']:,}"), _text(row["where"])]


def _share(measure: str) -> Callable[[Mapping[str, Any]], list[Cell]]:
    return lambda row: [Cell(_percent(row[measure]))]


def _moved(row: Mapping[str, Any]) -> list[Cell]:
    medians = [Cell(f"{row[side]:.4g}") for side in ("before", "after")]
    return [Cell(f"{row['drift']:.2f}"), _text(row["between"]), *medians]


def _percent(share: float | None) -> str:
    """Write a share; what is not quite all or not quite nothing never reads as such."""
    if share is None:
        return NONE
    if share in (0, 1):
        return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
    return f"{min(max(100 * share, 0.1), 99.9):.1f}\N{NO-BREAK SPACE}%"
