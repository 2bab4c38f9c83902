"""Tables of the simulated exchange beside prices and filings: forms, sums, what they follow."""

import datetime as dt
import functools
import json

import numpy as np
import polars as pl
import pytest
from gogooku import calendar, point_in_time
from gogooku.raw.catalogue import DATASETS
from helpers.dense import CLOSES, RULES
from polars.testing import assert_frame_equal
from scipy.stats import norm
from simulated_exchange.market import simulation
from simulated_exchange.market.listings import SECTORS

OLD = {"seed": 3, "start": dt.date(2020, 7, 1), "end": dt.date(2022, 12, 28), "stocks": 60}
NEW = {"seed": 4, "start": dt.date(2025, 7, 1), "end": dt.date(2026, 11, 20), "stocks": 60}
PARTS = {"reversal": 15, "drift": 15, "lead_lag": 25, "cycle": 15}
TABLES = [name for name in DATASETS if name not in ("bars_am", "bars_minute")]
OUTAGE = dt.date(2020, 10, 1)
DAILY = dt.date(2026, 9, 25)


@functools.cache
def market(era):
    return simulation.simulate(**{"old": OLD, "new": NEW}[era], parts=PARTS)


@functools.cache
def table(dataset, era="old"):
    return market(era).tables[dataset]


def sessions(era):
    rows = table("calendar", era)
    return calendar.Sessions.of(rows["Date"], rows["HolDiv"].to_list()).days


def days(era):
    return table("topix", era)["Date"]


def after(day, steps, era):
    """Session so many steps after each of `day`."""
    every = sessions(era)
    return every[np.searchsorted(every, day.to_numpy()) + steps]


# --- all of them


@pytest.mark.parametrize("era", ["old", "new"])
@pytest.mark.parametrize("dataset", TABLES)
def test_a_table_has_the_vendors_fields_and_keys(dataset, era):
    rows, entry = table(dataset, era), DATASETS[dataset]
    assert dict(rows.schema) == entry.schema
    assert len(rows) and rows.select(entry.order).is_unique().all()
    assert rows.equals(rows.sort(entry.order))
    assert not rows.select(entry.filled).null_count().sum_horizontal().item()
    numbers = rows.select(pl.col(pl.Float64))
    assert not numbers.select(pl.any_horizontal(pl.all().is_nan().any())).item()
    assert numbers.select(pl.any_horizontal(pl.all().is_infinite().any())).item() is not True


@pytest.mark.parametrize("dataset", TABLES)
def test_the_rules_tell_when_each_row_is_known(dataset):
    rows = point_in_time.stamp(table(dataset), RULES.datasets[dataset], CLOSES, sessions("old"))
    assert rows["known_at"].null_count() == rows["served_at"].null_count() == 0


def test_a_table_is_the_same_whatever_else_is_asked_for():
    alone = simulation.simulate(**OLD, parts=PARTS, datasets=["margin_alert", "options_225"])
    assert list(alone.tables) == ["margin_alert", "options_225"]
    for dataset, rows in alone.tables.items():
        assert_frame_equal(rows, table(dataset), check_exact=True)


# --- sessions of a day


def test_morning_and_afternoon_make_the_day():
    rows = table("bars").filter(pl.col("C").is_not_null())
    both = rows.drop_nulls(["MC", "AC"])
    assert (rows["MVo"].fill_null(0) + rows["AVo"].fill_null(0)).equals(rows["Vo"])
    assert (rows["MVa"].fill_null(0) + rows["AVa"].fill_null(0)).equals(rows["Va"])
    assert rows.select((pl.max_horizontal("MH", "AH") == pl.col("H")).all()).item()
    assert rows.select((pl.min_horizontal("ML", "AL") == pl.col("L")).all()).item()
    assert rows.select((pl.coalesce("MO", "AO") == pl.col("O")).all()).item()
    assert rows.select((pl.coalesce("AC", "MC") == pl.col("C")).all()).item()
    assert len(both) > 0.95 * len(rows)
    assert (both["MH"] < both["H"]).any() and (both["AH"] < both["H"]).any()


