import datetime as dt

import polars as pl
import pytest
from gogooku.dataset import assemble
from gogooku.run import UserError

DATES = [dt.date(2024, 1, 4), dt.date(2024, 1, 5), dt.date(2024, 1, 9)]
CODES = ["13010", "130A0", "99990"]
EVERYBODY, NOBODY = [True] * 3, [False] * 3
MEMBER = [*NOBODY, True, True, False, *EVERYBODY]


def keys():
    return pl.DataFrame({"date": DATES}).join(pl.DataFrame({"code": CODES}), how="cross")


def panel(member):
    return keys().with_columns(universe=pl.Series(member))


def family(name="f", kind="stock", values=(7, 8, 9, 1, 2, 900, 4, 6, None)):
    valid = f"is_{name}_valid"
    column = pl.Series(name, values, pl.Float32)
    frame = keys().with_columns(column, (column.is_not_null()).alias(valid))
    return frame, {name: kind, valid: "flag"}


def assembled(*families, member=MEMBER, min_stocks=1):
    return assemble(panel(member), families, clip=0, method="zscore", min_stocks=min_stocks)


def test_only_members_have_rows_and_only_members_are_peers():
    frame, kinds = assembled(family())
    assert frame.select("date", "code").rows() == [
        (DATES[1], "13010"), (DATES[1], "130A0"),
        (DATES[2], "13010"), (DATES[2], "130A0"), (DATES[2], "99990"),
    ]  # fmt: skip
    assert frame["f"].to_list() == [-1, 1, -1, 1, None]
    assert frame["is_f_valid"].to_list() == [True, True, True, True, False]
    assert kinds == {"f": "stock", "is_f_valid": "flag"}


def test_market_columns_and_flags_stay_as_they_are():
    frame, _ = assembled(family("m", "market"), family("g", "flag"))
    assert frame["m"].to_list() == frame["g"].to_list() == [1, 2, 4, 6, None]


def test_rows_that_differ_from_the_panel_are_refused():
    frame, kinds = family()
    with pytest.raises(UserError, match="with f are not those of the panel"):
        assembled((frame[1:], kinds))


def test_a_column_made_twice_is_refused():
    with pytest.raises(UserError, match=r"\['f', 'is_f_valid'\]"):
        assembled(family(), family())


def test_a_day_with_too_few_members_is_refused():
    with pytest.raises(UserError, match="2024-01-05 has 2 stocks.*min_stocks 3"):
        assembled(family(), min_stocks=3)


def test_a_day_that_loses_all_members_is_refused_but_days_before_the_first_are_none():
    later, lost = [*NOBODY, *EVERYBODY, *EVERYBODY], [*NOBODY, *EVERYBODY, *NOBODY]
    assert assembled(family(), member=later)[0]["date"].unique().to_list() == DATES[1:]
    assert assembled(family(), member=NOBODY * 3)[0].is_empty()
    with pytest.raises(UserError, match="2024-01-09 has 0 stocks in the universe"):
        assembled(family(), member=lost)
