"""A small market and features of it that look ahead, each in a way that has fooled people."""

import datetime as dt
import functools
from pathlib import Path

import numpy as np
import polars as pl
from gogooku import calendar, point_in_time
from gogooku.audit import days
from gogooku.config import availability
from gogooku.features import user
from gogooku.features.column import finish
from gogooku.panel import rows as panel_rows
from gogooku.panel.panel import Panel
from simulated_exchange.market import simulation

from helpers.family_inputs import inputs_of

AVAILABILITY = availability.read(Path(__file__).parents[2] / "config" / "availability.yaml")
RULES, CLOSES = AVAILABILITY.datasets, AVAILABILITY.close
START, END, DAY = dt.date(2021, 1, 4), dt.date(2021, 6, 30), dt.date(2021, 4, 28)
MOMENT = days.moment(DAY, "close", CLOSES)
READ = ("calendar", "master", "bars", "topix", "investor_types")


def stamped(dataset, rows, sessions):
    return point_in_time.stamp(rows, RULES[dataset], CLOSES, sessions)


@functools.cache
def market():
    """Raw files by path, as `audit` names them.

    On DAY one stock in four has no trade; TOPIX begins a week after it.
    """
    tables = simulation.simulate(
        seed=3, start=START, end=END, stocks=24, parts={}, datasets=READ
    ).tables
    tables = dict(tables)
    silent = (pl.col("Date") == DAY) & (pl.col("Code").str.slice(2, 1).is_in(["1", "2"]))
    fields = [name for name in ("O", "H", "L", "C", "Vo", "Va")]
    tables["bars"] = tables["bars"].with_columns(
        pl.when(~silent).then(pl.col(name)).alias(name) for name in fields
    )
    tables["topix"] = tables["topix"].filter(pl.col("Date") > DAY + dt.timedelta(7))
    days_of = calendar.Sessions.of(tables["calendar"]["Date"], tables["calendar"]["HolDiv"]).days
    return {f"raw/{name}/2021y.parquet": stamped(name, tables[name], days_of) for name in READ}


def table(raw, dataset):
    return point_in_time.visible(raw[f"raw/{dataset}/2021y.parquet"], "published")


def panel(raw):
    """The panel of the whole market, as the workflow builds it."""
    listed = table(raw, "calendar")
    sessions = calendar.Sessions.of(listed["Date"].to_numpy(), listed["HolDiv"].to_list())
    dates = sessions.between(START, END)
    moments = calendar.decision_moments(dates, "close", CLOSES)
    rows, _ = panel_rows.build(
        table(raw, "bars"), table(raw, "master"), dates, moments, START,
        limit_tolerance=0.01, limit_relief_days=5, min_price=50, min_value=0, min_sessions=20,
    )  # fmt: skip
    return rows


def column(raw, value):
    """Date, code and the column `x` of an expression over the panel and its `gain`."""
    gain = (pl.col("close") / pl.col("close").shift(1) - 1).over("code")
    return panel(raw).with_columns(gain=gain).select("date", "code", x=value)


# ---- columns that look back --------------------------------------------------------------------


def trailing_window(raw):
    return column(raw, pl.col("close").rolling_mean(5, min_samples=1).over("code"))


def quantile_of_the_day(raw):
    return column(raw, pl.col("gain").clip(upper_bound=pl.col("gain").quantile(0.9).over("date")))


def lagged_weekly_series(raw):
    return weekly(raw, "PubDate")


def sector_of_the_day(raw):
    return column(raw, pl.col("gain").mean().over("date", "s33"))


def forward_adjusted_price(raw):
    return column(raw, pl.col("close") / pl.col("factor").cum_prod().over("code"))


def forward_filled_null(raw):
    return column(raw, pl.col("close").forward_fill().over("code"))


# ---- and columns that look ahead ---------------------------------------------------------------


def centred_window(raw):
    return column(raw, pl.col("close").rolling_mean(5, center=True, min_samples=1).over("code"))


