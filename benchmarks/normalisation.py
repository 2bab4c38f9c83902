"""Same-day normalisation of 300 columns × 5M rows against Polars, in CPU-seconds.

python benchmarks/normalisation.py

5M rows are 4,000 stocks on 1,250 days, in 25 spans of 50 days, so that memory holds one span. The
kernels run on all of them. `same_day` adds what a data frame costs; it runs on every fifth span,
and Polars, which is slow at it, on every twelfth column of those: their times are multiplied
accordingly.
"""

import os
import sys
import time
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))

import numpy as np
import polars as pl
from gogooku.dataset import normalize

SPANS, DAYS, STOCKS, COLUMNS = 25, 50, 4000, 300
MISSING, CLIP = 0.05, 0.01
ROWS = DAYS * STOCKS
THIN_SPANS, THIN_COLUMNS = 5, 12
OURS = {
    "zscore": ("zscore", 0.0),
    "zscore, winsorised": ("zscore", CLIP),
    "robust, winsorised": ("robust", CLIP),
    "rank": ("rank", 0.0),
    "rank_normal": ("rank_normal", 0.0),
}


def main():
    """Print CPU-seconds by step, and how many times Polars takes."""
    names = [f"c{i}" for i in range(COLUMNS)]
    dates = pl.Series(np.repeat(np.arange(DAYS), STOCKS)).cast(pl.Date)
    spent, framed, theirs = (dict.fromkeys(names, 0.0) for names in (OURS, OURS, POLARS))
    warm_up()
    for span in range(SPANS):
        rows = [draw(span * COLUMNS + i) for i in range(COLUMNS)]
        frame = pl.DataFrame([pl.Series(n, x) for n, x in zip(names, rows, strict=True)])
        starts = np.arange(0, ROWS + 1, STOCKS)
        for name, (method, clip) in OURS.items():
            spent[name] += timed(kernels, rows, starts, method, clip)
        if span % THIN_SPANS == 0:
            whole = frame.with_columns(date=dates)
            for name, (method, clip) in OURS.items():
                framed[name] += timed(normalize.same_day, whole, names, clip=clip, method=method)
            few = frame.select(names[::THIN_COLUMNS]).fill_nan(None).with_columns(date=dates)
            for name, expression in POLARS.items():
                theirs[name] += timed(few.select, pl.exclude("date").pipe(expression))
        print(f"span {span + 1} of {SPANS}", file=sys.stderr, end="\r")
    framed = {name: t * THIN_SPANS for name, t in framed.items()}
    theirs = {name: t * THIN_SPANS * THIN_COLUMNS for name, t in theirs.items()}
    table(spent, framed, theirs)


def draw(seed):
    """One column of a span: wild tails and gaps."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(ROWS, np.float32) ** 3
    x[rng.random(ROWS, np.float32) < MISSING] = np.nan
    return x


def warm_up():
    """Compile or load the kernels."""
    for method, clip in OURS.values():
        kernels([draw(0)], np.arange(0, ROWS + 1, STOCKS), method, clip)


def kernels(rows, starts, method, clip):
    """Normalise column after column."""
    for x in rows:
        normalize.scores(x, starts, clip=clip, method=method)


def by_day(expression):
    """Compute within each day."""
    return expression.over("date")


POLARS = {
    "zscore": lambda c: by_day(c - c.mean()) / by_day(c.std(ddof=0)),
    "zscore, winsorised": lambda c: (
        by_day(winsorised(c) - winsorised(c).mean()) / by_day(winsorised(c).std(ddof=0))
    ),
    "rank": lambda c: by_day(c.rank()) / by_day(c.count()),
}


def winsorised(c):
    """Draw in to the day's quantiles."""
    return c.clip(c.quantile(CLIP, "linear"), c.quantile(1 - CLIP, "linear"))


def timed(function, *arguments, **named):
    """CPU-seconds of the process, all its threads counted."""
    start = time.process_time()
    function(*arguments, **named)
    return time.process_time() - start


def table(spent, framed, theirs):
    """Print one line a step."""
    print(f"{'step':<32}{'kernel':>9}{'data frame':>12}{'Polars':>9}{'ratio':>8}")
    for name in OURS:
        ours = spent[name]
        line = f"{name:<32}{ours:>9.1f}{framed[name]:>12.1f}"
        if name in theirs:
            line += f"{theirs[name]:>9.0f}{theirs[name] / ours:>7.0f}×"
        print(line)
    print(f"winsorising alone: {spent['zscore, winsorised'] - spent['zscore']:.1f} CPU-s")


if __name__ == "__main__":
    main()
