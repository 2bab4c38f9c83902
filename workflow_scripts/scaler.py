"""Fit the scale of market columns on a fold's training part."""

from typing import TYPE_CHECKING

from gogooku import dataset, run, scaler

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

files = snakemake.input
run.log_to(snakemake.log[0])

fold = run.read_json(files.fold)
kinds = dataset.read_kinds(files.dataset[0])
columns = [name for name, kind in kinds.items() if kind == "market"]
rows = run.read_parquet(files.dataset, ["date", *columns])

scale = scaler.fit(rows, columns, fold["train"]["first"], fold["train"]["last"])
run.write_json(scale, snakemake.output[0])