@pytest.mark.parametrize("half", ["M", "A"])
def test_a_session_is_whole_or_absent_and_in_order(half):
    rows = table("bars")
    fields = [half + name for name in ("O", "H", "L", "C", "Vo", "Va")]
    empty = rows.select(pl.sum_horizontal(pl.col(fields).is_null())).to_series()
    assert set(empty) == {0, len(fields)}
    part = rows.drop_nulls(half + "C").select(
        pl.col(name).alias(name[1:]) for name in [*fields, f"{half}UL"]
    )
    assert part.select((pl.col("H") >= pl.max_horizontal("O", "C")).all()).item()
    assert part.select((pl.col("L") <= pl.min_horizontal("O", "C")).all()).item()
    low, high = part["Vo"] * part["L"] - 1, part["Vo"] * part["H"] + 1
    assert part["Va"].is_between(low, high).all()
    assert set(rows.filter(pl.col(half + "UL") == "1")["UL"]) <= {"1"}


# --- valuation, accounts, dividends


def test_valuation_is_what_price_and_filings_say():
    rows = table("valuation").join(table("bars"), on=["Date", "Code"])
    held = rows.filter((pl.col("EPS") > 5) & (pl.col("PER") > 2) & pl.col("C").is_not_null())
    assert (held["PER"] * held["EPS"] / held["C"] - 1).abs().max() < 0.01
    held = rows.filter((pl.col("PBR") > 1) & pl.col("C").is_not_null())
    assert (held["PBR"] * held["BPS"] / held["C"] - 1).abs().quantile(0.99) < 0.02
    assert rows.filter(pl.col("EPS") <= 0)["PER"].is_null().all()
    silent = rows.filter(pl.col("C").is_null() & pl.col("MktCap").is_not_null())
    assert len(silent) > 50
    odd = table("master").filter(pl.col("ProdCat") != "011").select("Date", "Code")
    nulls = rows.join(odd, on=["Date", "Code"], how="semi").select(*DATASETS["valuation"].schema)
    assert nulls.select(pl.exclude("Date", "Code").null_count()).row(0) == (len(nulls),) * 9


def test_a_filing_counts_in_valuation_from_the_session_after_it():
    filed = table("summary").drop_nulls("ShEq").unique(["Code", "DiscDate"])
    filed = filed.with_columns(Date=pl.Series(after(filed["DiscDate"], 1, "old")))
    now = filed.join(table("valuation"), on=["Date", "Code"], suffix="_now")
    same = filed.join(
        table("valuation"), left_on=["DiscDate", "Code"], right_on=["Date", "Code"], suffix="_now"
    )
    share = pl.col("ShEq") / (pl.col("ShOutFY") - pl.col("TrShFY"))
    fits = (pl.col("BPS_now") / share - 1).abs() < 0.001
    assert now.select(fits.mean()).item() > 0.9
    assert same.select(fits.mean()).item() < 0.1


def test_accounts_add_up_to_the_summary():
    rows = table("details").join(table("summary"), on=["DiscNo", "Code"], suffix="_said")
    seen = set()
    for row in rows.to_dicts():
        accounts = json.loads(row["FS"])
        assert all(isinstance(value, str) for value in accounts.values())
        ending = " (IFRS)" if row["DocType"].endswith("IFRS") else ""
        seen.add(ending)
        amount = {
            label.removesuffix(ending): int(value)
            for label, value in accounts.items()
            if not label.endswith(", DEI")
        }
        assert (
            amount["Assets"] == row["TA"] == amount["Current assets"] + amount["Non-current assets"]
        )
        equity = amount["Equity" if ending else "Net assets"]
        assert equity == row["Eq"] == amount["Assets"] - amount["Liabilities"]
        sales = amount["Revenue" if ending else "Net sales"]
        assert (
            sales - amount["Cost of sales"]
            == amount["Gross profit" + ("" if ending else " (loss)")]
        )
        assert amount["Operating profit (loss)"] == row["OP"]
        assert amount["Profit (loss) attributable to owners of parent"] == row["NP"]
        cash = "Net cash provided by (used in) operating activities"
        assert amount.get(cash) == row["CFO"]
        assert 25 <= len(accounts) <= 45
    assert seen == {"", " (IFRS)"}
    statements = table("summary").filter(
        pl.col("DocType").str.contains("Statements") & ~pl.col("DocType").str.ends_with("US")
    )
    assert len(rows) == len(statements)


