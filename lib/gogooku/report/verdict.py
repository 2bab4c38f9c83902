"""What a run found, in at most five sentences that follow from its numbers by rule.

Whoever reads only these must not be misled, so they share one error rate, that of the intervals:
half of it goes to what is said of ranks, over all horizons, and half to what is said of skill, over
all models and horizons. On pure noise they claim anything in at most so many runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gogooku.evaluation import comparison, inference
from gogooku.evaluation.comparison import ConfidenceSet
from gogooku.evaluation.evaluate import Evaluations
from gogooku.report import tables
from gogooku.report.assurance import Certificate
from gogooku.report.judgement import Book, Judgement


def sentences(
    evaluations: Evaluations,
    judgement: Judgement,
    yardstick: str,
    certificates: Sequence[Certificate] = (),
) -> list[str]:
    """Say who leads, who is below the yardstick, who has skill, what costs leave, what backs it.

    yardstick      the model that the settings compare others with
    certificates   of the audits, as the head of the page shows them
    """
    rules = next(iter(evaluations.values()))[1]
    size = share(rules["confidence"])
    said = [
        _leaders(judgement.sets, size),
        _against(judgement, yardstick, size),
        _skill(evaluations, size),
        _costs(evaluations, judgement.books, judgement.trials),
        _backing(evaluations, judgement.trials, certificates),
    ]
    return [sentence for sentence in said if sentence]


def share(confidence: float) -> float:
    """Give the error rate of what is said of ranks, and of what is said of skill."""
    return (1 - confidence) / 2


# ---- ranks ---------------------------------------------------------------------------------------


def leading(found: ConfidenceSet, size: float) -> list[str] | None:
    """Name the models that cannot be told from the best at an error rate; None if days are few."""
    if any(np.isnan(p) for p in found.p.values()):
        return None
    return [model for model, p in found.p.items() if p > size]


def ranked(sets: Sequence[ConfidenceSet], size: float) -> list[int]:
    """Give the horizons at which some model is below others, with one error rate for all."""
    each = size / max(len(sets), 1)
    return [
        found.horizon
        for found in sets
        if (own := leading(found, each)) is not None and len(own) < len(found.p)
    ]


def _leaders(sets: Sequence[ConfidenceSet], size: float) -> str:
    sets = [found for found in sets if len(found.p) > 1]
    where: dict[str, list[int]] = {}
    for found in sets:
        own = leading(found, size / len(sets))
        if own is None:
            text = "too few days tell models apart"
        elif len(own) == len(found.p):
            text = "no model can be told from another"
        elif len(own) == 1:
            text = f"{own[0]} leads"
        elif len(behind := [model for model in found.p if model not in own]) < len(own):
            verb = "is" if len(behind) == 1 else "are"
            text = f"{_all_of(behind)} {verb} behind, and the others cannot be told from the best"
        else:
            text = f"{_all_of(own)} lead and cannot be told from each other"
        where.setdefault(text, []).append(found.horizon)
    clauses = [f"{_at(horizons, sets)} {text}" for text, horizons in where.items()]
    return _sentence(clauses)


def _against(judgement: Judgement, yardstick: str, size: float) -> str:
    """Say who is below or above the yardstick, where ranks can be told at all."""
    rows = [row for row in judgement.differences if row.horizon in ranked(judgement.sets, size)]
    clauses = []
    for verdict in ("lower", "higher"):
        horizons: dict[str, list[int]] = {}
        for row in rows:
            if row.verdict == verdict:
                horizons.setdefault(row.model, []).append(row.horizon)
        if horizons:
            side = "below" if verdict == "lower" else "above"
            clauses.append(
                f"{side} {yardstick}, the yardstick: {_by_model(horizons, judgement.sets)}"
            )
    if rows and not clauses:
        return f"No model is surely below or above {yardstick}, the yardstick."
    return _sentence(clauses)


# ---- skill ---------------------------------------------------------------------------------------


def _skill(evaluations: Evaluations, size: float) -> str:
    """Say whose RankIC is above 0, and whose is not, corrected for all models and horizons."""
    horizons = tables.horizons(evaluations)
    pairs = [(model, horizon) for horizon in horizons for model in evaluations]
    means, p = zip(*(_mean_and_p(evaluations, *pair) for pair in pairs), strict=True)
    count = int(np.isfinite(p).sum())
    above: dict[str, list[int]] = {}
    for (model, horizon), own, mean in zip(pairs, comparison.holm(p), means, strict=True):
        if own < size and mean > 0:
            above.setdefault(model, []).append(int(horizon))
    if not count:
        return "Too few days tell whether any model has skill."
    if not above:
        return f"No model shows skill: of {count} mean RankICs none is surely above 0."
    rest = [model for model in evaluations if model not in above]
    none = f"; {_all_of(rest)} {'shows' if len(rest) == 1 else 'show'} none" if rest else ""
    return f"Skill, a RankIC surely above 0, is shown by {_by_model(above, horizons)}{none}."


def _mean_and_p(evaluations: Evaluations, model: str, horizon: str) -> tuple[float, float]:
    known = tables.scores(evaluations, model, horizon).get("rank_ic")
    if not known or known["error"] is None:
        return np.nan, np.nan
    estimate = inference.Estimate(known["mean"], known["error"], days=known["days"])
    reach = inference.reach(int(horizon), evaluations[model][1]["entry"])
    return estimate.mean, inference.p_value(estimate, reach)


# ---- costs ---------------------------------------------------------------------------------------


def _costs(evaluations: Evaluations, books: Sequence[Book], trials: int) -> str:
    """Say which long–short books keep a gain after costs, also among all trials."""
    nets = {}
    for book in books:
        scores = tables.scores(evaluations, book.model, str(book.horizon))
        sharpe = tables.at(scores, "long_short.net.sharpe")
        if sharpe and sharpe["mean"] is not None:
            nets[book] = sharpe
    if not nets:
        return ""
    best = max(nets, key=lambda book: float(nets[book]["mean"]))
    mean, low, high = (nets[best][name] for name in ("mean", "low", "high"))
    interval = f" [{_signed(low)}, {_signed(high)}]" if low is not None else ""
    about = (
        f"the best, {best.model} at {tables.sessions(str(best.horizon))}, has a net Sharpe ratio "
        f"of {_signed(mean)}{interval}"
    )
    if mean <= 0:
        return f"Nothing survives costs: every long–short book loses after them; {about}."
    size = 1 - evaluations[best.model][1]["confidence"]
    kept: dict[str, list[int]] = {}
    for book in nets:
        # Bonferroni over all trials. A deflated ratio would take true differences for luck too.
        if (1 - book.deflated.probabilistic) * trials < size:
            kept.setdefault(book.model, []).append(book.horizon)
    if kept:
        horizons = sorted({book.horizon for book in nets})
        return (
            f"After costs a gain that {trials:,} trials do not explain is left to the long–short "
            f"books of {_by_model(kept, horizons)}; {about}."
        )
    luck = f"beyond what the best of {trials:,} trials reaches by luck"
    missed = luck if low is not None and low > 0 else "surely above 0"
    return (
        f"Nothing surely survives costs: no long–short book's net Sharpe ratio is {missed}; "
        f"{about}."
    )


# ---- what backs it -------------------------------------------------------------------------------


def _backing(evaluations: Evaluations, trials: int, certificates: Sequence[Certificate]) -> str:
    """Say what so many days can show, how many trials there were, and which audits have passed."""
    days = max(summary["days"] for _, summary in evaluations.values())
    horizons = tables.horizons(evaluations)
    shown = []
    for horizon in dict.fromkeys((horizons[:1] + horizons[-1:]) if horizons else []):
        known = [
            tables.at(tables.scores(evaluations, model, horizon), "rank_ic.detectable")
            for model in evaluations
        ]
        finite = [value for value in known if value is not None]
        if finite:
            shown.append(f"{np.median(finite):.3f} at {tables.sessions(horizon)}")
    power = (
        f"{days:,} test days show a true RankIC of {' and '.join(shown)} four times in five"
        if shown
        else f"{days:,} test days are too few for an interval"
    )
    text = f"{power}; {trials:,} books have been tried on this market"
    missing = [own.audit for own in certificates if not own.holds]
    if certificates and not missing:
        text += ", and both audits have passed on this code"
    elif missing:
        text += f", and {_all_of([f'audit_{audit}' for audit in missing])} "
        text += "has not passed on this code" if len(missing) == 1 else "have not passed on it"
    return f"{text}."


# ---- words ---------------------------------------------------------------------------------------


def _by_model(horizons: Mapping[str, list[int]], every: Sequence[Any]) -> str:
    """Name models and their horizons, together those of which the same is said."""
    models: dict[tuple[int, ...], list[str]] = {}
    for model, own in horizons.items():
        models.setdefault(tuple(own), []).append(model)
    return ", ".join(f"{_all_of(names)} {_at(own, every)}" for own, names in models.items())


def _at(horizons: Sequence[int], every: Sequence[Any]) -> str:
    """Name horizons; `every` has one entry for each that there is."""
    if len(horizons) == len(every) > 1:
        return "at every horizon"
    names = [str(horizon) for horizon in horizons]
    return f"at {_all_of(names)} session{'' if names == ['1'] else 's'}"


def _all_of(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _sentence(clauses: Iterable[str]) -> str:
    text = "; ".join(clauses)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _signed(value: float) -> str:
    return tables.number(value, "{:+,.2f}")
