"""How far predictions are off, and the baselines that they must beat. No training beyond means and counts."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import checked
from .model import Model, Prior
from .ratings import Ratings, given
from .recommend import Sweep


def rmse(predicted: Any, actual: Any) -> float:
    """√ of the mean of (predicted − actual)².

    >>> round(rmse([4, 3], [5, 3]), 4)
    0.7071
    """
    predicted, actual = checked.array(predicted, "predicted", axes=1), checked.array(actual, "actual", axes=1)
    if len(predicted) != len(actual):
        raise ValueError(f"predicted and actual have {len(predicted)} and {len(actual)} values; give as many of each")
    return float((predicted - actual).square().mean().sqrt())


SHRINK = 10.0  # so many more ratings that each user and each item seem to have
NEVER = 1e12  # a shrink that keeps b at 0, for new users, too


def mean(ratings: Ratings) -> Model:
    """The baseline that predicts the mean for everybody and everything."""
    m, n = given(ratings).shape
    return _baseline(ratings, torch.zeros(m), torch.zeros(n), NEVER)


def biases(ratings: Ratings) -> Model:
    """The baseline μ + b_i + c_j: c_j = Σ (r − μ) / (N_j + 10), then b_i = Σ (r − μ − c_j) / (N_i + 10).

    The 10 counts as ten more ratings without a deviation: who has few ratings stays near the mean (Koren 2010).
    """
    m, n = given(ratings).shape
    c = _shrunk_mean(ratings.item, ratings.value - ratings.mean, n)
    b = _shrunk_mean(ratings.user, ratings.value - ratings.mean - c[ratings.item], m)
    return _baseline(ratings, b, c, SHRINK)


def popularity(ratings: Ratings) -> Model:
    """The baseline whose list is the most rated items; what it "predicts" is the number of their ratings."""
    m, n = given(ratings).shape
    ones = replace(ratings, value=torch.ones_like(ratings.value))
    count = torch.bincount(ratings.item, minlength=n)
    return replace(_baseline(ones, torch.zeros(m), count - 1, NEVER), limits=(-np.inf, np.inf))


def _shrunk_mean(index: Tensor, value: Tensor, size: int) -> Tensor:
    """For each row of `index`, the sum of its values over their number + SHRINK: (size,)."""
    count = torch.bincount(index, minlength=size).clamp_min(1)
    return torch.zeros(size, dtype=torch.float64).index_add_(0, index, value) / (count + SHRINK)


def _baseline(ratings: Ratings, b: Tensor, c: Tensor, shrink: float) -> Model:
    """A model with k = 0: W = [b, 1] and H = [1; c]."""
    b, c = b.double(), c.double()
    W, columns = torch.stack((b, torch.ones_like(b)), 1), torch.stack((torch.ones_like(c), c), 1)
    errors = ratings.mean + b[ratings.user] + c[ratings.item] - ratings.value
    noise = max(float(errors.square().mean()), 1e-9)
    precision = torch.tensor([[shrink / noise]], dtype=torch.float64)
    prior = Prior(precision, B=torch.zeros(2, 1), G=torch.zeros(len(c), 0), log_count=torch.ones(3))
    return Model.of(ratings, Sweep(torch.cat((W, columns)), len(b), noise, ratings.mean, noise, prior))
