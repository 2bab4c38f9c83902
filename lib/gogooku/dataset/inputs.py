"""The dense days that models read: data sets, labels and graphs as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from gogooku import files
from gogooku.arrays.grid import Grid
from gogooku.dataset.assembly import KEYS, read_kinds
from gogooku.errors import UserError

Scaler = Mapping[str, Mapping[str, float]]

# A market column this many training sd away is an outlier that no model has learnt from.
FARTHEST = 5.0


@dataclass(frozen=True)
class ModelInputs:
    """Dense days for models: T sessions × N stocks × F columns.

    x            (T, N, F) float32, scaled; 0 where a value is unknown or the stock is no member
    universe     (T, N) bool
    labels       (T, N, H) float32, forward returns of members; NaN where unknown
    dates        (T,) datetime64[D];  codes (N,) str;  columns F names;  horizons H [sessions]
    neighbours   (T, N, K) int32, positions in codes, -1 for none;  weights (T, N, K) float32
    """

    x: np.ndarray
    universe: np.ndarray
    labels: np.ndarray
    dates: np.ndarray
    codes: np.ndarray
    columns: list[str]
    horizons: list[int]
    neighbours: np.ndarray
    weights: np.ndarray

    @classmethod
    def read(
        cls,
        datasets: Sequence[str],
        labels: Sequence[str] | None,
        graphs: Sequence[str] | None,
        scaler: Scaler,
        horizons: Sequence[int] = (),
        columns: Sequence[str] | None = None,
        neighbours: int = 0,
    ) -> "ModelInputs":
        """Load dataset, label and graph files of neighbouring spans.

        scaler       mean and sd of each market column over the training dates
        horizons     whose labels to load [sessions]
        columns      those to load, all if None
        neighbours   edges at most per stock and day, K; a width fixed by the settings, because a
                     sum over more slots may round otherwise

        Labels and edges of stocks outside the day's universe are left out. Memory: the arrays
        above and one span's rows.

        Raises UserError for a column that is missing, a market column that is not scaled or a
        horizon that no label file holds.
        """
        kinds = _common_kinds(datasets, columns)
        keys = files.read_parquet(datasets, KEYS)
        grid = Grid.of(keys["date"], keys["code"])
        x = np.zeros((*grid.shape, len(kinds)), np.float32)
        for path in datasets if kinds else []:
            _fill(x, files.read_parquet(path, [*KEYS, *kinds]), grid, kinds, scaler)
        universe = np.zeros(grid.shape, bool)
        universe.ravel()[grid.cells(keys)] = True
        known = _labels(labels, horizons, grid, universe)
        edges = _edges(graphs, grid, universe, neighbours)
        names = grid.dates, grid.codes, list(kinds), list(horizons)
        return cls(x, universe, known, *names, *edges)

    def part(self, fold_part: Mapping[str, str]) -> np.ndarray:
        """Give the positions of the sessions of a fold's part, from its `first` to its `last`."""
        low, high = (np.datetime64(fold_part[end], "D") for end in ("first", "last"))
        return np.flatnonzero((self.dates >= low) & (self.dates <= high))

    def window(self, position: int, length: int) -> np.ndarray:
        """Give the `length` sessions that end at `position`, (length, N, F): a view.

        Sessions before the first that is loaded count as unknown: zeros (then it is a copy).
        """
        first = position + 1 - length
        if first >= 0:
            return self.x[first : position + 1]
        return np.pad(self.x[: position + 1], ((-first, 0), (0, 0), (0, 0)))

    def require_columns(self, columns: Sequence[str]) -> None:
        """Raise UserError unless these are the columns, in their order, of a fitted model."""
        if list(columns) != self.columns:
            raise UserError(
                "the model was trained on other columns than the data set's: train again"
            )

    def tidy(self, positions: np.ndarray, predictions: np.ndarray) -> pl.DataFrame:
        """Lay predictions (D, N, H) of the days at `positions` out as rows of their members.

        Returns date, code, prediction_{h}d (Float32), sorted by date and code.
        """
        scores = {f"prediction_{h}d": predictions[..., i] for i, h in enumerate(self.horizons)}
        grid = Grid(self.dates[positions], self.codes)
        return grid.tidy(self.universe[positions], scores, np.float32)


