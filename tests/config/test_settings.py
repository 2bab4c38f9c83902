"""A run's settings are refused in one sentence that says what to change."""

import datetime as dt
import functools
import re

import pytest
import yaml
from gogooku.config import settings
from gogooku.errors import UserError
from helpers.configs import CONFIG, default, merged

OVERLAYS = sorted(set(CONFIG.glob("*.yaml")) - {CONFIG / "availability.yaml"})


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_every_overlay_is_a_run(overlay):
    layers = [yaml.safe_load(overlay.read_text()), {"archive": "."}]
    assert settings.read(merged(default(), *layers)).all_spans


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_overlays_hold_differences_only(overlay):
    def leaves(node, path=()):
        if not isinstance(node, dict):
            yield path, node
            return
        for key, value in node.items():
            yield from leaves(value, (*path, key))

    base = dict(leaves(default()))
    layer = dict(leaves(yaml.safe_load(overlay.read_text())))
    same = [path for path, value in layer.items() if base.get(path) == value]
    if overlay.stem == "noise":  # it is laid over runs of any source
        same.remove(("source",))
    assert overlay.stem == "default" or not same


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"hoizons": [1]}, "hoizons is no setting"),
        ({"splits": {"trian": 3}}, "splits.trian is no setting"),
        ({"dates": {"end": "2016-01-01"}}, "before dates.start"),
        ({"splits": {"embargo": 5}}, "raise splits.embargo to at least 20"),
        ({"splits": {"train": 500}}, "hold no fold"),
        ({"source": "archive"}, "--config archive=FOLDER"),
        ({"source": "archive", "archive": "nowhere"}, "nowhere is no folder"),
        ({"source": "archive", "archive": "{there}"}, "braces, which Snakemake takes"),
        ({"dates": {"end": "2030-01-01"}}, "leave the simulated market"),
        ({"labels": {"horizons": [5, 1]}}, "must ascend"),
        (
            {"labels": {"horizons": [5, 10]}},
            "lacks 1, which breakdowns by the age of a forecast need",
        ),
        ({"labels": {"horizons": []}}, r"labels.horizons is \[\]: write a list of one or more"),
        ({"evaluation": {"quantiles": 1000}}, "at most 15"),
        (
            {"evaluation": {"cost": float("inf")}},
            "cost is Infinity: write a number at least 0 and at most 1000",
        ),
        ({"decision_time": 1110}, "decision_time is 1110: write a time of day in quotes, as"),
        ({"jquants": {"url": "http://api.example.com/v2"}}, "would show the key to the network"),
        ({"jquants": {"url": "api.example.com"}}, "is no address: write https://"),
        (
            {"seeds": [40000]},
            r"seeds\[0\] is 40000: write a whole number at least 0",
        ),
        ({"evaluation": 5}, "evaluation is 5: write its settings indented under it"),
        ({"spans": "month"}, "raise splits.valid to at least 3"),
        ({"features": {"families": ["technicl"]}}, "choose from"),
        ({"features": {"families": ["technical", "user"]}}, "names user, which is empty"),
        ({"features": {"pandas_ta": ["supertrnd"]}}, "did you mean supertrend"),
        ({"features": {"pandas_ta": ["RSI"]}}, "did you mean rsi"),
        ({"features": {"pandas_ta": ["cdl_2crows"]}}, "did you mean cdl_pattern"),
        ({"features": {"pandas_ta": ["rsi", "rsi"]}}, "names a study twice"),
        ({"features": {"user": "nowhere.py"}}, "nowhere.py is no .py file"),
        ({"graph": {"min_observations": 90}}, "graph.min_observations 90 exceeds"),
        ({"atft": {"hidden": 30}}, "no multiple of atft.heads"),
        ({"models": ["xgboost"]}, "models names xgboost, which does not exist: choose from"),
        ({"spans": "week"}, r"spans is \"week\": write one of month, quarter, year"),
        ({"store": "../elsewhere"}, "store is"),
        ({"name": ".."}, "name is"),
        ({"decision_time": "99:59"}, "decision_time is"),
        ({"decision_time": "14:00"}, "before the close"),
        ({"clock": "served", "decision_time": "15:45"}, "choose 16:30 or later"),
        ({"splits": {"embargo": 10}, "labels": {"horizons": [1]}}, "to at least 20"),
        ({"seeds": [-1]}, r"seeds\[0\] is -1"),
        ({"seeds": [0, 0]}, "names something twice"),
        ({"models": ["ridge", "ridge"]}, "names something twice"),
        ({"features": {"families": ["market", "market"]}}, "names one twice"),
        ({"features": {"families": ["market"]}}, "which reads the technical family"),
        ({"atft": {"window": 400}}, "atft looks back 400 sessions, further than"),
        ({"source": "jquants", "dates": {"end": "2099-01-01"}}, "has not passed in Japan"),
        ({"hoizons": [1]}, r"hoizons is no setting: did you mean labels.horizons\?"),
        ({"splits": {"trian": 3}}, r"did you mean splits.train\?"),
        ({"embargo": 20}, r"did you mean splits.embargo\?"),
        ({"qqq": 1}, "see config/default.yaml for the names"),
        ({"features": {7: 1}}, "7.? is no setting"),
        ({"spans": "quater"}, "did you mean quarter"),
        ({"features": {"method": "Rank"}}, "did you mean rank"),
        ({"dates": {"start": 20200106}}, "start is 20200106: did you mean 2020-01-06"),
        ({"dates": {"start": "20200106"}}, "did you mean 2020-01-06"),
        ({"dates": {"start": "2020-02-30"}}, "as 2020-01-31"),
        ({"dates": {"start": "0020-01-01"}}, "a day from 1990-01-01 to 2099-12-31"),
        ({"dates": {"start": dt.datetime(2020, 1, 6, 9)}}, "2020-01-06 09:00:00.*write a day"),
        ({"audit": {"day": 20200106}}, "did you mean 2020-01-06"),
        ({"atft": {"epochs": True}}, "atft.epochs is true: write a whole number"),
        ({"atft": {"epochs": 2.5}}, "atft.epochs is 2.5: write a whole number"),
        ({"atft": {"learning_rate": 50}}, "atft.learning_rate is 50: .* above 0 and at most 1"),
        ({"atft": {"learning_rate": "1e-3x"}}, "write a number above 0"),
        ({"atft": None}, "atft is null: write its settings indented under it"),
        ({"atft": []}, r"atft is \[\]: write its settings"),
        ({"evaluation": {"cost": 1e9}}, r"cost is 1000000000.0: .*\(of one side of a trade"),
        ({"evaluation": {"cost": [10]}}, r"cost is \[10\]: write a number"),
        ({"jquants": {"timeout": 1e12}}, "timeout is .*at most 3600"),
        ({"jquants": {"bulk": "perhaps"}}, 'bulk is "perhaps": write true or false'),
        ({"jquants": {"bulk": 1}}, "bulk is 1: write true or false"),
        ({"seeds": 0}, "seeds is 0: write a list of one or more in brackets"),
        ({"seeds": [True]}, r"seeds is \[true\]"),
        ({"name": "x" * 300}, 'name is "xxx.{50,60}…: write up to 100 letters'),
        ({"name": "-n"}, "no dot or dash first"),
        ({"name": ".hidden"}, "no dot or dash first"),
        ({"store": "a/b"}, "store is .*write up to 100 letters"),
        ({"name": "a\nb"}, "name is"),
        ({"name": "demo\n"}, "name is"),
        ({"name": 2024}, "name is 2024"),
        ({"name": True}, "name is true"),
    ],
)
def test_a_bad_setting_is_refused_in_a_sentence_that_names_it(changes, sentence):
    with pytest.raises(UserError, match=sentence) as refusal:
        settings.read(default(**changes))
    assert "Traceback" not in str(refusal.value) and "pydantic" not in str(refusal.value)


