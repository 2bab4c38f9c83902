"""Training and use of the network: one day with all its stocks is one step."""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gogooku import files, jobs
from gogooku.arrays.agreement import rank_ic
from gogooku.dataset.inputs import ModelInputs
from gogooku.errors import UserError
from gogooku.models.contract import Job
from gogooku.models.deterministic import make_torch_deterministic
from gogooku.models.network.fan import volume_like
from gogooku.models.network.network import Atft
from gogooku.models.targets import rank_normal

# Validation days that are scored after an epoch, evenly spaced.
VALID_DAYS = 24
# Share of the averaged weights that a step keeps.
AVERAGING = 0.98
# Largest norm of a step's gradient.
LARGEST_GRADIENT = 1.0
# Added to a variance: a horizon whose scores are all alike has correlation 0, not none.
TINY = 1e-6


def fit(inputs: ModelInputs, train: np.ndarray, valid: np.ndarray, job: Job) -> Atft:
    """Train a network on the days at positions `train` for as many epochs as the settings say.

    Each epoch's state is kept at the job's checkpoint until the fit ends; a fit that was killed
    goes on from there, to the same bits. Raises UserError for training days without labels.

    Returns the network with the moving average of its weights. The job's curve gets an entry an
    epoch: the loss and, if there are days at `valid` to watch, the RankIC there.
    """
    make_torch_deterministic(job.seed, job.threads)
    settings = job.settings
    targets = rank_normal(inputs.labels)
    train = _with_labels(targets, train, "training")
    if len(valid):
        valid = _thin(_with_labels(targets, valid, "validation"), VALID_DAYS)
    days = min(settings.days_per_epoch, len(train))
    course = _Course(_network(inputs, job), days * settings.epochs, settings)
    path, digest = (job.checkpoint.path, job.checkpoint.digest) if job.checkpoint else (None, "")
    course.resume(path, digest)
    while len(course.curve) < settings.epochs:
        epoch = len(course.curve) + 1
        order = np.random.default_rng([job.seed, epoch]).permutation(train)[:days]
        _reseed(job.seed, epoch)
        loss = _epoch(course, inputs, targets, order, f"training {epoch}/{settings.epochs}")
        skill = _skill(course.network, inputs, valid) if len(valid) else {}
        course.curve.append({"epoch": epoch, "loss": loss, **skill})
        course.keep(path, digest)
    if path is not None:
        path.unlink(missing_ok=True)
    job.curve.extend(course.curve)
    return course.network.cpu().eval()


def predict(net: Atft, inputs: ModelInputs, test: np.ndarray, job: Job) -> np.ndarray:
    """Score every member of each day at positions `test`: (D, N, H) float32.

    A day's scores depend on its own windows and graph alone. Raises UserError if the columns of
    `inputs` are not those that the network was trained on.
    """
    make_torch_deterministic(job.seed, job.threads)
    inputs.require_columns(net.columns)
    scores = np.zeros((len(test), len(inputs.codes), len(net.horizons)), np.float32)
    # On a CPU even beside a GPU: at full precision, and the same whatever machine the job lands on.
    net = net.cpu().eval()
    for row, position in zip(scores, jobs.progress(test, "predicting"), strict=True):
        members = np.flatnonzero(inputs.universe[position])
        row[members] = _score(net, inputs, position, members)
    return scores


def _network(inputs: ModelInputs, job: Job) -> Atft:
    _reseed(job.seed, 0)
    shape = ("window", "hidden", "heads", "frequencies", "dropout")
    net = Atft(
        columns=inputs.columns, horizons=inputs.horizons, channels=volume_like(inputs.columns),
        **{name: getattr(job.settings, name) for name in shape},
    )  # fmt: skip
    return net.to(_device())


@dataclass
class _Course:
    """All that a fit carries from one epoch to the next."""

    net: Atft
    steps: int
    settings: Any
    curve: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.averaged = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING))
        rate, decay = self.settings.learning_rate, self.settings.weight_decay
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=rate, weight_decay=decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, rate, total_steps=self.steps
        )

    def step(self, loss: Tensor) -> None:
        """Move the weights down the gradient of `loss`, and their average after them."""
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()
        self.schedule.step()
        self.averaged.update_parameters(self.net)

    @property
    def network(self) -> Atft:
        """The network with averaged weights."""
        return cast(Atft, self.averaged.module)

    def keep(self, path: Path | None, digest: str) -> None:
        """Write the state to `path`."""
        if path is not None:
            state = {name: part.state_dict() for name, part in self._parts().items()}
            with files.atomic(path) as draft:
                torch.save({"digest": digest, "state": state, "curve": self.curve}, draft)

    def resume(self, path: Path | None, digest: str) -> None:
        """Go on from the state at `path`, if a fit of the same digest left one."""
        if path is None or not path.exists():
            return
        with files.reading(path):
            stored = torch.load(path, map_location=_device(), weights_only=True)
        if stored["digest"] == digest:
            for name, part in self._parts().items():
                part.load_state_dict(stored["state"][name])
            self.curve = stored["curve"]
            logging.info("going on after epoch %d", len(self.curve))

    def _parts(self) -> dict[str, Any]:
        names = ("net", "averaged", "optimizer", "schedule")
        return {name: getattr(self, name) for name in names}


