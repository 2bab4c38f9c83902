"""The audit changes the future only, and sees the smallest difference in the past."""

import datetime as dt
import json
import math
import shutil

import numpy as np
import polars as pl
import pytest
from gogooku import errors, files, point_in_time
from gogooku.audit import compare, days, edits, rebuild, verdict
from gogooku.config import settings
from gogooku.features import look_ahead
from gogooku.raw.catalogue import DATASETS
from helpers import configs, leaks
from hypothesis import given
from hypothesis import strategies as st

DAY = dt.date(2024, 2, 2)
MOMENT = days.moment(DAY, "close", leaks.CLOSES)
SESSIONS = np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-12-31"))
WORDS = ["0050", "1050", "9050"]
NOT_ADDED = pl.col("_edit") != "added"


def raw(name, number=60):
    """Legal rows of any data set: `number` days of eight issues, or one a day if its key asks."""
    entry, random = DATASETS[name], np.random.default_rng(4)
    issues = 1 if set(entry.key) <= {"Date", "ReadOn"} else 8
    size = number * issues
    date = pl.Series(np.repeat(np.datetime64("2024-01-01") + np.arange(number), issues))
    issue = np.tile(np.arange(issues), number)
    made = {
        "date": lambda field: date - dt.timedelta(3 if field.name != entry.day else 0),
        "text": lambda field: pl.Series(random.choice(WORDS, size)),
        "object": lambda field: pl.Series([f'{{"n": {n}}}' for n in range(size)]),
        "flag": lambda field: pl.Series(random.random(size) < 0.5),
        "factor": lambda field: pl.repeat(1.0, size, eager=True),
    }
    columns = {
        field.name: made.get(field.unit, lambda field: pl.Series(random.lognormal(5, 1, size)))(
            field
        )
        for field in entry.fields
    }
    texts = [field.name for field in entry.fields if field.unit == "text"]
    columns |= {
        key: pl.Series([f"{1301 + n}0" for n in issue]) for key in entry.key if key in texts
    }
    columns |= {at: pl.repeat("12:00", size, eager=True) for at in texts if at.endswith("Time")}
    whole = pl.DataFrame({name: columns[name] for name in entry.schema}).cast(dict(entry.schema))
    gaps = [
        pl.when(pl.Series(random.random(size) < 0.9)).then(pl.col(field.name)).alias(field.name)
        for field in entry.fields
        if not field.filled
        and field.name not in (*entry.key, entry.day)
        and "Time" not in field.name
    ]
    stamped = point_in_time.stamp(
        whole.with_columns(gaps), leaks.RULES[name], leaks.CLOSES, SESSIONS
    )
    return stamped.sort(entry.key)


def numbers(name, ends=False):
    """Numbers of audits that let the data set end, or go on."""
    return (number for number in range(1, 1000) if edits.ends(name, number) == ends)


def drawn(name, rows, clock="published", seed=None, ending=True):
    seed = (seed or next(numbers(name)), f"{name}/2024y")
    return edits.draw(rows, name, MOMENT, clock, leaks.RULES[name], seed, ending=ending)


@pytest.mark.parametrize("clock", ["published", "served"])
@pytest.mark.parametrize("name", DATASETS)
def test_what_was_known_stays_and_all_else_changes_legally(name, clock):
    rows, entry = raw(name), DATASETS[name]
    if name == "calendar":
        late = [pl.col("known_at", "served_at") + dt.timedelta(365)]
        rows = rows.with_columns(late)
    made = drawn(name, rows, clock)
    after = edits.apply(rows, name, made)
    seen = pl.col(point_in_time.COLUMN[clock]) <= MOMENT
    assert after.filter(seen).equals(rows.filter(seen))
    future = rows.filter(~seen)
    assert 0 < len(future) == len(made.filter(NOT_ADDED))
    assert set(made["_edit"]) >= {"altered", "deleted"}
    assert after.schema == rows.schema and after.select(entry.key).equals(
        after.sort(entry.key).select(entry.key)
    )
    moments = ["known_at", "served_at"]
    assert (after["known_at"] <= after["served_at"]).all()
    assert not after.select(pl.struct(*entry.key, *moments).is_duplicated().any()).item()
    filled = [field for field in entry.filled if field in rows.columns]
    assert after.select(pl.col(filled).null_count()).sum_horizontal().item() == 0


