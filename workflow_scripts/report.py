"""Write the page on which all models stand side by side, and its figures."""

from typing import TYPE_CHECKING

from gogooku import files, jobs
from gogooku.config import settings as settings_of
from gogooku.report import assurance, columns_page, coverage, importance, plots, report, runs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

params, inputs = snakemake.params, snakemake.input
jobs.start(snakemake)
settings = settings_of.read(params.settings)

evaluations = report.read_evaluations(inputs.daily, inputs.summaries)
panel = files.read_parquet(inputs.panel, ["date", "code", "universe"])
folds = report.read_folds(inputs.folds, params.until)
lacks = coverage.lacks(inputs.raw, settings.dates.start, settings.dates.end)
quality = files.read_parquet(inputs.quality, required=["date"])
profile = files.read_parquet(inputs.profile, required=["column"])
words = columns_page.words(profile)
facts = report.facts(settings, panel, folds, lacks, words, fitted=params.models)
facts |= assurance.of(evaluations, settings, params.certified, inputs.raw)
facts |= report.judged(evaluations, facts) | importance.of(params.models, inputs.models)
figures = plots.draw(evaluations, folds, report.read_curves(inputs.curves))
files.write_text(report.build(evaluations, facts, quality, figures), snakemake.output.page)
files.write_text(columns_page.build(profile, settings.name), snakemake.output.columns)
files.write_json(runs.record(facts, inputs.summaries), snakemake.output.record)
plots.write(figures, snakemake.output.figures)
