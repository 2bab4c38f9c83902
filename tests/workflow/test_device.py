"""People are told which device networks are fitted on."""

import re
import subprocess
from pathlib import Path

import device
import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "cuda, there, words",
    [
        ("13.0", True, "sees NVIDIA H200: networks are fitted on it"),
        ("13.0", False, "is a CUDA build and sees no GPU"),
        (None, False, "is a CPU build: .*make setup GPU=1"),
    ],
)
def test_the_device_is_named_or_what_hinders_it(monkeypatch, cuda, there, words):
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H200")
    assert re.search(words, device.sentence())


@pytest.mark.parametrize("gpu, index", [("0", "whl/cpu"), ("1", "whl/cu")])
def test_set_up_takes_the_build_of_torch_that_is_asked_for(gpu, index):
    command = ["make", "-n", "-B", "-C", str(ROOT), f"GPU={gpu}", "setup"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"--index-url https://download.pytorch.org/{index}" in told.stdout
