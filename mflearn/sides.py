"""The half step that all solvers for sparse ratings share: all rows of one side, users or items, given the other side.

With W = [b, w, 1] and H = [1; h; c] the rating of item j by user i is μ plus row i of W times column j of H: that is
μ + b_i + w_i·h_j + c_j. So each user and each item has one row of K = k + 2 numbers, one of which is held at 1. Given
the rows y of the items, the free numbers x of one user solve k + 1 linear equations,

    P x = Σ (r − y_fixed) y_free / σ² + Λ m,    P = Σ y_free y_freeᵀ / σ² + Λ.

Both sums run over the ratings of the user, r is the rating less μ, and y_fixed = c belongs to the 1 of the user. σ² is
the variance of the noise, m and Λ are the mean and the precision (the inverse covariance) of the user's prior. Ridge
regression with the penalty λ is the case σ² = 1, m = 0, Λ = λ I. An item is solved for in the same way.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor
from torch.linalg import solve_triangular
from torch.nn.functional import embedding_bag, pad

from . import checked
from .ratings import Ratings

ROWS = 1024  # rows that are solved for together: memory stays bounded
PATTERNS = 32  # singular vectors of who rated what, among the features of a row


class Side:
    """One side of the ratings, users or items: its ratings, sorted by row, its rows X, and their prior.

    The half step writes X, and beside it what the other side needs: the upper triangle of E[x xᵀ] of each row.
    """

    def __init__(self, row: Tensor, column: Tensor, value: Tensor, X: Tensor, free: slice, fixed: int) -> None:
        order = torch.argsort(row.int(), stable=True)  # 32 bits sort twice as fast
        self.column = column.int()[order]  # (N,) the row of the other side
        self.value = value[order]  # (N,) the rating less μ
        self.weight = None  # (N,) of each rating, None for 1
        self.X = X  # (size, K)
        self.free, self.fixed = free, fixed  # the columns of X that are solved for, and the one that is 1
        self.size, K = X.shape
        self.count = torch.bincount(row, minlength=self.size)  # ratings of each row
        self.begin = pad(self.count.cumsum(0), (1, 0)).int()  # row i has the ratings begin[i] to begin[i + 1]
        self.outer = upper_outer(X)  # (size, K (K + 1) / 2)
        self.features = None  # (size, 2 + PATTERNS), see `add_features`
        self.mean = X.new_zeros(self.size, K - 1)  # m
        self.precision = torch.eye(K - 1).to(X)  # Λ

    def sum(self, table: Tensor, a: int, b: int, weight: Tensor | None = None) -> Tensor:
        """For each row from a to b, the sum of weight_t table[column_t] over its ratings t: (b − a, table columns)."""
        low, high = int(self.begin[a]), int(self.begin[b])
        weight = None if weight is None else weight[low:high]
        return embedding_bag(self.column[low:high], table, self.begin[a:b] - low, mode="sum", per_sample_weights=weight)

    def average(self, table: Tensor) -> Tensor:
        """For each row, the mean of table[column_t] over its ratings t; 0 for a row without ratings."""
        return self.sum(table.contiguous(), 0, self.size) / self.count[:, None].clamp_min(1)

    def update_prior(self, covariance: Tensor, unit: Tensor) -> float:
        """Estimate the mean f B and the precision Λ of the rows from the rows themselves; ½ (size + 1) log |Λ|.

        f are the features. The estimate maximises the bound of variational Bayes under a weak prior, worth one row:
        B ~ N(0, Λ⁻¹), and a variance of `unit` (K − 1,). `covariance` is the sum of the covariances of all rows.
        """
        X, f = self.X[:, self.free].double(), self.features
        B = torch.linalg.solve(self.gram, f.T @ X)
        E = X - f @ B
        precision = torch.linalg.inv((E.T @ E + covariance + B.T @ B + unit.diag()) / (self.size + 1))
        self.B, self.mean, self.precision = (value.to(self.X) for value in (B, f @ B, precision))
        return 0.5 * (self.size + 1) * float(torch.logdet(precision))


def upper_outer(X: Tensor) -> Tensor:
    """The upper triangle of x xᵀ for each row x of X (size, K): (size, K (K + 1) / 2)."""
    i, j = torch.triu_indices(X.shape[1], X.shape[1], device=X.device)
    return X.index_select(1, i).mul_(X.index_select(1, j))


def half_step(
    side: Side,
    other: Side,
    threads: int,
    *,
    noise: float = 1.0,
    weighted: bool = False,
    covariance: Tensor | None = None,
) -> tuple[float, float, Tensor | float]:
    """Solve for all rows of a side, given the other; return Σ e² − Σ r², Σ log |P⁻¹| and Σ P⁻¹ over its rows.

    The prior counts once for each row; `weighted`: once for each rating, as the penalty of ALS does. With `covariance`
    (size, K, K), P⁻¹ is written there and counts in E[x xᵀ].
    """
    X, free, fixed, K = side.X, side.free, side.fixed, side.X.shape[1]
    i, j = torch.triu_indices(K, K, device=X.device)
    place = torch.empty(K, K, dtype=torch.int64, device=X.device)  # of each entry in the upper triangle
    place[i, j] = place[j, i] = torch.arange(len(i), device=X.device)
    in_P = place[free, free].flatten()
    identity = torch.eye(K - 1).to(X)
    twice = torch.where(i == j, 1, 2).to(X)  # an entry above the diagonal stands for the one below, too
    everything = 0 if side.weight is None else other.outer.sum(0)  # implicit feedback: each pair counts once, as 0

    def solve(a: int, b: int) -> tuple[float, float, Tensor | float]:
        gram = side.sum(other.outer, a, b, side.weight) + everything  # Σ y yᵀ
        target = side.sum(other.X, a, b, side.value)  # Σ r y
        count = side.count[a:b, None, None].clamp_min(1) if weighted else 1
        P = gram.index_select(1, in_P).view(-1, K - 1, K - 1).div_(noise).add_(count * side.precision)
        g = (target[:, free] - gram[:, place[free, fixed]]) / noise + side.mean[a:b] @ side.precision
        diagonal = P.diagonal(dim1=-2, dim2=-1)
        diagonal += 4 * K * torch.finfo(P.dtype).eps * diagonal.amax(-1, keepdim=True)  # more than rounding took
        L, failed = torch.linalg.cholesky_ex(P)
        if failed.any():
            wider = "torch.float64, or als " if X.dtype == torch.float32 else ""
            raise ValueError(f"the equations of a row are singular in {X.dtype}; give {wider}a larger lam")
        X[a:b, free] = torch.cholesky_solve(g[..., None], L)[..., 0]
        outer, total = upper_outer(X[a:b]), 0.0
        if covariance is not None:
            root = solve_triangular(L, identity.expand_as(L), upper=False)
            inverse = root.mT @ root  # P⁻¹, three times as fast as by torch.cholesky_inverse
            total = inverse.sum(0)
            covariance[a:b] = 0
            covariance[a:b, free, free] = inverse
            outer += covariance[a:b].flatten(1).index_select(1, i * K + j)
        side.outer[a:b] = outer
        squares = (gram * outer).sum(0) @ twice - 2 * (target * X[a:b]).sum()
        return float(squares), -2 * float(L.diagonal(dim1=-2, dim2=-1).log().sum()), total

    squares, logs, totals = zip(*in_pieces(solve, side.size, threads), strict=True)
    return sum(squares), sum(logs), sum(totals)


def two_sides(
    ratings: Ratings,
    k: int,
    mean: float,
    rng: np.random.Generator,
    dtype: torch.dtype,
    device: str,
    biases: bool = True,
) -> tuple[Side, Side]:
    """Users and items at the start: their factors are small and random, their biases 0.

    Without `biases` the number that is held at 1 is held at 0 instead: then the equations say that b and c are 0.
    """
    m, n = ratings.shape
    sums = (m + n) * (k + 2) * (k + 3) // 2  # that P is made of
    checked.entries(sums, f"the equations of rank {k}", most=10**9)
    user, item = ratings.user.to(device), ratings.item.to(device)
    value = (ratings.value - mean).to(device, dtype)
    size = 0.1 * float(value.square().mean()) ** 0.25
    W, H = torch.from_numpy(size * rng.standard_normal((m + n, k + 2))).to(device, dtype).split((m, n))
    W[:, 0], W[:, -1], H[:, 0], H[:, -1] = 0, int(biases), int(biases), 0
    W, H = W.clone(), H.clone()  # each in memory of its own, to be sent alone
    users = Side(user, item, value, W, free=slice(0, k + 1), fixed=k + 1)
    items = Side(item, user, value, H, free=slice(1, k + 2), fixed=0)
    return users, items


def add_features(users: Side, items: Side, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Give each row its features: 1, the log of its number of ratings, and a summary of which rows it rated.

    Which items a user rated says something of them before the values of the ratings do (Koren 2008); here it says
    where to expect their factors (Agarwal & Chen 2009). The summary is the mean of the rows of G over the items they
    rated: √count / √N · G spans the leading singular vectors of the matrix that holds (count_i count_j)^-½ where i
    rated j, and 0 elsewhere, found by subspace iteration. Items get the same from the users.

    Returns what the features of a newcomer need: the G (n, d) of the items, and the least, the mean and the standard
    deviation of the log counts of the users.
    """
    scale = [side.count.clamp_min(1).to(side.X)[:, None].rsqrt() for side in (users, items)]
    d = min(PATTERNS, users.size, items.size)
    V = torch.from_numpy(rng.standard_normal((items.size, d))).to(items.X)
    for _ in range(4):
        U = torch.linalg.qr(users.average(scale[1] * V) / scale[0]).Q
        V = torch.linalg.qr(items.average(scale[0] * U) / scale[1]).Q
    root_N = len(users.column) ** 0.5
    G_users, G_items = root_N * scale[0] * U, root_N * scale[1] * V
    log_counts = _set_features(users, G_items)
    _set_features(items, G_users)
    return G_items, log_counts


