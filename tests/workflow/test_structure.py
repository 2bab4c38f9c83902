"""The shape of the code: what a script, a rule, a module, a profile and a setting may be."""

import ast
import graphlib
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from gogooku.config import settings
from snakemake_executor_plugin_slurm import partitions

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*.py"))
RULE_FILES = sorted((ROOT / "rules").glob("*.smk"))
LIB = ROOT / "lib" / "gogooku"
MODULES = sorted(LIB.rglob("*.py"))

# From the ground up: a module may import from its own folder and from those before it.
LAYERS = [
    *"errors workarounds user_code section locks files layout jobs calendar point_in_time".split(),
    *"splits families".split(),
    *"arrays raw vendor archive panel graph features dataset models config sources".split(),
    *"evaluation report research audit".split(),
]


# ---- scripts -------------------------------------------------------------------------------------

FORBIDDEN_IN_SCRIPTS = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.For, ast.While, ast.Try
)  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_reads_calls_and_writes(script):
    text = script.read_text()
    nodes = list(ast.walk(ast.parse(text)))
    assert len(text.splitlines()) <= 30
    assert [node for node in nodes if isinstance(node, FORBIDDEN_IN_SCRIPTS)] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_knows_no_path_and_no_default(script):
    tree = ast.parse(script.read_text())
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    strings = [
        text for text in strings if isinstance(text, str) and text != ast.get_docstring(tree)
    ]
    assert [text for text in strings if re.search(r"/|\.(parquet|json|yaml|csv|pt)\b", text)] == []
    calls = [node.func.attr for node in ast.walk(tree) if _is_method_call(node)]
    assert not {"get", "setdefault", "getenv"} & set(calls)
    assert [node for node in ast.walk(tree) if isinstance(node, ast.Or)] == []


def _is_method_call(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_checks_first_that_its_code_is_what_was_planned(script):
    assert "\njobs.start(snakemake)\n" in script.read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_belongs_to_a_rule_that_tracks_its_code(script):
    name = re.escape(script.stem)
    owners = [body for body in rules().values() if re.search(rf"workflow_scripts/{name}\.py", body)]
    assert owners, "no rule runs it"
    tracked = rf'code=code(_of)?\("{name}"|code_of_family'
    assert all(re.search(tracked, body) for body in owners)


# ---- rules ---------------------------------------------------------------------------------------


def rules():
    """Text of each rule by file and name."""
    found = {}
    for file in [ROOT / "Snakefile", *RULE_FILES]:
        pieces = re.split(r"^( *)rule *(\w*):\n", file.read_text(), flags=re.MULTILINE)
        for indent, name, body in zip(*(iter(pieces[1:]),) * 3, strict=True):
            ours = re.match(rf"(?:{indent} +.*\n|\n)*", body)[0]
            found[file.name, name, len(found)] = ours
    return found


RULES = {f"{file}:{name}": body for (file, name, _), body in rules().items()}
WORKING = [name for name, body in RULES.items() if "output:" in body]
NEEDS = ["log:", "benchmark:", "conda:", "threads:", "mem_mb=", "runtime=", "script:"]


def test_rules_are_found():
    assert len(RULES) > 20 and len(WORKING) > 15


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_in_one_sentence_what_it_does(rule):
    assert re.match(r'\s*"""[^"]+\."""|\s*"""[^"]+\)\."""', RULES[rule])


COMMANDS = [name for name, body in RULES.items() if "script:" in body and "output:" not in body]


@pytest.mark.parametrize("rule", WORKING)
def test_a_rule_says_what_it_needs(rule):
    assert [need for need in NEEDS if need not in RULES[rule]] == []


@pytest.mark.parametrize("rule", COMMANDS)
def test_a_command_says_what_it_needs_but_for_a_benchmark_which_would_keep_it_from_a_second_call(
    rule,
):
    assert [need for need in NEEDS if need not in RULES[rule]] == ["benchmark:"]


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda path: path.stem)
def test_a_rule_file_says_at_its_head_what_comes_in_and_goes_out(file):
    head = re.match(r'"""(.*?)"""', file.read_text(), re.DOTALL)
    assert head
    assert file.stem == "common" or ("\nreads " in head[1] and "\nwrites " in head[1])


def test_no_rule_says_where_it_runs():
    text = "".join(file.read_text() for file in RULE_FILES)
    assert not re.search(r"slurm|partition=|constraint=|account=", text)


