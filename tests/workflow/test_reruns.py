"""A change redoes its own stage and what follows from it, and nothing else."""

import pytest

pytestmark = pytest.mark.xdist_group("house")

TRAIN = {"train atft", "train lightgbm", "train ridge"}
PREDICT = {"predict atft", "predict lightgbm", "predict ridge"}
JUDGE = {"evaluate", "report"}
AFTER_TRAIN = TRAIN | PREDICT | JUDGE
AFTER_DATASET = {"dataset", "profile", "scaler", "predict reversal"} | AFTER_TRAIN


def test_a_finished_run_has_nothing_to_do(house):
    assert house.would_run() == {}


@pytest.mark.parametrize(
    "file, old, new, redone",
    [
        (
            "lib/gogooku/models/network/training.py",
            "import logging",
            "# a comment\nimport logging",
            set(),
        ),
        (
            "lib/gogooku/models/network/training.py",
            '"""Training and use',
            '"""The training and use',
            set(),
        ),
        ("lib/gogooku/models/ridge.py", "\nimport", "\n# a comment\nimport", set()),
        ("lib/gogooku/evaluation/metrics.py", "def mean(", "unused = 1\n\n\ndef mean(", JUDGE),
        ("lib/gogooku/report/report.py", "\nimport", "\nunused = 1\nimport", {"report"}),
        (
            "lib/gogooku/models/network/heads.py",
            "\nimport",
            "\nunused = 1\nimport",
            {"train atft", "predict atft"} | JUDGE,
        ),
        (
            "lib/gogooku/models/ridge.py",
            "\nimport",
            "\nunused = 1\nimport",
            {"train ridge", "predict ridge"} | JUDGE,
        ),
        (
            "lib/gogooku/dataset/inputs.py",
            "\nimport",
            "\nunused = 1\nimport",
            {"predict reversal"} | AFTER_TRAIN,
        ),
        ("lib/gogooku/models/targets.py", "\nimport", "\nunused = 1\nimport", AFTER_TRAIN),
        (
            "lib/gogooku/dataset/scaler.py",
            "\nfrom",
            "\nunused = 1\nfrom",
            {"scaler", "predict reversal"} | AFTER_TRAIN,
        ),
        (
            "lib/gogooku/features/sector.py",
            "\nimport",
            "\nunused = 1\nimport",
            {"features sector"} | AFTER_DATASET,
        ),
        (
            "lib/gogooku/features/statement.py",
            "\nimport",
            "\nunused = 1\nimport",
            {"features statement"} | AFTER_DATASET,
        ),
        ("config/default.yaml", "cost: 10 ", "cost: 20 ", JUDGE),
        (
            "config/default.yaml",
            "penalty: 1000",
            "penalty: 10",
            {"train ridge", "predict ridge"} | JUDGE,
        ),
        ("lib/gogooku/models/catalogue.py", "720", "360", set()),
        ("rules/train.smk", "threads: 1", "threads: 2", set()),
    ],
)
def test_a_change_redoes_its_own_stage_and_what_follows(house, file, old, new, redone):
    with house.edited(file, old, new):
        assert set(house.would_run()) == redone


def test_a_touched_file_redoes_nothing(house):
    for path in (house.root / "workflow_scripts").glob("*.py"):
        path.touch()
    assert house.would_run() == {}


def test_a_later_end_adds_files_and_retrains_no_old_fold(house):
    with house.edited("config/smoke.yaml", "end: 2022-12-31", "end: 2023-12-29"):
        jobs = house.would_run()
    once_a_span = {name: count for name, count in jobs.items() if name.startswith("features ")}
    assert once_a_span and set(once_a_span.values()) == {1}
    assert jobs["panel"] == jobs["labels"] == jobs["graph"] == jobs["dataset"] == 1
    stages = ("fold", "scaler", "train atft", "train lightgbm", "train ridge", "predict ridge")
    assert {jobs[stage] for stage in stages} == {1}
    assert jobs["fetch"] == len(list((house.root / "data/raw/smoke").glob("*/2022y.parquet")))
    assert "market" not in jobs


def test_a_second_run_with_other_models_uses_the_first_ones_build(house):
    planned = house.would_run("--config", "name=second", "models=[ridge]", "seeds=[3]")
    assert set(planned) == {"fold", "scaler", "train ridge", "predict ridge"} | JUDGE
