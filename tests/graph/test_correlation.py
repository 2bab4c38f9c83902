"""The day's graph links stocks by the returns up to that day, and its features read it rightly."""

import numpy as np
import polars as pl
import pytest
import torch
from gogooku.errors import UserError
from gogooku.features import graph
from gogooku.graph import correlation, export
from helpers.family_inputs import inputs_of
from helpers.panels import make, walk, weekdays
from polars.testing import assert_frame_equal

OPTIONS = {"window": 20, "half_life": 10, "shrinkage": 0.1, "neighbours": 4,
         "min_correlation": 0.25, "min_observations": 12}  # fmt: skip

ALL = {"neighbours": 299, "min_correlation": 0.0}


def edges(panel, first=None, **options):
    return correlation.edges(panel, first or panel.dates[0].item(), **{**OPTIONS, **options})


def dense(panel, rows, day):
    """The day's weights as a matrix target × source, NaN where there is no edge."""
    day_rows = rows.filter(pl.col("date") == panel.dates[day].item())
    place = {code: i for i, code in enumerate(panel.codes)}
    weights = np.full((len(place), len(place)), np.nan)
    for _, source, target, weight in day_rows.iter_rows():
        weights[place[target], place[source]] = weight
    return weights


def correlations(close, day, window=20, half_life=10):
    returns = np.diff(np.log(close), axis=0)[day - window : day]
    weight = 0.5 ** (np.arange(window)[::-1] / half_life)
    covariance = np.cov(returns.T, aweights=weight)
    spread = np.sqrt(np.diag(covariance))
    return covariance / np.outer(spread, spread)


@pytest.fixture(scope="module")
def gapless():
    return make(walk(50, 300, seed=1))


def test_weights_are_the_shrunk_weighted_correlations(gapless):
    for day in (20, 49):
        rows = correlation.edges(gapless, gapless.dates[day].item(), **OPTIONS | ALL)
        expected = 0.9 * correlations(gapless["close"], day)
        np.fill_diagonal(expected, np.nan)
        np.testing.assert_allclose(dense(gapless, rows, day), expected, atol=1e-6)


def test_each_stock_keeps_its_strongest_partners_of_either_sign(gapless):
    found = dense(gapless, edges(gapless), 40)
    strength = np.abs(0.9 * correlations(gapless["close"], 40))
    np.fill_diagonal(strength, 0)
    strength[strength < 0.25] = 0
    best = -np.sort(-strength, axis=1)[:, :4]
    kept = -np.sort(-np.nan_to_num(np.abs(found)), axis=1)[:, :4]
    np.testing.assert_allclose(kept, best, atol=1e-6)
    assert np.nanmin(found) < 0 < np.nanmax(found)


def test_edges_come_strongest_first_and_equals_by_code():
    close = np.tile(walk(30, 1, seed=3), (1, 6))
    rows = edges(make(close), neighbours=3).filter(pl.col("date") == weekdays(30)[29].item())
    assert rows["weight"].unique().round(6).to_list() == [pytest.approx(0.9)]
    of_first = rows.filter(pl.col("target") == "13010")["source"].to_list()
    of_last = rows.filter(pl.col("target") == "13060")["source"].to_list()
    assert (of_first, of_last) == (["13020", "13030", "13040"], ["13010", "13020", "13030"])
    panel = make(walk(50, 60, seed=1))
    strength = edges(panel)["weight"].abs().to_numpy()
    same = (edges(panel)["target"] == edges(panel)["target"].shift(1)).fill_null(False).to_numpy()
    same &= (edges(panel)["date"] == edges(panel)["date"].shift(1)).fill_null(False).to_numpy()
    assert (strength[1:] <= strength[:-1])[same[1:]].all()


def test_the_future_moves_no_edge():
    close = walk(60, 40, seed=2, holes=0.05)
    changed = close.copy()
    changed[45:] = walk(15, 40, seed=9)
    factor = np.ones(close.shape)
    factor[45:, :5] = 0.5
    day = weekdays(60)[45].item()
    before = edges(make(close)).filter(pl.col("date") < day)
    after = edges(make(changed, factor=factor))
    assert len(before) > 1000
    assert_frame_equal(before, after.filter(pl.col("date") < day))
    assert not after.equals(edges(make(close)))


