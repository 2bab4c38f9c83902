"""A folder in the layout of the public JPX Kaggle data set, read as the vendor's data sets.

A folder of the vendor's own bulk files shows by their names; see bulk_files.py. The layout:

    stock_list      one snapshot of names, sectors and sections
    stock_prices    daily bars, unadjusted
    financials      filings; may be absent
    trades          weekly trading by type of investor; may be absent

Each is a `.csv` or a `.parquet`. The first lies in the folder itself; the others there, in
`train_files/`, in `supplemental_files/`, or in several of them: the parts are read as one, and
rows that are equal count once.

What the layout does not hold is null or empty: traded value, limit flags, kinds of ex-rights, the
TOPIX. Its snapshot stands in for every day's list, so sectors, sections and sizes are not those
of the day. A stock counts as listed on the days on which it has a row, with or without a price;
companies that the folder leaves out are missing from all days.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import polars as pl

from gogooku.archive import bulk_files, cells
from gogooku.archive import jpx_layout as layout
from gogooku.errors import UserError
from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS, HALTED

log = logging.getLogger(__name__)

Convention = Literal["ex_date", "day_before"]

FOLDERS = ("", "train_files", "supplemental_files")
KINDS = (".parquet", ".csv")

REFORM = dt.date(2022, 4, 4)
"""First session of Prime, Standard and Growth."""

FACTOR_MEMORY = dt.timedelta(days=31)
"""How far back the row is looked for whose factor `day_before` moves to the next session."""

HALT_MEMORY = dt.timedelta(days=14)
"""How far back the session before HALTED is looked for."""


FILES = {
    "calendar": [],
    "master": ["stock_list", "stock_prices"],
    "bars": ["stock_prices"],
    "topix": [],
    "summary": ["financials"],
    "investor_types": ["trades"],
}
"""The files that each data set is made of; of the others the archive holds nothing."""

NEEDED = {"stock_list", "stock_prices"}
"""Files that must hold rows."""


def files(folder: str | Path, dataset: str, first: dt.date, last: dt.date) -> list[Path]:
    """List the files that `read` will open for the rows of a data set from `first` to `last`.

    Raises UserError if there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"the archive {folder} is no folder: set `archive` to one that exists")
    if bulk_files.is_one(root):
        return bulk_files.files(root, dataset, first, last)
    return [path for name in FILES.get(dataset, []) for path in _found(root, name)]


def read(
    folder: str | Path,
    dataset: str,
    first: dt.date,
    last: dt.date,
    *,
    factor_convention: Convention,
) -> pl.DataFrame:
    """Read the rows of one data set from `first` to `last`, both included.

    factor_convention   the session on which the folder's AdjustmentFactor stands: `ex_date`, or
                        `day_before` as in the public original; rows carry it on the ex-date

    Returns the fields of DATASETS[dataset].schema, sorted by DATASETS[dataset].order.

    Raises UserError naming a file that is missing, unreadable or empty, a column that it lacks,
    or a value that is not what its column holds.
    """
    root = Path(folder)
    bulk = bulk_files.is_one(root)
    if bulk and (dataset != "calendar" or bulk_files.files(root, dataset, first, last)):
        return bulk_files.read(root, dataset, first, last)
    if dataset == "calendar":
        rows = _calendar(first, last)
    elif dataset == "master":
        rows = _master(root, first, last)
    elif dataset == "bars":
        rows = _bars(root, first, last, factor_convention)
    elif dataset == "summary":
        rows = _summary(root, first, last)
    elif dataset == "investor_types":
        rows = _investor_types(root, first, last)
    else:
        rows = schema.empty(dataset)
    return _in_schema(rows, dataset)


def _in_schema(rows: pl.DataFrame, dataset: str) -> pl.DataFrame:
    kinds = DATASETS[dataset].schema
    absent = [pl.lit(None, kind).alias(name) for name, kind in kinds.items() if name not in rows]
    laid_out = rows.with_columns(absent).select(pl.col(name).cast(kinds[name]) for name in kinds)
    return laid_out.sort(DATASETS[dataset].order, maintain_order=True)


def _calendar(first: dt.date, last: dt.date) -> pl.DataFrame:
    days = pl.date_range(first, last, eager=True).alias("Date").to_frame()
    open_days = pl.Series([*_sessions(first, last), HALTED], dtype=pl.Date)
    is_open = pl.col("Date").is_in(open_days.implode())
    return days.with_columns(HolDiv=pl.when(is_open).then(pl.lit("1")).otherwise(pl.lit("0")))


