"""The rows of an answer, in the form in which the vendor sends them.

Which fields a plan gets, how missing values are written, what is computed at the time of asking:
adjusted prices, the morning's bars, minute bars.

Source: the vendor's specification, https://jpx-jquants.com/spec/.
"""

import datetime as dt

import polars as pl
from gogooku.raw.catalogue import DATASETS

from simulated_exchange.server.tables import Shelf

_PRICES = ["O", "H", "L", "C"]
_RAW = [*_PRICES, "UL", "LL", "Vo", "Va"]
_ADJUSTED = [f"Adj{name}" for name in (*_PRICES, "Vo")]
_HALVES = [half + name for half in "MA" for name in (*_RAW, *_ADJUSTED)]
BARS = ["Date", "Code", *_RAW, "AdjFactor", *_ADJUSTED, "MktCap", "ExRT"]
"""The fields of daily bars on every plan; Premium has those of both sessions too."""

PREMIUM_BARS = [*BARS[:-2], *_HALVES, *BARS[-2:]]
AM = ["Date", "Code", "MO", "MH", "ML", "MC", "MVo", "MVa"]
WHOLE_NUMBERS = {"short_sale": ["ShrtPosShares", "ShrtPosUnits"]}

_EMPTY_TEXTS = ("short_sale", "earnings_date", "earnings_calendar", "summary", "details")
_DERIVATIVES = ("options_225", "futures", "options")
_DASHES = {
    "dividend": ["DivRate", "PayDate"],  # undecided
    "margin_alert": [name for name in DATASETS["margin_alert"].schema if name.endswith("Chg")],
    "options": ["UndSSO"],
}
_STARS = {"margin_alert": ["ShrtOutRatio", "LongOutRatio", "SLRatio"]}  # not for funds


def blanks(dataset: str) -> dict[str, str]:
    """Name the fields whose missing values are not null, each with the text that stands there."""
    schema = DATASETS[dataset].schema
    empty = list(schema) if dataset in (*_DERIVATIVES, "dividend") else []
    if dataset in _EMPTY_TEXTS:
        empty = [name for name, kind in schema.items() if kind != pl.Float64]
    return (
        dict.fromkeys(empty, "")
        | dict.fromkeys(_DASHES.get(dataset, []), "-")
        | dict.fromkeys(_STARS.get(dataset, []), "*")
    )


def fields(dataset: str, premium: bool) -> list[str]:
    """List the fields of a row in the vendor's order."""
    if dataset == "bars":
        return PREMIUM_BARS if premium else BARS
    return AM if dataset == "bars_am" else [n for n in DATASETS[dataset].schema if n != "ReadOn"]


def spoken(
    dataset: str, rows: pl.DataFrame, shelf: Shelf, known: dt.date, premium: bool
) -> pl.DataFrame:
    """Give rows the vendor's fields and types.

    known   day up to which splits and rights issues are known to adjusted prices
    """
    if dataset == "bars":
        halves = ("", "M", "A") if premium else ("",)
        rows = _with_market_value(_with_adjusted(rows, halves, shelf, known), shelf)
    if dataset == "investor_types":
        rows = rows.cast({pl.Float64: pl.Int64})
    if dataset == "summary":
        numbers = pl.col(pl.Float64).cast(pl.String).str.strip_suffix(".0")
        rows = rows.with_columns(numbers).select(pl.all().cast(pl.String).fill_null(""))
    rows = rows.cast(dict.fromkeys(WHOLE_NUMBERS.get(dataset, []), pl.Int64))
    return rows.select(fields(dataset, premium))


def written(dataset: str, rows: pl.DataFrame) -> str:
    """Write rows as a JSON list.

    Objects are kept as text in the tables, and missing values may be texts where others are
    numbers; neither fits a typed column, so they are put into the written text. A text cannot be
    mistaken for a field there: its quotes are escaped.
    """
    objects = [field.name for field in DATASETS[dataset].fields if field.unit == "object"]
    texts = rows.select(objects)
    places = pl.int_range(pl.len())
    body = rows.with_columns(pl.format("@{}@", places).alias(name) for name in objects).write_json()
    for name in objects:
        for place, text in enumerate(texts[name]):
            body = body.replace(f'"{name}":"@{place}@"', f'"{name}":{text or "{}"}', 1)
    for name, text in blanks(dataset).items():
        if name in rows.columns and rows[name].has_nulls():
            body = body.replace(f'"{name}":null', f'"{name}":"{text}"')
    return body


