"""The environments: one pin for each package everywhere, and nothing in use without a pin."""

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml
from gogooku import jobs
from gogooku.families import FAMILIES, module_of
from gogooku.features import studies
from gogooku.models import catalogue

ROOT = Path(__file__).parents[2]
CONDA_NAMES = {
    "matplotlib-base": "matplotlib",
    "pytorch": "torch",
    "snakemake-minimal": "snakemake",
}
OURS = {"gogooku", "simulated_exchange", "lineage", "run_display"}
IMPORT_NAMES = {"sklearn": "scikit-learn", "talib": "ta-lib", "yaml": "pyyaml"}
PIN = re.compile(r"(?P<name>[a-z0-9_.-]+) ==(?P<version>[0-9][0-9a-z.]*)( [a-z0-9_*]+)?")


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def locked():
    lines = (ROOT / "envs" / "lock.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    return {normal(name): version for name, version in pins}


def asked():
    lines = (ROOT / "envs" / "requirements.in").read_text().splitlines()
    return {normal(line.split("#")[0].strip()) for line in lines if line.split("#")[0].strip()}


def environment(kind):
    return yaml.safe_load((ROOT / "envs" / f"{kind}.yaml").read_text())


def pins(kind):
    asked = environment(kind)["dependencies"]
    by_pip = [spec for part in asked if isinstance(part, dict) for spec in part["pip"]]
    specs = [spec for spec in asked if isinstance(spec, str) and spec != "pip"]
    specs = [spec for spec in specs if not spec.startswith("python ")]
    specs += [spec.replace("==", " ==") for spec in by_pip]
    found = [PIN.fullmatch(spec) for spec in specs]
    assert all(found), f"not `name ==version [build]`: {specs}"
    return {normal(CONDA_NAMES.get(pin["name"], pin["name"])): pin["version"] for pin in found}


def third_party(files):
    trees = [ast.parse(file.read_text()) for file in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {x.module for x in nodes if isinstance(x, ast.ImportFrom) and not x.level}
    tops = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - OURS
    return {normal(IMPORT_NAMES.get(top, top)) for top in tops}


def reached_by(kind):
    """Files that the scripts of the rules with this environment reach."""
    rules = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    scripts = ROOT / "workflow_scripts"
    named = re.findall(
        rf'envs/{kind}\.yaml"(?:(?!conda:)[\s\S])*?workflow_scripts/(\S+)\.py"', rules
    )
    stems = [re.sub(r"\{\w+\}", "*", name.replace("params.", "")) for name in named]
    paths = {path for stem in stems for path in scripts.glob(f"{stem}.py")}
    if scripts / "train.py" in paths or scripts / "predict.py" in paths:
        paths |= modules_of(kind)
    if scripts / "features.py" in paths:
        paths |= {module_of(family) for family in FAMILIES}
    code = jobs.code()
    return {module.path for path in paths for module in code.reached(path).imported}


def modules_of(kind):
    """The modules of the models that are fitted in an environment; all predict in that of CPUs."""
    models = map(catalogue.find, catalogue.MODELS)
    return {model.path for model in models if kind == "cpu" or model.needs.gpu}


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_an_environment_takes_packages_from_free_channels_only(kind):
    assert environment(kind)["channels"] == ["conda-forge", "bioconda", "nodefaults"]
    assert set(environment(kind)) == {"channels", "dependencies"}


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_an_environment_pins_what_the_lock_pins(kind):
    assert pins(kind).items() <= locked().items()


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_an_environment_holds_what_its_scripts_import(kind):
    files = reached_by(kind)
    assert files, f"no rule uses envs/{kind}.yaml"
    assert third_party(files) - set(pins(kind)) == set()


def test_the_environment_of_the_features_holds_an_edition_of_pandas_ta():
    assert {normal(edition) for edition in studies.EDITIONS} & set(pins("cpu"))


def test_the_lock_pins_every_package_exactly_once():
    lines = (ROOT / "envs" / "lock.txt").read_text().splitlines()
    specs = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", spec) for spec in specs)
    assert len(locked()) == len(specs)


def test_what_the_workflow_asks_for_is_locked():
    assert asked() <= set(locked())


def test_what_code_and_tests_import_is_asked_for():
    folders = ["lib", "workflow_scripts", "tests", "benchmarks", "tools"]
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    # The vendor's client has an environment of its own.
    files.remove(ROOT / "tests" / "vendor" / "official" / "ask.py")
    ours = {normal(name) for file in files for name in (file.stem, file.parent.name)}
    assert third_party(files) - asked() - ours == set()
