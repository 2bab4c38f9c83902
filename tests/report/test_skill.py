"""Where skill lies, as the report shows it."""

import pytest
from gogooku.report import skill, skill_plots


def estimate(mean):
    return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01, "days": 100}


@pytest.fixture
def evaluations():
    """Two models, of which one has no breakdowns; keys are in the order of sorted JSON."""
    ages = {age: estimate(0.05 / (1 + int(age))) for age in ("0", "1", "10", "2", "20", "5")}
    thirds = {"high": estimate(0.03), "low": estimate(0.01), "middle": estimate(0.02)}
    where = {
        "groups": {"year": {"2021": estimate(0.05), "2022": estimate(0.06)}, "size": thirds},
        "deciles": [estimate(decile / 1e4) for decile in range(-5, 5)],
        "monotonicity": estimate(0.5),
        "decay": {"1": ages, "5": ages},
        "exposures": {
            "beta": {"market": estimate(0.1)},
            "traits": {"size": estimate(-0.2)},
            "sectors": {"3250": estimate(0.12), "9050": estimate(-0.08)},
        },
    }
    summary = {"entry": "next_close", "confidence": 0.95, "truth": {}}
    known = summary | {"horizons": {"5": {"-1": {}}}, "breakdowns": {"5": where}}
    return {"ridge": (None, known), "zero": (None, summary | {"horizons": {"5": {"-1": {}}}})}


def texts(rows):
    return [[cell.text for cell in row] for row in rows]


def test_groups_stand_in_the_order_of_their_size_and_time(evaluations):
    (table,) = skill.build(evaluations)["groups"].values()
    assert table.head == ["<Part", "ridge", "zero"]
    assert [title for title, _ in table.groups] == ["By year", "By market value"]
    assert texts(table.groups[0][1]) == [["2021", "+0.050", "–"], ["2022", "+0.060", "–"]]
    assert [row[0] for row in texts(table.groups[1][1])] == ["low", "middle", "high"]


def test_exposures_name_indices_traits_and_sectors(evaluations):
    table = skill.build(evaluations)["exposures"]
    assert table.head == ["<Model", "Beta, predicted stocks", "Size", "<Sectors, net weight"]
    ridge, zero = texts(table.groups[0][1])
    assert ridge == ["ridge", "+0.10", "−0.20", "3250 +12.0%, 9050 −8.0%"]
    assert zero == ["zero", "–", "–", "–"]
    assert texts(skill.build(evaluations)["monotonicity"].groups[0][1])[0] == ["ridge", "+0.500"]


def test_without_breakdowns_there_is_nothing(evaluations):
    assert skill.build({"zero": evaluations["zero"]}) == {}


def test_ages_are_drawn_in_their_order_and_deciles_in_basis_points(evaluations):
    (axes,) = skill_plots.decay(evaluations).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "0",
        "1",
        "2",
        "5",
        "10",
        "20",
    ]
    falling = axes.lines[0].get_ydata()
    assert list(falling) == sorted(falling, reverse=True)
    (axes,) = skill_plots.deciles(evaluations).axes
    assert [bar.get_height() for bar in axes.patches] == pytest.approx(range(-5, 5))
