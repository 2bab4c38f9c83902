"""The files that --configfile names, read once more for what is lost when they are loaded."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from gogooku.errors import UserError

OPTIONS = ("--configfile", "--configfiles")


def check(paths: Iterable[str | Path], arguments: Sequence[str]) -> None:
    """Refuse what would be lost without a word: a key written twice, the files of a first option.

    paths       the files as they are laid over each other
    arguments   of the command line

    Raises UserError naming file, line and key, or the option.
    """
    if sum(word.split("=")[0] in OPTIONS for word in arguments) > 1:
        raise UserError(
            "--configfile stands twice on the command line, and only the last one counts: name all "
            "files after one, as --configfile config/demo.yaml config/noise.yaml"
        )
    for path in paths:
        root = yaml.compose(Path(path).read_text(encoding="utf-8"))
        if root is not None:
            _require_each_once(root, path, "")


def _require_each_once(node: yaml.Node, path: str | Path, above: str) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = f"{above}{key.value}", key.start_mark.line + 1
        if name in lines:
            raise UserError(
                f"{path} has {name} in line {lines[name]} and in line {line}, and only the last "
                "one counts: delete one"
            )
        lines[name] = line
        _require_each_once(value, path, f"{name}.")
