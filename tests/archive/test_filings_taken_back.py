"""What a filing of the archive takes back: the same as one of the vendor's API."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from gogooku.archive import jpx_layout, reader
from gogooku.features import statement
from helpers.company_filings import YEAR_MOVED, filing, moved_year_end, restamped
from helpers.family_inputs import inputs_of
from helpers.panels import make, weekdays

NAMES = {field: name for name, field in jpx_layout.FILED.items()}
ASIDE = {after: now for now, after in jpx_layout.GUIDANCE.items()}  # the archive has one place
DAYS = weekdays(400, dt.date(2021, 4, 1))


def archived(folder, rows):
    """Rows of fins/summary as the archive's reader gives them back from its own layout."""
    told = [dict.fromkeys(jpx_layout.FILED) for _ in rows]
    for number, (own, row) in enumerate(zip(told, rows, strict=True)):
        named = {NAMES.get(ASIDE.get(field, field)): x for field, x in row.items()}
        own |= {name: str(x) for name, x in named.items() if name in own and x is not None}
        own |= {"SecuritiesCode": "1301", "DisclosureNumber": str(number)}
    pl.DataFrame(told, dict.fromkeys(jpx_layout.FILED, pl.String)).write_csv(
        folder / "financials.csv"
    )
    first, last = min(row["DiscDate"] for row in rows), max(row["DiscDate"] for row in rows)
    return restamped(reader.read(folder, "summary", first, last, factor_convention="ex_date"))


def computed(summary):
    panel = make([[1000.0]] * len(DAYS), days=DAYS)
    made = statement.compute(inputs_of(panel, summary=summary))
    return lambda day, name: made[f"stmt_{name}"][DAYS.searchsorted(np.datetime64(day)), 0]


def test_a_revision_without_numbers_withdraws_the_guidance(tmp_path):
    rows = [
        filing(dt.date(2022, 2, 7), "3Q", OP=30.0, NP=20.0, FOP=40.0, FNP=28.0, FDivAnn=12.0),
        filing(dt.date(2022, 3, 11), "FY", document="ForecastRevision"),
    ]
    at = computed(archived(tmp_path, rows))
    names = ("progress_op", "progress_np", "div_yield_fore")
    before, after = ([at(day, name) for name in names] for day in ("2022-03-10", "2022-03-14"))
    assert before == pytest.approx([0.75, 20 / 28, 0.012])
    assert after == pytest.approx([float("nan")] * 3, nan_ok=True)


def test_a_year_that_will_not_be_has_no_guidance(tmp_path):
    at = computed(archived(tmp_path, moved_year_end()))
    for day, told in YEAR_MOVED.items():
        assert {name: at(day, name) for name in told} == pytest.approx(told, rel=1e-6), day
