"""A simulated market as sessions x stocks, and what predicts its returns."""

from pathlib import Path

import numpy as np
import polars as pl
from gogooku import calendar, point_in_time
from gogooku.config import availability

RULES = availability.read(Path(__file__).parents[2] / "config" / "availability.yaml")
CLOSES = RULES.close


class Dense:
    """A market's bars and truth as sessions x common stocks."""

    def __init__(self, market):
        self.market, self.rows = market, market.truth
        self.bars = market.tables["bars"]
        self.codes = self.rows["code"].unique().sort().to_list()
        self.days = self.bars["Date"].unique().sort().to_numpy()
        self.bars = self.bars.filter(pl.col("Code").is_in(self.codes))
        self.factor = np.cumprod(np.nan_to_num(self["AdjFactor"], nan=1.0), axis=0)
        self.close = self["C"] / self.factor

    def __getitem__(self, field):
        return self.wide(self.bars, field)

    def truth(self, part, horizon):
        rows = self.rows.filter(pl.col("part") == part)
        return self.wide(rows, f"expected_{horizon}d", "date", "code")

    def label(self, horizon):
        found = np.full(self.close.shape, np.nan)
        found[: -horizon - 1] = self.close[1 + horizon :] / self.close[1:-horizon] - 1
        return found

    def wide(self, rows, field, day="Date", code="Code"):
        wide = np.full((len(self.days), len(self.codes)), np.nan)
        at = self.session(rows[day]), self.column(rows[code])
        wide[at] = rows[field].to_numpy()
        return wide

    def session(self, days):
        return np.searchsorted(self.days, days.to_numpy())

    def column(self, codes):
        return np.searchsorted(self.codes, codes.to_list())

    def first_session(self, dataset, rows):
        """Session whose close is the first to know each row; past the last one for later ones."""
        moments = calendar.decision_moments(self.days, "close", CLOSES)
        stamped = point_in_time.stamp(rows, RULES.datasets[dataset], CLOSES, self.sessions())
        return np.searchsorted(moments, stamped["known_at"].dt.replace_time_zone(None).to_numpy())

    def sessions(self):
        rows = self.market.tables["calendar"]
        return calendar.Sessions.of(rows["Date"], rows["HolDiv"].to_list()).days


def as_of(events):
    """(T, N) newest value at or before each session; NaN before the first."""
    row = np.where(np.isnan(events), 0, np.arange(len(events))[:, None])
    return np.take_along_axis(events, np.maximum.accumulate(row, axis=0), axis=0)


def centred(x):
    return x - np.nanmean(x, axis=1, keepdims=True)


def slope(expected, realised):
    both = ~np.isnan(expected) & ~np.isnan(realised)
    x, y = (
        centred(np.where(both, part, np.nan)[both.any(axis=1)]) for part in (expected, realised)
    )
    return np.nansum(x * y) / np.nansum(x * x)


def daily_rank_ic(x, y):
    both = ~np.isnan(x) & ~np.isnan(y)
    found = []
    for keep, a, b in zip(both, x, y, strict=True):
        if keep.sum() > 20 and np.ptp(a[keep]) > 0:
            ranks = [_ranks(part[keep]) for part in (a, b)]
            found.append(np.corrcoef(ranks)[0, 1])
    return np.array(found)


def _ranks(values):
    """Average ranks: ties share theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def t_statistic(values, apart=1):
    """Mean over its standard error; every `apart`-th value counts as independent."""
    return values.mean() / values.std() * np.sqrt(len(values) / apart)
