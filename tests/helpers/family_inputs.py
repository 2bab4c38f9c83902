"""What a family computes from, given by a test instead of read from files."""

import polars as pl
from gogooku import calendar
from gogooku.features.inputs import Inputs

from helpers.dense import CLOSES


def inputs_of(panel, *, moments=None, closes=None, start=0, sessions=None, user=None, **tables):
    """Inputs of a panel and the tables of its data sets; days are decided at the close."""
    at_close = calendar.decision_moments(panel.dates, "close", CLOSES)
    if sessions is not None:
        tables["calendar"] = pl.DataFrame({"Date": sessions.days, "HolDiv": "1"})
    return Inputs(
        panel,
        start,
        at_close if moments is None else moments,
        at_close if closes is None else closes,
        tables.__getitem__,
        user,
    )