def _common_kinds(datasets: Sequence[str], columns: Sequence[str] | None) -> dict[str, str]:
    """Kinds of the wanted columns, which every dataset file must have in the same order."""
    kinds = read_kinds(datasets[0])
    for path in datasets[1:]:
        if list(read_kinds(path).items()) != list(kinds.items()):
            raise UserError(f"{path} and {datasets[0]} differ in columns: delete both, run again")
    wanted = list(kinds) if columns is None else list(columns)
    if missing := sorted(set(wanted) - set(kinds)):
        raise UserError(f"{datasets[0]} lacks {missing}: add their family to features.families")
    return {name: kinds[name] for name in wanted}


def _fill(
    x: np.ndarray, rows: pl.DataFrame, grid: Grid, kinds: Mapping[str, str], scaler: Scaler
) -> None:
    """Write one span's rows, scaled, into x."""
    market = [name for name, kind in kinds.items() if kind == "market"]
    block = rows.select(pl.col(list(kinds)).cast(pl.Float32)).with_columns(
        _scale(name, scaler) for name in market
    )
    values = block.fill_null(0).fill_nan(0).to_numpy(order="c")
    if not np.isfinite(values).all():
        bad = [name for name in kinds if block[name].is_infinite().any()]
        raise UserError(f"{bad} hold infinite values: mend their definition and run again")
    x.reshape(-1, len(kinds))[grid.cells(rows)] = values


def _scale(name: str, scaler: Scaler) -> pl.Expr:
    if name not in scaler:
        file = getattr(scaler, "path", "the fold's scaler")
        raise UserError(f"{file} lacks the market column {name}: delete it and run again")
    spread = scaler[name]["sd"] or 1.0
    return ((pl.col(name) - scaler[name]["mean"]) / spread).clip(-FARTHEST, FARTHEST)


def _labels(
    paths: Sequence[str] | None, horizons: Sequence[int], grid: Grid, universe: np.ndarray
) -> np.ndarray:
    """Labels of members, (T, N, H)."""
    labels = np.full((*grid.shape, len(horizons)), np.nan, np.float32)
    if not paths:
        return labels
    rows = files.read_parquet(paths, [*KEYS, "horizon", "label"])
    for h, horizon in enumerate(horizons):
        part = rows.filter(pl.col("horizon") == horizon)
        if part.is_empty():
            raise UserError(
                f"{paths[0]} and the label files after it hold none of horizon {horizon}: "
                "delete them and run again"
            )
        labels[..., h] = grid.dense(grid.cells(part), part["label"].to_numpy(), np.nan)
    labels[~universe] = np.nan
    return labels


def _edges(
    paths: Sequence[str] | None, grid: Grid, universe: np.ndarray, degree: int
) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours and weights, (T, N, K) each, of edges whose both ends are members that day."""
    neighbours = np.full((*grid.shape, degree), -1, np.int32)
    weights = np.zeros((*grid.shape, degree), np.float32)
    if not paths:
        return neighbours, weights
    rows = files.read_parquet(paths, ["date", "source", "target", "weight"])
    target, source = grid.cells(rows, code="target"), grid.cells(rows, code="source")
    inside = (target >= 0) & (source >= 0)
    inside[inside] = universe.ravel()[target[inside]] & universe.ravel()[source[inside]]
    target, source, weight = target[inside], source[inside], rows["weight"].to_numpy()[inside]
    order = np.argsort(target, kind="stable")
    target, source, weight = target[order], source[order], weight[order]
    slot = np.arange(len(target)) - np.searchsorted(target, target)
    if slot.max(initial=-1) >= degree:
        raise UserError(f"{paths[0]} has more than {degree} edges a stock: delete it, run again")
    neighbours.reshape(-1, degree)[target, slot] = source % grid.shape[1]
    weights.reshape(-1, degree)[target, slot] = weight
    return neighbours, weights
