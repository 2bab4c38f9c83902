"""How old is what a day uses: from the moment a row was known to the moment the day is decided.

For every data set and session the newest row that was known by then, of each universe member where
the rows belong to stocks, and of the data set as a whole where they do not. A lag of 0 is a row
known at the very moment of decision, as prices are at the close. This says how late knowledge is;
that no later row is used is for the audit of time to prove.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gogooku import calendar, files, layout, point_in_time
from gogooku.families import FAMILIES
from gogooku.raw.catalogue import DATASETS

PANEL = ("bars", "master")
"""What the panel is made of, which every family reads."""

NOT_STOCKS = ("/indices", "/derivatives")
"""Where a `Code` is not a stock's."""

HOUR = np.timedelta64(1, "h")
LAGS = {"min": 0.0, "p50": 0.5, "p95": 0.95, "max": 1.0}
"""Name → quantile of the lags."""


def measure(
    panel: pl.DataFrame,
    raw: Sequence[str],
    families: Sequence[str],
    decisions: Mapping[calendar.Clock, str],
    closes: Sequence[calendar.Close],
) -> pl.DataFrame:
    """Measure the lag of every data set that the families read, by year and clock.

    panel       date, code, universe: rows of all spans
    raw         raw files <dataset>/<span>.parquet
    families    configured ones
    decisions   moment of decision on each clock, and `closes` as `calendar.decision_moments`
                takes them

    Returns clock, family (`panel` for what all read), dataset, year (null for all), asked
    (stock-days, or sessions), missing (those without any row yet), min, p50, p95, max [hours].
    """
    readers = _readers(families)
    read = {name: paths for name, paths in layout.by_dataset(raw).items() if name in readers}
    members = panel.filter("universe").select("date", "code").sort("code", "date")
    tables = [
        _by_year(_lags(dataset, paths, members, clock, decisions[clock], closes))
        .with_columns(clock=pl.lit(clock), dataset=pl.lit(dataset))
        .join(pl.DataFrame({"family": readers[dataset]}), how="cross")
        for clock in decisions
        for dataset, paths in read.items()
    ]
    keys = ["clock", "family", "dataset", "year"]
    return pl.concat(tables).select(*keys, pl.exclude(keys)).sort(keys)


def summary(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Give the lags over all years as plain entries; one without any known row has null lags."""
    return rows.filter(pl.col("year").is_null()).drop("year").to_dicts()


def _readers(families: Sequence[str]) -> dict[str, list[str]]:
    """Say which families read each data set; the calendar has no moment that a value rests on."""
    readers = {dataset: ["panel"] for dataset in PANEL}
    for family in families:
        for name in FAMILIES[family]:
            if name in DATASETS and name != "calendar":
                readers.setdefault(name, []).append(family)
    return readers


def _lags(
    dataset: str,
    paths: Sequence[Path],
    members: pl.DataFrame,
    clock: calendar.Clock,
    decision: str,
    closes: Sequence[calendar.Close],
) -> pl.DataFrame:
    """Give date and lag [hours] of the newest row of each member, or session; NaN for none."""
    entry = DATASETS[dataset]
    of_stocks = "Code" in entry.schema and not entry.path.startswith(NOT_STOCKS)
    code = pl.col("Code") if of_stocks else pl.lit("")
    moment = point_in_time.COLUMN[clock]
    fields = [moment, "Code"] if of_stocks else [moment]
    rows = files.read_parquet(paths, fields).select(code.alias("code"), known_at=moment)
    keys = members if of_stocks else members.select("date", code=pl.lit("")).unique().sort("date")
    moments = calendar.decision_moments(
        keys["date"].to_numpy().astype("datetime64[D]"), decision, closes
    )
    return pl.DataFrame({"date": keys["date"], "lag": _behind(keys["code"], moments, rows)})


def _behind(
    codes: pl.Series, moments: calendar.Days, rows: pl.DataFrame
) -> npt.NDArray[np.float64]:
    """Give the hours from the newest row's moment to each of `moments`; NaN where there is none.

    codes   (R,) whose rows to look at, sorted
    rows    code, known_at
    """
    moments_of = {
        code: part["known_at"].sort().to_numpy().astype("datetime64[us]")
        for (code,), part in rows.group_by("code")
    }
    lags = np.full(len(codes), np.nan)
    runs = codes.rle().struct.unnest()
    ends = runs["len"].cum_sum().to_list()
    for code, first, end in zip(runs["value"], [0, *ends], ends, strict=False):
        known_at = moments_of.get(code, np.array([], "datetime64[us]"))
        count = point_in_time.as_of(known_at, moments[first:end])
        newest = np.append(np.datetime64("NaT"), known_at)[count]
        lags[first:end] = (moments[first:end] - newest) / HOUR
    return lags


def _by_year(lags: pl.DataFrame) -> pl.DataFrame:
    """Summarise the lags of each year, and of all: year null."""
    lag = pl.col("lag").fill_nan(None)
    measures = [
        pl.len().alias("asked"),
        lag.null_count().alias("missing"),
        *(lag.quantile(share, "nearest").alias(name) for name, share in LAGS.items()),
    ]
    years = lags.group_by(pl.col("date").dt.year().cast(pl.Int32).alias("year")).agg(measures)
    total = lags.select(pl.lit(None, pl.Int32).alias("year"), *measures)
    return pl.concat([total, years.sort("year")])
