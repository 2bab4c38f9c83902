"""Print what a finished run found; fail where its report lacks a number or a planted part is lost.

python tools/summary.py runs/demo
"""

import json
import sys
from pathlib import Path

MEAN_OF_SEEDS = "-1"


def main(folder):
    """Give the exit status: 0, or one sentence that says what is missing."""
    models = {path.stem: json.loads(path.read_text()) for path in folder.glob("evaluation/*.json")}
    report = folder / "report" / "index.html"
    if not models or not report.is_file():
        return f"{folder} holds no finished run"
    page = report.read_text()
    print("RankIC, mean of seeds [interval]; Sharpe of long-short, net, at the first horizon")
    horizons = sorted(next(iter(models.values()))["horizons"], key=int)
    print("".join([f"{'model':<10}", *(f"{h + 'd':>25}" for h in horizons), f"{'Sharpe':>8}"]))
    for name, summary in sorted(models.items()):
        found = [summary["horizons"][h][MEAN_OF_SEEDS] for h in horizons]
        cells = [interval(each["rank_ic"]) for each in found]
        sharpe = found[0]["long_short"]["net"]["sharpe"]["mean"]
        if None in (*cells, sharpe) or not all(shown(page, each["rank_ic"]) for each in found):
            return f"{folder}: {name} lacks a number: look into {folder}/logs/evaluate/{name}.log"
        print("".join([f"{name:<10}", *(f"{cell:>25}" for cell in cells), f"{sharpe:>8.2f}"]))
    if lost := unfound(models, horizons[0]):
        return f"{folder}: no model found {lost}, which the market plants"
    return 0


def shown(page, estimate):
    """Whether the page has mean and bounds as its tables write them."""
    mean, low, high = (f"{estimate[key]:+.3f}".replace("-", "−") for key in ("mean", "low", "high"))
    return mean in page and f"[{low}, {high}]" in page


def unfound(models, horizon):
    """Name the planted parts that neither LightGBM nor the network found."""
    parts = [
        model["truth"][horizon]["parts"]
        for name, model in models.items()
        if model["truth"] and name in ("lightgbm", "atft")
    ]
    names = sorted({name for found in parts for name in found})
    return [name for name in names if not any(found[name]["found"] for found in parts)]


def interval(estimate):
    """Show mean and bounds; None where one is unknown."""
    mean, low, high = (estimate[key] for key in ("mean", "low", "high"))
    return None if None in (mean, low, high) else f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
