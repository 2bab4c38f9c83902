"""What a company has reported and what it expects, once the market could read it.

A figure counts from the first session whose moment of decision is not before its publication.
Figures and guidance are carried separately and expire 245 sessions after they were published.
Guidance in force is that for the running fiscal year: the first that is neither reported whole nor
followed by filings of the next.
Quarters are de-cumulated; TTM is the sum of the last twelve months. Per-share figures are those of
a common share, re-based for the splits after their filing. Of a company that files in US dollars
(`filings.DOLLARS`) ratios to the price are null, and nothing is compared with what it filed in yen.
"""

from functools import partial

import numpy as np
import polars as pl

from gogooku.arrays import time_series
from gogooku.arrays.time_series import ratio
from gogooku.features import balances, filings
from gogooku.features.column import Column
from gogooku.features.company import LONGEST, CompanyStates, State
from gogooku.features.inputs import Inputs
from gogooku.panel.panel import Panel

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

OF_GUIDANCE = "rev_fore_op rev_fore_np rev_fore_eps rev_div_fore dividend".split()
TO_PRICE = {"eps": "ep", "bps": "bp", "sps": "sp", "dividend": "div_yield_fore"}


def compute(inputs: Inputs) -> dict[str, np.ndarray]:
    """Make the family's columns, name → (T − start, N) float32; NaN where nothing was known.

    summary   rows of fins/summary with `known_at`, 8 quarters before the panel's last days
    """
    panel, moments, start = inputs.panel, inputs.moments, inputs.start
    without = "no statement is known: all columns of statement are null"
    shares = panel["cumulated_volume_factor"]
    rows = _with_basis(panel, inputs.rows("summary", without), shares)
    states = CompanyStates(inputs, filings.prepare(rows, pl.col("basis")))
    reported, guided = (
        states.sessions_since(name, moments) for name in ("statement_at", "guidance_at")
    )
    price = panel["raw_close"][start:] / shares[start:]
    columns = {
        "days_since_statement": np.minimum(reported, np.float32(LONGEST)),
        "imp_statement": time_series.where_known(reported, reported == 0).astype(np.float32),
    }
    for name in State._fields[2:]:
        figure = states.figure(name, guided if name in OF_GUIDANCE else reported)
        if name in TO_PRICE:
            figure = time_series.known(ratio(figure, price), np.float32)
        columns[TO_PRICE.get(name, name)] = figure
    return {f"stmt_{name}": values for name, values in columns.items()}


def _with_basis(panel: Panel, summary: pl.DataFrame, shares: np.ndarray) -> pl.DataFrame:
    """Keep the panel's companies and add the share factor that held on the filing's day.

    A split whose ex-date follows the day of the filing is not in the filing's figures.
    """
    rows = summary.filter(pl.col("Code").is_in(panel.codes.tolist()))
    slot = panel.grid.slots(rows["Code"])
    session = np.maximum(balances.session_of(rows["DiscDate"], panel.dates), 0)
    basis = pl.Series(shares[session, slot], dtype=pl.Float64)
    return rows.with_columns(basis=basis, published_at="known_at")
