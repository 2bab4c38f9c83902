"""A damaged file ends its reader with one sentence that names the file and what to do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("checkout")]

DAMAGE = Path(__file__).parents[1] / "helpers" / "damage.py"


UNREAD = ("predict reversal 0 0", "predict blend 0 0")
"""Stages that ask the scaler for nothing, whatever keys it has."""


def test_each_stage_names_the_file_that_is_damaged(checkout):
    command = [sys.executable, str(DAMAGE), "config/smoke.yaml"]
    done = subprocess.run(command, cwd=checkout.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert len(told) > 100 and {stage.split()[0] for stage, *_ in told} >= {"panel", "report"}
    told = [row for row in told if not (row[0] in UNREAD and row[2] == "other keys")]
    wrong = [
        row
        for row in told
        if row[3] != "UserError" or Path(row[1]).name not in row[4] or "\n" in row[4]
    ]
    assert wrong == []