def test_a_day_does_not_depend_on_the_other_days_of_its_file():
    panel = make(walk(60, 40, seed=2, holes=0.05))
    whole = edges(panel)
    late = edges(panel, panel.dates[50].item())
    assert_frame_equal(whole.filter(pl.col("date") >= panel.dates[50].item()), late)


def test_a_missing_return_counts_as_average():
    close = walk(21, 2, seed=4)
    close[10, 0] = np.nan
    found = dense(make(close), edges(make(close), min_correlation=0.0), 20)[0, 1]
    returns = np.diff(np.log(close), axis=0)
    weight = 0.5 ** (np.arange(20)[::-1] / 10)
    known = np.isfinite(returns)
    mean = [np.average(returns[k, i], weights=weight[k]) for i, k in enumerate(known.T)]
    apart = np.where(known, returns - mean, 0) * np.sqrt(weight)[:, None]
    expected = 0.9 * apart[:, 0] @ apart[:, 1] / np.prod(np.linalg.norm(apart, axis=0))
    assert found == pytest.approx(expected, abs=1e-7)


def test_strangers_and_the_unmoved_have_no_edges():
    close = walk(40, 10, seed=5)
    close[:, 0] = 500.0
    close[:35, 1] = np.nan
    universe = np.ones(close.shape, bool)
    universe[30:, 2] = False
    rows = edges(make(close, universe=universe), min_correlation=0.0, neighbours=9)
    late = rows.filter(pl.col("date") >= weekdays(40)[30].item())
    met = set(late["source"]) | set(late["target"])
    assert met == {f"{1301 + i}0" for i in range(3, 10)}


def test_no_history_gives_an_empty_graph():
    assert edges(make(walk(5, 10))).is_empty()


# ---- PyTorch Geometric


def test_a_day_becomes_valid_pyg_data(gapless):
    rows = edges(gapless).filter(pl.col("date") == gapless.dates[40].item())
    x = torch.arange(600.0).reshape(300, 2)
    data = export.to_data(rows, gapless.codes, x)
    assert data.validate() and data.num_nodes == 300 and data.is_directed()
    assert not data.has_self_loops() and not data.has_isolated_nodes()
    assert data.edge_attr.shape == (len(rows), 1) and data.edge_index.dtype == torch.int64
    source, target = data.edge_index
    assert [gapless.codes[i] for i in source] == rows["source"].to_list()
    assert [gapless.codes[i] for i in target] == rows["target"].to_list()


def test_message_passing_averages_the_neighbours_of_the_target(gapless):
    from torch_geometric.nn import SimpleConv

    rows = edges(gapless).filter(pl.col("date") == gapless.dates[40].item())
    gains = torch.from_numpy(gapless.returns[40]).float()[:, None]
    data = export.to_data(rows, gapless.codes, gains)
    made = SimpleConv(aggr="sum")(data.x, data.edge_index, data.edge_attr[:, 0])[:, 0]
    strength = SimpleConv(aggr="sum")(
        torch.ones_like(data.x), data.edge_index, data.edge_attr[:, 0].abs()
    )[:, 0]
    expected = graph.compute(inputs_of(gapless, graphs=rows))["peer_ret_1d"][40]
    np.testing.assert_allclose((made / strength).numpy(), expected, atol=1e-6)


def test_edges_of_other_stocks_are_left_out(gapless):
    rows = edges(gapless).filter(pl.col("date") == gapless.dates[40].item())
    data = export.to_data(rows, ["zzzzz", *gapless.codes[:50]])
    inside = (pl.col(end).is_in(gapless.codes[:50].tolist()) for end in ("source", "target"))
    kept = rows.filter(*inside)
    assert data.num_edges == len(kept) > 0 and data.edge_index.min() >= 1
    assert data.validate()


def test_several_days_and_unfit_features_are_refused(gapless):
    rows = edges(gapless)
    with pytest.raises(UserError, match="filter them by date first"):
        export.to_data(rows, gapless.codes)
    day = rows.filter(pl.col("date") == gapless.dates[40].item())
    with pytest.raises(UserError, match="one row a code"):
        export.to_data(day, gapless.codes, torch.zeros(3, 2))


# ---- features


def day_of(weights, date):
    """Edge rows of (target, source) → weight on one day."""
    rows = [(date, f"{1301 + s}0", f"{1301 + t}0", w) for (t, s), w in weights.items()]
    return pl.DataFrame(rows, correlation.SCHEMA, orient="row")


