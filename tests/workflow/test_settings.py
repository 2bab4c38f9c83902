"""What runs is what was checked: a job gets the settings as they were validated."""

import pytest
from helpers.checkout import Checkout, copy_of_the_workflow
from helpers.tiny_market import KEY, LAST, tables
from simulated_exchange.server.exchange import Exchange

CALENDAR = "data/raw/own/calendar/2024q4.parquet"
OWN = """
name: own
store: own
source: jquants
dates: {start: 2019-01-04, end: 2024-10-08}
"""


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """Ask a copy of the workflow for a calendar, with settings of the API as --config has them."""
    monkeypatch.setenv("JQUANTS_API_KEY", KEY)
    (tmp_path / "checkout").mkdir()
    checkout = Checkout(copy_of_the_workflow(tmp_path / "checkout"))
    (checkout.root / "config" / "own.yaml").write_text(OWN)
    with Exchange(tables(), key=KEY, today=LAST, plan="premium") as exchange:

        def run(settings, *words, target=CALENDAR, url=exchange.url, check=True):
            api = f"jquants={{url: '{url}', ledger: {tmp_path}, {settings}}}"
            told = ["--config", api, "--configfile", "config/own.yaml"]
            done = checkout.snakemake(target, *words, *told, check=check)
            return done.stdout + done.stderr

        run.exchange = exchange
        yield run


def test_settings_of_the_api_given_as_text_are_what_a_job_gets_and_redo_nothing(fetched):
    said = fetched("plan: premium, bulk: false, attempts: 1, timeout: 20")
    assert "Traceback" not in said
    assert not any("bulk" in str(request) for request in fetched.exchange.requests)
    assert "nothing to be done" in fetched(
        "plan: premium, bulk: true, attempts: 7, timeout: 9, share: 0.5", "--dry-run"
    ).lower()  # fmt: skip
    assert "nothing to be done" not in fetched("plan: light, attempts: 1", "--dry-run").lower()


def test_a_command_fails_in_a_sentence_with_one_attempt_too(fetched):
    nobody = "http://127.0.0.1:1"
    said = fetched("attempts: 1, timeout: 5", target="check", url=nobody, check=False)
    assert "Traceback" not in said and nobody in said