def test_only_evaluation_reads_the_planted_truth():
    naming = {file.name for file in RULE_FILES if "<truth>" in file.read_text()}
    assert naming == {"fetch.smk", "evaluate.smk"}
    assert ["<truth>" in RULES[name].split("output:")[0] for name in WORKING].count(True) == 1
    others = [*RULE_FILES, *SCRIPTS, *MODULES]
    assert [file.name for file in others if "data/truth" in file.read_text()] == []
    assert {file.stem for file in SCRIPTS if "truth" in file.read_text()} <= {"market", "evaluate"}


# ---- library -------------------------------------------------------------------------------------


def name_of(path):
    return ".".join(path.relative_to(LIB).with_suffix("").parts)


def imported(path):
    """Names of our modules that a module imports anywhere in its text."""
    ours = {name_of(module) for module in MODULES}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "gogooku":
            base = node.module.removeprefix("gogooku").lstrip(".")
            yield from ours & {base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)}


def layer_of(module):
    """Place of the folder or module of the top that `module` belongs to."""
    top = module.split(".")[0]
    assert top in LAYERS, f"{top} has no layer: add it to LAYERS where its imports allow"
    return LAYERS.index(top)


CODE = [path for path in MODULES if path.name != "__init__.py"]


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_imports_run_downhill(path):
    assert [name for name in imported(path) if layer_of(name) > layer_of(name_of(path))] == []


EXCHANGE = sorted((ROOT / "lib" / "simulated_exchange").rglob("*.py"))
EXCHANGE_LAYERS = ["market", "server", "local", "__main__"]


def exchange_name(path):
    return ".".join(path.relative_to(ROOT / "lib").with_suffix("").parts)


