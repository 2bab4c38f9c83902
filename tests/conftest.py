"""What all tests share: the same examples in every run, and a finished smoke run."""

import hypothesis
import pytest
from helpers.checkout import Checkout, copy_of_the_workflow

# The same examples in every run; fresh ones are drawn by pytest --hypothesis-profile=default.
# Whether they pass depends on no clock.
hypothesis.settings.register_profile(
    "steady", derandomize=True, deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)  # fmt: skip
hypothesis.settings.load_profile("steady")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The smoke run, once for all tests that need a finished one."""
    finished = Checkout(copy_of_the_workflow(tmp_path_factory.mktemp("checkout")))
    finished.snakemake("train_all")
    return finished
