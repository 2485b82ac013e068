"""How good predictions and lists are, and the baselines that they must beat. No training beyond means and counts.

For a list of n items, best first, and the items that are relevant to its reader:

    precision   the share of the list that is relevant: divided by n, not by the number of hits
    recall      the share of the relevant that is on the list
    ndcg        Σ gain / log₂(1 + place), places from 1, over its largest possible value (Järvelin & Kekäläinen 2002)
    average_precision   the mean of the precision down to each of the relevant that could be listed; 0 for one missed
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import checked
from .model import Model, Prior
from .ratings import Ratings, given


@checked.options
def rmse(predicted: Any, actual: Any) -> float:
    """√ of the mean of (predicted − actual)².

    >>> round(rmse([4, 3], [5, 3]), 4)
    0.7071
    """
    return float(_errors(predicted, actual).square().mean().sqrt())


@checked.options
def mae(predicted: Any, actual: Any) -> float:
    """The mean of |predicted − actual|.

    >>> mae([4, 3], [5, 3])
    0.5
    """
    return float(_errors(predicted, actual).abs().mean())


@checked.options
def precision(listed: Sequence, relevant: Collection) -> float:
    """Hits / length of the list.

    >>> precision(["a", "b", "c", "d"], {"b", "d", "x"})
    0.5
    """
    listed, gains = _list(listed, relevant)
    return sum(item in gains for item in listed) / len(listed)


@checked.options
def recall(listed: Sequence, relevant: Collection) -> float:
    """Hits / number of the relevant.

    >>> recall(["a", "b", "c", "d"], {"b", "d", "x", "y"})
    0.5
    """
    listed, gains = _list(listed, relevant)
    return sum(item in gains for item in listed) / len(gains)


@checked.options
def ndcg(listed: Sequence, relevant: Collection | Mapping) -> float:
    """Discounted gain / the largest that a list of this length can have; a mapping gives gains, otherwise each is 1.

    >>> round(ndcg(["a", "b"], {"b"}), 5)
    0.63093
    """
    listed, gains = _list(listed, relevant)
    best = sorted(gains.values(), reverse=True)[: len(listed)]
    return _discounted(gains.get(item, 0.0) for item in listed) / _discounted(best)


@checked.options
def average_precision(listed: Sequence, relevant: Collection) -> float:
    """Mean precision down to each relevant item, 0 for one that is missed; of n items at most n can be missed.

    >>> average_precision(["a", "b", "c", "d"], {"b", "d"})
    0.5
    """
    listed, gains = _list(listed, relevant)
    hits, total = 0, 0.0
    for place, item in enumerate(listed, 1):
        if item in gains:
            hits += 1
            total += hits / place
    return total / min(len(gains), len(listed))


@checked.options
def coverage(lists: Iterable[Sequence], items: Collection) -> float:
    """The share of all items that is on one list at least.

    >>> coverage([["a", "b"], ["a"]], ["a", "b", "c", "d"])
    0.5
    """
    lists = [checked.items(each, "a list") for each in checked.sequence(lists, "lists")]
    items = {*checked.items(items, "items")}
    if not items:
        raise ValueError("items is empty; it must hold all that could be listed")
    return len({item for each in lists for item in each} & items) / len(items)


@checked.options
def novelty(lists: Iterable[Sequence], ratings: Ratings) -> float:
    """The mean of −log₂ of the share of users who rated a listed item, in bits: 0 if all know all of it.

    An item that nobody rated counts as rated by one.
    """
    m, n = given(ratings).shape
    lists = [checked.known(each, ratings.column, "lists") for each in checked.sequence(lists, "lists")]
    if not sum(map(len, lists)):
        raise ValueError("lists is empty; novelty needs one item at least")
    share = torch.bincount(ratings.item, minlength=n).clamp_min(1).double() / m
    return float(-share[torch.cat(lists)].log2().mean())


@dataclass(frozen=True)
class Ranking:
    """Means over the users who have something relevant in the test ratings; `users` says how many they are."""

    precision: float
    recall: float
    ndcg: float
    average_precision: float
    coverage: float
    novelty: float
    users: int


@checked.options
def ranking(model: Model, train: Ratings, test: Ratings, *, n: int = 10, relevant: float = 4.0) -> Ranking:
    """The lists of n items, without those that the model was trained on, against `test`, for users who like one there.

    The model should have been trained on `train`, which tells how popular items are. Relevant are the test ratings of
    at least `relevant`; for ndcg, too, each of them gains 1.
    """
    n, relevant = checked.integer(n, "n", least=1), checked.number(relevant, "relevant")
    if not isinstance(model, Model):
        raise TypeError(f"model is a {type(model).__name__}; it must be a Model, such as fit(train)")
    if (given(train, "train").users, train.items) != (given(test, "test").users, test.items):
        raise ValueError("train and test have different users or items; take both from one split")
    good = test.where(test.value >= relevant) if (test.value >= relevant).any() else None
    if good is None:
        raise ValueError(f"relevant is {relevant:g}; no test rating is as high, the highest is {test.value.max():g}")
    wanted: dict[int, set] = {}
    for user, item in zip(good.user.tolist(), good.item.tolist(), strict=True):
        wanted.setdefault(user, set()).add(test.items[item])
    lists = [[label for label, _ in model.user(test.users[user]).top(n)] for user in wanted]
    if not all(lists):
        raise ValueError("train holds all items for a user: there is nothing to list; take train and test from a split")
    each = [[score(*pair) for pair in zip(lists, wanted.values(), strict=True)] for score in SCORES]
    means = [float(np.mean(values)) for values in each]
    return Ranking(*means, coverage(lists, train.items), novelty(lists, train), len(lists))


NEVER = 1e12  # a shrink that keeps b at 0, for new users, too
SCORES = precision, recall, ndcg, average_precision


@checked.options
def mean(ratings: Ratings) -> Model:
    """The baseline that predicts the mean for everybody and everything."""
    m, n = given(ratings).shape
    return _baseline(ratings, torch.zeros(m), torch.zeros(n), NEVER)


@checked.options
def biases(ratings: Ratings, *, shrink: float = 10.0) -> Model:
    """The baseline μ + b_u + c_i: c_i = Σ (r − μ) / (N_i + shrink), then b_u = Σ (r − μ − c_i) / (N_u + shrink).

    `shrink` counts as so many more ratings without a deviation: who has few stays near the mean (Koren 2010).
    """
    shrink = checked.number(shrink, "shrink", least=0)
    m, n = given(ratings).shape
    c = _shrunk(ratings.item, ratings.value - ratings.mean, n, shrink)
    b = _shrunk(ratings.user, ratings.value - ratings.mean - c[ratings.item], m, shrink)
    return _baseline(ratings, b, c, shrink)


@checked.options
def popularity(ratings: Ratings) -> Model:
    """The baseline whose list is the most rated items; what it "predicts" is the number of their ratings."""
    m, n = given(ratings).shape
    counted = Ratings(ratings.user, ratings.item, torch.ones_like(ratings.value), ratings.users, ratings.items)
    count = torch.bincount(ratings.item, minlength=n).double()
    model = _baseline(counted, torch.zeros(m), count - 1, NEVER)
    return Model(**{**model.__dict__, "limits": (-np.inf, np.inf)})


def _shrunk(index: Tensor, value: Tensor, size: int, shrink: float) -> Tensor:
    count = torch.bincount(index, minlength=size).clamp_min(1)
    return torch.zeros(size, dtype=torch.float64).index_add_(0, index, value) / (count + shrink)


def _baseline(ratings: Ratings, b: Tensor, c: Tensor, shrink: float) -> Model:
    """A model with k = 0: W = [b, 1] and H = [1; c]."""
    b, c = b.double(), c.double()
    W, H = torch.stack((b, torch.ones_like(b)), 1), torch.stack((torch.ones_like(c), c))
    noise = (W[ratings.user] * H.mT[ratings.item]).sum(1).add_(ratings.mean - ratings.value).square().mean()
    noise = noise.clamp_min(1e-9)
    precision = torch.tensor([[max(shrink, 1e-9)]], dtype=torch.float64) / noise  # of somebody new there is no rating
    nothing = Prior(precision, torch.zeros(2, 1), torch.zeros(len(c), 0), torch.ones(3))
    begin = torch.nn.functional.pad(torch.bincount(ratings.user, minlength=len(b)).cumsum(0), (1, 0))
    rated = ratings.item[ratings.user.argsort(stable=True)]
    limits = float(ratings.value.min()), float(ratings.value.max())
    return Model(ratings.users, ratings.items, limits, ratings.mean, W, H, noise, nothing, None, begin, rated)


def _errors(predicted: Any, actual: Any) -> Tensor:
    predicted, actual = checked.vector(predicted, "predicted"), checked.vector(actual, "actual")
    if len(predicted) != len(actual):
        raise ValueError(f"predicted and actual have {len(predicted)} and {len(actual)} values; give as many of each")
    return predicted - actual


def _list(listed: Sequence, relevant: Collection | Mapping) -> tuple[list, dict]:
    """The list, and what each relevant item gains."""
    listed = checked.items(listed, "listed")
    gains = relevant if isinstance(relevant, Mapping) else dict.fromkeys(checked.items(relevant, "relevant"), 1.0)
    for name, each in (("listed", listed), ("relevant", gains)):
        if not each:
            raise ValueError(f"{name} is empty; it must hold one item at least")
    if len({*listed}) < len(listed):
        raise ValueError(
            f"listed holds an item twice, {repr(max(listed, key=listed.count)):.40}; each can be listed once"
        )
    gains = {item: checked.number(gain, "a gain", least=0) for item, gain in gains.items()}
    if not any(gains.values()):
        raise ValueError("relevant has no gain above 0; one item at least must gain")
    return listed, gains


def _discounted(gains: Iterable[float]) -> float:
    return float(sum(gain / np.log2(1 + place) for place, gain in enumerate(gains, 1)))
