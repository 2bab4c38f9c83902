"""The data sets of the J-Quants API V2: fields, units, keys, plans, and how each is asked for.

One entry a data set, in one notation. A line of `fields` is a unit, then names in the vendor's
order; a name ends in `!` if every row has a value there, in `?` if the vendor may leave the whole
field out (session prices below Premium, fields added in 2026). All other fields are present and
may be empty. Units: `text`, `date`, `flag` and `object` (JSON text) are what they say, all others
are numbers. `ReadOn` is ours: the day on which something was read that only now can be asked for.

When a row is known stands in config/availability.yaml.

Source: the vendor's specification, https://jpx-jquants.com/spec/, of 2026.
"""

import datetime as dt

from gogooku.raw.dataset import DataSet
from gogooku.raw.dataset import entry as _entry

DAILY_MARGIN = dt.date(2026, 9, 25)
"""First balance day of daily margin balances; until then one a week, its last session."""

HALTED = dt.date(2020, 10, 1)
"""The session on which the exchange's system failed and nothing traded."""

GROUPS = "Prop Brk Tot Ind Frgn SecCo InvTr BusCo OthCo InsCo Bank TrstBnk OthFin".split()
"""Investor types: proprietary, brokerage, total, individuals, foreigners, …"""

_SESSION = "O H L C UL LL Vo Va AdjO AdjH AdjL AdjC AdjVo".split()
_ADJUSTED = frozenset(
    half + field for half in ("", "M", "A") for field in _SESSION if field.startswith("Adj")
)

_OPTION_TAIL = """
    number Strike
    contracts VoOA
    text EmMrgnTrgDiv! PCDiv!
    date LTD SQD
    points Settle Theo
    percent BaseVol
    points UnderPx
    percent IV IR
"""

