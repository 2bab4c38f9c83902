"""Fail where a finished run's report lacks a number or a planted part was not found.

PYTHONPATH=lib python tools/summary.py runs/demo
"""

import sys
from pathlib import Path

from gogooku.report import results


def main(folder):
    """Give the exit status: 0, or one sentence that says what is missing."""
    models = results.read(folder)
    report = folder / "report" / "index.html"
    if not models or not report.is_file():
        return f"{folder} holds no finished run"
    page = report.read_text()
    horizons = sorted(next(iter(models.values()))["horizons"], key=int)
    for name, summary in models.items():
        rows = [summary["horizons"][h][results.MEAN_OF_SEEDS] for h in horizons]
        sharpe = rows[0]["long_short"]["net"]["sharpe"]["mean"]
        if sharpe is None or not all(shown(page, row["rank_ic"]) for row in rows):
            return f"{folder}: {name} lacks a number: look into {folder}/logs/evaluate/{name}.log"
    if missed := not_found(models, horizons[0]):
        return f"{folder}: no model found {missed}, which the market plants"
    return 0


def shown(page, estimate):
    """Whether mean and bounds are known and stand on the page as its tables write them."""
    values = [estimate[key] for key in ("mean", "low", "high")]
    if None in values:
        return False
    mean, low, high = (f"{value:+.3f}".replace("-", "−") for value in values)
    return mean in page and f"[{low}, {high}]" in page


def not_found(models, horizon):
    """Name the planted parts that neither LightGBM nor the network found."""
    parts = [
        model["truth"][horizon]["parts"]
        for name, model in models.items()
        if model["truth"] and name in ("lightgbm", "atft")
    ]
    names = sorted({name for part in parts for name in part})
    return [name for name in names if not any(part[name]["above_zero"] for part in parts)]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
