"""Label the entries whose exit falls into one span."""

from typing import TYPE_CHECKING

from gogooku import labels, run
from gogooku.panel import Panel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

knobs = snakemake.params
run.log_to(snakemake.log[0])

panel = Panel.read(snakemake.input.panel)
rows = labels.realised(panel, knobs.first, knobs.last, **knobs.labels)
run.write_parquet(rows, snakemake.output[0])
