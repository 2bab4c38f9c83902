"""A model's module, found by the name that the settings give it."""

import importlib
from pathlib import Path
from types import ModuleType

from gogooku import user_code
from gogooku.errors import UserError


def load(entry: str) -> ModuleType:
    """Import gogooku.models.<entry> or, if `entry` ends in .py, the file of that path.

    Raises UserError if the file is missing, or naming its line that fails.
    """
    if not entry.endswith(".py"):
        return importlib.import_module(f"gogooku.models.{entry}")  # lineage: declared
    path = Path(entry).resolve()
    if not path.is_file():
        raise UserError(f"models names {entry}, which is no file: give a path that exists")
    return user_code.load(path, "user_model")
