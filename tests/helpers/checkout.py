"""A checkout: a fresh copy of the workflow, in which tests run it and edit it."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "rules", "workflow_scripts", "lib", "config", "envs", "profiles", "docs")


@dataclass(frozen=True)
class Checkout:
    """A copy of the workflow at `root`; edits are undone when their block ends."""

    root: Path

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the workflow; its output comes back as text."""
        overlay = [] if "--configfile" in arguments else ["--configfile", "config/smoke.yaml"]
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments, *overlay]
        environment = {**os.environ, "COLUMNS": "200"}
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
        return done

    def would_run(self, *arguments: str) -> dict[str, int]:
        """Name the rules that a run would execute now, and how often; families and fits singly."""
        told = self.snakemake("train_all", "--dry-run", "--printshellcmds", *arguments)
        text = told.stdout + told.stderr
        table = text.split("Job stats:")
        rows = re.findall(r"^(\w+) +(\d+)$", table[1], re.MULTILINE) if len(table) > 1 else []
        counts = {rule: int(count) for rule, count in rows if rule not in ("total", "train_all")}
        alike = {rule: counts.pop(rule, None) for rule in ("features", "train", "predict")}
        named = rf"^rule ({'|'.join(alike)}):\n(?: +.*\n)*? +wildcards: (?:family|model)=(\w+)"
        return counts | Counter(map(" ".join, re.findall(named, text, re.MULTILINE)))

    @contextlib.contextmanager
    def edited(self, file: str, old: str, new: str) -> Iterator[None]:
        """Replace the first `old` of `file` by `new` within the block."""
        path = self.root / file
        text = path.read_text()
        assert old in text, f"{file} does not hold {old!r}"
        path.write_text(text.replace(old, new, 1))
        try:
            yield
        finally:
            path.write_text(text)


def copy_of_the_workflow(target: Path) -> Path:
    """Copy what a clone holds and the kernels that set-up compiled, without data and runs."""
    ignored = shutil.ignore_patterns("*.pyc*", "*.tmp.*")  # what another worker may just write
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=ignored)
        else:
            shutil.copy2(source, target / part)
    return target
