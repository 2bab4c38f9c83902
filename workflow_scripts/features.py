"""Compute one family's columns of one span."""

import datetime as dt
import importlib
from typing import TYPE_CHECKING

from gogooku import files, jobs, workarounds
from gogooku.features import column
from gogooku.features.inputs import Inputs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

wildcards, params = snakemake.wildcards, snakemake.params
jobs.start(snakemake)
workarounds.keep_freed_memory()

family = importlib.import_module(params.module)  # lineage: declared
first = dt.date.fromisoformat(params.first)
inputs = Inputs.read(snakemake.input, params.reads, params.moment, first, params.user)
values = family.compute(inputs)

frame, kinds = column.finish(inputs.panel, wildcards.family, family.COLUMNS, values, first)
files.write_parquet(frame, snakemake.output[0], kinds)
