"""Solve the ridge regression of one fold."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset.inputs import Days
from gogooku.models import ridge

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.log_to(snakemake.log[0])

fold, scaler = files.read_json(inputs.fold), files.read_json(inputs.scaler)
days = Days.read(inputs.dataset, inputs.labels, None, scaler, fold["horizons"])

model = ridge.fit(days, days.part(fold["train"]), **params.ridge)
ridge.save(model, snakemake.output.model)