def test_dividend_notices_form_chains():
    rows = table("dividend")
    assert rows["RefNo"].is_unique().all()
    assert set(rows["StatCode"]) == {"1", "2", "3"}
    new = rows["StatCode"] == "1"
    assert (rows["CARefNo"] == rows["RefNo"]).equals(new, check_names=False)
    tied = rows.filter(~new).join(rows, left_on=["CARefNo", "Code"], right_on=["RefNo", "Code"])
    assert len(tied) > 0.9 * (~new).sum()
    assert (tied["IFTerm"] == tied["IFTerm_right"]).all()
    assert (tied["RefNo"] > tied["CARefNo"]).all()
    assert rows.filter(pl.col("StatCode") == "3")["DivRate"].is_null().all()
    stated = rows.filter((pl.col("FRCode") == "1") & (pl.col("StatCode") != "3"))
    assert stated["DivRate"].null_count() == 0 and stated["PayDate"].null_count() == 0
    foreseen = rows.filter(pl.col("FRCode") == "2")
    assert 0.02 < foreseen["DivRate"].is_null().mean() < 0.25
    days_ahead = np.busday_count(stated["ExDate"].to_numpy(), stated["RecDate"].to_numpy())
    assert np.median(days_ahead) == 1 and days_ahead.min() >= 0


# --- schedules


def test_what_was_announced_last_comes_true():
    rows = table("earnings_date")
    last = rows.sort("PubDate").unique(["Code", "FQName", "FYE"], keep="last", maintain_order=True)
    reports = table("summary").filter(pl.col("DocType").str.contains("Statements"))
    reports = reports.select("Code", "DiscDate").with_columns(filed=pl.lit(True))
    past = last.filter(pl.col("SchDate") <= OLD["end"])
    met = past.join(reports, left_on=["Code", "SchDate"], right_on=["Code", "DiscDate"], how="left")
    gone = met.filter(pl.col("filed").is_null()).join(
        table("master").select("Code", SchDate="Date"), on=["Code", "SchDate"]
    )
    assert gone.is_empty() and len(past) > 150
    lead = (past["SchDate"] - past["PubDate"]).dt.total_days()
    assert lead.min() > 35 and 45 < lead.median() < 75
    since = rows.sort("PubDate").select(pl.col("PubDate").diff().over("Code", "FQName", "FYE"))
    changed = since.filter(pl.col("PubDate").dt.total_days() < 100)
    assert 0.02 < len(changed) / len(rows) < 0.3
    assert 0 < rows["SchDate"].null_count() < 0.05 * len(rows)
    assert rows["SchDate"].max() > OLD["end"]


def test_the_evening_list_names_who_reports_in_the_next_session():
    rows = table("earnings_calendar")
    assert (after(rows["ReadOn"], 1, "old") == rows["Date"].to_numpy()).all()
    assert set(rows["FY"].str.extract(r"^(\d+)月")) == {"3", "9"}
    reports = table("summary").filter(
        pl.col("DocType").str.contains("Statements")
        & pl.col("CurFYEn").dt.month().is_in([3, 9])
        & (pl.col("DiscDate") > OLD["start"])
    )
    first = reports.sort("DiscNo").unique(["Code", "CurPerEn"], keep="first")
    seen = first.join(rows, left_on=["Code", "DiscDate"], right_on=["Code", "Date"], how="left")
    assert seen["ReadOn"].is_null().mean() < 0.02
    quarter = {"1Q": "第１四半期", "2Q": "第２四半期", "3Q": "第３四半期", "FY": "本決算"}
    told = seen.drop_nulls("ReadOn")
    assert (told["CurPerType"].replace_strict(quarter) == told["FQ"]).all()


