"""Small days whose predictable part is known, for tests of models."""

import numpy as np
from gogooku.dataset.inputs import ModelInputs

COLUMNS = ["returns_1d", "volume_ratio_5", "b", "c", "d", "is_b_valid"]


def days(part="linear", sessions=120, stocks=100, strength=0.6, seed=0):
    """Noise inputs; labels hold `strength` of the `part` named and noise for the rest."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((sessions, stocks, len(COLUMNS))).astype(np.float32)
    leader = rng.permutation(stocks)
    signal = {
        "linear": x[..., 2],
        "neighbour": x[:, leader, 3],
        "sequence": np.roll(x[..., 4], 3, axis=0),
        "none": 0 * x[..., 0],
    }[part]
    noise = rng.standard_normal((sessions, stocks, 2))
    labels = strength * signal[..., None] + np.sqrt(1 - strength**2) * noise
    universe = rng.random((sessions, stocks)) > 0.1
    x[~universe] = 0
    labels[~universe] = np.nan
    labels[-3:, :, 1] = np.nan
    neighbours = np.full((sessions, stocks, 3), -1, np.int32)
    neighbours[..., 0] = leader
    neighbours[~universe] = -1
    return ModelInputs(
        x=x,
        universe=universe,
        labels=(0.02 * labels).astype(np.float32),
        dates=np.datetime64("2020-01-06") + np.arange(sessions),
        codes=np.array([f"{1000 + i}0" for i in range(stocks)]),
        columns=list(COLUMNS),
        horizons=[1, 5],
        neighbours=neighbours,
        weights=np.where(neighbours >= 0, 0.5, 0).astype(np.float32),
    )


def skill(days, predictions, horizon):
    """Mean over days of the rank correlation between predictions and labels."""
    from scipy.stats import spearmanr

    column, h = f"prediction_{horizon}d", days.horizons.index(horizon)
    scores = []
    for (date,), day in predictions.group_by("date", maintain_order=True):
        t = int(np.searchsorted(days.dates, np.datetime64(date)))
        slot = np.searchsorted(days.codes, day["code"].to_numpy().astype(str))
        known = np.isfinite(days.labels[t, slot, h])
        if known.sum() > 2:
            made, true = day[column].to_numpy()[known], days.labels[t, slot, h][known]
            scores.append(spearmanr(made, true)[0])
    return float(np.mean(scores))
