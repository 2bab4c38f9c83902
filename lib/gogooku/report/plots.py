"""The report's pictures: one function each, drawn from the daily rows of the evaluations.

`inline` turns the three neutral colours of `drawing` into the page's own, which follow a light or a
dark screen, and `write` into fixed ones for a file that stands alone.
"""

import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib
import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gogooku import files
from gogooku.evaluation import inference, portfolio
from gogooku.evaluation.evaluate import Evaluations, series
from gogooku.report import drawing, skill_plots, tables
from gogooku.report.drawing import COLOURS, INK, LINE, MUTED, WIDTH

ON_PAGE = {INK: "currentColor", MUTED: "var(--muted)", LINE: "var(--line)"}
ON_PAPER = {INK: "#1b2027", MUTED: "#5d6672", LINE: "#dde1e6"}
PARTS = {"train": "#7d8794", "valid": "#d9822b", "test": "#3d7fe0"}
ATTRIBUTE, LONG = re.compile(r'="[^"]*"'), re.compile(r"(\.\d\d)\d+")
"""Where coordinates stand, apart from texts; one with more digits than a screen can show."""
ABOUT = {
    "rankic": "Mean RankIC of each model and horizon, with intervals",
    "cumulative": "Running sum of daily RankIC by model",
    "equity": "Wealth of the long–short books",
    "years": "Mean RankIC by year",
    "folds": "Mean RankIC by fold",
    "timeline": "Dates of each fold's parts",
    "learning": "Training loss by epoch",
    "deciles": "Mean return of each tenth of predictions",
    "decay": "RankIC by age of the forecast",
    "drawdown": "Drawdown of the long–short books",
    "long_only": "Long-only books against their index",
}
"""What a picture shows, for who does not see it; the caption below says how to read it."""
STYLE = Path(__file__).with_name("plots.mplstyle")


def draw(
    evaluations: Evaluations, folds: Sequence[Mapping[str, Any]], curves: pl.DataFrame | None = None
) -> dict[str, Figure]:
    """Draw every picture that the numbers support, by name.

    evaluations  model → (daily rows, summary), as `evaluation.evaluate` gives them
    folds        the fold files' content
    curves       model, fold, seed, epoch, loss: of training, by epoch; None if not kept
    """
    figures = {}
    with matplotlib.rc_context(fname=STYLE):
        if tables.horizons(evaluations):
            figures = {
                "rankic": means(evaluations),
                "cumulative": cumulative(evaluations),
                "equity": equity(evaluations),
                "years": by_group(evaluations, pl.col("date").dt.year(), ""),
                "folds": by_group(evaluations, pl.col("fold").cast(pl.Int32), "fold "),
                **skill_plots.draw(evaluations),
            }
        if folds:
            figures["timeline"] = timeline(folds)
        if curves is not None and len(curves):
            figures["learning"] = learning(curves)
    return figures


def means(evaluations: Evaluations) -> Figure:
    """Bars of mean RankIC by horizon with intervals; a tick marks what was attainable."""
    horizons = tables.horizons(evaluations)
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    step = 0.8 / len(evaluations)
    for number, (model, colour, _) in enumerate(drawing.models(evaluations)):
        for row, horizon in enumerate(horizons):
            x = row + (number - (len(evaluations) - 1) / 2) * step
            _bar(axes, x, step, tables.scores(evaluations, model, horizon), colour)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_xticks(range(len(horizons)), [tables.sessions(horizon) for horizon in horizons])
    axes.set_ylabel("mean daily RankIC")
    drawing.legend(figure, drawing.marks(evaluations))
    return figure


def cumulative(evaluations: Evaluations) -> Figure:
    """Running sum of daily RankIC, one panel a horizon: a steady skill is a straight line."""

    def panel(axes: Axes, horizon: int) -> None:
        for _, colour, daily in drawing.models(evaluations):
            rows = series(daily, "rank_ic", horizon)
            if len(rows):
                drawing.line(axes, rows["date"], rows["value"].cum_sum().to_numpy(), color=colour)
        axes.axhline(0, color=MUTED, linewidth=0.8)

    return drawing.panels(evaluations, panel, "sum of daily RankIC", dated=True)


def equity(evaluations: Evaluations) -> Figure:
    """Reinvested long–short wealth on a logarithmic axis: net solid, gross dotted."""

    def panel(axes: Axes, horizon: int) -> None:
        for _, colour, daily in drawing.models(evaluations):
            for kind, dash in (("net", "-"), ("gross", (0, (1, 1.6)))):
                rows = series(daily, f"long_short_{kind}", horizon)
                if len(rows):
                    wealth = portfolio.wealth(rows["value"].to_numpy())
                    drawing.line(axes, rows["date"], wealth, color=colour, linestyle=dash)
        axes.axhline(1, color=MUTED, linewidth=0.8)
        drawing.logarithmic(axes)

    return drawing.panels(evaluations, panel, "wealth, start = 1", dated=True)


