"""From an encoded stock to one score a horizon."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from gogooku.models.network.gated import uniform


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
