"""The head of the page says what is too good to be true, what is certified and what was tried."""

import json
from pathlib import Path

import polars as pl
import pytest
from gogooku import files
from gogooku.config import settings
from gogooku.evaluation import certificate, evaluate, ledger
from gogooku.report import assurance, page
from helpers import configs, judged, markup

LABELS, TRUTH = judged.market()
CODE = "c0dec0dec0de"


def setting(**changes):
    return settings.read(configs.default(name="trial")).model_copy(update=changes)


SIMULATED, REAL = setting(), setting(source="jquants")


def judge(predictions, labels=LABELS, truth=TRUTH):
    surroundings = judged.surroundings(LABELS)
    return evaluate.evaluate(
        {0: predictions}, labels, truth, surroundings, [1, 5], judged.rules(confidence=0.95)
    )


def tomorrows_return(noise):
    """Predictions by a column that holds the return that the next day brings."""
    column = LABELS.pivot("horizon", index=["date", "code"], values="label")
    rows = judged.forecast(TRUTH, noise=noise).drop("prediction_1d")
    return rows.join(column.select("date", "code", prediction_1d="1"), on=["date", "code"])


HONEST = judged.forecast(TRUTH, noise=1.0)
WEAK = judged.forecast(TRUTH, noise=12.0)
LEAK = tomorrows_return(noise=12.0)


def test_honest_models_raise_no_alarm_on_a_simulated_market():
    best = judge(judged.forecast(TRUTH))  # the true expected returns themselves
    assert assurance.alarms({"best": best, "ridge": judge(HONEST)}, SIMULATED) == []


def test_a_column_of_tomorrows_return_raises_the_alarm():
    (alarm,) = assurance.alarms({"ridge": judge(HONEST), "lightgbm": judge(LEAK)}, SIMULATED)
    assert alarm.startswith("lightgbm has RankIC 1.000 at 1 session, above the 0.")
    assert "that the true expected returns reach, by more than its interval" in alarm
    (alarm, *_) = assurance.alarms({"ridge": judge(LEAK, truth=None)}, REAL)
    assert alarm == (
        "ridge has RankIC 1.000 at 1 session, above 0.06, the most that is plausible on real stocks"
    )


def test_a_label_shifted_by_a_day_raises_the_alarm():
    days = LABELS["date"].unique().sort()
    later = pl.DataFrame({"date": days[:-1], "later": days[1:]})
    shifted = LABELS.join(later, on="date").with_columns(date="later").drop("later")
    # A model learns from what a shifted label lets it know: the return that it just saw.
    seen = tomorrows_return(noise=12.0).join(later, on="date").with_columns(date="later")
    seen = seen.drop("later").sort("date", "code")
    first = days[1]
    for source, truth in ((SIMULATED, TRUTH.filter(pl.col("date") >= first)), (REAL, None)):
        alarms = assurance.alarms({"ridge": judge(seen, shifted, truth)}, source)
        assert alarms[0].startswith("ridge has RankIC 1.000 at 1 session")


def test_a_plausible_rank_ic_raises_no_alarm_on_real_stocks():
    daily, summary = judge(WEAK, truth=None)
    found = summary["horizons"]["5"]["-1"]["rank_ic"]
    for mean, low, alarms in ((0.079, 0.01, 0), (0.081, 0.01, 1), (0.081, -0.01, 0)):
        found |= {"mean": mean, "low": low}
        summary["horizons"]["1"]["-1"]["rank_ic"] |= {"mean": 0.05}
        assert len(assurance.alarms({"ridge": (daily, summary)}, REAL)) == alarms


def test_a_market_without_anything_planted_has_the_bounds_of_real_stocks():
    nothing = {name: 0.0 for name in SIMULATED.market.parts.model_dump()}
    parts = SIMULATED.market.parts.model_copy(update=nothing)
    noise = setting(market=SIMULATED.market.model_copy(update={"parts": parts}))
    evaluations = {"ridge": judge(LEAK, truth=None)}
    assert assurance.alarms(evaluations, noise) and not assurance.alarms(evaluations, SIMULATED)


# ---- certificates --------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_parquet(pl.DataFrame({"row": [1]}), "raw")
    return tmp_path


def issue(run, audit, code=CODE, raw=("raw",), when="2026-12-01"):
    paper = certificate.issue(code, raw) | {"when": f"{when}T00:00:00+00:00"}
    files.write_json({"certificate": paper}, f"runs/{run}/audit/{audit}.json")


