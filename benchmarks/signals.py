"""What single columns say about returns, with everything planted, with nothing, and with two parts.

    snakemake --cores 2 dataset_all --configfile config/families.yaml \
        --config spans=year "splits={train: 2, valid: 1, test: 1}"
    snakemake --cores 2 dataset_all --configfile config/noise.yaml config/research.yaml \
        --config spans=year "splits={train: 2, valid: 1, test: 1}" \
        name=families_off store=families_off
    snakemake --cores 2 dataset_all --configfile config/families.yaml \
        --config spans=year "splits={train: 2, valid: 1, test: 1}" \
        name=families_two store=families_two "market={parts: {reversal: 10, option: 6, drift: 0, \
        lead_lag: 0, cycle: 0, short: 0, margin: 0, flow: 0, sector: 0, size: 0, schedule: 0}}"
    python benchmarks/signals.py runs/families runs/families_off runs/families_two

Prints the tables of docs/signals.md. Each planted part is met by columns that were named for it
before anything was measured (COLUMNS); nothing is picked by its result. A stock column has its
RankIC with the label across the universe; a market column, which is one number a day, its
correlation over the days with the universe's mean label. Intervals are made as in reports
(docs/evaluation.md): 95 % where the part is planted, 99 % where nothing is.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))

import numpy as np
import polars as pl
from gogooku import files
from gogooku.arrays import agreement
from gogooku.evaluation import inference

COLUMNS = [
    ("reversal", "technical", "returns_1d", -1),
    ("reversal", "technical", "returns_5d", -1),
    ("reversal", "relative", "alpha_1d", -1),
    ("reversal", "sector", "rel_to_sec_1d", -1),
    ("cycle", "technical", "volume_ratio_60", +1),
    ("cycle", "sector", "volume_ratio_20_in_sec_z", +1),
    ("lead_lag", "graph", "peer_ret_1d", +1),
    ("lead_lag", "graph", "peer_ret_5d", +1),
    ("drift", "statement", "stmt_rev_fore_op", +1),
    ("drift", "statement", "stmt_yoy_op", +1),
    ("drift", "earnings", "earnings_surprise", +1),
    ("drift", "earnings", "pead_strength", +1),
    ("schedule", "earnings", "is_earnings_week", +1),
    ("short", "short", "short_ratio", -1),
    ("short", "short", "days_to_cover", -1),
    ("margin", "margin", "margin_buy_velocity", -1),
    ("margin", "margin", "margin_momentum", -1),
    ("flow", "flow", "flow_foreign_net_ratio", +1),
    ("flow", "flow", "flow_foreign_net_z", +1),
    ("sector", "sector", "sec_ret_5d", +1),
    ("sector", "index", "sect_rel_r_5d", +1),
    ("sector", "index", "sect17_rel_r_5d", +1),
    ("size", "listed", "market_cap_log", -1),
    ("option", "option", "avg_iv", +1),
    ("option", "option", "iv_skew", +1),
    ("option", "market", "mkt_ret_20d", +1),
]
"""(planted part, family, column, sign that the plan of the market gives it)"""
APART = ("reversal", "option")
"""Parts that the others outweigh, or that move the market only: met again without the others."""
HORIZONS = (1, 5)
ENTRY = "next_close"
PLANTED, NOTHING = 0.95, 0.99


def rows(folder, stage):
    return pl.concat(
        [files.read_parquet(path) for path in sorted((folder / stage).glob("*.parquet"))]
    )


def measure(folder, confidence):
    """Give (column, horizon) → Estimate."""
    keys = ["date", "code"]
    inside = rows(folder, "panel").filter("universe").select(keys)
    labels = rows(folder, "labels").filter(pl.col("label").is_not_null())
    families = {family: rows(folder, f"features/{family}") for _, family, _, _ in COLUMNS}
    found = {}
    for horizon in HORIZONS:
        came = inside.join(labels.filter(horizon=horizon), on=keys).select(*keys, "label")
        for _, family, column, _ in COLUMNS:
            told = came.join(families[family].select(*keys, column), on=keys)
            found[column, horizon] = _relation(told, column, horizon, confidence)
    return found


def _relation(told, column, horizon, confidence):
    tables = [
        told.pivot("code", index="date", values=name).sort("date").drop("date").cast(pl.Float64)
        for name in (column, "label")
    ]
    said, came = (table.select(sorted(table.columns)).to_numpy() for table in tables)
    within = np.nanmax(said, axis=1, initial=-np.inf) - np.nanmin(said, axis=1, initial=np.inf)
    if np.nanmax(within) > 0:
        daily = agreement.rank_ic(said, came)
    else:
        daily = _product(agreement.mean(said), agreement.mean(came))
    return inference.estimate(daily, horizon, ENTRY, confidence)


def _product(one, other):
    """Give the days' terms of a correlation."""
    both = np.isfinite(one) & np.isfinite(other)
    one, other = (np.where(both, values, np.nan) for values in (one, other))
    standard = [(values - np.nanmean(values)) / np.nanstd(values) for values in (one, other)]
    return standard[0] * standard[1]


def _cell(estimate):
    return f"{estimate.mean:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"


def write_table(columns, on, off):
    """Print a table of the columns' estimates."""
    said = [f"{h} d, {what}" for h in HORIZONS for what in ("planted [95 %]", "nothing [99 %]")]
    print("| part | family | column | sign | " + " | ".join(said) + " |")
    print("|---|---|---|---|" + "---|" * len(said))
    for part, family, column, sign in columns:
        cells = [_cell(found[column, h]) for h in HORIZONS for found in (on, off)]
        names = [part, family, f"`{column}`", "+" if sign > 0 else "−"]
        print("| " + " | ".join(names + cells) + " |")
    print()


def main(planted, nothing, two):
    """Print both tables."""
    off = measure(nothing, NOTHING)
    write_table(COLUMNS, measure(planted, PLANTED), off)
    apart = [column for column in COLUMNS if column[0] in APART]
    write_table(apart, measure(two, PLANTED), off)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
