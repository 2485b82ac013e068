"""Ratings: the observed entries of a large matrix, with the labels of its rows and columns. No models."""

import math
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from . import checked


@dataclass(frozen=True, eq=False)
class Ratings:
    """N observed entries of a matrix, one row a user, one column an item: user[t] gave item[t] the value[t].

    A user or an item may be without ratings: both parts of a `split` keep all rows and columns. Make one by
    `Ratings.of`, which checks once, and copies. `datasets.load` reads files.
    """

    user: Tensor  # (N,) int64, the row
    item: Tensor  # (N,) int64, the column
    value: Tensor  # (N,) float64
    users: tuple  # (m,) the labels of the rows
    items: tuple  # (n,) the labels of the columns

    def __post_init__(self) -> None:
        for name, kind in (("user", torch.int64), ("item", torch.int64), ("value", None)):
            column = getattr(self, name)
            if not isinstance(column, Tensor) or (column.dtype != kind if kind else not column.is_floating_point()):
                raise TypeError(f"{name} is {checked.short(column)}; make ratings by Ratings.of(users, items, values)")
        sizes = len(self.user), len(self.item), len(self.value)
        if len({*sizes}) > 1 or 0 in sizes:
            came = f"have {sizes[0]}, {sizes[1]} and {sizes[2]} entries"
            raise ValueError(f"users, items and values {came}; they must have the same number, 1 or more")
        for name, index, labels in (("user", self.user, self.users), ("item", self.item, self.items)):
            if index.min() < 0 or index.max() >= len(labels):
                came = f"holds {int(index.min())} to {int(index.max())}"
                raise ValueError(f"{name} {came}; it must be between 0 and {len(labels) - 1}, the number of a label")

    @classmethod
    def of(cls, users: Iterable, items: Iterable, values: Iterable) -> "Ratings":
        """From three lists or columns of the same length. Labels of users and items may be of any hashable kind.

        Labels that are equal in Python are one label, such as 1, 1.0 and True.
        Rows and columns are in the order in which their labels first appear. A second rating of the same item by
        the same user is an error.

        >>> Ratings.of(["Ann", "Bo", "Ann"], ["Alien", "Alien", "Brazil"], [5, 3, 4])
        Ratings(3 values, 2 users × 2 items)
        """
        user, users = _numbered(users, "users")
        item, items = _numbered(items, "items")
        return distinct(cls(user, item, checked.array(values, "values", axes=1), users, items))

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n): how many users, how many items."""
        return len(self.users), len(self.items)

    @property
    def mean(self) -> float:
        """The mean value."""
        return float(self.value.mean())

    @cached_property
    def column(self) -> dict:
        """The column of each item's label."""
        return {label: index for index, label in enumerate(self.items)}

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        m, n = self.shape
        return f"Ratings({len(self):,} values, {m:,} users × {n:,} items)"

    def split(self, share: float = 0.1, *, cold: bool = False, seed: int = 0) -> tuple["Ratings", "Ratings"]:
        """Training and test ratings: a random `share` of all ratings is held out.

        Without `cold=True`, every user and every item in the test set has at least one training rating, which is kept
        back for it. So the test set can be a little smaller than its share.
        """
        share = checked.number(share, "share", above=0, below=1)
        order = _order(len(self), seed)
        return self._parted(order[: round(share * len(self))], order, cold, f"a share of {share:g}")

    def folds(self, count: int = 5, *, cold: bool = False, seed: int = 0) -> Iterator[tuple["Ratings", "Ratings"]]:
        """`count` pairs of training and test ratings; with `cold=True` each rating is tested in exactly one of them.

        Without it, a rating is not tested if its user or item would have no training rating left, as in `split`.
        """
        count, order = checked.integer(count, "count", least=2), _order(len(self), seed)
        return (self._parted(order[start::count], order, cold, f"a fold of {count}") for start in range(count))

    def sample(self, count: int, *, seed: int = 0) -> "Ratings":
        """`count` of these ratings, drawn without replacement, of the same users and items."""
        count = checked.integer(count, "count", least=1)
        if count > len(self):
            raise ValueError(f"count is {count}; there are {len(self)} ratings")
        return self.where(_order(len(self), seed)[:count].sort().values)

    def where(self, chosen: Tensor) -> "Ratings":
        """Some of the ratings, of the same users and items; `chosen` is a mask (N,), or holds places in the list."""
        chosen = checked.as_numpy(chosen, "chosen")
        is_mask = chosen.dtype == bool and chosen.shape == (len(self),)
        if chosen.ndim != 1 or (not is_mask and chosen.dtype.kind not in "iu"):
            came = f"has {chosen.dtype} and shape {chosen.shape}"
            raise ValueError(f"chosen {came}; it must be a mask of shape ({len(self)},), or a list of places")
        chosen = torch.from_numpy(chosen.copy())
        if not is_mask and len((chosen % len(self)).unique()) < len(chosen):  # place −1 is the last one
            raise ValueError("chosen names a place twice; give each once, or a mask of True and False")
        return Ratings(self.user[chosen], self.item[chosen], self.value[chosen], self.users, self.items)

    def to_dense(self) -> tuple[Tensor, Tensor]:
        """A (m, n) with NaN where nothing is observed, and the mask (m, n) of what is."""
        m, n = self.shape
        checked.entries(m * n, "the dense matrix")
        A, mask = torch.full((m, n), math.nan, dtype=torch.float64), torch.zeros(m, n, dtype=torch.bool)
        A[self.user, self.item], mask[self.user, self.item] = self.value, True
        return A, mask

    def to_frame(self) -> pd.DataFrame:
        """A table with the columns user, item (their labels) and value."""
        user = [self.users[u] for u in self.user.tolist()]
        item = [self.items[i] for i in self.item.tolist()]
        return pd.DataFrame({"user": user, "item": item, "value": self.value.tolist()})

    def _parted(self, part: Tensor, order: Tensor, cold: bool, asked: str) -> tuple["Ratings", "Ratings"]:
        """Training and test ratings, the latter from the places in `part`; `asked` says in an error what was asked."""
        tested = torch.zeros(len(self), dtype=torch.bool)
        tested[part] = True
        if not checked.choice(cold, "cold", [True, False]):
            for index, size in ((self.user, self.shape[0]), (self.item, self.shape[1])):
                taught = torch.zeros(size, dtype=torch.bool)
                taught[index[~tested]] = True
                first = torch.full((size,), -1).scatter_(0, index[order.flip(0)], order.flip(0))
                tested[first[~taught & (first >= 0)]] = False
        if not tested.any() or tested.all():
            which = "training" if tested.all() else "test"
            raise ValueError(f"{asked} leaves no {which} ratings of {len(self)}; change it, or give cold=True")
        return self.where(~tested), self.where(tested)