def _epoch(
    course: _Course, inputs: ModelInputs, targets: np.ndarray, order: np.ndarray, label: str
) -> float:
    """Take one step per day of `order`; returns the mean loss."""
    course.net.train()
    began, stocks, total = time.monotonic(), 0, 0.0
    for position in jobs.progress(order, label):
        members = np.flatnonzero(inputs.universe[position])
        goal = torch.from_numpy(targets[position, members]).to(_device())
        loss = day_loss(_forward(course.net, inputs, position, members), goal)
        course.step(loss)
        stocks, total = stocks + len(members), total + loss.item()
    rate = stocks / (time.monotonic() - began)
    logging.info("%s: loss %.4f, %.0f samples/s", label, total / len(order), rate)
    return total / len(order)


def _forward(net: Atft, inputs: ModelInputs, position: int, members: np.ndarray) -> Tensor:
    """Score the members of one day, (n, H) float32."""
    device = next(net.parameters()).device
    x = torch.from_numpy(inputs.window(position, net.window)[:, members]).to(device)
    rows = np.full(len(inputs.codes) + 1, -1, np.int64)
    rows[members] = np.arange(len(members))
    # The extra last row answers for -1, "no neighbour".
    neighbours = torch.from_numpy(rows[inputs.neighbours[position, members]]).to(device)
    weights = torch.from_numpy(inputs.weights[position, members]).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        scores: Tensor = net(x, neighbours, weights)
    return scores.float()


def _score(net: Atft, inputs: ModelInputs, position: int, members: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return _forward(net, inputs, position, members).cpu().numpy()


def day_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Judge one day: Huber loss plus one minus the correlation, the mean over horizons.

    scores    (N, H)
    targets   (N, H), standardised within the day; NaN where unknown

    A horizon with fewer than two targets is left out; returns a scalar, 0 if all are.
    """
    known = targets.isfinite()
    goal = torch.where(known, targets, 0.0)
    size = known.sum(0)
    counted = size > 1
    error = functional.huber_loss(scores, goal, reduction="none")
    huber = (error * known).sum(0) / size.clamp(min=1)
    loss = huber + 1 - _correlation(scores, goal, known, size.clamp(min=1))
    return torch.where(counted, loss, 0.0).sum() / counted.sum().clamp(min=1)


def _correlation(x: Tensor, y: Tensor, known: Tensor, size: Tensor) -> Tensor:
    x = torch.where(known, x - (x * known).sum(0) / size, 0.0)
    y = torch.where(known, y - y.sum(0) / size, 0.0)
    spread = ((x.square().sum(0) / size + TINY) * (y.square().sum(0) / size + TINY)).sqrt()
    return (x * y).sum(0) / size / spread


def _skill(net: Atft, inputs: ModelInputs, valid: np.ndarray) -> dict[str, float]:
    """Mean RankIC of the days at `valid`, over all horizons and of each; 0 if none has one."""
    net.eval()
    daily = []
    for position in valid:
        members = np.flatnonzero(inputs.universe[position])
        scores = _score(net, inputs, position, members)
        labels = inputs.labels[position, members]
        daily.append(rank_ic(scores.T.astype(np.float64), labels.T.astype(np.float64)))
    mean = _known_mean(np.array(daily))
    each = {f"rank_ic_{h}d": float(value) for h, value in zip(inputs.horizons, mean, strict=True)}
    return {"rank_ic": float(mean.mean()), **each}


def _known_mean(x: np.ndarray) -> np.ndarray:
    known = np.isfinite(x)
    return np.where(known, x, 0.0).sum(0) / np.maximum(known.sum(0), 1)


def _with_labels(targets: np.ndarray, positions: np.ndarray, part: str) -> np.ndarray:
    """Keep the days on which at least two stocks have a label."""
    labelled = positions[(np.isfinite(targets[positions]).sum(1) > 1).any(1)]
    if not len(labelled):
        raise UserError(
            f"the {part} part of the fold has no day with labels: "
            "move dates.start back or lengthen splits"
        )
    return labelled


def _thin(positions: np.ndarray, number: int) -> np.ndarray:
    """Keep at most `number` positions, evenly spaced, the first and the last among them."""
    even = np.linspace(0, len(positions) - 1, min(number, len(positions)))
    return positions[even.round().astype(int)]


def _reseed(seed: int, epoch: int) -> None:
    """Start torch's random numbers afresh, so that an epoch does not depend on a restart."""
    torch.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]))


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
