"""Jobs, counts and times in words."""

import textwrap
from collections.abc import Mapping

NUMBERED = ("fold", "seed", "draw")
"""Wildcards whose value says nothing without their name."""


def job(rule: str, wildcards: Mapping[str, str]) -> str:
    """Name a job by its rule and wildcards.

    >>> job("train_atft", {"fold": "0", "seed": "1"})
    'train atft, fold 0, seed 1'
    >>> job("fetch", {"dataset": "bars", "span": "2020q1"})
    'fetch bars, 2020q1'
    """
    named = [
        f"{name} {value}" if name in NUMBERED else str(value) for name, value in wildcards.items()
    ]
    first = "" if not named else (", " if "_" in rule or named[0].startswith(NUMBERED) else " ")
    return rule.replace("_", " ") + first + ", ".join(named)


def stage(rule: str) -> str:
    """Name the stage that a rule belongs to: `features` of features_technical."""
    return rule.split("_")[0]


def duration(seconds: float, digits: int = 1) -> str:
    """Write seconds as people read them.

    >>> [duration(s) for s in (3.24, 65, 4000)]
    ['3.2 s', '1:05', '1:06:40']
    """
    if seconds < 59.5:
        return f"{seconds:.{digits}f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def plural(count: int, noun: str) -> str:
    """Count things.

    >>> plural(1, "job"), plural(2, "job")
    ('1 job', '2 jobs')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def wrapped(text: str, first: str = "") -> str:
    """Break a long text into lines that follow `first` at its depth."""
    return textwrap.fill(text, 100, initial_indent=first, subsequent_indent=" " * len(first))