_ENTRIES = [
    _entry(
        "calendar", "/markets/calendar", "free", "2008-01-01",
        """
        date Date!
        text HolDiv!
        """,
        request="range", key="Date", served="00:00",
    ),
    _entry(
        "master", "/equities/master", "free", "2008-05-07",
        """
        date Date!
        text Code! CoName CoNameEn S17 S17Nm S33 S33Nm ScaleCat Mkt! MktNm Mrgn MrgnNm ProdCat!
        """,
        key="Date Code", served="08:00", reread=1,
    ),
    _entry(
        "bars", "/equities/bars/daily", "free", "2008-05-07",
        """
        date Date!
        text Code!
        JPY O H L C
        text UL LL
        shares Vo
        JPY Va
        factor AdjFactor!
        JPY MO? MH? ML? MC?
        text MUL? MLL?
        shares MVo?
        JPY MVa? AO? AH? AL? AC?
        text AUL? ALL?
        shares AVo?
        JPY AVa?
        text ExRT?
        """,
        key="Date Code", served="16:30", reread=5, ignored=_ADJUSTED | {"MktCap"},
    ),
    _entry(
        "bars_am", "/equities/bars/daily/am", "premium", "2008-05-07",
        """
        date Date!
        text Code!
        JPY MO MH ML MC
        shares MVo
        JPY MVa
        date ReadOn?
        """,
        request="now", day="ReadOn", key="ReadOn Date Code", served="12:00", bulk=False,
    ),
    _entry(
        "bars_minute", "/equities/bars/minute", "minute", "2024-01-01",
        """
        date Date!
        text Time! Code!
        JPY O H L C
        shares Vo
        JPY Va
        """,
        key="Date Time Code", served="16:30", reread=5,
    ),
    _entry(
        "valuation", "/equities/valuation", "light", "2008-05-07",
        """
        date Date!
        text Code!
        JPY EPS FwdEPS BPS
        fraction ROE FwdROE
        times PER FwdPER PBR
        MJPY MktCap
        """,
        key="Date Code", served="16:30", reread=5,
    ),
    _entry(
        "investor_types", "/equities/investor-types", "light", "2008-01-16",
        "date PubDate! StDate! EnDate!\ntext Section!\nkJPY "
        + " ".join(group + side for group in GROUPS for side in ("Sell", "Buy", "Tot", "Bal")),
        request="range", key="PubDate Section StDate EnDate", served="16:30", reread=40,
        empty=True, margin=14,
    ),
    _entry(
        "earnings_calendar", "/equities/earnings-calendar", "free", "2008-05-07",
        """
        date Date
        text Code! CoName FY SectorNm FQ Section
        date ReadOn?
        """,
        request="now", day="ReadOn", key="ReadOn Date Code", served="19:00", empty=True, bulk=False,
    ),
    _entry(
        "earnings_date", "/fins/earnings-date", "light", "2014-09-01",
        """
        date PubDate! SchDate
        text FQName! FYE! Code! CoName CoNameEn
        """,
        key="PubDate Code FQName FYE", served="10:05", reread=1, empty=True,
    ),
    _entry(
        "summary", "/fins/summary", "free", "2008-07-07",
        """
        date DiscDate!
        text DiscTime Code! DiscNo! DocType! CurPerType
        date CurPerSt CurPerEn CurFYSt CurFYEn NxtFYSt NxtFYEn
        JPY Sales OP OdP NP EPS DEPS TA Eq
        fraction EqAR
        JPY BPS CFO CFI CFF CashEq Div1Q Div2Q Div3Q DivFY DivAnn DivUnit DivTotalAnn
        fraction PayoutRatioAnn
        JPY FDiv1Q FDiv2Q FDiv3Q FDivFY FDivAnn FDivUnit FDivTotalAnn
        fraction FPayoutRatioAnn
        JPY NxFDiv1Q NxFDiv2Q NxFDiv3Q NxFDivFY NxFDivAnn NxFDivUnit
        fraction NxFPayoutRatioAnn
        JPY FSales2Q FOP2Q FOdP2Q FNP2Q FEPS2Q NxFSales2Q NxFOP2Q NxFOdP2Q NxFNp2Q NxFEPS2Q
        JPY FSales FOP FOdP FNP FEPS NxFSales NxFOP NxFOdP NxFNp NxFEPS
        flag MatChgSub SigChgInC ChgByASRev ChgNoASRev ChgAcEst RetroRst
        shares ShOutFY TrShFY AvgSh
        JPY NCSales NCOP NCOdP NCNP NCEPS NCTA NCEq
        fraction NCEqAR
        JPY NCBPS FNCSales2Q FNCOP2Q FNCOdP2Q FNCNP2Q FNCEPS2Q NxFNCSales2Q NxFNCOP2Q
        JPY NxFNCOdP2Q NxFNCNP2Q NxFNCEPS2Q FNCSales FNCOP FNCOdP FNCNP FNCEPS NxFNCSales
        JPY NxFNCOP NxFNCOdP NxFNCNP NxFNCEPS ShEq? NCShEq?
        fraction ROE? NCROE?
        """,
        key="DiscDate Code DiscTime DiscNo", served="24:30", reread=2, empty=True,
    ),
    _entry(
        "details", "/fins/details", "premium", "2009-01-13",
        """
        date DiscDate!
        text DiscTime Code! DiscNo! DocType!
        object FS
        """,
        key="DiscDate Code DiscTime DiscNo", served="24:30", reread=2, empty=True,
    ),
    _entry(
        "dividend", "/fins/dividend", "premium", "2013-02-20",
        """
        date PubDate!
        text PubTime Code! RefNo! StatCode!
        date BoardDate
        text IFCode FRCode IFTerm
        JPY DivRate
        date RecDate ExDate ActRecDate PayDate
        text CARefNo
        JPY DistAmt RetEarn DeemDiv DeemCapGains
        fraction NetAssetDecRatio
        text CommSpecCode
        JPY CommDivRate SpecDivRate
        """,
        key="PubDate Code RefNo", served="19:00", reread=1, empty=True,
    ),
    _entry(
        "indices", "/indices/bars/daily", "standard", "2008-05-07",
        """
        date Date!
        text Code!
        points O H L C
        """,
        key="Date Code", served="16:30", reread=5,
    ),
    _entry(
        "topix", "/indices/bars/daily/topix", "light", "2008-05-07",
        """
        date Date!
        points O H L C
        """,
        request="range", key="Date", served="16:30", reread=5,
    ),
    _entry(
        "margin_interest", "/markets/margin-interest", "standard", "2012-02-10",
        """
        date PubDate? Date!
        text Code! IssType
        shares ShrtVol LongVol ShrtNegVol LongNegVol ShrtStdVol LongStdVol
        JPY ShrtVal? LongVal? ShrtNegVal? LongNegVal? ShrtStdVal? LongStdVal?
        """,
        request="week", day="Date", key="Date Code PubDate", served="16:30", delay=2, reread=5,
    ),
    _entry(
        "margin_alert", "/markets/margin-alert", "standard", "2008-05-08",
        """
        date PubDate!
        text Code!
        date AppDate!
        object PubReason
        shares ShrtOut ShrtOutChg
        percent ShrtOutRatio
        shares LongOut LongOutChg
        percent LongOutRatio SLRatio
        shares ShrtNegOut ShrtNegOutChg ShrtStdOut ShrtStdOutChg LongNegOut LongNegOutChg
        shares LongStdOut LongStdOutChg
        text TSEMrgnRegCls
        """,
        key="PubDate Code AppDate", served="16:30", reread=5, empty=True,
    ),
    _entry(
        "short_ratio", "/markets/short-ratio", "standard", "2008-11-05",
        """
        date Date!
        text S33!
        JPY SellExShortVa ShrtWithResVa ShrtNoResVa
        """,
        key="Date S33", served="16:30", reread=5, traded=True,
    ),
    _entry(
        "short_sale", "/markets/short-sale-report", "standard", "2013-11-07",
        """
        date DiscDate! CalcDate!
        text Code! SSName SSAddr DICName DICAddr FundName
        fraction ShrtPosToSO
        shares ShrtPosShares
        units ShrtPosUnits
        date PrevRptDate
        fraction PrevRptRatio
        text Notes
        """,
        query="disc_date", served="17:30", reread=5, empty=True, unnamed=True,
        key="DiscDate CalcDate Code SSName DICName FundName",
    ),
    _entry(
        "breakdown", "/markets/breakdown", "premium", "2015-04-01",
        """
        date Date!
        text Code!
        JPY LongSellVa ShrtNoMrgnVa MrgnSellNewVa MrgnSellCloseVa LongBuyVa MrgnBuyNewVa
        JPY MrgnBuyCloseVa
        shares LongSellVo ShrtNoMrgnVo MrgnSellNewVo MrgnSellCloseVo LongBuyVo MrgnBuyNewVo
        shares MrgnBuyCloseVo
        """,
        key="Date Code", served="18:00", reread=5, traded=True,
    ),
    _entry(
        "options_225", "/derivatives/bars/daily/options/225", "standard", "2008-05-07",
        """
        date Date!
        text Code!
        points O H L C EO EH EL EC AO AH AL AC
        contracts Vo OI
        JPY Va
        text CM
        """ + _OPTION_TAIL,
        key="Date Code EmMrgnTrgDiv", served="27:00", reread=5,
    ),
    _entry(
        "futures", "/derivatives/bars/daily/futures", "premium", "2008-05-07",
        """
        text Code! ProdCat
        date Date!
        points O H L C MO MH ML MC EO EH EL EC AO AH AL AC
        contracts Vo OI
        JPY Va
        text CM
        contracts VoOA
        text EmMrgnTrgDiv!
        date LTD SQD
        points Settle
        text CCMFlag
        """,
        key="Date Code EmMrgnTrgDiv", served="27:00", reread=5,
    ),
    _entry(
        "options", "/derivatives/bars/daily/options", "premium", "2008-05-07",
        """
        text Code! ProdCat UndSSO
        date Date!
        points O H L C MO MH ML MC EO EH EL EC AO AH AL AC
        contracts Vo OI
        JPY Va
        text CM
        """ + _OPTION_TAIL + "text CCMFlag",
        key="Date Code EmMrgnTrgDiv", served="27:00", reread=5,
    ),
]  # fmt: skip

DATASETS: dict[str, DataSet] = {entry.name: entry for entry in _ENTRIES}
"""Name → data set, as in data/raw/<store>/<name>/."""