def _sessions(first: dt.date, last: dt.date) -> list[dt.date]:
    """List the sessions that the package exchange_calendars knows for Tokyo.

    It refuses a range without a session: a month more at either end holds one.
    """
    import exchange_calendars

    month = dt.timedelta(days=31)
    tokyo = exchange_calendars.get_calendar("XTKS", start=first - month, end=last + month)
    return [day.date() for day in tokyo.sessions]


def _bars(folder: Path, first: dt.date, last: dt.date, convention: Convention) -> pl.DataFrame:
    moved = convention == "day_before"
    since = first - FACTOR_MEMORY if moved else first
    rows = _load(_parts(folder, "stock_prices"), layout.BARS, "Date", since, last)
    rows = rows.rename(layout.BARS).sort("Code", "Date", maintain_order=True)
    factor = pl.col("AdjFactor").shift(1).over("Code") if moved else pl.col("AdjFactor")
    rows = rows.with_columns(AdjFactor=factor.fill_null(1.0)).filter(pl.col("Date") >= first)
    # Without a trade there is no volume: the vendor says so with a null, the layout with 0.
    return rows.with_columns(Vo=pl.when(pl.col("Vo") != 0).then("Vo"))


def _master(folder: Path, first: dt.date, last: dt.date) -> pl.DataFrame:
    listed, snapshot = _listed(folder, first, last), _snapshot(folder)
    unknown = listed.join(snapshot, on="Code", how="anti")["Code"].unique().sort()
    if len(unknown):
        log.warning("stock_list lacks %d codes that have prices, as %s", len(unknown), unknown[0])
    market = pl.when(pl.col("Date") < REFORM).then("before").otherwise("after")
    return listed.join(snapshot, on="Code", how="left").with_columns(
        pl.col("S33").fill_null("9999"),
        pl.col("S17").fill_null("99"),
        pl.col("ScaleCat").fill_null("-"),
        pl.col("ProdCat").fill_null("011"),
        Mkt=market.fill_null("0109"),
    )


def _listed(folder: Path, first: dt.date, last: dt.date) -> pl.DataFrame:
    """Give Date and Code of every row; HALTED lists the stocks of the session before it.

    The vendor's calendar calls that session open and lists its stocks; this layout has no rows.
    """
    since = first - HALT_MEMORY
    columns = {name: layout.BARS[name] for name in ("Date", "SecuritiesCode")}
    rows = _load(_parts(folder, "stock_prices"), columns, "Date", since, last).rename(columns)
    if first <= HALTED <= last and HALTED not in rows["Date"]:
        before = rows.filter(pl.col("Date") < HALTED)
        before = before.filter(pl.col("Date") == pl.col("Date").max())
        rows = pl.concat([rows, before.with_columns(Date=pl.lit(HALTED))])
    return rows.filter(pl.col("Date") >= first)


def _snapshot(folder: Path) -> pl.DataFrame:
    rows = _load(_parts(folder, "stock_list"), layout.LISTED)
    section = pl.col("section")
    before = section.replace_strict(layout.SECTIONS, default=None)
    segment = pl.col("segment").str.strip_suffix(" (Foreign Stock)")
    rows = rows.rename(layout.LISTED)
    twice = rows["Code"].filter(rows["Code"].is_duplicated()).unique(maintain_order=True)
    if len(twice):
        log.warning(
            "stock_list names %d codes twice, as %s: the first counts", len(twice), twice[0]
        )
    rows = rows.unique("Code", keep="first", maintain_order=True)
    return rows.with_columns(
        S33=pl.col("S33").str.zfill(4),
        ProdCat=section.replace_strict(layout.PRODUCTS, default=None),
        before=before,
        # Gone before the reform: its old section is all that is known.
        after=segment.replace_strict(layout.SEGMENTS, default=None).fill_null(before),
    )


def _summary(folder: Path, first: dt.date, last: dt.date) -> pl.DataFrame:
    parts = _parts(folder, "financials")
    if not parts:
        return schema.empty("summary")
    rows = _load(parts, layout.FILED, "DisclosedDate", first, last).rename(layout.FILED)
    forecast = pl.any_horizontal(pl.col("FSales", "FOP", "FOdP", "FNP", "FEPS").is_not_null())
    dividend = pl.any_horizontal(pl.col("^FDiv.*$").is_not_null())
    kind = pl.col("DocType").replace(layout.DOCUMENTS)
    of_dividend = kind.str.ends_with("EarnForecastRevision") & ~forecast & dividend
    named = pl.when(of_dividend).then(kind.str.replace("Earn", "Dividend")).otherwise(kind)
    return _next_year(rows.with_columns(DocType=named))


