"""Fit the scale of market columns on a fold's training part."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.dataset import assembly, scaler

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

inputs = snakemake.input
jobs.start(snakemake)

fold = files.read_json(inputs.fold)
kinds = assembly.read_kinds(inputs.dataset[0])
columns = [name for name, kind in kinds.items() if kind == "market"]
rows = files.read_parquet(inputs.dataset, ["date", *columns])

scale = scaler.fit(rows, columns, fold["train"]["first"], fold["train"]["last"])
files.write_json(scale, snakemake.output[0])
