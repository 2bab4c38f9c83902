import dataclasses
import json
import logging
import os
import random
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from gogooku.errors import UserError
from gogooku.raw import schema
from gogooku.raw.catalogue import DATASETS
from helpers.tiny_market import ANSWERS, typed
from polars.testing import assert_frame_equal


@pytest.mark.parametrize("dataset", sorted(ANSWERS))
def test_every_field_of_the_vendor_is_kept_or_left_out_on_purpose(dataset):
    known = set(DATASETS[dataset].schema) | DATASETS[dataset].ignored
    assert set(ANSWERS[dataset]) - known == set()
    assert "AdjC" in DATASETS["bars"].ignored  # looks ahead


@pytest.mark.parametrize("dataset", sorted(ANSWERS))
def test_a_frame_has_the_types_of_its_data_set_even_without_rows(dataset):
    for rows in ([], [ANSWERS[dataset]]):
        assert typed(dataset, rows).schema == pl.Schema(DATASETS[dataset].schema)


@pytest.mark.parametrize("dataset", sorted(ANSWERS))
def test_numbers_and_texts_of_numbers_are_read_alike(dataset):
    row = ANSWERS[dataset]
    plain = (dict, type(None))
    texts = {name: it if isinstance(it, plain) else str(it) for name, it in row.items()}
    assert_frame_equal(typed(dataset, [row]), typed(dataset, [texts]))


def test_nothing_null_and_absent_mean_the_same():
    row = ANSWERS["summary"]
    absent = {name: value for name, value in row.items() if value != ""}
    null = {name: None if value == "" else value for name, value in row.items()}
    frames = [typed("summary", [it, row]) for it in (row, absent, null)]
    assert_frame_equal(frames[0], frames[1])
    assert_frame_equal(frames[0], frames[2])
    assert frames[0]["NP"].null_count() == 2


def test_words_become_dates_flags_and_amounts():
    row = typed("summary", [ANSWERS["summary"]]).row(0, named=True)
    assert str(row["CurPerEn"]) == "2024-08-31"
    assert (row["MatChgSub"], row["ChgByASRev"], row["RetroRst"]) == (False, True, None)
    assert (row["Sales"], row["EPS"]) == (7.35e9, -1.25)