@pytest.fixture
def by_hand():
    """Five stocks on one day: 0–1–2 all linked, 3 hangs on 0 by a negative edge, 4 stands alone."""
    close = np.full((7, 5), 100.0)
    close[5] = [100, 110, 120, 90, 100]
    close[6] = [200, 121, 108, 99, np.nan]
    panel = make(close)
    weights = {(0, 1): 0.5, (0, 3): -0.25, (1, 0): 0.5, (1, 2): 0.5, (2, 0): 0.4, (3, 0): -0.25}
    return graph.compute(inputs_of(panel, graphs=day_of(weights, panel.dates[6].item()))), panel


def test_peers_returns_follow_the_sign_of_their_edges(by_hand):
    made, _ = by_hand
    expected = [(0.5 * 0.1 - 0.25 * 0.1) / 0.75, (0.5 * 1.0 + 0.5 * -0.1), 1.0, -1.0, np.nan]
    np.testing.assert_allclose(made["peer_ret_1d"][6], expected, atol=1e-6)
    week = [(0.5 * 0.21 - 0.25 * -0.01) / 0.75, (1.0 + 0.08) / 2, 1.0, -1.0, np.nan]
    np.testing.assert_allclose(made["peer_ret_5d"][6], week, atol=1e-6)
    own = np.array([1.0, 0.21, 0.08, -0.01, np.nan])
    np.testing.assert_allclose(made["peer_rel_5d"][6], own - week, atol=1e-6)
    np.testing.assert_allclose(made["peer_corr_mean"][6], [0.125, 0.5, 0.4, -0.25, np.nan])


def test_the_place_of_a_stock_in_the_graph(by_hand):
    made, _ = by_hand
    np.testing.assert_array_equal(made["graph_degree"][6], [3, 2, 2, 1, 0])
    np.testing.assert_allclose(made["graph_clustering"][6], [1 / 3, 1, 1, np.nan, np.nan])
    np.testing.assert_array_equal(made["graph_core"][6], [2, 2, 2, 1, 0])
    assert all(np.isnan(values[:6]).all() for values in made.values())


def test_page_rank_solves_its_equation(gapless):
    rows = edges(gapless)
    weights = np.abs(np.nan_to_num(dense(gapless, rows, 40)))
    passed = weights / weights.sum(axis=1, keepdims=True)
    size = len(weights)
    solved = np.linalg.solve(np.eye(size) - 0.85 * passed.T, np.full(size, 0.15))
    made = graph.compute(inputs_of(gapless, graphs=rows))["graph_pagerank"][40]
    np.testing.assert_allclose(made, solved, rtol=1e-3)
    assert made.mean() == pytest.approx(1, abs=1e-4)


def test_clustering_and_cores_agree_with_plain_definitions(gapless):
    rows = edges(gapless)
    linked = np.isfinite(dense(gapless, rows, 40))
    linked |= linked.T
    degree = linked.sum(axis=1)
    closed = np.diag(np.linalg.matrix_power(linked.astype(float), 3))
    made = {
        name: values[40] for name, values in graph.compute(inputs_of(gapless, graphs=rows)).items()
    }
    np.testing.assert_array_equal(made["graph_degree"], degree)
    np.testing.assert_allclose(
        made["graph_clustering"], closed / (degree * (degree - 1)), rtol=1e-6
    )
    core, least = np.zeros(len(degree)), 0
    left = np.ones(len(degree), bool)
    while left.any():
        links = linked[left][:, left].sum(axis=1)
        weak = np.flatnonzero(left)[links <= least]
        core[weak], left[weak] = least, False
        least += len(weak) == 0
    np.testing.assert_array_equal(made["graph_core"], core)


def test_the_future_moves_no_graph_feature():
    close = walk(60, 40, seed=2, holes=0.05)
    changed = close.copy()
    changed[45:] *= np.linspace(1, 2, 40)
    early, late = make(close), make(changed)
    before, after = (
        graph.compute(inputs_of(panel, graphs=edges(panel))) for panel in (early, late)
    )
    for column in graph.COLUMNS:
        np.testing.assert_array_equal(before[column.name][:45], after[column.name][:45])
    assert set(before) == {column.name for column in graph.COLUMNS}


def test_days_without_edges_are_null():
    panel = make(walk(10, 5))
    nothing = pl.DataFrame(schema=correlation.SCHEMA)
    assert all(
        np.isnan(values).all()
        for values in graph.compute(inputs_of(panel, graphs=nothing)).values()
    )
