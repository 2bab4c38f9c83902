"""Say which device torch sees, on which networks are fitted.

python tools/device.py
"""

import torch


def sentence() -> str:
    """Name torch's build, and the GPU or what hinders it."""
    build = f"torch {torch.__version__}"
    if torch.cuda.is_available():
        return f"{build} sees {torch.cuda.get_device_name()}: networks are fitted on it"
    if torch.version.cuda:
        return (
            f"{build} is a CUDA build and sees no GPU: networks are fitted on the CPU; "
            "nvidia-smi tells whether the driver is there"
        )
    return f"{build} is a CPU build: networks are fitted on the CPU; make setup GPU=1 takes CUDA's"


if __name__ == "__main__":
    print(sentence())
