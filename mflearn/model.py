"""A trained recommender: what it predicts and how sure it is, new users, lists, saved and loaded. No training."""

import json
import os
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import checked
from .ratings import Ratings, given

FORMAT = 1  # of a saved model
LABELS = str, int, float, bool  # that can be saved


@dataclass(frozen=True, eq=False)
class Prior:
    """What is known of a user before the first rating: [b, w] is normal with mean fᵀB and covariance Λ⁻¹."""

    precision: Tensor  # Λ (k + 1, k + 1)
    B: Tensor  # (2 + d, k + 1), the weights of the features f = [1, log of the count, mean of the rated rows of G]
    G: Tensor  # (n, d)
    log_count: Tensor  # (3,): least, mean and standard deviation over the users
    weighted: bool = False  # Λ counts once for each rating
    alpha: float | None = None  # implicit feedback


@dataclass(frozen=True, eq=False)
class Model:
    """Factors with the labels of users and items: the rating of item i by user u is μ + w_u·h_i.

    W = [b, w, 1] and H = [1; h; c] hold the biases. After Gibbs sampling a leading axis counts the draws, and
    predictions are means over them; otherwise there is none.
    """

    users: tuple  # (m,) labels
    items: tuple  # (n,) labels
    limits: tuple[float, float]  # the lowest and the highest training value: predictions stay between
    mean: float  # μ
    W: Tensor  # (..., m, k + 2)
    H: Tensor  # (..., k + 2, n)
    noise: Tensor  # (...), σ²
    prior: Prior
    spread: Tensor | None  # (m + n, k + 2, k + 2), covariances of the rows of W and the columns of H
    begin: Tensor  # (m + 1,): the items that user u rated are rated[begin[u]:begin[u + 1]]
    rated: Tensor  # (N,)

    @classmethod
    def of(cls, ratings: Ratings, sweeps: list) -> "Model":
        """From the last sweep of a solver, or from several draws."""
        if not sweeps:
            raise ValueError("solver gave no sweep; it must be one such as bayes or partial(als, lam=0.1)")
        last = sweeps[-1]
        if len(sweeps) == 1:
            Z, noise, prior = last.Z, torch.tensor(last.noise, dtype=torch.float64), last.prior
        else:
            Z = torch.stack([sweep.Z for sweep in sweeps])
            noise = torch.tensor([sweep.noise for sweep in sweeps], dtype=torch.float64)
            precision, B = (
                torch.stack([getattr(sweep.prior, name) for sweep in sweeps]) for name in ("precision", "B")
            )
            prior = Prior(precision, B, last.prior.G, last.prior.log_count, last.prior.weighted, last.prior.alpha)
        W, H = Z[..., : last.m, :].contiguous(), Z[..., last.m :, :].contiguous().mT
        limits = float(ratings.value.min()), float(ratings.value.max())
        limits = limits if prior.alpha is None else (-np.inf, np.inf)
        begin = torch.nn.functional.pad(torch.bincount(ratings.user, minlength=last.m).cumsum(0), (1, 0))
        rated = ratings.item[ratings.user.int().argsort(stable=True)]
        spread = None if len(sweeps) > 1 else last.spread
        return cls(ratings.users, ratings.items, limits, last.mean, W, H, noise, prior, spread, begin, rated)

    @cached_property
    def row(self) -> dict:
        """The row of each user's label."""
        return {label: index for index, label in enumerate(self.users)}

    @cached_property
    def column(self) -> dict:
        """The column of each item's label."""
        return {label: index for index, label in enumerate(self.items)}

    def __repr__(self) -> str:
        draws = f", {len(self.W)} draws" if self.W.ndim == 3 else ""
        return f"Model({len(self.users):,} users × {len(self.items):,} items, k = {self.W.shape[-1] - 2}{draws})"

    @checked.options
    def predict(self, users: Iterable, items: Iterable) -> Tensor:
        """The rating by each user of the item at the same place: labels, two lists of one length (N,)."""
        user, item = checked.known(users, self.row, "users"), checked.known(items, self.column, "items")
        if len(user) != len(item):
            raise ValueError(f"users and items have {len(user)} and {len(item)} labels; give as many of each")
        return self._predict(user, item)

    @checked.options
    def predict_all(self, ratings: Ratings) -> Tensor:
        """What the model predicts for each of these ratings, (N,)."""
        user, item = given(ratings).user, ratings.item
        if ratings.users is not self.users:
            user = checked.known(ratings.users, self.row, "users")[user]
        if ratings.items is not self.items:
            item = checked.known(ratings.items, self.column, "items")[item]
        return self._predict(user, item)

    def _predict(self, user: Tensor, item: Tensor) -> Tensor:
        result, H = torch.empty(len(user), dtype=torch.float64), self.H.mT
        for part in torch.arange(len(user)).split(max(1, 2**24 // self.W[..., 0, :].numel())):
            WH = torch.linalg.vecdot(self.W[..., user[part], :], H[..., item[part], :])
            result[part] = (WH if WH.ndim == 1 else WH.mean(0)).double()
        return result.add_(self.mean).clamp_(*self.limits)

    @checked.options
    def user(self, label: Any) -> "Taste":
        """A user of the training ratings."""
        u = int(checked.known([label], self.row, "label")[0])
        spread = None if self.spread is None else self.spread[u]
        return Taste(self, self.W[..., u, :], spread, self.rated[self.begin[u] : self.begin[u + 1]])

    @checked.options
    def fold_in(self, items: Iterable, values: Iterable) -> "Taste":
        """A new user who gives these values to these items: one k+1 by k+1 solve, no training, with its covariance.

        Without items, what is known of anybody. The same equations as in `recommend`, for one row.
        """
        item = checked.known(items, self.column, "items")
        values = values if len(item) else checked.sequence(values, "values")  # which may be none
        value = checked.vector(values, "values") if len(values) else torch.zeros(0, dtype=torch.float64)
        if len(value) != len(item) or len({*item.tolist()}) < len(item):
            came = f"there are {len({*item.tolist()})} different items and {len(value)} values"
            raise ValueError(f"{came}; give one value for each item")
        prior, Y = self.prior, self.H.mT.double()
        y, r = Y[..., item, :], value - self.mean
        c = torch.ones_like(r) if prior.alpha is None else prior.alpha * r.abs()
        A = (y * c[:, None]).mT @ y
        if self.spread is not None:
            A = A + self.spread[len(self.users) + item].double().sum(0)
        if prior.alpha is not None:
            A, r, c = A + Y.mT @ Y, (r > 0).double(), 1 + c
        v = ((c * r)[:, None] * y).sum(-2)
        least, mean, deviation = prior.log_count.tolist()
        # fewer ratings than anybody in training gave: as that many, of which the others say nothing
        count = max(np.log(max(len(item), 1)), least) - mean
        which = prior.G[item].double().sum(0) / max(len(item), np.exp(least))
        f = torch.cat((torch.tensor([1, count / deviation], dtype=torch.float64), which))
        precision = prior.precision.double() * (max(len(item), 1) if prior.weighted else 1)
        noise = self.noise[..., None, None]
        free = slice(Y.shape[-1] - 1 - precision.shape[-1], Y.shape[-1] - 1)  # without biases b is not among them
        P = A[..., free, free] / noise + precision
        goal = (v[..., free] - A[..., free, -1])[..., None] / noise + precision @ (f @ prior.B.double())[..., None]
        x, covariance = torch.linalg.solve(P, goal)[..., 0], torch.linalg.inv(P)
        w = torch.nn.functional.pad(x, (free.start, 0)), torch.ones_like(x[..., :1])
        return Taste(self, torch.cat(w, -1), torch.nn.functional.pad(covariance, 2 * (free.start, 1)), item)

    @checked.options
    def similar(self, item: Any, count: int = 10, *, by: str = "cosine") -> list[tuple[Any, float]]:
        """The items whose ratings go with those of this one over the users: [(label, similarity), ...], best first.

        by="dot": the covariance h_i·C h_j of their predicted ratings, C that of the rows w; by="cosine": the
        correlation, in −1..1. Unlike h_i·h_j, neither changes when W H is written with other factors. Biases are
        left out.
        """
        i, count = int(checked.known([item], self.column, "item")[0]), checked.integer(count, "count", least=1)
        checked.choice(by, "by", ["cosine", "dot"])
        W, H = (X.double() for X in (self.W[..., 1:-1], self.H[..., 1:-1, :]))
        W = W - W.mean(-2, keepdim=True)
        CH = W.mT @ (W @ H[..., i : i + 1]) / len(self.users)
        WH = W @ H
        dot = (CH * H).sum(-2)
        size = WH.square().sum(-2) / len(self.users)
        dot, size = (X if X.ndim == 1 else X.mean(0) for X in (dot, size))
        score = dot if by == "dot" else dot / (size * size[i]).sqrt().clamp_min(1e-30)
        return self._best(score, torch.tensor([i]), count)

    @checked.options
    def telling(self, items: Iterable, count: int = 10) -> list:
        """Of these items, those to ask a new user for first: each the one whose rating is the least certain so far.

        From his prior covariance S = Λ⁻¹ on: the largest y·S y, and then S − S y yᵀ S / (σ² + y·S y), the rule of
        Bayes for one more rating, whatever its value will be.
        """
        item = checked.known(items, self.column, "items")
        if checked.integer(count, "count", least=1) > len(set(item.tolist())):
            raise ValueError(f"count is {count}; there are {len(set(item.tolist()))} different items to choose from")
        if self.W.ndim == 3 or self.prior.alpha is not None:
            raise ValueError("telling needs one model of ratings, such as bayes or als; this one is of another kind")
        S, chosen = torch.linalg.inv(self.prior.precision.double()), []
        Y = self.H.mT[:, -1 - len(S) : -1].double()  # without biases b is not among the unknowns
        while len(chosen) < count:
            left = [i for i in item.tolist() if i not in chosen]
            variance = ((Y[left] @ S) * Y[left]).sum(1)
            chosen.append(left[int(variance.argmax())])
            Sy = S @ Y[chosen[-1]]
            S = S - torch.outer(Sy, Sy) / (float(self.noise) + variance.max())
        return [self.items[i] for i in chosen]

    def _best(self, score: Tensor, without: Tensor, count: int) -> list[tuple[Any, float]]:
        left = torch.ones(len(score), dtype=torch.bool)
        left[without] = False
        order = score.argsort(descending=True, stable=True)
        return [(self.items[i], float(score[i])) for i in order[left[order]][:count].tolist()]

    def save(self, path: str | PathLike) -> None:
        """Write to one file, `.npz` by custom; `load` gives the same model, bit for bit. Labels: text and numbers."""
        path = checked.path(path)
        for name in ("users", "items"):
            for label in getattr(self, name):
                if type(label) not in LABELS:
                    raise TypeError(f"{name} has the label {repr(label):.40}; only text and numbers can be saved")
        arrays, header = {}, {"format": FORMAT, "users": self.users, "items": self.items, "limits": self.limits}
        header |= {"mean": self.mean, "weighted": self.prior.weighted, "alpha": self.prior.alpha}
        for name, value in _parts(self).items():
            if value is not None:
                arrays[name] = (value.mT if name == "H" else value).contiguous().numpy()  # laid out as it is
        header["arrays"] = {name: [*array.shape] for name, array in arrays.items()}
        text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
        part = path.with_name(path.name + ".part")
        try:
            with open(part, "wb") as file:
                np.savez(file, header=text, **arrays)
            os.replace(part, path)  # the whole file or none
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | PathLike) -> "Model":
        """A saved model. A file that is not one, or is damaged, is refused; nothing in it is ever executed."""
        path = checked.path(path)
        try:
            with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                header = json.loads(bytes(file["header"]))
                if header["format"] != FORMAT:
                    raise ValueError(f"its format is {repr(header['format']):.20}, this program reads {FORMAT}")
                arrays = {name: torch.from_numpy(file[name]) for name in header["arrays"]}
            model = _whole(cls, header, arrays)
        except (FileNotFoundError, IsADirectoryError, PermissionError):
            raise
        except (
            OSError,
            EOFError,
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            AttributeError,
            RuntimeError,
            MemoryError,
            OverflowError,
            zlib.error,
            zipfile.BadZipFile,
        ) as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"{path.name:.60} is no saved model: {why:.60}") from None
        return model


