"""Change what was known after a day of the first test part, build its fold again, compare."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.audit import days, rebuild, verdict
from gogooku.config import settings as settings_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs, target = snakemake.params, snakemake.input, Path(snakemake.output[0])
jobs.start(snakemake)
settings = settings_of.read(params.settings)

day = days.test_day(
    {**files.read_json(inputs.fold)["test"], "last": params.until}, settings.audit.day
)
moment = days.moment(day, params.moment["decision"], params.moment["closes"])

raw = [Path(path) for path in inputs.raw]
build = rebuild.Rebuild(target.with_suffix(""), raw, settings, params.known, snakemake.threads)
audited = verdict.audit(build, day, moment, settings.audit.seed, params.targets)
files.write_json(audited, target)