@pytest.mark.parametrize("name", sorted(set(DATASETS) - edits.INDISPENSABLE))
def test_a_data_set_may_end_with_the_day(name):
    rows = raw(name)
    seed = next(numbers(name, ends=True))
    after = edits.apply(rows, name, drawn(name, rows, seed=seed))
    assert after.equals(rows.filter(pl.col("known_at") <= MOMENT)) and len(after) < len(rows)
    assert "altered" in drawn(name, rows, seed=seed, ending=False)["_edit"]


def test_the_data_sets_that_a_market_is_made_of_go_on():
    assert not any(edits.ends(name, n) for name in edits.INDISPENSABLE for n in range(200))
    share = sum(edits.ends(name, n) for name in DATASETS for n in range(200)) / 200
    assert 1 < share < 5


@pytest.mark.parametrize("name", DATASETS)
def test_each_kind_of_field_changes_but_keys_days_and_moments(name):
    rows = raw(name, 300)
    if name == "calendar":
        rows = rows.with_columns(pl.col("known_at", "served_at") + dt.timedelta(365))
    made = drawn(name, rows).filter(edit_is("altered"))
    old = rows.with_row_index("_position").join(
        made.select("_position"), on="_position", how="semi"
    )
    entry = DATASETS[name]
    stay = {*entry.key, entry.day, "known_at", "served_at", "_position", "PubTime"}
    same = {column for column in old.columns if old[column].equals(made[column], null_equal=True)}
    assert same == stay & set(old.columns)


def edit_is(kind):
    return pl.col("_edit") == kind


def test_prices_of_a_bar_keep_their_order_and_factors_move_by_splits():
    shape = {"O": pl.col("C") * 1.01, "L": pl.col("C") * 0.98, "H": pl.col("C") * 1.03}
    rows = raw("bars", 300).with_columns(**shape)
    made = drawn("bars", rows).filter(edit_is("altered"))
    bars = made.drop_nulls("C")
    top, bottom = pl.max_horizontal("O", "C"), pl.min_horizontal("O", "C")
    assert bars.filter((top >= pl.col("H")) | (bottom <= pl.col("L"))).is_empty()
    assert bars.select((pl.col("H") / pl.col("L")).round(6).n_unique()).item() > 20
    assert 0.3 < bars.select((pl.col("O") < pl.col("C")).mean()).item() < 0.7
    splits = made["AdjFactor"].value_counts()
    assert set(splits["AdjFactor"]) == {1.0, 0.5}


def test_issues_are_delisted_and_listed_in_every_file_alike():
    codes = pl.DataFrame({"Code": [f"{n}0" for n in range(1300, 1700)]})
    day = raw("bars", 60).filter(pl.col("Date") == dt.date(2024, 2, 20)).head(1).drop("Code")
    rows = {"bars": day.join(codes, how="cross")}
    rows["master"] = raw("master", 60).head(1).drop("Code", "Date", "known_at", "served_at").join(
        rows["bars"].select("Date", "Code", "known_at", "served_at"), how="cross"
    )  # fmt: skip
    rows["master"] = rows["master"].select(raw("master", 1).columns)
    rows["bars"] = rows["bars"].select(raw("bars", 1).columns)
    gone, new = {}, {}
    for name, frame in rows.items():
        after = edits.apply(frame, name, drawn(name, frame))["Code"].unique().to_list()
        gone[name] = set(codes["Code"]) - set(after)
        new[name] = {code for code in after if code[3] == "Z"}
    assert len(gone["bars"] & gone["master"]) > 10 and len(new["bars"] & new["master"]) > 3
    assert max(len(codes) for codes in new.values()) <= 40


