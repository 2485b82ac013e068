"""A trained recommender: what it predicts and how sure it is, new users, lists, saved and loaded. No training."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from . import checked
from .ratings import Ratings, given, positions

FORMAT = 3  # of a saved model
TENSORS = "W", "H", "noise", "spread", "begin", "rated"  # of a model
PRIOR_TENSORS = "precision", "B", "G", "log_count"


@dataclass(frozen=True, eq=False)
class Prior:
    """What is known of a user before the values of their ratings: [b, w] is normal with mean fᵀ B and precision Λ.

    The features f of a user are 1, the log of the number of their ratings, less the mean of all users and over the
    standard deviation, and the mean of the rows of G over the items that they rated.
    """

    precision: Tensor  # (k + 1, k + 1), Λ: the inverse covariance
    B: Tensor  # (2 + d, k + 1)
    G: Tensor  # (n, d)
    log_count: Tensor  # (3,), the least, the mean and the standard deviation over the users
    weighted: bool = False  # Λ counts once for each rating
    alpha: float | None = None  # of implicit feedback

    def mean(self, item: Tensor) -> Tensor:
        """fᵀ B (k + 1,) of somebody who rated these items (N,)."""
        least, mean, deviation = self.log_count.double()
        log_count = torch.tensor(float(max(len(item), 1))).double().log()
        log_count = torch.maximum(log_count, least)  # nobody in training gave fewer; the others say nothing
        patterns = self.G[item].double().sum(0) / max(len(item), float(least.exp()))
        f = torch.cat((torch.ones(1).double(), (log_count - mean)[None] / deviation, patterns))
        return f @ self.B.double()

    def cpu(self) -> "Prior":
        """The same prior in the memory of the processor."""
        return replace(self, **{name: getattr(self, name).cpu() for name in PRIOR_TENSORS})


@dataclass(frozen=True, eq=False)
class Model:
    """Factors with the labels of users and items: the rating of item j by user i is μ + w_i·h_j.

    W = [b, w, 1] and H = [1; h; c] hold the biases.
    """

    users: tuple  # (m,) labels
    items: tuple  # (n,) labels
    limits: tuple[float, float]  # the lowest and the highest training value: predictions stay between
    mean: float  # μ
    W: Tensor  # (m, k + 2)
    H: Tensor  # (k + 2, n)
    noise: Tensor  # (), σ²
    prior: Prior
    spread: Tensor | None  # (m + n, k + 2, k + 2), covariances of the rows of W and the columns of H
    begin: Tensor  # (m + 1,): the items that user i rated are rated[begin[i]:begin[i + 1]]
    rated: Tensor  # (N,)

    @classmethod
    def of(cls, ratings: Ratings, sweep: Any) -> "Model":
        """From a sweep of a solver, see `recommend`, over these ratings."""
        W, H = sweep
        limits = float(ratings.value.min()), float(ratings.value.max())
        if sweep.prior.alpha is not None:
            limits = -np.inf, np.inf
        noise = torch.tensor(sweep.noise, dtype=torch.float64)
        begin = pad(torch.bincount(ratings.user, minlength=len(W)).cumsum(0), (1, 0))
        rated = ratings.item[ratings.user.int().argsort(stable=True)]
        return cls(
            ratings.users, ratings.items, limits, sweep.mean, W, H, noise, sweep.prior, sweep.spread, begin, rated
        )

    @cached_property
    def row(self) -> dict:
        """The row of each user's label."""
        return {label: index for index, label in enumerate(self.users)}

    @cached_property
    def column(self) -> dict:
        """The column of each item's label."""
        return {label: index for index, label in enumerate(self.items)}

    def __repr__(self) -> str:
        return f"Model({len(self.users):,} users × {len(self.items):,} items, k = {self.W.shape[1] - 2})"

    def predict_all(self, ratings: Ratings) -> Tensor:
        """What the model predicts for each of these ratings, (N,)."""
        user = positions(given(ratings).users, self.row, "users")[ratings.user]
        item = positions(ratings.items, self.column, "items")[ratings.item]
        result, H = torch.empty(len(user), dtype=torch.float64), self.H.mT
        for part in torch.arange(len(user)).split(2**20):  # bounded memory
            result[part] = torch.linalg.vecdot(self.W[user[part]], H[item[part]]).double()
        return result.add_(self.mean).clamp_(*self.limits)

    def user(self, label: Any) -> "Taste":
        """A user of the training ratings."""
        u = int(positions([label], self.row, "label")[0])
        covariance = None if self.spread is None else self.spread[u]
        return Taste(self, self.W[u], covariance, self.rated[self.begin[u] : self.begin[u + 1]])

    def fold_in(self, items: Iterable, values: Iterable) -> "Taste":
        """A new user who gives these values to these items: one solve of k + 1 equations, no training.

        The equations are those of the half step in `sides`, for one row, and their inverse matrix is the covariance of
        the row. Without items, the row is what is known of anybody: the mean of the prior.
        """
        item = positions(items, self.column, "items")
        value = checked.as_numpy(values, "values")
        value = checked.array(value, "values", axes=1) if len(item) or value.size else torch.zeros(0).double()
        if len(value) != len(item) or len(item.unique()) < len(item):
            came = f"there are {len(item.unique())} different items and {len(value)} values"
            raise ValueError(f"{came}; give one value for each item")
        prior, Y = self.prior, self.H.mT.double()
        y, r, weight = Y[item], value - self.mean, torch.ones_like(value)
        if prior.alpha is not None:
            weight = prior.alpha * value.abs()
            r = (1 + weight) * (value > 0)
        gram, target = (y * weight[:, None]).mT @ y, (y * r[:, None]).sum(0)  # Σ y yᵀ and Σ r y
        if prior.alpha is not None:
            gram = gram + Y.mT @ Y  # each pair counts once, as 0
        if self.spread is not None:
            gram = gram + self.spread[len(self.users) + item].double().sum(0)
        precision = prior.precision.double() * (max(len(item), 1) if prior.weighted else 1)
        P = gram[:-1, :-1] / self.noise + precision
        g = (target[:-1] - gram[:-1, -1]) / self.noise + prior.mean(item) @ precision
        w = pad(torch.linalg.solve(P, g), (0, 1), value=1.0)
        return Taste(self, w, pad(torch.linalg.inv(P), (0, 1, 0, 1)), item)

    def similar(self, item: Any, count: int = 10, *, by: str = "cosine") -> list[tuple[Any, float]]:
        """The items whose ratings go with those of this one over the users: [(label, similarity), ...], best first.

        by="dot": the covariance h_i·C h_j of their predicted ratings, where C is that of the rows w; by="cosine": the
        correlation, between −1 and 1. Unlike h_i·h_j, neither changes when W H is written with other factors. Biases
        are left out.
        """
        i, count = int(positions([item], self.column, "item")[0]), checked.integer(count, "count", least=1)
        checked.choice(by, "by", ["cosine", "dot"])
        _, C, H = self._without_biases
        dot, variance = H[:, i] @ C @ H, (C @ H * H).sum(0)
        score = dot if by == "dot" else (dot / (variance * variance[i]).sqrt().clamp_min(1e-30)).clamp(-1, 1)
        return self._best(score, torch.tensor([i]), count)

    def most_informative(self, items: Iterable, count: int = 10) -> list:
        """The items to ask a new user for first: each is the one whose rating is the least certain after those before.

        At first the covariance S of the user is that of the prior, Λ⁻¹. The next item is the one with the largest
        variance y·S y. Its rating, whatever its value, will make S smaller: by Bayes' rule it becomes
        S − S y yᵀ S / (σ² + y·S y).
        """
        left = dict.fromkeys(positions(items, self.column, "items").tolist())
        if checked.integer(count, "count", least=1) > len(left):
            raise ValueError(f"count is {count}; there are {len(left)} different items to choose from")
        S, Y, chosen = torch.linalg.inv(self.prior.precision.double()), self.H.mT[:, :-1].double(), []
        while len(chosen) < count:
            y = Y[[*left]]
            variance = (y @ S * y).sum(1)
            at = int(variance.argmax())
            Sy = S @ y[at]
            S = S - torch.outer(Sy, Sy) / (self.noise + variance[at])
            chosen.append([*left][at])
            del left[chosen[-1]]
        return [self.items[i] for i in chosen]

    @cached_property
    def _without_biases(self) -> tuple[Tensor, Tensor, Tensor]:
        """The mean w̄ (k,) and the covariance C (k, k) of the rows w of all users, and h (k, n)."""
        W = self.W[:, 1:-1].double()
        mean = W.mean(0)
        return mean, (W - mean).mT @ (W - mean) / len(self.users), self.H[1:-1].double()

    def _best(self, score: Tensor, without: Tensor, count: int) -> list[tuple[Any, float]]:
        """The labels and scores of the `count` items with the highest score (n,), `without` some."""
        left = torch.ones(len(score), dtype=torch.bool)
        left[without] = False
        order = score.argsort(descending=True, stable=True)
        return [(self.items[i], float(score[i])) for i in order[left[order]][:count].tolist()]

    def save(self, path: str | PathLike) -> None:
        """Write to one file, `.npz` by custom; `load` gives the same model, bit for bit.

        The file holds arrays and a header of JSON, so labels must be text or numbers. An older file of this name stays
        until the new one is whole.
        """
        if not all(map(_can_be_saved, (*self.users, *self.items))):
            raise TypeError("users or items have labels that cannot be saved; they must be text in UTF-8, or numbers")
        header = {"format": FORMAT, "users": self.users, "items": self.items, "limits": self.limits, "mean": self.mean}
        header |= {"weighted": self.prior.weighted, "alpha": self.prior.alpha}
        tensors = {name: getattr(self, name) for name in TENSORS}
        tensors |= {name: getattr(self.prior, name) for name in PRIOR_TENSORS}
        arrays = {name: tensor.numpy() for name, tensor in tensors.items() if tensor is not None}
        path = Path(path).resolve()  # so that a link stays a link
        if path.is_dir() or not path.parent.is_dir():
            raise ValueError(f"path is {checked.short(str(path))}; it must be a file in a folder that exists")
        with tempfile.TemporaryDirectory(prefix=path.name, dir=path.parent) as folder:
            part = Path(folder) / "model.npz"
            np.savez(part, header=json.dumps(header), **arrays)
            if path.exists():
                shutil.copymode(path, part)  # what nobody else may read stays so
            os.replace(part, path)  # the whole file or none

    @classmethod
    def load(cls, path: str | PathLike) -> "Model":
        """A saved model. ValueError says in one line why a file is none; nothing in the file is ever executed."""
        path = Path(path)
        if path.is_fifo():  # which would be waited for
            raise ValueError(f"{path.name:.60} is no saved model: it is a pipe")
        with open(path, "rb") as file:
            try:
                archive = np.load(file, allow_pickle=False)
                if sum(part.file_size for part in archive.zip.infolist()) > os.fstat(file.fileno()).st_size:
                    raise ValueError("it is compressed")
                header = json.loads(str(archive["header"]))
                if header["format"] != FORMAT:
                    raise ValueError(f"its format is {header['format']!r:.20}, this program reads {FORMAT}")
                tensors = {name: torch.from_numpy(archive[name]) for name in archive.files if name != "header"}
                own = {name: tuple(header[name]) for name in ("users", "items", "limits")}
                own |= {name: tensors.get(name) for name in TENSORS}
                prior = Prior(*(tensors[name] for name in PRIOR_TENSORS), header["weighted"], header["alpha"])
                model = cls(**own, mean=header["mean"], prior=prior)
                model._check()
            except Exception as error:  # a file that is damaged, or of another kind, can fail in many ways
                why = " ".join(str(error).split()) or type(error).__name__
                raise ValueError(f"{path.name:.60} is no saved model: {why:.60}") from None
        return model

    def _check(self) -> None:
        """Refuse what training never gives: parts that do not fit each other, or numbers that are not finite."""
        prior, limits, begin, rated = self.prior, self.limits, self.begin, self.rated
        m, n, K, d = len(self.users), len(self.items), self.W.shape[1], prior.G.shape[1]
        real = [(self.W, (m, K)), (self.H, (K, n)), (self.noise, ()), (prior.precision, (K - 1, K - 1))]
        real += [(prior.B, (2 + d, K - 1)), (prior.G, (n, d)), (prior.log_count, (3,))]
        real += [] if self.spread is None else [(self.spread, (m + n, K, K))]
        fits = all(part.shape == shape for part, shape in real) and begin.shape == (m + 1,)
        if not (fits and begin[0] == 0 and (begin.diff() >= 0).all() and begin[-1] == len(rated)):
            raise ValueError("its factors and labels do not fit each other")
        alpha = 1.0 if prior.alpha is None else prior.alpha
        words = (self.mean, *limits, alpha, prior.weighted)
        if not (
            [*map(type, words)] == [float, float, float, float, bool]
            and limits[0] <= limits[1]  # False for nan as well
            and np.isfinite(self.mean)
            and 0 < alpha < np.inf
            and all(part.is_floating_point() and part.isfinite().all() for part, _ in real)
            and self.noise > 0
            and not torch.linalg.cholesky_ex(prior.precision).info
            and {begin.dtype, rated.dtype} == {torch.int64}
            and ((rated >= 0) & (rated < n)).all()
            and all(map(_can_be_saved, (*self.users, *self.items)))
            and len({*self.users}) == m
            and len({*self.items}) == n
        ):
            raise ValueError("it holds a number, or a word, that training never gives")


