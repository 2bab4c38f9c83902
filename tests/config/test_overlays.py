"""What a configuration would lose without a word is refused."""

import pytest
from gogooku.config import overlays
from gogooku.errors import UserError
from helpers.configs import CONFIG


def test_the_configurations_as_they_stand_lose_nothing():
    overlays.check(CONFIG.glob("*.yaml"), ["--configfile", "a.yaml", "b.yaml"])


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("name: a\nseeds: [0]\nname: b\n", "has name in line 1 and in line 3"),
        ("atft: {epochs: 1, epochs: 2}", "has atft.epochs in line 1 and in line 1"),
        ('{"atft": {"epochs": 1},\n "atft": {}}', "has atft in line 1 and in line 2"),
    ],
)
def test_a_key_that_stands_twice_is_named_with_its_lines(tmp_path, text, sentence):
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(UserError, match=f"own.yaml {sentence}"):
        overlays.check([tmp_path / "own.yaml"], [])


@pytest.mark.parametrize("text", ["", "# nothing\n", "name: a\natft: {window: 4}\nridge: {}\n"])
def test_what_stands_once_passes(tmp_path, text):
    (tmp_path / "own.yaml").write_text(text)
    overlays.check([tmp_path / "own.yaml"], [])


@pytest.mark.parametrize("second", ["--configfile", "--configfiles=b.yaml"])
def test_a_second_option_whose_files_would_replace_the_first_ones_is_refused(second):
    with pytest.raises(UserError, match="name all files after one"):
        overlays.check([], ["--configfile", "a.yaml", second, "b.yaml"])
