"""Predict one fold's test part with one seed's network."""

from typing import TYPE_CHECKING

from gogooku import run, train
from gogooku.days import Days
from gogooku.models import atft

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

me, knobs, files = snakemake.wildcards, snakemake.params, snakemake.input
run.log_to(snakemake.log[0])

run.seed_everything(int(me.seed), snakemake.threads)

fold, scaler = run.read_json(files.fold), run.read_json(files.scaler)
days = Days.read(files.dataset, None, files.graphs, scaler, neighbours=knobs.neighbours)

rows = train.predict(atft.load(files.model), days, days.part(fold["test"]))
run.write_parquet(rows, snakemake.output[0])