# --- indices


def test_indices_are_those_of_the_vendors_list():
    rows = table("indices")
    lives = {code: (first, last) for code, first, last in rows.group_by("Code").agg(
        pl.col("Date").min(), last=pl.col("Date").max()
    ).iter_rows()}  # fmt: skip
    held = set(table("master").filter(pl.col("ProdCat") == "011")["S33"])
    for number, (sector, *_) in enumerate(SECTORS[:-1]):
        assert (f"{0x40 + number:04X}" in lives) == (sector in held)
    assert {"0000", "0028", "002D", "0075", "0080", "8100", "8200", "8501"} <= set(lives)
    assert lives["0500"][0] == lives["0502"][0] == dt.date(2022, 6, 27)
    assert lives["0001"][1] == lives["0091"][1] == dt.date(2022, 4, 1)
    topix = rows.filter(pl.col("Code") == "0000").drop("Code")
    assert_frame_equal(topix, table("topix"))


def test_an_index_has_all_prices_or_a_close_alone():
    rows = table("indices")
    assert set(rows.filter(pl.col("O").is_null())["Code"]) == {"0091"}
    assert rows.filter(pl.col("Code") == "0091")["H"].is_null().all()
    whole = rows.drop_nulls("O")
    assert whole.select((pl.col("H") >= pl.max_horizontal("O", "C")).all()).item()
    assert whole.select((pl.col("L") <= pl.min_horizontal("O", "C")).all()).item()
    still = whole.filter(pl.col("Date") == OUTAGE)
    before = whole.filter(pl.col("Date") == dt.date(2020, 9, 30)).select("Code", before="C")
    still = still.join(before, on="Code")
    assert len(still) > 40
    assert still.select(
        (pl.max_horizontal(*"OHLC") == pl.min_horizontal(*"OHLC", "before")).all()
    ).item()


def test_a_sector_index_follows_its_stocks():
    home = table("master").filter(pl.col("ProdCat") == "011").select("Date", "Code", "S33")
    moves = (
        table("bars")
        .sort("Code", "Date")
        .select(
            "Date",
            "Code",
            move=(pl.col("C") / (pl.col("C").shift(1) * pl.col("AdjFactor"))).over("Code") - 1,
        )
    )
    mean = moves.join(home, on=["Date", "Code"]).group_by("Date", "S33").agg(pl.col("move").mean())
    codes = {f"{0x40 + k:04X}": row[0] for k, row in enumerate(SECTORS[:-1])}
    index = (
        table("indices")
        .sort("Code", "Date")
        .select(
            "Date",
            S33=pl.col("Code").replace_strict(codes, default=None),
            index=(pl.col("C") / pl.col("C").shift(1)).over("Code") - 1,
        )
    )
    both = mean.join(index, on=["Date", "S33"]).drop_nulls()
    assert both.select(pl.corr("move", "index")).item() > 0.8


# --- margin trading


def test_weekly_balances_stand_on_the_last_session_of_each_week():
    rows = table("margin_interest")
    assert rows["PubDate"].null_count() == len(rows)
    assert rows.select(pl.col("^.*Val$").null_count()).row(0) == (len(rows),) * 6
    week = days("old").to_frame().group_by(pl.col("Date").dt.truncate("1w")).agg(
        last=pl.col("Date").max(), held=pl.len()
    )  # fmt: skip
    wanted = set(week.filter(pl.col("held") > 2)["last"])
    told = set(rows["Date"])
    assert told <= wanted and len(wanted - told) <= 1
    assert dt.date(2021, 12, 30) in told and dt.date(2020, 12, 30) in told