WRONG = [
    *[None, True, "", "x", "x" * 3000, -1, 0.5, 1e300, float("nan"), 10**400, "\0", b"x"],
    *[[], [[]], ["x"], [None], [-1], [0.5], {}, {"x": 1}, 20200106, dt.date(1, 1, 1)],
]


def places(section, path=()):
    for name, field in section.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            yield from places(field.annotation, (*path, name))
        yield (*path, name)


@pytest.mark.parametrize("place", [*places(settings.with_sections([]))], ids=".".join)
def test_whatever_a_setting_is_its_refusal_says_what_to_write(place):
    for value in WRONG:
        change = functools.reduce(lambda inner, name: {name: inner}, reversed(place), value)
        try:
            settings.read(default(**change))
        except UserError as refusal:
            assert ".".join(place) in str(refusal)
            for sentence in str(refusal).splitlines():
                assert re.fullmatch(r"config: .+(: | did you mean ).+", sentence)
                assert len(sentence) < 500 and "should" not in sentence  # pydantic's word


@pytest.mark.parametrize(
    "text, value",
    [("false", False), ("no", False), ("Off", False), ("true", True), ("yes", True)],
)
def test_true_and_false_may_come_as_text(text, value):
    assert settings.read(default(jquants={"bulk": text})).jquants.bulk is value