def full_sample_quantile(raw):
    return column(raw, pl.col("gain").clip(upper_bound=pl.col("gain").quantile(0.9)))


def unlagged_weekly_series(raw):
    return weekly(raw, "EnDate")


def label_encoded_sector(raw):
    return column(raw, pl.col("s33").rank("dense"))


def target_encoded_sector(raw):
    return column(raw, pl.col("gain").mean().over("s33"))


def vendor_adjusted_price(raw):
    later = pl.col("factor").shift(-1, fill_value=1.0).cum_prod(reverse=True)
    return column(raw, pl.col("close") * later.over("code"))


def future_sector_map(raw):
    newest = table(raw, "master").sort("Date").unique("Code", keep="last")
    sector = newest.select(code="Code", sector="S33")
    rows = column(raw, pl.col("gain")).join(sector, on="code", how="left", maintain_order="left")
    return rows.select("date", "code", pl.col("x").mean().over("date", "sector"))


def back_filled_null(raw):
    return column(raw, pl.col("close").backward_fill().over("code"))


def survivors_only(raw):
    return column(raw, pl.col("gain").mean().over("date")).filter(
        pl.col("date").max().over("code") == pl.col("date").max()
    )


def stand_in_for_a_missing_data_set(raw):
    """The mean of all stocks, only if the index, for which it stands in, has no row at all."""
    own = pl.col("gain").mean().over("date")
    return column(raw, own if table(raw, "topix").is_empty() else pl.lit(None, pl.Float64))


def corrected_price(raw):
    """The newest version of each bar, whenever it was published."""
    newest = table(raw, "bars").sort("known_at").unique(["Date", "Code"], keep="last")
    closes = newest.select(date="Date", code="Code", x="C")
    rows = panel(raw).select("date", "code")
    return rows.join(closes, on=["date", "code"], how="left", maintain_order="left")


def weekly(raw, when):
    """Foreigners' balance of the newest week by the day `when`, which counts from the next day."""
    rows = table(raw, "investor_types").filter(pl.col("Section") == "TSE1st")
    prints = rows.sort("known_at").unique([when], keep="first").sort(when)
    prints = prints.select(date=pl.col(when) + dt.timedelta(1), x="FrgnBal")
    joined = panel(raw).select("date", "code").join_asof(prints, on="date")
    return joined.sort("date", "code").select("date", "code", "x")


def users_module(raw):
    """Columns of the module mine.py in the working directory, as the workflow lays them out."""
    made_of = Panel.of(panel(raw))
    mine = {"pandas_ta": [], "module": "mine.py"}
    values = user.compute(inputs_of(made_of, user=mine))
    return finish(made_of, "user", [], values, START)[0]


HONEST = (trailing_window, quantile_of_the_day, lagged_weekly_series, sector_of_the_day,
          forward_adjusted_price, forward_filled_null)  # fmt: skip


def within(sessions):
    """A row of one of the next `sessions` sessions."""
    return lambda row, after: np.busday_count(DAY, row["Date"]) <= sessions


def any_row(row, after):
    return row["known_at"] > after


LEAKS = {
    centred_window: ({"bars", "master"}, within(6)),
    full_sample_quantile: ({"bars", "master"}, any_row),
    unlagged_weekly_series: ({"investor_types"}, lambda row, after: row["EnDate"] <= DAY),
    label_encoded_sector: ({"master"}, any_row),
    target_encoded_sector: ({"bars", "master"}, any_row),
    vendor_adjusted_price: ({"bars", "master"}, any_row),
    future_sector_map: ({"master"}, any_row),
    back_filled_null: ({"bars", "master"}, any_row),
    survivors_only: ({"master"}, any_row),
    stand_in_for_a_missing_data_set: ({"topix"}, any_row),
    corrected_price: ({"bars"}, lambda row, after: row["Date"] <= DAY),
}
"""Leak → the data sets that can hold its raw row, and what else is true of that row."""
