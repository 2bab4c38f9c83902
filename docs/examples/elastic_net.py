"""Elastic net of scikit-learn: a model of one's own in thirty lines."""

import numpy as np
from gogooku import files
from gogooku.section import Section
from pydantic import Field


class Settings(Section):
    penalty: float = Field(0.02, ge=0, description="of coefficients, absolute and squared alike")


def fit(inputs, train, valid, job):
    from gogooku.models.targets import rank_normal
    from sklearn.linear_model import ElasticNet

    x, goals = inputs.x[train], rank_normal(inputs.labels[train])
    weights = []
    for h in range(len(inputs.horizons)):
        known = np.isfinite(goals[..., h])  # of members alone
        fitted = ElasticNet(alpha=job.settings.penalty)
        weights.append(fitted.fit(x[known].astype(float), goals[known, h]).coef_.tolist())
    return {"columns": inputs.columns, "weights": weights}


def predict(model, inputs, test, job):
    inputs.require_columns(model["columns"])
    # Column by column: a matrix product may round otherwise with more or fewer days.
    columns = zip(np.moveaxis(inputs.x[test], -1, 0), np.array(model["weights"]).T, strict=True)
    return sum(x[..., None] * weights for x, weights in columns)


def save(model, path):
    files.write_json(model, path)


def load(path):
    return files.read_json(path)
