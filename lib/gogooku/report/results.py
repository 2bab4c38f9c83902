"""What a finished run found, as a table for the terminal."""

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gogooku import files, layout
from gogooku.errors import UserError

MEAN_OF_SEEDS = "-1"
UNKNOWN = "unknown"

Summaries = Mapping[str, Mapping[str, Any]]


def read(run: Path) -> dict[str, Any]:
    """Read the evaluations in a run's folder, by model; UserError if one cannot be read."""
    return {path.stem: files.read_json(path) for path in sorted(run.glob("evaluation/*.json"))}


def of_run(run: Path) -> str:
    """Give the table of the run in a folder and its report's verdict, or why there is none."""
    try:
        return "\n".join([table(read(run)), *_verdict(Path(layout.record(run.name)))])
    except UserError as error:
        return f"no table of results: {error}"
    except (KeyError, StopIteration):
        return f"no table of results: {run}/evaluation holds none of this release"


def _verdict(record: Path) -> list[str]:
    said = files.read_json(record)["verdict"] if record.is_file() else []
    return [textwrap.fill(sentence, 100, subsequent_indent="  ") for sentence in said]


def after_audit(jobs: Iterable[Any]) -> str:
    """Give a line on how the report takes up what audits among `jobs` certify; "" without any."""
    audits = sorted({job.rule.name for job in jobs} & {"audit_leaks", "audit_noise"})
    if not audits:
        return ""
    return (
        f"{' and '.join(audits)} passed. A report says so once it is written again: "
        "snakemake report --forcerun report, with the settings of its run\n"
    )


def standing(names: Iterable[str]) -> str:
    """Name by twelve hex digits what stands in the folders of runs, as far as it is compared."""
    paths = [
        path
        for name in names
        for path in (
            *Path(layout.run_folder(name)).glob("evaluation/*.*"),
            Path(layout.record(name)),
        )
        if path.is_file()
    ]
    return files.fingerprint(sorted(map(str, paths)), files=sorted(paths))


def after_comparison(jobs: Iterable[Any]) -> str:
    """Give the differences that a comparison among `jobs` found, and its page; "" without one."""
    made = [job for job in jobs if job.rule.name == "compare"]
    return "".join(
        f"{compared(job.output.numbers)}\ncomparison: {job.output.page}\n" for job in made
    )


def compared(numbers: str | Path) -> str:
    """Lay out the differences of runs that stand in a comparison's JSON."""
    content = files.read_json(numbers)
    rows = content["differences"]
    lines = [f"{text}." for text in content["remarks"]]
    width = max((len(row["model"]) for row in rows), default=0) + 2
    for pair in dict.fromkeys((row["run"], row["against"]) for row in rows):
        lines.append(f"RankIC of {pair[0]} less that of {pair[1]} [interval], on the same days")
        for row in rows:
            if (row["run"], row["against"]) == pair:
                known = interval(row) if row["low"] is not None else ""
                verdict = row["verdict"] or "too few days tell"
                lines.append(f"{row['model']:<{width}}{row['horizon']:>3}d{known:>25}  {verdict}")
    return "\n".join(lines)


def table(summaries: Summaries) -> str:
    """Lay out RankIC of each model and horizon, and the Sharpe ratio at the first horizon."""
    horizons = sorted(next(iter(summaries.values()))["horizons"], key=int)
    width = max(map(len, [*summaries, "model"])) + 2
    lines = [
        "RankIC, mean of seeds [interval]; Sharpe ratio of long-short, net of costs, at the "
        "first horizon",
        "".join([f"{'model':<{width}}", *(f"{h + 'd':>25}" for h in horizons), f"{'Sharpe':>9}"]),
    ]
    for name, summary in summaries.items():
        rows = [summary["horizons"][h][MEAN_OF_SEEDS] for h in horizons]
        cells = [interval(row["rank_ic"]) for row in rows]
        sharpe = rows[0]["long_short"]["net"]["sharpe"]["mean"]
        last = UNKNOWN if sharpe is None else f"{sharpe:.2f}"
        lines.append("".join([f"{name:<{width}}", *(f"{c:>25}" for c in cells), f"{last:>9}"]))
    return "\n".join(lines)


def interval(estimate: Mapping[str, float | None]) -> str:
    """Show mean and bounds."""
    mean, low, high = (estimate[key] for key in ("mean", "low", "high"))
    if mean is None or low is None or high is None:
        return UNKNOWN
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"
