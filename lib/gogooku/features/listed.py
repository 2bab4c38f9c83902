"""What the exchange's list of the day and the shares outstanding tell of a stock.

Lists are those of the day itself: nothing is dated back. The segments of April 2022 continue those
they took over from: Prime the 1st section, Standard the 2nd and JASDAQ Standard, Growth Mothers and
JASDAQ Growth. Shares are those of the newest statement known, issued less treasury, in the basis of
the day.
"""

from functools import partial

import numpy as np
import polars as pl

from gogooku import point_in_time
from gogooku.arrays import cross_section, time_series
from gogooku.arrays import indicators as ind
from gogooku.arrays.time_series import Array, delay, enough, ratio
from gogooku.features import balances
from gogooku.features.balances import SHARES_LAST
from gogooku.features.column import Column, Values
from gogooku.features.inputs import Inputs
from gogooku.panel.panel import Panel

KEY = ["Date", "Code"]  # of the master

MONTH = 20  # sessions
SCORED = 3  # members that a score within a segment needs

SEGMENTS = {"prime": (111, 101), "standard": (112, 102, 106), "growth": (113, 104, 107)}
SCALES = {
    "-": 0, "TOPIX Small 1": 1, "TOPIX Small 2": 1, "TOPIX Mid400": 2, "TOPIX Large70": 3,
    "TOPIX Core30": 4,
}  # fmt: skip
"""TOPIX size of the list → class. The vendor's lists before 2018-08-31 call every issue of Small 1
`TOPIX Small 2`: as two classes they would jump on that day."""

LOANABLE = "2"

_stock = partial(
    Column, kind="stock", look_back=SHARES_LAST, min_obs=1, source="J-Quants fins/summary",
    inputs=("volume_factor", "raw_close", "summary"),
)  # fmt: skip
_listed = partial(Column, look_back=0, min_obs=1, source="J-Quants master", inputs=("master",))

COLUMNS = [
    _stock("market_cap_log", unit="ln JPY", definition="ln(shares outstanding × close)"),
    _stock("liquidity_score", unit="ratio", min_obs=enough(MONTH),
           inputs=("value", "volume_factor", "raw_close", "summary"),
           definition="ln of the mean value of 20 sessions / market_cap_log"),
    _stock("sector_momentum", unit="share", look_back=SHARES_LAST + MONTH, min_obs=MONTH + 1,
           inputs=("factor", "volume_factor", "s33", "universe", "raw_close", "summary"),
           definition="return over 20 sessions of the universe's members of the stock's S33 "
           "sector, weighted by their market value before"),
    _stock("market_segment_premium", unit="sd", min_obs=SCORED,
           inputs=("volume_factor", "market", "universe", "raw_close", "summary"),
           definition="z-score of market_cap_log among the universe's members of its segment or "
           "of the sections that it continues"),
    _stock("shares_float_ratio", unit="share", inputs=("summary",),
           definition="1 − treasury shares / shares issued"),
    *(
        _listed(f"mkt_{name}", kind="flag", unit="0/1", inputs=("market", "listed"),
                definition=f"listed on {name.title()} or a section that it continues")
        for name in SEGMENTS
    ),
    _listed("scale_cat", kind="stock", unit="class", validates=False,
            definition="TOPIX size: 0 none, 1 Small (1 or 2), 2 Mid400, 3 Large70, 4 Core30"),
    _listed("is_loanable", kind="flag", unit="0/1",
            definition="stocks may be borrowed for standardised margin selling (Mrgn 2)"),
]  # fmt: skip


def compute(inputs: Inputs) -> Values:
    """Make the family's columns, name → (T − start, N) float32; NaN where unknown.

    master    a row per code and day as the day's decision could see it
    summary   rows of fins/summary with `known_at`

    Raises UserError if `master` holds rows of one date and code that differ.
    """
    panel, start = inputs.panel, inputs.start
    without = "no statement is known: listed's columns of market value are null"
    before = max(start - MONTH, 0)
    shares = balances.shares(panel, inputs.rows("summary", without), inputs.moments, before)
    sizes = _sizes(panel.since(before), *shares)
    columns = {name: values[start - before :] for name, values in sizes.items()}
    columns |= _of_the_list(panel.since(start), inputs.rows("master"))
    return {name: time_series.known(values, np.float32) for name, values in columns.items()}


def _sizes(panel: Panel, issued: Array, outstanding: Array) -> Values:
    cap = outstanding * panel["raw_close"]
    size = ind.log(cap)
    traded = time_series.ts_mean(panel["value"], MONTH, enough(MONTH))
    segment = np.full(panel.shape, -1)
    for number, codes in enumerate(SEGMENTS.values()):
        segment[np.isin(panel["market"], codes)] = number
    return {
        "market_cap_log": size,
        "liquidity_score": ratio(ind.log(traded), size),
        "sector_momentum": _sector_momentum(panel, cap),
        "market_segment_premium": cross_section.group_zscore(
            size, segment, panel["universe"], SCORED
        ),
        "shares_float_ratio": ratio(outstanding, issued),
    }


def _sector_momentum(panel: Panel, cap: Array) -> Array:
    """Return of each stock's sector over 20 sessions, its members of the day held since then."""
    before = delay(cap, MONTH)
    gain = ratio(panel["raw_close"], delay(panel["raw_close"], MONTH) * _growth(panel["factor"]))
    sector = panel["s33"].astype(np.int64)
    counted = panel["universe"] & np.isfinite(before * gain) & (sector >= 0)
    width = int(sector.max(initial=0)) + 1
    cell = np.arange(len(sector))[:, None] * width + np.maximum(sector, 0)

    def total(amount: Array) -> np.ndarray:
        return np.bincount(cell[counted], amount[counted], len(sector) * width)[cell]

    return time_series.where(sector >= 0, ratio(total(before * gain), total(before)) - 1)


def _growth(factor: np.ndarray) -> Array:
    """Product of the price factors of the last 20 sessions, newest first."""
    steps = np.where(np.isnan(factor), 1.0, factor)
    product = np.ones(steps.shape)
    for back in range(MONTH):
        product[back:] *= steps[: max(len(steps) - back, 0)]
    return product


def _of_the_list(panel: Panel, master: pl.DataFrame) -> Values:
    ours = panel.grid.cells(master, *KEY) >= 0
    rows = point_in_time.distinct(master.filter(ours), KEY, "master")
    cells = panel.grid.cells(rows, *KEY)
    fields = {
        "scale_cat": rows["ScaleCat"].replace_strict(SCALES, default=None, return_dtype=pl.Float64),
        "is_loanable": (rows["Mrgn"] == LOANABLE).cast(pl.Float64),
    }
    columns = {
        name: panel.grid.dense(cells, values.fill_null(np.nan).to_numpy(), np.nan)
        for name, values in fields.items()
    }
    for name, codes in SEGMENTS.items():
        of_segment = np.isin(panel["market"], codes)
        columns[f"mkt_{name}"] = time_series.where(panel["listed"], of_segment)
    return columns