def _set_features(side: Side, G: Tensor) -> Tensor:
    """Set the features of a side; the least, the mean and the standard deviation of its log counts."""
    log_count = side.count.clamp_min(int(side.count[side.count > 0].min())).to(side.X).log()
    least, mean, deviation = log_count.min(), log_count.mean(), log_count.std(correction=0)
    deviation = torch.where(deviation > 1e-6, deviation, 1)
    standard = (log_count - mean) / deviation
    side.features = torch.cat((torch.ones(side.size, 1).to(G), standard[:, None], side.average(G)), 1).double()
    side.gram = side.features.T @ side.features + torch.eye(side.features.shape[1]).to(G)  # the same in all sweeps
    return torch.stack((least, mean, deviation))


def in_pieces(work: Callable[[int, int], object], size: int, threads: int) -> list:
    """The results of work(a, b) for pieces of `size` rows, on so many threads, where torch uses one thread in each.

    The pieces do not depend on `threads`, so sums over the pieces are the same to the last digit.
    """
    step = min(ROWS, max(-(-size // 4), 64))  # few rows may hold many ratings: four pieces for them, too
    starts = range(0, size, step)
    ends = [min(a + step, size) for a in starts]
    if threads == 1 or len(starts) == 1:
        return list(map(work, starts, ends))
    return list(_pool(threads).map(work, starts, ends))


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads that are kept: a new thread has to touch new memory first, and is eight times slower."""
    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
