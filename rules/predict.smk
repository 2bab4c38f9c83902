"""Predictions: every universe member of every test day, the same rows from every model.

reads   <run>/models/{model}/fold{fold}/seed{seed}/model   where the model is fitted
        <build>/dataset/{span}.parquet                       test spans, and those before for a model
                                                           that looks back; graphs likewise
        <run>/folds/fold{fold}.json, scaler{fold}.json
        <run>/predictions/{other}/fold{fold}/…             of models that it is made of
writes  <run>/predictions/{model}/fold{fold}/seed{seed}.parquet
"""


rule predict:
    """Predict fold {wildcards.fold}'s test part by {wildcards.model} of seed {wildcards.seed}."""
    input:
        fold="<run>/folds/fold{fold}.json",
        scaler="<run>/folds/scaler{fold}.json",
        model=fitted_model,
        others=others_predictions,
        dataset=collect("<build>/dataset/{span}.parquet", span=model_spans(predicted_parts)),
        graphs=collect(
            "<build>/graphs/{span}.parquet", span=model_spans(graphs_of(predicted_parts))
        ),
    output:
        "<run>/predictions/{model}/fold{fold}/seed{seed}.parquet",
    log:
        "<logs>/predict/{model}-fold{fold}-seed{seed}.log",
    benchmark:
        "<benchmarks>/predict/{model}-fold{fold}-seed{seed}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=memory_of,
        runtime=60,
    params:
        model=lambda wildcards: MODELS[wildcards.model].entry,
        settings=model_settings,
        until=lambda wildcards: test_until(int(wildcards.fold)),
        columns=lambda wildcards: MODELS[wildcards.model].needs.columns,
        neighbours=neighbours_of,
        code=code_of("predict"),
    script:
        "../workflow_scripts/predict.py"
