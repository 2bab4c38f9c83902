"""A store and a build belong to what writes the same; folders of other origin are refused."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from gogooku import files
from gogooku.config import claims, settings
from gogooku.errors import UserError
from helpers.configs import default

FIRST = {"name": "first", "store": "market"}
BUILD = Path("builds/market")


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOGOOKU_HELD", "")  # so that what a run adds is undone


def claimed(**changes):
    return claims.of(settings.read(default(**{**FIRST, **changes})))


def ran(**changes):
    """The folders of a run that has built everything, as the next one finds them."""
    for claim in claimed(**changes):
        claims.sign(claim)
        files.write_text("", claim.folder / "panel" / "2020q1.parquet")


@pytest.mark.parametrize(
    "changes, folder, key",
    [
        ({"features": {"clip": 0.02}}, "builds/market", "features.clip 0.01"),
        ({"market": {"seed": 8}}, "data/raw/market", "market.seed 7"),
        ({"labels": {"horizons": [1, 5]}}, "builds/market", "labels.horizons [1, 5, 10, 20]"),
    ],
)
def test_two_runs_that_would_write_one_folder_differently_are_named_with_the_key(
    changes, folder, key
):
    ran()
    with pytest.raises(UserError) as error:
        claims.check(claimed(name="second", **changes))
    said = str(error.value)
    assert said.startswith(folder) and key in said
    assert "run first" in said and "run second" in said


def test_a_second_run_with_other_models_shares_store_and_build():
    ran()
    second = claimed(name="second", models=["ridge"], seeds=[4])
    claims.check(second)
    claims.sign(second[1])
    assert files.read_json(BUILD / claims.CLAIM)["name"] == "first"


def test_a_run_may_change_its_own_settings_and_others_notice():
    ran()
    changed = claimed(features={"clip": 0.02})
    claims.check(changed)
    claims.sign(changed[1])
    with pytest.raises(UserError, match=r"features\.clip 0\.02, but the run second has 0\.01"):
        claims.check(claimed(name="second"))


def test_checking_writes_nothing(tmp_path):
    claims.check(claimed())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("folder", ["runs/first", "builds/market"])
def test_a_folder_of_an_older_version_is_refused(folder):
    files.write_text("", Path(folder, "panel", "2020q1.parquet"))
    with pytest.raises(UserError, match=f"{folder} holds files of another version.*delete it"):
        claims.check(claimed())


def test_a_folder_with_logs_alone_and_raw_files_of_ones_own_are_fine():
    files.write_text("", "runs/first/logs/x.log")
    files.write_text("", "data/raw/market/bars/2020q1.parquet")
    claims.check(claimed())


@pytest.mark.parametrize("records", [None, "another"])
def test_a_folder_whose_records_are_not_here_is_refused(records):
    ran()
    claims.RECORDS.unlink()
    if records:
        files.write_json(records, claims.RECORDS)
    with pytest.raises(UserError, match="builds/market was made in another working directory"):
        claims.check(claimed())


def test_a_damaged_claim_is_named():
    ran()
    (BUILD / claims.CLAIM).write_text("{")
    with pytest.raises(UserError, match=r"builds/market/claim\.json cannot be read"):
        claims.check(claimed())


def test_a_run_signs_what_it_writes_to_and_not_what_it_reads():
    job = SimpleNamespace(output=["runs/first/folds/fold0.json"], input=[f"{BUILD}/dataset/x"])
    claims.take(claimed(), [job])
    signed = {str(path.parent) for path in Path().rglob(claims.CLAIM)}
    assert signed == {"runs/first"}
