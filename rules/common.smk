"""What all rules share: the checked settings, the spans, the folds and the code of a stage."""

import functools
from dataclasses import asdict
from datetime import timedelta
from math import ceil

from snakemake.exceptions import WorkflowError

from gogooku import calendar, files, jobs, layout, locks, splits, workarounds
from gogooku.archive import reader
from gogooku.config import availability as available
from gogooku.config import claims, overlays
from gogooku.config import settings as settings_of
from gogooku.errors import UserError
from gogooku.evaluation import certificate
from gogooku.families import FAMILIES, BUILT, called_of, module_of
from gogooku.models import catalogue
from gogooku.panel import universe
from gogooku.raw import plans
from gogooku.raw.catalogue import DATASETS
from gogooku.report import results
from gogooku.vendor import schedule
from run_display import display

try:
    if workflow.is_main_process:
        overlays.check(workflow.configfiles, sys.argv)
    settings = settings_of.read(config)
    availability = available.read(ROOT / "config" / "availability.yaml")
    if workflow.is_main_process:
        claims.check(claims.of(settings))
    elif folder := locks.lost():
        raise UserError(f"another run has taken over {folder}: this job's own has ended")
except UserError as error:
    raise WorkflowError(str(error)) from None

CLAIMS = claims.of(settings)

READ = {"calendar", "master", "bars"}.union(
    *(FAMILIES[family] for family in settings.features.families)
)
RAW = [dataset for dataset in availability.datasets if dataset in READ]
SPANS = settings.all_spans
PERIODS = [
    (max(start, settings.dates.start), min(end, settings.dates.end))
    for start, end in map(calendar.bounds, SPANS)
]
HORIZONS = settings.labels.horizons
MODELS = {model.name: model for model in map(catalogue.find, settings.models)}
FITTED = [name for name, model in MODELS.items() if model.needs.learns]
FOLDS = splits.plan(
    len(SPANS),
    **{key: getattr(settings.splits, key) for key in ("mode", "train", "valid", "test", "step")},
)


wildcard_constraints:
    dataset="[a-z_0-9]+",
    span=r"\d{4}(m\d\d|q\d|y)",
    family="|".join(FAMILIES),
    model="[a-z][a-z0-9_]*",
    fold=r"\d+",
    seed=r"\d+",
    draw=r"\d+",


def code(script, *also):
    """Name the definitions that a script reaches, and those of what it imports by name (`also`)."""
    path = ROOT / "workflow_scripts" / f"{script}.py"
    try:
        return jobs.code_of(path, *also, planning=workflow.is_main_process)
    except UserError as error:
        raise WorkflowError(str(error)) from None


@functools.cache
def code_of_family(family):
    """Name the definitions that a family's columns are made by: its own, all families', the user's."""
    own = []
    if family == "user":
        studies = ["pandas_ta_classic"] if settings.features.pandas_ta else []
        own = [*studies, *filter(None, [settings.features.user])]
    return code("features", *called_of(family), *own)


def look_back(sessions):
    """Input function: the wildcard's span and those before it that hold `sessions` sessions."""
    return lambda wildcards: calendar.look_back(wildcards.span, sessions, SPANS[0])


# Dates in params stand in lists: Snakemake tracks text, numbers and collections, and no bare date.
def covered_days(wildcards):
    """First and last day of the wildcard's span that the run covers."""
    first, last = calendar.bounds(wildcards.span)
    return [max(first, settings.dates.start), min(last, settings.dates.end)]


def first_day(wildcards):
    """First day of the wildcard's span that the run covers, as text."""
    return str(covered_days(wildcards)[0])


def fold_spans(*parts):
    """Input function: the spans of the fold's `parts` (train, valid, test), each once."""
    return lambda wildcards: [
        SPANS[i] for i in sorted({i for part in parts for i in FOLDS[int(wildcards.fold)][part]})
    ]


def test_until(fold):
    """Last day of the fold's test part that the run covers, as text."""
    return str(PERIODS[FOLDS[fold]["test"][-1]][1])


def fold_calendars(wildcards):
    """Input function: the spans whose calendars cut the fold: those that it learns from.

    The vendor's calendar goes half a year beyond its span and tells the first day of the test part.
    Of a folder's the next span is needed, which is there at once.
    """
    fold = FOLDS[int(wildcards.fold)]
    ahead = settings.source in ("simulated", "jquants")
    return [SPANS[i] for i in fold["train"] + fold["valid"] + fold["test"][: not ahead]]


def model_spans(parts):
    """Input function: the spans of the fold's `parts(model)`, each once."""
    return lambda wildcards: fold_spans(*parts(MODELS[wildcards.model]))(wildcards)


def learnt_parts(model):
    """Parts of a fold that a fit reads."""
    return splits.LEARNT


def predicted_parts(model):
    """Parts that its prediction reads: the test part, and the one before if it looks back."""
    window = model.needs.window(getattr(settings, model.name, None))
    return ("valid", "test") if window > 1 else ("test",)


def graphs_of(parts):
    """Give parts as `parts` does, of a model that reads graphs, and none of any other."""
    return lambda model: parts(model) if model.needs.graphs else ()


