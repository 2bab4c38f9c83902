import polars as pl
from gogooku.report import competition

SCORE = {"mean": 0.21, "low": 0.1, "high": 0.32, "days": 700}


def evaluations(**found):
    return {model: (pl.DataFrame(), {"competition": known}) for model, known in found.items()}


def test_models_stand_beside_the_podium_and_each_group_beside_its_own_luck():
    table = competition.table(evaluations(ridge={"score": SCORE, "stocks": 1890}, zero={}))
    (_, own), (_, podium) = table.groups
    assert [[cell.text for cell in row] for row in own] == [
        ["ridge", "0.210", "700", "1,890"],
        ["zero", "–", "–", "–"],
        ["best of 500 entries without skill, expected", "0.115", "700", ""],
    ]
    assert own[0][1].note == "[0.100, 0.320]"
    assert [row[1].text for row in podium] == ["0.381", "0.356", "0.352", "0.382"]


def test_without_a_score_there_is_no_table():
    older = {"ridge": (pl.DataFrame(), {})}
    assert competition.table(evaluations(ridge={})) is None
    assert competition.table(older) is None
