"""A run's settings are refused in one sentence that says what to change."""

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
        ({"labels": {"horizons": [5, 10]}}, "lacks 1, by which portfolios are valued"),
        ({"labels": {"horizons": []}}, "labels.horizons is empty"),
        ({"evaluation": {"quantiles": 1000}}, "at most 15"),
        ({"evaluation": {"cost": float("inf")}}, "evaluation.cost is inf"),
        ({"decision_time": 1110}, "write it in quotes"),
        ({"jquants": {"url": "http://api.example.com/v2"}}, "would show the key to the network"),
        ({"jquants": {"url": "api.example.com"}}, "is no address: write https://"),
        ({"seeds": [40000]}, "seeds.0 is 40000"),
        ({"evaluation": 5}, "it is a section of config/default.yaml"),
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
        ({"models": ["xgboost"]}, "models.0 is 'xgboost'"),
        ({"spans": "week"}, "spans is 'week'"),
        ({"store": "../elsewhere"}, "store is"),
        ({"name": ".."}, "name is"),
        ({"decision_time": "99:59"}, "decision_time is"),
        ({"decision_time": "14:00"}, "before the close"),
        ({"clock": "served", "decision_time": "15:45"}, "choose 16:30 or later"),
        ({"splits": {"embargo": 10}, "labels": {"horizons": [1]}}, "to at least 20"),
        ({"seeds": [-1]}, "seeds.0 is -1"),
        ({"seeds": [0, 0]}, "names something twice"),
        ({"models": ["ridge", "ridge"]}, "names something twice"),
        ({"features": {"families": ["market", "market"]}}, "names one twice"),
        ({"features": {"families": ["market"]}}, "reversal, which reads the technical family"),
        ({"atft": {"window": 400}}, "looks back further than the validation spans"),
        ({"source": "jquants", "dates": {"end": "2999-01-01"}}, "has not passed in Japan"),
    ],
)
def test_a_bad_setting_is_refused_in_a_sentence_that_names_it(changes, sentence):
    with pytest.raises(UserError, match=sentence) as refusal:
        settings.read(default(**changes))
    assert "Traceback" not in str(refusal.value) and "pydantic" not in str(refusal.value)


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