def imported_names(path):
    """Dotted names that a module imports anywhere in its text, with what it takes from them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_gogooku_imports_nothing_of_the_simulated_exchange(path):
    assert [name for name in imported_names(path) if name.startswith("simulated_exchange")] == []


def test_the_simulated_exchange_has_layers_and_no_circle():
    modules = {exchange_name(path): path for path in EXCHANGE if path.name != "__init__.py"}
    needs = {name: modules.keys() & set(imported_names(path)) for name, path in modules.items()}
    graphlib.TopologicalSorter(needs).prepare()

    def layer(name):
        return EXCHANGE_LAYERS.index(name.split(".")[1])

    upward = {(name, need) for name in needs for need in needs[name] if layer(need) > layer(name)}
    assert upward == set()


@pytest.mark.parametrize("package", ["lineage", "run_display"])
def test_what_knows_nothing_of_markets_imports_nothing_that_does(package):
    names = {
        name for path in (ROOT / "lib" / package).rglob("*.py") for name in imported_names(path)
    }
    assert [name for name in names if name and name.split(".")[0] == "gogooku"] == []


def test_imports_make_no_ring():
    graphlib.TopologicalSorter({name_of(path): set(imported(path)) for path in CODE}).prepare()


def test_the_head_of_a_package_holds_a_docstring_only():
    for path in LIB.rglob("__init__.py"):
        body = ast.parse(path.read_text()).body
        assert len(body) == 1 and isinstance(body[0].value, ast.Constant), path


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_public_functions_say_what_they_take_and_give(path):
    assert [
        node.name for node in _public(ast.parse(path.read_text())) if not _annotated(node)
    ] == []


def _public(tree):
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _public(node)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def _annotated(node):
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    every += [extra for extra in (node.args.vararg, node.args.kwarg) if extra]
    return node.returns and all(arg.annotation or arg.arg in ("self", "cls") for arg in every)


# ---- sizes ---------------------------------------------------------------------------------------

LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS = {
    "_sweep": "a kernel that goes down the days once; its parts would be kernels of their own",
}
CODE_FILES = sorted(path for top in ("lib", "tools") for path in (ROOT / top).rglob("*.py"))


def lines_of(path):
    return len(path.read_text().splitlines())


def test_a_module_has_at_most_400_lines():
    long = {str(path.relative_to(ROOT / "lib")) for path in CODE_FILES if lines_of(path) > 400}
    assert long == set(LONG_MODULES)


def test_a_function_has_at_most_50_lines():
    trees = (ast.parse(path.read_text()) for path in CODE_FILES)
    functions = (n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    long = {n.name for n in functions if n.end_lineno - n.lineno >= 50}
    assert long == set(LONG_FUNCTIONS)


# ---- profiles, settings, files -------------------------------------------------------------------


def profile(name):
    return yaml.safe_load((ROOT / "profiles" / name / "profile.yaml").read_text())


def test_profiles_share_no_key():
    assert set(profile("default")) & set(profile("slurm")) == set()


def test_the_slurm_profile_names_rules_that_exist():
    names = {name.split(":")[1] for name in WORKING}
    assert set(profile("slurm")["groups"]) <= names
    assert set(profile("slurm")["group-components"]) <= set(profile("slurm")["groups"].values())


def test_all_families_of_a_span_travel_as_one_job():
    assert profile("slurm")["groups"]["features"] == "span"


def test_jobs_with_a_gpu_go_to_the_gpu_partition_by_that_need_alone_and_travel_alone():
    file = ROOT / "profiles" / "slurm" / profile("slurm")["slurm-partition-config"]
    known = partitions.read_partition_file(file)

    def chosen(gpu):
        needs = {"mem_mb": 8000, "runtime": 60, "gpu": gpu}
        job = SimpleNamespace(name="a job", threads=1, resources=AttributeDict(needs))
        return partitions.get_best_partition(known, job, logging.getLogger())

    assert [chosen(0), chosen(1)] == ["cpu", "gpu"]
    with_gpu = {name.split(":")[1] for name in WORKING if re.search(r"\bgpu=", RULES[name])}
    assert with_gpu == {"train"} and with_gpu & set(profile("slurm")["groups"]) == set()


class AttributeDict(dict):
    """Resources as a plugin sees them."""

    __getattr__ = dict.__getitem__


def test_the_models_are_read_without_their_libraries():
    code = "import sys; from gogooku.models import catalogue; "
    code += "[catalogue.find(name) for name in catalogue.MODELS]; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib")},
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"torch", "lightgbm", "numba", "scipy", "sklearn", "pandas"}
    assert heavy & set(run.stdout.split()) == set()


def test_the_slurm_profile_is_found_by_name_from_a_clone():
    assert (ROOT / "slurm").is_symlink() and (ROOT / "slurm" / "profile.yaml").is_file()


def leaves(model, path=""):
    """Dotted names of all settings."""
    for name, field in model.model_fields.items():
        deeper = hasattr(field.annotation, "model_fields")
        yield from leaves(field.annotation, f"{path}{name}.") if deeper else [path + name]


def keys(section, path=""):
    """Dotted names of all values in a config."""
    for name, value in section.items():
        yield from keys(value, f"{path}{name}.") if isinstance(value, dict) else [path + name]


def test_every_setting_has_its_default_and_every_default_its_setting():
    default = yaml.safe_load((ROOT / "config" / "default.yaml").read_text())
    known = set(leaves(settings.with_sections([])))
    mapped = {leaf for leaf in known if leaf == "blend.weights"}  # whose keys are names of models
    given = {next((x for x in mapped if key.startswith(f"{x}.")), key) for key in keys(default)}
    assert given == known


SKIPPED = {
    ".git",
    ".venv",
    "runs",
    "builds",
    "data",
    "logs",
    ".snakemake",
    ".hypothesis",
    "__pycache__",
}
LEFT_OPEN = re.compile(r"TO[D]O|FIX[M]E|XX[X]|NotImplemented[E]rror")
PRIVATE = re.compile(r"(?:^|[^\w.-])(/(?:wor[k]|roo[t]|hom[e])/)", re.MULTILINE)


def texts():
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT).parts
        if path.is_file() and not SKIPPED & set(inside) and not inside[0].endswith("_cache"):
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8", errors="ignore")


def test_nothing_is_left_open_and_no_private_path_is_named():
    found = {str(path): LEFT_OPEN.findall(text) + PRIVATE.findall(text) for path, text in texts()}
    assert {path: words for path, words in found.items() if words} == {}


# ---- what texts name -----------------------------------------------------------------------------

TEXTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "config/*", "profiles/*/*.yaml", "envs/*", "lib/**/*.md",
                    "pyproject.toml", ".pre-commit-config.yaml", "rules/*.smk")
    for path in ROOT.glob(pattern)
    if path.is_file()
)  # fmt: skip
EXAMPLE = ROOT / "lib/gogooku/features/gap.py"  # of docs/extending.md
OURS = re.compile(
    r"(?<![\w./<>-])((?:lib|tests|tools|rules|docs|envs|workflow_scripts|benchmarks)/[\w./-]+\.\w+)"
)


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_that_a_text_names_or_links_to_exists(text):
    words = text.read_text()
    named = {ROOT / path for path in OURS.findall(words)} - {EXAMPLE}
    links = re.findall(r"\]\((?!\w+:)([^)#]+)", words) if text.suffix == ".md" else []
    missing = {path for path in named | {text.parent / link for link in links} if not path.exists()}
    assert missing == set()
