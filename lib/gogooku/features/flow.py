"""Who buys and who sells: the exchange's weekly trading by type of investor, per market section.

A print is one week of one section. On each day the whole series is taken as it was known at the
moment of decision: of every week the newest row published by then, so a correction counts from its
own publication on and changes no earlier day. Windows count prints, of the 60 weeks before the
newest publication. A stock takes the newest print of its section; where that section has none, the
sum of all markets. A print lapses 20 sessions after its week first counted: then all is null.

The sections of April 2022 continue those they took over from: Prime the 1st, Growth Mothers,
Standard the 2nd and JASDAQ added up, in the weeks that have both. Prints do not tell apart the part
of JASDAQ that went to Growth, which was small. Stocks of the 2nd and of JASDAQ see their own alone.

net/x is balance over turnover of x; institutions are trusts, insurers and banks.
"""

import datetime as dt
from functools import partial

import numpy as np
import polars as pl

from gogooku import point_in_time
from gogooku.arrays import time_series
from gogooku.arrays.time_series import Array, delay, enough, ratio, where_known
from gogooku.features.column import Column, Values
from gogooku.features.inputs import Inputs

YEAR = 52  # prints
REACH = 60  # weeks: a year's prints and 4 more, even if some weeks have none
LASTING = 20  # sessions from the first on which a week counts to the one on which it lapses
BACK = LASTING + 5 * REACH  # sessions

PRIME, STANDARD, GROWTH, SECOND, JASDAQ, ALL = range(6)
SECTIONS = {
    "TSEPrime": PRIME, "TSE1st": PRIME, "TSEStandard": STANDARD, "TSE2nd": SECOND,
    "TSEGrowth": GROWTH, "TSEMothers": GROWTH, "TSEJASDAQ": JASDAQ, "TokyoNagoya": ALL,
}  # fmt: skip
SECTION_OF_MARKET = {
    111: PRIME, 101: PRIME, 112: STANDARD, 102: SECOND, 113: GROWTH, 104: GROWTH,
    106: JASDAQ, 107: JASDAQ,
}  # fmt: skip

INSTITUTIONS = ("InvTr", "InsCo", "Bank", "TrstBnk", "OthFin")
GROUPS = ("Prop", "Ind", "Frgn", "SecCo", "BusCo", "OthCo", *INSTITUTIONS)
TURNOVERS = ("Tot", "Brk", "Ind", "Frgn", *INSTITUTIONS)
FIELDS = [*(f"{group}Bal" for group in (*GROUPS, "Brk")), *(f"{group}Tot" for group in TURNOVERS)]

SOURCE = "JPX, trading by type of investors"
# Even one print's columns look all the way back: whether it has lapsed rests on when its week was
# first published, and a correction may come late.
_known = partial(Column, look_back=BACK, source=SOURCE, inputs=("market", "investor_types"))
_column = partial(_known, kind="market", min_obs=1)
_flag = partial(_known, kind="flag", unit="0/1", min_obs=1)
_year = partial(_known, min_obs=enough(YEAR))
_score = partial(_year, kind="market", unit="sd")
_scored = partial(_year, kind="flag", unit="0/1")
_month_of = partial(_column, min_obs=4)

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
    _score("flow_smart_mom4", min_obs=enough(YEAR) + 4,
           definition="flow_smart_idx − that of 4 prints before"),
    _scored("flow_shock_flag", definition="abs(flow_smart_idx) ≥ 2"),
    _flag("flow_foreign_net_pos", definition="flow_foreign_net_ratio > 0"),
    _scored("flow_smart_pos", definition="flow_smart_idx > 0"),
    _scored("flow_activity_high", definition="flow_activity_z ≥ 1"),
    _scored("flow_activity_low", definition="flow_activity_z ≤ −1"),
    _flag("flow_impulse", definition="first session on which the newest week counts"),
    _column("flow_days_since", unit="sessions",
            definition="sessions since the newest week first counted, 0 to 19"),
    _month_of("institutional_accumulation", unit="ratio",
            definition="net/institutions, both summed over 4 prints"),
    _month_of("foreign_sentiment", unit="ratio",
            definition="foreigners' balance over the market's turnover, both summed over 4 prints"),
    _column("retail_institutional_divergence", unit="ratio",
            definition="net/individuals − net/institutions"),
    _column("foreign_domestic_divergence", unit="ratio",
            definition="net/foreigners − net/all other customers of brokers"),
    _column("institutional_persistence", unit="ratio", min_obs=enough(10),
            definition="abs of the mean sign of institutions' balance over 10 prints"),
    _column("foreign_persistence", unit="ratio", min_obs=enough(10),
            definition="abs of the mean sign of foreigners' balance over 10 prints"),
    _score("smart_flow_indicator", definition="mean of the z of net/foreigners and of "
           "net/institutions − z of net/individuals, over 52 prints"),
    _column("flow_concentration", unit="ratio",
            definition="Herfindahl index of the 11 groups' absolute balances"),
    _score("concentrated_flow_signal", definition="smart_flow_indicator × flow_concentration"),
]  # fmt: skip


