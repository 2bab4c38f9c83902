"""The catalogue is whole, names nothing twice, and its page is what it says."""

from pathlib import Path

import pytest
import yaml
from gogooku.features import catalogue, graph
from gogooku.features.families import FAMILIES

ROOT = Path(__file__).parents[1]
COLUMNS = [
    (family, column) for family, columns in catalogue.CATALOGUE.items() for column in columns
]


def test_the_catalogue_holds_every_family_that_the_rules_build():
    own = "user"  # its columns are known once its settings are
    assert [*catalogue.CATALOGUE, own] == list(FAMILIES)


def test_no_column_is_named_twice():
    names = [column.name for _, column in COLUMNS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("family, column", COLUMNS, ids=lambda x: getattr(x, "name", x))
def test_a_column_says_what_it_is_and_stays_within_its_familys_look_back(family, column):
    assert column.kind in ("stock", "market", "flag")
    assert column.unit and column.definition and column.source
    edges = graph.WINDOW if family == "graph" else 0  # which look back in their own files
    assert 0 <= column.look_back <= max(edges, *FAMILIES[family].values())


def test_columns_of_the_graph_look_back_as_far_as_its_edges_do():
    settings = yaml.safe_load((ROOT / "config" / "default.yaml").read_text())["graph"]
    assert {column.look_back for column in graph.COLUMNS} == {settings["window"]}
    fewest = {c.min_obs for c in graph.COLUMNS if c.name.startswith("peer_")}
    assert fewest == {settings["min_observations"] + 1}


def test_the_page_says_what_each_family_reads_and_how_far_back():
    page = catalogue.page()
    assert "## `index`: 216 columns\n\nReads `panel` (250), `indices` (250).\n" in page
    assert page.count("\nReads `panel` (") == len(catalogue.CATALOGUE)


def test_the_page_is_current():
    page = ROOT / "docs" / "features.md"
    assert page.read_text() == catalogue.page()
