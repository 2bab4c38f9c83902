"""Who buys and who sells: the exchange's weekly trading by type of investor, per market section.

A print is one week of one section. On each day the whole series is taken as it was known at the
moment of decision: of every week the newest row published by then, so a correction counts from its
own publication on and changes no earlier day. Windows count prints. A stock takes the newest print
of its section; where that section has none, the sum of all markets.

The sections of April 2022 continue those they took over from: Prime the 1st, Standard the 2nd,
Growth Mothers. net/x is balance over turnover of x; institutions are trusts, insurers and banks.
"""

import logging
from collections.abc import Sequence
from functools import partial

import numpy as np
import polars as pl

from gogooku import ops
from gogooku.features.column import Column
from gogooku.ops import Array, delay, enough, ratio
from gogooku.panel import Panel

log = logging.getLogger(__name__)

YEAR = 52  # prints
LONGEST = 20  # sessions since a print, as far as they are counted

SECTIONS = {
    "TSEPrime": 0, "TSE1st": 0, "TSEStandard": 1, "TSE2nd": 1, "TSEGrowth": 2, "TSEMothers": 2,
    "TSEJASDAQ": 3, "TokyoNagoya": 4,
}  # fmt: skip
ALL = 4
SECTION_OF_MARKET = {111: 0, 101: 0, 112: 1, 102: 1, 113: 2, 104: 2, 106: 3, 107: 3}

INSTITUTIONS = ("InvTr", "InsCo", "Bank", "TrstBnk", "OthFin")
GROUPS = ("Prop", "Ind", "Frgn", "SecCo", "BusCo", "OthCo", *INSTITUTIONS)
TURNOVERS = ("Tot", "Brk", "Ind", "Frgn", *INSTITUTIONS)
FIELDS = [f"{g}Bal" for g in dict.fromkeys((*GROUPS, *TURNOVERS))] + [f"{g}Tot" for g in TURNOVERS]

SOURCE = "JPX, trading by type of investors"
_column = partial(Column, kind="market", look_back=0, min_obs=1, source=SOURCE)
_flag = partial(Column, kind="flag", unit="0/1", look_back=0, min_obs=1, source=SOURCE)
_year = partial(Column, look_back=5 * YEAR, min_obs=enough(YEAR), source=SOURCE)
_score = partial(_year, kind="market", unit="sd")

COLUMNS = [
    _column("flow_foreign_net_ratio", unit="ratio", definition="net/foreigners"),
    _column("flow_individual_net_ratio", unit="ratio", definition="net/individuals"),
    _year("flow_activity_ratio", "market", "ratio", "turnover / its mean of 52 prints"),
    _column("flow_foreign_share", unit="ratio", definition="foreigners' share of turnover"),
    _column("flow_breadth_pos", unit="ratio", definition="share of the 11 groups that bought net"),
    _score("flow_foreign_net_z", definition="z of flow_foreign_net_ratio over 52 prints"),
    _score("flow_individual_net_z", definition="z of flow_individual_net_ratio over 52 prints"),
    _score("flow_activity_z", definition="z of turnover over 52 prints"),
    _score("flow_smart_idx", definition="flow_foreign_net_z − flow_individual_net_z"),
    _score("flow_smart_mom4", definition="flow_smart_idx − that of 4 prints before"),
    _flag("flow_shock_flag", definition="abs(flow_smart_idx) ≥ 2"),
    _flag("flow_foreign_net_pos", definition="flow_foreign_net_ratio > 0"),
    _flag("flow_smart_pos", definition="flow_smart_idx > 0"),
    _flag("flow_activity_high", definition="flow_activity_z ≥ 1"),
    _flag("flow_activity_low", definition="flow_activity_z ≤ −1"),
    _flag("flow_impulse", definition="first session on which the newest week counts"),
    _column("flow_days_since", unit="sessions",
            definition="sessions since the newest week first counted, at most 20"),
    _column("institutional_accumulation", unit="ratio", look_back=20,
            definition="net/institutions, both summed over 4 prints"),
    _column("foreign_sentiment", unit="ratio", look_back=20,
            definition="foreigners' balance over the market's turnover, both summed over 4 prints"),
    _column("retail_institutional_divergence", unit="ratio",
            definition="net/individuals − net/institutions"),
    _column("foreign_domestic_divergence", unit="ratio",
            definition="net/foreigners − net/all other customers of brokers"),
    _column("institutional_persistence", unit="ratio", look_back=50, min_obs=enough(10),
            definition="abs of the mean sign of institutions' balance over 10 prints"),
    _column("foreign_persistence", unit="ratio", look_back=50, min_obs=enough(10),
            definition="abs of the mean sign of foreigners' balance over 10 prints"),
    _score("smart_flow_indicator", definition="mean of the z of net/foreigners and of "
           "net/institutions − z of net/individuals, over 52 prints"),
    _column("flow_concentration", unit="ratio",
            definition="Herfindahl index of the 11 groups' absolute balances"),
    _score("concentrated_flow_signal", definition="smart_flow_indicator × flow_concentration"),
]  # fmt: skip

TIMED = ("flow_impulse", "flow_days_since")


def compute(panel: Panel, investor_types: pl.DataFrame, moments: np.ndarray) -> dict[str, Array]:
    """Make the family's columns, name → (T, N); NaN where nothing was known.

    investor_types   rows as published, with `known_at`; amounts [thousand JPY]
    moments          (T,) moment of decision of each of the panel's days [UTC, microseconds]
    """
    made = {column.name: np.full(panel.shape, np.nan) for column in COLUMNS}
    if investor_types.is_empty():
        log.warning("no rows of trading by investor type: all columns of flow are null")
        return made
    section = _sections(panel["market"])
    rows = investor_types.filter(pl.col("Section").is_in(list(SECTIONS))).sort(
        "known_at", "PubDate", maintain_order=True
    )
    known_at = rows["known_at"].dt.replace_time_zone(None).to_numpy()
    seen = np.searchsorted(known_at, moments, side="right")
    for number in np.unique(seen[seen > 0]):
        series = _as_known(rows[:number])
        prints = _newest(series)
        for t in np.flatnonzero(seen == number):
            _spread(made, t, section[t], prints, moments)
    return made


def _sections(market: np.ndarray) -> np.ndarray:
    """Give each stock's section of the day, (T, N); all markets where it has none."""
    section = np.full(market.shape, ALL)
    for code, own in SECTION_OF_MARKET.items():
        section[market == code] = own
    return section


def _as_known(rows: pl.DataFrame): ...
