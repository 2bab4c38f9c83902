import json

import numpy as np
import polars as pl
import pytest
from gogooku import errors, files
from gogooku.evaluation import evaluate as evaluation
from helpers import judged
from polars.testing import assert_frame_equal
from scipy import stats

LABELS, TRUTH = judged.market()


SURROUNDINGS = judged.surroundings(LABELS)


def evaluate(predictions, truth=TRUTH, labels=LABELS, horizons=(1, 5), **changes):
    rules = judged.rules(**changes)
    return evaluation.evaluate(predictions, labels, truth, SURROUNDINGS, horizons, rules)


@pytest.fixture(scope="module")
def skilled():
    seeds = {seed: judged.forecast(TRUTH, noise=1.0, seed=seed) for seed in (0, 1)}
    return seeds, *evaluate(seeds)


def values(daily, metric, horizon=1, seed=-1):
    picked = daily.filter(metric=metric, horizon=horizon, seed=seed).sort("date")
    return picked["value"].to_numpy()


def test_daily_numbers_are_scipys(skilled):
    seeds, daily, _ = skilled
    label = LABELS.filter(pl.col("horizon") == 5)
    rows = seeds[1].join(label, on=["date", "code"]).sort("date", "code")
    expected = [
        stats.spearmanr(day["prediction_5d"], day["label"]).statistic
        for day in rows.partition_by("date", maintain_order=True)
    ]
    np.testing.assert_allclose(values(daily, "rank_ic", 5, 1), expected, atol=1e-12)


def test_the_summary_is_the_mean_of_the_daily_rows(skilled):
    _, daily, summary = skilled
    for metric in ("rank_ic", "ic", "hit_rate", "spread"):
        known = summary["horizons"]["5"]["-1"][metric]
        assert known["mean"] == pytest.approx(values(daily, metric, 5).mean())
        assert known["low"] < known["mean"] < known["high"]


def test_the_mean_of_seeds_is_that_of_their_standardised_predictions(skilled):
    seeds, daily, _ = skilled
    z = (pl.col("prediction_1d") - pl.col("prediction_1d").mean()) / pl.col("prediction_1d").std()
    both = [frame.select("date", "code", "fold", z.over("date")) for frame in seeds.values()]
    mean = both[0].with_columns(prediction_1d=both[0]["prediction_1d"] + both[1]["prediction_1d"])
    alone, _ = evaluate({0: mean}, horizons=[1])
    np.testing.assert_allclose(
        values(daily, "rank_ic"), values(alone, "rank_ic", seed=0), atol=1e-6
    )


def test_the_mean_of_one_seed_is_that_seed():
    _, summary = evaluate({3: judged.forecast(TRUTH, noise=1.0)})
    found = summary["horizons"]["1"]
    assert found["-1"]["rank_ic"] == pytest.approx(found["3"]["rank_ic"])
    assert summary["seeds"] == [3] and summary["folds"] == [0, 1]


def test_a_forecaster_who_knows_the_truth_reaches_all_that_is_attainable():
    _, summary = evaluate({0: judged.forecast(TRUTH)})
    for horizon in ("1", "5"):
        known = summary["truth"][horizon]
        assert known["share"]["mean"] == pytest.approx(1, abs=0.01)
        assert all(part["above_zero"] for part in known["parts"].values())
        for part in known["parts"].values():
            assert part["correlation"]["mean"] == pytest.approx(part["ceiling"]["mean"], abs=0.01)


def test_a_forecaster_of_one_part_is_not_told_to_have_found_the_other():
    _, summary = evaluate({0: judged.forecast(TRUTH, "reversal")})
    known = summary["truth"]["1"]
    assert known["parts"]["reversal"]["correlation"]["mean"] == pytest.approx(1, abs=0.001)
    assert not known["parts"]["drift"]["above_zero"]
    assert known["share"]["high"] < 1.05


def test_noise_has_no_skill():
    _, summary = evaluate({0: judged.forecast(TRUTH, noise=1e6)})
    known = summary["horizons"]["1"]["0"]["rank_ic"]
    assert known["low"] < 0 < known["high"]
    assert not any(part["above_zero"] for part in summary["truth"]["1"]["parts"].values())


def test_the_truth_is_not_used_for_another_entry():
    _, summary = evaluate({0: judged.forecast(TRUTH)}, entry="close")
    assert summary["truth"] == {}


