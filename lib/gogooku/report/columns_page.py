"""The report's page on its columns: how much is known of each, and what looks wrong with any.

`build` writes the page from the profiles of all spans; `words` says the same in a few sentences.
Nothing here judges a column: the worst by each measure stand first, and the reader decides.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import jinja2
import polars as pl

from gogooku.dataset.column_quality import drift
from gogooku.report import template
from gogooku.report.tables import NONE, Cell, Grid

SHOWN = 12  # columns a table
NAMED = 6  # columns a sentence
WELL_KNOWN = 0.95  # share of the universe's rows
FAR = 100.0  # ranges from the 1st to the 99th percentile
STALE = 0.9  # share of values
PRICES = ("technical", "relative", "sector", "graph")
"""Families whose columns move with prices: one that stands still is worth a look."""
AT_REST = ("days_since_listing_log", "sec_member_cnt")
"""Their columns that do not."""

PAGE = (
    template.TOP
    + """<header>
<p class="name"><a href="index.html">gogooku report</a></p>
<h1>{{ name }}: columns</h1>
<p class="lead">{{ lead }}</p>
<nav>
<a href="#words">In words</a><a href="#coverage">Coverage</a><a href="#constant">Constant</a>
<a href="#far">Far out</a><a href="#stale">Stale</a><a href="#twins">Twins</a>
<a href="#drift">Drift</a>
</nav>
<dl class="facts">
{% for name, value, more in glance -%}
<div><dt>{{ name }}</dt><dd>{{ value }}{% if more %}<small>{{ more }}</small>{% endif %}</dd></div>
{% endfor %}
</dl>
</header>
<main>

<section id="words">
<h2>In words</h2>
<ul>{% for text in words %}<li>{{ text }}</li>{% endfor %}</ul>
</section>

