"""What all pictures of the report share: colours, panels by horizon, whiskers, dates, legends.

A picture is a matplotlib Figure made without pyplot, so that no state is shared. Its three neutral
colours are placeholders, which `plots` turns into the page's own or into fixed ones.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from numpy.typing import NDArray

from gogooku.evaluation import inference
from gogooku.evaluation.evaluate import Evaluations
from gogooku.report import tables

INK, MUTED, LINE = "#010203", "#040506", "#070809"
COLOURS = [
    "#3d7fe0", "#d9822b", "#1f9e89", "#c2569b", "#8367d6", "#8a9a2b", "#7d8794", "#c4493d",
]  # fmt: skip
WIDTH = 9.4  # inches
POINTS = 300  # of a line
LADDER = [m * 10.0**e for e in range(-3, 5) for m in (1, 2, 5)]
STEPS = sorted([*LADDER, 0.8, 0.9, 1.1, 1.2, 1.5, 3, 4])


def panels(
    evaluations: Evaluations,
    panel: Callable[[Axes, int], None],
    label: str,
    *,
    dated: bool = False,
) -> Figure:
    """Draw one panel a horizon by `panel`, which gets its axes and the horizon [sessions]."""
    horizons = tables.horizons(evaluations)
    figure, panels = grid(len(horizons), label)
    for axes, horizon in zip(panels, horizons, strict=True):
        panel(axes, int(horizon))
        axes.set_title(tables.sessions(horizon))
        if dated:
            dates(axes)
    legend(figure, marks(evaluations))
    return figure


def grid(count: int, label: str) -> tuple[Figure, list[Axes]]:
    """Give a figure of `count` panels in two columns, the left ones labelled."""
    columns = min(2, count)
    rows = math.ceil(count / columns)
    roomy = ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.1)
    figure = Figure(figsize=(WIDTH, 0.5 + 2.3 * rows), layout=roomy)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in panels[count:]:
        empty.remove()
    for axes in panels[:count:columns]:
        axes.set_ylabel(label)
    return figure, panels[:count]


def line(axes: Axes, days: pl.Series, values: NDArray[np.float64], **look: Any) -> None:
    """Draw daily values, at most POINTS of them and the last: a screen shows no more."""
    step = math.ceil(len(days) / POINTS)
    kept = np.unique(np.append(np.arange(0, len(days), step), len(days) - 1))
    axes.plot(days.to_numpy()[kept], values[kept], **look)


def whisker(axes: Axes, x: float, estimate: inference.Estimate, colour: str) -> None:
    """Draw a mean and its interval at x; a mean alone where there is none."""
    if math.isfinite(estimate.error):
        axes.plot([x, x], [estimate.low, estimate.high], color=colour, linewidth=1.3, alpha=0.7)
    axes.plot(x, estimate.mean, "o", color=colour, ms=4)


def logarithmic(axes: Axes) -> None:
    """Give axes a logarithmic scale with round steps."""
    low, high = axes.get_ylim()
    axes.set_yscale("log")
    steps = LADDER if high > 2.5 * low else STEPS
    axes.yaxis.set_major_locator(FixedLocator([step for step in steps if low <= step <= high]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def dates(axes: Axes) -> None:
    """Give axes few, short dates."""
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))


def legend(figure: Figure, marks: Sequence[Artist]) -> None:
    """Set a figure's legend above its panels."""
    figure.legend(handles=marks, loc="outside upper left", ncols=len(marks))


def marks(evaluations: Evaluations) -> list[Line2D]:
    """Give the legend's entries of the models."""
    return [
        Line2D([], [], color=colour, linewidth=3, label=model)
        for model, colour, _ in models(evaluations)
    ]


def models(evaluations: Evaluations) -> list[tuple[str, str, pl.DataFrame]]:
    """Give each model's name, colour and daily rows."""
    return [
        (model, COLOURS[number % len(COLOURS)], daily)
        for number, (model, (daily, _)) in enumerate(evaluations.items())
    ]
