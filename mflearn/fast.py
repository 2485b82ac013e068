"""Quicker ways to the loss and gradient of `Frobenius`, and to sparse products. Tests hold them to the plain ones.

Nothing is taught here. A walk on a small matrix spends its time on the number of operations, not on their size: so
several are fused into one, and results are written where they are needed. A batch of many runs lies in memory with
its runs last: then each operation sweeps over all of them at once.
"""

import functools
import itertools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from threadpoolctl import ThreadpoolController
from torch import Tensor

from .objectives import Frobenius, square

MANY = 256  # from so many runs on they lie last in memory: two to three times faster
LARGE = 2**16  # entries of A, from which on W H is not formed for the gradient

Pair = tuple[Tensor, Tensor]


@contextmanager
def one_thread() -> Iterator[int]:
    """torch and NumPy compute on one thread here, and as before afterwards; yields how many threads torch had.

    Several threads wait for each other in each small operation: on a busy machine that takes ten to a hundred times as
    long.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            yield before
    finally:
        torch.set_num_threads(before)


@functools.cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def runs_last(Z: Tensor) -> Tensor:
    """The same Z (..., m + n, k), laid out so that neighbours in memory are neighbouring runs, if they are many."""
    if Z[..., 0, 0].numel() < MANY:
        return Z
    axes = range(Z.ndim)
    return Z.permute(*axes[-2:], *axes[:-2]).contiguous().permute(*axes[2:], *axes[:2])


def stacked(points: Iterator, start: Tensor) -> Iterator[Tensor]:
    """The Z of the points of a walk, several steps in one tensor (count, *runs, m + n, k); `start` is the first Z.

    The losses of 64 steps of one small run are then found in one operation. Of large Z only one is taken at a time.
    """
    count = max(1, min(64, 16_384 // start.numel()))
    while few := [point.Z for point in itertools.islice(points, count)]:
        yield torch.stack(few) if len(few) > 1 else few[0][None]


def product(X: Tensor, Y: Tensor, out: Tensor | None = None) -> Tensor:
    """X Y for every leading index; for runs that lie last in memory as a sum of outer products, column times row."""
    if X.ndim == 2 or X.stride(-3) != 1 or X.shape[-3] == 1:
        return torch.matmul(X, Y, out=out)
    first, *others = zip(X.split(1, -1), Y.split(1, -2), strict=True)
    out = torch.mul(*first, out=out)
    for column, row in others:
        out.addcmul_(column, row)
    return out


def loss(objective: Frobenius, W: Tensor, H: Tensor) -> Tensor:
    """`objective(W, H)`, with as few operations as possible."""
    if W.ndim == 3 and len(W) == 1:  # torch has a much slower sum of squares for a stack, even for a stack of one
        return loss(objective, W[0], H[0])[None]
    found = objective.scale * square(_residual(objective, W, H))
    if objective.lam:
        found = found + objective.lam * (square(W) + square(H))
    return found


def gradient(objective: Frobenius, W: Tensor, H: Tensor, out: Pair) -> None:
    """`objective.gradient(W, H)`, written into two tensors of the shapes of W and H."""
    into_W, into_H = out
    twice = 2 * objective.scale
    if W.ndim > 2 or objective.mask is not None:
        E = _residual(objective, W, H).mul_(twice)
        product(E, H.mT, into_W)
        product(W.mT, E, into_H)
    elif objective.A.numel() < LARGE:
        E = torch.addmm(objective.A, W, H, beta=-twice, alpha=twice)  # 2c (W H − A)
        torch.matmul(E, H.mT, out=into_W)
        torch.matmul(W.mT, E, out=into_H)
    else:  # 2c (W H Hᵀ − A Hᵀ) and 2c (Wᵀ W H − Wᵀ A): two products with as many entries as A instead of three
        torch.addmm(objective.A @ H.mT, W, H @ H.mT, beta=-twice, alpha=twice, out=into_W)
        torch.addmm(W.mT @ objective.A, W.mT @ W, H, beta=-twice, alpha=twice, out=into_H)
    if objective.lam:
        into_W.add_(W, alpha=2 * objective.lam)
        into_H.add_(H, alpha=2 * objective.lam)


def _residual(objective: Frobenius, W: Tensor, H: Tensor) -> Tensor:
    E = product(W, H).sub_(objective.A)
    return E if objective.mask is None else E.mul_(objective.mask)


def sparse(A: csr_array) -> Any:
    """The same matrix for `sparse_product`: where torch has MKL, as its sparse tensor, twice as fast as SciPy's."""
    if not torch.backends.mkl.is_available():
        return A
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its sparse tensors beta
        parts = (torch.from_numpy(part) for part in (A.indptr, A.indices, A.data))
        return torch.sparse_csr_tensor(*parts, A.shape, dtype=torch.float64)


def sparse_product(A: Any, X: np.ndarray) -> np.ndarray:
    """A X for a matrix of `sparse`."""
    return (A @ torch.from_numpy(X)).numpy() if isinstance(A, Tensor) else A @ X


def raise_to(X: np.ndarray, least: float) -> None:
    """Raise every smaller entry of X to this value, in place; a third of the time of NumPy's `maximum`."""
    torch.from_numpy(X).clamp_min_(least)
