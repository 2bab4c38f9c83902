"""Run each stage's script in a finished run's folder on damaged inputs; print what each one said.

python damage.py CONFIGFILE     (in the folder)

One job a rule, family and model. One input of each folder that the job reads is damaged in each way
in turn and restored. Prints a JSON list: stage, file, damage, error's type, error's text.
"""

import io
import json
import logging
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import polars as pl
from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
)


def main(overlay):
    told = []
    for job in one_of_each(planned(Path(overlay))):
        for path in one_of_each_folder(job.input):
            told += [said(job, path, name, content) for name, content in damages(path)]
    return told


def planned(overlay):
    """All jobs from raw data to the report, whether they are to run or not."""
    quiet = OutputSettings(quiet={Quietness.ALL})
    with SnakemakeApi(quiet) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[overlay]),
            snakefile=Path("Snakefile"),
        )
        dag = workflow.dag(DAGSettings(targets={"train_all"}, forceall=True))
        inner = dag.workflow_api._workflow
        inner._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
        inner._build_dag()
        return [job for job in inner.dag.jobs if job.rule.script]


def one_of_each(jobs):
    kinds = {}
    for job in jobs:
        key = (job.rule.name, job.wildcards.get("family"), job.wildcards.get("model"))
        kinds.setdefault(key, job)
    return list(kinds.values())


def one_of_each_folder(paths):
    return list({(Path(p).parent, Path(p).suffix): Path(p) for p in paths}.values())


def damages(path):
    content = path.read_bytes()
    if path.suffix != ".jsonl":  # any number of whole lines may be all that there is
        yield "truncated", content[: len(content) // 2]
        yield "empty", b""
    yield "foreign", b"what is this"
    if path.suffix == ".parquet":
        table = io.BytesIO()
        pl.DataFrame({"x": [1]}).write_parquet(table)
        yield "other columns", table.getvalue()
    elif path.suffix in (".json", ".jsonl"):
        yield "other keys", b'{"x": 1}\n'


def said(job, path, damage, content):
    before, times = path.read_bytes(), path.stat()
    path.write_bytes(content)
    try:
        error = run(job)
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    stage = " ".join([job.rule.name, *map(str, job.wildcards)])
    return [stage, str(path), damage, type(error).__name__, str(error)]


def run(job):
    """Give the exception with which the job's script ends."""
    script = Path("workflow_scripts", Path(job.rule.script).name).resolve()
    sys.modules["__main__"].__file__ = str(script)  # as in a job, which asks for it
    Path(job.log[0]).parent.mkdir(parents=True, exist_ok=True)
    names = "input", "output", "params", "wildcards", "threads", "log", "resources"
    snakemake = SimpleNamespace(**{name: getattr(job, name) for name in names})
    try:
        exec(compile(script.read_text(), script, "exec"), {"snakemake": snakemake})
    except BaseException as error:  # Polars' panics are no Exceptions
        return error
    finally:
        logging.captureWarnings(False)


if __name__ == "__main__":
    result = main(sys.argv[1])
    print("\n" + json.dumps(result))
