"""The catalogue of the data sets: their fields and types, keys, and how the vendor is asked.

Field names are those of the J-Quants API V2. What one request covers (`ASKED`):

    calendar, topix, investor_types    a whole range of days
    master, bars    one session: for a closed day the vendor gives the next session's list
    summary         one calendar day, closed ones too: a filing of a weekend is rare, but to lose
                    it would be silent
"""

import functools
import logging
from collections.abc import Iterable

import polars as pl

from gogooku import run

log = logging.getLogger(__name__)

GROUPS = "Prop Brk Tot Ind Frgn SecCo InvTr BusCo OthCo InsCo Bank TrstBnk OthFin".split()
"""Investor types: proprietary, brokerage, total, individuals, foreigners, …"""

SUMMARY_FIELDS = """
    DiscDate DiscTime Code DiscNo DocType CurPerType CurPerSt CurPerEn CurFYSt CurFYEn NxtFYSt
    NxtFYEn Sales OP OdP NP EPS DEPS TA Eq EqAR BPS CFO CFI CFF CashEq Div1Q Div2Q Div3Q DivFY
    DivAnn DivUnit DivTotalAnn PayoutRatioAnn FDiv1Q FDiv2Q FDiv3Q FDivFY FDivAnn FDivUnit
    FDivTotalAnn FPayoutRatioAnn NxFDiv1Q NxFDiv2Q NxFDiv3Q NxFDivFY NxFDivAnn NxFDivUnit
    NxFPayoutRatioAnn FSales2Q FOP2Q FOdP2Q FNP2Q FEPS2Q NxFSales2Q NxFOP2Q NxFOdP2Q NxFNp2Q
    NxFEPS2Q FSales FOP FOdP FNP FEPS NxFSales NxFOP NxFOdP NxFNp NxFEPS MatChgSub SigChgInC
    ChgByASRev ChgNoASRev ChgAcEst RetroRst ShOutFY TrShFY AvgSh NCSales NCOP NCOdP NCNP NCEPS
    NCTA NCEq NCEqAR NCBPS FNCSales2Q FNCOP2Q FNCOdP2Q FNCNP2Q FNCEPS2Q NxFNCSales2Q NxFNCOP2Q
    NxFNCOdP2Q NxFNCNP2Q NxFNCEPS2Q FNCSales FNCOP FNCOdP FNCNP FNCEPS NxFNCSales NxFNCOP
    NxFNCOdP NxFNCNP NxFNCEPS ShEq NCShEq ROE NCROE
""".split()

_DATES = "Date DiscDate PubDate StDate EnDate CurPerSt CurPerEn CurFYSt CurFYEn NxtFYSt NxtFYEn"
_TEXTS = "Code DiscTime DiscNo DocType CurPerType Section HolDiv UL LL ExRT"
_FLAGS = "MatChgSub SigChgInC ChgByASRev ChgNoASRev ChgAcEst RetroRst"
_KINDS: dict[str, pl.DataType] = (
    dict.fromkeys(_DATES.split(), pl.Date())
    | dict.fromkeys(_TEXTS.split(), pl.String())
    | dict.fromkeys(_FLAGS.split(), pl.Boolean())
)


def _kinds(fields: Iterable[str], otherwise: pl.DataType) -> dict[str, pl.DataType]:
    return {field: _KINDS.get(field, otherwise) for field in fields}


_MASTER = (
    "Date Code CoName CoNameEn S17 S17Nm S33 S33Nm ScaleCat Mkt MktNm Mrgn MrgnNm ProdCat"
).split()
_INVESTORS = "PubDate StDate EnDate Section".split() + [
    group + side for group in GROUPS for side in ("Sell", "Buy", "Tot", "Bal")
]

SCHEMAS: dict[str, dict[str, pl.DataType]] = {
    "calendar": _kinds(["Date", "HolDiv"], pl.String()),
    "master": _kinds(_MASTER, pl.String()),
    "bars": _kinds("Date Code O H L C UL LL Vo Va AdjFactor ExRT".split(), pl.Float64()),
    "topix": _kinds("Date O H L C".split(), pl.Float64()),
    "summary": _kinds(SUMMARY_FIELDS, pl.Float64()),
    "investor_types": _kinds(_INVESTORS, pl.Float64()),
}
"""Fields of each data set in the vendor's order. Prices [JPY], `Va` and amounts of `summary`
[JPY], `Vo` [shares], amounts of `investor_types` [thousand JPY]."""

KEYS: dict[str, list[str]] = {
    "calendar": ["Date"],
    "master": ["Date", "Code"],
    "bars": ["Date", "Code"],
    "topix": ["Date"],
    "summary": ["DiscDate", "Code", "DiscTime", "DiscNo"],
    "investor_types": ["PubDate", "Section", "StDate", "EnDate"],
}
"""Fields that tell any two rows of a data set apart; rows are sorted by them."""

