"""What follows from the simulated filings: valuations and full accounts."""

import numpy as np
import polars as pl
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.market.listings import Floats, Listings
from simulated_exchange.market.margin import last_price
from simulated_exchange.market.prices import Bars
from simulated_exchange.market.summary import TREASURY

STATEMENT = pl.col("DocType").str.contains("Statements")


# --- valuation


def valuation(listings: Listings, bars: Bars, summary: pl.DataFrame) -> pl.DataFrame:
    """Write per-share values and ratios of each session [JPY, fraction, times, million JPY].

    A filing counts from the session after its disclosure. Without a trade the last close stands.
    Other issues than common stock have no values.
    """
    session, issue = at = listings.served()
    shares = (listings.shares * (1 - TREASURY))[at]
    price = last_price(bars, listings)[at]
    profit, equity, guided = (_standing(listings, rows)[at] for rows in _known_accounts(summary))
    common = listings.common[issue]
    found = {
        "EPS": profit / shares,
        "FwdEPS": guided / shares,
        "BPS": equity / shares,
        "ROE": profit / equity,
        "FwdROE": guided / equity,
    }
    found |= {
        f"{name}PER": price / np.where(found[f"{name}EPS"] > 0, found[f"{name}EPS"], np.nan)
        for name in ("", "Fwd")
    }
    found |= {"PBR": price / found["BPS"], "MktCap": price * shares / 1e6}
    digits = {"ROE": 4, "FwdROE": 4, "MktCap": 1}
    rows = pl.DataFrame({
        "Date": listings.days[session],
        "Code": listings.names(issue),
        **{
            name: np.where(common, np.round(value, digits.get(name, 2)), np.nan)
            for name, value in found.items()
        },
    }, nan_to_null=True)  # fmt: skip
    return rows.select(*DATASETS["valuation"].schema)


def _known_accounts(summary):
    """Filings that tell a trailing year's profit, equity, and the profit of the running year."""
    rows = summary.sort("DiscNo")
    return [
        frame.drop_nulls("value")
        for frame in (
            _trailing(rows.filter(STATEMENT)),
            rows.select("DiscDate", "Code", value="ShEq"),
            rows.select("DiscDate", "Code", value=pl.coalesce("NxFNp", "FNP")),
        )
    ]


def _trailing(rows):
    """Profit of four quarters [JPY]: this year's, last year's, less its like quarters."""
    first = rows.unique(["Code", "CurPerEn"], keep="first", maintain_order=True)
    past = first.select("Code", "CurPerType", "NP", year=pl.col("CurFYEn").dt.year() + 1)
    whole = past.filter(pl.col("CurPerType") == "FY").select("Code", "year", whole="NP")
    like = past.select("Code", "CurPerType", "year", like="NP")
    joined = (
        rows.with_columns(year=pl.col("CurFYEn").dt.year())
        .join(whole, on=["Code", "year"], how="left", maintain_order="left")
        .join(like, on=["Code", "year", "CurPerType"], how="left", maintain_order="left")
    )
    running = pl.col("NP") + pl.col("whole") - pl.col("like")
    value = pl.when(pl.col("CurPerType") == "FY").then(pl.col("NP")).otherwise(running)
    return joined.select("DiscDate", "Code", value=value)


def _standing(listings: Listings, rows: pl.DataFrame) -> Floats:
    """(T, N) newest value of rows (DiscDate, Code, value) from the session after each on."""
    session = np.searchsorted(listings.days, rows["DiscDate"].to_numpy(), side="right")
    issue = np.searchsorted(listings.codes, rows["Code"].to_numpy().astype(str))
    served = session < len(listings.days)
    newest = np.full(listings.listed.shape, -1)
    np.maximum.at(newest, (session[served], issue[served]), np.flatnonzero(served))
    newest = np.maximum.accumulate(newest, axis=0)
    return np.append(rows["value"].to_numpy(), np.nan)[newest]


# --- full accounts


def details(summary: pl.DataFrame) -> pl.DataFrame:
    """Write the accounts of statements as JSON objects of the taxonomy's English labels.

    Filers under US rules tag none.
    """
    rows = summary.filter(STATEMENT & ~pl.col("DocType").str.ends_with("US"))
    flows = pl.col("CFO").is_not_null()
    groups = [
        _accounts(
            rows.filter(pl.col("DocType").str.ends_with(rules) & (flows == with_flows)),
            rules,
            with_flows,
        )
        for rules in ("JP", "IFRS")
        for with_flows in (False, True)
    ]  # fmt: skip
    fields = DATASETS["details"]
    return pl.concat(groups).select(*fields.schema).sort(fields.key)


def _accounts(rows, rules, with_flows):
    entries = _identity(rules) | (_international() if rules == "IFRS" else _local())
    if with_flows:
        entries |= _cash_flows(rules)
    texts = [text.alias(label) for label, text in entries.items()]
    return rows.with_columns(FS=pl.struct(texts).struct.json_encode())