<section id="coverage">
<h2>Coverage</h2>
<p class="caption">Share of the universe's rows in which the column has a value. Each cell of a
strip is a column, each strip a year: the redder, the less is known. The name stands behind the
cell; the numbers stand below.</p>
{% for family in heat %}
<div class="strips"><b>{{ family.name }}<small>{{ family.columns | length }} columns</small></b>
<div>{% for year in family.years %}
<p><span>{{ year }}</span>
{%- for column in family.columns %}{% set cell = column.cells[family.years.index(year)] %}
<i style="--g:{{ cell.gap }}%" title="{{ column.name }}, {{ year }}: {{ cell.text }}"></i>
{%- endfor %}</p>{% endfor %}
</div></div>
{% endfor %}
<p class="scale"><span>all known</span><i></i><span>nothing known</span></p>
<h3>Least known</h3>
{% if least %}{{ grid(least) }}{% else %}<p>Every column is known in every row.</p>{% endif %}
{% if thin %}
<h3>Too few to compare</h3>
<p class="caption">Days on which so few stocks have a value of the column that their places mean
nothing: normalising makes it null there.</p>
{{ grid(thin) }}
{% endif %}
{% for family in heat %}
<details><summary>{{ family.name }}: {{ family.columns | length }} columns, {{ family.mean }} known
</summary><div class="wide"><table class="heat">
<thead><tr><th class="text">Column</th>{% for year in family.years %}<th>{{ year }}</th>{% endfor %}
</tr></thead><tbody>
{%- for column in family.columns %}
<tr><td>{{ column.name }}<small>{{ column.about }}</small></td>{% for cell in column.cells %}
<td style="--g:{{ cell.gap }}%">{{ cell.text }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody></table></div></details>
{% endfor %}
</section>

<section id="constant">
<h2>Constant</h2>
<p class="caption">Share of days on which all stocks have the same value of a stock column; share
of days in spans within which a market column or a flag never changes. Such a column tells nothing
apart while that lasts.</p>
{% if constant %}{{ grid(constant) }}{% else %}<p>No column is ever constant.</p>{% endif %}
</section>

<section id="far">
<h2>Far out</h2>
<p class="caption">Greatest distance of a value from the span's median, in ranges from the 1st to
the 99th percentile of the span or, where these are the same, in the median's own size, at least 1.
A normal distribution reaches about 1, wild tails 10, a division by nearly nothing thousands.
Winsorising draws such values in; they may still betray a fault.</p>
{% if far %}{{ grid(far) }}{% else %}<p>No column has a spread to measure by.</p>{% endif %}
</section>

<section id="stale">
<h2>Stale</h2>
<p class="caption">Share of values that equal the same stock's value of the session before. A column
made of filings or of weekly figures is stale by nature; one made of prices is not.</p>
{% if stale %}{{ grid(stale) }}{% else %}<p>No value equals the one before.</p>{% endif %}
</section>

<section id="twins">
<h2>Twins</h2>
<p class="caption">Columns whose ranks agree, up or down, on every day of every span: after
normalising by rank they are one and the same column.</p>
{% if twins %}{{ grid(twins) }}{% else %}<p>No two columns order stocks alike.</p>{% endif %}
</section>

<section id="drift">
<h2>Drift</h2>
<p class="caption">Greatest gap between the distributions of two neighbouring spans
(Kolmogorov–Smirnov), 0 – 1, of values before normalising. Market columns and prices move with the
market; a jump of a ratio or a count hints at a changed unit, definition or source.</p>
{% if moved %}{{ grid(moved) }}{% else %}<p>There is no second span to compare with.</p>{% endif %}
</section>
</main>
<footer>Made from {{ spans }} profiles. This page needs no network.</footer>
</body>
</html>
"""
)


def build(rows: pl.DataFrame, name: str) -> str:
    """Write the page: one HTML text that loads nothing from anywhere.

    rows   as `profile.measure` gives them, of all spans in order of time
    name   of the run
    """
    whole, steps = _whole(rows), _steps(rows)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    first, last = rows["span"][0], rows["span"][-1]
    return environment.from_string(PAGE).render(
        style=template.STYLE + STYLE,
        title=f"{name}: columns",
        name=name,
        lead=f"{len(whole)} columns of {whole['family'].n_unique()} families, spans {first} to "
        f"{last}, as they are before normalisation, on the rows of the universe.",
        glance=_glance(whole),
        words=words(rows),
        heat=_heat(rows),
        least=_table(whole, "coverage", "Known", _least, descending=False, until=1.0),
        thin=_table(whole, "thin", "Days", lambda row: [Cell(f"{row['thin']:,}")]),
        constant=_table(whole, "constant", "Constant", _share("constant")),
        far=_table(whole, "farthest", "Ranges away", _far),
        stale=_table(whole, "stale", "Unchanged", _share("stale")),
        twins=_twins(whole),
        moved=_moved(steps),
        spans=rows["span"].n_unique(),
    )


def words(rows: pl.DataFrame) -> list[str]:
    """Say in a few sentences what the profiles found."""
    whole = _whole(rows)
    well = (whole["coverage"] >= WELL_KNOWN).sum()
    price = pl.col("family").is_in(PRICES) & ~pl.col("column").is_in(AT_REST)
    price &= pl.col("kind") == "stock"
    found = [
        f"{well} of {len(whole)} columns are known in at least {WELL_KNOWN:.0%} of the universe's "
        "rows.",
        _sentence(whole, pl.col("coverage") == 0, "is never known", "are never known"),
        _sentence(
            whole,
            pl.col("thin") > 0,
            "is left out on days on which too few stocks have it",
            "are left out on days on which too few stocks have them",
        ),
        _sentence(
            whole,
            pl.col("constant") == 1,
            "never tells anything apart",
            "never tell anything apart",
        ),
        _sentence(whole, pl.col("infinite") > 0, "holds infinite values", "hold infinite values"),
        _sentence(
            whole,
            pl.col("farthest") >= FAR,
            f"has values more than {FAR:g} ranges out",
            f"have values more than {FAR:g} ranges out",
        ),
        _sentence(
            whole,
            price & (pl.col("stale") >= STALE),
            "should move with prices and mostly stands still",
            "should move with prices and mostly stand still",
        ),
        _sentence(
            whole,
            pl.col("twin").is_not_null(),
            "orders stocks exactly as another column does",
            "order stocks exactly as another column does",
        ),
    ]
    return [text for text in found if text]


def _sentence(whole: pl.DataFrame, mask: pl.Expr, one: str, many: str) -> str:
    names = whole.filter(mask)["column"].to_list()
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    listed = ", ".join(names[:NAMED]) + more
    return (
        f"{len(names)} column{'s' * (len(names) > 1)} {one if len(names) == 1 else many}: {listed}."
    )


def _whole(rows: pl.DataFrame) -> pl.DataFrame:
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


def _ratio(part: str, whole: str) -> pl.Expr:
    total = pl.col(whole).sum()
    return pl.when(total > 0).then(pl.col(part).sum() / total)


def _steps(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a column and pair of neighbouring spans: drift, and the medians on either side."""
    found = []
    for (family, column), part in rows.group_by("family", "column", maintain_order=True):
        spans = [(span, sketch) for span, sketch in part.select("span", "sketch").rows() if sketch]
        found += [
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
    return pl.DataFrame(found)


# ---- what the page shows -------------------------------------------------------------------------


def _glance(whole: pl.DataFrame) -> list[tuple[str, str, str]]:
    def count(mask: pl.Expr) -> str:
        return f"{len(whole.filter(mask))}"

    mean = whole["coverage"].mean()
    return [
        ("Columns", f"{len(whole)}", f"{whole['family'].n_unique()} families"),
        ("Known", NONE if mean is None else _percent(mean), "mean of columns"),  # type: ignore[arg-type]
        ("Never known", count(pl.col("coverage") == 0), "columns"),
        ("Always constant", count(pl.col("constant") == 1), "columns"),
        ("Far out", count(pl.col("farthest") >= FAR), f"beyond {FAR:g} ranges"),
        ("Twins", count(pl.col("twin").is_not_null()), "columns with one before them"),
    ]


def _heat(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Coverage of each column by year, family by family."""
    known = rows.group_by("family", "column", "year", maintain_order=True).agg(
        share=_ratio("known", "rows")
    )
    years = known["year"].unique().sort().to_list()
    found: dict[str, dict[str, dict[int, float]]] = {}
    for family, column, year, share in known.rows():
        found.setdefault(family, {}).setdefault(column, {})[year] = share
    about = dict(rows.select("column", "about").rows())
    means = dict(_whole(rows).group_by("family").agg(pl.col("coverage").mean()).rows())
    return [
        {
            "name": family,
            "years": years,
            "mean": _percent(means[family]),
            "columns": [
                {
                    "name": name,
                    "about": about[name],
                    "cells": [_shade(shares.get(year)) for year in years],
                }
                for name, shares in columns.items()
            ],
        }
        for family, columns in found.items()
    ]


def _shade(share: float | None) -> dict[str, str]:
    return {"gap": f"{100 * (1 - (share or 0)):.0f}", "text": _percent(share)}


def _table(
    whole: pl.DataFrame,
    measure: str,
    head: str,
    cells: Callable[[Mapping[str, Any]], Sequence[Cell]],
    *,
    descending: bool = True,
    until: float = 0.0,
) -> Grid | None:
    """The worst columns by one measure, those that are not at its best value `until`."""
    worst = whole.filter(pl.col(measure) != until).sort(
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
    return Grid(["<Column", "<Family", head, *kind], [(_title(len(worst)), rows)])


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


def _twins(whole: pl.DataFrame) -> Grid | None:
    pairs = whole.filter(pl.col("twin").is_not_null())
    if pairs.is_empty():
        return None
    rows = [
        [Cell(column), Cell(family, look="text"), Cell(twin, look="text")]
        for column, family, twin in pairs.select("column", "family", "twin").rows()
    ]
    return Grid(["<Column", "<Family", "<Orders stocks as"], [("", rows)])


def _moved(steps: pl.DataFrame) -> Grid | None:
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
    return Grid(head, [(_title(len(worst)), rows)])


def _percent(share: float | None) -> str:
    """Write a share; what is not quite all or not quite nothing never reads as such."""
    if share is None:
        return NONE
    if share in (0, 1):
        return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
    return f"{min(max(100 * share, 0.1), 99.9):.1f}\N{NO-BREAK SPACE}%"


STYLE = """
:root { --full: #dce8f8; --gap: #b3541e; }
@media (prefers-color-scheme: dark) { :root { --full: #223450; --gap: #e98b4a; } }
.strips { display: grid; grid-template-columns: 118px 1fr; gap: 12px; margin: 14px 0; }
.strips b { font-weight: 600; font-size: 14px; line-height: 1.3; }
.strips small { display: block; font-weight: 400; color: var(--muted); font-size: 12.5px; }
.strips p { display: flex; max-width: none; margin: 0 0 2px; height: 14px; }
.strips span { flex: none; width: 40px; font-size: 11.5px; line-height: 14px; color: var(--muted);
  font-variant-numeric: tabular-nums; }
.strips i { flex: 1 1 0; max-width: 22px; min-width: 1px;
  border-right: 1px solid var(--paper); }
.strips i, .heat td + td {
  background: color-mix(in oklab, var(--gap) var(--g), var(--full)); }
.scale { display: flex; align-items: center; gap: 10px; font-size: 12.5px; color: var(--muted); }
.scale i { width: 160px; height: 10px; border-radius: 3px;
  background: linear-gradient(in oklab to right, var(--full), var(--gap)); }
.heat { width: auto; }
.heat td + td { min-width: 72px; border: 1px solid var(--paper); font-size: 13px; }
.heat td:first-child { padding-right: 24px; }
.heat small { display: block; max-width: 60ch; white-space: normal; color: var(--muted); }
"""
