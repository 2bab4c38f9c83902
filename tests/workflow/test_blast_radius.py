"""docs/blast-radius.md says what an edit redoes, and that is no more than it must be."""

from pathlib import Path

import blast_radius
import pytest
from gogooku.models.catalogue import MODELS

ROOT = Path(__file__).parents[2]
ALL = set(blast_radius.stages())
FAMILIES, TRAIN, PREDICT = (
    {stage for stage in ALL if stage.startswith(kind)}
    for kind in ("features ", "train ", "predict ")
)


@pytest.fixture(scope="module")
def table():
    return blast_radius.by_module()


def test_the_page_is_what_the_tool_makes():
    assert (ROOT / "docs" / "blast-radius.md").read_text() == blast_radius.page()


@pytest.mark.parametrize(
    "module, stages",
    [
        ("models.ridge", {"train ridge", "predict ridge"}),
        ("models.reversal", {"predict reversal"}),
        ("models.network.blocks", {"train atft", "predict atft"}),
        ("models.network.training", {"train atft", "predict atft"}),
        ("features.sector", {"features sector"}),
        ("features.technical", {"features technical"}),
        ("features.inputs", FAMILIES),
        ("dataset.labels", {"labels"}),
        ("dataset.scaler", {"scaler"}),
        ("dataset.inputs", TRAIN | PREDICT),
        ("report.plots", {"report"}),
        ("jobs", TRAIN | PREDICT),  # which draw from seeds
        ("files", ALL),
    ],
)
def test_an_edit_of_a_module_redoes_these_stages_at_most(table, module, stages):
    assert table[f"gogooku.{module}"] == stages


@pytest.mark.parametrize("module", ["lineage.reach", "lineage.reader", "run_display.display"])
def test_an_edit_of_what_shows_or_plans_redoes_nothing(table, module):
    assert module not in table


def test_what_shows_how_a_job_goes_redoes_nothing():
    assert set(blast_radius.by_definition("gogooku.jobs")) == {"seed_everything"}


def test_a_family_and_a_model_reach_none_of_another(table):
    for family in FAMILIES:
        module = f"gogooku.features.{family.removeprefix('features ')}"
        others = table[module] - {family}
        assert others <= FAMILIES, f"{module} counts beyond the families: {others}"
    for model in MODELS:
        assert {stage.split()[1] for stage in table[f"gogooku.models.{model}"]} == {model}


def test_the_libraries_that_decide_bits_count_where_they_are_used():
    def libraries(stage):
        script, also = blast_radius.stages()[stage]
        return (
            blast_radius.jobs.code().reached(blast_radius.SCRIPTS / f"{script}.py", *also).libraries
        )

    assert {"torch", "numpy"} <= libraries("train atft")
    assert "torch" not in libraries("features sector") | libraries("dataset")
    assert "lightgbm" in libraries("train lightgbm") - libraries("train ridge")
    assert {"numba", "numpy", "polars", "pyarrow"} <= libraries("features technical")
    assert "exchange_calendars" in libraries("fetch_archive") - libraries("panel")
