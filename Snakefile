"""gogooku: from Japanese market data to tested multi-horizon stock forecasts.

    snakemake --cores 24 train_all        from raw data to the report
    snakemake --profile slurm             the same on a cluster

Settings: config/default.yaml and the overlays beside it. The head of each file of
rules/ says what its stages read and write.
"""

import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

ROOT = Path(workflow.current_basedir)  # ours, where another workflow uses this one as a module
# Its code comes before any other of its name, here and in scripts, in which Snakemake puts it last.
sys.path.insert(0, str(ROOT / "lib"))
searched = [str(ROOT / "lib"), *filter(None, [os.environ.get("PYTHONPATH")])]
os.environ.update(PYTHONPATH=os.pathsep.join(searched))

from gogooku import workarounds

workarounds.set_missing_cores(workflow)


configfile: ROOT / "config" / "default.yaml"


include: "rules/common.smk"


pathvars:
    raw=layout.raw_folder(settings.store),
    truth=f"data/truth/{settings.store}",
    build=layout.build_folder(settings.build),
    run=layout.run_folder(settings.name),
    logs=f"{layout.run_folder(settings.name)}/logs",
    benchmarks=f"{layout.run_folder(settings.name)}/benchmarks",


# One line a job, progress and a last word; --verbose, -p and --quiet keep Snakemake's own output.
display.attach(workflow, layout.run_folder(settings.name), results.of_run)


# Light, or in need of the network, which compute nodes often lack.
localrules:
    fold,
    report,
    compare,


onstart:
    try:
        claims.take(CLAIMS, workflow.dag.needrun_jobs())
    except UserError as error:
        raise WorkflowError(str(error)) from None
    if workflow.local_exec:
        workarounds.lift_job_rate(workflow.scheduler)


onsuccess:
    sys.stderr.write(results.after_audit(workflow.dag.jobs))
    sys.stderr.write(results.after_comparison(workflow.dag.jobs))


include: "rules/fetch.smk"
include: "rules/panel.smk"
include: "rules/features.smk"
include: "rules/dataset.smk"
include: "rules/splits.smk"
include: "rules/graphs.smk"
include: "rules/train.smk"
include: "rules/predict.smk"
include: "rules/evaluate.smk"
include: "rules/research.smk"
include: "rules/audit.smk"


rule dataset_all:
    """Features, data sets, labels and graphs of every span."""
    input:
        collect("<build>/panel/{span}.parquet", span=SPANS),
        collect(
            "<build>/features/{family}/{span}.parquet",
            family=settings.features.families,
            span=SPANS,
        ),
        collect("<build>/dataset/{span}.parquet", span=SPANS),
        collect("<build>/labels/{span}.parquet", span=SPANS),
        collect("<build>/graphs/{span}.parquet", span=SPANS),


rule train_all:
    """All models of all folds, evaluated, and the report (the default target)."""
    default_target: True
    input:
        rules.dataset_all.input,
        collect("<build>/profile/{span}.parquet", span=SPANS),
        collect("<run>/evaluation/{model}.json", model=MODELS),
        MODEL_FILES,
        PREDICTIONS,
        "<run>/report/index.html",


rule audit_all:
    """The audit of time: the future is changed and no earlier bit may move."""
    input:
        "<run>/audit/leaks.json",
