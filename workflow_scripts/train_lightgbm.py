"""Grow LightGBM's trees on one fold with one seed."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset.inputs import Days
from gogooku.models import lightgbm

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

wildcards, params, inputs = snakemake.wildcards, snakemake.params, snakemake.input
jobs.log_to(snakemake.log[0])

fold, scaler = files.read_json(inputs.fold), files.read_json(inputs.scaler)
days = Days.read(inputs.dataset, inputs.labels, None, scaler, fold["horizons"])

model = lightgbm.fit(
    days,
    days.part(fold["train"]),
    days.part(fold["valid"]),
    seed=int(wildcards.seed),
    threads=snakemake.threads,
    **params.lightgbm,
)
lightgbm.save(model, snakemake.output.model)
