"""The report's page on its columns: how much is known of each, and what looks wrong with any.

`build` writes the page from the profiles of all spans; `words` says the same in a few sentences.
Nothing here judges a column: the worst by each measure stand first, and the reader decides.
"""

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

    rows   as `profile.measure` gives them, of all spans in order of time
    name   of the run
    """
    summary, steps = _summary(rows), _steps(rows)
    first, last = rows["span"][0], rows["span"][-1]
    return page.fill(
        Path(__file__).with_name("columns.html"),
        title=f"{name}: columns",
        lead=f"{len(summary)} columns of {summary['family'].n_unique()} families, spans {first} to "
        f"{last}, as they are before normalisation, on the rows of the universe.",
        glance=_glance(summary),
        words=words(rows),
        heat=_heat(rows),
        least=_table(summary, "coverage", "Known", _least, descending=False, until=1.0),
        thin=_table(summary, "thin", "Days", lambda row: [Cell(f"{row['thin']:,}")]),
        constant=_table(summary, "constant", "Constant", _share("constant")),
        far=_table(summary, "farthest", "Ranges away", _far),
        stale=_table(summary, "stale", "Unchanged", _share("stale")),
        twins=_twins(summary),
        moved=_moved(steps),
        spans=rows["span"].n_unique(),
    )


def words(rows: pl.DataFrame) -> list[str]:
    """Say in a few sentences what the profiles found."""
    summary = _summary(rows)
    well = (summary["coverage"] >= WELL_KNOWN).sum()
    price = pl.col("family").is_in(PRICES) & ~pl.col("column").is_in(AT_REST)
    price &= pl.col("kind") == "stock"
    findings = [
        (pl.col("coverage") == 0, "is never known", "are never known"),
        (
            pl.col("thin") > 0,
            "is left out on days on which too few stocks have it",
            "are left out on days on which too few stocks have them",
        ),
        (pl.col("constant") == 1, "never tells anything apart", "never tell anything apart"),
        (pl.col("infinite") > 0, "holds infinite values", "hold infinite values"),
        (
            pl.col("farthest") >= FAR,
            f"has values more than {FAR:g} ranges out",
            f"have values more than {FAR:g} ranges out",
        ),
        (
            price & (pl.col("stale") >= STALE),
            "should move with prices and mostly stands still",
            "should move with prices and mostly stand still",
        ),
        (
            pl.col("twin").is_not_null(),
            "orders stocks exactly as another column does",
            "order stocks exactly as another column does",
        ),
    ]
    texts = (_sentence(summary.filter(mask)["column"], *verbs) for mask, *verbs in findings)
    known = f"known in at least {WELL_KNOWN:.0%} of the universe's rows."
    return [f"{well} of {len(summary)} columns are {known}", *filter(None, texts)]


def _sentence(names: pl.Series, one: str, many: str) -> str:
    if names.is_empty():
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    subject = f"1 column {one}" if len(names) == 1 else f"{len(names)} columns {many}"
    return f"{subject}: {', '.join(names[:NAMED])}{more}."


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
    """One row a column and pair of neighbouring spans: drift, and the medians on either side."""
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
    return pl.DataFrame(gaps)


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


def _table(
    summary: pl.DataFrame,
    measure: str,
    head: str,
    cells: Callable[[Mapping[str, Any]], Sequence[Cell]],
    *,
    descending: bool = True,
    until: float = 0.0,
) -> Table | None:
    """The worst columns by one measure, those that are not at its best value `until`."""
    worst = summary.filter(pl.col(measure) != until).sort(
        measure, descending=descending, maintain_order=True
    )
    if worst.is_empty():
        return None
    rows = [
        [Cell(row["column"]), Cell(row["family"], look="text"), *cells(row)]
        for row in worst.head(SHOWN).iter_rows(named=True)
    ]
    names = {"Known": ["First known", "Least in"], "Ranges away": ["Infinite", "In"]}
    kind = [f"<{name}" for name in names.get(head, [])]
    return Table(["<Column", "<Family", head, *kind], [(_title(len(worst)), rows)])


def _title(count: int) -> str:
    return f"The first {SHOWN} of {count:,}" if count > SHOWN else ""


def _least(row: Mapping[str, Any]) -> list[Cell]:
    look = "stop" if row["coverage"] < 0.5 else ""
    return [
        Cell(_percent(row["coverage"]), look=look),
        Cell(row["since"] or "never", look="text"),
        Cell(row["poorest"], look="text"),
    ]


def _far(row: Mapping[str, Any]) -> list[Cell]:
    look = "stop" if row["farthest"] >= FAR else ""
    return [
        Cell(f"{row['farthest']:,.1f}", look=look),
        Cell(f"{row['infinite']:,}", look="text"),
        Cell(row["where"], look="text"),
    ]


def _share(measure: str) -> Callable[[Mapping[str, Any]], list[Cell]]:
    return lambda row: [Cell(_percent(row[measure]))]


def _twins(summary: pl.DataFrame) -> Table | None:
    pairs = summary.filter(pl.col("twin").is_not_null())
    if pairs.is_empty():
        return None
    rows = [
        [Cell(column), Cell(family, look="text"), Cell(twin, look="text")]
        for column, family, twin in pairs.select("column", "family", "twin").rows()
    ]
    return Table(["<Column", "<Family", "<Orders stocks as"], [("", rows)])


def _moved(steps: pl.DataFrame) -> Table | None:
    """The greatest step of each column, greatest first."""
    if steps.is_empty():
        return None
    worst = steps.sort("drift", descending=True, maintain_order=True).unique(
        ["family", "column"], keep="first", maintain_order=True
    )
    rows = [
        [
            Cell(row["column"]),
            Cell(row["family"], look="text"),
            Cell(f"{row['drift']:.2f}"),
            Cell(row["between"], look="text"),
            Cell(f"{row['before']:.4g}"),
            Cell(f"{row['after']:.4g}"),
        ]
        for row in worst.head(SHOWN).iter_rows(named=True)
    ]
    head = ["<Column", "<Family", "Gap", "<Between", "Median before", "Median after"]
    return Table(head, [(_title(len(worst)), rows)])


def _percent(share: float | None) -> str:
    """Write a share; what is not quite all or not quite nothing never reads as such."""
    if share is None:
        return NONE
    if share in (0, 1):
        return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
    return f"{min(max(100 * share, 0.1), 99.9):.1f}\N{NO-BREAK SPACE}%"
