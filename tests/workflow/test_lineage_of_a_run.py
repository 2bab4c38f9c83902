"""No dependency is missed: all that a job calls is in its digest."""

import ast
import shutil
from pathlib import Path

import pytest
from gogooku import jobs
from helpers import trace
from helpers.checkout import Checkout
from lineage.reach import Code

pytestmark = [pytest.mark.xdist_group("checkout"), pytest.mark.slow]

RUN, BUILD = "runs/smoke", "builds/smoke"
SPAN = "2021y"
FILES = [
    *(f"{BUILD}/{stage}/{SPAN}.parquet" for stage in ("panel", "graphs", "labels", "dataset")),
    *(f"{BUILD}/features/{family}/{SPAN}.parquet" for family in (
        "technical", "market", "relative", "sector", "flow", "statement", "graph")),
    "data/raw/smoke/bars/2021y.parquet",
    f"{RUN}/folds/fold0.json", f"{RUN}/folds/scaler0.json", f"{RUN}/report/index.html",
    *(f"{RUN}/models/{model}/fold0/seed0/model" for model in ("atft", "lightgbm", "ridge")),
    *(f"{RUN}/predictions/{model}/fold0/seed0.parquet" for model in ("atft", "reversal")),
    f"{RUN}/evaluation/ridge.json",
]  # fmt: skip


@pytest.fixture(scope="module")
def told(checkout, tmp_path_factory):
    """What one job of each stage calls; and the workflow that they are jobs of."""
    root = tmp_path_factory.mktemp("traced") / "checkout"
    shutil.copytree(checkout.root, root, symlinks=True)
    folder = trace.watch(tmp_path_factory.mktemp("watch"), root / "lib")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(folder))
        Checkout(root).snakemake("--force", *FILES)
    return root, trace.calls(folder)


def code_in(root, **options):
    lib = root / "lib"
    return Code(lib, harmless=jobs.WRAPPERS, cache=root / "lineage.json", **options)


def called(job):
    """Files and names of the top-level definitions that a job called."""
    names = {(file, name.split(".")[0]) for file, name in job["called"] if file.endswith(".py")}
    return {(Path(file), name) for file, name in names if not name.startswith("<")}


def templates(job):
    """Files of other kinds that a job ran: templates, which are compiled."""
    return {Path(file) for file, _ in job["called"] if not file.endswith(".py")}


def counted(found):
    return {
        (module.path, name)
        for module, index in found.statements
        for name in module.text.statements[index].names
    }


def test_all_that_a_job_calls_is_reached(told):
    root, run = told
    assert {Path(job["script"]).stem for job in run} >= {"features", "train", "predict", "report"}
    code = code_in(root, aside=jobs.ASIDE)
    aside = counted(code_in(root).reached(root / "workflow_scripts" / "fold.py", *(
        ":".join(name.rsplit(".", 1)) for name in jobs.ASIDE)))  # fmt: skip
    for job in run:
        reached = code.reached(Path(job["script"]), *job["code"][1:])
        assert called(job) - counted(reached) - aside == set(), job["script"]
        assert templates(job) <= reached.data, job["script"]


def test_an_edit_of_anything_that_a_job_calls_changes_its_digest(told):
    root, run = told
    before, missed, tried = {}, [], set()
    shown = code_in(root, aside=jobs.ASIDE)
    for job in run:
        script, also = Path(job["script"]), job["code"][1:]
        before[script, *also] = shown.digest(script, *also)
        reached = counted(shown.reached(script, *also))
        for file, name in sorted((called(job) & reached) - tried):
            tried.add((file, name))
            text = file.read_text()
            file.write_text(edited(text, name))
            if code_in(root, aside=jobs.ASIDE).digest(script, *also) == before[script, *also]:
                missed.append((script.stem, file.name, name))
            file.write_text(text)
    assert len(tried) > 100 and missed == []


def edited(text, name):
    """Let the function or class `name` do one thing more."""
    node = next(x for x in ast.parse(text).body if getattr(x, "name", None) == name)
    first, lines = node.body[0], text.splitlines(keepends=True)
    lines.insert(first.lineno - 1, " " * first.col_offset + "_ = 7\n")
    return "".join(lines)
