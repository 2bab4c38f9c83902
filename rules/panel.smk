"""Panel: the universe of each day, raw prices with their factors, and what was wrong with them.

reads   <raw>/{calendar,master,bars}/{span}.parquet   the span and its look-back
writes  <build>/panel/{span}.parquet                    one row per session and listed common stock
        <build>/quality/{span}.parquet                  one row per rejected value or new level, why
"""


rule panel:
    """Clean the bars of {wildcards.span}, judge each day's universe and lay both out."""
    input:
        calendar=collect("<raw>/calendar/{span}.parquet", span=look_back(universe.CLOSE_WINDOW)),
        master=collect("<raw>/master/{span}.parquet", span=look_back(universe.CLOSE_WINDOW)),
        bars=collect("<raw>/bars/{span}.parquet", span=look_back(universe.CLOSE_WINDOW)),
    output:
        panel="<build>/panel/{span}.parquet",
        quality="<build>/quality/{span}.parquet",
    log:
        "<logs>/panel/{span}.log",
    benchmark:
        "<benchmarks>/panel/{span}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        days=covered_days,
        moment=moment,
        quality=settings.quality.model_dump(),
        universe=settings.universe.model_dump(),
        code=code("panel"),
    script:
        "../workflow_scripts/panel.py"


rule labels:
    """Label the entries whose exit falls into {wildcards.span}."""
    input:
        panel=collect("<build>/panel/{span}.parquet", span=look_back(max(HORIZONS) + 1)),
    output:
        "<build>/labels/{span}.parquet",
    log:
        "<logs>/labels/{span}.log",
    benchmark:
        "<benchmarks>/labels/{span}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=20,
    params:
        days=covered_days,
        labels=settings.labels.model_dump(),
        code=code("labels"),
    script:
        "../workflow_scripts/labels.py"
