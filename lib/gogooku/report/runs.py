"""Finished runs, read from what stands in their folders: evaluations, settings and when they ran.

A report leaves beside its page a record of the settings and of the evaluations that it is about.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gogooku import files, layout
from gogooku.config import identity
from gogooku.errors import UserError
from gogooku.evaluation import evaluate, ledger
from gogooku.evaluation.evaluate import Evaluations
from gogooku.report import report

RECORD = ("settings", "digest", "first", "last", "rows", "stocks", "evaluations")
SAID = ("verdict", "judgement", "alarms", "certificates", "survivorship", "lacks", "provenance")
SUMMARY = ("horizons", "truth", "entry", "confidence", "first", "last", "days", "folds")
AGAIN = "write its report again (snakemake report --forcerun report, with its settings)"


class Run(NamedTuple):
    """A finished run, as far as it can be read.

    evaluations   by model, in the order of its settings
    record        as `record` gave it; empty if the run has none
    judged        of each model the ledger's newest line on its evaluation
    faults        sentences on what cannot be read, or does not belong together
    """

    name: str
    evaluations: Evaluations
    record: Mapping[str, Any]
    judged: Mapping[str, Mapping[str, Any]]
    faults: list[str]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by dotted key, but for the run's own name; empty if they are not known."""
        leaves = dict(identity.leaves(self.record.get("settings", {})))
        leaves.pop("name", None)
        return leaves


def record(facts: Mapping[str, Any], summaries: Sequence[str | Path]) -> dict[str, Any]:
    """Say what a page is about and what it says beyond the evaluations.

    facts       as `report.facts`, `report.judged` and `assurance.of` give them
    summaries   the evaluations' files, {model}.json
    """
    return {
        "settings": json.loads(facts["text"]),
        **{name: facts[name] for name in RECORD[1:-1]},
        "evaluations": {layout.model(path): files.fingerprint(files=[path]) for path in summaries},
        **evaluate.plain({name: facts[name] for name in SAID if name in facts}),
    }


def read(name: str) -> Run:
    """Read the run of a name; what is missing or damaged becomes a sentence, the rest is given."""
    folder = Path(layout.run_folder(name))
    if not folder.is_dir():
        return Run(name, {}, {}, {}, [f"There is no run {name}: {folder} does not exist"])
    faults: list[str] = []
    kept = _record(name, faults)
    summaries = _in_order(folder.glob("evaluation/*.json"), kept)
    evaluations = dict(_evaluations(summaries, faults))
    if not summaries:
        faults.append(f"The run {name} is not evaluated: finish it first")
    old = [model for model, digest in _digests(evaluations, folder).items()
           if kept and kept["evaluations"].get(model) != digest]  # fmt: skip
    if old:
        faults.append(
            f"The report of {name} is of other evaluations of {', '.join(old)} than stand there "
            f"now, and so may its settings be: {AGAIN}"
        )
    return Run(name, evaluations, kept, _judged(name), faults)


def _record(name: str, faults: list[str]) -> Mapping[str, Any]:
    path = Path(layout.record(name))
    try:
        if path.is_file():
            kept: Mapping[str, Any] = files.read_json(path)
            _require(kept, RECORD)
            return kept
        faults.append(f"The settings of {name} are not known, as {path} is missing: {AGAIN}")
    except UserError as error:
        faults.append(str(error))
    return {}


def _in_order(summaries: Iterable[Path], kept: Mapping[str, Any]) -> list[Path]:
    """Sort by the models of the settings, without what earlier settings have left behind."""
    entries = kept.get("settings", {}).get("models")
    found = {path.stem: path for path in sorted(summaries)}
    order = [Path(entry).stem for entry in entries] if entries else list(found)
    return [found[model] for model in order if model in found]


def _evaluations(
    summaries: Iterable[Path], faults: list[str]
) -> Iterator[tuple[str, tuple[Any, dict[str, Any]]]]:
    for path in summaries:
        try:
            evaluation = report.read_evaluations([path.with_suffix(".parquet")], [path])
            _require(evaluation[path.stem][1], SUMMARY)
            yield from evaluation.items()
        except UserError as error:
            faults.append(str(error))


def _digests(models: Iterable[str], folder: Path) -> dict[str, str]:
    paths = {model: folder / "evaluation" / f"{model}.json" for model in models}
    return {model: files.fingerprint(files=[path]) for model, path in paths.items()}


def _require(content: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Raise UserError, which names the file, for a key that it lacks."""
    for key in keys:
        content[key]


def _judged(name: str) -> dict[str, dict[str, Any]]:
    entries, _ = ledger.read()
    return {
        entry["model"]: entry
        for entry in entries
        if entry["run"] == name and entry["kind"] == "evaluation"
    }
