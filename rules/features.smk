"""Features: one file a family and span, each a function of its declared look-back alone.

reads   <build>/panel/{span}.parquet               the span and its look-back
        <raw>/{dataset}/{span}.parquet             where a family needs rows of its own
        <build>/graphs/{span}.parquet              for the graph family
writes  <build>/features/{family}/{span}.parquet   date, code, the family's columns, is_{family}_valid
"""


rule features:
    """Compute the columns of {wildcards.family} for {wildcards.span}."""
    input:
        unpack(family_inputs),
    output:
        "<build>/features/{family}/{span}.parquet",
    log:
        "<logs>/features/{family}-{span}.log",
    benchmark:
        "<benchmarks>/features/{family}-{span}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=30,
    params:
        module=lambda wildcards: module_of(wildcards.family),
        reads=family_reads,
        first=first_day,
        moment=moment,
        user=user_columns,
        code=lambda wildcards: code_of_family(wildcards.family),
    script:
        "../workflow_scripts/features.py"
