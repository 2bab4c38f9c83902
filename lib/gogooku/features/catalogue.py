"""Every column of every family, and the page that documents them.

Write the page anew:  PYTHONPATH=lib python -m gogooku.features.catalogue > docs/features.md
"""

from gogooku.features import (
    earnings,
    flow,
    graph,
    index,
    listed,
    margin,
    market,
    option,
    relative,
    sector,
    short,
    statement,
    technical,
)
from gogooku.features.column import Column

CATALOGUE: dict[str, list[Column]] = {
    "technical": technical.COLUMNS,
    "market": market.COLUMNS,
    "relative": relative.COLUMNS,
    "sector": sector.COLUMNS,
    "flow": flow.COLUMNS,
    "statement": statement.COLUMNS,
    "earnings": earnings.COLUMNS,
    "option": option.COLUMNS,
    "index": index.COLUMNS,
    "short": short.COLUMNS,
    "listed": listed.COLUMNS,
    "margin": margin.COLUMNS,
    "graph": graph.COLUMNS,
}

HEAD = """# Features

Made from the catalogue in `lib/gogooku/features/`; a test keeps this page true.

*Kind*: `stock` columns are normalised across the day's universe; `market` columns tell of the day,
of all stocks alike or, in `flow`, of all on a market section, and are scaled over the fold's
training days; `flag` columns are never scaled. *Look-back* counts the sessions before the day that
a value can depend on. *Minimum* counts what it needs: bars in a row, from the first on, where it is
made of daily bars, and else observations such as prints, filings or reports.

Columns of your own join these: [features-user.md](features-user.md).
"""


def page() -> str:
    """Give the catalogue as Markdown, one table a family."""
    return HEAD + "".join(_table(family, columns) for family, columns in CATALOGUE.items())


def _table(family: str, columns: list[Column]) -> str:
    head = f"\n## `{family}`: {len(columns)} columns\n\n"
    head += "| column | kind | unit | definition | look-back | minimum | source |\n"
    head += "|---|---|---|---|---:|---:|---|\n"
    return head + "".join(_row(column) for column in columns)


def _row(c: Column) -> str:
    definition = c.definition.replace("|", "\\|")
    facts = [f"`{c.name}`", c.kind, c.unit, definition, c.look_back, c.min_obs, c.source]
    return "| " + " | ".join(map(str, facts)) + " |\n"


if __name__ == "__main__":
    print(page(), end="")
