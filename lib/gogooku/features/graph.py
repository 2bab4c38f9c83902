"""What a stock's neighbours in the day's correlation graph do, and where it stands among them.

A stock's neighbours are the sources of its edges, w their signed correlation. Two stocks are
linked if either names the other; degree, clustering and core are those of this undirected graph.
Members of the universe without edges have degree 0; days without any edge are null. The day's edges
come from the returns of `graph.window` sessions, so every column looks back as far as they do.
"""

from functools import partial

import numpy as np

from gogooku.arrays import indicators as ind
from gogooku.arrays import time_series
from gogooku.arrays.jit import kernel
from gogooku.arrays.time_series import Array, ratio
from gogooku.features.column import Column
from gogooku.features.inputs import Inputs
from gogooku.panel.panel import Panel

DAMPING = 0.85
WINDOW, FEWEST = 60, 41  # of the edges, as config/default.yaml has them [sessions, bars]
ROUNDS = 60  # leaves 0.85^60 of the start: under 1e-4

_column = partial(Column, kind="stock", look_back=WINDOW, min_obs=1, inputs=("universe", "graphs"))
_peer = partial(_column, min_obs=FEWEST, source="correlation graph", inputs=("close", "graphs"))

COLUMNS = [
    _column("graph_degree", unit="stocks", definition="stocks linked with it",
            source="graph theory"),
    _column("graph_clustering", unit="ratio", min_obs=FEWEST, source="Watts and Strogatz (1998)",
            inputs=("graphs",),
            definition="share of pairs of its linked stocks that are linked; null below 2"),
    _column("graph_core", unit="rank", source="Seidman (1983)",
            definition="greatest k such that it lies in a part where all have k links"),
    _column("graph_pagerank", unit="ratio", source="Brin and Page (1998)",
            definition="PageRank along edges from a stock to its neighbours by |w|, times stocks"),
    _peer("peer_corr_mean", unit="correlation", inputs=("graphs",),
          definition="mean w of its neighbours"),
    _peer("peer_ret_1d", unit="return",
          definition="sum of w × neighbour's 1-session return / sum of |w|"),
    _peer("peer_ret_5d", unit="return",
          definition="sum of w × neighbour's 5-session return / sum of |w|"),
    _peer("peer_rel_5d", unit="return", definition="own 5-session return − peer_ret_5d"),
]  # fmt: skip


def compute(inputs: Inputs) -> dict[str, np.ndarray]:
    """Make the family's columns, name → (T, N) float32; NaN on days without edges.

    graphs   date, source, target, weight of the edges; their days lie in the panel
    """
    panel, edges = inputs.panel, inputs.rows("graphs")
    grid = panel.grid
    day, source = grid.days(edges["date"]), grid.slots(edges["source"])
    target = grid.slots(edges["target"])
    weight = edges["weight"].to_numpy().astype(np.float64)
    columns = _structure(panel, day, source, target, weight)
    columns |= _peers(panel, day, source, target, weight)
    return {name: time_series.known(values, np.float32) for name, values in columns.items()}


def _peers(
    panel: Panel, day: np.ndarray, source: np.ndarray, target: np.ndarray, weight: np.ndarray
) -> dict[str, Array]:
    cells = day * panel.shape[1] + target

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(cells, values, panel["close"].size).reshape(panel.shape)

    def mean_return(gains: Array) -> Array:
        gain = gains[day, source]
        known = np.isfinite(gain)
        return ratio(total(np.where(known, weight * gain, 0.0)), total(np.abs(weight) * known))

    week = ind.returns(panel["close"], 5)
    peer_week = mean_return(week)
    return {
        "peer_corr_mean": ratio(total(weight), total(np.ones(len(weight)))),
        "peer_ret_1d": mean_return(ind.returns(panel["close"], 1)),
        "peer_ret_5d": peer_week,
        "peer_rel_5d": week - peer_week,
    }


def _structure(
    panel: Panel, day: np.ndarray, source: np.ndarray, target: np.ndarray, weight: np.ndarray
) -> dict[str, Array]:
    names = ("graph_degree", "graph_clustering", "graph_core", "graph_pagerank")
    columns = {name: np.full(panel.shape, np.nan) for name in names}
    for t in np.unique(day):
        own = slice(*np.searchsorted(day, [t, t + 1]))
        members = np.flatnonzero(panel["universe"][t])
        start, end = (np.searchsorted(members, stocks[own]) for stocks in (source, target))
        measures = _standing(start, end, np.abs(weight[own]), len(members))
        for name, values in zip(names, measures, strict=True):
            columns[name][t, members] = values
    return columns


def _standing(
    source: np.ndarray, target: np.ndarray, strength: np.ndarray, size: int
) -> tuple[np.ndarray, ...]:
    """Give degree, clustering, core and PageRank of one day's stocks, (size,) each."""
    pairs = np.sort(np.concatenate([source * size + target, target * size + source]))
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # several times faster than np.unique
    start, linked = np.searchsorted(pairs, np.arange(size + 1) * size), pairs % size
    total_strength = np.bincount(target, strength, size)
    share = ratio(strength, total_strength[target])
    rank = _page_rank(source, target, share, total_strength == 0)
    return np.diff(start), _clustering(start, linked), _cores(start, linked), rank


@kernel
def _clustering(start, linked):
    share = np.full(len(start) - 1, np.nan)
    seen_from = np.full(len(start) - 1, -1)
    for stock in range(len(share)):
        friends = linked[start[stock] : start[stock + 1]]
        for friend in friends:
            seen_from[friend] = stock
        closed = 0
        for friend in friends:
            for other in linked[start[friend] : start[friend + 1]]:
                closed += seen_from[other] == stock
        if len(friends) > 1:
            share[stock] = closed / (len(friends) * (len(friends) - 1))
    return share


@kernel
def _cores(start, linked):
    """Peel off the stocks with the fewest links left, again and again."""
    links, core = np.diff(start), np.full(len(start) - 1, -1)
    left, least = len(core), 0
    while left > 0:
        peeled = 0
        for stock in range(len(core)):
            if core[stock] < 0 and links[stock] <= least:
                core[stock] = least
                peeled += 1
                for friend in linked[start[stock] : start[stock + 1]]:
                    links[friend] -= 1
        left -= peeled
        least += peeled == 0
    return core


@kernel
def _page_rank(source, target, share, alone):
    rank = np.ones(len(alone))
    for _ in range(ROUNDS):
        passed = np.zeros(len(alone))
        for edge in range(len(source)):
            passed[source[edge]] += rank[target[edge]] * share[edge]
        lost = 0.0
        for stock in range(len(alone)):
            lost += rank[stock] if alone[stock] else 0.0
        rank = 1 - DAMPING + DAMPING * (passed + lost / len(alone))
    return rank
