"""The models that the workflow has: light facts that the rules need, apart from the code that fits.

Nothing here imports a model's library: every job reads this anew.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from gogooku.errors import UserError
from gogooku.models import modules
from gogooku.models.contract import Needs
from gogooku.section import Section

MODELS: dict[str, Needs] = {
    "atft": Needs(
        graphs=True,
        seeds=True,
        gpu=1,
        window=lambda settings: settings.window,
        memory=lambda rows, columns, attempt: attempt * (4000 + 10e-6 * rows * columns),
        minutes=lambda rows, columns, attempt: attempt * 720,
    ),
    "lightgbm": Needs(seeds=True, minutes=lambda *size: 240),
    "lightgbm_rank": Needs(seeds=True, minutes=lambda *size: 240),
    "ridge": Needs(),
    "momentum": Needs(learns=False, columns=("momentum_12_1",), families=("technical",)),
    "reversal": Needs(learns=False, columns=("returns_1d",), families=("technical",)),
    "zero": Needs(learns=False, columns=()),
    "blend": Needs(learns=False, columns=(), others=lambda settings: list(settings.models)),
}
"""Each is the module gogooku.models.<name>, and its settings the section <name>."""

CALLED = {
    "train": ("Settings", "choose", "fit", "save"),
    "predict": ("Settings", "load", "predict"),
    "report": ("load", "importance"),
}
NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Model:
    """A model of the settings.

    name       of its paths and of its section
    entry      as the settings name it;  path  of its module
    settings   class of its section; None if it has no settings
    """

    name: str
    entry: str
    path: Path
    needs: Needs
    settings: type[Section] | None

    def called_by(self, script: str) -> list[str]:
        """Name what a script calls of the module, in full: all of a user's file."""
        if self.entry.endswith(".py"):
            return [str(self.path)]
        module = modules.load(self.entry)
        return [f"{module.__name__}:{name}" for name in CALLED[script] if name in vars(module)]


@functools.cache
def find(entry: str) -> Model:
    """Find the model that the settings name: one of MODELS, or the path of a user's module.

    Raises UserError in one sentence: there is none of that name, its file's name is taken or unfit
    for a path, or the module fails or lacks a function.
    """
    if entry.endswith(".py"):
        return _of_user(Path(entry).resolve())
    if entry not in MODELS:
        raise UserError(
            f"models names {entry}, which does not exist: choose from {list(MODELS)} or give the "
            "path of a .py file"
        )
    module = modules.load(entry)
    return _model(entry, entry, MODELS[entry], module)


def _of_user(path: Path) -> Model:
    name = path.stem
    if name in MODELS:
        raise UserError(f"models names {path}, but {name} is a model of gogooku: rename the file")
    if not NAME.fullmatch(name):
        raise UserError(
            f"models names {path}: name the file by small letters, digits and _, as my_model.py"
        )
    module = modules.load(str(path))
    needs = getattr(module, "NEEDS", Needs())
    if not isinstance(needs, Needs):
        raise UserError(f"{path}: NEEDS is no gogooku.models.contract.Needs: make it one")
    return _model(name, str(path), needs, module)


def _model(name: str, entry: str, needs: Needs, module: ModuleType) -> Model:
    path = Path(str(module.__file__))
    wanted = ("fit", "predict", "save", "load") if needs.learns else ("predict",)
    if lacking := [function for function in wanted if not callable(vars(module).get(function))]:
        raise UserError(f"{path} lacks {', '.join(lacking)}: gogooku.models.contract says of what")
    section = vars(module).get("Settings")
    if section is not None and not (isinstance(section, type) and issubclass(section, Section)):
        raise UserError(f"{path}: Settings is no gogooku.section.Section: derive it from that")
    return Model(name, entry, path, needs, section)
