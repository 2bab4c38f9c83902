"""Check that a model keeps what the workflow asks of every model, on a small made-up market.

python tools/check_model.py my_model.py [overlay.yaml]     or     make check-model MODEL=my_model.py

MODEL is a path or the name of a model of gogooku; its settings are those of config/default.yaml
with the overlay, if any. Prints a line a law, ok or failed and what to mend; fails if one fails.
"""

import logging
import sys
import tempfile
import traceback
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from gogooku.config import settings as config  # noqa: E402 - lib/ is never installed
from gogooku.dataset.inputs import ModelInputs  # noqa: E402
from gogooku.errors import UserError  # noqa: E402
from gogooku.models import catalogue, dispatch, modules  # noqa: E402

SESSIONS, STOCKS, HORIZONS = 70, 40, [1, 5]
TRAIN, VALID, TEST = np.arange(40), np.arange(44, 52), np.arange(56, 70)
MIDDLE = 63  # a test day; what comes after it must not matter up to it
COLUMNS = ["returns_1d", "volume_ratio_5", "stmt_roe", "mkt_returns_1d", "is_stmt_valid"]
HEAVY = "torch lightgbm sklearn scipy pandas numba statsmodels xgboost tensorflow jax".split()
PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))


class Broken(Exception):
    """A law that the model breaks; the text says what to mend."""


@dataclass(frozen=True)
class Case:
    """The model under trial and its made-up market."""

    entry: str
    overlay: str | None

    @cached_property
    def model(self):
        return catalogue.find(self.entry)

    @cached_property
    def module(self):
        return modules.load(self.model.entry)

    @cached_property
    def settings(self):
        layers = [ROOT / "config" / "default.yaml", *([Path(self.overlay)] if self.overlay else [])]
        merged = {}
        for layer in layers:
            merged = laid_over(merged, yaml.safe_load(layer.read_text(encoding="utf-8")))
        entries = [entry for entry in merged["models"] if entry != self.model.entry]
        known = config.read({**merged, "models": [*entries, self.model.entry]})
        section = getattr(known, self.model.name, None)
        return section.model_dump() if section else {}

    @cached_property
    def inputs(self):
        return market(self.model.needs)

    @cached_property
    def learnt(self):
        return self.fit(self.inputs)

    def job(self):
        return dispatch.job(self.module, self.settings, 0, 1)

    def fit(self, inputs, train=TRAIN, valid=VALID):
        """Fit a model that learns; None for one that does not."""
        if not self.model.needs.learns:
            return None
        job = self.job()
        if hasattr(self.module, "choose"):
            job = replace(job, settings=self.module.choose(inputs, train, valid, job))
        return self.module.fit(inputs, train, valid[:0], job)

    def predict(self, model, inputs, test=TEST):
        settings = self.job().settings
        others = {name: [inputs.x[test][..., :2]] for name in self.model.needs.others(settings)}
        return dispatch.predict(
            self.module, model, inputs, test, replace(self.job(), others=others)
        )


def laid_over(below, above):
    """Merge settings as Snakemake does."""
    both = {
        key: laid_over(below[key], value)
        for key, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(key), dict)
    }
    return {**below, **above, **both}


def market(needs):
    """Make up inputs in which the first column says a little of what is to come."""
    draw = np.random.default_rng(0)
    columns = list(needs.columns or COLUMNS)
    universe = draw.random((SESSIONS, STOCKS)) > 0.1
    x = draw.standard_normal((SESSIONS, STOCKS, len(columns))).astype(np.float32)
    noise = draw.standard_normal((SESSIONS, STOCKS, len(HORIZONS)))
    labels = (0.01 * (x[..., :1] + 3 * noise)).astype(np.float32)
    x[~universe], labels[~universe] = 0, np.nan
    degree = 3 if needs.graphs else 0
    neighbours = draw.integers(0, STOCKS, (SESSIONS, STOCKS, degree)).astype(np.int32)
    neighbours[~universe] = -1
    return ModelInputs(
        x=x,
        universe=universe,
        labels=labels,
        dates=np.datetime64("2020-01-06") + np.arange(SESSIONS),
        codes=np.array([f"{1301 + i}0" for i in range(STOCKS)]),
        columns=columns,
        horizons=HORIZONS,
        neighbours=neighbours,
        weights=np.where(neighbours < 0, 0, 0.5).astype(np.float32),
    )


def with_another_future(inputs, after):
    """Change features, labels and graphs of all days after position `after`."""
    late = np.arange(SESSIONS) > after
    changed = {
        name: getattr(inputs, name).copy() for name in ("x", "labels", "neighbours", "weights")
    }
    changed["x"][late] = 7 - 2 * changed["x"][late]
    changed["labels"][late] = -changed["labels"][late]
    changed["neighbours"][late] = -1
    changed["weights"][late] = 0
    return replace(inputs, **changed)


# ---- laws ----------------------------------------------------------------------------------------