def model_settings(wildcards):
    """What the section of the model says; none if it has none."""
    section = getattr(settings, wildcards.model, None)
    return section.model_dump(mode="json") if section else {}


def neighbours_of(wildcards):
    """Edges at most a stock and day that the model reads."""
    return settings.graph.neighbours if MODELS[wildcards.model].needs.graphs else 0


def memory_of(wildcards, input, attempt):
    """Memory of a job of the model [MB], by the size of its data set."""
    return ceil(MODELS[wildcards.model].needs.memory(*files.table_size(input.dataset), attempt))


def minutes_of(wildcards, input, attempt):
    """Minutes of a fit of the model at most, likewise."""
    return ceil(MODELS[wildcards.model].needs.minutes(*files.table_size(input.dataset), attempt))


def fitted_model(wildcards):
    """Input function: the model's file; none if it learns nothing."""
    file = "<run>/models/{model}/fold{fold}/seed{seed}/model"
    return file if wildcards.model in FITTED else []


def code_of(script):
    """Params function: what a script reaches, and what it calls of the wildcard's model."""
    return lambda wildcards: code(script, *MODELS[wildcards.model].called_by(script))


def seeds_of(model):
    """Seeds with which `model` is fitted: one where chance plays no part."""
    return settings.seeds if MODELS[model].needs.seeds else [0]


def calendar_of(wildcards):
    """Input function: the calendar of the span, which tells the sessions to ask for."""
    return [] if wildcards.dataset == "calendar" else "<raw>/calendar/{span}.parquet"


def fetch_days(wildcards):
    """First and last day to fetch; the calendar is known ahead: half a year beyond its span."""
    if wildcards.dataset == "calendar":
        first, last = calendar.bounds(wildcards.span)
        return [first, last + timedelta(days=184)]
    return covered_days(wildcards)


def corrected_until(wildcards):
    """Name the day up to which the vendor may have corrected the span, dates.end at the latest."""
    last = covered_days(wildcards)[1]
    return str(schedule.open_until(DATASETS[wildcards.dataset], last, settings.dates.end))


def known_by(wildcards):
    """When the data set's rows are known, by clock."""
    return {"rules": availability.datasets[wildcards.dataset], "closes": moment["closes"]}


def archive_files(wildcards):
    """Input function: the archive's files that the data set is made of."""
    return reader.files(settings.archive, wildcards.dataset, *calendar.bounds(wildcards.span))


def family_inputs(wildcards):
    """Input function: the family's files of the span and its look-back, by name."""
    return {
        name: collect(
            f"{'<build>' if name in BUILT else '<raw>'}/{name}/{{span}}.parquet",
            span=look_back(read.look_back)(wildcards),
        )
        for name, read in FAMILIES[wildcards.family].items()
    }


def family_reads(wildcards):
    """What the family reads of each of its inputs."""
    return {name: asdict(read) for name, read in FAMILIES[wildcards.family].items()}


def user_columns(wildcards):
    """What the family of the user's own columns is made of; None for all others."""
    own = {"pandas_ta": settings.features.pandas_ta, "module": settings.features.user}
    return own if wildcards.family == "user" else None


def predictions_of(wildcards):
    """Input function: the model's predictions of all folds and seeds."""
    return collect(
        "<run>/predictions/{model}/fold{fold}/seed{seed}.parquet",
        model=wildcards.model,
        fold=range(len(FOLDS)),
        seed=seeds_of(wildcards.model),
    )


def others_of(model):
    """Name the models whose predictions the model is made of."""
    return MODELS[model].needs.others(getattr(settings, model, None))


def others_predictions(wildcards):
    """Input function: predictions of the fold by each seed of the models that it is made of."""
    return [
        f"<run>/predictions/{other}/fold{wildcards.fold}/seed{seed}.parquet"
        for other in others_of(wildcards.model)
        for seed in seeds_of(other)
    ]


@functools.cache
def certified():
    """Name what an audit certifies: the code of all stages and the settings of the build."""
    stages = ("panel", "labels", "dataset", "graph", "fold", "scaler")
    codes = [code(stage) for stage in stages]
    codes += [code_of_family(family) for family in settings.features.families]
    codes += [
        code(script, *model.called_by(script))
        for model in MODELS.values()
        for script in ("train", "predict")
    ]
    return certificate.subject(codes, settings.model_dump(mode="json"))


sealed_from = str(settings.evaluation.sealed) if settings.evaluation.sealed else None

moment = {
    "clock": settings.clock,
    "decision": settings.decision_time or availability.decision[settings.clock],
    "closes": availability.close,
}

# Plain paths: params hold them too, where pathvars are not resolved.
FITS = [
    layout.Fit(model, fold, seed)
    for model in MODELS
    for fold in range(len(FOLDS))
    for seed in seeds_of(model)
]
MODEL_FILES = [layout.model_file(settings.name, fit) for fit in FITS if fit.model in FITTED]
PREDICTIONS = [layout.predictions(settings.name, fit) for fit in FITS]
AUDITED = [
    layout.predictions(settings.name, layout.Fit(model, 0, seeds_of(model)[0])) for model in MODELS
]
