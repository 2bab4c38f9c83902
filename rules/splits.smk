"""Splits: walk-forward folds of sessions, and what is fitted on a fold's training part.

reads   <raw>/calendar/{span}.parquet     of the spans that the fold learns from, and half a year more
        <build>/dataset/{span}.parquet      of the training spans
writes  <run>/folds/fold{fold}.json       first and last session of train and valid, first of test
        <run>/folds/scaler{fold}.json     mean and sd of market columns over the training part
"""


rule fold:
    """Cut fold {wildcards.fold} and prove that no label of one part reaches into the next."""
    input:
        collect("<raw>/calendar/{span}.parquet", span=fold_calendars),
    output:
        "<run>/folds/fold{fold}.json",
    log:
        "<logs>/fold/{fold}.log",
    benchmark:
        "<benchmarks>/fold/{fold}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        spans=lambda wildcards: {
            part: [SPANS[i] for i in FOLDS[int(wildcards.fold)][part]]
            for part in ("train", "valid")
        },
        start=str(settings.dates.start),
        embargo=settings.splits.embargo,
        horizons=HORIZONS,
        entry=settings.labels.entry,
        code=code("fold"),
    script:
        "../workflow_scripts/fold.py"


rule scaler:
    """Fit the scale of market columns on the training part of fold {wildcards.fold}."""
    input:
        fold="<run>/folds/fold{fold}.json",
        dataset=collect("<build>/dataset/{span}.parquet", span=fold_spans("train")),
    output:
        "<run>/folds/scaler{fold}.json",
    log:
        "<logs>/scaler/{fold}.log",
    benchmark:
        "<benchmarks>/scaler/{fold}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        code=code("scaler"),
    script:
        "../workflow_scripts/scaler.py"
