import numpy as np
import pytest
import torch
from gogooku.models import atft
from gogooku.models.network import blocks
from gogooku.models.network.blocks import (
    Encoder,
    LastAttention,
    NeighbourAttention,
    Neighbourhood,
    Selection,
)
from gogooku.models.network.fan import Context, Split, volume_like
from gogooku.models.network.network import Atft
from torch import nn
from torch.nn import functional

L, N, V, WIDTH, HEADS = 7, 9, 5, 8, 2


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def network(**changes):
    shape = dict(columns=list("abcde"), horizons=[1, 5, 20], channels=[1, 3], window=L,
                 hidden=WIDTH, heads=HEADS, frequencies=2, dropout=0.1)  # fmt: skip
    return Atft(**(shape | changes)).eval()


def day(stocks=N):
    neighbours = torch.randint(-1, stocks, (stocks, 4))
    return torch.randn(L, stocks, V), neighbours, torch.randn(stocks, 4)


def test_a_column_that_the_selection_prefers_is_the_most_important():
    net = network()
    with torch.no_grad():
        net.selection.skip.bias[2] += 5
    shares = atft.importance(net)
    assert max(shares, key=shares.__getitem__) == "c" and shares["c"] > 0.3
    assert sum(shares.values()) == pytest.approx(1) and shares == atft.importance(net)


# Frequency split