def test_corrections_reach_into_the_past_and_are_known_later():
    rows = raw("bars")
    made = drawn("bars", rows).filter(edit_is("added"), pl.col("Date") <= DAY)
    assert len(made) and (made["known_at"] > MOMENT).all() and (made["served_at"] > MOMENT).all()
    assert made["Date"].min() >= DAY - dt.timedelta(2 * DATASETS["bars"].reread)


def test_equal_seeds_draw_equal_futures_and_others_others():
    rows = raw("summary")
    assert drawn("summary", rows).equals(drawn("summary", rows))
    one, other, *_ = numbers("summary")
    assert not drawn("summary", rows, seed=one).equals(drawn("summary", rows, seed=other))


def test_edits_are_ranked_by_the_moment_at_which_they_are_known():
    made = {name: drawn(name, raw(name)) for name in ("bars", "topix")}
    frames, count = edits.ranked(made, "published")
    every = pl.concat([frame.select("_rank", "known_at") for frame in frames.values()])
    assert sorted(every["_rank"]) == list(range(count)) and count == sum(map(len, made.values()))
    assert every.sort("_rank")["known_at"].is_sorted()
    rows = raw("bars")
    none = edits.apply(rows, "bars", frames["bars"].filter(pl.col("_rank") < 0))
    assert none.equals(rows)


@given(st.integers(1, 400).flatmap(lambda n: st.lists(st.booleans(), min_size=n, max_size=n)))
def test_the_guilty_edit_turns_the_difference_on_within_the_bound(answers):
    shown = [False, *answers[:-1], True]
    asked = []
    rank = verdict.guilty(len(answers), lambda n: asked.append(n) or shown[n])
    assert not shown[rank] and shown[rank + 1]
    assert len(asked) <= math.ceil(math.log2(len(answers)))


# ---- days ----------------------------------------------------------------------------------------


def test_random_days_are_sessions_all_different_and_the_seed_decides():
    picked = [days.random_day(SESSIONS, draw, 5) for draw in range(len(SESSIONS) - 61)]
    assert set(picked) == set(SESSIONS[60:-1].tolist())
    assert picked != [days.random_day(SESSIONS, draw, 6) for draw in range(len(picked))]
    with pytest.raises(errors.UserError, match="audit.days asks for more days than the"):
        days.random_day(SESSIONS, len(picked), 5)


def test_a_chosen_day_lies_in_the_test_part():
    test = {"first": "2024-01-01", "last": "2024-01-28"}
    assert days.test_day(test, None) == dt.date(2024, 1, 12)
    assert days.test_day(test, dt.date(2024, 1, 4)) == dt.date(2024, 1, 4)
    with pytest.raises(errors.UserError, match=r"audit\.day 2024-02-02 is outside"):
        days.test_day(test, dt.date(2024, 2, 2))


# ---- comparison ----------------------------------------------------------------------------------

DATES = [dt.date(2024, 1, day) for day in (4, 5, 9)]
FIFTH = dt.date(2024, 1, 5)


def run_with(folder, values, stage="panel", dates=DATES):
    frame = pl.DataFrame({"date": dates, "code": ["13010"] * len(dates), "a": values, "b": values})
    files.write_parquet(frame, folder / "builds/x" / stage / "2024q1.parquet")
    return folder


@pytest.mark.parametrize(
    "values, difference",
    [
        ([0.0, None, 9.0], None),
        ([0.0, None, None], None),
        ([0.0, 2.0, 3.0], "2024-01-05 13010"),
        ([1e-300, None, 3.0], "2024-01-04 13010"),
        ([-0.0, None, 3.0], "2024-01-04 13010"),
    ],
)
def test_the_first_bit_that_differs_up_to_the_day_is_named(tmp_path, values, difference):
    before = run_with(tmp_path / "before", [0.0, None, 3.0])
    (row,) = compare.stages(before, run_with(tmp_path / "after", values), FIFTH)
    assert (row["rows"], row["later_rows"]) == (2, 1)
    assert (row["difference"] or {}).get("first") == difference
    assert not difference or (row["difference"]["column"], row["difference"]["columns"]) == ("a", 2)
    assert row["moved"] == (["a", "b"] if values[2] == 9.0 else [])


