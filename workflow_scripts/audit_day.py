"""Change what was known after a random day, build its span again, and compare the past."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs
from gogooku.audit import days, rebuild, verdict
from gogooku.config import settings as settings_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs, target = snakemake.params, snakemake.input, Path(snakemake.output[0])
jobs.start(snakemake)
settings, draw = settings_of.read(params.settings), int(snakemake.wildcards.draw)

sessions = calendar.Sessions.read(inputs.calendar)
period, seed = settings.dates, settings.audit.seed
day = days.random_day(sessions.between(period.start, period.end), draw, seed)
moment = days.moment(day, params.moment["decision"], params.moment["closes"])

raw = [Path(path) for path in inputs.raw]
build = rebuild.Rebuild(target.with_suffix(""), raw, settings, params.known, snakemake.threads)
files.write_json(verdict.audit(build, day, moment, seed + 1 + draw, None), target)
