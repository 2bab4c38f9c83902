"""Gates that let a block do nothing: the temporal fusion transformer's building bricks.

Source: Lim et al. (2021), Temporal Fusion Transformers, section 4.1.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


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
