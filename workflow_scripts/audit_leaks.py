"""Sum the audited days up, and name the first leak and the raw row behind it."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import run
from gogooku.audit import rebuild, verdict

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files, target = snakemake.params, snakemake.input, Path(snakemake.output[0])
run.log_to(snakemake.log[0])

told = [run.read_json(path) for path in [*files.days, files.models]]
raw = [Path(path) for path in files.raw]
house = rebuild.Rebuild(
    target.with_suffix(""), target.parents[1], raw, knobs.setting, knobs.known, snakemake.threads
)
stages = verdict.judge(told, house)
run.write_json({"days": told, "stages": stages}, target)
