"""The report's table on the score of the public competition whose data an archive holds."""

from gogooku.evaluation import competition
from gogooku.evaluation.evaluate import Evaluations
from gogooku.report import tables
from gogooku.report.tables import COUNT, NONE, Cell, Table

SCORE = "{:,.3f}"


def table(evaluations: Evaluations) -> Table | None:
    """Each model's score beside the competition's podium, and what luck reaches; None without one.

    The expected best of entries without skill stands in both groups, each for its own days.
    """
    found = {model: summary.get("competition") for model, (_, summary) in evaluations.items()}
    days = max((known["score"]["days"] for known in found.values() if known), default=0)
    if not days:
        return None
    own = [_row(model, known) for model, known in found.items()]
    podium = [
        [
            Cell(f"{place} place"),
            Cell(SCORE.format(mean)),
            Cell(str(competition.DAYS)),
            Cell("2,000"),
        ]
        for place, mean in competition.PODIUM.items()
    ]
    groups = [
        ("This run's test days", [*own, _luck(days)]),
        ("The competition, July to October 2022", [*podium, _luck(competition.DAYS)]),
    ]
    return Table(["<Entry", "Score", "Days", "Stocks a day"], groups)


def _row(model: str, known: dict | None) -> list[Cell]:
    if not known:
        return [Cell(model), *[Cell(NONE)] * 3]
    score = known["score"]
    counts = [Cell(tables.number(count, COUNT)) for count in (score["days"], known["stocks"])]
    return [Cell(model), tables.interval(score, SCORE), *counts]


def _luck(days: int) -> list[Cell]:
    expected = SCORE.format(competition.of_luck(days))
    name = f"best of {competition.ENTRIES} entries without skill, expected"
    return [Cell(name, look="mute"), Cell(expected, look="mute"), Cell(f"{days:,}"), Cell("")]
