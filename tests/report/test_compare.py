import json

import numpy as np
import polars as pl
import pytest
from gogooku import errors, files, layout
from gogooku.evaluation import inference
from gogooku.report import compare, results
from helpers import finished, markup

RANDOM = np.random.default_rng(0)
DAYS = 300
COMMON = RANDOM.normal(0.02, 0.1, DAYS)  # luck of the days, alike for all runs


def daily(skill, days=DAYS):
    return COMMON[:days] + RANDOM.normal(skill, 0.02, days)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two runs: b is better at ridge, and knows nothing new at momentum."""
    monkeypatch.chdir(tmp_path)
    a = {"ridge": finished.evaluation({1: daily(0), 5: daily(0)}),
         "momentum": finished.evaluation({1: daily(0)})}  # fmt: skip
    b = {"ridge": finished.evaluation({1: daily(0.01)}, first=50),
         "momentum": finished.evaluation({1: daily(0)})}  # fmt: skip
    finished.write("a", a, finished.settings("a"))
    finished.write("b", b, finished.settings("b", splits={"embargo": 30}, seeds=[0]))
    return tmp_path


def whole(*names):
    found, faults = compare.read(names)
    differ = compare.differences(found)
    content = compare.content(found, faults, differ)
    return content, compare.build(found, content, differ)


def rows_of(content):
    return {(row["run"], row["model"], row["horizon"]): row for row in content["differences"]}


def test_a_difference_is_that_of_the_common_days(folder):
    content, page = whole("a", "b")
    row = rows_of(content)["b", "ridge", 1]
    frames = [
        pl.read_parquet(f"runs/{name}/evaluation/ridge.parquet").filter(horizon=1).to_pandas()
        for name in ("b", "a")
    ]
    both = frames[0].merge(frames[1], on="date")
    gap = (both["value_x"] - both["value_y"]).to_numpy()
    known = inference.estimate(gap, 1, "next_close")
    assert row["days"] == len(gap) == DAYS - 50
    assert [row[x] for x in ("mean", "low", "high")] == pytest.approx(
        [known.mean, known.low, known.high]
    )
    assert f"{known.mean:+.3f}".replace("-", "\N{MINUS SIGN}") in page


def test_verdicts_go_by_the_number_of_all_differences(folder):
    content, page = whole("a", "b")
    rows = rows_of(content)
    assert set(rows) == {("b", "ridge", 1), ("b", "momentum", 1)}
    assert rows["b", "momentum", 1]["verdict"] == "not told apart"
    raw = inference.p_value(
        inference.Estimate(**{k: rows["b", "momentum", 1][k] for k in ("mean", "error", "days")}), 2
    )
    others = rows["b", "ridge", 1]["p"]
    assert rows["b", "momentum", 1]["p"] == pytest.approx(max(raw, others))
    assert "not told apart" in page


def test_what_differs_in_the_settings_is_named_key_by_key(folder):
    content, page = whole("a", "b")
    assert content["settings"] == {
        "splits.embargo": {"a": 20, "b": 30},
        "seeds": {"a": [0, 1], "b": [0]},
    }
    assert "splits.embargo" in page and "The settings of fewer" not in page


def test_the_page_is_sound_markup_and_loads_nothing(folder):
    _, page = whole("a", "b")
    read = markup.read(page)
    assert read.open == [] and read.faults == []
    assert set(read.links) == {f"#{name}" for name in read.names}


def test_each_thing_that_cannot_be_compared_is_one_sentence_and_the_rest_is_shown(folder):
    content, page = whole("a", "nowhere", "b")
    assert content["runs"] == ["a", "b"]
    assert content["remarks"] == [
        "There is no run nowhere: runs/nowhere does not exist",
        "ridge predicts 5 sessions in a, not in b",
    ]
    assert all(text in page for text in content["remarks"])


def test_a_run_that_is_not_evaluated_and_one_without_a_record_are_named(folder):
    (folder / "runs/fresh/folds").mkdir(parents=True)
    finished.write("old", {"ridge": finished.evaluation({1: daily(0)})})
    content, _ = whole("a", "fresh", "old")
    told = " | ".join(content["remarks"])
    assert "The run fresh is not evaluated: finish it first" in told
    assert "The settings of old are not known, as runs/old/report/run.json is missing" in told
    assert ("old", "ridge", 1) in rows_of(content) and content["settings"] == {}


def test_days_without_overlap_are_one_sentence(folder):
    later = {"ridge": finished.evaluation({1: daily(0)}, first=900)}
    finished.write("later", later, finished.settings("later", models=["ridge"]))
    content, page = whole("a", "later")
    assert "a and later share no test day, and their daily numbers cannot be paired" in page
    assert "momentum: evaluated in a, not in later" in content["remarks"]
    (row,) = content["differences"]
    assert row["days"] == 0 and row["mean"] is None and row["verdict"] == ""


def test_a_model_that_another_setting_leaves_alone_is_the_same(folder):
    ridge = finished.evaluation({1: daily(0)})
    for name in ("one", "two"):
        finished.write(name, {"ridge": ridge}, finished.settings(name, models=["ridge"]))
    content, page = whole("one", "two")
    (row,) = content["differences"]
    assert row["verdict"] == "the same" and "the same" in page
    assert "the runs have the same settings" in page
    files.write_json(content, "numbers.json")
    assert results.compared("numbers.json").splitlines()[-1].split() == "ridge 1d the same".split()


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"source": "jquants", "store": "jquants"},
         "a is about the simulated market of the store simulated, other about real stocks"),
        ({"market": {"seed": 8}, "store": "eighth"}, "other about the simulated market of the"),
        ({"store": "second"}, "a reads the store simulated and other the store second"),
    ],
)  # fmt: skip
def test_runs_on_other_markets_and_stores_are_told_apart(folder, changes, sentence):
    own = {"ridge": finished.evaluation({1: daily(0)})}
    finished.write("other", own, finished.settings("other", models=["ridge"], **changes))
    content, _ = whole("a", "other")
    assert sum(sentence in text for text in content["remarks"]) == 1
    assert len(content["differences"]) == 1


def test_other_entries_and_other_code_are_told(folder):
    own = {"ridge": finished.evaluation({1: daily(0)}, entry="close")}
    changes = {"models": ["ridge"], "labels": {"entry": "close"}}
    finished.write("other", own, finished.settings("other", **changes), code="beef")
    remarks = " | ".join(whole("a", "other")[0]["remarks"])
    assert "Labels of a enter at next_close, those of other at close" in remarks
    assert "a and other were evaluated by different code" in remarks


def test_a_report_that_is_older_than_its_evaluation_is_named(folder):
    path = folder / "runs/b/evaluation/ridge.json"
    files.write_json(json.loads(path.read_text()) | {"days": 1}, path)
    content, _ = whole("a", "b")
    assert (
        "The report of b is of other evaluations of ridge than stand there" in content["remarks"][0]
    )


def test_a_damaged_file_costs_one_model(folder):
    (folder / "runs/b/evaluation/ridge.json").write_text("{")
    content, _ = whole("a", "b")
    assert "runs/b/evaluation/ridge.json cannot be read" in content["remarks"][0]
    assert set(rows_of(content)) == {("b", "momentum", 1)}


def test_an_evaluation_of_an_older_release_costs_one_model(folder):
    path = folder / "runs/b/evaluation/ridge.json"
    summary = json.loads(path.read_text())
    files.write_json({key: summary[key] for key in summary if key != "confidence"}, path)
    content, _ = whole("a", "b")
    assert "runs/b/evaluation/ridge.json lacks 'confidence'" in content["remarks"][0]
    assert set(rows_of(content)) == {("b", "momentum", 1)}


def test_one_run_is_no_comparison(folder):
    with pytest.raises(errors.UserError, match="no two runs to compare. There is no run nowhere"):
        compare.read(["a", "nowhere"])
    with pytest.raises(errors.UserError, match="name folders of runs/"):
        compare.read([])


def test_the_terminal_has_each_difference(folder):
    content, _ = whole("a", "b")
    files.write_json(content, "numbers.json")
    lines = results.compared("numbers.json").splitlines()
    assert lines[:2] == [
        "ridge predicts 5 sessions in a, not in b.",
        "RankIC of b less that of a [interval], on the same days",
    ]
    assert [line.split()[:2] for line in lines[2:]] == [["ridge", "1d"], ["momentum", "1d"]]


def test_another_evaluation_is_another_state(folder):
    before = results.standing(["a", "b"])
    assert before == results.standing(["a", "b"]) != results.standing(["a"])
    (folder / layout.record("b")).write_text("{}")
    assert results.standing(["a", "b"]) != before
