"""Research: targets that measure the data themselves; nothing else waits for them.

reads   <raw>/{dataset}/{span}.parquet   every data set that a configured family reads
        <build>/panel/{span}.parquet       who was in the universe on which day
writes  <run>/research/lags.parquet      one row per clock, family, data set and year
        <run>/research/lags.json         the same over all years
        <run>/research/lags.html         both as a page
"""


rule research_lags:
    """Measure how long before each decision the newest row was known, on both clocks."""
    input:
        panel=collect("<build>/panel/{span}.parquet", span=SPANS),
        raw=collect("<raw>/{dataset}/{span}.parquet", dataset=RAW, span=SPANS),
    output:
        rows="<run>/research/lags.parquet",
        summary="<run>/research/lags.json",
        page="<run>/research/lags.html",
    log:
        "<logs>/research/lags.log",
    benchmark:
        "<benchmarks>/research/lags.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=30,
    params:
        name=settings.name,
        families=settings.features.families,
        decisions={**availability.decision, moment["clock"]: moment["decision"]},
        closes=moment["closes"],
        code=code("research_lags"),
    script:
        "../workflow_scripts/research_lags.py"
