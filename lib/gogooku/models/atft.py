"""ATFT-GAT-FAN: adaptive temporal fusion transformer with graph attention across stocks."""

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, model_validator

from gogooku.models.contract import Job
from gogooku.section import Section

if TYPE_CHECKING:
    from gogooku.dataset.inputs import ModelInputs
    from gogooku.models.network.network import Atft


class Settings(Section):
    """Shape of the network and pace of its training."""

    window: int = Field(ge=4, le=1000)
    hidden: int = Field(ge=1, le=4096)
    heads: int = Field(ge=1, le=256)
    frequencies: int = Field(ge=1, le=1000)
    dropout: float = Field(ge=0, lt=1)
    epochs: int = Field(ge=1, le=10000)
    days_per_epoch: int = Field(ge=1, le=100000)
    learning_rate: float = Field(gt=0, le=1)
    weight_decay: float = Field(ge=0, le=10)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "Settings":
        if self.hidden % self.heads:
            raise ValueError(
                f"atft.hidden {self.hidden} is no multiple of atft.heads {self.heads}: change one"
            )
        return self


def fit(inputs: "ModelInputs", train: np.ndarray, valid: np.ndarray, job: Job) -> "Atft":
    """Train the network; on days at `valid`, if there are any, its RankIC is watched."""
    from gogooku.models.network import training

    return training.fit(inputs, train, valid, job)


def predict(model: "Atft", inputs: "ModelInputs", test: np.ndarray, job: Job) -> np.ndarray:
    """Score every member of each test day from its own window and graph alone.

    Raises UserError if the columns of `inputs` are not those that the network was trained on.
    """
    from gogooku.models.network import training

    return training.predict(model, inputs, test, job)


def importance(model: "Atft") -> dict[str, float]:
    """Give each column's mean weight in the variable selection, on standard normal inputs."""
    import torch

    columns = model.shape["columns"]
    draws = torch.randn(2048, len(columns), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        weights = model.selection.weights(draws).mean(dim=0)
    return dict(zip(columns, (weights / weights.sum()).tolist(), strict=True))


def save(model: "Atft", path: str) -> None:
    """Write the network's shape and weights: plain numbers, no code."""
    import torch

    torch.save({"shape": model.shape, "weights": model.state_dict()}, path)


def load(path: str) -> "Atft":
    """Read a network that `save` wrote, ready to predict."""
    import torch

    from gogooku.models.network.network import Atft

    stored = torch.load(path, map_location="cpu", weights_only=True)
    net = Atft(**stored["shape"])
    net.load_state_dict(stored["weights"])
    return net.eval()