def distinct(ratings: Ratings) -> Ratings:
    """The same ratings; a second rating of the same item by the same user is an error."""
    again = pd.Index((ratings.user * len(ratings.items) + ratings.item).numpy()).duplicated()
    if again.any():
        second = int(again.argmax())
        pair = f"user {ratings.users[ratings.user[second]]!r:.30} and item {ratings.items[ratings.item[second]]!r:.30}"
        raise ValueError(f"{again.sum()} ratings are duplicates, the first of {pair}; give one rating of each pair")
    return ratings


def given(value: Any, name: str = "ratings") -> Ratings:
    """The same value, which must be `Ratings`."""
    if not isinstance(value, Ratings):
        raise TypeError(f"{name} is a {type(value).__name__}; it must be Ratings, such as Ratings.of(...)")
    return value


def positions(labels: Iterable, known: dict, name: str) -> Tensor:
    """Where each of these labels stands, (N,) int64; `known` is `Model.row` or `Ratings.column`.

    `name` is that of the argument which holds the labels; the error for an unknown label begins with it.
    """
    _check_list(labels, name)
    labels = labels.tolist() if hasattr(labels, "tolist") else [*map(_plain, labels)]  # of torch, numpy or pandas
    for label in labels:
        if not isinstance(label, Hashable) or label not in known:
            raise ValueError(f"{name} holds {label!r:.40}; it is none of the {len(known):,} labels known here")
    return torch.tensor([known[label] for label in labels], dtype=torch.int64)


def _check_list(labels: Any, name: str) -> None:
    """Each letter of a text would be a label, a set has no order, and a masked array hides some labels."""
    is_list = isinstance(labels, Iterable) and not isinstance(labels, str | bytes | set | frozenset)
    axes = getattr(labels, "ndim", 1)
    if not is_list or axes == 0 or np.ma.is_masked(labels):
        raise TypeError(f"{name} is {checked.short(labels)}; it must be a list of labels")
    if axes > 1:
        raise TypeError(f"{name} is a table, or holds lists; it must be a list of labels")


def _plain(label: Any) -> Any:
    """A label as Python or pandas has it, where it came as a scalar of numpy or torch."""
    if isinstance(label, np.datetime64 | np.timedelta64):  # for which numpy may give a number
        return pd.Index([label])[0]
    if hasattr(label, "as_py"):  # of Arrow
        return label.as_py()
    return label.tolist() if isinstance(label, np.generic | np.ndarray | Tensor) else label


def _order(size: int, seed: int) -> Tensor:
    """The numbers 0 to size − 1 in random order."""
    generator = torch.Generator().manual_seed(checked.integer(seed, "seed", least=0))
    return torch.rand(size, dtype=torch.float64, generator=generator).argsort(stable=True)  # randperm may change


def _numbered(labels: Any, name: str) -> tuple[Tensor, tuple]:
    """The number of each label, (N,) int64, and the different labels, in the order in which they first appear."""
    _check_list(labels, name)
    if isinstance(labels, Tensor):
        labels = checked.as_numpy(labels, name)
    elif not isinstance(labels, np.ndarray | pd.Series):
        labels = pd.Series([*map(_plain, labels)], dtype=object)  # without a type, 1 and 2.5 would become 1.0 and 2.5
    try:
        numbers, different = pd.factorize(labels)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is a table, or holds lists; it must be a list of labels") from None
    if (numbers < 0).any():
        raise ValueError(f"{name} has no label at {int((numbers < 0).argmax())}; every rating needs one")
    different = pd.Index(different, tupleize_cols=False)  # which gives dates as dates, where NumPy gives numbers
    return torch.from_numpy(numbers.astype(np.int64)), tuple(different.tolist())