def test_numbers_and_days_may_come_as_text():
    made = settings.read(default(seeds=["0", "3"], dates={"start": "2019-01-04"}))
    assert (made.seeds, made.dates.start) == ([0, 3], dt.date(2019, 1, 4))


@pytest.mark.parametrize(
    "text, told",
    [("def columns(", "is no Python"), ("def column(panel): ...", "lacks columns(panel)")],
)
def test_a_module_of_the_user_must_hold_what_is_asked(tmp_path, text, told):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(UserError, match=re.escape(told)):
        settings.read(default(features={"user": str(tmp_path / "mine.py")}))


def test_columns_of_the_user_bring_their_family(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("def columns(panel): ...")
    read = settings.read(default(features={"user": "mine.py"})).features
    assert read.families[-1] == "user" and read.user == str(tmp_path / "mine.py")
    assert settings.read(default(features={"pandas_ta": ["rsi"]})).features.families[-1] == "user"
    assert "user" not in settings.read(default()).features.families


OWN = """
from gogooku.section import Section

class Settings(Section):
    depth: int = 3

def fit(inputs, train, valid, job): ...
def predict(model, inputs, test, job): ...
def save(model, path): ...
def load(path): ...
"""


def test_a_users_model_brings_its_section(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(OWN)
    read = settings.read(default(models=["ridge", "mine.py"]))
    assert read.models == ["ridge", str(tmp_path / "mine.py")] and read.mine.depth == 3
    assert settings.read(default(models=["mine.py"], mine={"depth": 5})).mine.depth == 5


@pytest.mark.parametrize(
    "name, text, changes, sentence",
    [
        ("mine.py", OWN, {"mine": {"breadth": 1}}, "mine.breadth is no setting"),
        ("mine.py", OWN, {"mine": {"depth": 2.5}}, "mine.depth is 2.5: write a whole number"),
        ("mine.py", OWN.replace("int = 3", "int"), {}, "mine.depth is missing"),
        ("mine.py", OWN.replace("Settings", "Other"), {"mine": {"depth": 1}}, "mine is no setting"),
        ("graph.py", OWN, {}, "graph is a setting: rename the file"),
        ("ridge.py", OWN, {}, "ridge is a model of gogooku"),
    ],
)
def test_a_users_model_that_does_not_fit_is_refused(tmp_path, name, text, changes, sentence):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=sentence):
        settings.read(default(models=[str(tmp_path / name)], **changes))
