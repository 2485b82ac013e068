"""How good predictions and lists are, and the baselines that they must beat. No training beyond means and counts.

For a list of n items, best first, and the items that are relevant to its reader:

    precision   the share of the list that is relevant
    ndcg        Σ 1 / log₂(1 + place) over the hits, places from 1, divided by the same sum for the best possible list;
                normalized discounted cumulative gain (Järvelin & Kekäläinen 2002)
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
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


def precision(listed: Sequence, relevant: Collection) -> float:
    """Hits / length of the list.

    >>> precision(["a", "b", "c", "d"], {"b", "d", "x"})
    0.5
    """
    return sum(item in relevant for item in listed) / len(listed)


def ndcg(listed: Sequence, relevant: Collection) -> float:
    """The discounted sum of hits / the largest that a list of this length can have.

    >>> round(ndcg(["a", "b"], {"b"}), 5)
    0.63093
    """
    best = [True] * min(len(relevant), len(listed))
    return _discounted(item in relevant for item in listed) / _discounted(best)


@dataclass(frozen=True)
class Ranking:
    """Precision and NDCG, means over the users who have something relevant in the test ratings; and the coverage."""

    precision: float
    ndcg: float
    coverage: float  # the share of all items that are on at least one list


def ranking(model: Model, train: Ratings, test: Ratings, *, n: int = 10, relevant: float = 4.0) -> Ranking:
    """The lists of n items of a model that was trained on `train`, against the test ratings.

    A list leaves out what the model was trained on. Relevant to a user are the items that they gave at least the rating
    `relevant` in `test`; users without any are left out.
    """
    n, relevant = checked.integer(n, "n", least=1), checked.number(relevant, "relevant")
    if (given(train, "train").users, train.items) != (given(test, "test").users, test.items):
        raise ValueError("train and test have different users or items; take both from one split")
    if relevant > test.value.max():
        raise ValueError(f"relevant is {relevant:g}; no test rating is as high, the highest is {test.value.max():g}")
    good = test.where(test.value >= relevant)
    wanted: dict[int, set] = {}
    for user, item in zip(good.user.tolist(), good.item.tolist(), strict=True):
        wanted.setdefault(user, set()).add(test.items[item])
    lists = [[label for label, _ in model.user(test.users[user]).top(n)] for user in wanted]
    if not all(lists):
        raise ValueError("train holds all items for a user: there is nothing to list; take train and test from a split")
    means = [float(np.mean([*map(score, lists, wanted.values())])) for score in (precision, ndcg)]
    return Ranking(*means, len(set().union(*lists)) / len(train.items))


SHRINK = 10.0  # so many more ratings that each user and each item seem to have
NEVER = 1e12  # a shrink that keeps b at 0, for new users, too


def mean(ratings: Ratings) -> Model:
    """The baseline that predicts the mean for everybody and everything."""
    m, n = given(ratings).shape
    return _baseline(ratings, torch.zeros(m), torch.zeros(n), NEVER)


def biases(ratings: Ratings) -> Model:
    """The baseline μ + b_u + c_i: c_i = Σ (r − μ) / (N_i + 10), then b_u = Σ (r − μ − c_i) / (N_u + 10).

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


def _discounted(hits: Iterable[bool]) -> float:
    return float(sum(hit / np.log2(1 + place) for place, hit in enumerate(hits, 1)))
