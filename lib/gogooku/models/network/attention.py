"""Attention of a stock to its neighbours in the day's graph."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from gogooku.models.network.gated import GatedSkip, uniform


class NeighbourAttention(nn.Module):
    """Graph attention over a fixed number of neighbours, with the signed edge weight as feature.

    Each stock has K places for neighbours, so the layer is a gather and a softmax over K: dense,
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
