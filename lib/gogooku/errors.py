"""Errors that people can mend, each in one sentence."""

import errno
import os
from pathlib import Path

FULL = [os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]
"""What the system says of a disk, a quota or a file that can take no more."""


class UserError(Exception):
    """Input that people can mend; its text is one sentence that says how."""


def unwritable(path: str | Path, error: Exception) -> UserError:
    """Say that `path` cannot be written because of `error`, and what to do about it.

    Polars and Arrow have the system's reason in their text alone.
    """
    lines = str(getattr(error, "strerror", None) or error).splitlines()
    reason = next((text for text in FULL if text in str(error)), lines[0] if lines else repr(error))
    remedy = "free the disk" if reason in FULL else "check the path and its rights"
    return UserError(f"{path} cannot be written ({reason}): {remedy} and run again")
