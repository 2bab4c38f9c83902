"""Predictions: every universe member of every test day, the same rows from every model.

reads   <run>/models/{model}/fold{fold}/seed{seed}/model.*   where the model is fitted
        <build>/dataset/{span}.parquet                         test spans (atft: and those before,
                                                             for its window)
writes  <run>/predictions/{model}/fold{fold}/seed{seed}.parquet
"""


rule predict_atft:
    """Predict the test part of fold {wildcards.fold} with seed {wildcards.seed}'s network."""
    input:
        fold="<run>/folds/fold{fold}.json",
        scaler="<run>/folds/scaler{fold}.json",
        model="<run>/models/atft/fold{fold}/seed{seed}/model.pt",
        dataset=collect("<build>/dataset/{span}.parquet", span=fold_spans("valid", "test")),
        graphs=collect("<build>/graphs/{span}.parquet", span=fold_spans("valid", "test")),
    output:
        "<run>/predictions/atft/fold{fold}/seed{seed}.parquet",
    log:
        "<logs>/predict/atft-fold{fold}-seed{seed}.log",
    benchmark:
        "<benchmarks>/predict/atft-fold{fold}-seed{seed}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        neighbours=setting["graph"]["neighbours"],
        code=code("predict_atft"),
    script:
        "../workflow_scripts/predict_atft.py"


rule predict_lightgbm:
    """Predict the test part of fold {wildcards.fold} with seed {wildcards.seed}'s trees."""
    input:
        fold="<run>/folds/fold{fold}.json",
        scaler="<run>/folds/scaler{fold}.json",
        model="<run>/models/lightgbm/fold{fold}/seed{seed}/model.json",
        dataset=collect("<build>/dataset/{span}.parquet", span=fold_spans("test")),
    output:
        "<run>/predictions/lightgbm/fold{fold}/seed{seed}.parquet",
    log:
        "<logs>/predict/lightgbm-fold{fold}-seed{seed}.log",
    benchmark:
        "<benchmarks>/predict/lightgbm-fold{fold}-seed{seed}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=30,
    params:
        code=code("predict_lightgbm"),
    script:
        "../workflow_scripts/predict_lightgbm.py"


rule predict_ridge:
    """Predict the test part of fold {wildcards.fold} with the ridge coefficients."""
    input:
        fold="<run>/folds/fold{fold}.json",
        scaler="<run>/folds/scaler{fold}.json",
        model="<run>/models/ridge/fold{fold}/seed{seed}/model.json",
        dataset=collect("<build>/dataset/{span}.parquet", span=fold_spans("test")),
    output:
        "<run>/predictions/ridge/fold{fold}/seed{seed}.parquet",
    log:
        "<logs>/predict/ridge-fold{fold}-seed{seed}.log",
    benchmark:
        "<benchmarks>/predict/ridge-fold{fold}-seed{seed}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=30,
    params:
        code=code("predict_ridge"),
    script:
        "../workflow_scripts/predict_ridge.py"


rule predict_reversal:
    """Rank the test part of fold {wildcards.fold} by minus the last day's return; nothing is fitted."""
    input:
        fold="<run>/folds/fold{fold}.json",
        dataset=collect("<build>/dataset/{span}.parquet", span=fold_spans("test")),
    output:
        "<run>/predictions/reversal/fold{fold}/seed{seed}.parquet",
    log:
        "<logs>/predict/reversal-fold{fold}-seed{seed}.log",
    benchmark:
        "<benchmarks>/predict/reversal-fold{fold}-seed{seed}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=30,
    params:
        code=code("predict_reversal"),
    script:
        "../workflow_scripts/predict_reversal.py"
