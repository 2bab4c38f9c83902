"""What a raw file says of itself in its Parquet metadata."""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence

import polars as pl

from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS


def describe(
    rows: pl.DataFrame,
    dataset: str,
    source: str,
    plan: str | None = None,
    times: Sequence[dt.datetime] = (),
) -> dict[str, str]:
    """Describe the rows of one data set and span.

    source   simulated | jquants | archive
    plan     subscription that served them
    times    when the answers that they come from first came; none for a source that repeats itself
             bit for bit

    Returns source, data set, schema (version of the catalogue's entry), rows (day → count, as
    JSON), content (SHA-256 of the rows as CSV) and, where given, plan, fetched_first, fetched_last.
    """
    day = DATASETS[dataset].day
    counts = rows.group_by(pl.col(day).cast(pl.String)).len().sort(day)
    description = {
        "source": source,
        "dataset": dataset,
        "schema": schema.version(dataset),
        "rows": json.dumps(dict(counts.iter_rows())),
        "content": hashlib.sha256(rows.write_csv().encode()).hexdigest(),
    }
    if plan:
        description["plan"] = plan
    if times:
        description["fetched_first"] = min(times).isoformat()
        description["fetched_last"] = max(times).isoformat()
    return description
