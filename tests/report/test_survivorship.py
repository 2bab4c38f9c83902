import datetime as dt

import polars as pl
import pytest
from gogooku.report import survivorship

DAYS = [dt.date(2020, 1, 6) + dt.timedelta(days=day) for day in range(490)]  # two years of sessions


def panel(names, ended, after=200):
    """Names of all days, of which some end early."""
    return pl.concat([
        pl.DataFrame({"date": DAYS[: after if name < ended else None]}).with_columns(
            code=pl.lit(f"{name:05d}")
        )
        for name in range(names)
    ])  # fmt: skip


@pytest.mark.parametrize("ended, alarm", [(0, True), (5, True), (20, False), (60, False)])
def test_too_few_names_that_ended_are_an_alarm(ended, alarm):
    """500 names live 1,000 years less what the ended ones lack; 23 would end at the lower rate."""
    found = survivorship.of(panel(500, ended))
    assert found.alarm == alarm
    assert found.text.startswith(f"{ended} of 500 names ended before the data do; 2")
    assert ("lasted" in found.text) == alarm


def test_a_few_names_prove_nothing():
    assert not survivorship.of(panel(20, 0)).alarm


def test_a_name_without_a_row_on_the_last_days_has_not_ended():
    assert survivorship.of(panel(500, 500, after=480)).text.startswith("0 of 500")
