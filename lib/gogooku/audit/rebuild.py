"""The workflow once more, in a folder of its own, from raw files with another future."""

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gogooku import calendar, files, jobs, layout
from gogooku.audit import edits
from gogooku.audit.compare import STAGES
from gogooku.config import claims
from gogooku.config.claims import Claim
from gogooku.config.settings import Settings
from gogooku.errors import UserError
from gogooku.point_in_time import Rules

ROOT = Path(__file__).resolve().parents[3]

SPAN_STAGES = ("dataset", "labels", "graphs")
"""Stages that ask for all that a span's rows go through before a model sees them."""


@dataclass(frozen=True)
class Rebuild:
    """A run and its build, and the folder in which they are built again.

    folder    working directory of the second build
    raw       all raw files of the run, relative as both builds name them
    settings  of the run
    rules     data set → when its rows are known
    cores     that the second build may use
    """

    folder: Path
    raw: Sequence[Path]
    settings: Settings
    rules: Mapping[str, Rules]
    cores: int

    @property
    def build_folder(self) -> Path:
        """The folder of panel to data set, relative likewise."""
        return Path(layout.build_folder(self.settings.build))

    def targets(self, day: dt.date) -> list[str]:
        """Name the files that hold the day's features, data set, labels and graph."""
        span = calendar.span_of(day, self.settings.spans)
        return [str(self.build_folder / stage / f"{span}.parquet") for stage in SPAN_STAGES]

    def draw(self, moment: dt.datetime, seed: int, *, ending: bool) -> dict[str, pl.DataFrame]:
        """Draw the edits of every raw file, by its path (`edits.draw`)."""
        changes = {}
        for path in jobs.progress(self.raw, "drawing another future", len(self.raw)):
            dataset = layout.dataset(path)
            file = seed, f"{dataset}/{layout.span(path)}"
            rows, clock, rules = files.read_parquet(path), self.settings.clock, self.rules[dataset]
            changes[str(path)] = edits.draw(
                rows, dataset, moment, clock, rules, file, ending=ending
            )
        return changes

    def build(
        self, changes: Mapping[str, pl.DataFrame], targets: Sequence[str], day: dt.date | None
    ) -> None:
        """Build `targets` by the workflow itself from the raw files as `changes` leave them.

        day   files of earlier spans than this day's are taken over from the run and built again
              only if one of their inputs has changed; None: everything is built

        Raises UserError with the end of the log if the nested run fails.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        for path in self.raw:
            self._lay(path, changes[str(path)])
        if day:
            self._take_over(calendar.span_of(day, self.settings.spans))
            claims.sign(Claim("build", self.build_folder, self.settings.name, {}), self.folder)
        config = {**self.settings.model_dump(mode="json"), "source": "stored"}
        files.write_json(config, self.folder / "config.json")
        self._snakemake(targets)

    def discard(self) -> None:
        """Delete a build that has been compared; one that failed stays for a look."""
        shutil.rmtree(self.folder)

    def _lay(self, path: Path, changes: pl.DataFrame) -> None:
        if changes.is_empty():
            _link(path, self.folder / path)
        else:
            rows = edits.apply(files.read_parquet(path), layout.dataset(path), changes)
            files.write_parquet(rows, self.folder / path)

    def _take_over(self, span: str) -> None:
        earlier = {layout.span(path) for path in self.raw if layout.span(path) < span}
        for stage in STAGES:
            for path in sorted(self.build_folder.glob(f"{stage}/*.parquet")):
                if layout.span(path) in earlier:
                    _link(path, self.folder / path)

    def _snakemake(self, targets: Sequence[str]) -> None:
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--directory", str(self.folder)]
        command += ["--configfile", str(self.folder / "config.json"), "--cores", str(self.cores)]
        command += ["--profile", str(ROOT / "profiles" / "default"), "--", *targets]
        process = subprocess.run(  # noqa: S603  our own interpreter and workflow
            command, capture_output=True, text=True, check=False
        )
        if process.returncode:
            raise UserError(
                f"the rebuild in {self.folder} failed, look there:\n{process.stderr[-2000:]}"
            )


def _link(path: Path, link: Path) -> None:
    """Give a file a second name; no one writes into a file, all replace it whole."""
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, link)
    except OSError:  # another file system
        shutil.copy2(path, link)
