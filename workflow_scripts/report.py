"""Write the page on which all models stand side by side, and its figures."""

from typing import TYPE_CHECKING

from gogooku import coverage, profile_page, report, report_plots, run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

setting, files = snakemake.params.setting, snakemake.input
run.log_to(snakemake.log[0])

evaluations = report.read_evaluations(files.daily, files.summaries)
panel = run.read_parquet(files.panel, ["date", "code", "universe"])
folds = [run.read_json(path) for path in files.folds]
curves = report.read_curves(files.curves)
lacks = coverage.lacks(files.raw, setting["dates"]["start"], setting["dates"]["end"])

profile = run.read_parquet(files.profile)

facts = report.facts(setting, panel, folds, lacks, profile_page.words(profile))
page = report.build(evaluations, facts, run.read_parquet(files.quality), curves)
run.write_text(page, snakemake.output.page)
run.write_text(profile_page.build(profile, setting["name"]), snakemake.output.columns)
figures = report_plots.draw(evaluations, folds, curves)
report_plots.write(figures, snakemake.output.figures)