def reads_quickly(case):
    """is read without its libraries"""
    before = set(sys.modules)
    case.model  # noqa: B018 - which reads the module
    if heavy := [name for name in HEAVY if name in set(sys.modules) - before]:
        raise Broken(
            f"its head imports {', '.join(heavy)}, which every job would wait for: import it "
            "within the functions that use it"
        )


def fits_two_days(case):
    """fits two days and scores every member"""
    case.predict(case.fit(case.inputs, TRAIN[:2], VALID[:2]), case.inputs)


def survives_missing_labels(case):
    """fits where labels are missing"""
    labels = case.inputs.labels.copy()
    labels[:, ::2] = np.nan
    labels[TRAIN[3]] = labels[VALID[1], :, 0] = np.nan
    case.predict(case.fit(replace(case.inputs, labels=labels)), case.inputs)


def scores_each_day_alone(case):
    """scores a day the same whichever days are asked for beside it"""
    together = case.predict(case.learnt, case.inputs)
    alone = case.predict(case.learnt, case.inputs, TEST[3:4])
    if not rows_of(together, alone).equals(alone):
        raise Broken("a day's scores depend on the other days of `test`: score each by itself")


def predicts_without_the_future(case):
    """predicts the same whatever comes later"""
    changed = with_another_future(case.inputs, MIDDLE)
    early = TEST[TEST <= MIDDLE]
    scores, other = (case.predict(case.learnt, each, early) for each in (case.inputs, changed))
    if not scores.equals(other):
        raise Broken("predict reads days after the one that it scores: use those up to it alone")


def fits_without_the_future(case):
    """learns the same whatever comes after the validation part, and each time"""
    other = case.fit(with_another_future(case.inputs, VALID[-1]))
    if not case.predict(case.learnt, case.inputs).equals(case.predict(other, case.inputs)):
        raise Broken(
            "a second fit, with other values after the days at `valid`, gives other predictions: "
            "learn from the days at `train` and `valid` alone, and draw by job.seed"
        )


def refuses_other_columns(case):
    """refuses other columns than it was fitted on"""
    other = replace(case.inputs, columns=["another", *case.inputs.columns[1:]])
    try:
        case.predict(case.learnt, other)
    except UserError:
        return
    raise Broken("predict takes any columns: keep those of the fit, inputs.require_columns(them)")


def saves_without_pickle(case):
    """comes back from its file, which holds no pickle, and predicts the same"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        dispatch.save(case.module, case.learnt, path)
        if path.read_bytes().startswith(PICKLES):
            raise Broken("save writes a pickle, which may hold code: write plain numbers")
        unpickled = _watch_pickle()
        unpickled.clear()
        again = dispatch.load(case.module, path)
        if unpickled:
            raise Broken(
                f"load unpickles {unpickled[0]}, which may be any code: read plain numbers"
            )
    if not case.predict(case.learnt, case.inputs).equals(case.predict(again, case.inputs)):
        raise Broken("the model that load gives predicts otherwise than the saved one")


@cache
def _watch_pickle():
    """Give the list to which Python adds every name that a pickle makes it look up."""
    names = []

    def listen(event, values):
        if event == "pickle.find_class":
            names.append(".".join(map(str, values)))

    sys.addaudithook(listen)
    return names


def rows_of(frame, keys):
    return frame.join(keys.select("date", "code"), on=["date", "code"], maintain_order="right")


LAWS = [reads_quickly, fits_two_days, survives_missing_labels, scores_each_day_alone,
        predicts_without_the_future, fits_without_the_future, refuses_other_columns,
        saves_without_pickle]  # fmt: skip
OF_LEARNERS = {survives_missing_labels, fits_without_the_future, refuses_other_columns,
               saves_without_pickle}  # fmt: skip


def check(entry, overlay=None):
    """Give what is wrong by law, in their order; None for a law that holds."""
    case, verdicts = Case(entry, overlay), {}
    for law in LAWS:
        if law is not reads_quickly and law in OF_LEARNERS and not case.model.needs.learns:
            continue
        verdicts[law.__doc__] = _verdict(law, case)
        if law is reads_quickly and "model" not in vars(case):
            break  # it cannot even be read
    return verdicts


def _verdict(law, case):
    try:
        law(case)
    except (Broken, UserError) as error:
        return str(error)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = next(
            (f for f in reversed(frames) if f.filename == str(case.model.path)), frames[-1]
        )
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return f"{place.filename} line {place.lineno} raises {reason}: mend it"
    return None


def main(entry, overlay=None):
    """Print a line a law; give the exit status."""
    logging.disable(logging.WARNING)
    verdicts = check(entry, overlay)
    for law, fault in verdicts.items():
        print(f"failed  {law}: {fault}" if fault else f"ok      {law}")
    return int(any(verdicts.values()))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("say which model: make check-model MODEL=my_model.py")
    sys.exit(main(*sys.argv[1:]))
