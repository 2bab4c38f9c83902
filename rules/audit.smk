"""Audit: the laws proven on the run itself.

reads   the raw files and everything that the run has built of them
writes  <run>/audit/leaks.json   stage by stage: what was compared, and that nothing moved
        <run>/audit/noise.json   model by model: RankIC on a market without predictability
"""


rule audit_leaks:
    """Change the future of every raw data set, rebuild fold 0, and compare the past bit by bit."""
    input:
        raw=collect("<raw>/{dataset}/{span}.parquet", dataset=RAW, span=SPANS),
        fold="<run>/folds/fold0.json",
        predictions=AUDITED,
        page="<run>/report/index.html",
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
        setting=setting,
        moment=moment,
        targets=AUDITED,
        code=code("audit_leaks"),
    script:
        "../workflow_scripts/audit_leaks.py"


rule audit_noise:
    """Check that no model finds anything where nothing is planted."""
    input:
        collect("<run>/evaluation/{model}.parquet", model=setting["models"]),
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
        mem_mb=1000,
        runtime=5,
    params:
        parts=setting["market"]["parts"],
        horizons=HORIZONS,
        entry=setting["labels"]["entry"],
        code=code("audit_noise"),
    script:
        "../workflow_scripts/audit_noise.py"