def test_a_row_that_is_missing_or_more_is_named(tmp_path):
    before = run_with(tmp_path / "before", [0.0, 1.0, 3.0])
    fewer = run_with(tmp_path / "after", [0.0, 3.0], dates=[DATES[0], DATES[2]])
    for builds in ((before, fewer), (fewer, before)):
        (row,) = compare.stages(*builds, FIFTH)
        found = row["difference"]
        assert (found["column"], found["first"]) == ("rows", "2024-01-05 13010")


def test_files_taken_over_are_not_compared(tmp_path):
    before = run_with(tmp_path / "before", [0.0, 1.0, 3.0])
    place = tmp_path / "after/builds/x/panel" / "2024q1.parquet"
    place.parent.mkdir(parents=True)
    place.hardlink_to(before / "builds/x/panel" / "2024q1.parquet")
    assert compare.stages(before, tmp_path / "after", FIFTH) == []


def record(stages):
    return {"day": str(FIFTH), "moment": MOMENT.isoformat(), "seed": 3, "from_raw": False,
            "rows_edited": {"bars": 1}, "stages": stages}  # fmt: skip


def test_the_table_sums_days_up_and_a_blind_audit_is_refused(tmp_path, caplog):
    caplog.set_level("INFO")
    before = run_with(tmp_path / "before", [1.0, None, 3.0])
    fine = compare.stages(before, run_with(tmp_path / "fine", [1.0, None, 4.0]), FIFTH)
    blind = compare.stages(before, run_with(tmp_path / "same", [1.0, None, 3.0]), FIFTH)
    (row,) = verdict.judge([record(fine), record(blind)], None)
    assert (row["days"], row["leaks"], row["rows"], row["moved"]) == (2, 0, 4, ["a", "b"])
    assert "panel" in verdict.text([row])
    assert " 2 raw rows changed, 16 values compared" in caplog.text
    with pytest.raises(errors.UserError, match=r"changed nothing that .*panel"):
        verdict.judge([record(blind)], None)
    with pytest.raises(errors.UserError, match="changed nothing that any stage could show"):
        verdict.judge([], None)


# ---- verdict -------------------------------------------------------------------------------------


class InProcess(rebuild.Rebuild):
    """A run of one family, of which `feature` computes the only file, without the workflow."""

    feature = staticmethod(leaks.centred_window)

    def _snakemake(self, targets):
        build(self.folder, targets, self.feature)


class OfTheUser(InProcess):
    """A run of the columns of the module mine.py."""

    feature = staticmethod(leaks.users_module)


def build(folder, targets, feature):
    paths = sorted((folder / "raw").rglob("*.parquet"))
    raws = {str(path.relative_to(folder)): files.read_parquet(path) for path in paths}
    for target in targets:
        files.write_parquet(feature(raws), folder / target)


def built_once(folder, kind, target):
    """Build `target` from the market's raw files; give what builds it again."""
    for path, rows in leaks.market().items():
        files.write_parquet(rows, folder / path)
    build(folder, [target], kind.feature)
    raws = [path.relative_to(folder) for path in sorted((folder / "raw").rglob("*.parquet"))]
    named = settings.read(configs.default(name="x", build="x"))
    yearly = named.model_copy(update={"spans": "year"})
    return kind(folder / "again", raws, yearly, leaks.RULES, 1)


