"""The network of ATFT-GAT-FAN.

One forward pass scores all stocks of one day: split of the volume-like columns by frequency,
variable selection, recurrent and attentive encoding of each stock's window, attention to its
neighbours in the day's graph, one head a horizon.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gogooku.models.network.blocks import Encoder, Heads, Neighbourhood, Selection
from gogooku.models.network.fan import Context


class Atft(nn.Module):
    """The network for given columns and horizons.

    columns       names of the V inputs, in order;  horizons  [sessions]
    channels      positions of the columns that are split by frequency
    window        sessions that a prediction looks back on, L
    hidden        width of all blocks;  heads  of both attentions
    frequencies   Fourier components in the main part of the split
    """

    def __init__(
        self,
        *,
        columns: Sequence[str],
        horizons: Sequence[int],
        channels: Sequence[int],
        window: int,
        hidden: int,
        heads: int,
        frequencies: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.columns, self.horizons = list(columns), list(horizons)
        self.channels, self.window = list(channels), window
        self.shape: dict[str, Any] = {
            "columns": self.columns, "horizons": self.horizons, "channels": self.channels,
            "window": window, "hidden": hidden, "heads": heads, "frequencies": frequencies,
            "dropout": dropout,
        }  # fmt: skip
        self.fan = Context(len(channels), window, frequencies, hidden) if channels else None
        self.selection = Selection(len(columns), hidden, dropout)
        self.encoder = Encoder(hidden, heads, dropout)
        self.neighbourhood = Neighbourhood(hidden, heads, dropout)
        self.heads = Heads(2 * len(columns), hidden, len(horizons), dropout)

    def forward(self, x: Tensor, neighbours: Tensor, weights: Tensor) -> Tensor:
        """Score the stocks of one day.

        x            (L, N, V), windows that end on the day
        neighbours   (N, K) int64, rows of x's stocks, -1 for none;  weights (N, K), signed

        Returns (N, H); larger means a better return expected, in units of the label's sd.
        """
        blend = self.selection(x)
        if self.fan is not None:
            blend = blend + self.fan(x[..., self.channels])
        encoded, near = self.neighbourhood(self.encoder(blend), x[-1], neighbours, weights)
        return self.heads(encoded, torch.cat([x[-1], near], 1))
