"""What a company has reported and what it expects, once the market could read it.

A figure counts from the first session whose moment of decision is not before its publication.
Figures and guidance are carried separately and expire 245 sessions after they were published.
Guidance in force is that for the running fiscal year: the first that is neither reported whole nor
followed by filings of the next.
Quarters are de-cumulated; TTM is the sum of the last twelve months. Per-share figures are those of
a common share, re-based for the splits after their filing. Of a company that files in US dollars
(`filings.DOLLARS`) ratios to the price are null, and nothing is compared with what it filed in yen.
"""

import logging
from functools import partial

import numpy as np
import polars as pl

from gogooku import point_in_time
from gogooku.arrays import time_series
from gogooku.arrays.time_series import ratio
from gogooku.features import company, filings
from gogooku.features.column import Column
from gogooku.features.inputs import Inputs
from gogooku.panel.panel import Panel

log = logging.getLogger(__name__)

LONGEST = 245  # sessions

VENDOR = "J-Quants fins/summary"
_filed = partial(Column, look_back=600, min_obs=1, source=VENDOR, inputs=("summary",))
_column = partial(_filed, kind="stock")
_change = partial(_column, unit="ratio", min_obs=2)
_per_share = partial(_change, inputs=("volume_factor", "summary"))
_to_price = partial(_column, unit="ratio", inputs=("volume_factor", "raw_close", "summary"))
_flag = partial(_filed, kind="flag", unit="0/1")
YOY = "quarter against the same one of the fiscal year before, as then known, / its abs"
PROGRESS = "cumulated {} / full-year guidance, where that is positive"
REVISION = "guided {} for the running year against that in force before the day, / its abs"

COLUMNS = [
    _change("stmt_yoy_sales", definition=f"sales: {YOY}"),
    _change("stmt_yoy_op", definition=f"operating profit: {YOY}"),
    _change("stmt_yoy_np", definition=f"profit: {YOY}"),
    _column("stmt_opm", unit="ratio", definition="cumulated operating profit / sales"),
    _column("stmt_npm", unit="ratio", definition="cumulated profit / sales"),
    _column("stmt_progress_op", unit="ratio", definition=PROGRESS.format("operating profit")),
    _column("stmt_progress_np", unit="ratio", definition=PROGRESS.format("profit")),
    _change("stmt_rev_fore_op", definition=REVISION.format("operating profit")),
    _change("stmt_rev_fore_np", definition=REVISION.format("profit")),
    _per_share("stmt_rev_fore_eps", definition=REVISION.format("EPS")),
    _per_share("stmt_rev_div_fore", definition=REVISION.format("annual dividend")),
    _column("stmt_roe", unit="ratio", definition="TTM profit / shareholders' equity"),
    _column("stmt_roa", unit="ratio", definition="TTM profit / total assets"),
    _flag("stmt_change_in_est", definition="the newest statement changed accounting estimates"),
    _flag("stmt_nc_flag", definition="its figures are those of the parent alone"),
    _flag("stmt_imp_statement", definition="first session on which the newest period counts"),
    _column("stmt_days_since_statement", unit="sessions", validates=False,
            definition=f"sessions since that session, at most {LONGEST}"),
    _to_price("stmt_ep", definition="TTM profit to common shareholders per share / close"),
    _to_price("stmt_bp", definition="book value per share as filed, or shareholders' equity less "
              "what preferred shares last held, per share / close"),
    _to_price("stmt_sp", definition="TTM sales per share / close"),
    _to_price("stmt_div_yield_fore", definition="guided annual dividend / close"),
]  # fmt: skip

ACTUALS = (
    "yoy_sales yoy_op yoy_np opm npm progress_op progress_np roe roa change_in_est nc_flag"
).split()
GUIDED = "rev_fore_op rev_fore_np rev_fore_eps rev_div_fore".split()
PER_SHARE = {"ep": "eps", "bp": "bps", "sp": "sps", "div_yield_fore": "dividend"}


