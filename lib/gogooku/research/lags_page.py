"""The page on lags: how old the rows are that a day uses, on both clocks."""

import jinja2
import polars as pl

from gogooku.report import template
from gogooku.report.tables import NONE, Cell, Grid
from gogooku.research.lags import LAGS

CLOCKS = {
    "published": "What the market could read; decided at {}",
    "served": "What the vendor's API had delivered; decided at {}",
}

PAGE = (
    template.TOP
    + """<header>
<p class="name">gogooku research</p>
<h1>{{ name }}: lags</h1>
<p class="lead">How long before a day is decided the newest row was known that it may use, of every
data set that a configured family reads.</p>
<p class="caption">Of stocks' data sets the newest row of each universe member on each day counts,
of all others the newest row of each day: so often is one asked for. Nearest-rank quantiles. 0:
known at the very moment of decision, as prices are at the close. That no later row is used is for
the audit of time to prove.</p>
</header>
<main>
{% for clock, meaning, whole, years in clocks %}
<section id="{{ clock }}">
<h2>Clock “{{ clock }}”</h2>
<p class="caption">{{ meaning }}.</p>
{{ grid(whole) }}
<details><summary>Year by year</summary>{{ grid(years) }}</details>
</section>
{% endfor %}
</main>
<footer>This page needs no network.</footer>
</body>
</html>
"""
)


def build(rows: pl.DataFrame, name: str, decisions: dict[str, str]) -> str:
    """Write the page: one HTML text that loads nothing from anywhere.

    rows        as `lags.measure` gives them
    name        of the run
    decisions   clock → moment of decision, close or a time of day
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    clocks = []
    for clock, moment in decisions.items():
        mine = rows.filter(pl.col("clock") == clock)
        told = "the close" if moment == "close" else f"{moment} JST"
        whole, years = (pl.col("year").is_null(), pl.col("year").is_not_null())
        meaning = CLOCKS[clock].format(told)
        clocks.append((clock, meaning, _grid(mine.filter(whole)), _grid(mine.filter(years))))
    return environment.from_string(PAGE).render(
        style=template.STYLE, title=f"{name}: lags", name=name, clocks=clocks
    )


def _grid(rows: pl.DataFrame) -> Grid:
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
    return Grid(head, groups)


def _age(hours: float | None) -> str:
    """Write a span of time in the unit that suits it."""
    if hours is None:
        return NONE
    if hours == 0:
        return "0"
    if hours < 0.95:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"
