"""Data set: all families joined on date and code, normalised within each day. No labels.

reads   <build>/panel/{span}.parquet               the universe of each day
        <build>/features/{family}/{span}.parquet   every configured family
writes  <build>/dataset/{span}.parquet             universe members only
        <build>/profile/{span}.parquet             one row per column: what is known of it, and how well
"""


rule dataset:
    """Join the families of {wildcards.span} and normalise stock columns day by day."""
    input:
        panel="<build>/panel/{span}.parquet",
        families=collect(
            "<build>/features/{family}/{{span}}.parquet", family=settings.features.families
        ),
    output:
        "<build>/dataset/{span}.parquet",
    log:
        "<logs>/dataset/{span}.log",
    benchmark:
        "<benchmarks>/dataset/{span}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        normalisation={
            key: getattr(settings.features, key)
            for key in ("clip", "method", "within_sector", "min_stocks")
        },
        code=code("dataset"),
    script:
        "../workflow_scripts/dataset.py"


rule profile:
    """Measure the quality of every column of {wildcards.span}."""
    input:
        panel="<build>/panel/{span}.parquet",
        families=collect(
            "<build>/features/{family}/{{span}}.parquet", family=settings.features.families
        ),
    output:
        "<build>/profile/{span}.parquet",
    log:
        "<logs>/profile/{span}.log",
    benchmark:
        "<benchmarks>/profile/{span}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        families=settings.features.families,
        min_stocks=settings.features.min_stocks,
        code=code("profile"),
    script:
        "../workflow_scripts/profile.py"
