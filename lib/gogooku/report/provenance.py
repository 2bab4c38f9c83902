"""Where a page comes from: when, on what machine, by what code and packages, from what data.

Nothing here decides a number of the page, and none of it is an input: a page is not written again
because a clock or a machine has changed.
"""

import datetime as dt
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl
import psutil

from gogooku import files, layout
from gogooku.evaluation import certificate

ROOT = Path(__file__).parents[3]
PACKAGES = ("snakemake", "numpy", "polars", "torch", "torch-geometric", "lightgbm", "scikit-learn")
"""Packages that decide numbers, and the one that decides what runs."""
UNKNOWN = "unknown"
GRAPHICS = Path("/proc/driver/nvidia/gpus")


def of(name: str, raw: Sequence[str]) -> dict[str, Any]:
    """Say where the page of the run `name` comes from; raw: its raw files."""
    return {
        "written": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
        "commit": commit(),
        "packages": {"python": platform.python_version()}
        | {own: _version(own) for own in PACKAGES},
        "machine": machine(),
        "fetched": fetched(raw),
        "data": certificate.data(raw),
        "stages": stages(Path(layout.run_folder(name))).to_dicts(),
    }


def commit() -> str:
    """Name the commit of this code, and whether files differ from it; "unknown" without git."""
    try:
        hashed = _git("rev-parse", "HEAD").strip()[:12]
        changed = _git("status", "--porcelain", "--untracked-files=no").strip()
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return f"{hashed}, with changes" if changed else hashed


def _git(*words: str) -> str:
    command = ["git", "-C", str(ROOT), *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return UNKNOWN


def machine() -> str:
    """Name processor, cores, memory and graphics card of this machine."""
    cores = os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    cards = [
        line.partition(":")[2].strip()
        for path in GRAPHICS.glob("*/information")
        for line in path.read_text().splitlines()
        if line.startswith("Model")
    ]
    own = f"{platform.system()}, {_processor()}, {cores} cores, {memory:.0f} GB"
    return f"{own}, {', '.join(cards) or 'no GPU'}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def fetched(raw: Iterable[str]) -> dict[str, str] | None:
    """Give when the first and the last answer came that raw files hold; None if none says so."""
    about = [files.read_metadata(path) for path in raw]
    first = [own["fetched_first"] for own in about if "fetched_first" in own]
    last = [own["fetched_last"] for own in about if "fetched_last" in own]
    return {"first": min(first)[:16], "last": max(last)[:16]} if first and last else None


def stages(run: Path) -> pl.DataFrame:
    """What each stage of a run cost, dearest first: stage, jobs, wall, cpu [s], peak [MB].

    Jobs that another run had done before, on a shared build, stand in that run's folder.
    """
    jobs = [_job(path) for path in sorted(run.glob("benchmarks/*/*.jsonl"))]
    schema = {"stage": pl.String, "wall": pl.Float64, "cpu": pl.Float64, "peak": pl.Float64}
    return (
        pl.DataFrame(jobs, schema=schema)
        .group_by("stage")
        .agg(pl.len().alias("jobs"), pl.sum("wall", "cpu"), pl.max("peak"))
        .sort("cpu", "stage", descending=[True, False])
    )


def _job(path: Path) -> dict[str, Any]:
    with files.reading(path):
        record = json.loads(path.read_text().splitlines()[-1])
    stage, name = path.parent.name, path.stem.split("-")[0]
    several = stage in ("fetch", "features", "train", "predict")
    return {
        "stage": f"{stage} {name}" if several else stage,
        "wall": float(record["s"]),
        "cpu": float(record["cpu_time"] or 0),
        "peak": float(record["max_rss"] or 0),
    }