@dataclass(frozen=True, eq=False)
class Taste:
    """One user as the model sees them: what they would give to each item, how sure that is, and their list."""

    model: Model
    w: Tensor  # (..., k + 2): [b, w, 1]
    covariance: Tensor | None  # (..., k + 2, k + 2)
    seen: Tensor  # (N,) the columns of the items that they rated

    @checked.options
    def predict(self, items: Iterable | None = None) -> Tensor:
        """The rating of each of these items (N,), of all of them without any given."""
        WH = self.w.double()[..., None, :] @ self._items(items).mT
        WH = WH[..., 0, :] if WH.ndim == 2 else WH[..., 0, :].mean(0)
        return (WH + self.model.mean).clamp(*self.model.limits)

    @checked.options
    def deviation(self, items: Iterable | None = None) -> Tensor:
        """The standard deviation of the rating of each item (N,): from the user's factors, the item's, and the noise.

        After Gibbs sampling, over the draws.
        """
        model, y, w = self.model, self._items(items), self.w.double()
        if model.prior.alpha is not None:
            raise ValueError(
                "deviation is not known after implicit feedback: it predicts no ratings; use bayes or gibbs"
            )
        if self.covariance is None and w.ndim == 1:
            raise ValueError("deviation is known after bayes and gibbs; after als for a new user only: see fold_in")
        if w.ndim == 2:  # the draws
            own = 0 if self.covariance is None else ((y @ self.covariance) * y).sum(-1).mean(0)
            return (own + (w[:, None, :] @ y.mT)[:, 0].var(0, correction=0) + model.noise.mean()).sqrt()
        S = self.covariance.double()
        variance = ((y @ S) * y).sum(-1) + model.noise
        if model.spread is not None:
            T = model.spread[len(model.users) :] if items is None else model.spread[len(model.users) + self._at(items)]
            variance = variance + (T.double() * (S + torch.outer(w, w))).sum((-2, -1))
        return variance.sqrt()

    @checked.options
    def liking(self, *, by: str = "dot") -> Tensor:
        """How well each item suits him rather than others (n,), biases left out.

        by="dot": (w − w̄)·h, in units of the ratings, where w̄ is the mean of all users. by="cosine": divided by the
        lengths of both, in −1..1: by √(h·C h), how much the users differ in the item, and by √(w − w̄)·C⁻¹(w − w̄),
        with the covariance C of the rows w. Neither changes when W H is written with other factors.
        """
        checked.choice(by, "by", ["cosine", "dot"])
        W, H, w = self.model.W[..., 1:-1].double(), self.model.H[..., 1:-1, :].double(), self.w[..., 1:-1].double()
        w, W = w - W.mean(-2), W - W.mean(-2, keepdim=True)
        dot = (w[..., None, :] @ H)[..., 0, :]
        if by == "cosine":
            C = W.mT @ W / W.shape[-2]
            own = torch.linalg.vecdot(w, (torch.linalg.pinv(C, hermitian=True) @ w[..., None])[..., 0])
            dot = dot / (own[..., None] * ((C @ H) * H).sum(-2)).sqrt().clamp_min(1e-30)
        return dot if dot.ndim == 1 else dot.mean(0)

    @checked.options
    def top(self, count: int = 10, *, seen: bool = False) -> list[tuple[Any, float]]:
        """The items that would be rated highest: [(label, rating), ...], best first, without those rated already."""
        count = checked.integer(count, "count", least=1)
        score = (self.w.double()[..., None, :] @ self._items(None).mT)[..., 0, :]
        score = (score if score.ndim == 1 else score.mean(0)) + self.model.mean  # ranked before they are limited
        without = self.seen[:0] if checked.flag(seen, "seen") else self.seen
        low, high = self.model.limits
        return [(label, min(max(value, low), high)) for label, value in self.model._best(score, without, count)]

    def _at(self, items: Iterable) -> Tensor:
        return checked.known(items, self.model.column, "items")

    def _items(self, items: Iterable | None) -> Tensor:
        Y = self.model.H.mT.double()
        return Y if items is None else Y[..., self._at(items), :]