@pytest.mark.parametrize("length", [7, 20, 21])
def test_the_split_loses_nothing(length):
    x = torch.randn(length, N, 3).cumsum(0)
    main, residual, removed = Split(length, 2)(x)
    level, slope = removed[..., 0], removed[..., 1]
    steps = torch.arange(length) - (length - 1) / 2
    line = level * length**-0.5 + steps[:, None, None] / steps.norm() * slope
    torch.testing.assert_close(main + residual + line, x, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("length", [20, 21])
def test_the_main_part_is_that_of_numpys_fft(length):
    x = np.random.default_rng(0).standard_normal((length, 4, 2))
    steps = np.arange(length)
    wave = np.empty_like(x)
    for i, j in np.ndindex(4, 2):
        wave[:, i, j] = x[:, i, j] - np.polyval(np.polyfit(steps, x[:, i, j], 1), steps)
    spectrum = np.fft.rfft(wave, axis=0)
    weight = np.where(2 * np.arange(len(spectrum)) == length, 0.5**0.5, 1)
    power = abs(spectrum) * weight[:, None, None]
    power[0] = 0
    spectrum[np.argsort(np.argsort(-power, axis=0), axis=0) >= 3] = 0
    main, _, removed = Split(length, 3)(torch.tensor(x, dtype=torch.float32))
    np.testing.assert_allclose(main, np.fft.irfft(spectrum, length, axis=0), atol=1e-5)
    np.testing.assert_allclose(removed[..., 2], np.log(wave.std(0)), atol=1e-4)


def test_a_line_and_a_flat_window_have_neither_main_part_nor_residual():
    x = torch.stack([torch.arange(20.0), torch.zeros(20)], 1)[..., None]
    main, residual, removed = Split(20, 2)(x)
    assert main.abs().max() < 1e-4 and residual.abs().max() < 1e-4
    assert removed.isfinite().all()


def test_a_wave_is_all_main_part():
    x = torch.sin(2 * torch.pi * 3 * torch.arange(20) / 20 + 1)[:, None, None]
    main, residual, _ = Split(20, 2)(x)
    assert residual.norm() < 0.35 * main.norm()


def test_the_split_says_nothing_until_its_gate_opens_and_the_gate_can_open():
    context = Context(2, L, 2, WIDTH)
    told = context(torch.randn(L, N, 2))
    assert not told.any()
    told.square().sum().backward()
    context(torch.randn(L, N, 2)).sum().backward()
    assert context.gate.grad.abs().min() > 0


def test_volume_like_columns_are_found_by_name():
    names = ["returns_1d", "volume_ratio_5", "mfi_14", "vol_of_vol_20", "volatility_5d"]
    assert volume_like(names) == [1, 2]


# Variable selection


def test_the_folded_selection_is_the_plain_one(monkeypatch):
    """The plain form, variable by variable, from embeddings, with random maps of its own."""
    monkeypatch.setattr(blocks, "INNER", 3)
    x = torch.randn(N, V, dtype=torch.float64)
    a, b = torch.randn(2, V, WIDTH, dtype=torch.float64)
    own = [nn.Sequential(nn.Linear(WIDTH, 3), nn.ELU(), nn.Linear(3, WIDTH)).double() for _ in a]
    joint = nn.Linear(V * WIDTH, WIDTH).double()
    skip = nn.Linear(V * WIDTH, V).double()
    folded = Selection(V, WIDTH, 0.0).double()

    embedded = [x[:, j, None] * a[j] + b[j] for j in range(V)]
    flat = torch.cat(embedded, 1)
    gate = folded.gate[2]
    logits = skip(flat) + functional.glu(gate(functional.elu(joint(flat))))
    weights = V * folded.norm(logits).softmax(1)
    plain = sum(weights[:, j, None] * (e + own[j](e)) for j, e in enumerate(embedded))

    with torch.no_grad():
        folded.value.copy_(a)
        folded.offset.copy_(b + torch.stack([net[2].bias for net in own]))
        folded.inner_scale.copy_(torch.stack([net[0].weight @ a[j] for j, net in enumerate(own)]))
        folded.inner_shift.copy_(torch.stack([net[0](b[j]) for j, net in enumerate(own)]))
        folded.outer.copy_(torch.stack([net[2].weight.T for net in own]))
        for small, large in ((folded.joint, joint), (folded.skip, skip)):
            split = large.weight.unflatten(1, (V, WIDTH))
            small.weight.copy_((split * a).sum(2))
            small.bias.copy_(large.bias + (split * b).sum((1, 2)))
    torch.testing.assert_close(folded(x), plain, atol=1e-12, rtol=1e-12)


def test_selection_weights_are_positive_with_mean_one():
    weights = Selection(V, WIDTH, 0.0).weights(torch.randn(L, N, V))
    assert weights.min() > 0
    torch.testing.assert_close(weights.mean(-1), torch.ones(L, N))


# In time


def test_attention_in_time_is_torchs_with_one_value_map_for_all_heads():
    ours = LastAttention(WIDTH, HEADS)
    x = torch.randn(L, N, WIDTH)
    seen = []
    for h in range(HEADS):
        part = slice(h * ours.size, (h + 1) * ours.size)
        query = ours.query(x[-1])[:, part][:, None]
        key = ours.key(x)[..., part].transpose(0, 1)
        value = ours.value(x).transpose(0, 1)
        seen.append(functional.scaled_dot_product_attention(query, key, value)[:, 0])
    torch.testing.assert_close(ours(x), ours.out(torch.stack(seen).mean(0)))
    torch.testing.assert_close(ours.weights(x).sum(0), torch.ones(N, HEADS))


def test_every_session_of_the_window_can_matter():
    x = torch.randn(L, N, WIDTH, requires_grad=True)
    Encoder(WIDTH, HEADS, 0.0)(x).sum().backward()
    assert (x.grad.abs().sum((1, 2)) > 0).all()


# Across stocks


def test_neighbour_attention_is_pygs_gatv2():
    gatv2 = pytest.importorskip("torch_geometric.nn").GATv2Conv
    oracle = gatv2(WIDTH, WIDTH // HEADS, HEADS, add_self_loops=False, edge_dim=1)
    ours = NeighbourAttention(WIDTH, HEADS)
    nn.init.zeros_(oracle.bias)
    oracle.lin_l.load_state_dict(ours.source.state_dict())
    oracle.lin_r.load_state_dict(ours.target.state_dict())
    oracle.lin_edge.load_state_dict(ours.edge.state_dict())
    oracle.att.data = ours.score.data[None]
    x = torch.randn(N, WIDTH)
    neighbours = torch.randint(-1, N, (N, 4))
    neighbours[2] = -1
    weights = torch.randn(N, 4)
    target, place = torch.nonzero(neighbours >= 0, as_tuple=True)
    edges = torch.stack([neighbours[target, place], target])
    expected = oracle(x, edges, weights[target, place][:, None])
    mixture, shares = ours(x, neighbours, weights)
    torch.testing.assert_close(mixture, expected)
    has_some = (neighbours >= 0).any(1).float()[:, None].expand(-1, HEADS)
    torch.testing.assert_close(shares.sum(1), has_some)


@pytest.mark.parametrize("places", [0, 4])
def test_a_stock_without_neighbours_is_encoded_and_learns_without_nan(places):
    layer = Neighbourhood(WIDTH, HEADS, 0.0)
    x = torch.randn(N, WIDTH, requires_grad=True)
    lone = torch.full((N, places), -1)
    out, near = layer(x, torch.randn(N, V), lone, torch.zeros(N, places))
    out.square().sum().backward()
    assert out.isfinite().all() and x.grad.isfinite().all()
    assert near.shape == (N, V) and not near.any()


def test_a_lone_neighbours_inputs_are_passed_on_whole():
    edges = torch.full((N, 4), -1)
    edges[:, 1] = torch.randperm(N)
    today = torch.randn(N, V)
    layer = Neighbourhood(WIDTH, HEADS, 0.0)
    _, near = layer(torch.randn(N, WIDTH), today, edges, torch.ones(N, 4))
    torch.testing.assert_close(near, today[edges[:, 1]])


# The whole


def test_one_score_a_stock_and_horizon():
    scores = network()(*day())
    assert scores.shape == (N, 3) and scores.isfinite().all()


def test_a_net_without_volume_like_columns_works():
    assert network(channels=[])(*day()).shape == (N, 3)


def test_all_parts_take_part():
    net = network()
    nn.init.ones_(net.fan.gate)
    net(*day()).square().sum().backward()
    idle = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_the_order_of_stocks_does_not_matter():
    net, (x, neighbours, weights) = network(), day()
    order = torch.randperm(N)
    place = torch.cat([order.argsort(), torch.tensor([-1])])
    moved = net(x[:, order], place[neighbours[order]], weights[order])
    torch.testing.assert_close(moved, net(x, neighbours, weights)[order])


def test_without_edges_a_score_does_not_depend_on_other_stocks():
    net, (x, _, weights) = network(), day()
    lone = torch.full((N, 4), -1)
    changed = x.clone()
    changed[:, 1:] = torch.randn(L, N - 1, V)
    one, other = net(x, lone, weights), net(changed, lone, weights)
    assert torch.equal(one[0], other[0]) and not torch.equal(one[1], other[1])


def test_a_neighbours_inputs_reach_the_score():
    net, (x, _, weights) = network(), day()
    edges = torch.full((N, 4), -1)
    edges[0, 0] = 1
    changed = x.clone()
    changed[:, 1] = torch.randn(L, V)
    one, other = net(x, edges, weights), net(changed, edges, weights)
    assert not torch.equal(one[0], other[0]) and torch.equal(one[2], other[2])


def test_a_saved_net_predicts_the_same_bits(tmp_path):
    net, inputs = network(), day()
    atft.save(net, tmp_path / "model")
    again = atft.load(tmp_path / "model")
    assert torch.equal(again(*inputs), net(*inputs))
    assert again.columns == list("abcde") and again.horizons == [1, 5, 20]
