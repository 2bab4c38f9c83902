"""Settings of the process under which torch repeats itself."""

import os

import torch

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def make_torch_deterministic(seed: int, threads: int) -> None:
    """Make torch repeat itself bit for bit: on a CPU on as many threads, on a GPU of one kind.

    cuBLAS sums in a fixed order only if the environment names its workspace before it starts;
    torch refuses to multiply without, once it is deterministic, and says so.
    """
    os.environ.setdefault(WORKSPACE, ":4096:8")
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # Deterministic mode also overwrites memory that is written anyway: a tenth of a step's time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
