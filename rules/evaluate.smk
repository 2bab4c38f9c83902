"""Evaluation: what the predictions were worth, with intervals, and the report that says so.

reads   <run>/predictions/{model}/fold{fold}/seed{seed}.parquet
        <build>/labels/{span}.parquet, <build>/panel/{span}.parquet
        <raw>/topix/{span}.parquet              where a family reads it
        <build>/features/listed/{span}.parquet  where it is a family of the run: sizes of companies
        <truth>.parquet                       simulated exchange only; no other stage may read it
        <build>/profile/{span}.parquet          the quality of every column
        <run>/audit/leaks.json, runs/*/audit/noise.json   if they are there; no inputs
        runs/ledger.jsonl                     likewise: what was tried in this folder
        runs/*/evaluation, runs/*/report/run.json   of runs that are compared; no inputs either
writes  <run>/evaluation/{model}.parquet      one row per day, horizon, seed and metric
        <run>/evaluation/{model}.json         their means, intervals and portfolios
        <run>/report/index.html               one page, and its figures for snakemake --report
        <run>/report/columns.html             the page on the columns' quality
        <run>/report/run.json                 the settings and the evaluations that the page is about
        comparisons/<run>+<run>….html, .json  several finished runs side by side
"""


rule evaluate:
    """Measure {wildcards.model} day by day on all test parts."""
    input:
        predictions=predictions_of,
        labels=collect("<build>/labels/{span}.parquet", span=SPANS),
        panel=collect("<build>/panel/{span}.parquet", span=SPANS),
        topix=collect("<raw>/topix/{span}.parquet", span=SPANS) if "topix" in RAW else [],
        sizes=(
            collect("<build>/features/listed/{span}.parquet", span=SPANS)
            if "listed" in settings.features.families
            else []
        ),
        truth="<truth>.parquet" if settings.source == "simulated" else [],
    output:
        daily="<run>/evaluation/{model}.parquet",
        summary="<run>/evaluation/{model}.json",
    log:
        "<logs>/evaluate/{model}.log",
    benchmark:
        "<benchmarks>/evaluate/{model}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=30,
    params:
        horizons=HORIZONS,
        entry=settings.labels.entry,
        evaluation=settings.evaluation.model_dump(exclude={"yardstick", "sealed"}),
        sealed=None if settings.open_sealed else sealed_from,
        opened=sealed_from if settings.open_sealed else None,
        code=code("evaluate"),
    script:
        "../workflow_scripts/evaluate.py"


rule report:
    """Write the page on which all models stand side by side."""
    input:
        daily=collect("<run>/evaluation/{model}.parquet", model=list(MODELS)),
        summaries=collect("<run>/evaluation/{model}.json", model=list(MODELS)),
        panel=collect("<build>/panel/{span}.parquet", span=SPANS),
        quality=collect("<build>/quality/{span}.parquet", span=SPANS),
        profile=collect("<build>/profile/{span}.parquet", span=SPANS),
        folds=collect("<run>/folds/fold{fold}.json", fold=range(len(FOLDS))),
        curves=[
            f"<run>/models/{model}/fold{fold}/seed{seed}/curve.jsonl"
            for model in FITTED
            for fold in range(len(FOLDS))
            for seed in seeds_of(model)
        ],
        models=[
            f"<run>/models/{model}/fold{fold}/seed{seed}/model"
            for model in FITTED
            for fold in range(len(FOLDS))
            for seed in seeds_of(model)
        ],
        raw=collect("<raw>/{dataset}/{span}.parquet", dataset=RAW, span=SPANS),
    output:
        page=report(
            "<run>/report/index.html", category="Report", caption="../docs/captions/report.rst"
        ),
        columns=report(
            "<run>/report/columns.html", category="Report", caption="../docs/captions/columns.rst"
        ),
        figures=report(
            collect("<run>/report/{figure}.svg", figure=["rankic", "cumulative", "equity"]),
            category="Figures",
            caption="../docs/captions/figures.rst",
        ),
        record="<run>/report/run.json",
    log:
        "<logs>/report/report.log",
    benchmark:
        "<benchmarks>/report/report.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        settings=settings.model_dump(mode="json"),
        certified=lambda wildcards: certified(),
        models={model: MODELS[model].entry for model in FITTED},
        until=[test_until(fold) for fold in range(len(FOLDS))],
        code=code("report", *(n for model in FITTED for n in MODELS[model].called_by("report"))),
    script:
        "../workflow_scripts/report.py"


rule compare:
    """Set finished runs side by side as they stand: none of them is made again."""
    output:
        page=f"{layout.comparison(settings.runs)}.html",
        numbers=f"{layout.comparison(settings.runs)}.json",
    log:
        f"{layout.comparison(settings.runs)}.log",
    benchmark:
        f"{layout.comparison(settings.runs)}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        runs=settings.runs,
        standing=lambda wildcards: results.standing(settings.runs),
        code=code("compare"),
    script:
        "../workflow_scripts/compare.py"
