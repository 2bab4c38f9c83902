"""The workflow from elsewhere: as a module of another workflow, from a clone that is read-only."""

import shutil
import subprocess
import sys

import yaml
from helpers.checkout import ROOT, copy_of_the_workflow
from helpers.configs import CONFIG, default

MODULE = """
configfile: "settings.yaml"

module stocks:
    snakefile: "{}/Snakefile"
    config: config

use rule * from stocks as stocks_*
"""
SUM = """
import numpy as np
from gogooku.arrays import time_series as ts
print(ts.ts_mean(np.arange(12.).reshape(6, 2), 3, 2)[-1])
"""


def test_another_workflow_uses_this_one_as_a_module(tmp_path):
    (tmp_path / "there").mkdir()
    there = copy_of_the_workflow(tmp_path / "there")
    smoke = yaml.safe_load((CONFIG / "smoke.yaml").read_text())
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(default(**smoke)))
    (tmp_path / "Snakefile").write_text(MODULE.format(there))
    calendar = "data/raw/smoke/calendar/2020y.parquet"
    command = [sys.executable, "-m", "snakemake", "--cores", "2", calendar]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / calendar).is_file()
    assert not (there / "data").exists()


def test_kernels_are_compiled_anew_where_nothing_can_keep_them(tmp_path):
    shutil.copytree(ROOT / "lib", tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [path for path in (tmp_path / "lib").rglob("*") if path.is_dir()]:
        (folder / "__pycache__").touch()  # no folder can have this name now, not even root's
    environment = {"HOME": "/proc/nohome", "PYTHONPATH": str(tmp_path / "lib")}
    command = [sys.executable, "-B", "-c", SUM]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["[8.", "9.]"], done.stderr
