"""The report's pictures of where skill lies: deciles, age of the forecast, drawdown, long only."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gogooku.evaluation import portfolio
from gogooku.evaluation.evaluate import Evaluations, series
from gogooku.report import drawing
from gogooku.report.drawing import MUTED


def draw(evaluations: Evaluations) -> dict[str, Figure]:
    """Draw what the numbers support, by name."""
    return {
        "deciles": deciles(evaluations),
        "decay": decay(evaluations),
        "drawdown": drawdown(evaluations),
        "long_only": long_only(evaluations),
    }


def deciles(evaluations: Evaluations) -> Figure:
    """Bars of the mean label of each tenth of predictions, less the day's mean, by model."""

    def panel(axes: Axes, horizon: int) -> None:
        step = 0.84 / len(evaluations)
        for number, (model, colour, _) in enumerate(drawing.models(evaluations)):
            means = _of_model(evaluations, model, horizon).get("deciles", [])
            shift = (number - (len(evaluations) - 1) / 2) * step
            for decile, known in enumerate(means, 1):
                if known["mean"] is not None:
                    axes.bar(decile + shift, known["mean"] * 1e4, step, color=colour, linewidth=0)
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.set_xticks(range(1, 11))

    return drawing.panels(evaluations, panel, "return less the mean [bp]")


def decay(evaluations: Evaluations) -> Figure:
    """Mean RankIC of predictions that are some sessions old, with intervals."""

    def panel(axes: Axes, horizon: int) -> None:
        for number, (model, colour, _) in enumerate(drawing.models(evaluations)):
            ages = _of_model(evaluations, model, horizon).get("decay", {}).get(str(horizon), {})
            order = sorted(ages, key=int)
            known = {age: ages[age] for age in order if ages[age]["mean"] is not None}
            places = [order.index(age) for age in known]
            axes.plot(places, [own["mean"] for own in known.values()], color=colour)
            shift = (number - (len(evaluations) - 1) / 2) * 0.04
            for place, own in zip(places, known.values(), strict=True):
                if own["low"] is not None:
                    bounds = [own["low"], own["high"]]
                    axes.plot([place + shift] * 2, bounds, color=colour, linewidth=1, alpha=0.5)
            if ages:
                axes.set_xticks(range(len(order)), order)
        axes.axhline(0, color=MUTED, linewidth=0.8)

    return drawing.panels(evaluations, panel, "mean daily RankIC")


def drawdown(evaluations: Evaluations) -> Figure:
    """How far the net wealth of the long–short book lies below its peak."""

    def panel(axes: Axes, horizon: int) -> None:
        for _, colour, daily in drawing.models(evaluations):
            rows = series(daily, "long_short_net", horizon)
            if len(rows):
                wealth = portfolio.wealth(rows["value"].to_numpy())
                below = 100 * (wealth / np.maximum(np.maximum.accumulate(wealth), 1) - 1)
                drawing.line(axes, rows["date"], below, color=colour)

    return drawing.panels(evaluations, panel, "below the peak [%]", dated=True)


def long_only(evaluations: Evaluations) -> Figure:
    """Running sum of the long-only book's net return less TOPIX, or else the universe's mean."""

    def panel(axes: Axes, horizon: int) -> None:
        for _, colour, daily in drawing.models(evaluations):
            rows = series(daily, "against_topix_net", horizon)
            rows = rows if len(rows) else series(daily, "long_only_net", horizon)
            if len(rows):
                gained = 100 * rows["value"].cum_sum().to_numpy()
                drawing.line(axes, rows["date"], gained, color=colour)
        axes.axhline(0, color=MUTED, linewidth=0.8)

    return drawing.panels(evaluations, panel, "sum of returns [%]", dated=True)


def _of_model(evaluations: Evaluations, model: str, horizon: int) -> dict:
    return evaluations[model][1].get("breakdowns", {}).get(str(horizon)) or {}
