"""Write the page on which finished runs stand side by side."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.report import compare

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, outputs = snakemake.params, snakemake.output
jobs.start(snakemake)

runs, faults = compare.read(params.runs)
differences = compare.differences(runs)
content = compare.content(runs, faults, differences)
files.write_json(content, outputs.numbers)
files.write_text(compare.build(runs, content, differences), outputs.page)
