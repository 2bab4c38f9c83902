"""A change redoes its own stage and what follows from it, and nothing else."""

import contextlib

import pytest

pytestmark = pytest.mark.xdist_group("checkout")

TRAIN = {"train atft", "train lightgbm", "train ridge"}
PREDICT = {"predict atft", "predict lightgbm", "predict ridge", "predict blend"}
JUDGE = {"evaluate", "report"}
AFTER_TRAIN = TRAIN | PREDICT | JUDGE
AFTER_SCALER = {"scaler", "predict reversal"} | AFTER_TRAIN
AFTER_LIGHTGBM = {"train lightgbm", "predict lightgbm", "predict blend"} | JUDGE
AFTER_DATASET = {"dataset", "profile", "scaler", "predict reversal"} | AFTER_TRAIN


def test_a_finished_run_has_nothing_to_do(checkout):
    assert checkout.would_run() == {}


MODELS, FEATURES = "lib/gogooku/models", "lib/gogooku/features"
BLENDED = {"predict blend"} | JUDGE
ATFT, RIDGE = {"train atft", "predict atft"} | BLENDED, {"train ridge", "predict ridge"} | BLENDED


NO_VALUE = [
    (f"{MODELS}/network/training.py", "import logging", "# a comment\nimport logging"),
    (f"{MODELS}/network/training.py", '"""Training and use', '"""Use'),
    (f"{MODELS}/ridge.py", "\nimport", "\nunused = 1\nimport"),
    ("lib/gogooku/evaluation/metrics.py", "def daily(", "unused = 1\n\n\ndef daily("),
    ("lib/gogooku/dataset/assembly.py", "stock columns are null", "columns are null"),
    ("lib/gogooku/dataset/assembly.py", "no day has enough", "there are too few"),
    ("lib/gogooku/errors.py", "cannot be written (", "could not be written ("),
    ("lib/gogooku/jobs.py", "%(asctime)s", "%(created)s"),
    ("lib/gogooku/evaluation/ledger.py", '"kind": kind', '"kind": 1 * kind'),
    ("rules/train.smk", "threads: 1", "threads: 2"),
]


def test_what_decides_no_value_redoes_nothing(checkout):
    with contextlib.ExitStack() as edits:
        for edit in NO_VALUE:
            edits.enter_context(checkout.edited(*edit))
        assert checkout.would_run() == {}


@pytest.mark.parametrize(
    "file, old, new, redone",
    [
        (f"{MODELS}/catalogue.py", "720", "360", {"report"}),  # it reads the checked settings
        (
            "lib/gogooku/evaluation/metrics.py",
            "ordered.compare(prediction, label, quantiles,",
            "ordered.compare(prediction, label, 1 * quantiles,",
            JUDGE,
        ),
        ("lib/gogooku/arrays/agreement.py", "MIN_PAIRS = 20", "MIN_PAIRS = 21", ATFT | RIDGE),
        ("lib/gogooku/report/report.py", "THIN_DAYS = 10", "THIN_DAYS = 11", {"report"}),
        (f"{MODELS}/network/blocks.py", "deep + self", "1 * deep + self", ATFT),
        (f"{MODELS}/network/training.py", "VALID_DAYS = 24", "VALID_DAYS = 25", ATFT),
        (f"{MODELS}/ridge.py", "* np.eye(moments", "* 2 * np.eye(moments", RIDGE),
        (f"{MODELS}/ridge.py", "x.T, coefficients, ", "x.T, 1 * coefficients, ", RIDGE),
        (
            "lib/gogooku/dataset/inputs.py",
            "FARTHEST = 5.0",
            "FARTHEST = 6.0",
            {"predict reversal"} | AFTER_TRAIN,
        ),
        ("lib/gogooku/dataset/scaler.py", '"mean": 0.0', '"mean": 1.0', AFTER_SCALER),
        (f"{FEATURES}/sector.py", "YEAR = 245", "YEAR = 246", {"features sector"} | AFTER_DATASET),
        (
            f"{FEATURES}/statement.py",
            "ratio(figure, price)",
            "ratio(figure, 1 * price)",
            {"features statement"} | AFTER_DATASET,
        ),
        ("config/default.yaml", "cost: 10 ", "cost: 20 ", JUDGE),
        ("config/default.yaml", "sealed: null ", "sealed: 2022-07-01 ", JUDGE),
        ("lib/gogooku/evaluation/ledger.py", "len(newest)", "1 * len(newest)", {"report"}),
        ("config/default.yaml", "penalty: [1,", "penalty: [2,", RIDGE),
        ("envs/lock.txt", "lightgbm==", "lightgbm==1", AFTER_LIGHTGBM),
    ],
)
def test_a_change_redoes_its_own_stage_and_what_follows(checkout, file, old, new, redone):
    with checkout.edited(file, old, new):
        assert set(checkout.would_run()) == redone


def test_a_touched_file_redoes_nothing(checkout):
    for path in (checkout.root / "workflow_scripts").glob("*.py"):
        path.touch()
    assert checkout.would_run() == {}


def test_a_later_end_adds_files_and_retrains_no_old_fold(checkout):
    with checkout.edited("config/smoke.yaml", "end: 2022-12-31", "end: 2023-12-29"):
        jobs = checkout.would_run()
    once_a_span = {name: count for name, count in jobs.items() if name.startswith("features ")}
    assert once_a_span and set(once_a_span.values()) == {1}
    assert jobs["panel"] == jobs["labels"] == jobs["graph"] == jobs["dataset"] == 1
    stages = ("fold", "scaler", "train atft", "train lightgbm", "train ridge", "predict ridge")
    assert {jobs[stage] for stage in stages} == {1}
    assert jobs["fetch"] == len(list((checkout.root / "data/raw/smoke").glob("*/2022y.parquet")))
    assert "market" not in jobs


def test_a_second_run_with_other_models_uses_the_first_ones_build(checkout):
    planned = checkout.would_run("--config", "name=second", "models=[ridge]", "seeds=[3]")
    assert set(planned) == {"fold", "scaler", "train ridge", "predict ridge"} | JUDGE


EXAMPLES = "docs/examples/elastic_net.py,docs/examples/small_network.py"
OWN = f"models=[atft,lightgbm,ridge,reversal,{EXAMPLES}]"


def test_a_users_model_adds_its_own_jobs_and_redoes_only_the_report(checkout):
    jobs = checkout.would_run("--config", OWN)
    assert jobs == {
        "train elastic_net": 1,
        "predict elastic_net": 1,
        "train small_network": 1,
        "predict small_network": 1,
        "evaluate": 2,
        "report": 1,
    }


@pytest.mark.slow
def test_a_users_model_is_fitted_evaluated_reported_and_redone_by_its_file_alone(checkout):
    own = ("--config", "name=own", OWN, "small_network={hidden: 4}", "elastic_net={penalty: 1}")
    checkout.snakemake("train_all", *own)
    page = (checkout.root / "runs/own/report/index.html").read_text()
    assert "elastic_net" in page and "small_network" in page
    assert checkout.would_run(*own) == {}
    with checkout.edited("docs/examples/elastic_net.py", "(0.02", "(0.03"):
        redone = {"train elastic_net": 1, "predict elastic_net": 1, "evaluate": 1, "report": 1}
        assert checkout.would_run(*own) == redone