def _next_year(rows: pl.DataFrame) -> pl.DataFrame:
    """Move the guidance that stands beside a full year's results to the next year's fields.

    The next year is taken to follow the present one and to last twelve months.
    """
    results = pl.any_horizontal(pl.col("Sales", "NP", "TA").is_not_null())
    ended = (pl.col("CurPerType") == "FY") & results
    guided = ended & pl.any_horizontal(pl.col(list(layout.GUIDANCE)).is_not_null())
    start = pl.col("CurFYEn").dt.offset_by("1d")
    return rows.with_columns(
        *(pl.when(~ended).then(now).alias(now) for now in layout.GUIDANCE),
        *(pl.when(ended).then(now).alias(after) for now, after in layout.GUIDANCE.items()),
        NxtFYSt=pl.when(guided).then(start),
        NxtFYEn=pl.when(guided).then(start.dt.offset_by("1y").dt.offset_by("-1d")),
    )


def _investor_types(folder: Path, first: dt.date, last: dt.date) -> pl.DataFrame:
    parts = _parts(folder, "trades")
    if not parts:
        return schema.empty("investor_types")
    rows = _load(parts, layout.WEEKLY, "Date", first, last).rename(layout.WEEKLY)
    # The public original has an empty row for every session without a publication.
    rows = rows.drop_nulls(["StDate", "EnDate", "Section"])
    names = ({it: pair[n] for it, pair in layout.TRADED.items()} for n in (0, 1))
    before, after = map(pl.col("Section").replace, names)
    return rows.with_columns(
        Section=pl.when(pl.col("EnDate") < REFORM).then(before).otherwise(after)
    )


def _parts(folder: Path, name: str) -> list[Path]:
    files = _found(folder, name)
    if not files and name in NEEDED:
        raise UserError(
            f"{folder} holds no {name}.csv or {name}.parquet: set `archive` to a folder in the "
            "layout of the public JPX data set"
        )
    if not files:
        log.warning("%s holds no %s: that data set has no rows", folder, name)
    return files


def _found(folder: Path, name: str) -> list[Path]:
    """List the file `name` of each folder that may have it; of both kinds, the Parquet."""
    folders = FOLDERS[:1] if name == "stock_list" else FOLDERS
    twins = ([folder / inner / (name + kind) for kind in KINDS] for inner in folders)
    here = ([path for path in pair if path.is_file()] for pair in twins)
    return [pair[0] for pair in here if pair]


def _load(
    parts: Sequence[Path],
    columns: Sequence[str] | dict[str, str],
    day: str | None = None,
    first: dt.date = dt.date.min,
    last: dt.date = dt.date.max,
) -> pl.DataFrame:
    """Read columns of all parts, from `first` to `last` of the column `day`, each row once."""
    rows = pl.concat([_load_one(part, list(columns), day, first, last) for part in parts])
    if day:
        rows = rows.filter(pl.col(day).is_between(first, last))
    once = rows.unique(maintain_order=True)
    if len(once) < len(rows):
        log.warning("%s: %d rows came twice: each is kept once", parts[0], len(rows) - len(once))
    return once


def _load_one(
    path: Path, columns: Sequence[str], day: str | None, first: dt.date, last: dt.date
) -> pl.DataFrame:
    try:
        text = path.suffix == ".csv"
        scan = partial(pl.scan_csv, infer_schema=False) if text else pl.scan_parquet
        lazy = scan(path, glob=False)
        _require(path, columns, lazy.collect_schema().names())
        wanted = _wanted(day, first, last) if day else pl.lit(True)
        rows = lazy.select(columns).filter(wanted).collect()
        if rows.is_empty() and lazy.head(1).collect().is_empty():
            _say_empty(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path} cannot be read ({reason}): put a whole file there") from error
    return rows.select(cells.typed(rows[name], path) for name in columns)


def _say_empty(path: Path) -> None:
    if path.stem in NEEDED:
        raise UserError(f"{path} has a header and no rows: put a whole file there")
    log.warning("%s has a header and no rows", path)


def _require(path: Path, columns: Sequence[str], present: Sequence[str]) -> None:
    lacking = [name for name in columns if name not in present]
    if lacking:
        raise UserError(
            f"{path} lacks the column {lacking[0]!r}: rename its columns to those of the public "
            "JPX data set"
        )


def _wanted(day: str, first: dt.date, last: dt.date) -> pl.Expr:
    """Keep the days asked for, and cells that tell no day, so that they can be refused."""
    days = pl.col(day).map_batches(cells.days, return_dtype=pl.Date)
    return days.is_between(first, last) | (days.is_null() & pl.col(day).is_not_null())
