"""Graphs: who moves with whom, day by day, from returns up to that day.

reads   <build>/panel/{span}.parquet    the span and the correlation window before it
writes  <build>/graphs/{span}.parquet   date, source, target, weight (signed correlation)
"""


rule graph:
    """Link every stock of {wildcards.span} to those it has moved with."""
    input:
        collect("<build>/panel/{span}.parquet", span=look_back(settings.graph.window + 1)),
    output:
        "<build>/graphs/{span}.parquet",
    log:
        "<logs>/graph/{span}.log",
    benchmark:
        "<benchmarks>/graph/{span}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        first=first_day,
        graph=settings.graph.model_dump(),
        code=code("graph"),
    script:
        "../workflow_scripts/graph.py"
