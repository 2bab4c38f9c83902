"""A day's graph as PyTorch Geometric knows it."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from torch_geometric.data import Data  # type: ignore[import-untyped]

from gogooku.arrays.grid import Grid
from gogooku.errors import UserError


def to_data(edges: pl.DataFrame, codes: Sequence[str], x: torch.Tensor | None = None) -> Data:
    """Make a `Data` of one day's edges, its nodes the stocks `codes` in their order.

    edges   rows of a graph file for one day: source, target, weight
    x       (N, F) features of the nodes, if any

    Returns edge_index (2, E) int64, from neighbour to stock; edge_attr (E, 1) float32, the signed
    correlations; codes; num_nodes. Edges of other stocks are left out.

    Raises UserError if the rows are of several days or `x` has not one row a stock.
    """
    if edges["date"].n_unique() > 1:
        raise UserError("edges of several days make no one graph: filter them by date first")
    if x is not None and len(x) != len(codes):
        raise UserError(f"x has {len(x)} rows for {len(codes)} codes: give one row a code")
    grid = Grid(np.empty(0, "datetime64[D]"), np.array(codes))
    ends = np.stack([grid.slots(edges[end]) for end in ("source", "target")])
    listed = (ends >= 0).all(axis=0)
    return Data(
        x=x,
        edge_index=torch.from_numpy(ends[:, listed]),
        edge_attr=torch.from_numpy(edges["weight"].to_numpy()[listed])[:, None],
        codes=list(codes),
        num_nodes=len(codes),
    )
