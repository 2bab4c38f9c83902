"""Fetch: raw rows of the vendor, one file a data set and span, each row stamped with `known_at`.

reads   the source: the J-Quants API, the simulated exchange over HTTP, or an archive on disk
writes  <raw>/{dataset}/{span}.parquet    the vendor's fields, known_at and served_at [UTC]
        <raw>/.days/{dataset}/            the API's answers, by day; see lib/gogooku/vendor/cache.py
        <raw>/exchange/{dataset}.parquet  all that the simulated exchange can serve
        <truth>.parquet                   what it planted; only rules/evaluate.smk reads it

`source: stored` takes the raw files as they stand.

For people: check says whether the source can be used, status what is there; of the J-Quants API also
uncovered and purge. They have no benchmark: Snakemake takes one for a product, and a second call
would find nothing to do.
"""

if settings.source == "simulated":

    localrules:
        fetch,
        market,

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
            mem_mb=2000 + 2 * settings.market.stocks,
            runtime=20,
        params:
            market=settings.market.model_dump(),
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
            today=str(settings.market.end),
            known=known_by,
            code=code("fetch_simulated"),
        script:
            "../workflow_scripts/fetch_simulated.py"

elif settings.source == "jquants":

    localrules:
        fetch,
        check,
        status,
        uncovered,
        purge,

    # An add-on to a plan, the minute bars, is fetched by nobody who does not ask for its files by name.
    OFFERED = [name for name in availability.datasets if DATASETS[name].plan != "minute"]
    SERVED = [name for name in OFFERED if plans.serves(settings.jquants.plan, DATASETS[name])]
    # Commands that ask which plan it is keep to the pace that every plan allows.
    AS_FREE = dict(settings.jquants) | {"plan": "free"}

    rule fetch_all:
        """Raw files of all that the plan serves, whether a family of features reads it or not."""
        input:
            collect("<raw>/{dataset}/{span}.parquet", dataset=SERVED, span=SPANS),

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
            mem_mb=4000,
            runtime=1440,
        params:
            days=fetch_days,
            until=corrected_until,
            api=[settings.jquants.url, settings.jquants.plan],
            # An object, which Snakemake does not track: no row depends on how the API is asked.
            jquants=settings.jquants,
            known=known_by,
            code=code("fetch_jquants"),
        script:
            "../workflow_scripts/fetch_jquants.py"

    rule check:
        """Tell whether the API key works, for which plan and for which days."""
        log:
            "<logs>/fetch/check.log",
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=60,
        params:
            jquants=AS_FREE,
            code=code("check"),
        script:
            "../workflow_scripts/check.py"

    rule status:
        """Tell of each data set what is there, what is missing, and how long the rest takes."""
        input:
            calendar=collect("<raw>/calendar/{span}.parquet", span=SPANS),
        log:
            "<logs>/fetch/status.log",
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=60,
        params:
            datasets=[name for name in OFFERED if name != "calendar"],
            periods=PERIODS,
            days=f"{layout.raw_folder(settings.store)}/.days",
            jquants=settings.jquants,
            code=code("status"),
        script:
            "../workflow_scripts/status.py"

    rule uncovered:
        """Show the files that hold what the subscription does not serve now."""
        log:
            "<logs>/fetch/uncovered.log",
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=60,
        params:
            raw=layout.raw_folder(settings.store),
            jquants=AS_FREE,
            code=code("uncovered"),
        script:
            "../workflow_scripts/uncovered.py"

    rule purge:
        """Show the files that hold what the subscription does not serve now, and delete them."""
        log:
            "<logs>/fetch/purge.log",
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=60,
        params:
            raw=layout.raw_folder(settings.store),
            jquants=AS_FREE,
            code=code("purge"),
        script:
            "../workflow_scripts/purge.py"

elif settings.source == "archive":

    localrules:
        fetch,

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
            folder=settings.archive,
            factor_convention=settings.archive_factor,
            days=fetch_days,
            known=known_by,
            code=code("fetch_archive"),
        script:
            "../workflow_scripts/fetch_archive.py"


if settings.source != "jquants":

    localrules:
        check,
        status,

    rule check:
        """Tell whether the source can be used, and what is in it."""
        log:
            "<logs>/fetch/check.log",
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            settings=settings.model_dump(mode="json"),
            datasets=RAW,
            spans=SPANS,
            code=code("check_source"),
        script:
            "../workflow_scripts/check_source.py"

    rule status:
        """Tell of each data set what is there, what is missing and what is damaged."""
        log:
            "<logs>/fetch/status.log",
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=60,
        params:
            raw=layout.raw_folder(settings.store),
            datasets=RAW,
            spans=SPANS,
            source=settings.source,
            code=code("status_source"),
        script:
            "../workflow_scripts/status_source.py"