def _with_adjusted(
    bars: pl.DataFrame, halves: tuple[str, ...], shelf: Shelf, known: dt.date
) -> pl.DataFrame:
    """Add Adj*: raw values times the factors of all later days up to `known`, rounded to 0.1.

    halves   the first letters of the fields of the whole day ("") and of its sessions
    """
    places = bars.select("Date", "Code").with_row_index("place")
    actions = shelf.actions().filter(pl.col("Date") <= known)
    later = (
        places.join(actions, on="Code")
        .filter(pl.col("Date_right") > pl.col("Date"))
        .group_by("place")
        .agg(pl.col("price", "volume").product())
    )
    factors = places.join(later, on="place", how="left", maintain_order="left")
    factors = factors.select(pl.col("price", "volume").fill_null(1.0))
    price, volume = factors["price"], factors["volume"]
    return bars.with_columns(
        *(
            (pl.col(half + name) * price).round(1).alias(f"{half}Adj{name}")
            for half in halves
            for name in _PRICES
        ),
        *((pl.col(f"{half}Vo") / volume).round(1).alias(f"{half}AdjVo") for half in halves),
    )


def _with_market_value(bars: pl.DataFrame, shelf: Shelf) -> pl.DataFrame:
    if "valuation" not in shelf or bars.is_empty():
        return bars.with_columns(MktCap=pl.lit(None, pl.Float64))
    codes = bars["Code"].unique()
    equals = {"Code": codes[0]} if len(codes) == 1 else {}
    first, last = bars["Date"].min(), bars["Date"].max()
    values = shelf.rows("valuation", first, last, equals)  # type: ignore[arg-type]
    values = values.select("Date", "Code", "MktCap")
    return bars.join(values, on=["Date", "Code"], how="left", maintain_order="left")


def minutes(bars: pl.DataFrame) -> pl.DataFrame:
    """Make the minute bars of traded stocks: two for each session, or for the day.

    The first minute holds the session's open, high and low, the last its close, so that opens,
    highs, lows, closes, volumes and values agree with the daily bars.
    """
    halves = [
        _two_minutes(bars, prefix, first, last)
        for prefix, first, last in (("M", "09:00", "11:29"), ("A", "12:30", None))
    ]
    unsplit = bars.filter(pl.col("MO").is_null() & pl.col("AO").is_null())
    unsplit_bars = _two_minutes(unsplit, "", "09:00", None)
    return pl.concat([*halves, unsplit_bars]).sort("Date", "Code", "Time")


CLOSE_MOVED = dt.date(2024, 11, 5)


def _two_minutes(bars: pl.DataFrame, half: str, first: str, last: str | None) -> pl.DataFrame:
    """Make the bars of one session, whose fields begin with `half`; the last may be the close."""
    closing = pl.when(pl.col("Date") < CLOSE_MOVED).then(pl.lit("15:00")).otherwise(pl.lit("15:30"))
    o, h, low, c, volume, value = (pl.col(half + name) for name in (*_PRICES, "Vo", "Va"))
    traded = bars.filter(o.is_not_null())
    end_volume, end_value = (volume / 2).floor(), (value * (volume / 2).floor() / volume).floor()
    opening = traded.select(
        "Date", "Code", O=o, H=h, L=low, C=c, Vo=volume - end_volume, Va=value - end_value,
        Time=pl.lit(first),
    )  # fmt: skip
    ending = traded.select(
        "Date", "Code", O=c, H=c, L=c, C=c, Vo=end_volume, Va=end_value,
        Time=closing if last is None else pl.lit(last),
    )  # fmt: skip
    names = list(DATASETS["bars_minute"].schema)
    return pl.concat([opening.select(names), ending.select(names).filter(pl.col("Vo") > 0)])
