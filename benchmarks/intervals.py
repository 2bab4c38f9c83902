"""How often a 95 % interval holds the truth, by overlap, dependence and number of days.

    python benchmarks/intervals.py [SERIES]

Prints the table of docs/performance.md: 4,000 series (SERIES) of each kind, judged by the code that
judges models. A day's number is the mean of h shocks that it shares with its neighbours', which
follow an autoregression of the first order themselves. `paired` is the difference of two such
series, as of two models; `Sharpe` the ratio of fat-tailed daily returns.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))

import numpy as np
from gogooku.evaluation import inference
from scipy.signal import lfilter

HORIZONS, PHIS, DAYS = (1, 5, 20), (0.0, 0.1, 0.3), (250, 700, 1200)
BURN = 100


def shocks(random, series, length, phi):
    draws = random.standard_t(5, (series, length + BURN)) / np.sqrt(5 / 3)
    return lfilter([np.sqrt(1 - phi**2)], [1, -phi], draws, axis=1)[:, BURN:]


def overlapping(random, series, days, horizon, phi):
    total = np.cumsum(shocks(random, series, days + horizon - 1, phi), axis=1)
    total = np.hstack([np.zeros((series, 1)), total])
    return (total[:, horizon:] - total[:, :-horizon]) / horizon


def held(estimates, truth):
    return np.mean([known.low < truth < known.high for known in estimates])


def of_means(random, series, days, horizon, phi):
    rows = overlapping(random, series, days, horizon, phi)
    return held((inference.estimate(row, horizon, "next_close") for row in rows), 0)


def of_pairs(random, series, days, horizon, phi):
    common, one, other = (overlapping(random, series, days, horizon, phi) for _ in range(3))
    gaps = (common + one) - (common + other) + 0.01
    return held((inference.estimate(row, horizon, "next_close") for row in gaps), 0.01)


def of_sharpe_ratios(random, series, days, phi):
    rows = 0.05 + shocks(random, series, days, phi)
    return held((inference.sharpe(row, 1) for row in rows), 0.05 * np.sqrt(inference.SESSIONS))


def main(series):
    random = np.random.default_rng(1)
    print(
        "| horizon | dependence | "
        + " | ".join(f"{days} days" for days in DAYS)
        + " | paired, 700 |"
    )
    print("|" + "---|" * (len(DAYS) + 3))
    for horizon in HORIZONS:
        for phi in PHIS:
            means = [of_means(random, series, days, horizon, phi) for days in DAYS]
            cells = [*means, of_pairs(random, series, 700, horizon, phi)]
            print(f"| {horizon} | {phi:g} | " + " | ".join(f"{cell:.1%}" for cell in cells) + " |")
    ratios = {phi: of_sharpe_ratios(random, series, 700, phi) for phi in PHIS}
    print(
        "\nSharpe, 700 days: " + ", ".join(f"{cell:.1%} at {phi:g}" for phi, cell in ratios.items())
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
