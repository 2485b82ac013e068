"""The solvers for sparse ratings: alternating least squares, its two Bayesian twins, and implicit feedback.

Each is a generator of sweeps without an end; a sweep solves for all users, then for all items, by the half step of
`sides`. Those of ratings differ in the prior of a row alone, and in what they keep of it: its best value, its
distribution, or a draw. Biases are two more columns of W and H, see `Sweep`.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from . import checked
from .descent import Factors
from .model import Model, Prior
from .ratings import Ratings, given
from .sides import Side, describe, half_step, one_thread, sides


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Factors):
    """A point of the walk, W = [b, w, 1] (m, k + 2) and H = [1; h; c] (k + 2, n), and what is known beside it."""

    Z: Tensor
    m: int
    loss: float  # what the solver lowers: the objective, minus the bound; for Gibbs, which lowers nothing, Σ e²
    mean: float  # μ
    noise: float  # σ²
    prior: Prior
    spread: Tensor | None = None  # (m + n, k + 2, k + 2), the covariance of each row of Z; 0 where held fixed


@checked.options
def als(
    ratings: Ratings,
    k: int = 16,
    *,
    lam: float = 0.1,
    weighted: bool = True,
    biases: bool = True,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> Iterator[Sweep]:
    """Alternating least squares: each half step is the minimum of `Observed(ratings, mean=μ, biases=True)` for a side.

    So the objective never rises. `weighted` as there: each rating brings the penalty λ of its user and its item.
    Without `biases` b, c and μ stay 0: a rating is w·h alone, as in Spark's ALS.
    """
    rng = _door(ratings, k, seed, dtype)
    lam, weighted = checked.number(lam, "lam", above=0), checked.flag(weighted, "weighted")
    mean = ratings.mean if checked.flag(biases, "biases") else 0.0
    return _alternate(mean, *sides(ratings, k, mean, dtype, rng, biases), lam, weighted)


@checked.options
def implicit(
    ratings: Ratings,
    k: int = 16,
    *,
    alpha: float = 3.0,
    lam: float = 10.0,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> Iterator[Sweep]:
    """Implicit feedback: Σ c (p − x·y)² + λ ‖free coordinates‖² over *all* pairs (Hu, Koren & Volinsky 2008).

    p is 1 where the value is above 0, and 0 elsewhere; c = 1 + α |value|, which is 1 where nothing was observed.
    What all pairs have, the 1 of their c, is one k+2 by k+2 matrix in the sum, YᵀY.
    """
    rng = _door(ratings, k, seed, dtype)
    alpha, lam = checked.number(alpha, "alpha", above=0), checked.number(lam, "lam", above=0)
    users, items, Z = sides(ratings, k, 0.0, dtype, rng)
    for side in (users, items):
        side.weight = alpha * side.value.abs()
        side.value = (1 + side.weight) * (side.value > 0)
    return _alternate(0.0, users, items, Z, lam, False, alpha)


@checked.options
def bayes(ratings: Ratings, k: int = 16, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Iterator[Sweep]:
    """Variational Bayes: each row is a normal distribution, solved for with those of the other side (Lim & Teh 2007).

    Prior and noise are learnt at each sweep, so there is no λ; minus the bound on the evidence never rises.
    """
    rng = _door(ratings, k, seed, dtype)
    users, items, Z = sides(ratings, k, ratings.mean, dtype, rng)
    return _learn(ratings, users, items, Z, rng, spreads=True)


@checked.options
def gibbs(ratings: Ratings, k: int = 16, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Iterator[Sweep]:
    """Gibbs sampling: each row is drawn from its normal distribution, given the rows of the other side.

    A sweep is one draw; the mean of the predictions of many is the estimate (Salakhutdinov & Mnih 2008): see `fit`.
    """
    rng = _door(ratings, k, seed, dtype)
    users, items, Z = sides(ratings, k, ratings.mean, dtype, rng)
    return _learn(ratings, users, items, Z, rng, spreads=False)


@checked.options
def fit(
    ratings: Ratings,
    k: int = 16,
    *,
    solver: Callable[..., Iterator[Sweep]] = bayes,
    sweeps: int = 10,
    average: int = 1,
    validation: Ratings | None = None,
    patience: int = 3,
    seed: int = 0,
    progress: bool = False,
) -> Model:
    """The model after so many sweeps of a solver: `fit(ratings)`, `fit(ratings, 8, solver=partial(als, lam=0.05))`.

    `average`: the mean of the predictions of the last so many sweeps, which is what Gibbs sampling is for.
    `validation`: ratings of the same users and items; the model is that of the sweep with the lowest RMSE on them,
    and the fit ends when `patience` sweeps have not lowered it. `progress` shows a bar.
    """
    checked.function(solver, "solver", takes="ratings, k, seed, such as bayes or partial(als, lam=0.1)")
    sweeps, patience = checked.integer(sweeps, "sweeps", least=1), checked.integer(patience, "patience", least=1)
    average, hidden = checked.integer(average, "average", least=1), not checked.flag(progress, "progress")
    if average > sweeps:
        raise ValueError(f"average is {average}; there are {sweeps} sweeps")
    if validation is not None and (
        average > 1 or (given(validation, "validation").users, validation.items) != (ratings.users, ratings.items)
    ):
        why = "average is above 1" if average > 1 else "its users and items are others than those of ratings"
        raise ValueError(f"validation cannot be used: {why}")
    walk = solver(ratings, k, seed=seed)
    if not isinstance(walk, Iterator):
        raise TypeError(f"solver gave a {type(walk).__name__}; it must give sweeps, as bayes or partial(als, lam=0.1)")
    walk = itertools.islice(walk, sweeps)
    kept, lowest, best = deque(maxlen=average), np.inf, 0
    for number, sweep in enumerate(tqdm(walk, "sweeps", sweeps, disable=hidden)):
        if validation is None:
            kept.append(sweep)
            continue
        error = float((Model.of(ratings, [sweep]).predict_all(validation) - validation.value).square().mean())
        if error < lowest:
            lowest, best = error, number
            kept.append(sweep)
        elif number - best >= patience:
            break
    return Model.of(ratings, list(kept))


def _door(ratings: Ratings, k: int, seed: int, dtype: torch.dtype) -> np.random.Generator:
    given(ratings)
    checked.integer(k, "k", least=1)
    checked.choice(dtype, "dtype", [torch.float32, torch.float64])
    return np.random.default_rng(checked.integer(seed, "seed", least=0))


def _alternate(
    mean: float, users: Side, items: Side, Z: Tensor, lam: float, weighted: bool, alpha: float | None = None
) -> Iterator[Sweep]:
    """ALS on explicit ratings, or on implicit feedback if `alpha` is given."""
    constant = float((users.value.square() if alpha is None else users.value).double().sum())
    one = users.precision
    users.precision = items.precision = lam * one
    B, G = Z.new_zeros(2, len(one)), Z.new_zeros(items.size, 0)
    while True:
        with one_thread() as users.threads:
            items.threads = users.threads
            half_step(users, items, weighted=weighted)
            squares = constant + half_step(items, users, weighted=weighted)[0]
            penalty = 0.0
            for side in (users, items):
                size = side.X[:, side.free].double().square().sum(1)
                penalty += lam * float((size * side.count if weighted else size).sum())
            noise = 1.0 if alpha else max(squares / len(users.value), 1e-9)  # λ = σ² Λ: the same equations
            prior = Prior(lam / noise * one, B, G, Z.new_ones(3), weighted, alpha)
            sweep = Sweep(Z.clone(), users.size, squares + penalty, mean, noise, prior)
        yield sweep


def _learn(
    ratings: Ratings, users: Side, items: Side, Z: Tensor, rng: np.random.Generator, *, spreads: bool
) -> Iterator[Sweep]:
    """Variational Bayes with `spreads`, Gibbs sampling without."""
    m, K, size = users.size, Z.shape[1], len(ratings)
    variance = float(ratings.value.var(correction=0)) or 1.0
    unit = torch.full((K,), variance**0.5, dtype=torch.float64)
    unit[0] = unit[-1] = variance  # a bias is in the unit of a rating, w and h in its root
    with one_thread() as users.threads:
        items.threads = users.threads
        G, log_count = describe(users, items, rng)
    for side in (users, items):
        side.precision = (5 / unit[side.free]).diag().to(Z)
    noise, constant = 0.7 * variance, float(users.value.double().square().sum())
    while True:
        with one_thread() as users.threads:
            items.threads, bound = users.threads, 0.0
            spread = Z.new_empty(len(Z), K, K) if spreads else None
            for side, other, rows in ((users, items, slice(0, m)), (items, users, slice(m, None))):
                draws = None if spreads else torch.from_numpy(rng.standard_normal((side.size, K - 1))).to(Z)
                own = spread[rows] if spreads else None
                squares, logs, total = half_step(side, other, noise=noise, spread=own, draws=draws)
                bound += 0.5 * logs + side.learn(total, unit[side.free])
            squares += constant
            noise = (squares + variance) / (size + 1)  # a weak prior, worth one rating
            bound -= 0.5 * (size + 1) * np.log(noise)
            prior = Prior(users.precision, users.B, G, log_count)
            loss = -float(bound) if spreads else squares
            sweep = Sweep(Z.clone(), m, loss, ratings.mean, noise, prior, spread)
        yield sweep
