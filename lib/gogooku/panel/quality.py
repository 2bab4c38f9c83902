"""Prices that cannot be true, found with what was known on their own day.

A bad tick is a fault of the record, not of the market. It is rejected (made null) and reported;
its row stays. Every judgement looks backwards only: tomorrow's return to the old level, which
would prove the fault, is not known today and is not used.
"""

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gogooku.arrays.grid import Grid
from gogooku.panel.price_limits import daily_limit

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]

log = logging.getLogger(__name__)

PRICES = ("O", "H", "L", "C")
FIELDS = (*PRICES, "Vo", "Va", "AdjFactor")
OPEN, HIGH, LOW, CLOSE, VOLUME, VALUE, FACTOR = range(len(FIELDS))

SIGN, LIMIT, CONTRADICTION, DERIVED = 1, 2, 3, 4
RULES = {SIGN: "sign", LIMIT: "daily_limit", CONTRADICTION: "contradiction", DERIVED: "derived"}
NEW_LEVEL = "new_level"
REASONS = {
    SIGN: "a price or factor is a finite number above 0, a volume or value one not below it",
    CONTRADICTION: "no price of a day is above its high or below its low",
    DERIVED: "the value follows from a close or volume that was rejected",
}

ABSENT = {"AdjFactor": 1.0}
"""What stands where there is no value, if it is not NaN."""

WIDENED = 4.0
"""Times the daily limit after HELD sessions in a row that held no price but the limit itself.

Source: Tokyo Stock Exchange, "Daily Price Limits". The rule before it (in force in 2019) was twice,
after three sessions: the wider one stands for all years, so that no true price is lost to its date.
"""
HELD = 2

FAR = 1.4
"""Ratio to the last good close, either way, from which a price beyond the limit that lasts is on
another level. A split of two shares into three is the smallest that limits of 30 % show, and the
day's own move may hide part of it; most true prices beyond a limit, in an archive of adjusted
prices or where the exchange had widened it, are nearer. A smaller split and one that the limit
allows look like a move and pass: two into three up to 90, from 100 to 150 and from 200 to 240 JPY,
one into two up to 60 and at 100 JPY."""

MOST_DOUBLINGS = 40
"""Doublings of a limit beyond which any price is inside it."""


