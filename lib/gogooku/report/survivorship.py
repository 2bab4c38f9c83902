"""Whether the data hold those who failed too: names that ended against those to be expected.

Of all names listed in Tokyo, 11 to 14 % are gone five years later, by tender offers and mergers far
more often than by failure. Data made of today's list alone hold none of them, and flatter every
result.
"""

from typing import NamedTuple

import polars as pl
from scipy import special

from gogooku.evaluation.inference import SESSIONS

RATES = (0.023, 0.030)
"""Names that end, a year: of which 11 and 14 % are gone in five."""
PATIENCE = 20
"""Sessions without a row before the data's end after which a name counts as ended."""
LUCK = 0.01


class Survivorship(NamedTuple):
    """How many names ended, in a sentence, and whether these are too few to be true."""

    text: str
    alarm: bool


def of(panel: pl.DataFrame) -> Survivorship:
    """Count the names that end in rows date, code of all sessions.

    It is an alarm if, at the lower rate, so few would end in less than one window of a hundred.
    """
    sessions = panel["date"].unique().sort()
    last = panel.group_by("code").agg(pl.col("date").max())["date"]
    ended = int((last < sessions[-min(PATIENCE + 1, len(sessions))]).sum())
    years = len(panel) / SESSIONS  # of one name each
    low, high = (rate * years for rate in RATES)
    alarm = bool(special.pdtr(ended, low) < LUCK)
    text = (
        f"{ended:,} of {len(last):,} names ended before the data do; {low:,.0f} to {high:,.0f} "
        "would be expected (11 to 14 % of names in five years)"
    )
    if alarm:
        text += (
            ". The data seem to hold only names that lasted: every result may be too good by an "
            "unknown amount"
        )
    return Survivorship(f"{text}.", alarm)
