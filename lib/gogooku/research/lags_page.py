"""The page on lags: how old the rows are that a day uses, on both clocks."""

from pathlib import Path

import polars as pl

from gogooku.report import page
from gogooku.report.tables import NONE, Cell, Table
from gogooku.research.lags import LAGS

CLOCKS = {
    "published": "What the market could read; decided at {}",
    "served": "What the vendor's API had delivered; decided at {}",
}


def build(rows: pl.DataFrame, name: str, decisions: dict[str, str]) -> str:
    """Write the page: one HTML text that loads nothing from anywhere.

    rows        as `lags.measure` gives them
    name        of the run
    decisions   clock → moment of decision, close or a time of day
    """
    clocks = []
    for clock, moment in decisions.items():
        decision = "the close" if moment == "close" else f"{moment} JST"
        years = pl.col("year").is_not_null()
        tables = (_table(rows.filter(mask, clock=clock)) for mask in (~years, years))
        clocks.append((clock, CLOCKS[clock].format(decision), *tables))
    return page.fill(Path(__file__).with_name("lags.html"), name=name, clocks=clocks)


def _table(rows: pl.DataFrame) -> Table:
    groups = [
        (
            str(family),
            [
                [
                    Cell(row["dataset"], str(row["year"] or "")),
                    Cell(f"{row['asked']:,}"),
                    Cell(f"{row['missing']:,}" if row["missing"] else NONE, look="mute"),
                    *(Cell(_age(row[share])) for share in LAGS),
                ]
                for row in part.iter_rows(named=True)
            ],
        )
        for (family,), part in rows.group_by("family", maintain_order=True)
    ]
    head = ["<Data set", "Asked for", "None known yet", "Least", "Median", "95 %", "Most"]
    return Table(head, groups)


def _age(hours: float | None) -> str:
    """Write a span of time in the unit that suits it."""
    if hours is None:
        return NONE
    if hours == 0:
        return "0"
    if hours < 0.95:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"
