"""What the terminal says once a command has ended."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from gogooku import files
from gogooku.report import results


@pytest.mark.parametrize(
    "rules, line",
    [
        (["train", "report"], ""),
        (["audit_day", "audit_leaks"], "audit_leaks passed. A report says so once"),
        (["audit_noise", "audit_leaks"], "audit_leaks and audit_noise passed. A report"),
    ],
)
def test_an_audit_says_how_the_report_takes_it_up(rules, line):
    jobs = [SimpleNamespace(rule=SimpleNamespace(name=name)) for name in rules]
    text = results.after_audit(jobs)
    assert text.startswith(line) and bool(text) == bool(line)


def test_the_verdict_stands_below_the_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    estimate = {"mean": 0.02, "low": 0.01, "high": 0.03}
    books = {"net": {"sharpe": estimate}}
    summary = {"horizons": {"1": {"-1": {"rank_ic": estimate, "long_short": books}}}}
    files.write_json(summary, tmp_path / "runs/demo/evaluation/ridge.json")
    text = results.of_run(Path("runs/demo"))
    assert text.splitlines()[-1].startswith("ridge") and "+0.020 [+0.010, +0.030]" in text
    said = ["No model shows skill.", "Nothing survives costs: every long–short book loses. " * 3]
    files.write_json({"verdict": said}, tmp_path / "runs/demo/report/run.json")
    lines = results.of_run(Path("runs/demo")).splitlines()
    assert "No model shows skill." in lines and lines[-1].startswith("  ")
