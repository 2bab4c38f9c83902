"""A model's module, found by the name that the settings give it."""

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from gogooku.errors import UserError


def load(entry: str) -> ModuleType:
    """Import gogooku.models.<entry> or, if `entry` ends in .py, the file of that path.

    Raises UserError if the file is missing, or naming its line that fails.
    """
    if not entry.endswith(".py"):
        return importlib.import_module(f"gogooku.models.{entry}")  # lineage: declared
    path, name = Path(entry).resolve(), f"user_model_{Path(entry).stem}"
    spec = importlib.util.spec_from_file_location(name, path)  # lineage: declared
    if spec is None or spec.loader is None or not path.is_file():
        raise UserError(f"models names {entry}, which is no file: give a path that exists")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pydantic look their annotations up there.
    sys.modules[name] = module  # lineage: declared
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _failed(path, error) from error
    return module


def _failed(path: Path, error: BaseException) -> UserError:
    """Say in one sentence how the user's code failed, and in which of its lines."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    lines += [error.lineno] if isinstance(error, SyntaxError) else []
    place = f" in line {lines[-1]}" if lines else ""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return UserError(f"{path}: the module fails{place} ({reason}): mend it")
