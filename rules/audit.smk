"""Audit: the laws proven on the run itself.

reads   the raw files and everything that the run has built of them
writes  <run>/audit/day{draw}.json   a random day: what was compared stage by stage, and what moved
        <run>/audit/models.json      a day of the first test part, its fits and predictions included
        <run>/audit/leaks.json       the table of all audited days; none moved
        <run>/audit/noise.json       model by model: RankIC on a market without predictability, and of
                                     labels that are shuffled within days
                                     (both files say which code and data they are about)
"""


rule audit_day:
    """Change the future of random day {wildcards.draw}, rebuild its span, and compare the past."""
    input:
        raw=collect("<raw>/{dataset}/{span}.parquet", dataset=RAW, span=SPANS),
        calendar=collect("<raw>/calendar/{span}.parquet", span=SPANS),
        built=collect(
            "<build>/{stage}/{span}.parquet", stage=["dataset", "labels", "graphs"], span=SPANS
        ),
    output:
        "<run>/audit/day{draw}.json",
    log:
        "<logs>/audit/day{draw}.log",
    benchmark:
        "<benchmarks>/audit/day{draw}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        settings=settings.model_dump(mode="json"),
        known=availability.datasets,
        moment=moment,
        code=code("audit_day"),
    script:
        "../workflow_scripts/audit_day.py"


rule audit_models:
    """Change the future of a test day, rebuild fold 0 with its models, and compare the past."""
    input:
        raw=collect("<raw>/{dataset}/{span}.parquet", dataset=RAW, span=SPANS),
        fold="<run>/folds/fold0.json",
        predictions=AUDITED,
    output:
        "<run>/audit/models.json",
    log:
        "<logs>/audit/models.log",
    benchmark:
        "<benchmarks>/audit/models.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: workflow.cores
    resources:
        mem_mb=12000,
        runtime=240,
    params:
        settings=settings.model_dump(mode="json"),
        known=availability.datasets,
        moment=moment,
        until=test_until(0),
        targets=AUDITED,
        code=code("audit_models"),
    script:
        "../workflow_scripts/audit_models.py"


rule audit_leaks:
    """Sum all audited days up; a leak is named with its column, its day and the raw row."""
    input:
        raw=collect("<raw>/{dataset}/{span}.parquet", dataset=RAW, span=SPANS),
        days=collect("<run>/audit/day{draw}.json", draw=range(settings.audit.days)),
        models="<run>/audit/models.json",
    output:
        "<run>/audit/leaks.json",
    log:
        "<logs>/audit/leaks.log",
    benchmark:
        "<benchmarks>/audit/leaks.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: workflow.cores
    resources:
        mem_mb=12000,
        runtime=240,
    params:
        settings=settings.model_dump(mode="json"),
        known=availability.datasets,
        certified=lambda wildcards: certified(),
        code=code("audit_leaks"),
    script:
        "../workflow_scripts/audit_leaks.py"


rule audit_noise:
    """Check that no model finds anything where nothing is planted, nor in shuffled labels."""
    input:
        daily=collect("<run>/evaluation/{model}.parquet", model=list(MODELS)),
        predictions=PREDICTIONS,
        labels=collect("<build>/labels/{span}.parquet", span=SPANS),
        raw=collect("<raw>/{dataset}/{span}.parquet", dataset=RAW, span=SPANS),
    output:
        "<run>/audit/noise.json",
    log:
        "<logs>/audit/noise.log",
    benchmark:
        "<benchmarks>/audit/noise.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        parts=settings.market.parts.model_dump(),
        horizons=HORIZONS,
        entry=settings.labels.entry,
        seed=settings.audit.seed,
        certified=lambda wildcards: certified(),
        code=code("audit_noise"),
    script:
        "../workflow_scripts/audit_noise.py"
