"""Features: one file a family and span, each a function of its declared look-back alone.

reads   <build>/panel/{span}.parquet               the span and its look-back
        <raw>/{dataset}/{span}.parquet           where a family needs rows of its own
        <build>/graphs/{span}.parquet              for the graph family
writes  <build>/features/{family}/{span}.parquet   date, code, the family's columns, is_{family}_valid
"""

for family in FAMILIES:

    rule:
        """Compute one family's columns for {wildcards.span}."""
        name:
            f"features_{family}"
        input:
            unpack(family_inputs(family)),
        output:
            f"<build>/features/{family}/{{span}}.parquet",
        log:
            f"<logs>/features/{family}-{{span}}.log",
        benchmark:
            f"<benchmarks>/features/{family}-{{span}}.jsonl"
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=6000,
            runtime=30,
        params:
            family=family,
            first=first_day,
            moment=moment,
            user=user_columns(family),
            code=code(f"features_{family}"),
        script:
            "../workflow_scripts/features_{params.family}.py"
