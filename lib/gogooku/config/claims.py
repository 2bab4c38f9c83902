"""Whose files a folder holds: the run that first wrote a store, a build or a run, and its settings.

Settings may change between two runs of one name: that is an edit, and what depends on it is made
again. Two runs of different names may share a store or a build if they would write the same.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gogooku import files, layout, locks
from gogooku.config import identity
from gogooku.config.settings import Settings
from gogooku.errors import UserError

CLAIM = "claim.json"
NOT_BUILT = {CLAIM, locks.LOCK, "logs", "benchmarks"}
RECORDS = Path(".snakemake", "gogooku.json")
"""Names the folder in which Snakemake keeps how files were made."""


@dataclass(frozen=True)
class Claim:
    """A run's claim to a folder: the run's name and the settings that decide what is written."""

    kind: Literal["store", "build", "run"]
    folder: Path
    name: str
    identity: Mapping[str, Any]


def of(settings: Settings) -> list[Claim]:
    """Give what a run claims: its store, its build and its own folder."""
    name = settings.name
    store = Path(layout.raw_folder(settings.store))
    build = Path(layout.build_folder(settings.build))
    return [
        Claim("store", store, name, identity.store_identity(settings)),
        Claim("build", build, name, identity.build_identity(settings)),
        Claim("run", Path(layout.run_folder(name)), name, {}),
    ]


def check(claims: Iterable[Claim]) -> None:
    """Raise UserError unless each folder is new, or holds what its claim would write."""
    for claim in claims:
        path = claim.folder / CLAIM
        if path.is_file():
            _compare(claim, files.read_json(path))
        elif claim.kind != "store" and _holds_files(claim.folder):
            raise UserError(
                f"{claim.folder} holds files of another version of gogooku, or made elsewhere: "
                "move it away or delete it, and run again"
            )


def take(claims: Sequence[Claim], jobs: Iterable[Any]) -> None:
    """Lock the folders that `jobs` write to and read, check them again, and sign the former.

    jobs   Snakemake's, which are to run: each has the paths of its `output` and its `input`

    Raises UserError as `check`, or naming a folder in which another run is at work.
    """
    waiting = list(jobs)
    writes = _holding(claims, {path for job in waiting for path in job.output})
    reads = _holding(claims, {path for job in waiting for path in job.input})
    locks.take(sorted(writes), sorted(reads - writes))
    check(claims)
    for claim in claims:
        if claim.folder in writes:
            sign(claim)


def sign(claim: Claim, root: Path = Path()) -> None:
    """Write the claim into its folder below the working directory `root`, if it is the first's."""
    path, records = root / claim.folder / CLAIM, root / RECORDS
    if path.is_file() and files.read_json(path)["name"] != claim.name:
        return
    if not records.is_file():
        files.write_json(uuid.uuid4().hex, records)
    content = {"name": claim.name, "identity": claim.identity, "records": files.read_json(records)}
    files.write_json(content, path)


def _compare(claim: Claim, there: Mapping[str, Any]) -> None:
    differ = identity.store_difference if claim.kind == "store" else identity.build_difference
    difference = differ(there["identity"], claim.identity)
    if difference and there["name"] != claim.name:
        key, old, new = difference
        raise UserError(
            f"{claim.folder} is the {claim.kind} of the run {there['name']}, with {key} {old!r}, "
            f"but the run {claim.name} has {new!r}: give it a {claim.kind} of its own "
            f"({claim.kind}: {claim.name}), or the same {key}"
        )
    known = files.read_json(RECORDS) if RECORDS.is_file() else None
    if claim.kind != "store" and there["records"] != known:
        raise UserError(
            f"{claim.folder} was made in another working directory, or .snakemake has been "
            "deleted since, which records how files were made: move it away or delete it, and run "
            "again"
        )


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(path.name not in NOT_BUILT for path in folder.iterdir())


def _holding(claims: Iterable[Claim], paths: Collection[str]) -> set[Path]:
    """Give the claimed folders that hold any of `paths`."""
    folders = {claim.folder for claim in claims}
    return {f for f in folders if any(Path(path).is_relative_to(f) for path in paths)}
