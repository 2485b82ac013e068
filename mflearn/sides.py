"""One side of sparse ratings, users or items, solved for in one piece: the half step that all solvers share. No loops.

With W = [b, w, 1] and H = [1; h; c] the rating of item i by user u is μ + b_u + c_i + w_u·h_i: the biases are two
more coordinates, and each side has one that is held at 1. Given the items y, the coordinates of one user are

    x_free = P⁻¹ (Σ_t (r_t y_free − y_free y_fixed) / σ² + Λ m),    P = Σ_t y_free y_freeᵀ / σ² + Λ,

a k+1 by k+1 solve over the user's ratings t; m and Λ, prior mean and precision, are the penalty of least squares, too.
The outer products of all users at once are sums of rows of a table, which torch calls an embedding bag.
"""

import functools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, pad

from .ratings import Ratings

ROWS = 1024  # rows of one piece of work: memory stays bounded
PATTERN = 32  # features that say which items somebody rates, beside how many


class Side:
    """One side of the ratings, users or items: its ratings, sorted by row, its coordinates X, and their prior.

    X (size, K) is written in place, and beside it, for the other side, E[x xᵀ] of each row: its upper triangle.
    """

    def __init__(self, row: Tensor, column: Tensor, value: Tensor, X: Tensor, free: slice, fixed: int) -> None:
        order = torch.argsort(row.int(), stable=True)  # 32 bits sort twice as fast
        self.column, self.value, self.free, self.fixed = column.int()[order], value[order], free, fixed
        self.weight = None  # of each rating, 1
        self.X, (self.size, K), d, self.threads = X, X.shape, free.stop - free.start, 1
        self.count = torch.bincount(row, minlength=self.size)
        self.begin = pad(self.count.cumsum(0), (1, 0)).int()
        self.mean, self.precision = X.new_zeros(self.size, d), torch.eye(d).to(X)
        self.i, self.j = torch.triu_indices(K, K)
        self.outer = X.index_select(1, self.i).mul_(X.index_select(1, self.j))  # (size, K (K + 1) / 2)

    def sum(self, table: Tensor, a: int, b: int, weight: Tensor | None = None) -> Tensor:
        """Σ_t weight_t table[column_t] over the ratings t of each row from a to b, (b − a, columns of the table)."""
        low, high = int(self.begin[a]), int(self.begin[b])
        weight = None if weight is None else weight[low:high]
        return embedding_bag(self.column[low:high], table, self.begin[a:b] - low, mode="sum", per_sample_weights=weight)

    def average(self, table: Tensor) -> Tensor:
        """The mean of table[column_t] over the ratings t of each row; 0 for a row without ratings."""
        result = torch.empty(self.size, table.shape[1], dtype=table.dtype)
        table = table.contiguous()  # once, not for each piece

        def rows(a: int, b: int) -> None:
            result[a:b] = self.sum(table, a, b) / self.count[a:b, None].clamp_min(1)

        in_pieces(rows, self.size, self.threads)
        return result

    def learn(self, spread: Tensor | float, unit: Tensor) -> float:
        """The mean F B and the precision Λ of the rows, from the rows themselves; ½ (size + 1) log |Λ|.

        They maximise the bound under a weak prior, worth one row: B ~ N(0, Λ⁻¹), and a variance of `unit`.
        `spread` is the sum of the covariances of all rows.
        """
        W, f = self.X[:, self.free].double(), self.features
        B = torch.linalg.solve(self.gram, f.T @ W)
        E = W - f @ B
        precision = torch.linalg.inv((E.T @ E + spread + B.T @ B + unit.diag()) / (self.size + 1))
        self.B, self.mean, self.precision = (value.to(self.X) for value in (B, f @ B, precision))
        return 0.5 * (self.size + 1) * float(torch.logdet(precision))


@contextmanager
def one_thread() -> Iterator[int]:
    """Torch computes on one thread, as before afterwards; how many it had, for `in_pieces`.

    Its own threads wait for each other in each small operation: on a busy machine a hundred times slower.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield before
    finally:
        torch.set_num_threads(before)


def in_pieces(work: Callable[[int, int], object], size: int, threads: int) -> list:
    """work(a, b) for piece after piece of `size` rows, `threads` of them at a time, torch at one thread in each.

    The pieces do not depend on `threads`, and so the sums over them do not, to the last digit.
    """
    step = min(ROWS, max(-(-size // 4), 64))  # few rows may hold many ratings: four pieces for them, too
    pieces = [(a, min(a + step, size)) for a in range(0, size, step)]
    if threads == 1 or len(pieces) == 1:
        return [work(*piece) for piece in pieces]
    return list(_pool(threads).map(lambda piece: work(*piece), pieces))


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Kept: a new thread has to touch new memory first, and is eight times slower."""
    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive it


