"""The families of feature columns: a row each, and a module of the same name in `features`.

A row says what a family reads; rules, kernels, catalogue and tests find the family by it. `panel`
and `graphs` are files of the build, all other inputs raw data sets.
"""

from dataclasses import dataclass

Names = tuple[str, ...]

BUILT = ("panel", "graphs")


@dataclass(frozen=True)
class Read:
    """What a family reads of one input.

    look_back   sessions before the span
    fields      of a raw data set; none of the build's own files, which are read in full
    key         fields of which the newest row counts that was known on its own session; without
                them all rows are handed over, and the family decides which count
    published   whether the rows say, on any clock, when the market could read them
    """

    look_back: int
    fields: Names = ()
    key: Names = ()
    published: bool = False


def _names(text: str) -> Names:
    return tuple(text.split())


CALENDAR = _names("Date HolDiv")
SHARES = _names("Code DiscDate CurPerEn ShOutFY TrShFY")
FILINGS = _names(
    """
    Code DiscDate DiscNo DocType CurPerType CurPerSt CurPerEn CurFYSt CurFYEn NxtFYSt NxtFYEn
    ChgAcEst Sales OP NP EPS TA EqAR ShEq BPS ShOutFY TrShFY AvgSh
    FSales FOP FOdP FNP FEPS FSales2Q FOP2Q FOdP2Q FNP2Q FEPS2Q
    FNCSales FNCOP FNCOdP FNCNP FNCEPS FNCSales2Q FNCOP2Q FNCOdP2Q FNCNP2Q FNCEPS2Q
    FDiv1Q FDiv2Q FDiv3Q FDivFY FDivAnn FDivTotalAnn FPayoutRatioAnn
    NxFOP NxFNp NxFEPS NxFDivAnn NxFOP2Q NxFNp2Q
    """
)
TRADING_BY_INVESTORS = _names(
    """
    PubDate EnDate Section
    PropBal IndBal FrgnBal SecCoBal BusCoBal OthCoBal InvTrBal InsCoBal BankBal TrstBnkBal OthFinBal
    BrkBal TotTot BrkTot IndTot FrgnTot InvTrTot InsCoTot BankTot TrstBnkTot OthFinTot
    """
)
CHAINS = _names("Date Code EmMrgnTrgDiv PCDiv Strike SQD Vo OI Va UnderPx IV IR")
SHORT_REPORTS = _names("DiscDate CalcDate Code SSName DICName FundName ShrtPosToSO ShrtPosShares")
SHORT_SALES = _names("Date S33 SellExShortVa ShrtWithResVa ShrtNoResVa")
MARGIN_BALANCES = _names("PubDate Date Code LongVol ShrtVol LongStdVol ShrtStdVol")
MARGIN_ALERTS = _names("PubDate AppDate Code LongOut ShrtOut PubReason TSEMrgnRegCls")

TOPIX = Read(1020, _names("Date H L C"), key=("Date",))

FAMILIES: dict[str, dict[str, Read]] = {
    "technical": {
        "panel": Read(1020),
        "calendar": Read(820, CALENDAR),
        "summary": Read(320, SHARES),
    },
    "market": {"panel": Read(1020), "topix": TOPIX},
    "relative": {"panel": Read(1020), "topix": TOPIX},
    "sector": {"panel": Read(320)},
    "flow": {"panel": Read(25), "investor_types": Read(320, TRADING_BY_INVESTORS)},
    "statement": {"panel": Read(600), "summary": Read(600, FILINGS)},
    "earnings": {
        "panel": Read(250),
        "calendar": Read(250, CALENDAR),
        "summary": Read(820, FILINGS, published=True),
        "earnings_date": Read(250, _names("SchDate FQName FYE Code")),
        "earnings_calendar": Read(250, _names("Date Code FY FQ ReadOn")),
    },
    "option": {"panel": Read(250), "options_225": Read(250, CHAINS)},
    "index": {
        "panel": Read(250),
        "indices": Read(250, _names("Date Code H L C"), key=("Date", "Code")),
    },
    "short": {
        "panel": Read(270),
        "short_sale": Read(270, SHORT_REPORTS),
        "short_ratio": Read(70, SHORT_SALES),
    },
    "listed": {
        "panel": Read(320),
        "master": Read(0, _names("Date Code ScaleCat Mrgn"), key=("Date", "Code")),
        "summary": Read(320, SHARES),
    },
    "margin": {
        "panel": Read(320),
        "margin_interest": Read(320, MARGIN_BALANCES),
        "margin_alert": Read(25, MARGIN_ALERTS),
        "summary": Read(320, SHARES),
    },
    "graph": {"panel": Read(25), "graphs": Read(0)},
    "user": {"panel": Read(820)},
}


def module_of(family: str) -> str:
    """Name the module that computes `family`."""
    return f"gogooku.features.{family}"


def called_of(family: str) -> list[str]:
    """Name the definitions in a family's module that the script calls."""
    return [f"{module_of(family)}:{name}" for name in ("compute", "COLUMNS")]
