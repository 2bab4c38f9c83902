"""A path names what it holds, and a name its path."""

import pytest
from gogooku import layout
from gogooku.errors import UserError


def test_a_raw_file_names_data_set_and_span():
    path = f"{layout.raw_folder('demo')}/bars/2020q1.parquet"
    assert (layout.dataset(path), layout.span(path)) == ("bars", "2020q1")


def test_raw_files_are_sorted_by_data_set_and_span():
    paths = ["x/topix/2020q1.parquet", "x/bars/2020q2.parquet", "x/bars/2020q1.parquet"]
    found = layout.by_dataset(paths)
    assert list(found) == ["bars", "topix"]
    assert [layout.span(path) for path in found["bars"]] == ["2020q1", "2020q2"]


@pytest.mark.parametrize(
    "path, stage",
    [
        (f"{layout.build_folder('demo')}/panel/2020q1.parquet", "panel"),
        (f"{layout.build_folder('demo')}/features/flow/2020q1.parquet", "features/flow"),
        (layout.predictions("demo", layout.Fit("ridge", 0, 3)), "predictions/ridge"),
        (f"{layout.run_folder('demo')}/folds/fold0.json", "folds"),
    ],
)
def test_a_file_of_a_build_or_run_names_its_stage(path, stage):
    assert layout.stage(path) == stage


def test_a_fit_is_named_by_its_path_and_back():
    fit = layout.Fit("ridge", 2, 11)
    assert layout.fit(layout.predictions("demo", fit)) == fit
    assert layout.fit("runs/demo/models/ridge/fold2/seed11/curve.jsonl") == fit


def test_a_path_of_no_fit_is_refused():
    with pytest.raises(UserError, match=r"seed0\.parquet is not <model>/fold<number>/seed<number>"):
        layout.fit("predictions/ridge/seed0.parquet")
