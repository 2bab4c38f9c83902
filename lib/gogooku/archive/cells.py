"""What the cells of a foreign table say: codes, days, times of day, numbers, yes or no.

Every form is read that leaves no doubt; a cell in any other becomes null, and `typed` refuses it.
"""

import datetime as dt
import re
from pathlib import Path

import polars as pl

from gogooku import calendar
from gogooku.archive import jpx_layout as layout
from gogooku.errors import UserError

JAPAN = dt.timezone(dt.timedelta(hours=9))
YEARS = range(1900, 2200)
MIDNIGHT = dt.time()

WRITTEN_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
"""A day that begins a text; Japanese tables have 2020/1/6 and 2020年1月6日 for 2020-01-06."""


def typed(values: pl.Series, path: Path) -> pl.Series:
    """Give a column of the layout its type.

    Raises UserError naming the file, the column and the first value that does not fit.
    """
    text = _without_dashes(values)
    cells = READERS[layout.KINDS.get(values.name, "number")](text)
    lost = cells.is_null() & text.is_not_null()
    if lost.any():
        bad = text.filter(lost)[0]
        raise UserError(f"{path} holds {str(bad)!r} in the column {values.name!r}: mend that row")
    return cells


def days(values: pl.Series) -> pl.Series:
    """Read days [local date in Japan]; null where a cell tells none.

    Moments of a time zone count by their date in Japan, in whichever zone they are written. A time
    of day without a zone is no day: one of UTC would fall on the day before.

    >>> days(pl.Series(["2020-01-06", "2020/1/6", "20200106", "2020-01-05T15:00:00Z"])).n_unique()
    1
    """
    if isinstance(values.dtype, pl.Datetime):
        if values.dtype.time_zone:
            return values.dt.convert_time_zone("Asia/Tokyo").dt.date()
        return values.dt.date().set(values.dt.time() != MIDNIGHT, None)
    if values.dtype == pl.Date:
        return values
    text = _digits(values)
    forms = text.drop_nulls().unique()
    meanings = pl.Series([_day(form) for form in forms], dtype=pl.Date)
    return text.replace_strict(forms, meanings, default=None, return_dtype=pl.Date)


def _day(text: str) -> dt.date | None:
    try:
        moment = dt.datetime.fromisoformat(WRITTEN_DAY.sub(_iso, text, count=1))
    except ValueError:
        return None
    if moment.tzinfo:
        moment = moment.astimezone(JAPAN)
    elif moment.time() != MIDNIGHT:
        return None
    return moment.date() if moment.year in YEARS else None


def _iso(written: re.Match[str]) -> str:
    return f"{written[1]}-{int(written[2]):02d}-{int(written[3]):02d}"


def _without_dashes(values: pl.Series) -> pl.Series:
    """Read what stands for nothing in the layout (empty, dash, full-width dash) as null."""
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        values = values.cast(pl.String)
    if values.dtype != pl.String:
        return values
    text = values.str.strip_chars()
    return text.set(text.is_in(["", "-", "－"]), None)


def _codes(values: pl.Series) -> pl.Series:
    """Write codes with five characters (1301, 1301.0 and `1301` → `13010`; `130A` → `130A0`)."""
    text = _digits(values).str.to_uppercase()
    proper = text.str.contains(r"^[0-9A-Z]{4,5}$").fill_null(False)
    return text.str.pad_end(5, "0").set(~proper, None)


def _times(values: pl.Series) -> pl.Series:
    """Write times of day as HH:MM:SS; those in the vendor's own form stay as they are."""
    text = values.dt.to_string("%H:%M:%S") if values.dtype == pl.Time else _digits(values)
    seconds = calendar.times_of_day(text)
    written = (seconds * 1_000_000_000).cast(pl.Time).dt.to_string("%H:%M:%S")
    own = text.str.contains(r"^\d\d:\d\d(:\d\d)?$").fill_null(False)
    return written.zip_with(~own | seconds.is_null(), text)


def _digits(values: pl.Series) -> pl.Series:
    """Write as text what a table may hold as a number, or as the text of one (`50.0`)."""
    integers = values.cast(pl.Int64) if values.dtype.is_float() else values
    return integers.cast(pl.String).str.strip_suffix(".0")


def _numbers(values: pl.Series) -> pl.Series:
    """Give 64-bit floats; a 32-bit one (646.3 kept as 646.299988) gets its decimal back."""
    if values.dtype == pl.Float32:
        return values.cast(pl.Float64).round_sig_figs(7).fill_nan(None)
    return values.cast(pl.Float64, strict=False).fill_nan(None)


def _texts(values: pl.Series) -> pl.Series:
    return values.cast(pl.String)


def _truths(values: pl.Series) -> pl.Series:
    text = values.cast(pl.String).str.to_lowercase()
    truths = {"true": True, "false": False}
    return text.replace_strict(truths, default=None, return_dtype=pl.Boolean)


READERS = {
    "code": _codes, "day": days, "time": _times, "digits": _digits, "text": _texts,
    "truth": _truths, "number": _numbers,
}  # fmt: skip
