"""Change what was known after a random day, build its span again, and compare the past."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import calendar, files, jobs
from gogooku.audit import days, rebuild, verdict

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs, target = snakemake.params, snakemake.input, Path(snakemake.output[0])
jobs.start(snakemake)
setting, draw = params.setting, int(snakemake.wildcards.draw)

sessions = calendar.Sessions.read(inputs.calendar)
dates, seed = setting["dates"], setting["audit"]["seed"]
day = days.drawn(sessions.between(dates["start"], dates["end"]), draw, seed)
moment = days.moment(day, params.moment["decision"], params.moment["closes"])

raw = [Path(path) for path in inputs.raw]
house = rebuild.Rebuild(target.with_suffix(""), raw, setting, params.known, snakemake.threads)
files.write_json(verdict.audit(house, day, moment, seed + 1 + draw, None), target)
