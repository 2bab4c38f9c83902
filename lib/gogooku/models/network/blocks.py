"""The blocks of the network: gates, variable selection, attention in time and across stocks, heads.

Source of gates, selection and encoder: Lim et al. (2021), Temporal Fusion Transformers, chapter 4.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

INNER = 2
"""Hidden units of each variable's own network in the selection."""


class GatedSkip(nn.Module):
    """LayerNorm(skip + dropout(x) gated by itself), (..., width) both."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.gate = nn.Linear(width, 2 * width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Add as much of x (..., width) to `skip` (..., width) as the gate lets through."""
        return self.norm(skip + functional.glu(self.gate(self.dropout(x))))


class GatedResidual(nn.Module):
    """Gated residual network: two linear maps with an ELU between, behind a gated skip."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)
        self.skip = GatedSkip(width, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., width) to (..., width)."""
        return self.skip(self.outer(functional.elu(self.inner(x))), x)


def uniform(*shape: int, fan_in: int) -> nn.Parameter:
    """Give a parameter drawn evenly from ±1/sqrt(fan_in), as torch draws a linear layer's."""
    return nn.Parameter((torch.rand(*shape) * 2 - 1) * fan_in**-0.5)


class Selection(nn.Module):
    """Weigh V variables and blend what their networks make of them into `width` numbers.

    The temporal fusion transformer embeds each variable, runs a network per variable and a joint
    one that weighs them. A number's embedding is affine in it, so all linear maps that meet
    embeddings fold into maps of the numbers themselves: the variables × width tensor is never made.
    The variables' own networks are residual ELU layers of `INNER` units; their gate and norm are
    left to the selection weight and to the norm after it.

    With embedding e_j = a_j x_j + b_j and own network n_j(e) = e + W_j elu(U_j e + c_j) + d_j,
    the blend is sum_j w_j n_j(e_j), where w = V softmax(norm(S e + glu(G elu(J e)))).
    """

    def __init__(self, variables: int, width: int, dropout: float) -> None:
        super().__init__()
        self.value = uniform(variables, width, fan_in=variables)  # a_j
        self.offset = uniform(variables, width, fan_in=variables)  # b_j + d_j
        self.inner_scale = nn.Parameter(torch.randn(variables, INNER))  # U_j a_j
        self.inner_shift = nn.Parameter(torch.randn(variables, INNER))  # U_j b_j + c_j
        self.outer = uniform(variables, INNER, width, fan_in=variables * INNER)  # W_j
        self.joint = nn.Linear(variables, width)  # J a, J b
        self.gate = nn.Sequential(nn.ELU(), nn.Dropout(dropout), nn.Linear(width, 2 * variables))
        self.skip = nn.Linear(variables, variables)  # S a, S b
        self.norm = nn.LayerNorm(variables)

    def weights(self, x: Tensor) -> Tensor:
        """Weigh the variables x (..., V): (..., V) above 0 with mean 1."""
        logits = self.norm(self.skip(x) + functional.glu(self.gate(self.joint(x))))
        return logits.softmax(-1) * x.shape[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Blend x (..., V) into (..., width)."""
        weights = self.weights(x)
        units = functional.elu(x[..., None] * self.inner_scale + self.inner_shift)
        inner = (weights[..., None] * units).flatten(-2)
        plain = (weights * x) @ self.value + weights @ self.offset
        return plain + inner @ self.outer.flatten(0, 1)


class Encoder(nn.Module):
    """Recurrent layer, attention of the last session over the window, gated residual network.

    Only sessions up to the last exist in a window, so no mask is needed to keep the future out.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(width, width)
        self.recurrent_skip = GatedSkip(width, dropout)
        self.attention = LastAttention(width, heads)
        self.attention_skip = GatedSkip(width, dropout)
        self.residual = GatedResidual(width, dropout)
        self.skip = GatedSkip(width, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Encode windows x (L, N, width) as (N, width)."""
        hidden, _ = self.recurrent(x)
        read = self.recurrent_skip(hidden, x)
        attended = self.attention_skip(self.attention(read), read[-1])
        return self.skip(self.residual(attended), read[-1])


class LastAttention(nn.Module):
    """Interpretable multi-head attention: heads differ in where they look, not in what they see.

    All heads share one value map, so their mean weight says how much each session counts.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, self.size)
        self.out = nn.Linear(self.size, width)

    def weights(self, x: Tensor) -> Tensor:
        """Weigh the sessions of x (L, N, width) for the last one: (L, N, heads), sum 1 over L."""
        query = self.query(x[-1]).unflatten(-1, (self.heads, self.size))
        # The last session's score with key(x): the query meets the key map first, not its result.
        maps = self.key.weight.unflatten(0, (self.heads, self.size))
        projected = torch.einsum("nhs,hsw->nhw", query, maps)
        scores = torch.einsum("nhw,lnw->lnh", projected, x)
        return (scores * self.size**-0.5).softmax(0)

    def forward(self, x: Tensor) -> Tensor:
        """Attend over x (L, N, width); returns (N, width)."""
        mixture = torch.einsum("ln,lnw->nw", self.weights(x).mean(-1), x)
        return self.out(self.value(mixture))


class NeighbourAttention(nn.Module):
    """Graph attention over a fixed number of neighbours, with the signed edge weight as feature.

    Each stock has K slots for neighbours, so the layer is a gather and a softmax over K: dense,
    of one shape, and repeatable bit for bit. Source: Brody, Alon and Yahav (2022), GATv2.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.source = nn.Linear(width, width)
        self.target = nn.Linear(width, width)
        self.edge = nn.Linear(1, width, bias=False)
        self.score = uniform(heads, self.size, fan_in=self.size)

    def forward(self, x: Tensor, neighbours: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Mix the neighbours of each stock.

        x            (N, width)
        neighbours   (N, K) int64, rows of x; -1 for none
        weights      (N, K), signed

        Returns the mixture (N, width), and each neighbour's share in it (N, K, heads), which add
        up to 1; both are 0 for a stock without neighbours.
        """
        absent = (neighbours < 0)[..., None]
        near = gather(self.source(x), neighbours)
        edges = near + self.target(x)[:, None] + self.edge(weights[..., None])
        split = (self.heads, self.size)
        scores = (functional.leaky_relu(edges, 0.2).unflatten(-1, split) * self.score).sum(-1)
        shares = scores.masked_fill(absent, torch.finfo(scores.dtype).min).softmax(1)
        shares = shares.masked_fill(absent, 0.0)
        mixture = torch.einsum("nkh,nkhs->nhs", shares, near.unflatten(-1, split)).flatten(1)
        return mixture, shares


class Neighbourhood(nn.Module):
    """Neighbour attention behind a gated skip: a stock may ignore its neighbours."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = NeighbourAttention(width, heads)
        self.skip = GatedSkip(width, dropout)

    def forward(
        self, x: Tensor, today: Tensor, neighbours: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Add what the neighbours know to encoded stocks x (N, width); see NeighbourAttention.

        Returns that, and the neighbours' own inputs of the day, `today` (N, V), mixed by their
        mean share: (N, V).
        """
        mixture, shares = self.attention(x, neighbours, weights)
        near = torch.einsum("nk,nkv->nv", shares.mean(2), gather(today, neighbours))
        return self.skip(mixture, x), near


def gather(x: Tensor, neighbours: Tensor) -> Tensor:
    """Give each stock's neighbours' rows of x (N, V): (N, K, V); the first row where none is."""
    return x.index_select(0, neighbours.clamp(min=0).flatten()).unflatten(0, neighbours.shape)


class Heads(nn.Module):
    """One small network a horizon, and a straight way from the day's inputs to each score.

    The inputs are the stock's own and its neighbours' mixture. The straight way starts at 0: it
    lets a plain linear effect be learnt at once, so that the deep part spends its few steps on
    the rest.
    """

    def __init__(self, variables: int, width: int, horizons: int, dropout: float) -> None:
        super().__init__()
        self.inner = nn.Linear(width, horizons * width)
        self.dropout = nn.Dropout(dropout)
        self.outer = uniform(horizons, width, fan_in=width)
        self.straight = nn.Linear(variables, horizons)
        nn.init.zeros_(self.straight.weight)
        nn.init.zeros_(self.straight.bias)

    def forward(self, encoded: Tensor, today: Tensor) -> Tensor:
        """Score stocks from encoded (N, width) and the day's inputs (N, variables): (N, H)."""
        inner = functional.elu(self.inner(self.dropout(encoded)))
        deep = torch.einsum("nhw,hw->nh", inner.unflatten(-1, self.outer.shape), self.outer)
        return deep + self.straight(today)
