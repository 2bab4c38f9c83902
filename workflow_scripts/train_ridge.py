"""Solve the ridge regression of one fold."""

from typing import TYPE_CHECKING

from gogooku import run
from gogooku.days import Days
from gogooku.models import linear

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs, files = snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

fold, scaler = run.read_json(files.fold), run.read_json(files.scaler)
days = Days.read(files.dataset, files.labels, None, scaler, fold["horizons"])

model = linear.fit(days, days.part(fold["train"]), **knobs.ridge)
linear.save(model, snakemake.output.model)
