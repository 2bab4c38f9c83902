"""Fit one model on one fold with one seed."""

from pathlib import Path
from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset.inputs import ModelInputs
from gogooku.evaluation import ledger
from gogooku.models import dispatch, modules
from gogooku.models.contract import Checkpoint

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

wildcards, params, inputs = snakemake.wildcards, snakemake.params, snakemake.input
jobs.start(snakemake)
meanings = params.code, params.settings, wildcards.seed, params.refit
checkpoint = Checkpoint(Path(params.checkpoint), meanings, tuple(inputs))

fold, scaler = files.read_json(inputs.fold), files.read_json(inputs.scaler)
paths, width = (inputs.dataset, inputs.labels, inputs.graphs), params.neighbours
data = ModelInputs.read(*paths, scaler, fold["horizons"], params.columns, width)

module = modules.load(params.model)
job = dispatch.job(module, params.settings, int(wildcards.seed), snakemake.threads, checkpoint)
model = dispatch.fit(module, data, fold, job, params.refit)
ledger.fitted(snakemake, job.validation)
dispatch.save(module, model, snakemake.output.model)
files.write_lines(job.curve, snakemake.output.curve)