def compute(inputs: Inputs) -> dict[str, np.ndarray]:
    """Make the family's columns, name → (T − start, N) float32; NaN where nothing was known.

    panel     the days and, where they exist, 245 sessions before them
    summary   rows of fins/summary with `known_at`, 8 quarters before the panel's last days
    """
    panel, moments, start = inputs.panel, inputs.moments, inputs.start
    summary = inputs.rows("summary")
    if summary.is_empty():
        log.warning("no statement is known: all columns of statement are null")
    shares = panel["cumulated_volume_factor"]
    rows = filings.prepare(_with_basis(panel, summary, shares), pl.col("basis"))
    newest = newest_filing(panel, rows, moments[start:])
    walked = company.walk(rows, is_newest(newest, len(rows)))
    states = pl.DataFrame(list(walked), schema=_SCHEMA, orient="row")
    reported, guided = (
        sessions_since(states[name], newest, moments) for name in ("statement_at", "guidance_at")
    )
    price = panel["raw_close"][start:] / shares[start:]
    columns = {name: laid_out(states[name], newest, reported) for name in ACTUALS}
    columns |= {name: laid_out(states[name], newest, guided) for name in GUIDED}
    for name, figure in PER_SHARE.items():
        age = guided if figure == "dividend" else reported
        columns[name] = time_series.known(
            ratio(laid_out(states[figure], newest, age), price), np.float32
        )
    columns["days_since_statement"] = np.minimum(reported, np.float32(LONGEST))
    columns["imp_statement"] = time_series.where_known(reported, reported == 0).astype(np.float32)
    return {f"stmt_{name}": values for name, values in columns.items()}


_SCHEMA = {
    name: pl.Datetime("us", "UTC") if name.endswith("_at") else pl.Float64
    for name in company.State._fields
}


def _with_basis(panel: Panel, summary: pl.DataFrame, shares: np.ndarray) -> pl.DataFrame:
    """Keep the panel's companies and add the share factor that held on the filing's day.

    A split whose ex-date follows the day of the filing is not in the filing's figures.
    """
    rows = summary.filter(pl.col("Code").is_in(panel.codes.tolist()))
    slot = panel.grid.slots(rows["Code"])
    days = rows["DiscDate"].to_numpy().astype("datetime64[D]")
    session = np.maximum(np.searchsorted(panel.dates, days, side="right") - 1, 0)
    return rows.with_columns(basis=pl.Series(shares[session, slot], dtype=pl.Float64))


def newest_filing(panel: Panel, rows: pl.DataFrame, moments: np.ndarray) -> np.ndarray:
    """Give each stock's newest filing at each of the `moments`, (D, N), as a position in `rows`.

    −1 for none.
    """
    codes = rows["Code"].to_numpy().astype(panel.codes.dtype)
    starts, ends = (np.searchsorted(codes, panel.codes, side) for side in ("left", "right"))
    known_at = rows["known_at"].dt.replace_time_zone(None).to_numpy()
    newest = np.full((len(moments), len(panel.codes)), -1)
    for slot in np.flatnonzero(ends > starts):
        own = slice(starts[slot], ends[slot])
        number = point_in_time.as_of(known_at[own], moments)
        newest[:, slot] = np.where(number > 0, starts[slot] + number - 1, -1)
    return newest


def is_newest(newest: np.ndarray, count: int) -> list[bool]:
    """Say of each of `count` filings whether it is the newest one anywhere."""
    flags = np.zeros(count + 1, bool)
    flags[newest] = True
    return flags[:-1].tolist()


def sessions_since(since: pl.Series, newest: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Give the sessions since the first one that could know it, (D, N) float32.

    newest    (D, N) of the last D of the `moments` (T,)
    """
    known_at = since.dt.replace_time_zone(None).to_numpy()
    first = np.searchsorted(moments, known_at).astype(np.float32)
    first[np.isnat(known_at)] = np.nan
    day = np.arange(len(moments) - len(newest), len(moments), dtype=np.float32)
    return day[:, None] - np.append(first, np.float32(np.nan))[newest]


def laid_out(figure: pl.Series, newest: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Give each cell its filing's figure while that has not expired, (D, N) float32."""
    values = time_series.known(np.append(figure.to_numpy(), np.nan), np.float32)
    return np.where(age < LONGEST, values[newest], np.float32(np.nan))
