"""Sum the audited days up, and name the first leak and the raw row behind it."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.audit import rebuild, verdict
from gogooku.config import settings as settings_of
from gogooku.evaluation import certificate

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs, target = snakemake.params, snakemake.input, Path(snakemake.output[0])
jobs.start(snakemake)

days = [files.read_json(path) for path in [*inputs.days, inputs.models]]
raw = [Path(path) for path in inputs.raw]
settings = settings_of.read(params.settings)
build = rebuild.Rebuild(target.with_suffix(""), raw, settings, params.known, snakemake.threads)
stages = verdict.judge(days, build)
paper = certificate.issue(params.certified, raw)
files.write_json({"days": days, "stages": stages, "certificate": paper}, target)