def compute(inputs: Inputs) -> Values:
    """Make the family's columns, name → (T, N); NaN where nothing was known.

    investor_types   rows as published, with `known_at`; amounts [thousand JPY]
    """
    panel, moments = inputs.panel, inputs.moments
    columns = {column.name: np.full(panel.shape, np.nan, np.float32) for column in COLUMNS}
    without = "no trading by investor type is known: all columns of flow are null"
    section = pl.col("Section").replace_strict(SECTIONS, default=None, return_dtype=pl.Int64)
    rows = inputs.rows("investor_types", without).with_columns(section=section)
    rows = rows.drop_nulls("section").sort("known_at", "PubDate", maintain_order=True)
    # Of the weeks before the newest publication the same ones count, however many are loaded.
    recent = pl.col("EnDate") > pl.col("PubDate").max() - dt.timedelta(weeks=REACH)
    known_at = rows["known_at"].dt.replace_time_zone(None).to_numpy()
    counts = point_in_time.as_of(known_at, moments)
    for count in np.unique(counts[counts > 0]):
        days, prints = np.flatnonzero(counts == count), rows[: int(count)].filter(recent)
        if not prints.is_empty():
            _lay_out(columns, days, panel["market"][days], prints, moments)
    return columns


def _lay_out(
    columns: Values, days: np.ndarray, market: np.ndarray, rows: pl.DataFrame, moments: np.ndarray
) -> None:
    """Fill in the days on which exactly `rows` are known."""
    amounts = _series(rows)
    newest = _last_known(amounts["TotTot"])
    first_known = rows.group_by("EnDate").agg(pl.col("known_at").min()).sort("EnDate")["known_at"]
    starts = np.searchsorted(moments, first_known.dt.replace_time_zone(None).to_numpy())
    age = np.where(newest < 0, LASTING, days[:, None] - starts[newest])
    fresh = age < LASTING
    section = _sections(market, fresh)
    last = {name: prints[newest, np.arange(ALL + 1)] for name, prints in _features(amounts).items()}
    for name, values in (last | {"flow_days_since": age, "flow_impulse": age == 0}).items():
        lasting = time_series.known(np.where(fresh, values, np.nan), np.float32)
        columns[name][days] = np.take_along_axis(lasting, section, axis=1)


def _series(rows: pl.DataFrame) -> Values:
    """Give each field's series (weeks, sections) [thousand JPY], the newest row of each week."""
    newest = rows.unique(["section", "EnDate"], keep="last", maintain_order=True)
    weeks, week = np.unique(newest["EnDate"].to_numpy(), return_inverse=True)
    series = {}
    for field in FIELDS:
        series[field] = np.full((len(weeks), ALL + 1), np.nan)
        series[field][week, newest["section"].to_numpy()] = newest[field].to_numpy()
        _add_up(series[field])
    return series