def test_daily_balances_name_their_publication_and_corrections_come_later():
    rows = table("margin_interest", "new")
    weekly, daily = rows.filter(pl.col("Date") < DAILY), rows.filter(pl.col("Date") >= DAILY)
    assert weekly["PubDate"].is_null().all() and daily["PubDate"].null_count() == 0
    assert daily.select(pl.col("^.*Val$").null_count()).row(0) == (0,) * 6
    every = days("new").filter(days("new") >= DAILY)
    assert set(daily["Date"]) == set(every[:-1])
    first = daily.unique(["Date", "Code"], keep="first", maintain_order=True)
    assert (after(first["Date"], 1, "new") == first["PubDate"].to_numpy()).all()
    later = daily.join(first, on=DATASETS["margin_interest"].key, how="anti")
    assert 0 < len(later) < 0.01 * len(daily)
    assert daily["PubDate"].max() <= NEW["end"]


@pytest.mark.parametrize("kind", ["Vol", "Val"])
def test_balances_are_the_sum_of_their_kinds(kind):
    rows = table("margin_interest", "new").drop_nulls(f"Long{kind}")
    for side in ("Shrt", "Long"):
        parts = rows[f"{side}Neg{kind}"] + rows[f"{side}Std{kind}"]
        assert (rows[side + kind] - parts).abs().max() <= 2
        assert rows.select(pl.col(f"^{side}.*{kind}$").min()).min_horizontal().item() >= 0
    assert rows.filter(pl.col("IssType") == "1")["ShrtVol"].sum() == 0
    assert rows.filter(pl.col("IssType") == "2")["ShrtVol"].sum() > 0


@pytest.mark.parametrize("side, opened, closed", [
    ("Long", "MrgnBuyNew", "MrgnSellClose"), ("Shrt", "MrgnSellNew", "MrgnBuyClose"),
])  # fmt: skip
def test_what_is_opened_and_closed_changes_the_balance(side, opened, closed):
    rows = table("margin_interest", "new").filter(pl.col("Date") >= DAILY)
    rows = rows.unique(["Date", "Code"], keep="first").sort("Code", "Date")
    rows = rows.with_columns(change=pl.col(side + "Vol").diff().over("Code"))
    rows = rows.join(table("bars", "new"), on=["Date", "Code"]).filter(pl.col("AdjFactor") == 1)
    rows = rows.join(table("breakdown", "new"), on=["Date", "Code"], how="left")
    told = (rows[opened + "Vo"] - rows[closed + "Vo"]).fill_null(0)
    known_change = rows["change"].is_not_null()
    assert (told - rows["change"]).filter(known_change).abs().max() == 0
    assert rows["change"].abs().sum() > 0


def test_individuals_buy_on_margin_what_has_fallen():
    rows = table("margin_interest").sort("Code", "Date")
    rows = rows.join(table("bars"), on=["Date", "Code"]).with_columns(
        grown=(pl.col("LongVol") / pl.col("LongVol").shift(1)).log().over("Code"),
        moved=(pl.col("C") / pl.col("C").shift(1)).log().over("Code"),
    )
    rows = rows.filter((pl.col("moved").abs() < 0.25) & pl.col("grown").is_finite())
    assert rows.select(pl.corr("grown", "moved")).item() < -0.2


