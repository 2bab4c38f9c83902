"""Change the future of every raw data set, rebuild, and compare the past bit by bit."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import audit, run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

fold = run.read_json(files.fold)
day = audit.chosen_day(fold["test"], knobs.setting["audit"]["day"])
moment = audit.moment_of(day, knobs.moment["decision"], knobs.moment["closes"])
house, folder = Path(files.fold).parents[1], Path(snakemake.output[0]).parent / "rebuild"

unknown = audit.rebuild(folder, files.raw, knobs.setting, moment, knobs.targets, snakemake.threads)
stages = audit.compare(house, folder / house, day)
audit.verdict(stages, day)
audit.discard(folder)
told = {"day": str(day), "rows_not_yet_known": unknown, "stages": stages}
run.write_json(told, snakemake.output[0])
