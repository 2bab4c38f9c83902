"""A user's module, run from its file; what fails in it is named by its line."""

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from gogooku.errors import UserError


def load(path: str | Path, kind: str) -> ModuleType:
    """Run the Python file `path` as the module <kind>_<stem of the file>.

    Raises UserError naming the line that fails.
    """
    name = f"{kind}_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, path)  # lineage: declared
    if spec is None or spec.loader is None:
        raise UserError(f"{path} is no Python file: name one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pydantic look their annotations up there.
    sys.modules[name] = module  # lineage: declared
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise failure(path, "the module", error) from error
    return module


def failure(path: str | Path, part: str, error: BaseException) -> UserError:
    """Say in one sentence how a part of the user's file failed, and in which of its lines."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    lines += [error.lineno] if isinstance(error, SyntaxError) else []
    line = f" in line {lines[-1]}" if lines else ""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return UserError(f"{path}: {part} fails{line} ({reason}): mend it")
