"""The rules of when rows are known are checked before anything runs."""

from pathlib import Path

import pytest
from gogooku.config import availability
from gogooku.errors import UserError
from gogooku.point_in_time import Rule

FILE = Path(__file__).parents[2] / "config" / "availability.yaml"


def test_the_file_as_it_stands_is_right():
    assert availability.read(FILE).datasets["bars"].published == [Rule("Date", at="close")]


@pytest.mark.parametrize(
    "old, new, told",
    [
        ("decision:", "decison:", "decison"),
        ('served: "19:00"', 'served: "7 pm"', "decision.served"),
        ("  topix: ", "  topx: ", "topix needs one rule|topx needs one rule"),
        ('{column: Date, at: "18:00"}', "{column: Date}", "either `at` or `batches`"),
        (', missing: "23:59:59"', "", "`missing` goes with"),
        ("week_session: 2", "week_sesion: 2", "week_sesion"),
    ],
)
def test_a_slip_is_named_with_its_place(tmp_path, old, new, told):
    text = FILE.read_text()
    assert old in text
    path = tmp_path / "availability.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=told) as refusal:
        availability.read(path)
    assert str(path) in str(refusal.value)