@pytest.fixture
def run_of_a_leak(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return built_once(tmp_path, InProcess, "builds/x/features/ours/2021y.parquet")


def test_a_leak_is_refused_with_column_day_and_raw_row(run_of_a_leak):
    target = ["builds/x/features/ours/2021y.parquet"]
    found = verdict.audit(run_of_a_leak, leaks.DAY, leaks.MOMENT, 5, target)
    assert not run_of_a_leak.folder.exists() and found["rows_edited"]["bars"] > 1000
    assert json.loads(json.dumps(found)) == found
    sentence = (
        r"look-ahead: builds/x/features/ours/2021y\.parquet column x \(2021-04-2\d \w{5}\) "
        r"changes with a raw row that was not known when 2021-04-28 was decided, at "
        r"2021-04-28 1\d:\d\d JST: "
        r"raw/(master|bars)/2021y\.parquet Date 2021-0\d-\d\d, Code \w{5} \((altered|deleted)\), "
        r"known at 2021-0"
    )
    with pytest.raises(errors.UserError, match=sentence):
        verdict.judge([found], run_of_a_leak)
    assert not run_of_a_leak.folder.exists()


USERS = "builds/x/features/user/2021y.parquet"
HONEST = """
from gogooku.arrays import time_series as ts


def columns(panel):
    close = panel["close"]
    return {"range_20": ts.excess(ts.ts_max(close, 20, 14), ts.ts_min(close, 20, 14))}
"""
AHEAD = """
import numpy as np


def columns(panel):
    close = panel["close"]
    tomorrow = np.full(close.shape, np.nan)
    tomorrow[:-1] = close[1:] / close[:-1] - 1
    return {"gap": panel["open"] / close - 1, "tomorrow": tomorrow}
"""


def test_a_users_module_that_looks_ahead_is_named_with_column_day_and_raw_row(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(look_ahead, "refuse", lambda *_: None)  # which refuses it in its own job
    (tmp_path / "mine.py").write_text(AHEAD)
    again = built_once(tmp_path, OfTheUser, USERS)
    found = verdict.audit(again, leaks.DAY, leaks.MOMENT, 5, [USERS])
    (stage,) = found["stages"]
    assert stage["difference"]["columns"] == 1
    sentence = (
        r"look-ahead: builds/x/features/user/2021y\.parquet column tomorrow "
        r"\(2021-04-28 (\w{5})\) changes with a raw row that was not known when 2021-04-28 "
        r"was decided, at 2021-04-28 1\d:\d\d JST: "
        r"raw/(master|bars)/2021y\.parquet Date 2021-04-30, Code \1 \((altered|deleted)\), "
        r"known at 2021-0"
    )
    with pytest.raises(errors.UserError, match=sentence):
        verdict.judge([found], again)


def test_a_users_module_that_looks_back_passes_the_audit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(HONEST)
    again = built_once(tmp_path, OfTheUser, USERS)
    found = verdict.audit(again, leaks.DAY, leaks.MOMENT, 5, [USERS])
    (row,) = verdict.judge([found], again)
    assert (row["stage"], row["leaks"]) == ("features/user", 0) and "range_20" in row["moved"]


MODEL = "runs/x/models/ridge/fold0/seed0/model"


def test_a_fit_that_learnt_from_the_future_is_named(tmp_path):
    builds = [run_with(tmp_path / name, [1.0, None, 3.0]) for name in ("before", "after")]
    for folder, weight in zip(builds, (1.0, 2.0), strict=True):
        files.write_json({"weight": weight}, folder / MODEL)
    *_, fits = compare.stages(*builds, FIFTH)
    assert fits["difference"]["file"] == MODEL
    assert compare.of_file(*builds, MODEL, FIFTH) == compare.BYTES
    assert compare.of_file(builds[0], builds[0], "builds/x/panel/2024q1.parquet", FIFTH) is None


def test_earlier_spans_are_taken_over_and_the_days_own_is_not(run_of_a_leak):
    for span in ("2020y", "2021y", "2022y"):
        path = run_of_a_leak.build_folder / "panel" / f"{span}.parquet"
        files.write_parquet(pl.DataFrame({"date": [DAY]}), path)
    shutil.copy(run_of_a_leak.raw[0], run_of_a_leak.raw[0].with_name("2020y.parquet"))
    early = run_of_a_leak.raw[0].with_name("2020y.parquet")
    whole = InProcess(
        run_of_a_leak.folder, [*run_of_a_leak.raw, early],
        run_of_a_leak.settings, leaks.RULES, 1,
    )  # fmt: skip
    nothing = {str(path): pl.DataFrame() for path in whole.raw}
    whole.build(nothing, [], leaks.DAY)
    there = {path.name for path in (whole.folder / whole.build_folder / "panel").glob("*")}
    assert there == {"2020y.parquet"}
    assert (whole.folder / early).samefile(early)
