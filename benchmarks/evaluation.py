"""What judging one model costs: 5M rows, 5 folds and seeds, 4 horizons, in CPU-seconds and memory.

    python benchmarks/evaluation.py [SEEDS] [DAYS] [STOCKS] [FOLDER]

Writes made-up predictions, labels and a panel of DAYS × STOCKS (1,250 × 4,000 by default), and does
to one model what the rule `evaluate` does, in a process of its own: reading, judging, breaking
down. Prints CPU-seconds of one model and of six, and the most memory that the process held.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))

import numpy as np
import polars as pl
from gogooku import files
from gogooku.evaluation import evaluate, trading
from gogooku.panel.panel import Panel

MODELS, FOLDS, HORIZONS = 6, 5, (1, 5, 10, 20)
BEFORE = 120  # sessions of the panel before the first prediction
RULES = {
    "quantiles": 10, "confidence": 0.95, "delisting": 0.0, "cost": 10, "capital": 1e8,
    "half_spread": [(0, 30), (1e8, 10), (1e9, 4)], "impact": 1.0, "borrow": 1.5, "participation": 5,
}  # fmt: skip


def make(folder, seeds, days, stocks):
    """Write a market and a model's predictions."""
    random = np.random.default_rng(0)
    sessions = np.busday_offset("2016-01-04", np.arange(BEFORE + days + 25), roll="forward")
    codes = [f"{1300 + stock}0" for stock in range(stocks)]
    gains = random.normal(0, 0.02, (len(sessions), stocks))
    gains += random.normal(0, 0.01, (len(sessions), 1))
    close = 1000 * np.exp(np.cumsum(gains, axis=0))
    close[random.random(close.shape) < 0.003] = np.nan
    value = np.exp(random.normal(18, 2, stocks) + random.normal(0, 0.5, close.shape))
    sectors = [f"{50 * number}" for number in random.integers(1, 34, stocks)]
    keys = {"date": np.repeat(sessions, stocks), "code": np.tile(codes, len(sessions))}
    bars = dict.fromkeys(("open", "high", "low", "close"), close.ravel())
    flags = {"universe": True, "limit_up": False, "limit_down": False, "new_level": False}
    rows = pl.DataFrame(keys | bars).with_columns(
        value=value.ravel(), volume=value.ravel() / 1000, factor=1.0, volume_factor=1.0,
        s33=pl.Series(np.tile(sectors, len(sessions))), s17=pl.lit("1"), market=pl.lit("0111"),
        **{name: pl.lit(flag) for name, flag in flags.items()},
    ).with_columns(pl.col(pl.Float64).fill_nan(None))  # fmt: skip
    files.write_parquet(rows, folder / "panel.parquet")
    inside = rows.select("date", "code")[BEFORE * stocks : (BEFORE + days) * stocks]
    labels, clean = [], {}
    for horizon in HORIZONS:
        label = (close[horizon + 1 :] / close[1:-horizon] - 1)[BEFORE:][:days]
        clean[horizon] = np.nan_to_num(label.ravel()) / np.sqrt(horizon)
        known = inside.with_columns(
            horizon=pl.lit(horizon, pl.Int16), label=pl.Series(label.ravel(), dtype=pl.Float32)
        )
        labels.append(known.filter(pl.col("label").is_not_nan()))
    ordered = pl.concat(labels).sort("date", "code", "horizon")
    files.write_parquet(ordered, folder / "labels.parquet")
    size = pl.Series(np.log(value.ravel())[BEFORE * stocks : (BEFORE + days) * stocks] + 3)
    files.write_parquet(inside.with_columns(market_cap_log=size), folder / "sizes.parquet")
    for fold, part in enumerate(np.array_split(np.arange(days * stocks), FOLDS)):
        for seed in range(seeds):
            columns = {
                f"prediction_{h}d": (
                    0.03 * clean[h][part] + random.normal(0, 0.02, len(part))
                ).astype(np.float32)
                for h in HORIZONS
            }
            path = folder / "predictions" / "model" / f"fold{fold}" / f"seed{seed}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_parquet(inside[part[0] : part[-1] + 1].with_columns(**columns), path)


def judge(folder):
    """Do what the rule does."""
    predictions = evaluate.read_predictions(sorted(folder.glob("predictions/*/*/*.parquet")))
    labels = files.read_parquet(folder / "labels.parquet", ["date", "code", "horizon", "label"])
    sizes = files.read_parquet(folder / "sizes.parquet", ["date", "code", "market_cap_log"])
    surroundings = trading.Surroundings(Panel.read([folder / "panel.parquet"]), None, sizes)
    rules = trading.Rules.of("next_close", RULES)
    return evaluate.evaluate(predictions, labels, None, surroundings, HORIZONS, rules)


def measure(folder):
    """Print what one model costs, kernels being compiled."""
    start = time.process_time()
    _, summary = judge(folder)
    spent = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows = summary["days"]
    print(f"{rows:,} days: {spent:.1f} CPU-s a model, {MODELS * spent:.0f} of {MODELS} models")
    print(f"most memory: {memory:.2f} GB")


def main(seeds=5, days=1250, stocks=4000, folder=None):
    """Make the files, compile on a small market, and measure."""
    apart = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        small, full = Path(scratch, "small"), Path(scratch, "full")
        for path, *sizes in ((small, 1, 60, 50), (full, seeds, days, stocks)):
            path.mkdir()
            maker = apart.Process(target=make, args=(path, *sizes))
            maker.start()
            maker.join()
        judge(small)
        judges = apart.Process(target=measure, args=(full,))
        judges.start()
        judges.join()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), *sys.argv[4:])
