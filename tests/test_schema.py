import logging

import polars as pl
import pytest
from gogooku.run import UserError
from gogooku.sources import schema
from gogooku.sources.catalogue import DATASETS
from polars.testing import assert_frame_equal
from tiny_market import ANSWERS


@pytest.mark.parametrize("dataset", sorted(ANSWERS))
def test_every_field_of_the_vendor_is_kept_or_left_out_on_purpose(dataset):
    looks_ahead = {"AdjO", "AdjH", "AdjL", "AdjC", "AdjVo", "MktCap"}
    assert set(ANSWERS[dataset]) - set(DATASETS[dataset].schema) == (
        looks_ahead if dataset == "bars" else set()
    )


@pytest.mark.parametrize("dataset", sorted(ANSWERS))
def test_a_frame_has_the_types_of_its_data_set_even_without_rows(dataset):
    for rows in ([], [ANSWERS[dataset]]):
        assert schema.typed(dataset, rows).schema == pl.Schema(DATASETS[dataset].schema)


@pytest.mark.parametrize("dataset", sorted(ANSWERS))
def test_numbers_and_texts_of_numbers_are_read_alike(dataset):
    row = ANSWERS[dataset]
    texts = {name: value if value is None else str(value) for name, value in row.items()}
    assert_frame_equal(schema.typed(dataset, [row]), schema.typed(dataset, [texts]))


def test_nothing_null_and_absent_mean_the_same():
    row = ANSWERS["summary"]
    absent = {name: value for name, value in row.items() if value != ""}
    null = {name: None if value == "" else value for name, value in row.items()}
    frames = [schema.typed("summary", [it, row]) for it in (row, absent, null)]
    assert_frame_equal(frames[0], frames[1])
    assert_frame_equal(frames[0], frames[2])
    assert frames[0]["NP"].null_count() == 2


def test_words_become_dates_flags_and_amounts():
    row = schema.typed("summary", [ANSWERS["summary"]]).row(0, named=True)
    assert str(row["CurPerEn"]) == "2024-08-31"
    assert (row["MatChgSub"], row["ChgByASRev"], row["RetroRst"]) == (False, True, None)
    assert (row["Sales"], row["EPS"]) == (7.35e9, -1.25)


@pytest.mark.parametrize(
    "change, text",
    [
        ({"Code": ""}, "/equities/bars/daily answered a row without a value in Code"),
        ({"AdjFactor": None}, "without a value in AdjFactor"),
        ({"O": "n/a"}, "answered 'n/a' in the field O"),
        ({"Date": "2024-02-30"}, "answered '2024-02-30' in the field Date"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_by_endpoint_and_field(change, text):
    row = ANSWERS["bars"]
    with pytest.raises(UserError, match=text):
        schema.typed("bars", [row, row | change])


def test_bars_without_a_price_field_are_refused():
    row = {name: value for name, value in ANSWERS["bars"].items() if name != "C"}
    with pytest.raises(UserError, match="daily answered rows without the field C"):
        schema.typed("bars", [row])


def test_unknown_and_absent_fields_are_said_once(caplog):
    row = {name: value for name, value in ANSWERS["bars"].items() if name != "ExRT"}
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            schema.typed("bars", [row | {"Brandnew": 1.0}])
    assert [record.getMessage() for record in caplog.records] == [
        "/equities/bars/daily: ignored unknown fields Brandnew",
        "/equities/bars/daily: left null the absent fields ExRT",
    ]


def test_fields_of_the_dearest_plan_need_no_word(caplog):
    with caplog.at_level(logging.WARNING):
        schema.typed("bars", [ANSWERS["bars"] | {"MO": 1.0, "AAdjVo": 2.0, "MUL": "0"}])
    assert not caplog.records
