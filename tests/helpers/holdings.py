"""Panels with splits, rights issues and delistings, and raw rows known as the table says."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
from gogooku import calendar, point_in_time
from gogooku.config import availability
from gogooku.families import FAMILIES
from gogooku.raw.catalogue import DATASETS

from helpers import panels, sample_panel
from helpers.family_inputs import inputs_of

RULES = availability.read(Path(__file__).parents[2] / "config" / "availability.yaml")
CODES = [f"{1301 + i}0" for i in range(12)]


def stamped(dataset, rows):
    """Typed rows with the `known_at` of the market's clock; rows are dicts of some fields."""
    frame = pl.DataFrame(rows, schema=DATASETS[dataset].schema)
    days = sample_panel.sessions(900).days
    return point_in_time.visible(
        point_in_time.stamp(frame, RULES.datasets[dataset], RULES.close, days), "published"
    )


def moments(panel):
    return calendar.decision_moments(panel.dates, "close", RULES.close)


def day(session):
    """Date of a session of the sample panel."""
    return sample_panel.sessions(900).days[session].item()


def quiet(count=60, stocks=2, *, split=(), price=1000.0, volume=1000.0):
    """Constant prices and volumes in the shares of each day; splits are (session, slot, factor)."""
    frame = sample_panel.rows(count, stocks, missing=0)
    factor = np.ones((count, stocks))
    for session, slot, by in split:
        factor[session, slot] = by
    basis = np.cumprod(factor, axis=0).ravel()
    bars = {name: pl.Series(price * basis) for name in ("open", "high", "low", "close")}
    return frame.with_columns(
        **bars,
        volume=pl.Series(volume / basis),
        value=pl.lit(price * volume),
        factor=pl.Series(factor.ravel()),
        volume_factor=pl.Series(factor.ravel()),
        universe=pl.lit(True),
    )


def lively(count, seed=0):
    """Random bars with splits and rights issues; one stock leaves, one comes."""
    rng, stocks = np.random.default_rng(seed), len(CODES)
    frame = sample_panel.rows(count, stocks, seed)
    factor, counts = np.ones((2, count * stocks))
    acted = rng.random(count * stocks) < 0.01
    factor[acted] = rng.choice([0.5, 0.333333, 0.2, 1.1, 10.0], acted.sum())
    rights = rng.random(count * stocks) < 0.3
    counts[acted & ~rights] = factor[acted & ~rights]
    frame = frame.with_columns(factor=pl.Series(factor), volume_factor=pl.Series(counts))
    first, last = frame["date"].min(), frame["date"].max()
    gone = (pl.col("code") == CODES[1]) & (pl.col("date") > first + (last - first) * 0.9)
    unborn = (pl.col("code") == CODES[2]) & (pl.col("date") < first + (last - first) * 0.6)
    return frame.filter(~gone, ~unborn)


def statement(session, issued=1e4, treasury=None, *, code=CODES[0], period=None, **fields):
    """A statement disclosed on a session at noon, for the period up to 40 days before."""
    return {
        "DiscDate": day(session), "DiscTime": "12:00:00", "Code": code, "DiscNo": f"{session:014d}",
        "DocType": "1QFinancialStatements_Consolidated_JP", "ShOutFY": issued, "TrShFY": treasury,
        "CurPerEn": period or day(session) - dt.timedelta(days=40), **fields,
    }  # fmt: skip


def computed(module, frame, rows):
    """The columns of a family from panel rows and the rows of its data sets; and the panel."""
    panel = panels.of(frame)
    if "master" in rows:
        of_the_day = FAMILIES["listed"]["master"].key, panel.dates, moments(panel)
        rows = rows | {"master": point_in_time.on_the_day(rows["master"], *of_the_day)}
    return module.compute(inputs_of(panel, **rows)), panel


# ---- laws ----------------------------------------------------------------------------------------


def assert_later_rows_move_nothing_earlier(module, frame, rows, session, seed, numbers):
    """What became known after a session changes later columns, and no bit up to that session.

    numbers   data set → the fields that change; none: its later rows go
    """
    before, panel = computed(module, frame, rows)
    moment = moments(panel)[session]
    others = {name: altered(rows[name], moment, seed, numbers[name]) for name in rows}
    after, _ = computed(module, sample_panel.changed(frame, day(session), seed), others)
    assert any(not np.array_equal(before[name], after[name], True) for name in before)
    for name in before:
        np.testing.assert_array_equal(before[name][: session + 1], after[name][: session + 1], name)


def altered(rows, moment, seed, numbers):
    """Change the numbers of what became known after `moment`, drop some of it and double some."""
    rng = np.random.default_rng(seed)
    late = pl.col("known_at").dt.replace_time_zone(None) > moment
    if not numbers:
        return rows.filter(~late)
    scale = pl.Series(rng.lognormal(0, 1, len(rows)))
    other = rows.with_columns(
        pl.when(late).then(pl.col(name) * scale).otherwise(name).alias(name) for name in numbers
    )
    dropped = pl.Series(rng.random(len(rows)) < 0.3)
    again = other.filter(late, pl.Series(rng.random(len(rows)) < 0.3))
    again = again.with_columns(pl.col("known_at").dt.offset_by("1d"), pl.col(*numbers) + 1)
    return pl.concat([other.filter(~late | ~dropped), again])


def assert_the_look_back_suffices(module, frame, rows, session):
    """Columns from `session` on are the same from the family's declared look-back before it."""
    family = module.__name__.rpartition(".")[2]
    full, panel = computed(module, frame, rows)
    days = frame["date"].unique().sort()
    first = {name: days[session - read.look_back] for name, read in FAMILIES[family].items()}
    late = {name: table.filter(pl.col(DATASETS[name].day) >= first[name])
            for name, table in rows.items()}  # fmt: skip
    again, part = computed(module, frame.filter(pl.col("date") >= first["panel"]), late)
    slots = np.searchsorted(panel.codes, part.codes)
    assert part.codes.tolist() == panel.codes[slots].tolist()
    shift = np.searchsorted(panel.dates, part.dates[0])
    for name, values in full.items():
        np.testing.assert_array_equal(
            again[name][session - shift :], values[session:, slots], err_msg=name
        )
    return {name: values[session:] for name, values in full.items()}


def assert_the_catalogue_is_complete(module, frame, rows):
    """The catalogue names all columns, each of which has a value, as float32."""
    columns, _ = computed(module, frame, rows)
    assert {column.name for column in module.COLUMNS} == set(columns)
    assert all(np.isfinite(values).any() for values in columns.values())
    assert all(values.dtype == np.float32 for values in columns.values())