def clean(
    bars: pl.DataFrame, dates: Days, *, limit_tolerance: float, limit_relief_days: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Reject the prices, volumes, values and factors of raw bars that cannot be true.

    bars                rows with Date, Code, O, H, L, C [JPY, unadjusted], Vo [shares], Va [JPY],
                        AdjFactor
    dates               (T,) sessions, from the start of the look-back; rows of other days go
    limit_tolerance     share of the daily limit by which a price may exceed it
    limit_relief_days   sessions without a good close after which the limit doubles with each
                        further one

    sign            a price or factor at or below 0, a volume or value below 0, or any of them
                    infinite; a factor that is no number counts as 1 and is reported too
    daily_limit     a price further from the last good close (times the day's factor) than the
                    exchange allows. A session without a good close, untraded or rejected, moves
                    the range by one limit either way, as the true close may have moved; days held
                    at the limit widen it, as the exchange does; and the relief makes sure that a
                    lasting new level (a long halt, a missing factor) is accepted in the end,
                    however far it is. A stock's first close has no base and stands.
    contradiction   of two prices that contradict each other, neither is believed
    derived         a value that follows from a rejected close or volume
    duplicate       several rows for one stock and session that differ: none is believed, and of
                    none any field is left
    new_level       a close FAR from the last good one that stands by the relief alone, or is nearer
                    to a rejected one as far away: the level has changed without a factor that says
                    so (a split that the record lacks, another unit). Nothing is rejected

    Returns the bars, one row a stock and session, rejected values null (as is what is no number),
    sorted by Date and Code, with `link` added: on a new level its close over the last good one
    (times the factors since), else null; a null factor stands for 1;
    and the findings: date, code, rule, field, value, reason, sorted by the first four.
    """
    rows, clashes = _one_row_each(bars.filter(pl.col("Date").is_in(pl.Series(dates).implode())))
    layout = _Layout.of(rows, dates)
    values = np.stack([layout.dense(rows[name], ABSENT.get(name, np.nan)) for name in FIELDS])
    broken, low, high, links = _judge(values, limit_tolerance, limit_relief_days)
    sound = broken.reshape(len(FIELDS), -1)[:, layout.cells] == 0
    rejected = [
        pl.when(pl.Series(good)).then(pl.col(name).fill_nan(None)).alias(name)
        for name, good in zip(FIELDS, sound, strict=True)
    ]
    faults = layout.faults(values, broken, low, high), layout.new_levels(values[CLOSE], links)
    link = pl.Series("link", links.ravel()[layout.cells], nan_to_null=True)
    findings = pl.concat([clashes, *faults]).sort("date", "code", "rule", "field")
    return rows.with_columns(*rejected, link), findings


def _one_row_each(bars: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop repeated rows; empty those that differ for one stock and session, and report them."""
    key = ["Date", "Code"]
    several = bars.select(key).is_duplicated()  # few if any: whole rows are compared of these alone
    again = bars.filter(several)
    distinct = again.unique(maintain_order=True)
    if len(distinct) < len(again):
        log.warning("%d bars came twice: each is kept once", len(again) - len(distinct))
    count = pl.len().over(key)
    emptied = pl.when(count == 1).then(pl.exclude(key)).name.keep()
    once = distinct.with_columns(emptied).unique(key, keep="first", maintain_order=True)
    clashes = distinct.group_by(key, maintain_order=True).len().filter(pl.col("len") > 1)
    findings = clashes.select(
        date="Date",
        code="Code",
        rule=pl.lit("duplicate"),
        field=pl.lit("row"),
        value=pl.col("len").cast(pl.Float64),
        reason=pl.lit("a stock has one bar a day: these rows differ"),
    )
    rows = pl.concat([bars.filter(~several), once]).sort(key, maintain_order=True)
    return rows, findings


@dataclass(frozen=True)
class _Layout:
    """Where the rows of bars lie among T sessions × N stocks."""

    grid: Grid
    cells: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: pl.DataFrame, dates: Days) -> "_Layout":
        grid = Grid.of(dates, rows["Code"])
        return cls(grid, grid.cells(rows, "Date", "Code"))

    def dense(self, values: pl.Series, absent: float) -> Floats:
        known = values.cast(pl.Float64).fill_null(absent).to_numpy()
        return self.grid.dense(self.cells, known, absent)

    def faults(
        self, values: Floats, broken: npt.NDArray[np.int8], low: Floats, high: Floats
    ) -> pl.DataFrame:
        field, day, stock = np.nonzero(broken)
        rule = pl.Series(broken[field, day, stock])
        edges = (pl.Series(edge[day, stock]).round(1) for edge in (low, high))
        allowed = pl.format("outside {} to {}, the range around the last good close", *edges)
        return self._findings(
            day,
            stock,
            rule=rule.replace_strict(RULES, return_dtype=pl.String),
            field=pl.Series(FIELDS).gather(field),
            value=values[field, day, stock],
            reason=pl.when(rule == LIMIT)
            .then(allowed)
            .otherwise(rule.replace_strict(REASONS, default=None, return_dtype=pl.String)),
        )

    def new_levels(self, close: Floats, links: Floats) -> pl.DataFrame:
        day, stock = np.nonzero(np.isfinite(links))
        times = pl.Series(links[day, stock]).round_sig_figs(3)
        text = (
            "stands at {} times the last good close, without a factor: no label and no one-day "
            "return crosses it"
        )
        levels = {"rule": pl.lit(NEW_LEVEL), "field": pl.lit("C"), "reason": pl.format(text, times)}
        return self._findings(day, stock, value=close[day, stock], **levels)

    def _findings(
        self, day: np.ndarray, stock: np.ndarray, value: np.ndarray, **columns: pl.Expr | pl.Series
    ) -> pl.DataFrame:
        cells = {"date": self.grid.dates[day], "code": self.grid.codes[stock], "value": value}
        order = ["date", "code", "rule", "field", "value", "reason"]
        return pl.DataFrame(cells).with_columns(**columns).select(order)


def _judge(
    values: Floats, tolerance: float, relief_days: int
) -> tuple[npt.NDArray[np.int8], Floats, Floats, Floats]:
    """Walk down the days.

    Returns (F, T, N) rules broken (0: none), the ranges and the links of new levels (T, N).
    """
    broken = np.zeros(values.shape, np.int8)
    low, high, links = (np.empty(values.shape[1:]) for _ in range(3))
    base = _Base.unknown(values.shape[2])
    for t in range(values.shape[1]):
        base.begin(values[FACTOR, t])
        doublings = np.clip(base.missed - relief_days, 0, MOST_DOUBLINGS)
        low[t], high[t] = base.range(tolerance, np.exp2(doublings, dtype=np.float64))
        broken[:, t] = _broken(values[:, t], low[t], high[t])
        good = broken[CLOSE, t] == 0
        links[t] = base.link(values[CLOSE, t], good, tolerance)
        base.follow(values[:, t], good, tolerance)
    return broken, low, high, links


def _broken(bar: Floats, low: Floats, high: Floats) -> npt.NDArray[np.int8]:
    """Say which rule each value of one day (F, N) breaks; a value that is absent breaks none."""
    broken = np.zeros(bar.shape, np.int8)
    broken[(bar <= 0) | np.isinf(bar)] = SIGN
    prices, amounts = slice(OPEN, CLOSE + 1), slice(VOLUME, VALUE + 1)
    broken[amounts][bar[amounts] == 0] = 0
    broken[FACTOR, np.isnan(bar[FACTOR])] = SIGN
    beyond = (bar[prices] < low) | (bar[prices] > high)
    broken[prices][beyond & (broken[prices] == 0)] = LIMIT
    left = np.where(broken == 0, bar, np.nan)
    pairs = [(OPEN, HIGH), (CLOSE, HIGH), (LOW, HIGH), (LOW, OPEN), (LOW, CLOSE)]
    for lower, upper in pairs:
        clash = left[lower] > left[upper]
        broken[lower, clash] = broken[upper, clash] = CONTRADICTION
    baseless = (broken[CLOSE] > 0) | (broken[VOLUME] > 0)
    broken[VALUE, baseless & (broken[VALUE] == 0) & np.isfinite(bar[VALUE])] = DERIVED
    return broken


@dataclass
class _Base:
    """What the day's price limits of N stocks are made of, (N,) each.

    A limit is so far from the last close. After a close that was rejected, or days without one, the
    last close is known as a range only.

    last, far            last good close; of the closes rejected since that are FAR from it, the
                         nearest to it [JPY]
    low, high            range in which the newest close lies [JPY]; one price after a good close
    missed               sessions since that good close
    held_up, held_down   sessions in a row with no price, or a single one at the limit or beyond
    up, down             today's limits, widened [JPY]
    """

    last: Floats
    far: Floats
    low: Floats
    high: Floats
    missed: npt.NDArray[np.int64]
    held_up: npt.NDArray[np.int64]
    held_down: npt.NDArray[np.int64]
    up: Floats
    down: Floats

    @classmethod
    def unknown(cls, stocks: int) -> "_Base":
        prices, counts = np.full((6, stocks), np.nan), np.zeros((3, stocks), np.int64)
        return cls(*prices[:4], *counts, *prices[4:])

    def begin(self, factor: Floats) -> None:
        """Go over to the day's basis and set its limits."""
        known = np.where((factor > 0) & np.isfinite(factor), factor, 1.0)
        self.last, self.far = self.last * known, self.far * known
        self.low, self.high = self.low * known, self.high * known
        self.up = daily_limit(self.high) * np.where(self.held_up >= HELD, WIDENED, 1.0)
        self.down = daily_limit(self.low) * np.where(self.held_down >= HELD, WIDENED, 1.0)

    def range(self, tolerance: float, times: Floats | float = 1.0) -> tuple[Floats, Floats]:
        wide = (1 + tolerance) * times
        return self.low - self.down * wide, self.high + self.up * wide

    def link(self, close: Floats, good: Flags, tolerance: float) -> Floats:
        """Give a good close over the last one where it is on a new level, else NaN."""
        step = _apart(close, self.last)
        lasting = self._outside(close, tolerance) | (_apart(close, self.far) < step)
        return np.where(good & lasting & (step >= np.log(FAR)), close / self.last, np.nan)

    def _outside(self, close: Floats, tolerance: float) -> Flags:
        low, high = self.range(tolerance)
        return (close < low) | (close > high)

    def follow(self, bar: Floats, good: Flags, tolerance: float) -> None:
        """Take in the day: `good` says which closes were not rejected."""
        close = bar[CLOSE]
        silent = np.isnan(close)
        believed = good & ~silent
        single = believed & (bar[HIGH] == bar[LOW])
        share = 1 - tolerance
        at_top = single & (close >= self.high + daily_limit(self.high) * share)
        at_bottom = single & (close <= self.low - daily_limit(self.low) * share)
        self.held_up = np.where(silent | at_top, self.held_up + 1, 0)
        self.held_down = np.where(silent | at_bottom, self.held_down + 1, 0)
        self.missed = np.where(believed, 0, self.missed + 1)
        step = _apart(close, self.last)
        far = self._outside(close, tolerance) & (step >= np.log(FAR))
        nearest = far & ~(_apart(self.far, self.last) <= step)
        self.far = np.where(believed, np.nan, np.where(nearest, close, self.far))
        self.last = np.where(believed, close, self.last)
        self.low = np.where(believed, close, np.maximum(self.low - self.down, 0.0))
        self.high = np.where(believed, close, self.high + self.up)


def _apart(price: Floats, base: Floats) -> Floats:
    """Give the logarithm of the ratio of two prices, the greater over the smaller."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(np.log(price / base))