def certificates():
    return assurance.certificates("trial", CODE, ["raw"])


def test_without_a_certificate_the_page_says_how_to_get_it(folder):
    leaks, noise = certificates()
    assert not leaks.holds and not noise.holds
    assert leaks.text.startswith("audit_leaks has not passed yet: run snakemake audit_leaks with")
    assert "audit_noise" in noise.text and leaks.text.endswith("(--forcerun report).")


def test_a_certificate_of_this_code_and_these_data_holds(folder):
    issue("trial", "leaks")
    issue("noise", "noise", raw=[])
    leaks, noise = certificates()
    assert leaks.holds and noise.holds
    assert leaks.text.startswith("audit_leaks passed on this code and these data on 2026-12-01:")
    assert noise.text.startswith("audit_noise passed on this code on 2026-12-01:")


def test_a_certificate_of_other_code_or_data_holds_nothing(folder):
    issue("trial", "leaks", code="another")
    assert "on 2026-12-01, but on other code or settings: run" in certificates()[0].text
    issue("trial", "leaks")
    files.write_parquet(pl.DataFrame({"row": [2]}), "raw")
    leaks = certificates()[0]
    assert not leaks.holds and "but on other data: run" in leaks.text
    issue("other", "noise", code="another")
    assert not certificates()[1].holds


def test_of_several_noise_certificates_the_newest_of_this_code_counts(folder):
    issue("one", "noise", when="2026-11-01")
    issue("two", "noise", code="another", when="2026-12-01")
    assert certificates()[1].holds and "2026-11-01" in certificates()[1].text


@pytest.mark.parametrize("content", ["[]", "{}", "{", '{"certificate": {"code": "a"}}'])
def test_a_file_of_another_form_is_no_certificate(folder, content):
    path = Path("runs/trial/audit/leaks.json")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert certificates()[0].text.startswith("audit_leaks has not passed yet")


def test_a_certificate_is_of_the_build_and_of_no_other_settings():
    codes = [["b"], ["a", "model.py"]]
    mine, other, served = (
        each.model_dump(mode="json")
        for each in (SIMULATED, setting(name="other", seeds=[7]), setting(clock="served"))
    )
    subject = certificate.subject(codes, mine)
    assert subject == certificate.subject(reversed(codes), other)
    assert subject != certificate.subject(codes, served)
    assert subject != certificate.subject([["a"]], mine)


# ---- trials and the sealed period ----------------------------------------------------------------


def test_the_page_counts_trials_openings_and_names_corrupt_lines():
    counted = ledger.Trials(["a", "b"], {"atft": 2, "ridge": 1}, 4, {}, 2, ["x, line 3 is torn"])
    texts = assurance.trials(counted)
    assert texts[0].startswith(
        "3 different fits (atft 2, ridge 1) and 4 different configurations, a model's each, were "
        "evaluated in 2 runs of this folder on this market (runs/ledger.jsonl)."
    )
    assert texts[1:] == [
        "A sealed period was opened 2 times: its days are no longer unseen.",
        "x, line 3 is torn.",
    ]
    (nothing,) = assurance.trials(ledger.Trials([], {}, 0, {}, 0, []))
    assert "not known" in nothing


def test_a_sealed_period_is_named():
    first = json.loads('"2022-01-01"')
    sealed = setting(evaluation=SIMULATED.evaluation.model_copy(update={"sealed": first}))
    assert assurance.sealed(SIMULATED) == ""
    assert "from 2022-01-01 on are sealed" in assurance.sealed(sealed)
    opened = sealed.model_copy(update={"open_sealed": True})
    assert "are opened here" in assurance.sealed(opened)


@pytest.mark.parametrize("predictions, red", [(HONEST, False), (LEAK, True)])
def test_the_head_is_red_when_something_is_too_good_to_be_true(folder, predictions, red):
    said = assurance.of({"ridge": judge(predictions)}, SIMULATED, CODE, ["raw"])
    template = Path(assurance.__file__).with_name("assurance.html")
    text = page.fill(template, facts=said)
    assert ('class="note stop alarm" role="alert"' in text) == red
    assert ("Believe no number of this page before snakemake audit_leaks" in text) == red
    assert text.count("Not certified") == 2 and "not known" in text
    reader = markup.read(text)
    assert reader.faults == [] and reader.open == []