def test_alerts_name_reasons_and_leave_out_what_was_not_published():
    rows = table("margin_alert")
    reasons = [json.loads(text) for text in rows["PubReason"]]
    names = ["Restricted", "DailyPublication", "Monitoring", "RestrictedByJSF", "PrecautionByJSF",
             "UnclearOrSecOnAlert"]  # fmt: skip
    assert all(list(found) == names and set(found.values()) <= {"0", "1"} for found in reasons)
    assert all(found["DailyPublication"] == "1" for found in reasons)
    assert set(rows["TSEMrgnRegCls"]) <= {"002", "003"}
    first = rows.unique(["AppDate", "Code"], keep="first", maintain_order=True)
    assert (after(first["AppDate"], 1, "old") == first["PubDate"].to_numpy()).all()
    later = rows.join(first, on=DATASETS["margin_alert"].key, how="anti")
    assert 0 < len(later) < 0.02 * len(rows)
    before = first.select("Code", AppDate=pl.Series(after(first["AppDate"], 1, "old")), seen=True)
    told = first.join(before, on=["Code", "AppDate"], how="left")
    early = told["AppDate"] > told["AppDate"].min()
    unseen = told.filter(early & told["seen"].is_null())
    assert unseen["LongOutChg"].is_null().all() and len(unseen) > 3
    assert told.filter(early & told["seen"].is_not_null())["LongOutChg"].null_count() == 0
    ratio = rows["ShrtOut"] / rows["LongOut"] * 100
    fresh = rows.join(later, on=DATASETS["margin_alert"].key, how="anti")
    assert (fresh["SLRatio"] - (fresh["ShrtOut"] / fresh["LongOut"] * 100)).abs().max() < 0.06
    assert ratio.max() > 0


# --- who sold and bought


def test_the_breakdown_adds_up_to_the_bar_on_either_side():
    rows = table("breakdown").join(table("bars"), on=["Date", "Code"])
    sides = {
        "sold": ["LongSell", "ShrtNoMrgn", "MrgnSellNew", "MrgnSellClose"],
        "bought": ["LongBuy", "MrgnBuyNew", "MrgnBuyClose"],
    }
    for names in sides.values():
        for unit in ("Vo", "Va"):
            parts = rows.select(pl.sum_horizontal(name + unit for name in names)).to_series()
            assert parts.equals(rows[unit])
            assert rows.select(pl.min_horizontal(name + unit for name in names)).min().item() >= 0
    traded = table("bars").drop_nulls("C").select("Date", "Code")
    assert_frame_equal(rows.select("Date", "Code"), traded)
    assert OUTAGE not in rows["Date"]


def test_short_selling_by_sector_is_what_the_breakdown_says():
    rows = table("short_ratio")
    home = table("master").select("Date", "Code", "S33")
    sums = table("breakdown").join(home, on=["Date", "Code"]).group_by("Date", "S33").agg(
        short=(pl.col("ShrtNoMrgnVa") + pl.col("MrgnSellNewVa")).sum(),
        other=(pl.col("LongSellVa") + pl.col("MrgnSellCloseVa")).sum(),
    )  # fmt: skip
    both = rows.join(sums, on=["Date", "S33"], how="left").fill_null(0)
    assert (both["ShrtWithResVa"] + both["ShrtNoResVa"]).equals(both["short"])
    assert both["SellExShortVa"].equals(both["other"])
    assert rows.group_by("Date").len()["len"].unique().to_list() == [34]
    assert set(rows["S33"]) == {row[0] for row in SECTORS}
    assert OUTAGE not in rows["Date"] and rows["Date"].n_unique() == len(days("old")) - 1


def test_more_is_sold_short_on_a_falling_day():
    rows = table("breakdown").join(table("bars"), on=["Date", "Code"])
    share, move = rows["ShrtNoMrgnVa"] / rows["Va"], rows["C"] / rows["O"] - 1
    assert np.corrcoef(share, move)[0, 1] < -0.2


