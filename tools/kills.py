"""Kill the smoke run at random moments, go on with the same command each time, and compare.

PYTHONPATH=lib:tests python tools/kills.py --kills 30 --seed 1 --folder /tmp/kills

Snakemake, one of its jobs or all of them at once get SIGKILL. Each time the one command must go on:
no finished file may be made again or be lost, and the end must have the bits of an undisturbed run.
Prints one line a kill and exits with 1 if any of this failed.
"""

import argparse
import base64
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from helpers.checkout import copy_of_the_workflow

TARGET = ("train_all", "--configfile", "config/smoke.yaml")
BUILT = ("data/raw/smoke", "data/truth/smoke.parquet", "builds/smoke", "runs/smoke")
"""What the command builds, apart from what others built in the same folder."""
APART = {"logs", "benchmarks", "audit", "claim.json", ".lock", "resume"}
DATED = {"index.html", "run.json"}
"""Files of the report that say when and in what time they were made."""
VICTIMS = ("snakemake", "job", "both")
PATIENCE = 1800  # seconds until a run counts as stuck


def start(folder, log):
    """Start the command in a session of its own."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *TARGET]
    return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)


def kill(process, victim, random):
    """Kill Snakemake, a job of its or both; give what was killed, once Snakemake has ended."""
    children = psutil.Process(process.pid).children(recursive=True)
    jobs = [child for child in children if "python" in child.name()]
    if victim == "both":
        os.killpg(process.pid, signal.SIGKILL)
    elif victim == "job" and jobs:
        random.choice(jobs).kill()
    else:
        victim = "snakemake"
        process.kill()
    process.wait(timeout=PATIENCE)
    return victim


def files_of(folder):
    """Give all that the run has built, without what holds clock times."""
    parts = [folder / part for part in BUILT]
    paths = [path for part in parts for path in (part, *part.rglob("*")) if path.is_file()]
    names = {str(path.relative_to(folder)): path for path in paths}
    return {name: path for name, path in names.items() if not _apart(Path(name))}


def _apart(name):
    return bool(APART & set(name.parts)) or name.name.startswith(".")


def finished(folder):
    """Give each finished file's time of writing: those of jobs begun and not ended are none."""
    records = (folder / ".snakemake" / "incomplete").rglob("*")
    begun = {_named(record, folder) for record in records if record.is_file()}
    return {name: p.stat().st_mtime_ns for name, p in files_of(folder).items() if name not in begun}


def _named(record, folder):
    parts = record.relative_to(folder / ".snakemake" / "incomplete").parts
    return base64.urlsafe_b64decode("".join(part.removeprefix("@") for part in parts)).decode()


def contents(folder):
    """Give the checksum of each file that the run has built, but for those that name their time."""
    files = {n: p for n, p in files_of(folder).items() if Path(n).name not in DATED}
    return {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in files.items()}


def lost(before, folder):
    """Name the files that were finished before and have gone or been written again."""
    now = {name: path.stat().st_mtime_ns for name, path in files_of(folder).items()}
    return sorted(name for name, moment in before.items() if now.get(name) != moment)


def disturbed(folder, kills, seed, seconds):
    """Run to the end through `kills`; give the faults.

    seconds   that an undisturbed run takes: an attempt lasts a share of them, and a start. A run
              that ends before its kill begins anew
    """
    draw, faults, before, done = random.Random(seed), [], {}, 0
    with open(folder / "said.txt", "w") as log:
        while done < kills:
            process, wait = start(folder, log), draw.uniform(1, 20 + 2 * seconds / kills)
            try:
                status, victim = process.wait(timeout=wait), "none"
            except subprocess.TimeoutExpired:
                status, victim, done = 0, kill(process, draw.choice(VICTIMS), draw), done + 1
            gone, before = lost(before, folder), finished(folder)
            faults += [*gone, *([f"a run ended with {status}"] if status else [])]
            print(f"{done:>3} after {wait:5.1f} s: {victim:<10} {len(before):>4} finished {gone}")
            sys.stdout.flush()
            if victim == "none":
                before = {}
                for part in ("builds", "runs"):
                    shutil.rmtree(folder / part)
        status = start(folder, log).wait(timeout=PATIENCE)
    faults += lost(before, folder)
    return [*faults, f"the last run ended with {status}"] if status else faults


def main(arguments):
    """Compare a disturbed run with an undisturbed one; give the exit status."""
    folders = [Path(arguments.folder, name) for name in ("undisturbed", "disturbed")]
    for folder in folders:
        folder.mkdir(parents=True)
        copy_of_the_workflow(folder)
    began = time.monotonic()
    with open(folders[0] / "said.txt", "w") as log:
        status = start(folders[0], log).wait(timeout=PATIENCE)
    if status:
        return f"the undisturbed run failed: see {folders[0]}/said.txt"
    seconds = time.monotonic() - began
    print(f"an undisturbed run takes {seconds:.0f} s")
    faults = disturbed(folders[1], arguments.kills, arguments.seed, seconds)
    here, there = map(contents, folders)
    differing = sorted(n for n in here.keys() | there.keys() if here.get(n) != there.get(n))
    print(f"{arguments.kills} kills, {len(here)} files: differing {differing}, faults {faults}")
    return 1 if faults or differing else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", default=None)
    given = parser.parse_args()
    given.folder = given.folder or tempfile.mkdtemp()
    sys.exit(main(given))
