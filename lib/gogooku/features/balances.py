"""Positions that stand until newer ones come: short reports, margin balances, shares outstanding.

A row counts from the first session whose moment of decision is not before its publication. Of the
rows known by then the one of the newest balance day counts, and of that day's the one that became
known last: a correction replaces what it corrects from its own publication on and changes no
earlier day. A position lapses a stated number of sessions after its balance day, because silence is
not zero; so no value depends on rows before that.

Share counts are re-based for the splits after their balance day: divided by the volume factor of
one session after the other, so their bits do not depend on the first session that is loaded.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from gogooku.arrays import cross_section, time_series
from gogooku.arrays.grid import Grid
from gogooku.arrays.jit import kernel
from gogooku.arrays.time_series import Array, enough
from gogooku.panel.panel import Panel

MONTH = 20  # sessions
SHARES_LAST = 300
"""Sessions from the end of a period to the day on which its share count lapses: a company that
reports once a year has published the next one by then."""


def in_order(
    rows: pl.DataFrame,
    grid: Grid,
    moments: np.ndarray,
    *,
    code: str = "Code",
    day: str = "Date",
    key: Sequence[str] = (),
) -> pl.DataFrame:
    """Give the rows of the grid's codes in the order in which they became known.

    rows      with `known_at`, `code` and the balance day `day`
    moments   (T,) of decision on the grid's sessions [UTC, microseconds]
    key       fields that tell apart the positions of one code

    Returns the rows known by the last moment, sorted by slot, `key`, known_at and balance day, with
    `slot` in the grid's codes, `start`, the first session on which they count, and `basis`, the
    last session up to the balance day (-1 before the first).
    """
    own = rows.filter(pl.col(code).is_in(grid.codes.tolist()))
    known_at = own["known_at"].dt.replace_time_zone(None).to_numpy()
    known = own.with_columns(
        slot=pl.Series(grid.slots(own[code])),
        start=pl.Series(np.searchsorted(moments, known_at)),
        basis=session_of(own[day], grid.dates),
    ).filter(pl.col("start") < len(moments))
    return known.sort("slot", *key, "known_at", day, nulls_last=True, maintain_order=True)


def session_of(days: pl.Series, dates: np.ndarray) -> pl.Series:
    """Give the position of the last session up to each day; -1 before the first."""
    last = np.searchsorted(dates, days.to_numpy().astype("datetime64[D]"), side="right") - 1
    return pl.Series("basis", last, dtype=pl.Int64)


def standing(
    rows: pl.DataFrame,
    grid: Grid,
    moments: np.ndarray,
    lasting: int,
    *,
    code: str = "Code",
    day: str = "Date",
    key: Sequence[str] = (),
) -> pl.DataFrame:
    """Keep, of rows as `in_order` takes and gives them, those that count on some session.

    lasting   sessions after the balance day from which a row counts no more

    Adds `end`, the session before which a row ceases, and `since`, the first one on which any row
    of its balance day counted.
    """
    known = in_order(rows, grid, moments, code=code, day=day, key=key)
    known = known.with_columns(since=pl.col("start").min().over("slot", *key, day))
    newest = known.filter(pl.col(day) >= pl.col(day).cum_max().over("slot", *key))
    return until_next(newest, pl.col("basis") + lasting, key)


def until_next(rows: pl.DataFrame, lapse: pl.Expr, key: Sequence[str] = ()) -> pl.DataFrame:
    """Let every row of a slot and `key` count until the next one does or it lapses; adds `end`."""
    following = pl.col("start").shift(-1).over("slot", *key)
    return rows.with_columns(end=pl.min_horizontal(following, lapse)).filter(
        pl.col("end") > pl.col("start")
    )


def totals(
    rows: pl.DataFrame,
    names: Sequence[str],
    factor: np.ndarray,
    first: int = 0,
    *,
    rebased: bool = True,
) -> list[Array]:
    """Sum the values that count on each session from `first` on, (T − first, N); NaN where none.

    rows      slot, start, end, basis and the values `names`
    factor    (T, N) by which a share count is divided on each session after its basis: `splits`
    rebased   whether values are share counts; others stay as they are, whatever their basis
    """
    basis = "basis" if rebased else "end"  # no session that counts follows its end
    when = [
        rows[column].cast(pl.Int64).to_numpy(writable=True)  # of one type, so compiled once
        for column in ("slot", "start", "end", basis)
    ]
    values = rows.select(pl.col(names).cast(pl.Float64).fill_null(np.nan))
    factor = np.ascontiguousarray(factor)
    return [_totals(*when, x.to_numpy(writable=True), factor, first) for x in values]


@kernel
def _totals(slot, start, end, basis, value, factor, first):
    out = np.full((len(factor) - first, factor.shape[1]), np.nan)
    for r in range(len(slot)):
        s, amount = slot[r], value[r]
        for t in range(min(basis[r] + 1, start[r]), min(end[r], len(factor))):
            amount /= factor[t, s] if t > basis[r] else 1.0
            if t >= start[r] and t >= first:
                total = out[t - first, s]
                out[t - first, s] = amount if np.isnan(total) else total + amount
    return out


def splits(panel: Panel) -> Array:
    """Give the volume factor of each session, (T, N); 1 where the stock has no row."""
    factor = panel["volume_factor"]
    return np.where(np.isnan(factor), 1.0, factor)


def mean_volume(panel: Panel, first: int = 0) -> Array:
    """Average the volume of the last 20 sessions [shares in the day's basis].

    Returns (T − first, N), the sessions from `first` on.
    """
    late = panel.since(first - MONTH)
    mean, count = _rebased_means(late["raw_volume"], splits(late), MONTH)
    start = len(mean) - (len(panel.dates) - first)
    return time_series.where(count >= enough(MONTH), mean)[start:]


@kernel
def _rebased_means(x, factor, window):
    total, count = np.zeros(x.shape), np.zeros(x.shape)
    scale = np.ones(x.shape[1])
    for t in range(x.shape[0]):
        scale[:] = 1
        for i in range(t, max(-1, t - window), -1):
            for s in range(x.shape[1]):
                amount = x[i, s] / scale[s]
                seen = amount - amount == 0
                total[t, s] += amount if seen else 0.0
                count[t, s] += 1.0 if seen else 0.0
                scale[s] *= factor[i, s]
    return total / count, count


def shares(
    panel: Panel, summary: pl.DataFrame, moments: np.ndarray, first: int = 0
) -> tuple[Array, Array]:
    """Give the shares issued and those outstanding, less treasury shares, as known.

    summary   rows of fins/summary with `known_at`, SHARES_LAST sessions before the panel's days

    Returns (T − first, N) each, from `first` on, in the basis of the day; a split whose
    ex-date follows the day of a filing is not in its count.
    """
    counts = summary.filter(pl.col("ShOutFY") > 0, pl.col("CurPerEn").is_not_null())
    rows = standing(counts, panel.grid, moments, SHARES_LAST, day="CurPerEn")
    rows = rows.with_columns(
        outstanding=pl.col("ShOutFY") - pl.col("TrShFY").fill_null(0),
        basis=session_of(rows["DiscDate"], panel.dates),
    )
    issued, outstanding = totals(rows, ("ShOutFY", "outstanding"), splits(panel), first)
    return issued, outstanding


def mean_rank(columns: Sequence[np.ndarray], universe: np.ndarray) -> Array:
    """Average the ranks, 0 to 1, that each column has among the day's universe, (T, N)."""
    alike = np.zeros(universe.shape, np.int64)
    ranks = [cross_section.group_rank(column, alike, universe, 2) for column in columns]
    return sum(ranks[1:], ranks[0]) / len(ranks)
