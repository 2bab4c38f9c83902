"""Training: one fit per model, fold and seed, on what the model reads of the fold; its path names it.

reads   <build>/dataset/{span}.parquet, <build>/labels/{span}.parquet   of training and validation
        <build>/graphs/{span}.parquet                                 where it reads graphs
        <run>/folds/fold{fold}.json, scaler{fold}.json
writes  <run>/models/{model}/fold{fold}/seed{seed}/model            weights, trees or coefficients
        <run>/models/{model}/fold{fold}/seed{seed}/curve.jsonl      one line an epoch; may be empty
"""


rule train:
    """Fit {wildcards.model} on fold {wildcards.fold} with seed {wildcards.seed}."""
    input:
        fold="<run>/folds/fold{fold}.json",
        scaler="<run>/folds/scaler{fold}.json",
        dataset=collect("<build>/dataset/{span}.parquet", span=model_spans(learnt_parts)),
        labels=collect("<build>/labels/{span}.parquet", span=model_spans(learnt_parts)),
        graphs=collect("<build>/graphs/{span}.parquet", span=model_spans(graphs_of(learnt_parts))),
    output:
        model="<run>/models/{model}/fold{fold}/seed{seed}/model",
        curve="<run>/models/{model}/fold{fold}/seed{seed}/curve.jsonl",
    log:
        "<logs>/train/{model}-fold{fold}-seed{seed}.log",
    benchmark:
        "<benchmarks>/train/{model}-fold{fold}-seed{seed}.jsonl"
    conda:
        lambda wildcards: (
            "../envs/gpu.yaml" if MODELS[wildcards.model].needs.gpu else "../envs/cpu.yaml"
        )
    threads: 1
    resources:
        gpu=lambda wildcards: MODELS[wildcards.model].needs.gpu,
        mem_mb=memory_of,
        runtime=minutes_of,
    params:
        model=lambda wildcards: MODELS[wildcards.model].entry,
        settings=model_settings,
        refit=settings.splits.refit,
        columns=lambda wildcards: MODELS[wildcards.model].needs.columns,
        neighbours=neighbours_of,
        checkpoint=lambda wildcards: (
            f"{layout.run_folder(settings.name)}/resume/"
            f"{wildcards.model}-fold{wildcards.fold}-seed{wildcards.seed}"
        ),
        code=code_of("train"),
    script:
        "../workflow_scripts/train.py"
