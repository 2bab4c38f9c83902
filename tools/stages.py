"""What each stage of a finished run cost, from the run's own benchmark files.

python tools/stages.py runs/demo
"""

import json
import sys
from pathlib import Path

import polars as pl


def main(run):
    """Print jobs, wall and CPU seconds and peak memory by stage, dearest first."""
    jobs = pl.DataFrame([_job(path) for path in sorted(run.glob("benchmarks/*/*.jsonl"))])
    stages = (
        jobs.group_by("stage")
        .agg(pl.len(), pl.sum("wall", "cpu"), pl.max("peak"))
        .sort("cpu", descending=True)
    )
    print(f"{'stage':<24}{'jobs':>6}{'wall s':>10}{'CPU s':>10}{'peak MB':>10}")
    for stage, count, wall, cpu, peak in stages.iter_rows():
        print(f"{stage:<24}{count:>6}{wall:>10.1f}{cpu:>10.1f}{peak:>10.0f}")
    total = f"{len(jobs):>6}{jobs['wall'].sum():>10.1f}{jobs['cpu'].sum():>10.1f}"
    print(f"{'all':<24}{total}{jobs['peak'].max():>10.0f}")


def _job(path):
    record = json.loads(path.read_text().splitlines()[-1])
    stage, name = path.parent.name, path.stem.split("-")[0]
    stage = f"{stage} {name}" if stage in ("fetch", "features", "train", "predict") else stage
    return {
        "stage": stage,
        "wall": float(record["s"]),
        "cpu": float(record["cpu_time"] or 0),
        "peak": float(record["max_rss"] or 0),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