@pytest.mark.parametrize(
    "change, text",
    [
        ({"Code": ""}, "/equities/bars/daily answered a row without a value in Code"),
        ({"AdjFactor": None}, "without a value in AdjFactor"),
        ({"O": "n/a"}, "answered 'n/a' in the field O"),
        ({"O": [1]}, "in the field O"),
        ({"Date": 20240105}, "in the field Date"),
        ({"Date": "2024-02-30"}, "answered '2024-02-30' in the field Date"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_by_endpoint_and_field(change, text):
    row = ANSWERS["bars"]
    with pytest.raises(UserError, match=text):
        typed("bars", [row, row | change])


def test_a_page_of_flags_in_the_place_of_numbers_is_refused():
    with pytest.raises(UserError, match="daily answered True in the field O, which is not a Float"):
        typed("bars", [ANSWERS["bars"] | {"O": True}])


@pytest.mark.parametrize("cell", ["{'a': 1", "what", "{1, 2}", "{'a': open('b')}"])
def test_an_object_of_a_file_that_cannot_be_read_is_refused_by_field(cell):
    row = {**ANSWERS["margin_alert"], "PubReason": cell}
    text = ",".join(row) + "\n" + ",".join(f'"{value}"' for value in row.values())
    with pytest.raises(UserError, match="a file of /markets/margin-alert holds .* in .* PubReason"):
        schema.table("margin_alert", text.encode())


def test_bars_without_a_price_field_are_refused():
    row = {name: value for name, value in ANSWERS["bars"].items() if name != "C"}
    with pytest.raises(UserError, match="daily answered rows without the field C"):
        typed("bars", [row])


def test_new_fields_are_kept_as_text_and_said_once(caplog):
    new = {"Zeta": 1.5, "Alpha": "x", "Object": {"b": 1, "a": None}, "List": [1, "2"]}
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            found = typed("bars", [ANSWERS["bars"], ANSWERS["bars"] | new])
    assert found.columns == [*DATASETS["bars"].schema, "Alpha", "List", "Object", "Zeta"]
    assert found.row(1)[-4:] == ("x", '[1, "2"]', '{"a": null, "b": "1"}', "1.5")
    assert [record.getMessage() for record in caplog.records] == [
        "/equities/bars/daily: new fields Alpha, List, Object, Zeta, kept as text",
    ]


def test_new_fields_of_one_page_alone_are_null_in_the_others():
    pages = [typed("topix", [ANSWERS["topix"] | more]) for more in ({"B": 1}, {}, {"A": 2})]
    whole = schema.joined("topix", pages)
    assert whole.columns[-2:] == ["A", "B"]
    assert whole.select("A", "B").rows() == [(None, "1"), (None, None), ("2", None)]


@pytest.mark.parametrize("dataset", sorted(ANSWERS))
def test_a_field_that_may_be_left_out_is_null_where_it_is(dataset):
    optional = {field.name for field in DATASETS[dataset].fields if field.optional}
    row = {name: value for name, value in ANSWERS[dataset].items() if name not in optional}
    found = typed(dataset, [row])
    assert found.schema == pl.Schema(DATASETS[dataset].schema)
    assert all(found[name].is_null().all() for name in optional)


@pytest.mark.parametrize("dataset", sorted(ANSWERS))
def test_a_page_gives_its_rows_and_the_key_of_the_next(dataset):
    body = json.dumps({"data": [ANSWERS[dataset]] * 3, "pagination_key": "a.b="}).encode()
    rows, following = schema.page(dataset, body)
    assert len(rows) == 3 and following == "a.b="


@pytest.mark.parametrize("change", [{"New": 1}, {"O": "7"}, {"O": ""}])
def test_a_later_row_that_is_unlike_the_first_is_read_all_the_same(change):
    rows = [ANSWERS["bars"], ANSWERS["bars"] | change]
    if "New" in change:  # as many names as if both rows had the same
        rows[1].pop("ExRT")
    found = typed("bars", rows)
    assert found["O"].to_list() == [
        ANSWERS["bars"]["O"],
        {"7": 7.0, "": None}.get(rows[1]["O"], ANSWERS["bars"]["O"]),
    ]


def test_a_flag_in_the_place_of_a_later_number_is_refused():
    rows = [ANSWERS["bars"] | {"O": 1.0}, ANSWERS["bars"] | {"O": True}]
    with pytest.raises(UserError, match="answered .* in the field O, which is not a Float"):
        typed("bars", rows)


@pytest.mark.parametrize(
    "gone, new", [("ExRT", "X"), ("MktCap", "NewCap"), ("AdjFactor", "Factor")]
)
def test_a_later_row_with_another_name_in_the_place_of_one_is_not_passed_over(gone, new):
    last = {new if name == gone else name: value for name, value in ANSWERS["bars"].items()}
    body = json.dumps({"data": [ANSWERS["bars"]] * 500 + [last | {new: 5}]}).encode()
    assert schema._read("bars", body)[0][new].to_list() == [None] * 500 + [5]


def test_rows_of_an_older_entry_get_the_types_of_the_present_one():
    old = pl.DataFrame({"Date": ["2024-01-05"], "O": ["1.5"], "Gone": [7.5]})
    found = schema.joined("topix", [schema.recast("topix", old)])
    assert found.schema == pl.Schema(DATASETS["topix"].schema | {"Gone": pl.String()})
    assert found["O"].to_list() == [1.5]


def test_numbers_keep_every_bit():
    draw = random.Random(1)
    values = [draw.uniform(-1, 1) * 10.0 ** draw.randint(-12, 15) for _ in range(2000)]
    rows = [ANSWERS["topix"] | {"O": value, "C": str(value)} for value in values]
    text = "Date,O,H,L,C\n" + "".join(f"2024-01-04,{v!r},1,1,{v!r}\n" for v in values)
    for found in (typed("topix", rows), schema.table("topix", text.encode())):
        assert found["O"].to_list() == found["C"].to_list() == values


@pytest.mark.parametrize("mark", ["-", "*"])
def test_marks_stand_for_nothing_only_where_an_endpoint_uses_them(mark):
    found = typed("margin_alert", [ANSWERS["margin_alert"] | {"ShrtOutChg": mark}])
    assert found["ShrtOutChg"].to_list() == [None]
    with pytest.raises(UserError, match="in the field O"):
        typed("topix", [ANSWERS["topix"] | {"O": mark}])


def test_objects_are_json_with_sorted_keys_whatever_they_come_from():
    reason = {"b": "0", "a": 1, "c": None}
    rows = typed("margin_alert", [ANSWERS["margin_alert"] | {"PubReason": reason}])
    row = {**ANSWERS["margin_alert"], "PubReason": repr(reason)}
    cells = ",".join('"' + str(value).replace('"', '""') + '"' for value in row.values())
    table = schema.table("margin_alert", f"\ufeff{','.join(row)}\n{cells}\n".encode())
    assert rows["PubReason"].to_list() == ['{"a": "1", "b": "0", "c": null}']
    assert_frame_equal(rows, table)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data": [{"Date": "2024-', b"\xff"])
def test_what_is_no_json_is_told_from_json_of_another_shape(body):
    with pytest.raises(schema.Broken):
        schema.page("topix", body)


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'"data"', b'{"data": 1}', b'{"data": [[1]]}', b'{"data": [null]}']
)
def test_json_of_another_shape_is_refused_by_endpoint(body):
    with pytest.raises(UserError, match="topix answered something else than rows"):
        schema.page("topix", body)


def test_no_rows_are_a_typed_nothing():
    frame, onward = schema.page("topix", b'{"data": [], "pagination_key": "x"}')
    assert frame.schema == pl.Schema(DATASETS["topix"].schema) and onward == "x"
    assert schema.table("topix", b"").is_empty()
    assert schema.table("topix", b"Date,O,H,L,C\n").is_empty()


def test_a_text_that_looks_like_a_field_is_none():
    rows = [ANSWERS["master"] | {"CoName": 'a":{"b":1}, "pagination_key":"x'}] * 2
    assert typed("master", rows)["CoName"].to_list() == [rows[0]["CoName"]] * 2


def test_fields_of_the_dearest_plan_need_no_word(caplog):
    with caplog.at_level(logging.WARNING):
        typed("bars", [ANSWERS["bars"] | {"MO": 1.0, "AAdjVo": 2.0, "MUL": "0"}])
    assert not caplog.records


@pytest.mark.parametrize(
    "change, another",
    [
        ({"served": "17:00", "reread": 9, "plan": "light", "margin": 3, "delay": 1}, False),
        ({"since": DATASETS["topix"].since, "empty": True, "bulk": False}, False),
        ({"path": "/elsewhere"}, True),
        ({"query": "day"}, True),
        ({"key": ("Date",)}, True),
        ({"unnamed": True}, True),
        ({"fields": DATASETS["bars"].fields[:-1]}, True),
        ({"ignored": frozenset()}, True),
    ],
)
def test_the_version_of_an_entry_changes_with_what_its_rows_are_made_of(
    change, another, monkeypatch
):
    before = schema.version("bars")
    monkeypatch.setitem(DATASETS, "bars", dataclasses.replace(DATASETS["bars"], **change))
    assert (schema.version("bars") != before) == another


def test_another_way_of_reading_is_another_version(monkeypatch):
    versions = {schema.version("margin_alert")}
    monkeypatch.setitem(schema.NOTHING, "margin_alert", [""])
    versions.add(schema.version("margin_alert"))
    monkeypatch.setattr(schema, "PARSER", 0)
    assert len(versions | {schema.version("margin_alert")}) == 3


def test_the_version_of_an_entry_is_the_same_in_every_process():
    ask = "from gogooku.raw import schema; print(schema.version('bars'))"
    environment = {**os.environ, "PYTHONPATH": str(Path(schema.__file__).parents[2])}
    told = {
        subprocess.run(
            [sys.executable, "-c", ask], env=environment | {"PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in "12"
    }  # fmt: skip
    assert told == {schema.version("bars") + "\n"}
