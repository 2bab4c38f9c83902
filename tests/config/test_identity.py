"""Two configurations may share a store or a build if every file of both would be the same."""

import itertools
import json

import pytest
from gogooku.config import identity, settings
from helpers.configs import default

SHORT = {"splits": {"train": 2, "valid": 1, "test": 1}}
ARCHIVE = {"source": "archive", "archive": "."}


def store(**changes):
    return identity.store_identity(settings.read(default(**changes)))


def build(**changes):
    return identity.build_identity(settings.read(default(**changes)))


@pytest.mark.parametrize(
    "changes, key",
    [
        ({"market": {"seed": 8}}, "market.seed"),
        ({"market": {"parts": {"drift": 0}}}, "market.parts.drift"),
        ({"source": "jquants"}, "source"),
        (ARCHIVE, "source"),
        ({"dates": {"start": "2019-02-01"}}, "dates.start"),
        ({"dates": {"start": "2019-04-01"}}, None),  # its first span is whole in both
        ({**SHORT, "dates": {"start": "2018-02-01"}, "spans": "year"}, None),  # no name in common
        ({"dates": {"end": "2022-12-31"}}, None),
        ({"features": {"families": ["technical"]}}, None),
        ({"source": "stored"}, None),
        ({"name": "other", "seeds": [5], "labels": {"horizons": [1]}}, None),
    ],
)
def test_a_store_is_shared_unless_a_file_of_both_would_differ(changes, key):
    for one, other in itertools.permutations([store(), store(**changes)]):
        found = identity.store_difference(one, other)
        assert (found and found[0]) == key


@pytest.mark.parametrize(
    "source, changes, key",
    [
        ({"source": "jquants"}, {"jquants": {"plan": "light"}}, "jquants.plan"),
        ({"source": "jquants"}, {"jquants": {"url": "https://example.com"}}, "jquants.url"),
        ({"source": "jquants"}, {"jquants": {"timeout": 5, "attempts": 1, "bulk": True}}, None),
        ({"source": "jquants"}, {"market": {"seed": 8}}, None),
        (ARCHIVE, {"archive": ".."}, "archive"),
        (ARCHIVE, {"archive_factor": "day_before"}, "archive_factor"),
        (ARCHIVE, {"jquants": {"plan": "light"}}, None),
    ],
)
def test_only_the_settings_of_its_source_decide_a_store(source, changes, key):
    found = identity.store_difference(store(**source), store(**source | changes))
    assert (found and found[0]) == key


@pytest.mark.parametrize(
    "changes, key",
    [
        ({"store": "other"}, "store"),
        ({"dates": {"start": "2019-04-01"}}, "dates.start"),  # an earlier span is looked back on
        ({**SHORT, "spans": "year"}, "spans"),
        ({"clock": "served"}, "clock"),
        ({"decision_time": "17:00"}, "decision_time"),
        ({"quality": {"limit_tolerance": 0.02}}, "quality.limit_tolerance"),
        ({"universe": {"min_price": 1}}, "universe.min_price"),
        ({"features": {"clip": 0}}, "features.clip"),
        ({"labels": {"entry": "next_open"}}, "labels.entry"),
        ({"graph": {"window": 61}}, "graph.window"),
        ({"dates": {"end": "2022-12-31"}}, None),
        ({"name": "other", "models": ["ridge"], "seeds": [3], "atft": {"hidden": 64}}, None),
        ({"splits": {"train": 9}, "evaluation": {"cost": 0}}, None),
    ],
)
def test_a_build_depends_on_the_data_and_on_no_model(changes, key):
    found = identity.build_difference(build(), build(**changes))
    assert (found and found[0]) == key


def test_a_difference_tells_both_values_and_an_identity_survives_json():
    before = json.loads(json.dumps(build()))
    assert before == build()
    assert identity.build_difference(before, build(clock="served")) == (
        "clock", "published", "served",
    )  # fmt: skip
