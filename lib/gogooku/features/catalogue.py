"""Every column of every family, and the page that documents them.

Write the page anew:  PYTHONPATH=lib python -m gogooku.features.catalogue > docs/features.md
"""

import importlib

from gogooku.families import FAMILIES, module_of
from gogooku.features.column import Column

CATALOGUE: dict[str, list[Column]] = {
    family: importlib.import_module(module_of(family)).COLUMNS
    for family in FAMILIES
    if family != "user"
}

HEAD = """# Features

Made from the catalogue in `lib/gogooku/features/`; a test keeps this page true.

*Kind*: `stock` columns are normalised across the day's universe; `market` columns tell of the day,
of all stocks alike or, in `flow`, of all on a market section, and are scaled over the fold's
training days; `flag` columns are never scaled. *Look-back* counts the sessions before the day that
a value can depend on, with exponential and Wilder's averages by more than a thousandth of its
deviation. *Minimum* counts what it needs: bars in a row, from the first on, where it is
made of daily bars, and else observations such as prints, filings or reports.

A family *reads* its inputs for the span and for so many sessions before it: the run's `panel` and
`graphs`, and raw data sets, of which a day uses what was known when it was decided. *Inputs* names
the fields of the panel and the data sets that a column is computed from, beside the panel's
sessions and codes, which all columns take; — stands for no other. Prices and `volume` are adjusted,
`raw_…` as traded; what an adjusted field or a graph is made of is not named again. Columns of
indices take `close` for the sessions on which any stock traded. A test changes one input after the
other: a column moves with its own and with no other.

Each family adds one flag more, `is_<family>_valid`: whether any of its `stock` columns that tell of
the stock is known or, where it has none, any column.

Columns of your own join these: [features-user.md](features-user.md).
"""


def page() -> str:
    """Give the catalogue as Markdown, one table a family."""
    return HEAD + "".join(_table(family, columns) for family, columns in CATALOGUE.items())


def _table(family: str, columns: list[Column]) -> str:
    inputs = ", ".join(f"`{name}` ({read.look_back})" for name, read in FAMILIES[family].items())
    words = importlib.import_module(module_of(family)).__doc__
    head = f"\n## `{family}`: {len(columns)} columns\n\nReads {inputs}.\n\n{words}\n"
    head += "| column | kind | unit | definition | inputs | look-back | minimum | source |\n"
    head += "|---|---|---|---|---|---:|---:|---|\n"
    return head + "".join(_row(column) for column in columns)


def _row(c: Column) -> str:
    definition = c.definition.replace("|", "\\|")
    inputs = ", ".join(f"`{name}`" for name in c.inputs) or "—"
    facts = [f"`{c.name}`", c.kind, c.unit, definition, inputs, c.look_back, c.min_obs, c.source]
    return "| " + " | ".join(map(str, facts)) + " |\n"


if __name__ == "__main__":
    print(page(), end="")
