"""Fetch: raw rows of the vendor, one file a data set and span, each row stamped with `known_at`.

reads   the source: the J-Quants API, the simulated exchange over HTTP, or an archive on disk
writes  <raw>/{dataset}/{span}.parquet    the vendor's fields, known_at and served_at [UTC]
        <raw>/exchange/{dataset}.parquet  all that the simulated exchange can serve
        <truth>.parquet                   what it planted; only rules/evaluate.smk reads it

`source: stored` takes the raw files as they stand.
"""

if setting["source"] == "simulated":

    rule market:
        """Simulate all that the exchange will ever publish, and file the truth apart."""
        output:
            **{name: f"<raw>/exchange/{name}.parquet" for name in RAW},
            truth="<truth>.parquet",
        log:
            "<logs>/fetch/market.log",
        benchmark:
            "<benchmarks>/fetch/market.jsonl"
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=20,
        params:
            market=setting["market"],
            code=code("market"),
        script:
            "../workflow_scripts/market.py"

    rule fetch:
        """Ask the simulated exchange for the {wildcards.dataset} of {wildcards.span}."""
        input:
            calendar=calendar_of,
            table="<raw>/exchange/{dataset}.parquet",
        output:
            "<raw>/{dataset}/{span}.parquet",
        log:
            "<logs>/fetch/{dataset}-{span}.log",
        benchmark:
            "<benchmarks>/fetch/{dataset}-{span}.jsonl"
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            days=fetch_days,
            today=setting["market"]["end"],
            known=known_by,
            code=code("fetch_simulated"),
        script:
            "../workflow_scripts/fetch_simulated.py"

elif setting["source"] == "jquants":

    rule fetch:
        """Ask the J-Quants API for the {wildcards.dataset} of {wildcards.span}."""
        input:
            calendar=calendar_of,
        output:
            "<raw>/{dataset}/{span}.parquet",
        log:
            "<logs>/fetch/{dataset}-{span}.log",
        benchmark:
            "<benchmarks>/fetch/{dataset}-{span}.jsonl"
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            api=1,
            mem_mb=4000,
            runtime=1440,
        params:
            days=fetch_days,
            jquants=setting["jquants"],
            known=known_by,
            code=code("fetch_jquants"),
        script:
            "../workflow_scripts/fetch_jquants.py"

elif setting["source"] == "archive":

    rule fetch:
        """Read the {wildcards.dataset} of {wildcards.span} from the archive."""
        input:
            calendar=calendar_of,
            archive=archive_files,
        output:
            "<raw>/{dataset}/{span}.parquet",
        log:
            "<logs>/fetch/{dataset}-{span}.log",
        benchmark:
            "<benchmarks>/fetch/{dataset}-{span}.jsonl"
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=20,
        params:
            folder=setting["archive"],
            factor_convention=setting["archive_factor"],
            days=fetch_days,
            known=known_by,
            code=code("fetch_archive"),
        script:
            "../workflow_scripts/fetch_archive.py"
