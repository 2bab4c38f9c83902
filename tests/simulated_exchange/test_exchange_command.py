"""The exchange alone, for any client."""

import contextlib
import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.asking import fetch
from helpers.tiny_market import tables
from simulated_exchange.server import command as exchange_command

LIB = Path(__file__).parents[2] / "lib"


@contextlib.contextmanager
def command(*arguments):
    """The command in a process of its own, its URL and its first words."""
    words = [sys.executable, "-m", "simulated_exchange", "--port", "0", *map(str, arguments)]
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": str(LIB)},
    ) as process:
        try:
            said = ""
            while "interrupt" not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            yield process, re.search(r"http://\S+?/v2", said)[0], said
        finally:
            process.kill()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_folder_is_served_until_the_command_is_interrupted(tmp_path, sign):
    for name, table in tables().items():
        table.write_parquet(tmp_path / f"{name}.parquet")
    options = ["--folder", tmp_path, "--plan", "light", "--key", "mine", "--speed", 0]
    with command(*options, "--clock", "2024-10-01T12:00", "--page-rows", 2) as (process, url, said):
        assert "x-api-key: mine" in said and "plan light" in said and "2024-10-01 12:00" in said
        status, _, body = fetch(f"{url}/equities/bars/daily?code=130A", {"x-api-key": "mine"})
        found = json.loads(body)
        assert status == 200 and len(found["data"]) == 2 and found["pagination_key"]
        assert fetch(f"{url}/markets/breakdown?code=130A", {"x-api-key": "mine"})[0] == 403
        process.send_signal(sign)
        assert process.wait(timeout=60) == 0
        assert process.stdout.read() == "closed\n"


def test_a_market_is_simulated_where_no_folder_is_named():
    ends = ["--start", "2024-01-04", "--end", "2024-06-28"]
    with command("--stocks", 20, *ends, "--fault", "500=1", "--limited") as (_, url, _):
        headers = {"x-api-key": exchange_command.KEY}
        assert fetch(f"{url}/markets/calendar", headers)[0] == 500


def test_the_clock_starts_after_the_last_day_and_runs():
    asked = exchange_command.parser().parse_args(["--end", "2024-10-08", "--speed", "3600"])
    settings = exchange_command._settings(asked)
    assert settings["now"]().date() == dt.date(2024, 10, 9)
    assert settings["plan"] == "premium"


def test_a_wrong_fault_is_told_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit, match="no fault 'never'"):
        exchange_command.run(["--folder", str(tmp_path), "--fault", "never=0.1"])
