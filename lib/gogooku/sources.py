"""Whether a source that needs no account can be used: what is in it, and what must be mended."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gogooku import calendar, files, layout
from gogooku.archive import reader
from gogooku.errors import UserError
from gogooku.raw import inventory, store
from gogooku.raw.catalogue import DATASETS

Settings = Mapping[str, Any]
Report = tuple[str, list[str]]
"""A table of what there is, and a sentence for each fault."""


def check(settings: Settings, datasets: Sequence[str], spans: Sequence[str]) -> str:
    """Say what the source holds of `datasets`.

    settings   all settings, as plain values
    spans     of the run; of an archive only the first and the last are read

    Raises UserError with one sentence a fault if the run could not use it.
    """
    checks: dict[str, Callable[[Settings, Sequence[str], Sequence[str]], Report]] = {
        "simulated": _simulated,
        "archive": _archive,
        "stored": _stored,
    }
    source = settings["source"]
    table, faults = checks[source](settings, datasets, spans)
    if faults:
        raise UserError("\n".join(inventory.shortened(faults)))
    return f"{table}\nThe source `{source}` can be used.\n"


def _simulated(settings: Settings, datasets: Sequence[str], spans: Sequence[str]) -> Report:
    """Look at what the exchange serves; a run simulates it if it is not there."""
    folder = Path(layout.raw_folder(settings["store"]), "exchange")
    if not folder.is_dir():
        return f"{folder} is not there yet: the first run simulates the market.\n", []
    counts, faults = inventory.each(
        datasets,
        lambda name: len(files.read_parquet(folder / f"{name}.parquet", [DATASETS[name].day])),
    )
    return inventory.text([{"data set": n, "rows": rows} for n, rows in counts.items()]), faults


def _archive(settings: Settings, datasets: Sequence[str], spans: Sequence[str]) -> Report:
    """Read the first and the last span of every data set, and name their files."""
    folder = settings["archive"]
    if folder is None:
        return "", ["`archive` names no folder: set it to that of the files"]
    ends = list(dict.fromkeys([spans[0], spans[-1]]))
    period = calendar.bounds(ends[0])[0], calendar.bounds(ends[-1])[1]

    def rows_of(name: str) -> dict[str, object]:
        paths = reader.files(folder, name, *period)
        read = partial(reader.read, folder, name, factor_convention=settings["archive_factor"])
        rows = {f"rows of {span}": read(*calendar.bounds(span)).height for span in ends}
        return {"data set": name, "files": len(paths), **rows}

    table, faults = inventory.each(datasets, rows_of)
    return f"{folder}\n{inventory.text(list(table.values()))}", faults


def _stored(settings: Settings, datasets: Sequence[str], spans: Sequence[str]) -> Report:
    """Read every file as a run does, and say which are missing."""
    raw = Path(layout.raw_folder(settings["store"]))
    entries = [inventory.look(raw, name, spans) for name in datasets]
    missing = [raw / e.dataset / f"{span}.parquet" for e in entries for span in e.missing]
    paths = [raw / name / f"{span}.parquet" for name in datasets for span in spans]
    _, faults = inventory.each(
        [path for path in paths if path not in missing],
        lambda path: store.read(path.parent.name, path, settings["clock"]).height,
    )
    absent = [f"{path} is missing: put the raw file there" for path in missing]
    return inventory.table(entries), [*faults, *absent]
