"""What the last sessions of one stock add up to.

A recurrent pass reads the window in order; the last session then looks back over all of it. Only
sessions up to the last exist in a window, so no mask is needed to keep the future out.
"""

import torch
from torch import Tensor, nn

from gogooku.models.network.gated import GatedResidual, GatedSkip


class Encoder(nn.Module):
    """Recurrent layer, attention of the last session over the window, gated residual network.

    Source: Lim et al. (2021), sections 4.3 to 4.5, for a single forecast origin.
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
