"""The solvers for sparse ratings: alternating least squares, implicit feedback, and variational Bayes.

Each is a generator of sweeps without an end. A sweep solves for all users, then for all items, by the half step of
`sides`. The solvers differ in the prior of a row, and in what they keep of the row: its best value (least squares), or
its distribution (Bayes). `fit` makes a model of the last sweep.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from . import checked
from .descent import Factors
from .fast import one_thread
from .model import Model, Prior
from .ratings import Ratings, given
from .sides import Side, add_features, half_step, two_sides


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Factors):
    """A point of the walk, W = [b, w, 1] (m, k + 2) and H = [1; h; c] (k + 2, n), and what is known beside it."""

    Z: Tensor
    m: int
    loss: float  # what the solver lowers: the objective, or minus the bound
    mean: float  # μ
    noise: float  # σ²
    prior: Prior
    spread: Tensor | None = None  # (m + n, k + 2, k + 2), the covariance of each row of Z; 0 where held fixed

    def cpu(self) -> "Sweep":
        """The same sweep in the memory of the processor, wherever it was computed."""
        spread = None if self.spread is None else self.spread.cpu()
        return replace(self, Z=self.Z.cpu(), prior=self.prior.cpu(), spread=spread)


def als(
    ratings: Ratings,
    k: int = 16,
    *,
    lam: float = 0.1,
    biases: bool = True,
    half_step: Callable = half_step,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    device: str = "cpu",
) -> Iterator[Sweep]:
    """Alternating least squares, for Σ [(μ + w·h − r)² + λ (‖w‖² + ‖h‖²)] over the ratings r.

    Here w and h are rows with their biases, so the penalty λ counts for b and c, too, and once for each rating (Zhou et
    al. 2008). It is the objective `Observed(ratings, lam=lam, mean=μ, weighted=True, biases=True)`, where μ is the mean
    rating. Each half step finds the minimum for its side, so the objective never rises. Without `biases`, b and c
    are 0. `half_step` solves for one side, as the function in `sides` does; that of `spark` has it done elsewhere.
    """
    rng, lam = _generator(ratings, k, seed, dtype, device), checked.number(lam, "lam", above=0)
    biases = checked.choice(biases, "biases", [True, False])
    users, items = two_sides(ratings, k, ratings.mean, rng, dtype, device, biases)
    return _least_squares(users, items, ratings.mean, lam, half_step)


def implicit(
    ratings: Ratings,
    k: int = 16,
    *,
    alpha: float = 3.0,
    lam: float = 10.0,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    device: str = "cpu",
) -> Iterator[Sweep]:
    """Implicit feedback: Σ c (p − w·h)² over *all* pairs + λ Σ ‖free numbers of a row‖² (Hu, Koren & Volinsky 2008).

    The target p is 1 where the value is above 0, and 0 elsewhere. The weight c is 1 + α |value|, so it is 1 where
    nothing was observed. This 1 of all pairs adds one matrix to the sums of every row, Σ y yᵀ over the other side.
    """
    rng = _generator(ratings, k, seed, dtype, device)
    alpha, lam = checked.number(alpha, "alpha", above=0), checked.number(lam, "lam", above=0)
    users, items = two_sides(ratings, k, 0.0, rng, dtype, device)
    for side in (users, items):
        side.weight = alpha * side.value.abs()
        side.value = (1 + side.weight) * (side.value > 0)
    return _least_squares(users, items, 0.0, lam, half_step, alpha)


def bayes(
    ratings: Ratings,
    k: int = 16,
    *,
    half_step: Callable = half_step,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    device: str = "cpu",
) -> Iterator[Sweep]:
    """Variational Bayes: each row is a normal distribution, given those of the other side (Lim & Teh 2007).

    The prior of the rows and the noise are estimated in each sweep, so there is no λ. The bound on the log probability
    of the ratings never falls. `half_step` is as for `als`.
    """
    rng = _generator(ratings, k, seed, dtype, device)
    return _bayes(ratings, k, rng, dtype, device, half_step)


def fit(
    ratings: Ratings,
    k: int = 16,
    *,
    solver: Callable[..., Iterator[Sweep]] = bayes,
    sweeps: int = 10,
    seed: int = 0,
    device: str = "cpu",
) -> Model:
    """The model after so many sweeps of a solver: `fit(ratings)`, `fit(ratings, 8, solver=partial(als, lam=0.05))`.

    With device="cuda" the sweeps run on a graphics card of NVIDIA, and the model comes back from there.
    """
    checked.function(solver, "solver", "ratings", "k")
    place = {} if device == "cpu" else {"device": device}  # a solver of your own need not know of devices
    walk = itertools.islice(solver(ratings, k, seed=seed, **place), checked.integer(sweeps, "sweeps", least=1))
    (last,) = deque(walk, maxlen=1)  # no other sweep stays in memory
    return Model.of(ratings, last.cpu())


def _generator(ratings: Ratings, k: int, seed: int, dtype: torch.dtype, device: str) -> np.random.Generator:
    """Random numbers from this seed, once the arguments that all solvers have are checked."""
    given(ratings)
    checked.device(device)
    checked.integer(k, "k", least=1)
    checked.choice(dtype, "dtype", [torch.float32, torch.float64])
    return np.random.default_rng(checked.integer(seed, "seed", least=0))


def _least_squares(
    users: Side, items: Side, mean: float, lam: float, half_step: Callable, alpha: float | None = None
) -> Iterator[Sweep]:
    """ALS; with `alpha`, for implicit feedback: then the penalty counts once for each row, not for each rating."""
    weighted = alpha is None
    constant = float((users.value.square() if weighted else users.value).double().sum())
    identity = users.precision
    users.precision = items.precision = lam * identity
    no_mean, no_patterns = users.X.new_zeros(2, len(identity)), users.X.new_zeros(items.size, 0)
    while True:
        with one_thread() as threads:
            half_step(users, items, threads, weighted=weighted)
            squares = constant + half_step(items, users, threads, weighted=weighted)[0]
            penalty = 0.0
            for side in (users, items):
                lengths = side.X[:, side.free].double().square().sum(1)
                penalty += lam * float((lengths * side.count if weighted else lengths).sum())
            noise = max(squares / len(users.value), 1e-9) if weighted else 1.0
            # σ² and Λ = λ/σ² I give the same equations as 1 and λ I, and deviations in units of the ratings
            prior = Prior(lam / noise * identity, no_mean, no_patterns, users.X.new_ones(3), weighted, alpha)
            Z = torch.cat((users.X, items.X))
            sweep = Sweep(Z, users.size, squares + penalty, mean, noise, prior)
        yield sweep


def _bayes(
    ratings: Ratings, k: int, rng: np.random.Generator, dtype: torch.dtype, device: str, half_step: Callable
) -> Iterator[Sweep]:
    m, n, K, N = *ratings.shape, k + 2, len(ratings)
    users, items = two_sides(ratings, k, ratings.mean, rng, dtype, device)
    variance = float(ratings.value.var(correction=0)) or 1.0
    unit = torch.full((K,), variance**0.5, dtype=torch.float64, device=device)
    unit[0] = unit[-1] = variance  # a bias is in units of a rating, w and h in units of its root
    with one_thread():
        G, log_count = add_features(users, items, rng)
    for side in (users, items):
        side.precision = (5 / unit[side.free]).diag().to(dtype)
    noise, constant = 0.7 * variance, float(users.value.double().square().sum())
    while True:
        with one_thread() as threads:
            bound, spread = 0.0, torch.empty(m + n, K, K, dtype=dtype, device=device)
            for side, other, covariance in ((users, items, spread[:m]), (items, users, spread[m:])):
                squares, logs, total = half_step(side, other, threads, noise=noise, covariance=covariance)
                bound += 0.5 * logs + side.update_prior(total, unit[side.free])
            squares += constant
            noise = (squares + variance) / (N + 1)  # under a weak prior, worth one rating
            bound -= 0.5 * (N + 1) * np.log(noise)
            prior = Prior(users.precision, users.B, G, log_count)
            Z = torch.cat((users.X, items.X))
            sweep = Sweep(Z, m, -float(bound), ratings.mean, noise, prior, spread)
        yield sweep
