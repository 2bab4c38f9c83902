"""The one shape: dates × stocks × fields, dense, absent = NaN, dates outermost.

Files keep raw prices and each day's factor. A loaded panel cumulates the factor forward from its
own first session: a later split changes no earlier row, and features do not see the scale.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from gogooku import run
from gogooku.run import UserError

PRICES = ("open", "high", "low", "close")
ADJUSTED = (*PRICES, "volume")
LIMITS = ("limit_up", "limit_down")
Cells = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Panel:
    """Dense market data: T sessions × N stocks.

    dates    (T,) datetime64[D], every session of the exchange in the loaded spans
    codes    (N,) str, every common stock listed on any of them, sorted
    fields   name → (T, N)

    `panel["close"]` (and open, high, low) [JPY of the first session's basis] and
    `panel["volume"]` [shares, likewise] are adjusted forward; `panel["raw_close"]` … are as
    traded. `value` [JPY], `factor`, `volume_factor` and `limit_up`, `limit_down` (1, 0, or NaN
    where the source does not say) are float64; `listed`, `universe` and `new_level` (prices go on
    at another level, and nothing says why) bool; `s33`, `s17`, `market` int32 with -1 for none.
    """

    dates: np.ndarray
    codes: np.ndarray
    fields: Mapping[str, np.ndarray]

    @classmethod
    def read(cls, paths: run.Paths) -> "Panel":
        """Load panel files of neighbouring spans."""
        return cls.of(run.read_parquet(paths))

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "Panel":
        """Make a panel of tidy rows (date, code, …), as the panel files hold them.

        Raises UserError if there is no row, or two of one date and code.
        """
        if rows.is_empty():
            raise UserError("the first span holds no session: move dates.start to one")
        dates = rows["date"].unique().sort().to_numpy().astype("datetime64[D]")
        day = np.searchsorted(dates, rows["date"].to_numpy().astype("datetime64[D]"))
        names = rows["code"].unique().sort()
        slot = rows["code"].cast(pl.Enum(names)).to_physical().to_numpy()
        cells = (day, slot)
        shape = (len(dates), len(names))
        listed = _scatter(np.ones(len(rows), bool), False, cells, shape)
        if np.count_nonzero(listed) < len(rows):
            raise UserError("panel files hold a date and code twice: delete them and run again")
        return cls(dates, names.to_numpy().astype(str), _Fields(rows, cells, listed))

    def __getitem__(self, name: str) -> np.ndarray:
        """Give the field `name`, (T, N)."""
        return self.fields[name]

    @property
    def shape(self) -> tuple[int, int]:
        """Sessions and stocks."""
        return len(self.dates), len(self.codes)

    @cached_property
    def returns(self) -> np.ndarray:
        """Close-to-close return of each session, (T, N) float64; NaN if either close is absent."""
        close = self["close"]
        gains = np.full(close.shape, np.nan)
        gains[1:] = close[1:] / close[:-1] - 1
        return gains

    def row(self, first: dt.date) -> int:
        """Give the row of the first session from `first` on."""
        return int(np.searchsorted(self.dates, np.datetime64(first, "D")))

    def tidy(self, columns: Mapping[str, np.ndarray], first: dt.date) -> pl.DataFrame:
        """Lay columns out as rows of the listed stocks from `first` on.

        columns   name → (R, N) or (R,), whose last row is the panel's last; R = T or, without a
                  look-back, at least the sessions from `first` on

        Returns date, code, then the columns as Float32 (NaN as null), sorted by date and code.
        """
        start = self.row(first)
        listed = self["listed"][start:]
        day, slot = np.nonzero(listed)
        frame = {"date": self.dates[start:][day], "code": self.codes[slot]}
        frame |= {
            name: values[len(values) - len(listed) :][day if values.ndim == 1 else listed].astype(
                np.float32
            )
            for name, values in columns.items()
        }
        return pl.DataFrame(frame).with_columns(pl.col(pl.Float32).fill_nan(None))


class _Fields(Mapping[str, np.ndarray]):
    """The fields of a panel's rows, each laid out when it is first asked for."""

    def __init__(self, rows: pl.DataFrame, cells: Cells, listed: np.ndarray) -> None:
        self._rows, self._cells = rows, cells
        self._laid_out = {"listed": listed}
        own = [name for name in rows.columns if name not in ("date", "code")]
        self._names = [*own, *(f"raw_{name}" for name in ADJUSTED), "listed"]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._laid_out:
            self._laid_out[name] = self._lay_out(name)
        return self._laid_out[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _lay_out(self, name: str) -> np.ndarray:
        if name in PRICES:
            return self[f"raw_{name}"] / self._prices
        if name == "volume":
            return self["raw_volume"] * _cumulated(self["volume_factor"])
        return _dense(self._rows[name.removeprefix("raw_")], self._cells, self["listed"].shape)

    @cached_property
    def _prices(self) -> np.ndarray:
        return _cumulated(self["factor"])


def _dense(values: pl.Series, cells: Cells, shape: tuple[int, int]) -> np.ndarray:
    if values.dtype == pl.String:
        groups = values.cast(pl.Int32, strict=False).fill_null(-1).to_numpy()
        return _scatter(groups, -1, cells, shape)
    if values.dtype == pl.Boolean and values.name not in LIMITS:
        return _scatter(values.fill_null(False).to_numpy(), False, cells, shape)
    return _scatter(values.cast(pl.Float64).fill_null(np.nan).to_numpy(), np.nan, cells, shape)


def _scatter(values: np.ndarray, absent: float, cells: Cells, shape: tuple[int, int]) -> np.ndarray:
    grid = np.full(shape, absent, values.dtype)
    grid[cells] = values
    return grid


def _cumulated(factor: np.ndarray) -> np.ndarray:
    """Product of the factors after the first session; a day without a row changes nothing."""
    steps = np.where(np.isnan(factor), 1.0, factor)
    steps[0] = 1.0
    return np.cumprod(steps, axis=0)