def test_short_reports_tie_to_the_reporters_last_one():
    rows = table("short_sale")
    lag = np.searchsorted(sessions("old"), rows["DiscDate"].to_numpy()) - np.searchsorted(
        sessions("old"), rows["CalcDate"].to_numpy()
    )
    inside = rows["CalcDate"] >= OLD["start"]
    assert set(lag[inside.to_numpy()]) == {1, 2}
    reporter = ["Code", "SSName"]
    named = rows.filter(pl.col("SSName") != "個人")  # of whom there are two
    chained = named.with_columns(
        day=pl.col("CalcDate").shift(1).over(reporter),
        ratio=pl.col("ShrtPosToSO").shift(1).over(reporter),
    ).drop_nulls("day")
    assert len(chained) > 500
    assert chained["PrevRptDate"].equals(chained["day"], check_names=False)
    assert chained["PrevRptRatio"].equals(chained["ratio"], check_names=False)
    below = rows.filter(pl.col("ShrtPosToSO") < 0.005)
    assert 0.1 < len(below) / len(rows) < 0.6
    assert (below["PrevRptRatio"].drop_nulls() >= 0.005).all()
    assert (rows.group_by("Code").agg(pl.col("SSName").n_unique())["SSName"] > 1).any()
    assert rows["ShrtPosShares"].equals(rows["ShrtPosUnits"] * 100)


# --- options and futures


def ordinary(rows):
    return rows.filter(pl.col("EmMrgnTrgDiv") == "002")


def black_scholes(spot, strike, years, rate, width, call):
    upper = (np.log(spot / strike) + (rate + width**2 / 2) * years) / (width * np.sqrt(years))
    lower, paid = upper - width * np.sqrt(years), strike * np.exp(-rate * years)
    calls = spot * norm.cdf(upper) - paid * norm.cdf(lower)
    return np.where(call, calls, calls - spot + paid)


def parts_of(rows):
    years = (rows["SQD"] - rows["Date"]).dt.total_days().to_numpy() / 365
    return (
        rows["UnderPx"].to_numpy(),
        rows["Strike"].to_numpy(),
        years,
        rows["IR"].to_numpy() / 100,
    )


def test_puts_and_calls_are_at_parity():
    rows = ordinary(table("options_225"))
    key = ["Date", "CM", "Strike"]
    both = rows.filter(pl.col("PCDiv") == "2").join(
        rows.filter(pl.col("PCDiv") == "1"), on=key, suffix="_put", validate="1:1"
    )
    assert len(both) == len(rows) / 2
    spot, strike, years, rate = parts_of(both)
    parity = spot - strike * np.exp(-rate * years)
    assert np.abs((both["Theo"] - both["Theo_put"]).to_numpy() - parity).max() < 0.001


def test_implied_volatility_is_recovered_from_the_price():
    rows = ordinary(table("options_225")).filter(pl.col("Theo") > 20).sample(3000, seed=1)
    spot, strike, years, rate = parts_of(rows)
    call, price = (rows["PCDiv"] == "2").to_numpy(), rows["Theo"].to_numpy()
    low, high = np.full(len(rows), 0.001), np.full(len(rows), 3.0)
    for _ in range(60):
        middle = (low + high) / 2
        dear = black_scholes(spot, strike, years, rate, middle, call) > price
        low, high = np.where(dear, low, middle), np.where(dear, middle, high)
    bump = black_scholes(spot, strike, years, rate, middle + 1e-4, call) - price
    told = bump > 0.005  # elsewhere the price hardly knows the volatility
    assert told.mean() > 0.9
    assert np.abs(middle * 100 - rows["IV"].to_numpy())[told].max() < 0.05


def test_a_chain_lists_expiries_and_strikes_around_the_index():
    rows = ordinary(table("options_225"))
    daily = rows.group_by("Date").agg(
        months=pl.col("CM").n_unique(),
        low=(pl.col("Strike").min() / pl.col("UnderPx").first()),
        high=(pl.col("Strike").max() / pl.col("UnderPx").first()),
        kinds=pl.col("PCDiv").n_unique(),
    )
    assert daily["months"].min() >= 4 and daily["kinds"].unique().to_list() == [2]
    assert daily["low"].max() < 0.87 and daily["high"].min() > 1.13
    assert set(daily["Date"]) == set(days("old"))
    friday = rows["SQD"].unique()
    assert (friday.dt.weekday() == 5).mean() > 0.8 and friday.dt.day().is_between(7, 14).all()
    ended = rows.filter(pl.col("SQD") < OLD["end"])
    assert (after(ended["LTD"], 1, "old") == ended["SQD"].to_numpy()).all()
    assert (rows["Date"] <= rows["LTD"]).all()


