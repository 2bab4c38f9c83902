"""Answers kept day by day, so that a killed fetch loses nothing and a second one asks nothing.

One Parquet file an answer, data/raw/<store>/.days/<dataset>/<entry>-<server>-<plan>/<day>.parquet,
written once its last page is there. The folder is named after the catalogue's entry, the server's
address and the plan: a change of any finds an empty one.
"""

import datetime as dt
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gogooku import files
from gogooku.errors import UserError
from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS

log = logging.getLogger(__name__)

DAYS = ".days"
"""Folder of the answers, beside the raw files that are made of them."""


@dataclass(frozen=True)
class Answer:
    """An answer in the cache: when its rows first came, and when the vendor last confirmed them."""

    path: Path
    fetched: dt.datetime
    checked: dt.datetime
    rows: int

    def read(self) -> pl.DataFrame:
        """Load the rows."""
        return files.read_parquet(self.path)


@dataclass(frozen=True)
class Cache:
    """The answers of the server at `url` to one subscription, below `folder`."""

    folder: Path
    plan: str | None
    url: str

    @classmethod
    def beside(cls, raw: str | Path, plan: str | None, url: str) -> "Cache":
        """Give the cache of the store that holds the raw file `raw`, <store>/<dataset>/<span>."""
        return cls(Path(raw).parents[1] / DAYS, plan, url)

    def folder_of(self, dataset: str) -> Path:
        """Give the folder of a data set's answers."""
        name = f"{schema.version(dataset)}-{self._server}-{self.plan or 'unknown'}"
        return self.folder / dataset / name

    @property
    def _server(self) -> str:
        return hashlib.sha256(self.url.rstrip("/").encode()).hexdigest()[:6]

    def answer(self, dataset: str, name: str) -> Answer | None:
        """Give the answer `name` of a data set, a day or a period; None if it is not there."""
        return _opened(self.folder_of(dataset) / f"{name}.parquet")

    def of_any_plan(self, dataset: str, name: str) -> Answer | None:
        """Give what was read on the day `name`, by whatever plan and entry of the catalogue.

        It cannot be asked for again; the newest of several counts.
        """
        paths = (self.folder / dataset).glob(f"*-{self._server}-*/{name}.parquet")
        answers = [answer for path in sorted(paths) if (answer := _opened(path))]
        return max(answers, key=lambda answer: answer.checked, default=None)

    def put(
        self,
        dataset: str,
        name: str,
        rows: pl.DataFrame,
        checked: dt.datetime,
        now: dt.datetime | None = None,
    ) -> Answer:
        """Keep an answer that held at the moment `checked`, and came `now` if not then.

        Equal rows keep the time at which they first came; of others the later fetch counts.
        """
        path = self.folder_of(dataset) / f"{name}.parquet"
        old, fetched = _opened(path), now or checked
        if old:
            changed = _changed(old.read(), rows)
            if changed:
                log.info("%s: %d rows of %s changed or new", DATASETS[dataset].path, changed, name)
            else:
                fetched = old.fetched
        times = {"fetched": fetched.isoformat(), "checked": checked.isoformat()}
        with files.atomic(path) as draft:  # in half the time of files.write_parquet
            rows.write_parquet(draft, compression="zstd", compression_level=1, metadata=times)
        return Answer(path, fetched, checked, len(rows))


def _opened(path: Path) -> Answer | None:
    if not path.exists():
        return None
    try:
        with files.reading(path):
            meta = pl.read_parquet_metadata(path)
            fetched, checked = (dt.datetime.fromisoformat(meta[n]) for n in ("fetched", "checked"))
            rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    except UserError:
        log.warning("%s cannot be read and is asked for again", path)
        return None
    return Answer(path, fetched, checked, rows)


def _changed(old: pl.DataFrame, new: pl.DataFrame) -> int:
    """Count the rows that are not the same in both."""
    if old.equals(new):
        return 0
    if old.schema != new.schema:
        return max(len(old), len(new))
    both = list(old.columns)
    removed = old.join(new, on=both, how="anti", nulls_equal=True)
    added = new.join(old, on=both, how="anti", nulls_equal=True)
    return max(len(removed), len(added))
