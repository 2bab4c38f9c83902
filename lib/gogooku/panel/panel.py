"""The one shape: dates × stocks × fields, dense, absent = NaN, dates outermost.

Files keep raw prices and each day's factor. A loaded panel cumulates the factor forward from its
own first session: a later split changes no earlier row, and features do not see the scale.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from gogooku import files
from gogooku.arrays.grid import Grid
from gogooku.errors import UserError

KEYS = ["date", "code"]
PRICES = ("open", "high", "low", "close")
ADJUSTED = (*PRICES, "volume")
GROUPS = ("s33", "s17", "market")
FLAGS = ("universe", "new_level")
CUMULATED = ("cumulated_factor", "cumulated_volume_factor")

Read = Callable[[str], pl.Series]


@dataclass(frozen=True)
class Panel:
    """Dense market data: T sessions × N stocks.

    dates    (T,) datetime64[D], every session of the exchange in the loaded spans
    codes    (N,) str, every common stock listed on any of them, sorted
    fields   name → (T, N)

    `panel["close"]` (and open, high, low) [JPY of the first session's basis] and
    `panel["volume"]` [shares, likewise] are adjusted forward; `panel["raw_close"]` … are as traded,
    and `cumulated_factor` and `cumulated_volume_factor`, products of the factors after the first
    session, lead from one to the other. `value` [JPY], `factor`, `volume_factor` and `limit_up`,
    `limit_down` (1, 0, or NaN where the source does not say) are float64; `listed`, `universe` and
    `new_level` (prices go on at another level, and nothing says why) bool; `s33`, `s17`, `market`
    int32 with -1 for none. A panel's arrays are read-only: copy one to change it.
    """

    dates: np.ndarray
    codes: np.ndarray
    fields: Mapping[str, np.ndarray]

    @classmethod
    def read(cls, paths: files.Paths) -> "Panel":
        """Load panel files of neighbouring spans.

        Only dates and codes are read at once; a field is read when it is first asked for, from the
        files that hold its sessions: `since` a late session, earlier files stay closed.

        Raises UserError, at once or when a field is read, naming a file that is missing, unreadable
        or lacks a column.
        """
        named = [paths] if isinstance(paths, str | Path) else paths
        absolute = [Path(file).absolute() for file in named]  # users' code may change the folder
        pieces = [(files.read_parquet(file, KEYS), _field_of(file)) for file in absolute]
        return cls._of(pieces, files.column_names(absolute))

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "Panel":
        """Make a panel of tidy rows (date, code, …), as the panel files hold them.

        Raises UserError if there is no row, or two of one date and code.
        """
        return cls._of([(rows, rows.get_column)], rows.columns)

    @classmethod
    def _of(cls, pieces: Sequence[tuple[pl.DataFrame, Read]], columns: Sequence[str]) -> "Panel":
        dates, codes = (pl.concat([keys[name].unique() for keys, _ in pieces]) for name in KEYS)
        if dates.is_empty():
            raise UserError("the first span holds no session: move dates.start to one")
        grid = Grid.of(dates, codes)
        rows = [(grid.cells(keys), read) for keys, read in pieces]
        listed = np.zeros(grid.shape, bool)
        for cells, _ in rows:
            listed.ravel()[cells] = True
        if np.count_nonzero(listed) < sum(len(cells) for cells, _ in rows):
            raise UserError("panel files hold a date and code twice: delete them and run again")
        fields = _Fields(columns, rows, _locked(listed))
        return cls(_locked(grid.dates), _locked(grid.codes), fields)

    def __getitem__(self, name: str) -> np.ndarray:
        """Give the field `name`, (T, N)."""
        return self.fields[name]

    @property
    def shape(self) -> tuple[int, int]:
        """Sessions and stocks."""
        return len(self.dates), len(self.codes)

    @property
    def grid(self) -> Grid:
        """Where rows of a date and a code lie."""
        return Grid(self.dates, self.codes)

    @cached_property
    def returns(self) -> np.ndarray:
        """Close-to-close return of each session, (T, N) float64; NaN if either close is absent."""
        close = self["close"]
        gains = np.full(close.shape, np.nan)
        gains[1:] = close[1:] / close[:-1] - 1
        return _locked(gains)

    def since(self, row: int) -> "Panel":
        """Give the sessions from `row` on, all if it is negative, adjusted as the whole is.

        Of most fields no earlier rows are laid out.
        """
        row, fields = max(row, 0), self.fields
        if isinstance(fields, _Fields):
            return Panel(self.dates[row:], self.codes, fields.since(row))
        return Panel(self.dates[row:], self.codes, changed(fields, lambda _, x: x[row:]))

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
        late = {name: values[len(values) - len(listed) :] for name, values in columns.items()}
        rows = Grid(self.dates[start:], self.codes).tidy(listed, late, np.float32)
        return rows.with_columns(pl.col(pl.Float32).fill_nan(None))


class _Lazy(Mapping[str, np.ndarray]):
    """Fields by name, each made when it is first asked for, and read-only."""

    def __init__(self, names: Iterable[str], make: Callable[[str], np.ndarray]) -> None:
        self._names, self._make = list(names), make
        self._ready: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._ready:
            self._ready[name] = _locked(self._make(name))
        return self._ready[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def changed(
    fields: Mapping[str, np.ndarray], change: Callable[[str, np.ndarray], np.ndarray]
) -> Mapping[str, np.ndarray]:
    """Change fields of a panel, each when it is first asked for."""
    return _Lazy(fields, lambda name: change(name, fields[name]))


class _Fields(_Lazy):
    """The fields of a panel's rows, each read and laid out when it is first asked for.

    pieces   of the rows, by neighbouring spans: their flat positions in `listed`, and how a field
             of them is read
    listed   (T, N) of all sessions
    first    the session with which the fields begin, T − first rows long
    full     fields of the same rows that begin with the first session; None: these do
    """

    def __init__(
        self,
        columns: Sequence[str],
        pieces: Sequence[tuple[np.ndarray, Read]],
        listed: np.ndarray,
        first: int = 0,
        full: "_Fields | None" = None,
    ) -> None:
        self._source = columns, pieces, listed
        self._first, self._full = first, full
        own = [name for name in columns if name not in KEYS]
        names = [*own, *(f"raw_{name}" for name in ADJUSTED), *CUMULATED, "listed"]
        super().__init__(names, self._lay_out)
        self._ready["listed"] = listed[first:]

    def since(self, row: int) -> "_Fields":
        """Give the fields from `row` on; what the whole has laid out is taken from there."""
        full = self if self._full is None else self._full
        return _Fields(*self._source, self._first + row, full)

    def _lay_out(self, name: str) -> np.ndarray:
        full = self._full
        if full is not None and (name in full._ready or name in CUMULATED):
            return full[name][self._first :]
        if name in CUMULATED:
            return self._cumulated(name.removeprefix("cumulated_"))
        if name in PRICES:
            raw = self._raw(name)
            return np.divide(raw, self["cumulated_factor"], out=raw)
        if name == "volume":
            raw = self._raw(name)
            return np.multiply(raw, self["cumulated_volume_factor"], out=raw)
        return self._read(name.removeprefix("raw_"))

    def _raw(self, name: str) -> np.ndarray:
        """Give a field of the files, to be written over."""
        ready = self._ready.get(f"raw_{name}")
        return self._read(name) if ready is None else ready.copy()

    def _read(self, name: str) -> np.ndarray:
        _, pieces, listed = self._source
        kind, plain, absent = _types(name)
        grid = np.full(listed[self._first :].shape, absent, plain)
        before = listed[: self._first].size
        for cells, read in pieces:
            late = cells >= before
            if late.any():
                values = read(name).cast(kind, strict=name not in GROUPS).fill_null(absent)
                grid.ravel()[cells[late] - before] = values.to_numpy()[late]
        return grid

    def _cumulated(self, name: str) -> np.ndarray:
        """Multiply each stock's factors after the first session, (T, N), in order of their days.

        A day without a row changes nothing.
        """
        _, pieces, listed = self._source
        product = np.ones(listed.shape)
        moves: dict[int, float] = {}
        for cells, read in pieces:
            steps = read(name).fill_null(1.0).fill_nan(1.0).to_numpy()
            moved = np.flatnonzero((steps != 1) & (cells >= listed.shape[1]))
            moves |= zip(cells[moved].tolist(), steps[moved].tolist(), strict=True)
        for cell in sorted(moves):
            day, stock = divmod(cell, listed.shape[1])
            product[day:, stock] *= moves[cell]
        return product


def _locked(values: np.ndarray) -> np.ndarray:
    """Forbid writing: what holds the array shares it."""
    view = values.view()
    view.setflags(write=False)
    return view


def _field_of(file: Path) -> Read:
    return lambda name: files.read_parquet(file, [name])[name]


def _types(name: str) -> tuple[type[pl.DataType], npt.DTypeLike, float]:
    """Give a field's type in Polars and in NumPy, and what stands where there is no value.

    It is the field's, not a file's: one without a value may hold it in another.
    """
    if name in GROUPS:
        return pl.Int32, np.int32, -1
    if name in FLAGS:
        return pl.Boolean, np.bool_, False
    return pl.Float64, np.float64, np.nan
