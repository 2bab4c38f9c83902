"""Variable selection: which inputs matter for this stock on this day.

The temporal fusion transformer embeds each variable, runs a network per variable and a joint one
that weighs them. A number's embedding is affine in it, so all linear maps that meet embeddings
fold into maps of the numbers themselves: the variables × width tensor is never made. `Selection`
holds the folded maps; the function it computes is that of the plain form.

Source: Lim et al. (2021), section 4.2. The variables' own networks are residual ELU layers of
`INNER` units; their gate and norm are left to the selection weight and to the norm after it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from gogooku.models.network.gated import uniform

# Hidden units of each variable's own network.
INNER = 2


class Selection(nn.Module):
    """Weigh V variables and blend what their networks make of them into `width` numbers.

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
