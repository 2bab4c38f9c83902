"""A finished run's results as the Markdown table that README.md shows.

python tools/results.py runs/archive
"""

import json
import sys
from pathlib import Path

MEAN_OF_SEEDS = "-1"


def main(run):
    """Print mean RankIC with its interval of every model and horizon, and net Sharpe at each."""
    for model, summary in _models(run):
        for horizon, seeds in sorted(summary["horizons"].items(), key=lambda item: int(item[0])):
            scores = seeds[MEAN_OF_SEEDS]
            net = scores["long_short"]["net"]
            cells = [
                model,
                f"{horizon} d",
                _interval(scores["rank_ic"], 4),
                f"{scores['icir']:+.2f}",
                _interval(net["sharpe"], 2),
                f"{scores['long_short']['turnover']:.2f}",
            ]
            print("| " + " | ".join(cells) + " |")


def _models(run):
    print(
        "| model | horizon | RankIC [95 % interval] | ICIR | Sharpe of long–short, net | turnover |"
    )
    print("|---|---|---|---|---|---|")
    for path in sorted(run.glob("evaluation/*.json")):
        yield path.stem, json.loads(path.read_text())


def _interval(estimate, digits):
    mean, low, high = (f"{estimate[key]:+.{digits}f}" for key in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
