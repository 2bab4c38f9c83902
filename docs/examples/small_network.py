"""A small network of PyTorch on the last sessions of each stock, in sixty lines."""

import numpy as np
from gogooku.models.contract import Needs
from gogooku.section import Section
from pydantic import Field

NEEDS = Needs(seeds=True, gpu=0, window=lambda settings: settings.window)


class Settings(Section):
    window: int = Field(5, ge=1, description="sessions that a prediction looks back on")
    hidden: int = Field(16, ge=1, description="units of the hidden layer")
    epochs: int = Field(3, ge=1, description="passes over the training days")


def network(shape):
    from torch import nn

    hidden = nn.Linear(shape["window"] * len(shape["columns"]), shape["hidden"])
    return nn.Sequential(hidden, nn.ReLU(), nn.Linear(shape["hidden"], len(shape["horizons"])))


def windows(inputs, shape, day):
    """The members of one day, (n, window × columns)."""
    import torch

    x = inputs.window(day, shape["window"])[:, inputs.universe[day]]
    return torch.from_numpy(np.ascontiguousarray(x.transpose(1, 0, 2))).flatten(1)


def fit(inputs, train, valid, job):
    import torch
    from gogooku.models.deterministic import make_torch_deterministic
    from gogooku.models.targets import rank_normal

    make_torch_deterministic(job.seed, job.threads)
    window, hidden = job.settings.window, job.settings.hidden
    shape = {"window": window, "hidden": hidden, "columns": inputs.columns}
    shape["horizons"] = inputs.horizons
    net, goals = network(shape), rank_normal(inputs.labels)
    step = torch.optim.Adam(net.parameters(), 0.01)
    for epoch in range(job.settings.epochs):
        for day in np.random.default_rng([job.seed, epoch]).permutation(train):
            goal = torch.from_numpy(goals[day, inputs.universe[day]])
            error = torch.nan_to_num(net(windows(inputs, shape, day)) - goal).square().mean()
            step.zero_grad()
            error.backward()
            step.step()
        job.curve.append({"epoch": epoch + 1, "loss": error.item()})
    return shape, net


def scores(net, shape, inputs, day):
    import torch

    out = np.zeros((len(inputs.codes), len(shape["horizons"])))
    with torch.inference_mode():
        out[inputs.universe[day]] = net(windows(inputs, shape, day)).numpy()
    return out


def predict(model, inputs, test, job):
    shape, net = model
    inputs.require_columns(shape["columns"])
    return np.stack([scores(net, shape, inputs, day) for day in test])


def save(model, path):
    import torch

    torch.save({"shape": model[0], "weights": model[1].state_dict()}, path)


def load(path):
    import torch

    stored = torch.load(path, weights_only=True)
    net = network(stored["shape"])
    net.load_state_dict(stored["weights"])
    return stored["shape"], net