DATE_COLUMN: dict[str, str] = {dataset: key[0] for dataset, key in KEYS.items()}
"""The day a row is asked for and filed under."""

PATHS: dict[str, str] = {
    "calendar": "/markets/calendar",
    "master": "/equities/master",
    "bars": "/equities/bars/daily",
    "topix": "/indices/bars/daily/topix",
    "summary": "/fins/summary",
    "investor_types": "/equities/investor-types",
}

ASKED: dict[str, str] = {
    "calendar": "range",
    "master": "session",
    "bars": "session",
    "topix": "range",
    "summary": "day",
    "investor_types": "range",
}
"""What one request covers."""

MARGIN: dict[str, int] = {"investor_types": 14}
"""Days by which a range is asked wider than wanted and cut by DATE_COLUMN afterwards: the
vendor does not say whether its range means the publication or the week [days]."""

FILLED: dict[str, list[str]] = {
    "calendar": ["Date", "HolDiv"],
    "master": ["Date", "Code", "Mkt", "ProdCat"],
    "bars": ["Date", "Code", "AdjFactor"],
    "topix": ["Date"],
    "summary": ["DiscDate", "Code", "DiscNo", "DocType"],
    "investor_types": ["PubDate", "StDate", "EnDate", "Section"],
}
"""Fields that must hold a value in every row."""

_NAMED = {"bars": "O H L C Vo Va".split(), "topix": "O H L C".split()}
"""Fields that may be null but must be there: without them the answer is of another data set."""

_SESSION = "O H L C UL LL Vo Va AdjO AdjH AdjL AdjC AdjVo".split()
_LEFT_OUT = {
    "bars": {"AdjO", "AdjH", "AdjL", "AdjC", "AdjVo", "MktCap"}
    | {half + field for half in "MA" for field in _SESSION}
}
"""Fields that the vendor sends and the project does not keep: adjusted prices look ahead."""


def typed(dataset: str, rows: list[dict]) -> pl.DataFrame:
    """Turn the vendor's rows into a frame of SCHEMAS[dataset], in their own order.

    rows   one dict a row; a value may be a number or a string of one, and "", null and an
           absent field all mean that there is none

    Unknown fields are ignored and absent ones become null columns; either is said once.
    Raises UserError, naming endpoint and field, where a field of FILLED has no value, a price
    field is absent, or a value cannot be read as the field's type.
    """
    _check_fields(dataset, rows)
    columns = [_column(dataset, name, kind, rows) for name, kind in SCHEMAS[dataset].items()]
    frame = pl.DataFrame(columns)
    for name in FILLED[dataset]:
        if frame[name].has_nulls():
            raise run.UserError(f"{PATHS[dataset]} answered a row without a value in {name}")
    return frame


def _check_fields(dataset: str, rows: list[dict]) -> None:
    if not rows:
        return
    got = set().union(*rows)
    for name in _NAMED.get(dataset, []):
        if name not in got:
            raise run.UserError(f"{PATHS[dataset]} answered rows without the field {name}")
    known = SCHEMAS[dataset].keys()
    _say_once(dataset, "ignored unknown", frozenset(got - known - _LEFT_OUT.get(dataset, set())))
    _say_once(dataset, "left null the absent", frozenset(known - got - set(FILLED[dataset])))


@functools.cache
def _say_once(dataset: str, what: str, fields: frozenset[str]) -> None:
    if fields:
        log.warning("%s: %s fields %s", PATHS[dataset], what, ", ".join(sorted(fields)))


def _column(dataset: str, name: str, kind: pl.DataType, rows: list[dict]) -> pl.Series:
    values = [row.get(name) for row in rows]
    if kind == pl.Float64 and all(type(value) is float or value is None for value in values):
        return pl.Series(name, values, dtype=kind)
    texts = pl.Series(name, [_text(value) for value in values], dtype=pl.String)
    try:
        return _cast(texts, kind)
    except pl.exceptions.PolarsError:
        bad = next(text for text in texts.unique(maintain_order=True) if not _fits(text, kind))
        raise run.UserError(
            f"{PATHS[dataset]} answered {bad!r} in the field {name}, which is not a {kind}"
        ) from None


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _cast(texts: pl.Series, kind: pl.DataType) -> pl.Series:
    if kind == pl.Date:
        return texts.str.to_date("%Y-%m-%d")
    if kind == pl.Boolean:
        return texts.replace_strict({"true": True, "false": False}, return_dtype=kind)
    return texts.cast(kind)


def _fits(text: str | None, kind: pl.DataType) -> bool:
    try:
        _cast(pl.Series([text], dtype=pl.String), kind)
    except pl.exceptions.PolarsError:
        return False
    return True
