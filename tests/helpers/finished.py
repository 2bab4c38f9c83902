"""Run folders as a finished run leaves them, made by hand: evaluations, record and ledger."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
from gogooku import files, layout
from gogooku.evaluation import inference, ledger
from gogooku.report import report, runs

from helpers import configs, judged

BOOK = {"net": {"annual": None, "sharpe": None}, "turnover": 0.5}


def evaluation(rank_ic, first=0, entry="next_close"):
    """Daily rows and summary of a model from its RankIC (T,) by horizon, from a session on."""
    rows, statistics = [], {}
    sessions = judged.sessions(2000)
    for horizon, values in rank_ic.items():
        days = sessions[first : first + len(values)]
        rows.append(
            pl.DataFrame({
                "date": days, "seed": [-1] * len(days), "fold": [0] * len(days),
                "horizon": [horizon] * len(days), "metric": ["rank_ic"] * len(days),
                "value": values,
            })
        )  # fmt: skip
        known = inference.estimate(np.asarray(values, float), horizon, entry)
        mean = {name: getattr(known, name) for name in ("mean", "low", "high", "days")}
        statistics[str(horizon)] = {"-1": {"rank_ic": mean, "long_short": BOOK}}
    daily = pl.concat(rows)
    return daily, {
        "horizons": statistics, "truth": {}, "entry": entry, "confidence": 0.95,
        "first": str(daily["date"].min()), "last": str(daily["date"].max()),
        "days": daily["date"].n_unique(), "folds": [0], "seeds": [0],
    }  # fmt: skip


def write(name, evaluations, settings=None, code="0c0de", root=Path()):
    """Write the run `name`, with a record of `settings` unless these are None."""
    folder = root / layout.run_folder(name) / "evaluation"
    for model, (daily, summary) in evaluations.items():
        files.write_parquet(daily, folder / f"{model}.parquet")
        files.write_json(summary, folder / f"{model}.json")
        entry = {
            "kind": "evaluation", "market": "real", "run": name, "model": model, "settings": "5e7",
            "code": code, "data": "da7a", "when": "2026-01-02T03:04:05+00:00",
        }  # fmt: skip
        ledger.append(entry, root / layout.LEDGER)
    if settings is None:
        return
    panel = pl.DataFrame({"date": [dt.date(2021, 11, 1)], "code": ["13000"], "universe": [True]})
    facts = report.facts(settings, panel, [], fitted=[])
    summaries = [folder / f"{model}.json" for model in evaluations]
    files.write_json(runs.record(facts, summaries), root / layout.record(name))


def settings(name, **changes):
    """Settings of a run, by default those of config/default.yaml with the models of these tests."""
    from gogooku.config import settings as settings_of

    models = {"models": ["ridge", "momentum"]}
    return settings_of.read(configs.default(name=name, **(models | changes)))
