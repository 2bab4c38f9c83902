"""What a dry-run would do, by stage, and why."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from run_display import words

CAUSES = {
    "Missing output files": "output missing",
    "Incomplete output files": "output incomplete",
    "Updated input files": "input newer",
    "Set of input files has changed": "other input files",
    "Code has changed": "code changed",
    "Software environment": "environment changed",
    "Forced execution": "forced",
    "Rules with": "always runs",
}
"""How Snakemake begins a reason → the cause in a word or two."""

FOLLOWS = "input changes in this run"
DIGEST = re.compile(r"'[0-9a-f]{12,64}'")


def causes(reason: str) -> set[str]:
    """Name the causes in Snakemake's reason for a job.

    >>> causes("Updated input files: a.parquet; Input files updated by another job: b")
    {'input newer'}
    """
    names = set()
    for part in reason.split("; "):
        names |= {cause for start, cause in CAUSES.items() if part.startswith(start)}
        if part.startswith("Params have changed"):
            names |= _changed(part)
    return names or {FOLLOWS}


def _changed(part: str) -> set[str]:
    """Tell code from settings: a stage's code is a parameter, its digest."""
    values = part.split("before: ", 1)[-1].replace("now: ", ",").replace("<nothing exclusive>", "")
    names = {"code changed"} if DIGEST.search(values) else set()
    return names | ({"settings changed"} if DIGEST.sub("", values).strip(" ,") else set())


def table(jobs: Iterable[tuple[str, str]]) -> str:
    """Sum jobs up, one line a stage in the order of first mention.

    jobs   rule and Snakemake's reason of each
    """
    counts: dict[str, Counter[str]] = {}
    total = 0
    for rule, reason in jobs:
        row = counts.setdefault(words.stage(rule), Counter())
        row.update(["", *causes(reason)])
        total += 1
    width = max([len(stage) for stage in counts] + [5])
    lines = [f"{'stage':<{width}}  {'jobs':>6}  because"]
    for stage, row in counts.items():
        lines.append(f"{stage:<{width}}  {row['']:>6,}  {_because(row)}")
    return "\n".join([*lines, f"{'all':<{width}}  {total:>6,}"])


def _because(row: Mapping[str, int]) -> str:
    named = {cause: count for cause, count in row.items() if cause}
    if len(named) == 1 and set(named.values()) == {row[""]}:
        return next(iter(named))
    return ", ".join(
        f"{cause} {count:,}" for cause, count in sorted(named.items(), key=lambda c: (-c[1], c[0]))
    )
