"""Features that look ahead are caught with column, day and raw row; others are left alone."""

import polars as pl
import pytest
from gogooku.audit import compare, edits, verdict
from helpers import leaks

PAST = pl.col("date") <= leaks.DAY
NUMBER = 4  # lets topix end, and draws a split that leaks show


def dataset(name):
    return name.split("/")[1]


@pytest.fixture(scope="module")
def changes():
    """Every edit of the market's future, ranked, and their count."""
    drawn = {
        name: edits.draw(
            rows,
            dataset(name),
            leaks.MOMENT,
            "published",
            leaks.RULES[dataset(name)],
            (NUMBER, name),
            ending=True,
        )
        for name, rows in leaks.market().items()
    }
    return edits.ranked(drawn, "published")


def changed(changes, number):
    """The raw market with the first `number` edits."""
    first = {name: frame.filter(pl.col(edits.RANK) < number) for name, frame in changes.items()}
    return {
        name: edits.apply(rows, dataset(name), first[name]) for name, rows in leaks.market().items()
    }


@pytest.mark.parametrize("feature", leaks.HONEST, ids=lambda function: function.__name__)
def test_a_feature_that_looks_back_passes_and_could_have_failed(feature, changes):
    before, after = feature(leaks.market()), feature(changed(*changes))
    assert compare.difference(before.filter(PAST), after.filter(PAST)) is None
    assert before.filter(PAST)["x"].is_not_null().mean() > 0.3
    assert compare.difference(before.filter(~PAST), after.filter(~PAST))


@pytest.mark.parametrize("feature", leaks.LEAKS, ids=lambda function: function.__name__)
def test_a_planted_leak_is_caught_with_column_day_and_raw_row(feature, changes):
    expected, (frames, count) = feature(leaks.market()).filter(PAST), changes

    def shown(number):
        return compare.difference(expected, feature(changed(frames, number)).filter(PAST))

    difference = shown(count)
    assert difference["column"] == ("rows" if feature is leaks.survivors_only else "x")
    assert difference["first"] <= f"{leaks.DAY} Z"
    rank = verdict.guilty(count, lambda number: shown(number) is not None)
    assert shown(rank) is None and shown(rank + 1)
    datasets, holds = leaks.LEAKS[feature]
    name = next(name for name, frame in frames.items() if rank in frame[edits.RANK])
    row = frames[name].row(by_predicate=pl.col(edits.RANK) == rank, named=True)
    assert dataset(name) in datasets
    assert row["known_at"] > leaks.MOMENT and holds(row, leaks.MOMENT)
    sentence = verdict.describe(frames, rank, "published")
    assert sentence.startswith(name) and str(row[edits.EDIT]) in sentence
