"""Dividend notices that follow from the simulated filings."""

import numpy as np
import polars as pl
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.market.accounts import STATEMENT
from simulated_exchange.market.listings import Days

T2 = np.datetime64("2019-07-16")  # stocks settle on the second business day instead of the third
UNDECIDED, SPECIAL, WITHDRAWN = 0.1, 0.06, 0.02  # shares of dividend notices
PAYABLE = 85  # days from the record date to payment


def dividend(rng: np.random.Generator, timeline: Days, summary: pl.DataFrame) -> pl.DataFrame:
    """Write the notices of dividends: forecasts, their results, and withdrawals, as chains.

    A yearly report forecasts the coming interim and final dividend; the reports of the half and the
    whole year state them. A few forecasts are withdrawn by the next report, and stated anew.
    timeline  sessions from the warm-up on, beyond the last one of the market
    """
    rows = summary.filter(STATEMENT & pl.col("CurPerType").is_in(["2Q", "FY"]))
    rows = rows.sort("DiscNo").unique(["Code", "CurPerEn"], keep="first", maintain_order=True)
    notices = pl.concat([*_forecasts(rows), *_results(rows)]).sort("DiscNo", "term", "interim")
    chance = rng.random((3, len(notices)))
    notices = notices.with_columns(
        undecided=pl.Series(chance[0] < UNDECIDED) & (pl.col("FRCode") == "2"),
        special=pl.Series(chance[1] < SPECIAL),
        withdrawn=pl.Series(chance[2] < WITHDRAWN),
    )
    notices = _chained(notices)
    record = notices["record"].to_numpy()
    place = np.searchsorted(timeline, record, side="right")
    lag = np.where(record < T2, 2, 1)
    # The record date itself is the session at `place` - 1 or the one that follows it.
    inside = (place < len(timeline)) & (place > lag + 1)
    place = np.where(inside, place, lag + 1)
    notices = notices.with_columns(pl.Series("ExDate", timeline[place - 1 - lag]))
    notices = _filled(notices.filter(pl.Series(inside)))
    fields = DATASETS["dividend"]
    return notices.select(*fields.schema).sort(fields.key)


def _forecasts(rows):
    """Notices of the two dividends that a yearly report foresees."""
    yearly = rows.filter(pl.col("CurPerType") == "FY")
    half = pl.col("NxtFYSt").dt.offset_by("5mo").dt.month_end()
    ends = {"1": (half, "NxFDiv2Q"), "2": (pl.col("NxtFYEn"), "NxFDivFY")}
    return [
        _notice(yearly, code, "2", record, rate).filter(pl.col("record").is_not_null())
        for code, (record, rate) in ends.items()
    ]


def _results(rows):
    halves = rows.filter(pl.col("CurPerType") == "2Q")
    yearly = rows.filter(pl.col("CurPerType") == "FY")
    return [
        _notice(halves, "1", "1", pl.col("CurPerEn"), "Div2Q"),
        _notice(yearly, "2", "1", pl.col("CurPerEn"), "DivFY"),
    ]


def _notice(rows, interim, result, record, rate):
    return rows.select(
        "Code", "DiscNo", "DiscDate",
        time=pl.col("DiscTime").str.head(5),
        interim=pl.lit(interim),
        FRCode=pl.lit(result),
        record=record,
        term=record.dt.strftime("%Y-%m"),
        rate=pl.col(rate),
    )  # fmt: skip


def _chained(notices):
    """Number the notices, and tie each to the one that it revises or withdraws.

    A withdrawal is a notice of its own; the result that follows it begins a new chain.
    """
    chain = ["Code", "term", "interim"]
    forecast = (pl.col("FRCode") == "2") & (pl.len().over(chain) == 2) & pl.col("withdrawn")
    gone = notices.filter(forecast.fill_null(False)).select(chain).with_columns(gone=pl.lit(True))
    notices = notices.join(gone, on=chain, how="left", maintain_order="left")
    result = (pl.col("FRCode") == "1") & pl.col("gone").is_not_null()
    withdrawals = notices.filter(result).with_columns(StatCode=pl.lit("3"), step=pl.lit(0))
    first = (pl.int_range(pl.len()).over(chain) == 0) | result
    status = pl.when(first).then(pl.lit("1")).otherwise(pl.lit("2"))
    notices = notices.with_columns(StatCode=status, step=pl.lit(1))
    notices = pl.concat([notices, withdrawals]).sort("DiscNo", "term", "interim", "step")
    number = pl.int_range(pl.len()).over("DiscDate") + 1
    notices = notices.with_columns(
        RefNo=pl.col("DiscDate").dt.strftime("%Y%m%d")
        + pl.format("1B{}", number.cast(pl.String).str.zfill(5))
    )
    before = pl.col("RefNo").shift(1).over(chain)
    new = pl.col("StatCode") == "1"
    return notices.with_columns(CARefNo=pl.when(new).then("RefNo").otherwise(before))


def _filled(notices):
    decided = ~pl.col("undecided") & (pl.col("StatCode") != "3")
    extra = pl.when(pl.col("special") & decided & (pl.col("rate") > 0)).then(
        (pl.col("rate") * 0.2).round(1)
    )
    modern = pl.col("DiscDate") >= pl.date(2022, 6, 6)
    stated = pl.col("FRCode") == "1"
    return notices.with_columns(
        PubDate="DiscDate",
        PubTime="time",
        BoardDate="DiscDate",
        IFCode="interim",
        IFTerm="term",
        DivRate=pl.when(decided).then("rate"),
        RecDate="record",
        ActRecDate="record",
        PayDate=pl.when(stated).then(pl.col("record").dt.offset_by(f"{PAYABLE}d")),
        CommSpecCode=pl.when(extra.is_not_null()).then(pl.lit("2")).otherwise(pl.lit("0")),
        SpecDivRate=pl.when(modern).then(extra),
        DistAmt=pl.when(decided & stated).then("rate"),
        RetEarn=pl.when(decided & stated).then("rate"),
        **{
            name: pl.lit(None, pl.Float64)
            for name in ("DeemDiv", "DeemCapGains", "NetAssetDecRatio", "CommDivRate")
        },
    )
