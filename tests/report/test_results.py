"""What the terminal says once a command has ended."""

from types import SimpleNamespace

import pytest
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
