"""The exchange's indices: market, size, style and REIT by day, and each stock's own sector's.

C is an index's close, r_h = ln(C_t / C_t−h); averages, windows and deviations are those of the
technical family. An index is null before it begins and after it ends, and its range where the
vendor has its close alone. A session on which no stock traded (the outage of 2020-10-01, when the
vendor repeats the day before) has no index. A stock belongs to the sectors that the day's list
gives it, and a sector's index brings its own past: as columns of the day the indices of the 33 and
of the 17 sectors would be 350 more.

Source: J-Quants indices/bars/daily; the list of index codes of January 2026.
"""

import numpy as np
import polars as pl

from gogooku import point_in_time
from gogooku.arrays import cross_section, time_series
from gogooku.arrays import indicators as ind
from gogooku.arrays.grid import Grid
from gogooku.arrays.time_series import Array, enough, enough_changes, ratio
from gogooku.arrays.windows import Rolling
from gogooku.features.column import Column, Kind, Values
from gogooku.features.inputs import Inputs
from gogooku.panel.panel import Panel

TOPIX = "0000"
INDICES = {
    TOPIX: "TOPIX", "0001": "TSE 2nd Section, to 2022-04", "0070": "TSE Growth 250 (Mothers)",
    "0091": "JASDAQ, to 2022-04", "0500": "Prime", "0501": "Standard", "0502": "Growth",
    "0503": "JPX Prime 150",
    "0028": "Core30", "0029": "Large70", "002A": "TOPIX 100", "002B": "Mid400",
    "002C": "TOPIX 500", "002D": "Small", "002E": "TOPIX 1000", "002F": "Small500",
    "8100": "TOPIX Value", "812C": "TOPIX 500 Value", "812D": "Small Value",
    "8200": "TOPIX Growth", "822C": "TOPIX 500 Growth", "822D": "Small Growth",
    "0075": "TSE REIT", "8501": "REIT office", "8502": "REIT residential",
    "8503": "REIT retail and logistics",
}  # fmt: skip
SPREADS = {
    "value_growth": ("8100", "8200"),
    "core30_small": ("0028", "002D"),
    "prime_standard": ("0500", "0501"),
    "prime_growth": ("0500", "0502"),
    "reit_office_residential": ("8501", "8502"),
    "reit_office_retail": ("8501", "8503"),
    "reit_residential_retail": ("8502", "8503"),
}
S33 = [
    50, 1050, 2050, 3050, 3100, 3150, 3200, 3250, 3300, 3350, 3400, 3450, 3500, 3550, 3600, 3650,
    3700, 3750, 3800, 4050, 5050, 5100, 5150, 5200, 5250, 6050, 6100, 7050, 7100, 7150, 7200, 8050,
    9050,
]  # fmt: skip
SECTORS = {sector: f"{0x40 + i:04X}" for i, sector in enumerate(S33)}
INDUSTRIES = {sector: f"{0x80 + i:04X}" for i, sector in enumerate(range(1, 18))}
CODES = [*INDICES, *SECTORS.values(), *INDUSTRIES.values()]

RETURNS = (1, 5, 20)
BREADTH = 50  # sessions
VENDOR = "J-Quants indices/bars/daily"
INPUTS = ("close", "indices")  # the close tells on which sessions stocks traded
OWN_33, OWN_17 = (("close", sector, "indices") for sector in ("s33", "s17"))

MEASURES = {
    "r_1d": ("log", "ln(C_t / C_t−1)", 1, 2),
    "r_5d": ("log", "ln(C_t / C_t−5)", 5, 6),
    "r_20d": ("log", "ln(C_t / C_t−20)", 20, 21),
    "natr_14": ("share", "ATR of 14 / C", time_series.settled(27) + 1, 15),
    "vol_20d": ("per √year", "sd of 20 daily log returns × √245", 20, enough_changes(20)),
    "z_close_20": ("sd", "(C − mean) / sd of 20 closes", 20, enough(20)),
    "rel_r_5d": ("log", "r_5d − that of TOPIX", 5, 6),
}  # measure → unit, definition, look-back, fewest observations


def _columns(prefix: str, kind: Kind, whose: str, inputs: tuple[str, ...]) -> list[Column]:
    return [
        Column(
            f"{prefix}_{name}", kind, unit, f"{whose}: {definition}", back, fewest, VENDOR,
            inputs=inputs,
        )
        for name, (unit, definition, back, fewest) in MEASURES.items()
        if f"{prefix}_{name}" != f"idx_{TOPIX}_rel_r_5d"  # it is not measured against itself
    ]  # fmt: skip


