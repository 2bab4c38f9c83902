"""Frequency adaptive normalisation, used to split an input and not to filter it.

A window of a volume-like column is cut into a straight line, the few strongest Fourier
components (main part) and the rest (residual). All three go on, so nothing is lost: on columns
that are almost white, throwing the strongest components away would throw yesterday away.

Source: Ye, Deng, Zou and Gui (2024), Frequency Adaptive Normalization (NeurIPS); the line is
taken out first because a trend leaks into all frequencies of a finite window.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Columns whose level and seasons drift: traded volume and value and what is made of them.
VOLUME_LIKE = ("volume_", "dollar_volume_", "amihud_", "mfi_", "obv_", "cmf_")

# Added to a squared amplitude or variance before its logarithm or root.
TINY = 1e-6


def volume_like(columns: Sequence[str]) -> list[int]:
    """Give the positions of the volume-like among `columns`."""
    return [i for i, name in enumerate(columns) if name.startswith(VOLUME_LIKE)]


class Split(nn.Module):
    """Split windows by frequency; no parameter is learnt and no window sees another.

    length        sessions of a window, L
    frequencies   components in the main part, k; the lower frequency wins a tie
    """

    line: Tensor
    analysis: Tensor
    synthesis: Tensor

    def __init__(self, length: int, frequencies: int) -> None:
        super().__init__()
        self.frequencies = min(frequencies, length // 2)
        self.register_buffer("line", _line(length), persistent=False)
        analysis, synthesis = _fourier(length)
        self.register_buffer("analysis", analysis, persistent=False)
        self.register_buffer("synthesis", synthesis, persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Split x (L, N, C).

        Returns main and residual (L, N, C), which with the line add up to x, and what was taken
        out (N, C, 3 + k): mean, slope per window, log sd about the line, log amplitudes falling.
        """
        level = torch.einsum("ln,l...->n...", self.line, x)
        wave = x - torch.einsum("ln,n...->l...", self.line, level)
        parts = torch.einsum("sfl,lnc->snfc", self.analysis, wave)
        power = parts.square().sum(0)
        order = power.argsort(dim=1, descending=True, stable=True)[:, : self.frequencies]
        strongest = torch.zeros_like(power).scatter_(1, order, 1.0)
        main = torch.einsum("lsf,snfc->lnc", self.synthesis, parts * strongest)
        spread = (wave.square().mean(0) + TINY).log() / 2
        amplitudes = (power.gather(1, order) + TINY).log() / 2
        removed = torch.cat([level, spread[None], amplitudes.transpose(0, 1)])
        return main, wave - main, removed.permute(1, 2, 0)


class Context(nn.Module):
    """Tell the encoder what the split found, behind a gate that starts closed."""

    def __init__(self, channels: int, length: int, frequencies: int, width: int) -> None:
        super().__init__()
        self.split = Split(length, frequencies)
        self.parts = nn.Linear(2 * channels, width)
        self.removed = nn.Linear(channels * (3 + self.split.frequencies), width)
        self.gate = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Turn windows x (L, N, C) into (L, N, width) to add to the encoder's input."""
        # In half precision two components of like size would change places.
        with torch.autocast(x.device.type, enabled=False):
            main, residual, removed = self.split(x)
        addition = self.parts(torch.cat([main, residual], -1)) + self.removed(removed.flatten(1))
        return self.gate * addition


def _line(length: int) -> Tensor:
    """Orthonormal constant and slope, (L, 2)."""
    slope = torch.arange(length, dtype=torch.float64)
    slope -= slope.mean()
    columns = [torch.full_like(slope, length**-0.5), slope / slope.norm()]
    return torch.stack(columns, 1).float()


def _fourier(length: int) -> tuple[Tensor, Tensor]:
    """Real discrete Fourier transform as matrices: to cosines and sines (2, F, L), and back.

    Frequencies 1 … L/2 per window, whatever the parity of L; the constant is the line's.
    """
    steps = torch.arange(length, dtype=torch.float64)
    frequencies = torch.arange(1, length // 2 + 1, dtype=torch.float64)
    angle = 2 * math.pi * frequencies[:, None] * steps / length
    waves = torch.stack([angle.cos(), angle.sin()])
    scale = torch.where(2 * frequencies == length, 1.0, 2.0) / length
    analysis = waves * scale.sqrt()[:, None]
    return analysis.float(), analysis.permute(2, 0, 1).contiguous().float()
