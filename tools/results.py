"""A finished run's verdict and results, as docs/results.md shows them.

python tools/results.py runs/archive
"""

import json
import sys
from pathlib import Path

MEAN_OF_SEEDS, NONE = "-1", "–"


def main(run):
    """Print the verdict; mean RankIC with its interval of every model and horizon, net Sharpe."""
    for sentence in json.loads((run / "report/run.json").read_text())["verdict"]:
        print(f"> {sentence}")
    print()
    for model, summary in _models(run):
        for horizon, seeds in sorted(summary["horizons"].items(), key=lambda item: int(item[0])):
            scores = seeds[MEAN_OF_SEEDS]
            net, turnover = scores["long_short"]["net"], scores["long_short"]["turnover"]
            cells = [
                model,
                f"{horizon} d",
                _interval(scores["rank_ic"], 4),
                NONE if scores["icir"] is None else f"{scores['icir']:+.2f}",
                _interval(net["sharpe"], 2),
                NONE if turnover is None else f"{turnover:.2f}",
            ]
            print("| " + " | ".join(cells) + " |")


def _models(run):
    print(
        "| model | horizon | RankIC [95 % interval] | ICIR | Sharpe of long–short, net | turnover |"
    )
    print("|---|---|---|---|---|---|")
    settings = json.loads((run / "report/run.json").read_text())["settings"]
    for model in (Path(entry).stem for entry in settings["models"]):
        yield model, json.loads((run / f"evaluation/{model}.json").read_text())


def _interval(estimate, digits):
    if not estimate or estimate["low"] is None:
        return NONE
    mean, low, high = (f"{estimate[key]:+.{digits}f}" for key in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
