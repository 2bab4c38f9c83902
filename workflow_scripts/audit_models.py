"""Change what was known after a day of the first test part, build its whole fold again, compare."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import run
from gogooku.audit import days, rebuild, verdict

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files, target = snakemake.params, snakemake.input, Path(snakemake.output[0])
run.log_to(snakemake.log[0])
setting = knobs.setting

day = days.chosen(run.read_json(files.fold)["test"], setting["audit"]["day"])
moment = days.moment(day, knobs.moment["decision"], knobs.moment["closes"])

raw = [Path(path) for path in files.raw]
house = rebuild.Rebuild(
    target.with_suffix(""), target.parents[1], raw, setting, knobs.known, snakemake.threads
)
told = verdict.audit(house, day, moment, setting["audit"]["seed"], knobs.targets)
run.write_json(told, target)
