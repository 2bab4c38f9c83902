"""The catalogue says how many bars in a row a column needs, and so many it needs."""

import numpy as np
import polars as pl
import pytest
from gogooku.features import index, market, relative, sector, technical
from helpers import sample_panel
from helpers.family_inputs import inputs_of

COUNT = 340  # bars; the z-score of a year's peaks needs 327


def index_bars():
    """All indices, each on a path of its own."""
    steps = np.random.default_rng(2).normal(0, 0.01, (COUNT, len(index.CODES)))
    close = 1500 * np.exp(np.cumsum(steps, axis=0))
    days = sample_panel.sessions(COUNT).days[:COUNT]
    return pl.DataFrame(
        {
            "Date": np.repeat(days, len(index.CODES)),
            "Code": index.CODES * COUNT,
            "H": close.ravel() * 1.005,
            "L": close.ravel() * 0.995,
            "C": close.ravel(),
        }
    )


@pytest.mark.parametrize("family", [technical, market, relative, sector, index])
def test_a_column_begins_with_the_bar_that_the_catalogue_names(family):
    panel = sample_panel.panel(count=COUNT, missing=0)
    made = {
        technical: lambda: technical.measured(
            panel, sample_panel.sessions(COUNT), np.full(panel.shape, 1e8)
        ),
        market: lambda: market.compute(inputs_of(panel, topix=sample_panel.topix(COUNT))),
        relative: lambda: relative.compute(inputs_of(panel, topix=sample_panel.topix(COUNT))),
        sector: lambda: sector.compute(inputs_of(panel)),
        index: lambda: index.compute(inputs_of(panel, indices=index_bars())),
    }[family]()
    begun = {name: np.isfinite(x.reshape(COUNT, -1)).any(axis=1) for name, x in made.items()}
    first = {name: int(known.argmax()) + 1 for name, known in begun.items() if known.any()}
    assert first == {column.name: column.min_obs for column in family.COLUMNS}
