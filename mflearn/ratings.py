"""Ratings: the observed entries of a large matrix, with the labels of its rows and columns. No models."""

import math
import numbers
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from . import checked

MOST_ENTRIES = 10**8  # entries of a dense matrix: 800 MB


@dataclass(frozen=True, eq=False)
class Ratings:
    """N observed entries of a matrix, one row a user, one column an item: user[t] gave item[t] the value[t].

    A user or an item may be without ratings: both parts of a `split` keep all rows and columns. Make one by
    `Ratings.of`, `from_frame` or `from_csv`; all of them check once, and copy.
    """

    user: Tensor  # (N,) int64, the row
    item: Tensor  # (N,) int64, the column
    value: Tensor  # (N,) float64
    users: tuple  # (m,) the labels of the rows
    items: tuple  # (n,) the labels of the columns

    def __post_init__(self) -> None:
        checked.entries(self.user, self.item, self.value, (len(self.users), len(self.items)))

    @classmethod
    @checked.options
    def of(
        cls, user_labels: Iterable, item_labels: Iterable, values: Iterable, *, duplicates: str | None = None
    ) -> "Ratings":
        """From three lists of the same length: who, what, how much. Labels are of any hashable kind.

        Rows and columns are in the order in which their labels first appear. A second rating of the same item by
        the same user is an error, unless `duplicates` is "last", to keep the last one, or "mean".

        >>> Ratings.of(["Ann", "Bo", "Ann"], ["Alien", "Alien", "Brazil"], [5, 3, 4])
        Ratings(3 values, 2 users × 2 items)
        """
        user, users = checked.labels(user_labels, "user_labels")
        item, items = checked.labels(item_labels, "item_labels")
        return _once(user, item, checked.vector(values, "values"), users, items, duplicates)

    @classmethod
    @checked.options
    def from_frame(
        cls,
        frame: pd.DataFrame,
        user: str = "user",
        item: str = "item",
        value: str = "value",
        *,
        duplicates: str | None = None,
    ) -> "Ratings":
        """From a table with one rating a row; `user`, `item` and `value` name its columns."""
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"frame is a {type(frame).__name__}; it must be a pandas DataFrame")
        for name, column in (("user", user), ("item", item), ("value", value)):
            checked.choice(column, name, list(frame.columns))
        try:
            return cls.of(frame[user], frame[item], frame[value], duplicates=duplicates)
        except (TypeError, ValueError) as error:  # say the names of the columns, which the caller knows
            line = str(error).replace("user_labels", f"column {user!r}").replace("item_labels", f"column {item!r}")
            raise type(error)(line.replace("values", f"column {value!r}", 1)[:160]) from None

    @classmethod
    @checked.options
    def from_csv(
        cls,
        path: str | PathLike,
        user: str = "user",
        item: str = "item",
        value: str = "value",
        *,
        duplicates: str | None = None,
    ) -> "Ratings":
        """From a file of comma-separated values whose first line names the columns; other columns are not read."""
        wanted, path = (user, item, value), path if hasattr(path, "read") else checked.path(path)
        try:
            frame = pd.read_csv(
                path, usecols=lambda column: column in wanted, keep_default_na=False, na_values=[""], low_memory=False
            )  # "NA", "None" and "null" are labels; the kind of a column is that of all of it
        except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
            why = str(error).splitlines()[0]
            name = getattr(path, "name", "it")
            raise ValueError(f"{name!s:.60} is no table of comma-separated values: {why:.60}") from None
        return cls.from_frame(frame, user, item, value, duplicates=duplicates)

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n): how many users, how many items."""
        return len(self.users), len(self.items)

    @cached_property
    def mean(self) -> float:
        """The mean value."""
        return float(self.value.mean())

    @cached_property
    def row(self) -> dict:
        """The row of each user's label."""
        return {label: index for index, label in enumerate(self.users)}

    @cached_property
    def column(self) -> dict:
        """The column of each item's label."""
        return {label: index for index, label in enumerate(self.items)}

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        m, n = self.shape
        return f"Ratings({len(self):,} values, {m:,} users × {n:,} items)"

    @checked.options
    def split(self, share: float = 0.1, *, cold: bool = False, seed: int = 0) -> tuple["Ratings", "Ratings"]:
        """Training and test ratings: a random `share` of all ratings is held out.

        Without `cold=True`, no user and no item is tested that has no training rating: one of theirs stays there,
        so the test set can be a little smaller than its share.
        """
        share = checked.number(share, "share", above=0, below=1)
        order = _order(len(self), seed)
        tested = torch.zeros(len(self), dtype=torch.bool)
        tested[order[: round(share * len(self))]] = True
        return self._parted(tested, order, cold, f"a share of {share:g}")

    @checked.options
    def folds(self, count: int = 5, *, cold: bool = False, seed: int = 0) -> Iterator[tuple["Ratings", "Ratings"]]:
        """`count` pairs of training and test ratings; each rating is tested once, or never where that leaves none.

        Without `cold=True`, a fold does not test the only rating of a user or an item, as in `split`.
        """
        count, order = checked.integer(count, "count", least=2), _order(len(self), seed)
        parts = [order[start::count] for start in range(count)]

        def pairs() -> Iterator[tuple[Ratings, Ratings]]:
            for part in parts:
                tested = torch.zeros(len(self), dtype=torch.bool)
                tested[part] = True
                yield self._parted(tested, order, cold, f"a fold of {count}")

        return pairs()

    @checked.options
    def sample(self, count: int, *, seed: int = 0) -> "Ratings":
        """`count` of these ratings, drawn without replacement, of the same users and items."""
        count = checked.integer(count, "count", least=1)
        if count > len(self):
            raise ValueError(f"count is {count}; there are {len(self)} ratings")
        return self.where(_order(len(self), seed)[:count].sort().values)

    def where(self, chosen: Tensor) -> "Ratings":
        """Some of the ratings, by their places or a mask (N,), of the same users and items."""
        chosen = checked.places(chosen, len(self), "chosen")
        return Ratings(self.user[chosen], self.item[chosen], self.value[chosen], self.users, self.items)

    @checked.options
    def to_dense(self, *, hidden: float = math.nan) -> tuple[Tensor, Tensor]:
        """A (m, n) with `hidden` where nothing is observed, and the mask (m, n) of what is."""
        if isinstance(hidden, bool) or not isinstance(hidden, numbers.Real):
            raise TypeError(f"hidden is {hidden!r:.40}; it must be a number, or nan")
        m, n = self.shape
        if m * n > MOST_ENTRIES:
            raise ValueError(
                f"to_dense would hold {m:,} × {n:,} entries; at most {MOST_ENTRIES:,} fit: use sample or where"
            )
        A, mask = torch.full((m, n), float(hidden), dtype=torch.float64), torch.zeros(m, n, dtype=torch.bool)
        A[self.user, self.item], mask[self.user, self.item] = self.value, True
        return A, mask

    def to_frame(self) -> pd.DataFrame:
        """A table with the columns user, item (their labels) and value."""
        columns = {}
        for name, index, labels in (("user", self.user, self.users), ("item", self.item, self.items)):
            named = np.empty(len(labels), dtype=object)
            named[:] = labels
            columns[name] = pd.Series(named[index.numpy()]).infer_objects()
        return pd.DataFrame({**columns, "value": self.value.numpy().copy()})

    def _parted(self, tested: Tensor, order: Tensor, cold: bool, asked: str) -> tuple["Ratings", "Ratings"]:
        if not checked.flag(cold, "cold"):
            for index, size in ((self.user, self.shape[0]), (self.item, self.shape[1])):
                taught = torch.zeros(size, dtype=torch.bool)
                taught[index[~tested]] = True
                first = torch.full((size,), -1).scatter_(0, index[order.flip(0)], order.flip(0))
                tested[first[~taught & (first >= 0)]] = False
        if not tested.any() or tested.all():
            which = "training" if tested.all() else "test"
            raise ValueError(f"{asked} leaves no {which} ratings of {len(self)}; change it, or give cold=True")
        return self.where(~tested), self.where(tested)


