"""Files, columns and words of the public JPX Kaggle data set, and what the vendor calls them.

Sources: the data set's `data_specifications`; the vendor's list of V1 and V2 field names.
"""

import polars as pl

from gogooku.raw.catalogue import DATASETS

SECTIONS = {
    "First Section (Domestic)": "0101",
    "First Section (Foreign)": "0101",
    "Second Section(Domestic)": "0102",
    "Second Section(Foreign)": "0102",
    "Mothers (Domestic)": "0104",
    "Mothers (Foreign)": "0104",
    "PRO Market": "0105",
    "JASDAQ(Standard / Domestic)": "0106",
    "JASDAQ(Standard / Foreign)": "0106",
    "JASDAQ(Growth/Domestic)": "0107",
    "JASDAQ(Growth/Foreign)": "0107",
    "ETFs/ ETNs": "0109",
    "REIT, Venture Funds, Country Funds and Infrastructure Funds": "0109",
}
"""Section or product of the snapshot → market before the reform of 2022-04-04."""

SEGMENTS = {"Prime Market": "0111", "Standard Market": "0112", "Growth Market": "0113"}
"""Segment of the snapshot → market since the reform."""

PRODUCTS = {"ETFs/ ETNs": "014"} | {
    section: "013" if "REIT" in section else "021" if "Foreign" in section else "011"
    for section in SECTIONS
    if not section.startswith("ETF")
}
"""Section or product of the snapshot → product: 011 domestic stock, 021 foreign stock, 013 REIT,
014 ETF."""

TRADED = {
    "Prime Market (First Section)": ("TSE1st", "TSEPrime"),
    "Standard Market (Second Section)": ("TSE2nd", "TSEStandard"),
    "Growth Market (Mothers/JASDAQ)": ("TSEMothers", "TSEGrowth"),
}
"""Section of the weekly trading → its names at the vendor before and since the reform."""

BARS = {
    "Date": "Date",
    "SecuritiesCode": "Code",
    "Open": "O",
    "High": "H",
    "Low": "L",
    "Close": "C",
    "Volume": "Vo",
    "AdjustmentFactor": "AdjFactor",
}

LISTED = {
    "SecuritiesCode": "Code",
    "Name": "CoNameEn",
    "Section/Products": "section",
    "NewMarketSegment": "segment",
    "33SectorCode": "S33",
    "17SectorCode": "S17",
    "NewIndexSeriesSize": "ScaleCat",
}

FILED = {
    "DisclosedDate": "DiscDate",
    "DisclosedTime": "DiscTime",
    "SecuritiesCode": "Code",
    "DisclosureNumber": "DiscNo",
    "TypeOfDocument": "DocType",
    "TypeOfCurrentPeriod": "CurPerType",
    "CurrentPeriodEndDate": "CurPerEn",
    "CurrentFiscalYearStartDate": "CurFYSt",
    "CurrentFiscalYearEndDate": "CurFYEn",
    "NetSales": "Sales",
    "OperatingProfit": "OP",
    "OrdinaryProfit": "OdP",
    "Profit": "NP",
    "EarningsPerShare": "EPS",
    "TotalAssets": "TA",
    "Equity": "Eq",
    "EquityToAssetRatio": "EqAR",
    "BookValuePerShare": "BPS",
    "ResultDividendPerShare1stQuarter": "Div1Q",
    "ResultDividendPerShare2ndQuarter": "Div2Q",
    "ResultDividendPerShare3rdQuarter": "Div3Q",
    "ResultDividendPerShareFiscalYearEnd": "DivFY",
    "ResultDividendPerShareAnnual": "DivAnn",
    "ForecastDividendPerShare1stQuarter": "FDiv1Q",
    "ForecastDividendPerShare2ndQuarter": "FDiv2Q",
    "ForecastDividendPerShare3rdQuarter": "FDiv3Q",
    "ForecastDividendPerShareFiscalYearEnd": "FDivFY",
    "ForecastDividendPerShareAnnual": "FDivAnn",
    "ForecastNetSales": "FSales",
    "ForecastOperatingProfit": "FOP",
    "ForecastOrdinaryProfit": "FOdP",
    "ForecastProfit": "FNP",
    "ForecastEarningsPerShare": "FEPS",
    "MaterialChangesInSubsidiaries": "MatChgSub",
    "ChangesBasedOnRevisionsOfAccountingStandard": "ChgByASRev",
    "ChangesOtherThanOnesBasedOnRevisionsOfAccountingStandard": "ChgNoASRev",
    "ChangesInAccountingEstimates": "ChgAcEst",
    "RetrospectiveRestatement": "RetroRst",
    "NumberOfIssuedAndOutstandingSharesAtTheEndOfFiscalYearIncludingTreasuryStock": "ShOutFY",
    "NumberOfTreasuryStockAtTheEndOfFiscalYear": "TrShFY",
    "AverageNumberOfShares": "AvgSh",
}

DOCUMENTS = {
    "ForecastRevision": "EarnForecastRevision",
    "ForecastRevision_REIT": "REITEarnForecastRevision",
    "FYFinancialStatements_REIT": "FYFinancialStatements_Consolidated_REIT",
}

GUIDANCE = {
    field: f"Nx{field}"
    for field in "FDiv1Q FDiv2Q FDiv3Q FDivFY FDivAnn FSales FOP FOdP FNP FEPS".split()
} | {"FNP": "NxFNp"}
"""A full year's results come with guidance for the next one: the layout keeps it in the forecast
fields, the vendor's V2 in fields of their own."""

INVESTORS = {
    "Total": "Tot",
    "Proprietary": "Prop",
    "Brokerage": "Brk",
    "Individuals": "Ind",
    "Foreigners": "Frgn",
    "SecuritiesCos": "SecCo",
    "InvestmentTrusts": "InvTr",
    "BusinessCos": "BusCo",
    "OtherInstitutions": "OthCo",
    "InsuranceCos": "InsCo",
    "CityBKsRegionalBKsEtc": "Bank",
    "TrustBanks": "TrstBnk",
    "OtherFinancialInstitutions": "OthFin",
}
SIDES = {"Sales": "Sell", "Purchases": "Buy", "Total": "Tot", "Balance": "Bal"}
MISSPELT = {"CityBKsRegionalBKsEtcPurchases": "CityBKsRegionalBKsEtcPurchase"}
WEEKLY = {"Date": "PubDate", "StartDate": "StDate", "EndDate": "EnDate", "Section": "Section"} | {
    MISSPELT.get(group + side, group + side): short + sign
    for group, short in INVESTORS.items()
    for side, sign in SIDES.items()
}

KINDS = {
    "SecuritiesCode": "code",
    "DisclosedTime": "time",
    **{name: "day" for name in (*FILED, *WEEKLY) if name.endswith("Date")},
    **dict.fromkeys(["DisclosureNumber", "33SectorCode", "17SectorCode"], "digits"),
    **dict.fromkeys(["TypeOfDocument", "TypeOfCurrentPeriod", "Section", "Name"], "text"),
    **dict.fromkeys(["Section/Products", "NewMarketSegment", "NewIndexSeriesSize"], "text"),
    **{it: "truth" for it in FILED if DATASETS["summary"].schema[FILED[it]] == pl.Boolean},
}
"""Column → what its cells are; a number where it is not named. Digits are those of a name."""
