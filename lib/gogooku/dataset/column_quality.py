"""What each column of a span is worth: how much is known of it, and what looks wrong with it.

All is measured on the families' own values, before normalisation, which hides a changed unit or a
broken scale, and on the universe's rows, which are those that models see.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from gogooku.arrays.ranks import mean_ranks
from gogooku.dataset.assembly import KEYS, Family
from gogooku.dataset.normalize import day_starts

SKETCH = 101  # values, from the lowest to the highest, that stand for a column's distribution
INNER = (1, 99)  # indices in the sketch between which the bulk of the values lies
FEWEST = 10  # known values on a day below which two columns cannot be told to be alike

Arrays = Mapping[str, npt.NDArray[np.float32]]

SCHEMA = {
    "span": pl.String(),
    "year": pl.Int32(),
    "family": pl.String(),
    "column": pl.String(),
    "kind": pl.String(),
    "about": pl.String(),
    "rows": pl.Int64(),
    "known": pl.Int64(),
    "infinite": pl.Int64(),
    "days": pl.Int64(),
    "constant": pl.Int64(),
    "thin": pl.Int64(),
    "pairs": pl.Int64(),
    "stale": pl.Int64(),
    "farthest": pl.Float64(),
    "twin": pl.String(),
    "sketch": pl.List(pl.Float32()),
}


def measure(
    panel: pl.DataFrame, families: Mapping[str, Family], span: str, fewest: int,
    about: Mapping[str, str],
) -> pl.DataFrame:  # fmt: skip
    """Measure every column of one span.

    panel      rows of the span: date, code, universe, sorted by date and code
    families   name → (exactly the panel's rows, each column's kind)
    fewest     known values on a day below which normalisation makes a stock column null
    about      column → what it is

    Returns one row a column, with its kind, what it is and
    rows, known    universe rows, and those with a value
    infinite       values that are infinite
    days           days with two known values or more; of a market column, days with one
    constant       those of them on which all values are the same; of a market column or a flag
                   all or none: whether it never changes within the span
    thin           days on which a stock column has values, and fewer than `fewest`
    pairs, stale   rows with a value whose stock had one in the session before too, and those of
                   them that are equal to it; none of a flag, which is made to stay
    farthest       greatest distance from the median, in ranges from the 1st to the 99th percentile;
                   where these are the same, in the median's own size or, if more, in units
    twin           the first column with the same ranks, up or down, on every day; of columns
                   without differences between stocks, in the order of days; null for none
    sketch         101 evenly spaced quantiles of all known values; empty where none is known
    """
    frame = pl.concat(
        [panel.select(*KEYS, "universe"), *(rows.drop(KEYS) for rows, _ in families.values())],
        how="horizontal",
    ).filter("universe")
    starts = day_starts(frame["date"])
    before = _sessions_before(frame.select(KEYS), panel["date"].unique().sort())
    kinds_of = {family: kinds.items() for family, (_, kinds) in families.items()}
    columns = [(family, *column) for family, kinds in kinds_of.items() for column in kinds]
    arrays = {
        name: frame[name].cast(pl.Float32).fill_null(np.nan).to_numpy(writable=False)
        for _, name, _ in columns
    }
    twins = _twins(arrays, starts)
    shared = {"span": span, "year": panel["date"].dt.year().max(), "rows": len(frame)}
    rows = [
        {
            **shared, "family": family, "column": name, "kind": kind, "about": about[name],
            "twin": twins.get(name), **_of(arrays[name], kind, starts, before, fewest),
        }
        for family, name, kind in columns
    ]  # fmt: skip
    return pl.DataFrame(rows, SCHEMA)


def drift(before: Sequence[float], after: Sequence[float]) -> float:
    """Give the greatest gap between two distributions' shares below a value, 0–1.

    before, after   their sketches

    Source: Kolmogorov (1933), Smirnov (1939): the two-sample statistic, of the sketches.
    """
    values = np.concatenate([before, after])
    shares = [np.searchsorted(side, values, side="right") / len(side) for side in (before, after)]
    return float(np.abs(shares[0] - shares[1]).max())


def _of(
    x: npt.NDArray[np.float32],
    kind: str,
    starts: np.ndarray,
    before: npt.NDArray[np.int64],
    fewest: int,
) -> dict[str, object]:
    known = np.isfinite(x)
    ordered = np.sort(x[known])
    number = np.add.reduceat(known, starts[:-1], dtype=np.int64) if len(known) else starts[:0]
    days, constant = _constant_days(np.where(known, x, np.nan), number, kind, starts)
    then, now = x[before[before >= 0]], x[before >= 0]
    pairs = np.isfinite(then) & np.isfinite(now) & (kind != "flag")
    return {
        "known": int(known.sum()),
        "infinite": int(np.isinf(x).sum()),
        "days": days,
        "constant": constant,
        "thin": int(((number > 0) & (number < fewest)).sum()) * (kind == "stock"),
        "pairs": int(pairs.sum()),
        "stale": int((pairs & (then == now)).sum()),
        **_sketched(ordered),
    }


def _constant_days(
    x: np.ndarray, number: np.ndarray, kind: str, starts: np.ndarray
) -> tuple[int, int]:
    if not len(number):
        return 0, 0
    low, high = (f.reduceat(x, starts[:-1]) for f in (np.fmin, np.fmax))
    if kind == "stock":
        return int((number > 1).sum()), int(((number > 1) & (low == high)).sum())
    days = int((number > 0).sum())
    return days, days * int(days > 1 and np.nanmin(low) == np.nanmax(high))


def _sketched(ordered: np.ndarray) -> dict[str, object]:
    if not len(ordered):
        return {"sketch": [], "farthest": None}
    sketch = ordered[np.linspace(0, len(ordered) - 1, SKETCH).round().astype(np.intp)]
    sketch = sketch.astype(np.float64)
    low, high = (sketch[index] for index in INNER)
    middle = sketch[SKETCH // 2]
    reach = max(sketch[-1] - middle, middle - sketch[0])
    scale = high - low if high > low else max(abs(middle), 1.0)
    return {"sketch": sketch, "farthest": reach / scale}


def _sessions_before(keys: pl.DataFrame, sessions: pl.Series) -> npt.NDArray[np.int64]:
    """Give the row of the same stock in the session before each row; −1 for none."""
    numbers = pl.DataFrame({"date": sessions}).with_row_index("session")
    rows = keys.with_row_index("row").join(numbers, on="date", maintain_order="left")
    earlier = rows.select("code", pl.col("session") + 1, before="row")
    joined = rows.join(earlier, on=["code", "session"], how="left", maintain_order="left")
    return joined["before"].cast(pl.Int64).fill_null(-1).to_numpy()


# ---- twins ---------------------------------------------------------------------------------------


def _twins(arrays: Arrays, starts: np.ndarray) -> dict[str, str]:
    """Give of each column with a twin the first such column before it."""
    days = [slice(*ends) for ends in zip(starts[:-1], starts[1:], strict=True)]
    across = {name: x for name, x in arrays.items() if any(_tells(x[day]) for day in days)}
    daily = {name: x[starts[:-1]] for name, x in arrays.items() if name not in across}
    one_group = [slice(0, len(days))]
    along = {name: x for name, x in daily.items() if _tells(x)}
    groups = [*_alike(across, days), *_alike(along, one_group)]
    return {name: group[0] for group in groups for name in group[1:]}


def _tells(x: np.ndarray) -> bool:
    """Say whether values are enough, and differ, so that their order means something."""
    known = x[np.isfinite(x)]
    return len(known) >= FEWEST and bool(known.min() < known.max())


def _alike(arrays: Arrays, days: Sequence[slice]) -> list[list[str]]:
    """Group the columns whose ranks agree on all days; most differ from all others on the first."""
    groups = [list(arrays)] if arrays else []
    for day in days:
        groups = [part for group in groups for part in _parts(group, arrays, day)]
    return groups


def _parts(group: list[str], arrays: Arrays, day: slice) -> list[list[str]]:
    """Split a group by the order of one day; columns that are left alone are dropped."""
    ranks, known = mean_ranks(np.stack([arrays[name][day] for name in group]))
    apart = np.nan_to_num(2 * ranks - known - 1)
    first = np.take_along_axis(apart, np.argmax(apart != 0, axis=1)[:, None], axis=1)
    orders = np.where(np.isnan(ranks), np.nan, apart * np.sign(first) + 0.0)
    by_order: dict[bytes, list[str]] = {}
    for name, order in zip(group, orders, strict=True):
        by_order.setdefault(order.tobytes(), []).append(name)
    return [part for part in by_order.values() if len(part) > 1]
