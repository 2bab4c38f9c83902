import datetime as dt

import polars as pl
import pytest
from gogooku.dataset import normalize
from gogooku.dataset.assembly import assemble, thin_days
from gogooku.errors import UserError

DATES = [dt.date(2024, 1, 4), dt.date(2024, 1, 5), dt.date(2024, 1, 9)]
CODES = ["13010", "130A0", "99990"]
EVERYBODY, NOBODY = [True] * 3, [False] * 3
MEMBER = [*NOBODY, True, True, False, *EVERYBODY]


def keys():
    return pl.DataFrame({"date": DATES}).join(pl.DataFrame({"code": CODES}), how="cross")


def panel(member):
    return keys().with_columns(universe=pl.Series(member), s33=pl.lit("0050"))


def family(name="f", kind="stock", values=(7, 8, 9, 1, 2, 900, 4, 6, None)):
    valid = f"is_{name}_valid"
    column = pl.Series(name, values, pl.Float32)
    frame = keys().with_columns(column, (column.is_not_null()).alias(valid))
    return frame, {name: kind, valid: "flag"}


def assembled(*families, member=MEMBER, min_stocks=1, within_sector=False):
    how = {"clip": 0, "method": "zscore", "within_sector": within_sector}
    return assemble(panel(member), families, min_stocks=min_stocks, **how)


def test_only_members_have_rows_and_only_members_are_peers():
    frame, reasons, kinds = assembled(family())
    assert reasons == {}
    assert frame.select("date", "code").rows() == [
        (DATES[1], "13010"), (DATES[1], "130A0"),
        (DATES[2], "13010"), (DATES[2], "130A0"), (DATES[2], "99990"),
    ]  # fmt: skip
    assert frame["f"].to_list() == [-1, 1, -1, 1, None]
    assert frame["is_f_valid"].to_list() == [True, True, True, True, False]
    assert kinds == {"f": "stock", "is_f_valid": "flag"}


def test_a_column_that_too_few_of_a_full_day_have_is_null():
    few = family("few", values=[None, 8, 9, 1, 2, 3, None, 4, 5])
    frame, reasons, _ = assembled(family(), few, member=EVERYBODY * 3, min_stocks=3)
    text = "null on {} of 3 days, on which fewer than 3 stocks have it"
    assert reasons == {"f": text.format(1), "few": text.format(2)}
    assert frame["few"].is_not_null().to_list() == [False] * 3 + [True] * 3 + [False] * 3
    assert frame["f"].is_not_null().to_list() == [True] * 6 + [False] * 3


def test_market_columns_and_flags_stay_as_they_are():
    frame, _, _ = assembled(family("m", "market"), family("g", "flag"))
    assert frame["m"].to_list() == frame["g"].to_list() == [1, 2, 4, 6, None]


def test_rows_that_differ_from_the_panel_are_refused():
    frame, kinds = family()
    with pytest.raises(UserError, match="with f are not those of the panel"):
        assembled((frame[1:], kinds))


def test_a_column_made_twice_is_refused():
    with pytest.raises(UserError, match=r"\['f', 'is_f_valid'\]"):
        assembled(family(), family())


def test_a_day_with_too_few_members_has_null_stock_columns_and_a_reason(caplog):
    whole = family(values=[7, 8, 9, 1, 2, 900, 4, 6, 5])
    families = whole, family("m", "market"), family("g", "flag")
    frame, reasons, _ = assembled(*families, min_stocks=3)
    why = "2 stocks in the universe, fewer than features.min_stocks 3"
    assert reasons == {"2024-01-05": why}
    assert f"2024-01-05: stock columns are null: {why}" in caplog.text
    thin, full = frame[:2], frame[2:]
    assert thin["f"].to_list() == [None, None]
    assert thin.select("m", "g").equals(
        pl.DataFrame({"m": [1, 2], "g": [1, 2]}, {"m": pl.Float32, "g": pl.Float32})
    )
    assert full.equals(assembled(*families)[0][2:])


def test_a_span_without_one_full_day_is_refused():
    with pytest.raises(UserError, match="the fullest, 2024-01-09, has 3 stocks.*min_stocks 4"):
        assembled(family(), min_stocks=4)


def test_days_before_the_first_member_are_none_and_a_day_that_loses_all_is_told():
    later, lost = [*NOBODY, *EVERYBODY, *EVERYBODY], [*NOBODY, *EVERYBODY, *NOBODY]
    frame, reasons, _ = assembled(family(), member=later)
    assert frame["date"].unique().to_list() == DATES[1:] and reasons == {}
    assert assembled(family(), member=NOBODY * 3)[0].is_empty()
    frame, reasons, _ = assembled(family(), member=lost)
    assert frame["date"].unique().to_list() == DATES[1:2]
    assert reasons["2024-01-09"].startswith("0 stocks")


def test_a_day_is_thin_by_its_own_members_alone():
    days = thin_days(panel(MEMBER), 3)
    assert days.rows() == [(DATES[1], 2)]
    assert thin_days(panel(MEMBER).filter(pl.col("date") <= DATES[1]), 3).equals(days)


def test_sectors_of_the_panel_count_if_told_so(monkeypatch):
    monkeypatch.setattr(normalize, "FEWEST_PEERS", 2)
    rows = panel(MEMBER).with_columns(s33=pl.Series(["0050", "3250", "3250"] * 3))
    values = (7, 8, 9, 1, 2, 900, 4, 6, 7)
    how = {"clip": 0, "method": "zscore", "min_stocks": 1}
    made, _, _ = assemble(rows, [family(values=values)], within_sector=True, **how)
    market = assemble(rows, [family(values=values)], within_sector=False, **how)[0]["f"]
    assert made["f"][3:].to_list() == [-1, 1]
    assert made["f"][:3].equals(market[:3])