def _can_be_saved(label: Any) -> bool:
    """Whether a label is a number, or text of whole letters: JSON would join two halves of one."""
    if isinstance(label, str):
        return label.encode(errors="ignore").decode() == label
    return isinstance(label, int | float) and label == label  # not nan


@dataclass(frozen=True, eq=False)
class Taste:
    """One user as the model sees them: what they would give to each item, how sure that is, and their list."""

    model: Model
    w: Tensor  # (k + 2,): [b, w, 1]
    covariance: Tensor | None  # (k + 2, k + 2), None for users that als or implicit trained on
    seen: Tensor  # (N,) the columns of the items that they rated

    def predict(self, items: Iterable | None = None) -> Tensor:
        """The rating of each of these items (N,), of all of them without any given."""
        return self._unlimited(self._columns(items)).clamp(*self.model.limits)

    def deviation(self, items: Iterable | None = None) -> Tensor:
        """The standard deviation of the rating of each item (N,), of all of them without any given.

        Its square is y·S y + w·T w + tr(S T) + σ², from the covariances S of the user's row w and T of the item's row
        y. After als, T is 0.
        """
        model, at, w = self.model, self._columns(items), self.w.double()
        if self.covariance is None or model.prior.alpha is not None:
            raise ValueError("deviation is known after bayes, and after als for a new user: see fold_in")
        y, S = model.H.mT[at].double(), self.covariance.double()
        variance = (y @ S * y).sum(-1) + model.noise
        if model.spread is not None:
            T = model.spread[len(model.users) :][at].double()
            variance = variance + (T * (S + torch.outer(w, w))).sum((-2, -1))
        return variance.sqrt()

    def preference(self, *, by: str = "dot") -> Tensor:
        """How much better each item (n,) suits this user than the mean of all users, biases left out.

        by="dot": (w − w̄)·h, in units of the ratings. by="cosine": this divided by two lengths, so that it is between
        −1 and 1. One length is √(h·C h), how much the users differ in the item; the other is the square root of
        (w − w̄)·C⁻¹(w − w̄). C is the covariance of the rows w. Neither result changes when W H is written with other
        factors.
        """
        checked.choice(by, "by", ["cosine", "dot"])
        mean, C, H = self.model._without_biases
        w = self.w[1:-1].double() - mean
        dot = w @ H
        if by == "dot":
            return dot
        length = w @ (torch.linalg.pinv(C, hermitian=True) @ w)
        return (dot / (length * (C @ H * H).sum(0)).sqrt().clamp_min(1e-30)).clamp(-1, 1)

    def top(self, count: int = 10) -> list[tuple[Any, float]]:
        """The items that would be rated highest: [(label, rating), ...], best first, without those rated already."""
        best = self.model._best(self._unlimited(slice(None)), self.seen, checked.integer(count, "count", least=1))
        low, high = self.model.limits
        return [(label, min(max(rating, low), high)) for label, rating in best]

    def _columns(self, items: Iterable | None) -> Tensor | slice:
        return slice(None) if items is None else positions(items, self.model.column, "items")

    def _unlimited(self, columns: Tensor | slice) -> Tensor:
        """The predicted ratings before they are limited to the scale."""
        return self.model.H.mT[columns].double() @ self.w.double() + self.model.mean
