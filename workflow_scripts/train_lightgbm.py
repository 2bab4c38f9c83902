"""Grow LightGBM's trees on one fold with one seed."""

from typing import TYPE_CHECKING

from gogooku import run
from gogooku.days import Days
from gogooku.models import trees

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

me, knobs, files = snakemake.wildcards, snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

fold, scaler = run.read_json(files.fold), run.read_json(files.scaler)
days = Days.read(files.dataset, files.labels, None, scaler, fold["horizons"])

model = trees.fit(
    days,
    days.part(fold["train"]),
    days.part(fold["valid"]),
    seed=int(me.seed),
    threads=snakemake.threads,
    **knobs.lightgbm,
)
trees.save(model, snakemake.output.model)
