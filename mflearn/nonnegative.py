"""Non-negative factorization, A ≈ W H with no entry below 0, and how far two runs agree. No plots.

    multiplicative, projected   walk: generators of points, as `descent.descend`; `record` measures them
    nmf                         both together, for a matrix: the friendly face
    match, stability            which parts of two runs belong together, and how alike they are

Both walks minimise ‖A − W H‖_F², half a step at a time: W first, then H with the new W. They hold Wᵀ and H: both
halves are then the same. The gradient for Wᵀ is 2 (Q Wᵀ − P) with P = H Aᵀ and Q = H Hᵀ. The gradient for H is
2 (Q H − P) with P = Wᵀ A and Q = Wᵀ W. Neither half raises the loss, so no step does. If W and H were updated together,
from the same old pair, they could overshoot, and the loss could rise.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array, issparse
from torch import Tensor
from torch.nn.functional import normalize

from . import checked, fast
from .descent import Run, random_factors, record
from .objectives import Factors, Frobenius

TINY = 1e-16  # beside the size of a typical entry: what multiplicative updates keep instead of 0
SMALLEST = np.finfo(np.float64).tiny  # in place of a curvature or a length of 0
SPARSE = 0.1  # a matrix with a smaller share of entries above 0 is multiplied entry by entry


def multiplicative(A: Any, start: tuple[Any, Any] | Factors, *, repeats: int = 1) -> Iterator[Factors]:
    """W ← W ⊙ (A Hᵀ) / (W H Hᵀ), then H ← H ⊙ (WᵀA) / (WᵀW H), without end (Lee & Seung 2001).

    It is gradient descent, W − S ⊙ 2 (W H Hᵀ − A Hᵀ), with a step of its own for each entry: S = W / (2 W H Hᵀ).
    This S is the inverse curvature of a parabola that lies above the loss and touches it at W: its lowest point
    cannot be higher.

    A zero would stay zero for ever, and 0/0 is not a number. So the least value of an entry is 1e-16 of the typical
    size √(mean(A) / k), also in the start. From there an entry can grow again, and the walk comes to rest only where
    the gradient allows it (Takahashi & Hibi 2014). Each half is updated `repeats` times with the same A Hᵀ and H Hᵀ,
    because these products cost most (Gillis & Glineur 2012).
    """
    data, Wt, H = _begin(A, start, repeats)
    floor = TINY * (data.mean / H.shape[-2]) ** 0.5 or TINY
    for factor in (Wt, H):
        fast.raise_to(factor, floor)

    def update(factor: np.ndarray, P: np.ndarray, Q: np.ndarray) -> None:
        factor *= P / (Q @ factor)
        fast.raise_to(factor, floor)

    return _walk(data, Wt, H, update, repeats)


def projected(A: Any, start: tuple[Any, Any] | Factors, *, repeats: int = 1) -> Iterator[Factors]:
    """W ← max(0, W − 2 η (W H Hᵀ − A Hᵀ)) with η = 1 / (2 ‖H Hᵀ‖₂), then the same for H, without end.

    With H fixed, the curvature of the loss is at most L = 2 ‖H Hᵀ‖₂. A step of 1/L goes to the lowest point of a
    parabola that lies above the loss; with its negative entries set to 0 it is the nearest point that is allowed (Lin
    2007; Bolte et al. 2014). Entries can become exactly 0, and can grow again. `repeats` is as in `multiplicative`.
    """
    data, Wt, H = _begin(A, start, repeats)

    def update(factor: np.ndarray, P: np.ndarray, Q: np.ndarray) -> None:
        curvature = np.linalg.eigvalsh(Q)[..., -1:, None]  # half of L
        factor -= (Q @ factor - P) / np.maximum(curvature, SMALLEST)
        fast.raise_to(factor, 0)

    return _walk(data, Wt, H, update, repeats)


@fast.one_thread()
def nmf(
    A: Any,
    k: int,
    *,
    steps: int,
    method: Callable[..., Iterator[Factors]] = multiplicative,
    repeats: int = 1,
    seed: int | Tensor = 0,
) -> Run:
    """A recorded walk of `steps` updates from random factors; an array of seeds makes a batch of runs.

    A (m, n) is a table without negative entries, or a sparse matrix of scipy. `method` is `multiplicative` or
    `projected`. To begin elsewhere, `record` a walk of your own: `record(multiplicative(A, start), f, steps=20)`.

    >>> run = nmf([[5, 3], [3, 2], [2, 1], [1, 1]], k=1, steps=20)
    >>> print(f"{run.loss[-1]:.5f}")
    0.16718
    """
    data = _data(A)
    checked.function(method, "method", "A", "a start")
    walk = method(data, random_start(data, k, seed=seed), repeats=repeats)
    return record(walk, data, steps=steps)


def random_start(A: Any, k: int, *, seed: int | Tensor = 0) -> Factors:
    """Uniform random W and H whose product has the mean of A; an array of seeds makes a batch."""
    data, k = _data(A), checked.integer(k, "k", least=1)
    return random_factors(*data.shape, k, seed=seed, scale=2 * (data.mean / k) ** 0.5)


class Data:
    """A non-negative matrix A (m, n), dense or sparse, as the walks need it: its loss, H Aᵀ, and Wᵀ A.

    Called with (W, H) it is the objective ‖A − W H‖_F², shape (...). For a sparse or large A the table W H is never
    formed: there the loss is ‖A‖² − 2 ⟨Wᵀ A, H⟩ + ⟨WᵀW, H Hᵀ⟩, accurate to about 1e-15 ‖A‖².
    """

    def __init__(self, A: Any) -> None:
        table = _nonnegative(A)
        self.shape = tuple(table.shape)
        self.mean = float(table.sum()) / (self.shape[0] * self.shape[1])
        if isinstance(table, Tensor):
            few = int(table.count_nonzero()) < SPARSE * table.numel()
            table = csr_array(table.numpy()) if few else table.numpy()
        self.is_sparse = not isinstance(table, np.ndarray)
        if self.is_sparse:
            self._right, self._left = fast.sparse(table), fast.sparse(table.T.tocsr())
            entries = table.data
        else:
            self._right, self._left = np.ascontiguousarray(table.T), table
            entries = table.ravel()
        self._square = float(entries @ entries)
        self._loss = None if self.is_sparse or table.size >= fast.LARGE else Frobenius(table)

    def times_transposed(self, H: np.ndarray) -> np.ndarray:
        """H Aᵀ for H (..., k, n); shape (..., k, m)."""
        return self._product(H, self._right)

    def times(self, Wt: np.ndarray) -> np.ndarray:
        """Wᵀ A for Wᵀ (..., k, m); shape (..., k, n)."""
        return self._product(Wt, self._left)

    def _product(self, X: np.ndarray, matrix: Any) -> np.ndarray:
        """X times the matrix, one product for all runs; a sparse matrix is its own transpose, and comes first."""
        rows = X.reshape(-1, X.shape[-1])
        found = fast.sparse_product(matrix, rows.T).T if self.is_sparse else rows @ matrix
        return np.ascontiguousarray(found).reshape(*X.shape[:-1], -1)

    def __call__(self, W: Tensor, H: Tensor) -> Tensor:
        """The loss, shape (...)."""
        if self._loss is not None:
            return self._loss(W, H)
        Wt, H = W.mT.numpy(), H.numpy()
        cross = (self.times(Wt) * H).sum((-2, -1))
        product = ((Wt @ Wt.swapaxes(-1, -2)) * (H @ H.swapaxes(-1, -2))).sum((-2, -1))
        return torch.as_tensor(self._square - 2 * cross + product).clamp_min(0)


@dataclass(frozen=True, eq=False)
class Match:
    """Which part of another run is paired with each part of this one."""

    order: Tensor  # (k,), int64: part order[i] of the other run is paired with part i
    similarity: Tensor  # (k,): the cosine between the two, 1 where they differ by a factor alone


def match(H: Any, other: Any) -> Match:
    """Pair the parts of two runs, the rows of H (k, n), so that the cosines between them have the largest sum.

    W H stays the same when parts are reordered or stretched, and so do the cosines of the paired parts. The pairing is
    scipy's `linear_sum_assignment` (Kuhn 1955).

    >>> match([[1, 0, 0], [0, 2, 0]], [[0, 5, 0], [3, 0, 0]]).order
    tensor([1, 0])
    """
    H, other = _nonnegative(H, "H"), _nonnegative(other, "other")
    if H.shape != other.shape:
        raise ValueError(f"other has shape {(*other.shape,)}; H has shape {(*H.shape,)}, they must be equal")
    cosines = normalize(H, dim=1, eps=SMALLEST) @ normalize(other, dim=1, eps=SMALLEST).mT  # 0 for a row of zeros
    order = torch.from_numpy(linear_sum_assignment(cosines.numpy(), maximize=True)[1])
    return Match(order, cosines[torch.arange(len(order)), order].clamp_max(1))


@dataclass(frozen=True, eq=False)
class Stability:
    """How alike the parts of several runs are: 1 if all found the same."""

    score: float  # the mean cosine of matched parts over all pairs of runs
    chance: float  # the same against runs whose parts had their entries shuffled: the score without any agreement
    reference: int  # the run that agrees best with the others
    parts: Tensor  # (k,): the mean cosine of each of its parts with those matched to it


@fast.one_thread()
def stability(H: Any, *, seed: int = 0) -> Stability:
    """Compare the parts of several runs, H (runs, k, n), such as `nmf(A, k, steps=200, seed=range(10)).H`.

    Compare the score with `chance`: without negative entries no cosine is below 0, and the pairing raises the cosines.
    `seed` is for the shuffling.
    """
    H = _nonnegative(H, "H", axes=3)
    runs, k, _ = H.shape
    if runs < 2:
        raise ValueError("H holds one run; give two or more, (runs, k, n)")
    rng = np.random.default_rng(checked.integer(seed, "seed", least=0))
    shuffled = torch.from_numpy(rng.permuted(H.numpy(), axis=-1))
    similar, random = torch.ones(runs, runs, k, dtype=torch.float64), []
    for i, j in itertools.permutations(range(runs), 2):
        similar[i, j] = match(H[i], H[j]).similarity
        random.append(match(H[i], shuffled[j]).similarity)
    pairs = similar.mean(-1)
    apart = ~torch.eye(runs, dtype=torch.bool)
    reference = int(pairs.sum(1).argmax())
    return Stability(
        score=float(pairs[apart].mean()),
        chance=float(torch.stack(random).mean()),
        reference=reference,
        parts=similar[reference][apart[reference]].mean(0),
    )


def _nonnegative(value: Any, name: str = "A", axes: int = 2) -> Any:
    """A table without negative entries: as a float64 tensor, or as a `csr_array` if it is a sparse matrix of scipy."""
    if issparse(value) and name == "A":  # of the parts of two runs all entries are needed
        if value.ndim != 2 or 0 in value.shape:
            raise ValueError(f"{name} has shape {value.shape}; it must be a matrix with at least one entry")
        if value.dtype.kind not in "biuf":
            raise TypeError(f"{name} holds {value.dtype}; it must hold real numbers")
        table = csr_array(value).astype(np.float64, copy=True)
        table.sum_duplicates()
        entries = torch.from_numpy(table.data)
    else:
        table = entries = checked.array(value, name, axes=axes)
    wrong = entries[~((entries >= 0) & entries.isfinite())]
    if len(wrong):
        raise ValueError(f"{name} holds {float(wrong[0]):g}; its entries must be finite, and none may be below 0")
    checked.size(float(table.max()), name)
    return table


def _begin(A: Any, start: Any, repeats: int) -> tuple[Data, np.ndarray, np.ndarray]:
    """The data, and copies of Wᵀ (..., k, m) and H (..., k, n), which the walk may change."""
    data = _data(A)
    checked.integer(repeats, "repeats", least=1)
    W, H = checked.start(start, data.shape)
    for name, X in (("W", W), ("H", H)):
        if (X < 0).any():
            raise ValueError(f"{name} of start holds {float(X.min())}; no entry may be below 0")
    return data, np.array(W.mT.numpy(), order="C"), np.array(H.numpy(), order="C")


def _data(A: Any) -> Data:
    """A as `Data`, unless it is that already."""
    return A if isinstance(A, Data) else Data(A)


def _walk(data: Data, Wt: np.ndarray, H: np.ndarray, update: Callable, repeats: int) -> Iterator[Factors]:
    """The points of a walk; `update(factor, P, Q)` changes Wᵀ, or H, in place."""
    while True:
        yield Factors(torch.from_numpy(np.concatenate((Wt, H), axis=-1)).mT, data.shape[0])
        P, Q = data.times_transposed(H), H @ H.swapaxes(-1, -2)
        for _ in range(repeats):
            update(Wt, P, Q)
        P, Q = data.times(Wt), Wt @ Wt.swapaxes(-1, -2)
        for _ in range(repeats):
            update(H, P, Q)
