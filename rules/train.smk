"""Training: one fit per model, fold and seed, on the fold's training part; its path names it.

reads   <build>/dataset/{span}.parquet, <build>/labels/{span}.parquet   spans of train and valid;
                                                                    ridge: of train
        <build>/graphs/{span}.parquet                                 for the graph attention
        <run>/folds/fold{fold}.json, scaler{fold}.json
writes  <run>/models/{model}/fold{fold}/seed{seed}/model.*          weights, trees or coefficients
        <run>/models/atft/fold{fold}/seed{seed}/curve.jsonl         one line an epoch
"""


rule train_atft:
    """Train ATFT-GAT-FAN on fold {wildcards.fold} with seed {wildcards.seed}."""
    input:
        fold="<run>/folds/fold{fold}.json",
        scaler="<run>/folds/scaler{fold}.json",
        dataset=collect("<build>/dataset/{span}.parquet", span=fold_spans("train", "valid")),
        labels=collect("<build>/labels/{span}.parquet", span=fold_spans("train", "valid")),
        graphs=collect("<build>/graphs/{span}.parquet", span=fold_spans("train", "valid")),
    output:
        model="<run>/models/atft/fold{fold}/seed{seed}/model.pt",
        curve="<run>/models/atft/fold{fold}/seed{seed}/curve.jsonl",
    log:
        "<logs>/train/atft-fold{fold}-seed{seed}.log",
    benchmark:
        "<benchmarks>/train/atft-fold{fold}-seed{seed}.jsonl"
    conda:
        "../envs/gpu.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=10000,
        runtime=720,
    params:
        atft=setting["atft"],
        neighbours=setting["graph"]["neighbours"],
        checkpoint=lambda wildcards: (
            f"{layout.run_folder(setting['name'])}/resume/atft-fold{wildcards.fold}-seed{wildcards.seed}.pt"
        ),
        code=code("train_atft"),
    script:
        "../workflow_scripts/train_atft.py"


rule train_lightgbm:
    """Grow trees for every horizon of fold {wildcards.fold} with seed {wildcards.seed}."""
    input:
        fold="<run>/folds/fold{fold}.json",
        scaler="<run>/folds/scaler{fold}.json",
        dataset=collect("<build>/dataset/{span}.parquet", span=fold_spans("train", "valid")),
        labels=collect("<build>/labels/{span}.parquet", span=fold_spans("train", "valid")),
    output:
        model="<run>/models/lightgbm/fold{fold}/seed{seed}/model.json",
    log:
        "<logs>/train/lightgbm-fold{fold}-seed{seed}.log",
    benchmark:
        "<benchmarks>/train/lightgbm-fold{fold}-seed{seed}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        lightgbm=setting["lightgbm"],
        code=code("train_lightgbm"),
    script:
        "../workflow_scripts/train_lightgbm.py"


rule train_ridge:
    """Solve a ridge regression for every horizon of fold {wildcards.fold}."""
    input:
        fold="<run>/folds/fold{fold}.json",
        scaler="<run>/folds/scaler{fold}.json",
        dataset=collect("<build>/dataset/{span}.parquet", span=fold_spans("train")),
        labels=collect("<build>/labels/{span}.parquet", span=fold_spans("train")),
    output:
        model="<run>/models/ridge/fold{fold}/seed{seed}/model.json",
    log:
        "<logs>/train/ridge-fold{fold}-seed{seed}.log",
    benchmark:
        "<benchmarks>/train/ridge-fold{fold}-seed{seed}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        ridge=setting["ridge"],
        code=code("train_ridge"),
    script:
        "../workflow_scripts/train_ridge.py"
