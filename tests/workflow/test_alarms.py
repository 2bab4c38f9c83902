"""A leak that no probe has stopped turns the head of the report red."""

import pytest

pytestmark = [pytest.mark.xdist_group("checkout"), pytest.mark.slow]

TOMORROW = """
import numpy as np

def columns(panel):
    ahead = np.full(panel["close"].shape, np.nan)
    ahead[:-2] = panel["close"][2:] / panel["close"][1:-1] - 1
    return {"tomorrow": ahead}
"""
PROBE = "lib/gogooku/features/user.py", "look_ahead.refuse(path", "() and look_ahead.refuse(path"
SHIFT = "lib/gogooku/dataset/labels.py", "Grid(days[starts - lag]", "Grid(days[starts + 1]"


@pytest.mark.parametrize(
    "name, edit, settings",
    [("column", PROBE, ["features={user: leak.py}"]), ("label", SHIFT, [])],
)
def test_a_planted_leak_turns_the_head_red(checkout, name, edit, settings):
    (checkout.root / "leak.py").write_text(TOMORROW)
    own = [f"name={name}", f"build={name}", "models=[ridge]", *settings]
    with checkout.edited(*edit):
        checkout.snakemake("train_all", "--config", *own)
    page = (checkout.root / f"runs/{name}/report/index.html").read_text()
    assert 'class="note stop alarm"' in page and "ridge has RankIC" in page
    honest = (checkout.root / "runs/smoke/report/index.html").read_text()
    assert "alarm" not in honest.split("</style>")[1]
    assert "fits" in honest and "Not certified" in honest
