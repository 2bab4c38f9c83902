"""Folds walk forward, and no label of one part reaches another."""

import datetime as dt

import numpy as np
import pytest
from gogooku import calendar, splits
from gogooku.calendar import Sessions
from gogooku.errors import UserError
from helpers.panels import weekdays
from hypothesis import assume, given, settings
from hypothesis import strategies as st

SESSIONS = Sessions(weekdays(1300, dt.date(2018, 1, 4)))
SPANS = calendar.spans(dt.date(2018, 1, 4), SESSIONS.days[-1].item(), "quarter")
LENGTHS = {"train": 8, "valid": 2, "test": 4, "step": 4}
LABELS = {"horizons": [1, 5, 10, 20], "entry": "next_close", "embargo": 20}


def named(fold):
    return {part: [SPANS[i] for i in fold[part]] for part in splits.LEARNT}


def cut(number=0, **options):
    planned = splits.plan(len(SPANS), mode="expanding", **LENGTHS)[number]
    return splits.cut(number, SESSIONS, named(planned), **{**LABELS, **options})


lengths = st.fixed_dictionaries(
    {name: st.integers(1, 6) for name in ("train", "valid", "test", "step")}
)


@given(st.integers(0, 30), lengths, st.sampled_from(["expanding", "rolling"]))
def test_a_span_more_changes_nothing_that_is_learnt_and_is_tested(spans, sizes, mode):
    folds = splits.plan(spans, mode=mode, **sizes)
    longer = splits.plan(spans + 1, mode=mode, **sizes)
    assert [split["train"] for split in longer[: len(folds)]] == [fold["train"] for fold in folds]
    assert [split["valid"] for split in longer[: len(folds)]] == [fold["valid"] for fold in folds]
    for fold, grown in zip(folds, longer, strict=False):
        assert grown["test"][: len(fold["test"])] == fold["test"]
    counted = {name: sizes[name] for name in ("train", "valid", "step")}
    assert len(folds) == splits.count(spans, **counted) <= len(longer)
    if folds and sizes["step"] <= sizes["test"]:
        assert spans - 1 in folds[-1]["test"]


@given(st.integers(1, 30), lengths, st.sampled_from(["expanding", "rolling"]))
def test_parts_follow_each_other_and_have_their_lengths(spans, sizes, mode):
    for number, fold in enumerate(splits.plan(spans, mode=mode, **sizes)):
        joined = fold["train"] + fold["valid"] + fold["test"]
        assert joined == list(range(joined[0], joined[-1] + 1)) and joined[-1] < spans
        assert len(fold["valid"]) == sizes["valid"]
        assert len(fold["test"]) == min(sizes["test"], spans - fold["test"][0])
        assert fold["test"][0] == sizes["train"] + sizes["valid"] + number * sizes["step"]
        grown = number * sizes["step"] if mode == "expanding" else 0
        assert len(fold["train"]) == sizes["train"] + grown


@settings(deadline=None)
@given(
    st.integers(0, 2),
    st.integers(0, 40),
    st.lists(st.integers(1, 25), min_size=1, max_size=4, unique=True),
    st.sampled_from(list(calendar.ENTRY_LAG)),
)
def test_no_label_of_a_part_ends_within_the_embargo_of_the_next(number, embargo, horizons, entry):
    assume(number < len(splits.plan(len(SPANS), mode="expanding", **LENGTHS)))
    fold = cut(number, embargo=embargo, horizons=horizons, entry=entry)
    for part, after in (("train", "valid"), ("valid", "test")):
        last = SESSIONS.position(np.datetime64(fold[part]["last"]))
        first = SESSIONS.position(np.datetime64(fold[after]["first"]))
        exit_of_last = last + calendar.ENTRY_LAG[entry] + max(horizons)
        assert first - exit_of_last - 1 == embargo


def test_a_fold_says_what_it_reads():
    fold = cut()
    assert fold["train_spans"] == SPANS[:8] and fold["valid_spans"] == SPANS[8:10]
    assert fold["train"]["first"] == "2018-01-04" and fold["valid"]["first"] == "2020-01-01"
    assert fold["test"] == {"first": "2020-07-01"}
    days = SESSIONS.between(fold["train"]["first"], fold["train"]["last"])
    assert fold["train"]["sessions"] == len(days)


def test_every_label_of_training_and_validation_is_filed_in_the_parts_own_spans():
    fold = cut()
    for part in ("train", "valid"):
        last = SESSIONS.position(np.datetime64(fold[part]["last"]))
        exit_day = SESSIONS.days[last + 21].item()
        assert calendar.span_of(exit_day, "quarter") in fold[f"{part}_spans"]


def test_what_comes_after_the_first_tested_session_changes_no_fold():
    planned = splits.plan(len(SPANS), mode="expanding", **LENGTHS)[0]
    until = Sessions(SESSIONS.between("2018-01-01", "2020-07-01"))
    assert splits.cut(0, until, named(planned), **LABELS) == cut()


def test_a_fold_with_nothing_to_test_is_refused():
    planned = splits.plan(len(SPANS), mode="expanding", **LENGTHS)[0]
    until = Sessions(SESSIONS.between("2018-01-01", "2020-06-30"))
    with pytest.raises(UserError, match="no session follows 2020-06-30"):
        splits.cut(0, until, named(planned), **LABELS)


def test_a_part_that_the_embargo_swallows_is_refused():
    with pytest.raises(UserError, match="raise splits.valid or lower splits.embargo"):
        cut(embargo=200)


def test_spans_without_sessions_are_refused():
    planned = splits.plan(len(SPANS), mode="expanding", **LENGTHS)[0]
    with pytest.raises(UserError, match="fold 0: the train spans .* hold no session"):
        splits.cut(0, Sessions(SESSIONS.days[-300:]), named(planned), **LABELS)


@pytest.mark.parametrize("part, moved", [("train", "last"), ("valid", "last"), ("test", "first")])
def test_a_fold_moved_by_one_session_is_refused(part, moved):
    fold = cut()
    day = SESSIONS.position(np.datetime64(fold[part][moved])) + (1 if moved == "last" else -1)
    fold[part] = {**fold[part], moved: str(SESSIONS.days[day])}
    with pytest.raises(UserError, match="delete the fold's file"):
        splits.check(fold, SESSIONS)


def test_a_reader_that_holds_only_training_days_can_check_a_fold():
    fold = cut()
    splits.check(fold, Sessions(SESSIONS.between("2018-01-01", "2020-06-30")))
