"""What models listen to, over folds and seeds."""

import numpy as np
from gogooku.models import ridge
from gogooku.report import importance

SILENT = """
def fit(inputs, train, valid, job): ...
def predict(model, inputs, test, job): ...
def save(model, path): ...
def load(path): ...
"""


def test_shares_are_means_of_fits_and_models_that_do_not_say_are_left_out(tmp_path):
    (tmp_path / "silent.py").write_text(SILENT)
    entries, paths = {"ridge": "ridge", "silent": str(tmp_path / "silent.py")}, []
    for fold, coefficients in enumerate([[3, -1], [1, 1]]):
        for model in entries:
            path = tmp_path / f"models/{model}/fold{fold}/seed0/model"
            path.parent.mkdir(parents=True)
            fitted = ridge.Ridge(["a", "b"], [1], np.array(coefficients, float)[:, None])
            ridge.save(fitted, str(path))
            paths.append(str(path))
    shares = importance.of(entries, paths)
    assert shares == {"importance": {"ridge": {"a": 0.625, "b": 0.375}}}


def test_the_table_has_the_largest_columns_of_each_model_first():
    many = {f"c{number:02d}": number / 435 for number in range(30)}
    table = importance.table({"ridge": many, "atft": {"x": 0.75, "y": 0.25}})
    ((_, rows),) = table.groups
    assert table.head == ["<Place", "<ridge", "<atft"] and len(rows) == 20
    assert [(cell.text, cell.note) for cell in rows[0]] == [
        ("1", ""),
        ("c29", "6.7%"),
        ("x", "75.0%"),
    ]
    assert rows[2][2].text == "–"
    assert importance.table({}) is None
