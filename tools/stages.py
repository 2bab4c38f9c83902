"""What each stage of a finished run cost, from the run's own benchmark files.

PYTHONPATH=lib python tools/stages.py runs/demo
"""

import sys
from pathlib import Path

from gogooku.report import provenance


def main(run):
    """Print jobs, wall and CPU seconds and peak memory by stage, dearest first."""
    stages = provenance.stages(run)
    print(f"{'stage':<24}{'jobs':>6}{'wall s':>10}{'CPU s':>10}{'peak MB':>10}")
    for stage, wall, cpu, peak, jobs in stages.select(
        "stage", "wall", "cpu", "peak", "jobs"
    ).iter_rows():
        print(f"{stage:<24}{jobs:>6}{wall:>10.1f}{cpu:>10.1f}{peak:>10.0f}")
    total = f"{stages['jobs'].sum():>6}{stages['wall'].sum():>10.1f}{stages['cpu'].sum():>10.1f}"
    print(f"{'all':<24}{total}{stages['peak'].max():>10.0f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