COLUMNS = [
    *(x for code in INDICES for x in _columns(f"idx_{code}", "market", INDICES[code], INPUTS)),
    *(
        Column(
            f"spread_{pair}_{h}d", "market", "log",
            f"ln(C_t / C_t−{h}) of {INDICES[one]} − that of {INDICES[other]}", h, h + 1, VENDOR,
            inputs=INPUTS,
        )
        for pair, (one, other) in SPREADS.items()
        for h in RETURNS
    ),
    Column("breadth_sector_gt_ma50", "market", "share", "sector indices (of 33) with C > mean of "
           "50 closes over those with both", BREADTH, enough(BREADTH), VENDOR, inputs=INPUTS),
    *_columns("sect", "stock", "index of the stock's sector of 33", OWN_33),
    Column("sect_rel_to_sec_5d", "stock", "log", "the stock's ln(C_t / C_t−5) − sect_r_5d", 5, 6,
           VENDOR, inputs=OWN_33),
    *_columns("sect17", "stock", "TOPIX-17 index of the stock's sector", OWN_17),
]  # fmt: skip


def compute(inputs: Inputs) -> Values:
    """Compute the family, name → (T − start,) or, for the stock's sectors, (T − start, N), float32.

    NaN where unknown.

    indices   one row a Date and index Code: H, L, C [points], those known by then; may be empty

    Raises UserError if `indices` holds rows of one date and code that differ.
    """
    panel, start = inputs.panel, inputs.start
    without = "no index is known: all columns of index are null"
    high, low, close = _bars(panel, inputs.rows("indices", without))
    measured = {name: values[start:] for name, values in _measures(high, low, close).items()}
    slot_of = {code: slot for slot, code in enumerate(CODES)}
    columns = {
        f"idx_{code}_{name}": values[:, slot_of[code]]
        for code in INDICES
        for name, values in measured.items()
    }
    del columns[f"idx_{TOPIX}_rel_r_5d"]
    for pair, (one, other) in SPREADS.items():
        for h in RETURNS:
            moves = measured[f"r_{h}d"]
            columns[f"spread_{pair}_{h}d"] = moves[:, slot_of[one]] - moves[:, slot_of[other]]
    sectors = close[:, [slot_of[code] for code in SECTORS.values()]]
    above = (sectors - ind.mean(sectors, BREADTH))[start:]
    known = np.isfinite(above).sum(axis=1)
    columns["breadth_sector_gt_ma50"] = ratio((above > 0).sum(axis=1), known)
    for prefix, field, codes in (("sect", "s33", SECTORS), ("sect17", "s17", INDUSTRIES)):
        own, own_slots = panel.since(start)[field], [slot_of[code] for code in codes.values()]
        for name in MEASURES:
            series, sectors = measured[name][:, own_slots], np.array([*codes])
            columns[f"{prefix}_{name}"] = cross_section.by_group(series, sectors, own)
    moves = ind.log_returns(panel["close"], 5)[start:]
    columns["sect_rel_to_sec_5d"] = moves - columns["sect_r_5d"]
    return {name: time_series.known(values, np.float32) for name, values in columns.items()}


def _bars(panel: Panel, indices: pl.DataFrame) -> tuple[Array, Array, Array]:
    """Give high, low and close of CODES on the panel's dates, (T, K); NaN without an index."""
    rows = indices.select("Date", "Code", *"HLC").filter(pl.col("Code").is_in(CODES))
    rows = point_in_time.distinct(rows, ["Date", "Code"], "indices")
    grid = Grid(panel.dates, np.array(CODES))
    cells = grid.cells(rows, "Date", "Code")
    traded = np.isfinite(panel["close"]).any(axis=1)
    bars = (grid.dense(cells, rows[name].to_numpy(), np.nan) for name in "HLC")
    high, low, close = (time_series.where(traded[:, None], bar) for bar in bars)
    return high, low, close


def _measures(high: Array, low: Array, close: Array) -> Values:
    columns = {f"r_{h}d": ind.log_returns(close, h) for h in RETURNS}
    steps = Rolling(columns["r_1d"], variances=(20,))
    return columns | {
        "natr_14": ratio(ind.atr(high, low, close, 14), close),
        "vol_20d": time_series.where_known(close, ind.volatility(steps, 20)),
        "z_close_20": time_series.ts_zscore(close, 20, enough(20)),
        "rel_r_5d": columns["r_5d"] - columns["r_5d"][:, [CODES.index(TOPIX)]],
    }
