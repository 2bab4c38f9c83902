"""Every model keeps the laws that the workflow asks of it, and the check sees who does not."""

import re
import subprocess
import sys

import check_model
import pytest
from gogooku.errors import UserError
from gogooku.models import catalogue
from helpers.configs import CONFIG

ROOT = CONFIG.parent
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))

SOUND = """
import json
import numpy as np

def fit(inputs, train, valid, job):
    return {"columns": inputs.columns, "weight": float(np.nanmean(inputs.labels[train]))}

def predict(model, inputs, test, job):
    inputs.require_columns(model["columns"])
    return np.repeat(model["weight"] * inputs.x[test][..., :1], 2, axis=-1)

def save(model, path):
    open(path, "w").write(json.dumps(model))

def load(path):
    return json.load(open(path))
"""


@pytest.mark.parametrize("entry", [*catalogue.MODELS, *map(str, EXAMPLES)])
def test_our_models_and_examples_keep_every_law(entry):
    verdicts = check_model.check(entry, str(CONFIG / "smoke.yaml"))
    assert set(verdicts.values()) == {None}
    assert len(verdicts) == (8 if catalogue.find(entry).needs.learns else 4)


def test_the_check_is_one_command_with_a_line_a_law(tmp_path):
    (tmp_path / "mine.py").write_text("import statsmodels.api\n" + SOUND)
    command = [sys.executable, ROOT / "tools" / "check_model.py", tmp_path / "mine.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and len(lines) == 8
    assert re.match(
        r"failed  is read without its libraries: its head imports .*statsmodels", lines[0]
    )
    assert all(line.startswith("ok ") for line in lines[1:])


@pytest.mark.parametrize(
    "sound, broken, fault",
    [
        ("nanmean", "mean", "no finite score"),
        ("[..., :1], 2", "[:, :3, :1], 2", "scores of shape"),
        ("[..., :1], 2", "[..., :1] - inputs.x[test][..., :1].mean(0), 2", "the other days"),
        ("inputs.x[test]", "inputs.x[np.minimum(test + 1, 69)]", "days after the one"),
        ("labels[train]", "labels", "days at `train`"),
        ("inputs.require_columns", "print", "takes any columns"),
        ('"w").write(json.dumps', '"wb").write(__import__("pickle").dumps', "writes a pickle"),
        ('"weight": float', '"weight": 1 / 0 * float', "line 6 raises ZeroDivisionError"),
        ("json.load(open(path))", 'json.load(open(path)) | {"weight": 2.0}', "the saved"),
    ],
)  # fmt: skip
def test_a_broken_law_is_named_with_its_remedy(tmp_path, sound, broken, fault):
    assert sound in SOUND
    (tmp_path / "mine.py").write_text(SOUND.replace(sound, broken))
    faults = [text for text in check_model.check(str(tmp_path / "mine.py")).values() if text]
    assert any(fault in text for text in faults), faults


def test_a_pickle_within_another_format_is_seen(tmp_path):
    text = SOUND.replace("open(path, \"w\").write(json.dumps(model))", """
    from fractions import Fraction
    with open(path, "wb") as file:
        np.savez(file, all=np.array([model, Fraction(1)], dtype=object))
""").replace("json.load(open(path))", 'np.load(path, allow_pickle=True)["all"][0]')  # fmt: skip
    (tmp_path / "mine.py").write_text(text)
    faults = [text for text in check_model.check(str(tmp_path / "mine.py")).values() if text]
    assert len(faults) == 1 and "load unpickles" in faults[0]


@pytest.mark.parametrize(
    "name, text, sentence",
    [
        ("ridge.py", SOUND, "ridge is a model of gogooku: rename the file"),
        ("My-Model.py", SOUND, "name the file by small letters"),
        ("mine.py", SOUND.replace("def load", "def read"), "lacks load"),
        ("mine.py", "import nothing_of_the_kind", "line 1 .ModuleNotFoundError"),
        ("mine.py", "def fit(:", "line 1 .SyntaxError"),
        ("mine.py", SOUND + "NEEDS = 3", "NEEDS is no gogooku.models.contract.Needs"),
        ("mine.py", SOUND + "class Settings: pass", "Settings is no gogooku.section.Section"),
    ],
)
def test_an_unfit_module_is_refused_in_a_sentence(tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=sentence):
        catalogue.find(str(tmp_path / name))


def test_a_path_that_is_no_file_is_refused():
    with pytest.raises(UserError, match="nowhere.py, which is no file"):
        catalogue.find("nowhere.py")
