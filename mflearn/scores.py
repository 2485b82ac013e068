"""How good predictions and lists are, and the baselines that they must beat. No training beyond means and counts.

For a list of n items, best first, and the items that are relevant to its reader:

    precision   the share of the list that is relevant
    recall      the share of the relevant items that are on the list
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
    hits = _hits(listed, relevant)
    return sum(hits) / len(hits)


def recall(listed: Sequence, relevant: Collection) -> float:
    """Hits / number of the relevant.

    >>> recall(["a", "b", "c", "d"], {"b", "d", "x", "y"})
    0.5
    """
    return sum(_hits(listed, relevant)) / len(relevant)


def ndcg(listed: Sequence, relevant: Collection) -> float:
    """The discounted sum of hits / the largest that a list of this length can have.

    >>> round(ndcg(["a", "b"], {"b"}), 5)
    0.63093
    """
    hits = _hits(listed, relevant)
    best = [True] * min(len(relevant), len(hits))
    return _discounted(hits) / _discounted(best)


def coverage(lists: Iterable[Sequence], items: Collection) -> float:
    """The share of all items that are on at least one list.

    >>> coverage([["a", "b"], ["a"]], ["a", "b", "c", "d"])
    0.5
    """
    listed = {item for each in lists for item in each}
    return len(listed.intersection(items)) / len(items)


@dataclass(frozen=True)
class Ranking:
    """Means over the users who have something relevant in the test ratings; `users` says how many they are."""

    precision: float
    recall: float
    ndcg: float
    coverage: float
    users: int


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
    pairs = [*zip(lists, wanted.values(), strict=True)]
    means = [float(np.mean([score(*pair) for pair in pairs])) for score in (precision, recall, ndcg)]
    return Ranking(*means, coverage(lists, train.items), len(lists))


NEVER = 1e12  # a shrink that keeps b at 0, for new users, too


def mean(ratings: Ratings) -> Model:
    """The baseline that predicts the mean for everybody and everything."""
    m, n = given(ratings).shape
    return _baseline(ratings, torch.zeros(m), torch.zeros(n), NEVER)


def biases(ratings: Ratings, *, shrink: float = 10.0) -> Model:
    """The baseline μ + b_u + c_i: c_i = Σ (r − μ) / (N_i + shrink), then b_u = Σ (r − μ − c_i) / (N_u + shrink).

    `shrink` counts as so many more ratings without a deviation: who has few ratings stays near the mean (Koren 2010).
    """
    shrink = checked.number(shrink, "shrink", least=0)
    m, n = given(ratings).shape
    c = _shrunk_mean(ratings.item, ratings.value - ratings.mean, n, shrink)
    b = _shrunk_mean(ratings.user, ratings.value - ratings.mean - c[ratings.item], m, shrink)
    return _baseline(ratings, b, c, shrink)


def popularity(ratings: Ratings) -> Model:
    """The baseline whose list is the most rated items; what it "predicts" is the number of their ratings."""
    m, n = given(ratings).shape
    ones = replace(ratings, value=torch.ones_like(ratings.value))
    count = torch.bincount(ratings.item, minlength=n)
    return replace(_baseline(ones, torch.zeros(m), count - 1, NEVER), limits=(-np.inf, np.inf))


def _shrunk_mean(index: Tensor, value: Tensor, size: int, shrink: float) -> Tensor:
    """For each row of `index`, the sum of its values over their number + shrink: (size,)."""
    count = torch.bincount(index, minlength=size).clamp_min(1)
    return torch.zeros(size, dtype=torch.float64).index_add_(0, index, value) / (count + shrink)


def _baseline(ratings: Ratings, b: Tensor, c: Tensor, shrink: float) -> Model:
    """A model with k = 0: W = [b, 1] and H = [1; c]."""
    b, c = b.double(), c.double()
    W, columns = torch.stack((b, torch.ones_like(b)), 1), torch.stack((torch.ones_like(c), c), 1)
    errors = ratings.mean + b[ratings.user] + c[ratings.item] - ratings.value
    noise = max(float(errors.square().mean()), 1e-9)
    precision = torch.tensor([[max(shrink, 1e-9) / noise]], dtype=torch.float64)
    prior = Prior(precision, B=torch.zeros(2, 1), G=torch.zeros(len(c), 0), log_count=torch.ones(3))
    return Model.of(ratings, Sweep(torch.cat((W, columns)), len(b), noise, ratings.mean, noise, prior))


def _hits(listed: Sequence, relevant: Collection) -> list[bool]:
    """Whether each item of the list is relevant."""
    if not len(listed) or not len(relevant):
        raise ValueError(f"{'listed' if not len(listed) else 'relevant'} is empty; it must hold one item at least")
    if len({*listed}) < len(listed):
        raise ValueError("listed holds an item twice; each can be listed once")
    return [item in relevant for item in listed]


def _discounted(hits: Iterable[bool]) -> float:
    return float(sum(hit / np.log2(1 + place) for place, hit in enumerate(hits, 1)))
