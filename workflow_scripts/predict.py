"""Predict one fold's test part with what one seed has learnt."""

from dataclasses import replace
from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset.inputs import ModelInputs
from gogooku.models import dispatch, modules

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

wildcards, params, inputs = snakemake.wildcards, snakemake.params, snakemake.input
jobs.start(snakemake)

fold, scaler = files.read_json(inputs.fold), files.read_json(inputs.scaler)
paths, width = (inputs.dataset, None, inputs.graphs), params.neighbours
data = ModelInputs.read(*paths, scaler, fold["horizons"], params.columns, width)

module = modules.load(params.model)
job = dispatch.job(module, params.settings, int(wildcards.seed), snakemake.threads)
model = dispatch.load(module, inputs.model)
test = data.part({**fold["test"], "last": params.until})
job = replace(job, others=dispatch.others(inputs.others, data, test))
rows = dispatch.predict(module, model, data, test, job)
files.write_parquet(rows, snakemake.output[0])
