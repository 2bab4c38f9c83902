"""Nothing of a sealed period is evaluated, nor what ends in it."""

import datetime as dt

import polars as pl
import pytest
from gogooku import errors, files
from gogooku.evaluation import evaluate
from gogooku.evaluation.sealing import Seal
from gogooku.evaluation.trading import Surroundings
from gogooku.panel.panel import Panel
from helpers import judged

HORIZON = 5
LABELS, TRUTH = judged.market(horizons=(1, HORIZON))
PREDICTIONS = {0: judged.forecast(TRUTH, noise=1.0)}
DAYS = sorted(LABELS["date"].unique())
FIRST = DAYS[80]
SESSIONS = judged.surroundings(LABELS).panel.dates.astype(object).tolist()


@pytest.fixture
def built(tmp_path):
    """Files of labels and panel."""
    after = dict(zip(SESSIONS, range(len(SESSIONS)), strict=True))
    exits = [
        SESSIONS[min(after[day] + 1 + horizon, len(SESSIONS) - 1)]
        for day, horizon in LABELS.select("date", "horizon").rows()
    ]
    labels, panel = tmp_path / "labels.parquet", tmp_path / "panel.parquet"
    files.write_parquet(LABELS.with_columns(exit=pl.Series(exits, dtype=pl.Date)), labels)
    fields = judged.surroundings(LABELS).panel
    rows = fields.tidy({name: fields[name] for name in fields.fields}, fields.dates[0].item())
    files.write_parquet(rows, panel)
    return [labels], [panel]


def judge(seal, built):
    labels, panel = built
    return evaluate.evaluate(
        seal.predictions(PREDICTIONS),
        seal.labels(labels),
        None,
        Surroundings(seal.panel(panel)),
        [1, HORIZON],
        judged.rules(),
    )


def test_a_sealed_period_changes_no_earlier_number_and_has_none(built):
    open_days, _ = judge(Seal(None), built)
    sealed_days, summary = judge(Seal(str(FIRST)), built)
    assert sealed_days["date"].max() < FIRST and summary["last"] < str(FIRST)
    keys = ["date", "horizon", "seed", "metric"]
    known = sealed_days.filter(pl.col("value").is_not_null(), metric="rank_ic")
    both = known.join(open_days, on=keys, how="left", validate="1:1")
    assert (both["value"] - both["value_right"]).abs().max() == 0
    lasts = dict(known.group_by("horizon").agg(pl.col("date").max()).rows())
    before = DAYS.index(FIRST)
    assert lasts == {1: DAYS[before - 3], HORIZON: DAYS[before - 2 - HORIZON]}


def test_the_prices_of_a_sealed_period_are_not_read(built):
    _, panel = built
    assert Seal(str(FIRST)).panel(panel).dates[-1].item() < FIRST
    assert isinstance(Seal(None).panel(panel), Panel)


def test_a_seal_before_all_test_days_is_refused():
    with pytest.raises(errors.UserError, match="leaves no test day to evaluate"):
        Seal(str(DAYS[0] - dt.timedelta(1))).predictions(PREDICTIONS)
