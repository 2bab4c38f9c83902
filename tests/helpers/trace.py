"""Which definitions of the library each job of a run executes; seen from within the job."""

import json
from pathlib import Path

WATCHER = '''
"""Loaded by Python itself when it starts: notes what a job's script calls."""

import sys

if any(".snakemake/scripts" in word for word in sys.orig_argv):
    import atexit
    import json
    import os
    import threading

    seen = set()

    def note(frame, event, argument):
        if event == "call" and frame.f_code.co_flags & 1:  # a function, no class body
            seen.add(frame.f_code)

    def write():
        sys.setprofile(None)
        main = sys.modules["__main__"]
        rows = {(code.co_filename, code.co_qualname) for code in seen if LIB in code.co_filename}
        name = os.path.basename(main.__real_file__).split(".", 1)[1]  # Python forgets __file__
        told = {"script": os.path.join(main.snakemake.scriptdir, name)}
        told |= {"code": main.snakemake.params.code, "called": sorted(rows)}
        with open(os.path.join(OUT, f"{os.getpid()}.json"), "w") as file:
            json.dump(told, file)

    atexit.register(write)
    threading.setprofile(note)
    sys.setprofile(note)
'''


def watch(folder: Path, lib: Path) -> Path:
    """Lay a watcher into `folder`, which is to stand in PYTHONPATH; it writes to folder/out."""
    (folder / "out").mkdir(parents=True)
    head = f"LIB, OUT = {str(lib) + '/'!r}, {str(folder / 'out')!r}\n"
    (folder / "sitecustomize.py").write_text(head + WATCHER)
    return folder


def calls(folder: Path) -> list[dict]:
    """Read what the jobs called: script, code and (file, name) of each function."""
    return [json.loads(path.read_text()) for path in sorted((folder / "out").glob("*.json"))]
