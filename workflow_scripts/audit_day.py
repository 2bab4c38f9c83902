"""Change what was known after a random day, build its span again, and compare the past."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import calendar, run
from gogooku.audit import days, rebuild, verdict

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files, target = snakemake.params, snakemake.input, Path(snakemake.output[0])
run.log_to(snakemake.log[0])
setting, draw = knobs.setting, int(snakemake.wildcards.draw)

sessions = calendar.Sessions.read(files.calendar)
dates, seed = setting["dates"], setting["audit"]["seed"]
day = days.drawn(sessions.between(dates["start"], dates["end"]), draw, seed)
moment = days.moment(day, knobs.moment["decision"], knobs.moment["closes"])

raw = [Path(path) for path in files.raw]
house = rebuild.Rebuild(
    target.with_suffix(""), target.parents[1], raw, setting, knobs.known, snakemake.threads
)
run.write_json(verdict.audit(house, day, moment, seed + 1 + draw, None), target)