def test_a_horizon_without_a_prediction_is_left_out():
    daily, summary = evaluate({0: judged.forecast(TRUTH, horizons=(1,))})
    assert summary["horizons"]["5"] == {} and "5" not in summary["truth"]
    assert daily["horizon"].unique().to_list() == [1]


def test_books_need_no_one_day_labels():
    later = LABELS.filter(pl.col("horizon") == 5)
    _, summary = evaluate({0: judged.forecast(TRUTH)}, labels=later, horizons=[5])
    _, both = evaluate({0: judged.forecast(TRUTH)})
    for scores in (summary, both):
        assert scores["horizons"]["5"]["0"]["long_short"]["net"]["annual"] > 0
    assert summary["horizons"]["5"] == both["horizons"]["5"]


def test_a_predicted_day_that_the_panel_lacks_is_named():
    strange = judged.forecast(TRUTH).with_columns(pl.col("date").dt.offset_by("9y"))
    with pytest.raises(errors.UserError, match="predictions lie on 2030-11-01"):
        evaluate({0: strange})


def test_the_newest_fold_answers_for_a_day_of_two():
    rows = judged.forecast(TRUTH, noise=1.0)
    old = rows.with_columns(fold=pl.lit(0, pl.Int16), prediction_1d=-pl.col("prediction_1d"))
    new = rows.with_columns(fold=pl.lit(1, pl.Int16))
    both, _ = evaluate({0: pl.concat([new, old])})
    alone, _ = evaluate({0: new})
    assert_frame_equal(both, alone)


def test_a_book_lives_on_through_sessions_that_no_fold_answers():
    rows = judged.forecast(TRUTH)
    days = rows["date"].unique().sort()
    hole = rows.filter(~pl.col("date").is_in(days[50:60].implode()))
    daily, summary = evaluate({0: hole})
    inside = daily.filter(pl.col("date").is_in(days[50:60].implode()), seed=-1, horizon=5)
    assert inside["fold"].null_count() == len(inside)
    assert set(inside["metric"]) == {
        f"{book}_{kind}" for book in ("long_short", "long_only", "neutral")
        for kind in ("gross", "net", "turnover")
    }  # fmt: skip
    # Sleeves are sold over five sessions; then the book stands empty, and such days count as 0.
    assert inside["date"].unique().sort().to_list() == days[50:60].to_list()
    empty = inside.filter(pl.col("date") >= days[55], metric="long_short_gross")
    assert empty["value"].to_list() == [0.0] * 5
    assert summary["days"] == 110


def test_the_order_of_rows_changes_nothing(skilled):
    seeds, daily, summary = skilled
    mixed = {seed: rows.sample(fraction=1, shuffle=True, seed=1) for seed, rows in seeds.items()}
    again, told = evaluate(mixed, labels=LABELS.sample(fraction=1, shuffle=True, seed=2))
    assert_frame_equal(again, daily, check_exact=True)
    assert told == summary


def test_the_summary_is_json_without_nan(skilled):
    json.dumps(skilled[2], allow_nan=False)


def test_predictions_are_read_by_seed_with_their_fold(tmp_path):
    rows = judged.forecast(TRUTH).drop("fold")
    paths = [tmp_path / f"fold{fold}" / f"seed{seed}.parquet" for fold in (0, 1) for seed in (0, 7)]
    for path in paths:
        files.write_parquet(rows, path)
    found = evaluation.read_predictions(paths)
    assert list(found) == [0, 7]
    assert found[7]["fold"].unique().sort().to_list() == [0, 1]


def test_a_strange_name_is_refused(tmp_path):
    with pytest.raises(errors.UserError, match="rename it"):
        evaluation.read_predictions([tmp_path / "predictions.parquet"])


def test_a_horizon_without_labels_is_said_and_the_rest_is_judged(caplog):
    labels = LABELS.filter(pl.col("horizon") == 1)
    daily, summary = evaluate({0: judged.forecast(TRUTH)}, labels=labels)
    assert [record.getMessage() for record in caplog.records] == [
        "no predicted stock has a label of 5 sessions from 2021-11-01 to 2022-04-19: nothing is "
        "judged there; the labels are of other days or stocks, or have not ended yet"
    ]
    assert summary["horizons"]["5"]["-1"]["rank_ic"]["mean"] is None
    assert summary["horizons"]["1"]["-1"]["rank_ic"]["mean"] > 0.1
    assert np.isnan(values(daily, "rank_ic", 5).astype(float)).all()
