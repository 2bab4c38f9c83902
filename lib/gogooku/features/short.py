"""Who sells short: reported positions per stock, and short selling's share of trading per sector.

A holder must report a short position of 0.5 % of the shares or more, and once more when it falls
below. A stock's short interest is the sum of the positions from 0.5 % on, over reporters by the
newest report of each: one that fell below is 0. A reporter that has been silent for a year of
sessions counts no more, and where none counts the interest is unknown, not zero. Holders whom the
exchange names `個人` (individual) are one reporter: what they report on one day of one balance day
is added up, and the newest of these sums counts.

A sector's print is one session of selling, known on a later one; a session without a new print is
no observation. The market is the sum of the 33 sectors, without what belongs to none of them.
"""

from functools import partial

import numpy as np
import polars as pl

from gogooku.arrays import cross_section, time_series
from gogooku.arrays.grid import Grid
from gogooku.arrays.time_series import delay, enough, ratio
from gogooku.features import balances
from gogooku.features.column import Column, Values
from gogooku.features.inputs import Inputs

REPORTER = ("SSName", "DICName", "FundName")
INDIVIDUAL = "個人"
POSITION = ("ShrtPosToSO", "ShrtPosShares")
REPORTABLE = 0.005  # of the shares outstanding
LASTING = 245  # sessions from a report's balance day to the day on which it lapses
STALE = 6  # sessions after which a sector's print is no news
NO_SECTOR = "9999"
SOLD = ("SellExShortVa", "ShrtWithResVa", "ShrtNoResVa")

REPORTS = "J-Quants short-sale-report"
_stock = partial(Column, kind="stock", min_obs=1, source=REPORTS, inputs=("short_sale",))
_cover = partial(
    _stock, look_back=LASTING, min_obs=enough(20),
    inputs=("volume_factor", "raw_volume", "short_sale"),
)  # fmt: skip
_sector = partial(
    Column, kind="stock", unit="share", look_back=1, min_obs=1, source="J-Quants short-ratio",
    inputs=("s33", "short_ratio"),
)  # fmt: skip

COLUMNS = [
    _stock("short_ratio", unit="share", look_back=LASTING,
           definition="reported short positions / shares outstanding, sum over reporters of the "
           f"newest report of each, none older than {LASTING} sessions; below 0.5 % it is 0"),
    _stock("short_ratio_change_5d", unit="share", look_back=LASTING + 5, min_obs=2,
           definition="short_ratio − that of t−5"),
    _stock("short_ratio_ma5", unit="share", look_back=LASTING + 4, min_obs=enough(5),
           definition="mean of 5 short_ratio"),
    _stock("short_ratio_ma20", unit="share", look_back=LASTING + 19, min_obs=enough(20),
           definition="mean of 20 short_ratio"),
    _cover("days_to_cover", unit="sessions",
           definition="reported short positions in shares / mean volume of 20 sessions"),
    _cover("short_squeeze_risk", unit="0–1",
           inputs=("volume_factor", "universe", "raw_volume", "short_sale"),
           definition="mean rank of short_ratio and days_to_cover in the day's universe"),
    _sector("ss_sec33_short_share",
            definition="short sales / all sales of the stock's S33 sector, newest session"),
    _sector("ss_sec33_restrict_share",
            definition="share of its short sales that are under the price restriction"),
    _sector("ss_sec33_mom5", look_back=6, min_obs=2,
            definition="ss_sec33_short_share of the sector − that of 5 sessions before"),
    _sector("ss_sec33_z60", unit="sd", look_back=60, min_obs=enough(60),
            definition="ss_sec33_short_share of the sector as a z-score of 60 sessions"),
    _sector("ss_mkt_short_share", kind="market", inputs=("short_ratio",),
            definition="short sales / all sales of the 33 sectors, newest session"),
    _sector("ss_rel_short_share", definition="ss_sec33_short_share − ss_mkt_short_share"),
]  # fmt: skip


def compute(inputs: Inputs) -> Values:
    """Make the family's columns, name → (T − start, N) float32; NaN where nothing was known.

    short_sale    reports as disclosed, with `known_at`
    short_ratio   sales by sector [JPY] as published, with `known_at`
    """
    columns = _of_stocks(inputs) | _of_sectors(inputs)
    return {name: time_series.known(values, np.float32) for name, values in columns.items()}


def _of_stocks(inputs: Inputs) -> Values:
    panel, start = inputs.panel, inputs.start
    without = "no report of a short position is known: short's columns of stocks are null"
    reports = _by_reporter(inputs.rows("short_sale", without))
    rows = balances.standing(
        reports, panel.grid, inputs.moments, LASTING, day="CalcDate", key=REPORTER
    )
    splits, before = balances.splits(panel), max(start - 20, 0)
    (recent,) = balances.totals(rows, ["ShrtPosToSO"], splits, before, rebased=False)
    (shares,) = balances.totals(rows, ["ShrtPosShares"], splits, start)
    cover = ratio(shares, balances.mean_volume(panel, start))
    past = {
        "short_ratio": recent,
        "short_ratio_change_5d": recent - delay(recent, 5),
        "short_ratio_ma5": time_series.ts_mean(recent, 5, enough(5)),
        "short_ratio_ma20": time_series.ts_mean(recent, 20, enough(20)),
    }
    columns = {name: values[start - before :] for name, values in past.items()}
    universe = panel.since(start)["universe"]
    risk = balances.mean_rank([columns["short_ratio"], cover], universe)
    return columns | {"days_to_cover": cover, "short_squeeze_risk": risk}


def _by_reporter(reports: pl.DataFrame) -> pl.DataFrame:
    """Give one row a reporter and day: the sum over persons without a name, else the last."""
    one = ["Code", *REPORTER, "DiscDate", "CalcDate", "known_at"]
    persons, position = pl.col("SSName").first() == INDIVIDUAL, pl.col(POSITION)
    reportable = pl.when(pl.col("ShrtPosToSO") >= REPORTABLE).then(position).otherwise(0)
    positions = reports.drop_nulls(POSITION).with_columns(reportable.name.keep())
    newest = pl.when(persons).then(position.sum()).otherwise(position.last())
    return positions.group_by(one, maintain_order=True).agg(newest.name.keep())


def _of_sectors(inputs: Inputs) -> Values:
    panel, start = inputs.panel, inputs.start
    without = "no short selling by sector is known: short's columns of sectors are null"
    sales = inputs.rows("short_ratio", without).filter(pl.col("S33") != NO_SECTOR)
    grid = Grid.of(panel.dates, sales["S33"])
    rows = balances.standing(sales, grid, inputs.moments, STALE, code="S33")
    rows = rows.with_columns(end=pl.col("start") + 1)  # a sale is of the session on which it is new
    outright, restricted, free = balances.totals(rows, SOLD, np.ones(grid.shape), rebased=False)
    short = restricted + free
    share = ratio(short, outright + short)
    total = ratio(np.nansum(short, axis=1), np.nansum(outright + short, axis=1))[:, None]
    series = {
        "ss_sec33_short_share": share,
        "ss_sec33_restrict_share": ratio(restricted, short),
        "ss_sec33_mom5": share - delay(share, 5),
        "ss_sec33_z60": time_series.ts_zscore(share, 60, enough(60)),
        "ss_rel_short_share": share - total,
    }
    sector = panel.since(start)["s33"]
    columns = {
        name: cross_section.by_group(values[start:], grid.codes.astype(np.int64), sector)
        for name, values in series.items()
    }
    return columns | {"ss_mkt_short_share": np.broadcast_to(total[start:], sector.shape)}