def _add_up(prints: Array) -> None:
    """Fill in weeks (weeks, sections) of all markets, and of Standard, that have no own print.

    All markets come first: the 2nd and JASDAQ would count twice if Standard held their sum.
    """
    parts = prints[:, :ALL]
    absent = np.isnan(prints[:, ALL]) & ~np.isnan(parts).all(axis=1)
    prints[absent, ALL] = np.nansum(parts[absent], axis=1)
    before = np.isnan(prints[:, STANDARD])
    prints[before, STANDARD] = prints[before, SECOND] + prints[before, JASDAQ]


def _last_known(prints: Array) -> np.ndarray:
    """Give each section's newest week with a print; −1 for none."""
    known = np.isfinite(prints)
    return np.where(known.any(axis=0), len(prints) - 1 - np.argmax(known[::-1], axis=0), -1)


def _sections(market: np.ndarray, fresh: np.ndarray) -> np.ndarray:
    """Give each stock's section (days, stocks); all markets where its own has no fresh print.

    market   (days, stocks) codes of the list; fresh  (days, sections)
    """
    section = np.full(market.shape, ALL)
    for code, own in SECTION_OF_MARKET.items():
        section[(market == code) & fresh[:, own, None]] = own
    return section


def _features(x: Values) -> Values:
    """Make the columns of every print from its fields, (weeks, sections) each."""
    foreign, individual = ratio(x["FrgnBal"], x["FrgnTot"]), ratio(x["IndBal"], x["IndTot"])
    balance, turnover = (
        np.stack([x[group + side] for group in INSTITUTIONS]).sum(axis=0) for side in ("Bal", "Tot")
    )
    institutional = ratio(balance, turnover)
    foreign_z, individual_z, institutional_z = (
        time_series.ts_zscore(prints, YEAR, enough(YEAR))
        for prints in (foreign, individual, institutional)
    )
    indicator = (foreign_z + institutional_z) / 2 - individual_z
    columns = _groups(x) | _of_turnover(x["TotTot"]) | _smart(foreign_z - individual_z)
    return columns | {
        "flow_foreign_net_ratio": foreign,
        "flow_individual_net_ratio": individual,
        "flow_foreign_net_z": foreign_z,
        "flow_individual_net_z": individual_z,
        "flow_foreign_net_pos": where_known(foreign, foreign > 0),
        "institutional_accumulation": ratio(_month(balance), _month(turnover)),
        "retail_institutional_divergence": individual - institutional,
        "foreign_domestic_divergence": foreign
        - ratio(x["BrkBal"] - x["FrgnBal"], x["BrkTot"] - x["FrgnTot"]),
        "institutional_persistence": _persistence(balance),
        "smart_flow_indicator": indicator,
        "concentrated_flow_signal": indicator * columns["flow_concentration"],
    }


def _groups(x: Values) -> Values:
    balances = np.stack([x[f"{group}Bal"] for group in GROUPS])
    known, size = balances.sum(axis=0), np.abs(balances)
    return {
        "flow_foreign_share": ratio(x["FrgnTot"], x["TotTot"]),
        "flow_breadth_pos": where_known(known, (balances > 0).mean(axis=0)),
        "flow_concentration": (ratio(size, size.sum(axis=0)) ** 2).sum(axis=0),
        "foreign_sentiment": ratio(_month(x["FrgnBal"]), _month(x["TotTot"])),
        "foreign_persistence": _persistence(x["FrgnBal"]),
    }


def _of_turnover(turnover: Array) -> Values:
    score = time_series.ts_zscore(turnover, YEAR, enough(YEAR))
    return {
        "flow_activity_ratio": ratio(turnover, time_series.ts_mean(turnover, YEAR, enough(YEAR))),
        "flow_activity_z": score,
        "flow_activity_high": where_known(score, score >= 1),
        "flow_activity_low": where_known(score, score <= -1),
    }


def _smart(index: Array) -> Values:
    return {
        "flow_smart_idx": index,
        "flow_smart_mom4": index - delay(index, 4),
        "flow_shock_flag": where_known(index, np.abs(index) >= 2),
        "flow_smart_pos": where_known(index, index > 0),
    }


def _month(x: Array) -> Array:
    return time_series.ts_sum(x, 4, 4)


def _persistence(balance: Array) -> Array:
    return np.abs(time_series.ts_mean(np.sign(balance), 10, enough(10)))
