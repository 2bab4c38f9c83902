"""Where a row of a date and a code lies in dense arrays of dates × codes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

NOWHERE = -1


@dataclass(frozen=True)
class Grid:
    """T dates × N codes.

    dates   (T,) datetime64[D], ascending;  codes   (N,) str, each once
    """

    dates: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, dates: pl.Series | np.ndarray, codes: pl.Series) -> "Grid":
        """Span all the dates and codes of some rows, both sorted."""
        days = np.unique(np.asarray(dates).astype("datetime64[D]"))
        return cls(days, codes.unique().sort().to_numpy().astype(str))

    @property
    def shape(self) -> tuple[int, int]:
        """Dates and codes."""
        return len(self.dates), len(self.codes)

    def days(self, dates: pl.Series) -> npt.NDArray[np.int64]:
        """Give the position of each date, (R,); -1 for one that the grid lacks."""
        own = self.dates.astype(np.int64)
        first, span = (own[0], own[-1] - own[0] + 1) if len(own) else (0, 0)
        place = np.full(span + 1, NOWHERE)  # by days since the first; the last for any other
        place[own - first] = np.arange(len(own))
        since = dates.cast(pl.Date).to_physical().cast(pl.Int64) - int(first)
        wanted = since.fill_null(NOWHERE).to_numpy()
        return place[np.where((wanted >= 0) & (wanted < span), wanted, span)]

    def slots(self, codes: pl.Series) -> npt.NDArray[np.int64]:
        """Give the position of each code, (R,); -1 for one that the grid lacks."""
        slot = codes.cast(pl.Enum(self.codes.tolist()), strict=False).to_physical()
        return slot.cast(pl.Int64).fill_null(NOWHERE).to_numpy()

    def cells(
        self, rows: pl.DataFrame, date: str = "date", code: str = "code"
    ) -> npt.NDArray[np.int64]:
        """Give each row's position in the flat array, (R,); -1 for a row off the grid."""
        day, slot = self.days(rows[date]), self.slots(rows[code])
        return np.where(np.minimum(day, slot) < 0, NOWHERE, day * len(self.codes) + slot)

    def dense(self, cells: np.ndarray, values: npt.ArrayLike, absent: float) -> np.ndarray:
        """Lay values (R,), or one for all, out as (T, N); `absent` where no row lies.

        cells   of the rows, as `cells` gives them; of two rows in one cell the last counts
        """
        known, on = np.asarray(values), cells >= 0
        table = np.full(self.shape, absent, known.dtype)
        table.ravel()[cells[on]] = known[on] if known.ndim else known
        return table

    def tidy(
        self,
        where: npt.NDArray[np.bool_],
        columns: Mapping[str, np.ndarray],
        dtype: npt.DTypeLike | None = None,
    ) -> pl.DataFrame:
        """Lay columns, (T, N) or (T,), out as rows where `where` (T, N) is true.

        Returns date, code and the columns, as `dtype` if one is given, by date and code.
        """
        day, slot = np.nonzero(where)
        frame = {"date": self.dates[day], "code": self.codes[slot]}
        for name, values in columns.items():
            chosen = values[day] if values.ndim == 1 else values[where]
            frame[name] = chosen if dtype is None else chosen.astype(dtype)
        return pl.DataFrame(frame)
