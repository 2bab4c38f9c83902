"""What vouches for a report: alarms, what audits certify, trials behind it, where it comes from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gogooku import files, layout
from gogooku.config.settings import Settings
from gogooku.errors import UserError
from gogooku.evaluation import certificate, ledger
from gogooku.evaluation.evaluate import Evaluations
from gogooku.report import provenance, tables

PLAUSIBLE = ((1, 0.06), (5, 0.08), (10, 0.10))
"""From a horizon on [sessions], the highest mean RankIC that is plausible on real stocks."""

HOW = {
    "leaks": "snakemake audit_leaks with this run's --configfile, or make audit for the demo",
    "noise": "snakemake audit_noise with config/noise.yaml laid over this run's, or make noise for "
    "the demo",
}
AGAIN = "; then write this page again (--forcerun report)"
PROVES = {
    "leaks": "no value of a day changes with what was not known on it",
    "noise": "no model finds anything where nothing is planted, nor in shuffled labels",
}


class Certificate(NamedTuple):
    """One audit, leaks or noise: whether it holds for this page, and what it says."""

    audit: str
    holds: bool
    text: str


def of(
    evaluations: Evaluations, settings: Settings, subject: str, raw: Sequence[str]
) -> dict[str, Any]:
    """Gather what the page says of how far it can be believed.

    subject   what a certificate of this code and these settings names (`certificate.subject`)
    raw       all raw files of the run

    Audits and the ledger are read as they stand: none of them is made for the page.
    """
    counted = ledger.trials(market=ledger.market(settings.source, settings.store))
    return {
        "alarms": alarms(evaluations, settings),
        "certificates": certificates(settings.name, subject, raw),
        "trials": trials(counted),
        "sharpes": counted.sharpe,
        "sealed": sealed(settings),
        "provenance": provenance.of(settings.name, raw),
    }


# ---- alarms --------------------------------------------------------------------------------------


def alarms(evaluations: Evaluations, settings: Settings) -> list[str]:
    """Say of each model and horizon whose RankIC is too good to be true what it exceeds."""
    found = []
    for horizon in tables.horizons(evaluations):
        for model in evaluations:
            scores = tables.scores(evaluations, model, horizon)
            if excess := _excess(scores, int(horizon), settings):
                mean = tables.at(scores, "rank_ic.mean")
                found.append(
                    f"{model} has RankIC {mean:.3f} at {tables.sessions(horizon)}, above {excess}"
                )
    return found


def _excess(scores: Mapping[str, Any], horizon: int, settings: Settings) -> str:
    """Name the bound that a RankIC exceeds; "" if there is none, or it may do so by luck."""
    mean, low = tables.at(scores, "rank_ic.mean"), tables.at(scores, "rank_ic.low")
    share, attainable = (
        tables.at(scores, f"truth.{path}") for path in ("share.low", "attainable.mean")
    )
    if share is not None and attainable is not None:
        beyond = share > 1 and attainable > 0
        text = (
            f"the {attainable:.3f} that the true expected returns reach, by more than its interval"
        )
        return text if beyond else ""
    if settings.source == "simulated" and any(settings.market.parts.model_dump().values()):
        return ""
    bound = max(most for first, most in PLAUSIBLE if horizon >= first)
    by_luck = low is not None and low <= 0  # one that never varies has no interval
    if mean is None or mean <= bound or by_luck:
        return ""
    return f"{bound:.2f}, the most that is plausible on real stocks"


# ---- certificates --------------------------------------------------------------------------------


def certificates(name: str, subject: str, raw: Sequence[str]) -> list[Certificate]:
    """Say whether each audit has passed on this code and, but for noise, on these data."""
    data = certificate.data(raw)
    noise = sorted(Path().glob(layout.audit("*", "noise")))
    return [
        _certificate("leaks", [Path(layout.audit(name, "leaks"))], {"code": subject, "data": data}),
        _certificate("noise", noise, {"code": subject}),
    ]


def _certificate(audit: str, paths: Sequence[Path], wanted: Mapping[str, str]) -> Certificate:
    """Take the newest of the audit's files that is about this code, else the newest of all."""
    papers = sorted(filter(None, map(_paper, paths)), key=lambda paper: paper["when"])
    fit = [paper for paper in papers if wanted.items() <= paper.items()]
    if fit:
        about = "this code and these data" if "data" in wanted else "this code"
        return Certificate(
            audit,
            True,
            f"audit_{audit} passed on {about} on {fit[-1]['when'][:10]}: {PROVES[audit]}.",
        )
    if papers:
        paper = papers[-1]
        other = " and ".join(
            words
            for key, words in (("code", "other code or settings"), ("data", "other data"))
            if key in wanted and paper[key] != wanted[key]
        )
        state = f"audit_{audit} passed on {paper['when'][:10]}, but on {other}"
    else:
        state = f"audit_{audit} has not passed yet"
    return Certificate(audit, False, f"{state}: run {HOW[audit]}{AGAIN}.")


def _paper(path: Path) -> dict[str, str] | None:
    """Read the certificate in an audit's file; None without one of this form."""
    try:
        content = files.read_json(path) if path.is_file() else None
    except UserError:
        return None
    paper = content.get("certificate") if isinstance(content, dict) else None
    return paper if isinstance(paper, dict) and {"code", "data", "when"} <= paper.keys() else None


# ---- trials --------------------------------------------------------------------------------------


def trials(counted: ledger.Trials) -> list[str]:
    """Say in sentences how many tries stand behind the page, and what of them is not known."""
    if not counted.runs:
        return ["No ledger of trials stands in this folder: how many came before is not known."]
    fits = ", ".join(f"{model} {count:,}" for model, count in counted.fits.items())
    runs = len(counted.runs)
    sentences = [
        f"{sum(counted.fits.values()):,} different fits{f' ({fits})' if fits else ''} and "
        f"{counted.evaluated:,} different configurations, a model's each, were evaluated in "
        f"{runs:,} run{'s' if runs > 1 else ''} of this folder on this market ({layout.LEDGER}). "
        "Who looks at many finds some that are good by luck."
    ]
    if counted.openings:
        times = "once" if counted.openings == 1 else f"{counted.openings:,} times"
        sentences.append(f"A sealed period was opened {times}: its days are no longer unseen.")
    return sentences + [f"{fault}." for fault in counted.faults]


def sealed(settings: Settings) -> str:
    """Say what is sealed; "" if nothing is."""
    first = settings.evaluation.sealed
    if not first:
        return ""
    if settings.open_sealed:
        return f"The days from {first} on were sealed and are opened here."
    return (
        f"The days from {first} on are sealed: they are neither evaluated nor shown, and neither "
        "is what ends in them. --config open_sealed=true opens them, and is counted."
    )