def half_step(
    side: Side,
    other: Side,
    *,
    noise: float = 1.0,
    weighted: bool = False,
    spread: Tensor | None = None,
    draws: Tensor | None = None,
) -> tuple[float, float, Tensor | float]:
    """Write the free coordinates of one side, given the other; E[Σ e² − r²], Σ log |P⁻¹| and Σ P⁻¹ over its rows.

    `weighted`: Λ counts once for each rating. `spread` (size, K, K): the covariances P⁻¹ are written there, and count
    in E[x xᵀ]. `draws`, standard normal: each row is drawn, not solved.
    """
    X, Y, free, i, j = side.X, other.X, side.free, side.i, side.j
    K = X.shape[1]
    place = torch.empty(K, K, dtype=torch.int64)
    place[i, j] = place[j, i] = torch.arange(len(i))
    one = torch.eye(len(side.precision)).to(X)
    twice = torch.where(i == j, 1, 2).to(X)  # of a symmetric matrix only the upper triangle is summed
    blocks = [block.contiguous() for block in other.outer.split(512, 1)]
    everything = 0 if side.weight is None else other.outer.sum(0)  # implicit feedback: all pairs count once, as 0

    def rows(a: int, b: int) -> tuple[float, float, Tensor | float]:
        packed = torch.cat([side.sum(block, a, b, side.weight) for block in blocks], 1).add_(everything)
        v = side.sum(Y, a, b, side.value)
        count = side.count[a:b, None, None].clamp_min(1) if weighted else 1
        P = packed.index_select(1, place[free, free].flatten()).view(b - a, *side.precision.shape)
        P.div_(noise).add_(side.precision * count)
        diagonal = P.diagonal(dim1=-2, dim2=-1)
        diagonal += K * torch.finfo(P.dtype).eps * diagonal.amax(-1, keepdim=True)  # what rounding may have taken
        L, wrong = torch.linalg.cholesky_ex(P)
        if wrong.any():
            raise ValueError(
                f"the equations of a row are singular in {X.dtype}; give a larger lam, or dtype=torch.float64"
            )
        goal = (v[:, free] - packed[:, place[free, side.fixed]]) / noise + side.mean[a:b] @ side.precision
        goal, total = goal[..., None], 0.0
        if spread is None and draws is None:
            x = torch.cholesky_solve(goal, L)
        else:
            root = torch.linalg.solve_triangular(L, one.expand_as(L), upper=False)  # P⁻¹ = rootᵀ root
            x = root.mT @ (root @ goal + (0 if draws is None else draws[a:b, :, None]))
        if spread is not None:
            inverse = root.mT @ root
            own, total = spread[a:b], inverse.sum(0)
            own[:, free, free], own[:, side.fixed], own[:, :, side.fixed] = inverse, 0, 0
        X[a:b, free] = x[..., 0]
        outer = X[a:b].index_select(1, i).mul_(X[a:b].index_select(1, j))
        if spread is not None:
            outer += spread[a:b].flatten(1).index_select(1, i * K + j)
        side.outer[a:b] = outer
        squares = (packed * outer).sum(0) @ twice - 2 * (v * X[a:b]).sum()
        return float(squares), -2 * float(L.diagonal(dim1=-2, dim2=-1).log().sum()), total

    squares, logs, totals = zip(*in_pieces(rows, side.size, side.threads), strict=True)
    return sum(squares), sum(logs), sum(totals)


def sides(
    ratings: Ratings, k: int, mean: float, dtype: torch.dtype, rng: np.random.Generator, biases: bool = True
) -> tuple[Side, Side, Tensor]:
    """Users, items, and their coordinates Z (m + n, k + 2), W above Hᵀ: small and random, biases 0, the 1s."""
    m, n = ratings.shape
    with one_thread():
        value = (ratings.value - mean).to(dtype)
        size = 0.1 * float(value.square().mean()) ** 0.25
        Z = torch.from_numpy(size * rng.standard_normal((m + n, k + 2))).to(dtype)
        Z[:m, 0], Z[:m, -1], Z[m:, 0], Z[m:, -1] = 0, 1, 1, 0
        users = Side(ratings.user, ratings.item, value, Z[:m], slice(1 - biases, k + 1), k + 1)
        items = Side(ratings.item, ratings.user, value, Z[m:], slice(1, k + 1 + biases), 0)
    return users, items, Z


def describe(users: Side, items: Side, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Give each side its features: 1, the log of the count, and which rows of the other side it rates; G of a user.

    Which: the mean of the rated rows of G, where √count / √N · G spans the leading singular vectors of the pattern
    (count_u count_i)^-½, by subspace iteration. That somebody rates an item says something of them, before the value
    of the rating does (Koren 2008); here it says where to expect their factors (Agarwal & Chen 2009).
    """
    scale = [side.count.clamp_min(1).to(side.X)[:, None].rsqrt() for side in (users, items)]
    d = min(PATTERN, users.size, items.size)
    V = torch.from_numpy(rng.standard_normal((items.size, d))).to(items.X)
    for _ in range(4):
        U = torch.linalg.qr(users.average(scale[1] * V) / scale[0]).Q
        V = torch.linalg.qr(items.average(scale[0] * U) / scale[1]).Q
    tables = [len(users.column) ** 0.5 * size * basis for size, basis in zip(scale, (U, V), strict=True)]
    log_counts = []
    for side, table in ((users, tables[1]), (items, tables[0])):
        count = side.count.clamp_min(int(side.count[side.count > 0].min())).to(side.X).log()
        least, mean, deviation = count.min(), count.mean(), count.std(correction=0)
        deviation = torch.where(deviation > 1e-6, deviation, 1)
        count = (count - mean) / deviation
        log_counts.append(torch.stack((least, mean, deviation)))
        f = torch.cat((torch.ones_like(count)[:, None], count[:, None], side.average(table)), 1).double()
        side.features = f
        side.gram = f.T @ f + torch.eye(f.shape[1])  # the same in all sweeps
    return tables[1], log_counts[0]