def _identity(rules):
    """Entries about the document; a name is that of the company."""
    consolidated = ~pl.col("DocType").str.contains("NonConsolidated")
    before = pl.col("CurFYSt").dt.offset_by("-1y")
    day = {
        "Current fiscal year start date, DEI": pl.col("CurFYSt"),
        "Current period end date, DEI": pl.col("CurPerEn"),
        "Current fiscal year end date, DEI": pl.col("CurFYEn"),
        "Previous fiscal year start date, DEI": before,
        "Previous fiscal year end date, DEI": pl.col("CurFYSt").dt.offset_by("-1d"),
    }
    return {
        "Security code, DEI": pl.col("Code"),
        "Filer name in English, DEI": pl.format("Simulated {}", pl.col("Code").str.head(4)),
        "Accounting standards, DEI": pl.lit("IFRS" if rules == "IFRS" else "Japan GAAP"),
        "Whether consolidated financial statements are prepared, DEI": pl.when(consolidated)
        .then(pl.lit("true"))
        .otherwise(pl.lit("false")),
        "Type of current period, DEI": pl.col("CurPerType").str.replace("2Q", "Q2"),
        **{label: date.dt.to_string("%Y-%m-%d") for label, date in day.items()},
        "Amendment flag, DEI": pl.lit("false"),
    }


def _text(amount):
    return amount.cast(pl.Int64).cast(pl.String)


def _share(whole, share):
    """Part of an amount [JPY, to the million]."""
    return (whole * share / 1e6).round() * 1e6


def _sheet():
    """Parts of the balance sheet [JPY]: assets and what they are owed to add up."""
    assets, equity = pl.col("TA"), pl.col("Eq")
    liabilities = assets - equity
    current, due = _share(assets, 0.55), _share(liabilities, 0.6)
    cash, goods = pl.col("CashEq"), _share(assets, 0.12)
    return {
        "cash": cash,
        "inventories": goods,
        "receivables": current - cash - goods,
        "current": current,
        "tangible": _share(assets, 0.3),
        "intangible": assets - current - _share(assets, 0.3),
        "fixed": assets - current,
        "assets": assets,
        "due": due,
        "long": liabilities - due,
        "liabilities": liabilities,
        "capital": _share(pl.col("ShEq"), 0.25),
        "retained": pl.col("ShEq") - _share(pl.col("ShEq"), 0.25),
        "owners": pl.col("ShEq"),
        "minorities": equity - pl.col("ShEq"),
        "equity": equity,
    }


def _income():
    sales, profit = pl.col("Sales"), pl.col("OP")
    overhead = _share(sales, 0.2)
    return {"sales": sales, "cost": sales - profit - overhead, "overhead": overhead,
            "gross": profit + overhead, "operating": profit}  # fmt: skip


def _local():
    part = _sheet() | _income()
    ordinary, net = pl.col("OdP"), pl.col("NP")
    return {label: _text(amount) for label, amount in {
        "Cash and deposits": part["cash"],
        "Notes and accounts receivable - trade": part["receivables"],
        "Inventories": part["inventories"],
        "Current assets": part["current"],
        "Property, plant and equipment": part["tangible"],
        "Intangible assets": part["intangible"],
        "Non-current assets": part["fixed"],
        "Assets": part["assets"],
        "Current liabilities": part["due"],
        "Non-current liabilities": part["long"],
        "Liabilities": part["liabilities"],
        "Share capital": part["capital"],
        "Retained earnings": part["retained"],
        "Shareholders' equity": part["owners"],
        "Non-controlling interests": part["minorities"],
        "Net assets": part["equity"],
        "Liabilities and net assets": part["assets"],
        "Net sales": part["sales"],
        "Cost of sales": part["cost"],
        "Gross profit (loss)": part["gross"],
        "Selling, general and administrative expenses": part["overhead"],
        "Operating profit (loss)": part["operating"],
        "Ordinary profit (loss)": ordinary,
        "Income taxes": ordinary - net,
        "Profit (loss) attributable to owners of parent": net,
    }.items()}  # fmt: skip


def _international():
    part = _sheet() | _income()
    return {f"{label} (IFRS)": _text(amount) for label, amount in {
        "Cash and cash equivalents": part["cash"],
        "Trade and other receivables - CA": part["receivables"],
        "Inventories - CA": part["inventories"],
        "Current assets": part["current"],
        "Property, plant and equipment": part["tangible"],
        "Goodwill and intangible assets": part["intangible"],
        "Non-current assets": part["fixed"],
        "Assets": part["assets"],
        "Current liabilities": part["due"],
        "Non-current liabilities": part["long"],
        "Liabilities": part["liabilities"],
        "Share capital": part["capital"],
        "Retained earnings": part["retained"],
        "Equity attributable to owners of parent": part["owners"],
        "Non-controlling interests": part["minorities"],
        "Equity": part["equity"],
        "Liabilities and equity": part["assets"],
        "Revenue": part["sales"],
        "Cost of sales": part["cost"],
        "Gross profit": part["gross"],
        "Selling, general and administrative expenses": part["overhead"],
        "Operating profit (loss)": part["operating"],
        "Profit (loss) attributable to owners of parent": pl.col("NP"),
    }.items()}  # fmt: skip


def _cash_flows(rules):
    ending = " (IFRS)" if rules == "IFRS" else ""
    names = {"operating": "CFO", "investing": "CFI", "financing": "CFF"}
    return {
        f"Net cash provided by (used in) {kind} activities{ending}": _text(pl.col(field))
        for kind, field in names.items()
    }
