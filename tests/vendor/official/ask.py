"""Runs in an environment of its own: asks a server by the vendor's official client.

    python official_client.py URL FOLDER < questions.json

questions.json   [{"name": …, "method": get_…, "arguments": {…}}, …]; the key is in JQUANTS_API_KEY
FOLDER           gets <name>.json: the rows of the answer, dates as texts, missing values as null
"""

import json
import sys
from pathlib import Path

import jquantsapi
import pandas as pd


def plain(value):
    """Give a cell the form that JSON has for it."""
    if isinstance(value, dict | list):
        return value
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        moment = value.isoformat()
        return moment.removesuffix("T00:00:00")
    return value.item() if hasattr(value, "item") else value


def rows_of(frame):
    return [{name: plain(cell) for name, cell in row.items()} for row in frame.to_dict("records")]


def main(url, folder):
    client = jquantsapi.ClientV2()
    client.JQUANTS_API_BASE = url
    for question in json.load(sys.stdin):
        answer = getattr(client, question["method"])(**question["arguments"])
        frame = answer[0] if isinstance(answer, tuple) else answer
        told = rows_of(frame) if isinstance(frame, pd.DataFrame) else frame
        Path(folder, question["name"] + ".json").write_text(
            json.dumps(told, ensure_ascii=False), encoding="utf-8"
        )


main(*sys.argv[1:])
