"""Which stages an edit of a module, or of a definition, redoes; what follows them is redone too.

python tools/blast_radius.py > docs/blast-radius.md
python tools/blast_radius.py gogooku.files         the definitions of one module
"""

import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))

from gogooku import jobs
from gogooku.families import FAMILIES, called_of
from gogooku.models import catalogue
from lineage.modules import Module

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "workflow_scripts"
NOT_RUN = ("check", "status", "uncovered", "purge", "check_source", "status_source")  # make no file

HEAD = """# What an edit redoes

Made by `tools/blast_radius.py`; a test keeps it true. For each module the stages that reach one of
its definitions: an edit of a definition redoes those of them that reach it, and what follows from
their files. `python tools/blast_radius.py gogooku.files` shows them definition by definition. A
module that is not in the table decides no file: the log, the progress, the plan.

| module | stages |
|---|---|
"""


def stages() -> dict[str, tuple[str, list[str]]]:
    """Give each stage's script, and what its rule adds to the script's code."""
    found: dict[str, tuple[str, list[str]]] = {
        path.stem: (path.stem, []) for path in sorted(SCRIPTS.glob("*.py"))
    }
    for shared in ("features", "train", "predict", *NOT_RUN):
        found.pop(shared, None)
    found |= {f"features {name}": ("features", called_of(name)) for name in FAMILIES}
    models = [catalogue.find(name) for name in catalogue.MODELS]
    found |= {f"train {x.name}": ("train", x.called_by("train")) for x in models if x.needs.learns}
    return found | {f"predict {x.name}": ("predict", x.called_by("predict")) for x in models}


def reached() -> dict[tuple[Module, int], set[str]]:
    """Give the stages that reach each statement of the library."""
    found: dict[tuple[Module, int], set[str]] = {}
    for stage, (script, also) in stages().items():
        for node in jobs.code().reached(SCRIPTS / f"{script}.py", *also).statements:
            if node[0].path.is_relative_to(ROOT / "lib"):
                found.setdefault(node, set()).add(stage)
    return found


def by_module() -> dict[str, set[str]]:
    """Give the stages that reach any definition of each module."""
    found: dict[str, set[str]] = {}
    for (module, _), names in reached().items():
        found.setdefault(module.name, set()).update(names)
    return found


def by_definition(name: str) -> dict[str, set[str]]:
    """Give the stages that reach each definition of a module."""
    return {
        ", ".join(module.text.statements[index].names): names
        for (module, index), names in sorted(reached().items(), key=lambda row: row[0][1])
        if module.name == name
    }


def page() -> str:
    """Give the table of modules as Markdown."""
    return HEAD + "".join(
        f"| `{name}` | {_shown(found)} |\n" for name, found in sorted(by_module().items())
    )


def _shown(found: Iterable[str]) -> str:
    """Name stages shortly: all of them, or all of a kind, by one word."""
    left, every, words = set(found), set(stages()), []
    if left == every:
        return "all"
    for kind in ("features", "train", "predict"):
        own = {stage for stage in every if stage.startswith(f"{kind} ")}
        if own <= left:
            words.append(f"all of {kind}")
            left -= own
    return ", ".join([*words, *sorted(left)])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        for definition, names in by_definition(sys.argv[1]).items():
            print(f"{definition}: {_shown(names)}")
    else:
        sys.stdout.write(page())
