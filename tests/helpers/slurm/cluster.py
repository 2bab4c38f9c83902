"""A real Slurm on this machine alone, brought up in a folder of its own and always taken down.

Needs root and Debian's slurm-wlm and munge; touches neither their services nor their files.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue"]


def lacking():
    """Say what this machine lacks to play a cluster; empty if nothing."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} not installed: apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "Slurm's daemons need root"


@dataclass(frozen=True)
class Cluster:
    base: Path
    environment: dict[str, str]

    def jobs(self):
        """Slurm's own record of every job: JobState, Partition, TresPerJob, Comment, …"""
        lines = self.ask("scontrol", "--oneliner", "show", "jobs").splitlines()
        return [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]

    def ask(self, *command):
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=120
        )
        return done.stdout.strip()


@contextlib.contextmanager
def one_machine():
    """Yield a Cluster with the partitions cpu and gpu, one node each."""
    base = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    base.chmod(0o755)
    cluster = Cluster(base, _environment(base))
    daemons = []
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `finally` happens
    try:
        _lay_out(base)
        for command in _daemons(base):
            daemons.append(_start(command, cluster))
        _wait_until_idle(cluster)
        yield cluster
    finally:
        _take_down(cluster, daemons)
        signal.signal(signal.SIGTERM, before)
        shutil.rmtree(base, ignore_errors=True)


def _environment(base):
    path = f"{base}/bin:{os.environ['PATH']}"
    return {**os.environ, "SLURM_CONF": f"{base}/slurm.conf", "PATH": path}


def _lay_out(base):
    for folder in ("state", "spool.cpu1", "spool.gpu1", "bin"):
        (base / folder).mkdir()
    (base / "munge.key").write_bytes(os.urandom(1024))
    (base / "munge.key").chmod(0o400)
    host = socket.gethostname().split(".")[0]
    settings = (HERE / "slurm.conf").read_text().format(base=base, host=host, ports=_free_ports(3))
    (base / "slurm.conf").write_text(settings)
    shutil.copy(HERE / "gres.conf", base)
    _lend_configuration_to_srun(base)


def _lend_configuration_to_srun(base):
    # Snakemake's jobstep drops SLURM_CONF before it calls srun inside a job, and this cluster's
    # configuration does not lie where srun would look for it.
    shim = base / "bin" / "srun"
    shim.write_text(f'#!/bin/sh\nSLURM_CONF={base}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    shim.chmod(0o755)


def _free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _daemons(base):
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed"}
    options = [f"--{option}={base}/munge.{file}" for option, file in files.items()]
    yield ["munged", "--foreground", *options]
    yield ["slurmctld", "-D", "-c"]
    yield ["slurmd", "-D", "-N", "cpu1"]
    yield ["slurmd", "-D", "-N", "gpu1"]


def _start(command, cluster):
    with open(cluster.base / "daemons.log", "a") as log:
        daemon = subprocess.Popen(
            command, env=cluster.environment, stdout=log, stderr=log, start_new_session=True
        )
    if command[0] == "munged":
        _wait_for(lambda: (cluster.base / "munge.socket").exists(), "munged gave no socket")
    return daemon


def _wait_until_idle(cluster):
    def idle():
        return set(cluster.ask("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split()) == {
            "cpu1",
            "gpu1",
        }

    _wait_for(idle, "Slurm's nodes never became idle")


def _wait_for(holds, otherwise, seconds=300):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(otherwise)
        time.sleep(0.2)


def _take_down(cluster, daemons):
    with contextlib.suppress(subprocess.TimeoutExpired, TimeoutError):
        cluster.ask("scancel", "--user", "root")
        _wait_for(lambda: not cluster.ask("squeue", "-h"), "jobs outlive their end", seconds=20)
        cluster.ask("scontrol", "shutdown")
    for daemon in reversed(daemons):
        daemon.terminate()
    for daemon in reversed(daemons):
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