def test_a_contract_has_no_night_before_its_first_day():
    rows = ordinary(table("options_225"))
    first = rows.sort("Date").unique(["Code", "CM"], keep="first")
    new = first.filter(pl.col("Date") > days("old")[5])
    assert new.select(pl.col("EO", "EH", "EL", "EC").is_null().all()).row(0) == (True,) * 4
    old = rows.join(first, on=["Date", "Code"], how="anti")
    assert old["EO"].null_count() == 0


def test_what_is_not_traded_has_zero_prices_and_the_rest_is_in_order():
    rows = ordinary(table("options_225"))
    idle, busy = rows.filter(pl.col("Vo") == 0), rows.filter(pl.col("Vo") > 0)
    assert idle.select(pl.max_horizontal(*"OHLC", "Va").max()).item() == 0
    assert busy.select((pl.col("H") >= pl.max_horizontal("O", "C")).all()).item()
    assert busy.select((pl.col("L") <= pl.min_horizontal("O", "C")).all()).item()
    assert busy.select((pl.col("C") == pl.col("Settle")).all()).item()
    assert (busy["Va"] > 0).all() and 0.1 < len(busy) / len(rows) < 0.9
    assert (rows["Settle"] >= 1).all()
    far = (rows["Settle"] - rows["Theo"]).abs()
    assert far.max() <= 2.6


def test_an_emergency_adds_a_row_to_each_contract_of_its_day():
    rows = table("options_225")
    double = rows.filter(pl.col("EmMrgnTrgDiv") == "001")
    of_day = ordinary(rows).filter(pl.col("Date").is_in(double["Date"].unique().implode()))
    assert 0 < double["Date"].n_unique() < 15
    assert set(double["Code"]) <= set(of_day["Code"]) and len(double) == len(of_day)
    assert not double["Settle"].equals(of_day["Settle"])


def test_all_derivatives_speak_of_one_index():
    fields = ["Date", "Code", "EmMrgnTrgDiv", "Strike", "Settle", "IV", "Vo", "OI", "LTD"]
    options = table("options")
    mine = options.filter(pl.col("ProdCat") == "NK225E").select(fields)
    assert_frame_equal(
        mine.sort("Date", "Code", "EmMrgnTrgDiv"), table("options_225").select(fields)
    )
    topix = (
        ordinary(options.filter(pl.col("ProdCat") == "TOPIXE")).select("Date", "UnderPx").unique()
    )
    assert_frame_equal(
        topix.sort("Date"), table("topix").select("Date", UnderPx="C"), check_exact=True
    )
    assert set(options["UndSSO"]) == {"-"} and options["MO"].null_count() == len(options)


def test_futures_stand_at_the_index_grown_by_the_rate():
    rows = ordinary(table("futures"))
    assert set(rows["ProdCat"]) == {"NK225F", "NK225MF", "TOPIXF", "TOPIXMF"}
    central = rows.filter(pl.col("CCMFlag") == "1")
    assert len(central) == 4 * len(days("old"))
    index = table("topix").select("Date", spot="C")
    front = central.filter(pl.col("ProdCat") == "TOPIXF").join(index, on="Date")
    years = (front["SQD"] - front["Date"]).dt.total_days() / 365
    assert ((front["Settle"] - front["spot"] * (0.0005 * years).exp()).abs() <= 0.26).all()
    large, small = (central.filter(pl.col("ProdCat") == name) for name in ("NK225F", "NK225MF"))
    months = {"03", "06", "09", "12"}
    assert set(large["CM"].str.slice(5)) == months and set(small["CM"].str.slice(5)) > months
    assert (rows["H"] >= rows["C"]).all() and (rows["L"] <= rows["O"]).all()