def by_group(evaluations: Evaluations, key: pl.Expr, name: str) -> Figure:
    """Mean RankIC of each group of days with its interval, one panel a horizon.

    key   of the daily rows, which groups them;  name  in front of a group's key
    """
    rows = pl.concat([daily.select(key.alias("key")) for daily, _ in evaluations.values()])
    keys = rows["key"].drop_nulls().unique().sort().to_list()

    def panel(axes: Axes, horizon: int) -> None:
        for number, (model, colour, daily) in enumerate(drawing.models(evaluations)):
            shift = (number - (len(evaluations) - 1) / 2) * 0.6 / len(evaluations)
            rules = evaluations[model][1]
            days = series(daily, "rank_ic", horizon).with_columns(key.alias("key"))
            for (group,), rows in days.group_by("key", maintain_order=True):
                estimate = inference.estimate(
                    rows["value"].to_numpy(), horizon, rules["entry"], rules["confidence"]
                )
                drawing.whisker(axes, keys.index(group) + shift, estimate, colour)
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.set_xticks(range(len(keys)), [f"{name}{group}" for group in keys])
        axes.set_xlim(-0.6, len(keys) - 0.4)

    return drawing.panels(evaluations, panel, "mean daily RankIC")


def timeline(folds: Sequence[Mapping[str, Any]]) -> Figure:
    """Bars of each fold's training, validation and test dates."""
    figure = Figure(figsize=(WIDTH, 0.9 + 0.3 * len(folds)), layout="constrained")
    axes = figure.subplots()
    for row, fold in enumerate(folds):
        for part, colour in PARTS.items():
            first, last = (dt.date.fromisoformat(fold[part][end]) for end in ("first", "last"))
            left, width = date2num(first), (last - first).days + 1
            axes.barh(row, width, left=left, height=0.55, color=colour)
    axes.set_yticks(range(len(folds)), [f"fold {fold['fold']}" for fold in folds])
    axes.invert_yaxis()
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.xaxis_date()
    drawing.dates(axes)
    drawing.legend(figure, [Patch(facecolor=colour, label=part) for part, colour in PARTS.items()])
    return figure


def learning(curves: pl.DataFrame) -> Figure:
    """Training loss by epoch, one panel a fold and one line a model and seed."""
    folds = curves["fold"].unique().sort()
    colours = dict(zip(curves["model"].unique().sort(), cycle(COLOURS), strict=False))
    look: dict[str, Any] = {"marker": "o", "ms": 2.5}
    figure, panels = drawing.grid(len(folds), "training loss")
    for axes, fold in zip(panels, folds, strict=True):
        axes.set_title(f"fold {fold}")
        axes.set_xlabel("epoch")
        of_fold = curves.filter(pl.col("fold") == fold)
        for (model, _), rows in sorted(of_fold.group_by("model", "seed"), key=lambda kv: kv[0]):
            axes.plot(rows["epoch"], rows["loss"], color=colours[str(model)], **look)
    marks = [Line2D([], [], color=colour, label=model, **look) for model, colour in colours.items()]
    drawing.legend(figure, marks)
    return figure


def inline(figure: Figure, name: str) -> str:
    """Give `figure` as SVG for an HTML page: no headers, no outside names, the page's colours.

    `name` makes its identifiers differ from those of the page's other pictures.
    """
    text = _svg(figure, ON_PAGE, transparent=True)
    text = re.sub(r'\bid="', f'id="{name}-', text[text.index("<svg") :])
    text = re.sub(r'xlink:href="#', f'href="#{name}-', text).replace("url(#", f"url(#{name}-")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", text)
    head = f'<svg role="img" aria-label="{ABOUT[name]}"'
    return re.sub(r'<svg width="[^"]*" height="[^"]*"', head, text, count=1)


def write(figures: Mapping[str, Figure], paths: Iterable[str | Path]) -> None:
    """Write one SVG file per path; a file's stem names its picture.

    A picture that the numbers do not support is written as a line that says so.
    """
    for path in map(Path, paths):
        files.write_text(_svg(figures.get(path.stem) or _nothing(), ON_PAPER), path)


def _svg(figure: Figure, colours: Mapping[str, str], *, transparent: bool = False) -> str:
    buffer = io.StringIO()
    with matplotlib.rc_context(fname=STYLE):
        figure.savefig(buffer, format="svg", transparent=transparent, metadata={"Date": None})
    text = buffer.getvalue()
    for placeholder, colour in colours.items():
        text = text.replace(placeholder, colour)
    return ATTRIBUTE.sub(lambda found: LONG.sub(r"\1", found[0]), text)


def _nothing() -> Figure:
    figure = Figure(figsize=(WIDTH, 1))
    figure.text(0.5, 0.5, "this run holds no numbers for this picture", ha="center", color=MUTED)
    return figure


def _bar(axes: Axes, x: float, width: float, scores: Mapping[str, Any], colour: str) -> None:
    estimate = scores.get("rank_ic")
    if not estimate or estimate["mean"] is None:
        return
    axes.bar(x, estimate["mean"], width * 0.86, color=colour, alpha=0.85, linewidth=0)
    if estimate["low"] is not None:
        axes.plot([x, x], [estimate["low"], estimate["high"]], color=INK, linewidth=1.1)
    attainable = tables.at(scores, "truth.attainable.mean")
    if attainable is not None:
        ends = [x - width / 2, x + width / 2]
        axes.plot(ends, [attainable, attainable], color=INK, linewidth=1.4)
