"""What a day's scores are judged by."""

import torch
from torch import Tensor
from torch.nn import functional

# Added to a variance: a horizon whose scores are all alike has correlation 0, not none.
TINY = 1e-6


def day_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Judge one day: Huber loss plus one minus the correlation, the mean over horizons.

    scores    (N, H)
    targets   (N, H), standardised within the day; NaN where unknown

    A horizon with fewer than two targets is left out; returns a scalar, 0 if all are.
    """
    known = targets.isfinite()
    goal = torch.where(known, targets, 0.0)
    size = known.sum(0)
    counted = size > 1
    error = functional.huber_loss(scores, goal, reduction="none")
    huber = (error * known).sum(0) / size.clamp(min=1)
    loss = huber + 1 - _correlation(scores, goal, known, size.clamp(min=1))
    return torch.where(counted, loss, 0.0).sum() / counted.sum().clamp(min=1)


def _correlation(x: Tensor, y: Tensor, known: Tensor, size: Tensor) -> Tensor:
    x = torch.where(known, x - (x * known).sum(0) / size, 0.0)
    y = torch.where(known, y - y.sum(0) / size, 0.0)
    spread = ((x.square().sum(0) / size + TINY) * (y.square().sum(0) / size + TINY)).sqrt()
    return (x * y).sum(0) / size / spread