def given(value: Any, name: str = "ratings") -> Ratings:
    """Ratings, or one line that says what came."""
    if not isinstance(value, Ratings):
        raise TypeError(f"{name} is a {type(value).__name__}; it must be Ratings, such as Ratings.of(...)")
    return value


def _order(size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(checked.integer(seed, "seed", least=0))
    return torch.rand(size, dtype=torch.float64, generator=generator).argsort(stable=True)  # randperm may change


def _once(user: Tensor, item: Tensor, value: Tensor, users: tuple, items: tuple, duplicates: str | None) -> Ratings:
    """Ratings of which no user and item occur twice."""
    checked.choice(duplicates, "duplicates", [None, "last", "mean"])
    checked.entries(user, item, value, (len(users), len(items)))
    pair = user * len(items) + item
    ordered, place = pair.sort(stable=True)
    again = torch.cat((torch.tensor([False]), ordered[1:] == ordered[:-1]))
    if again.any():
        if duplicates is None:
            second = int(place[again].min())
            who, what = (f"{repr(label):.30}" for label in (users[int(user[second])], items[int(item[second])]))
            came = f"{int(again.sum())} ratings are duplicates, the first of user {who} and item {what}"
            raise ValueError(f'{came}; give duplicates="last" or "mean"')
        group = (~again).cumsum(0) - 1  # which pair, in sorted order
        if duplicates == "mean":
            size = int(group[-1]) + 1
            sums = torch.zeros(size, dtype=torch.float64).index_add_(0, group, value[place])
            value = value.clone()
            value[place[~again]] = sums / torch.bincount(group)
            chosen = place[~again]
        else:
            chosen = place[torch.cat((~again[1:], torch.tensor([True])))]
        chosen = chosen.sort().values
        user, item, value = user[chosen], item[chosen], value[chosen]
    return Ratings(user, item, value, users, items)