def _parts(model: Model) -> dict[str, Tensor | None]:
    """All tensors of a model."""
    own = {field.name: getattr(model, field.name) for field in fields(Model)}
    own |= {field.name: getattr(model.prior, field.name) for field in fields(Prior)}
    tensors = ["W", "H", "noise", "spread", "begin", "rated", "precision", "B", "G", "log_count"]
    return {name: own[name] for name in tensors}


def _whole(cls: type, header: dict, arrays: dict[str, Tensor]) -> Model:
    """A model of what a file holds, if it all fits together."""
    users, items, limits = tuple(header["users"]), tuple(header["items"]), tuple(map(float, header["limits"]))
    m, n, W, H = len(users), len(items), arrays["W"], arrays["H"]
    *draws, K = W.shape[:-2] + W.shape[-1:]
    d, p, count = arrays["G"].shape[-1], arrays["precision"].shape[-1], len(arrays["rated"])
    draws = tuple(draws)
    expected = {"W": (*draws, m, K), "H": (*draws, n, K), "noise": draws, "spread": (m + n, K, K), "begin": (m + 1,)}
    expected |= {"rated": (count,), "precision": (*draws, p, p), "B": (*draws, 2 + d, p), "G": (n, d)}
    expected |= {"log_count": (3,)}
    for name, array in arrays.items():
        if tuple(array.shape) != expected[name]:
            raise ValueError(f"{name} has shape {(*array.shape,)}, not {expected[name]}")
        if array.dtype != (torch.int64 if name in ("begin", "rated") else array.dtype) or array.is_complex():
            raise ValueError(f"{name} holds {array.dtype}")
        if not array.isfinite().all():
            raise ValueError(f"{name} holds numbers that are not finite")
    begin, rated = arrays["begin"], arrays["rated"]
    if (
        begin[0] != 0
        or begin[-1] != count
        or (begin.diff() < 0).any()
        or (count and not 0 <= rated.min() <= rated.max() < n)
    ):
        raise ValueError("the lists of rated items do not fit")
    if not K - 2 <= p <= K - 1:
        raise ValueError(f"precision has {p} rows, but W {K} columns")
    if len({*users}) < m or len({*items}) < n or {*map(type, users + items)} - {*LABELS}:
        raise ValueError("its labels are not unique, or of a kind that is never saved")
    if len(limits) != 2 or not limits[0] <= limits[1] or not np.isfinite(float(header["mean"])):
        raise ValueError("its mean is not finite, or it has no two limits")
    if (arrays["noise"] < 0).any() or not W.is_floating_point() or W.dtype != H.dtype:
        raise ValueError("its factors are of another kind, or its noise is below 0")
    prior = [arrays[name] for name in ("precision", "B", "G", "log_count")]
    prior = Prior(*prior, bool(header["weighted"]), None if header["alpha"] is None else float(header["alpha"]))
    rest = arrays["noise"], prior, arrays.get("spread"), begin, rated
    return cls(users, items, limits, float(header["mean"]), W, H.mT, *rest)
