"""The one loop, the update rules, the recorded run. No plots, no prints.

    descend   walks:     a generator of points (W, H), one after each update
    record    measures:  the loss at each point, and where a run diverged
    factorize            both, for a matrix: the friendly face

W and H of one point are held as one matrix Z, W above Hᵀ, so that a rule sees one parameter and its gradient.
Leading axes are runs: a hundred learning rates walk as fast as three.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from . import checked, fast
from .gradients import Objective
from .objectives import Factors, Frobenius

FAR = 1e6  # a loss this many times that of the start (or of W = H = 0, if larger) counts as diverged


class GradientDescent:
    """θ ← θ − η g, where g is the gradient at θ. Unlike torch's SGD, η may differ between runs."""

    def __init__(self, parameters: Iterable[Tensor], eta: float | Tensor) -> None:
        self.parameters, self.eta = list(parameters), _per_run(eta)

    def step(self) -> None:
        """One update of all parameters."""
        for theta in self.parameters:
            theta.addcmul_(theta.grad, self.eta, value=-1)


class Momentum:
    """v ← μ v + g, θ ← θ − η v, from v = 0: `torch.optim.SGD(momentum=μ)` (Polyak 1964)."""

    def __init__(self, parameters: Iterable[Tensor], eta: float | Tensor, mu: float = 0.9) -> None:
        self.parameters, self.eta = list(parameters), _per_run(eta)
        self.mu = checked.number(mu, "mu", least=0)
        self.velocities = [torch.zeros_like(theta) for theta in self.parameters]

    def step(self) -> None:
        """One update of all parameters."""
        for theta, v in zip(self.parameters, self.velocities, strict=True):
            v.mul_(self.mu).add_(theta.grad)
            theta.addcmul_(v, self.eta, value=-1)


class Adam:
    """u ← β₁ u + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − η û / (√v̂ + ε) (Kingma & Ba 2015).

    û = u / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) make up for the start from u = v = 0. As `torch.optim.Adam`.
    """

    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, parameters: Iterable[Tensor], eta: float | Tensor) -> None:
        self.parameters, self.eta, self.t = list(parameters), _per_run(eta), 0
        self.eta = float(self.eta) if self.eta.ndim == 2 else self.eta  # one number is faster
        self.moments = [(torch.zeros_like(theta), torch.zeros_like(theta)) for theta in self.parameters]

    def step(self) -> None:
        """One update of all parameters."""
        self.t += 1
        first = 1 - self.beta1**self.t
        second = (1 - self.beta2**self.t) ** 0.5
        for theta, (u, v) in zip(self.parameters, self.moments, strict=True):
            g = theta.grad
            u.lerp_(g, 1 - self.beta1)
            v.lerp_(g.square(), 1 - self.beta2)
            # both corrections, and η if it is one number, pulled out of û / (√v̂ + ε): three operations fewer
            root = v.sqrt().add_(self.epsilon * second)
            if isinstance(self.eta, float):
                theta.addcdiv_(u, root, value=-self.eta * second / first)
            else:
                theta.addcdiv_(u * self.eta, root, value=-second / first)


def descend(
    objectives: Iterable[Objective],
    start: tuple[Tensor, Tensor] | Factors,
    rule: Callable[[list[Tensor]], Any],
) -> Iterator[Factors]:
    """Walk downhill from `start`, one update for each objective; yields the start and the point after each update.

    Plain descent repeats one objective; stochastic descent is given a new one, on a few entries, for each update.
    Each objective has a method `gradient(W, H)`, as `Frobenius` has. `rule`, such as `partial(GradientDescent,
    eta=0.05)`, takes a list of parameters, and gives an object whose `step()` moves them along `-parameter.grad`, in
    place. It may be one of `torch.optim` that works entry by entry (not LBFGS, whose step needs a closure). The walk
    itself never stops at a diverging run; `record` does.
    """
    W, H = checked.start(start)
    checked.function(rule, "rule", "a list of parameters")
    Z = fast.runs_last(Factors.of(W, H).Z)
    Z.grad = torch.empty_like(Z)  # the rule reads it there
    return _walk(iter(objectives), Z, W.shape[-2], checked.method(rule([Z]), "rule(parameters)", "step"))


def _walk(objectives: Iterable, Z: Tensor, m: int, update: Callable) -> Iterator[Factors]:
    """The loop itself: for each objective, write the gradient at Z into Z.grad, then let the rule move Z."""
    W, H = Factors(Z, m)
    grad, place, shape = Z.grad, Z.data_ptr(), (m, H.shape[-1])
    slope_W, slope_H = Factors(grad, m)
    yield Factors(Z.clone(), m)
    for objective in objectives:
        if type(objective) is Frobenius:
            if objective.shape != shape:
                checked.factors(W, H, objective.shape)
            fast.gradient(objective, W, H, (slope_W, slope_H))
        else:
            for part, into in zip(checked.slopes(objective.gradient(W, H), W, H), (slope_W, slope_H), strict=True):
                into.copy_(part)
        update()
        if Z.grad is not grad or Z.data_ptr() != place:
            raise ValueError("rule gave its parameter another .data or .grad; it must change the parameter in place")
        yield Factors(Z.clone(), m)


@dataclass(frozen=True, eq=False)
class Run:
    """A recorded descent, or a batch of them.

    After a run has diverged its `loss` is inf, and its `factors` stay those of its last good step.
    """

    loss: Tensor  # (steps + 1, *runs), the loss at the start and after each update
    factors: Factors  # W (*runs, m, k) and H (*runs, k, n) after the last good update
    last: Tensor  # (*runs), int64: how many updates were good, that is the step of `factors`
    diverged: Tensor  # (*runs), bool
    k: Tensor  # (*runs), int64: the rank; columns of W and rows of H beyond it are zero
    path: Factors | None = None  # (steps + 1, *runs, ...): the factors at every step, if kept

    @property
    def W(self) -> Tensor:
        """(*runs, m, k)."""
        return self.factors.W

    @property
    def H(self) -> Tensor:
        """(*runs, k, n)."""
        return self.factors.H

    @property
    def WH(self) -> Tensor:
        """The reconstruction of A, (*runs, m, n)."""
        return self.W @ self.H

    def first_below(self, loss: float | Tensor) -> Tensor:
        """(*runs), float64: the first step whose loss is below this one; inf for a run that never comes there."""
        below = self.loss < loss
        return torch.where(below.any(0), below.int().argmax(0).double(), torch.inf)

    def unflatten(self, k: Tensor) -> "Run":
        """The same batch, its one axis of runs unfolded to the axes of `k`, the ranks."""
        m, runs = self.factors.m, k.shape
        path = None if self.path is None else Factors(self.path.Z.unflatten(1, runs), m)
        factors = Factors(self.factors.Z.unflatten(0, runs), m)
        return Run(self.loss.unflatten(1, runs), factors, self.last.view(runs), self.diverged.view(runs), k, path)

    def __getitem__(self, index: Any) -> "Run":
        """Some runs of a batch, or one of them, just as it would have been recorded alone."""
        index = index if isinstance(index, tuple) else (index,)
        loss, diverged, last, k = self.loss[:, *index], self.diverged[index], self.last[index], self.k[index]
        Z, path = self.factors.Z[index], None if self.path is None else self.path.Z[:, *index]
        if not k.ndim:  # one run: without the padding, and without what came after it diverged
            end = int(last) + 2 if diverged else len(loss)
            loss, Z = loss[:end], Z[..., : int(k)]
            path = None if path is None else path[:end, ..., : int(k)]
        m = self.factors.m
        return Run(loss, Factors(Z, m), last, diverged, k, None if path is None else Factors(path, m))


def record(
    points: Iterable[Factors],
    objective: Objective,
    *,
    steps: int,
    keep_path: bool = False,
    watch: Callable[[int], bool] | None = None,
) -> Run:
    """Take up to `steps` updates from a walk and measure the loss at every point.

    A run has diverged where its loss is not finite, or a million times worse than at the start. The other runs go on;
    the recording ends early when all have diverged. `watch` is called with the number of steps now and then, and
    the recording ends when it returns False.
    """
    steps = checked.integer(steps, "steps", least=1)
    checked.function(objective, "objective", "W", "H")
    if watch is not None:
        checked.function(watch, "watch", "the number of steps")
    if isinstance(points, Run):
        raise TypeError("points are a Run, which is recorded already; give a walk, such as descend(...)")
    points = itertools.islice(_apart(points), steps + 1)
    with torch.inference_mode():  # a tenth faster; the Run that is returned holds ordinary tensors
        start = next(points, None)
        if start is None:
            raise ValueError("points are used up; give a new walk, such as descend(...)")
        if keep_path:
            checked.entries((steps + 1) * start.Z.numel(), f"the path of {steps} steps")
        runs = start.Z.shape[:-2]
        first = checked.loss(objective(*start), runs)
        measure = partial(fast.loss, objective) if type(objective) is Frobenius else objective
        limit = FAR * torch.maximum(first, checked.loss(measure(*(0 * X for X in start)), runs))
        if not limit.isfinite().all():
            raise ValueError("start has a loss that is not finite; give smaller factors")
        losses, path = [first[None]], [start.Z[None]]
        kept = start.Z  # the last good point of each run
        last = torch.zeros(runs, dtype=torch.int64)  # the step of that point
        diverged = torch.zeros(runs, dtype=torch.bool)
        step = 0
        for Z in fast.stacked(points, start.Z):  # (count, *runs, m + n, k): the points after the next few steps
            loss = checked.loss(measure(*Factors(Z, start.m)), Z.shape[:-2])
            losses.append(loss)
            if keep_path:
                path.append(Z)
            good = loss <= limit  # False for nan as well
            none_diverges = bool((good | diverged).all())  # then the last of these points is enough
            for i in [len(Z) - 1] if none_diverges else range(len(Z)):
                diverged = diverged | ~good[i]
                kept = torch.where(diverged[..., None, None], kept, Z[i])
                last = torch.where(diverged, last, step + i + 1)
            step += len(Z)
            if diverged.all():
                break
            answer = watch(step) if watch else None
            if answer is not None and not answer:
                break
    last, diverged = last.clone(), diverged.clone()
    loss = torch.cat(losses)[: int(last.max()) + 2]  # the start, the good steps, and one at which a run diverged
    gone = torch.arange(len(loss)).view(-1, *[1] * last.ndim) > last + 1
    loss = loss.masked_fill(gone | loss.isnan(), torch.inf)
    path = Factors(torch.cat(path)[: len(loss)], start.m) if keep_path else None
    k = torch.full(last.shape, start.Z.shape[-1])
    return Run(loss, Factors(kept.clone(), start.m), last, diverged, k, path)


def _apart(points: Iterable[Factors]) -> Iterator[Factors]:
    """The same points, copied where a walk changes its own in place. All must have the shapes of the first."""
    first = place = None
    for point in points:
        if not isinstance(point, Factors):
            raise TypeError(f"points hold {checked.short(point)}; each must be Factors, such as Factors.of(W, H)")
        before, place = place, point.Z.data_ptr()
        if first is None or place == before:
            point = Factors(point.Z.clone(), point.m)
        first = first or point
        if point.m != first.m or point.Z.shape != first.Z.shape:
            raise ValueError(f"points change from {first} to {point}; all must have the same shapes")
        yield point


def random_factors(m: int, n: int, k: int | Tensor, *, seed: int | Tensor = 0, scale: float = 1.0) -> Factors:
    """W (m, k) and H (k, n) with entries uniform between 0 and `scale`: the numbers of `torch.rand`.

    Arrays of k and of seeds, broadcast together, give a batch; a smaller k is padded with zero columns of W and
    zero rows of H, whose gradient is zero, so that each run is exactly what it would be alone.
    """
    m, n = checked.integer(m, "m", least=1), checked.integer(n, "n", least=1)
    k, seed = _together(k=checked.integers(k, "k", least=1), seed=checked.integers(seed, "seed", least=0))
    scale = checked.number(scale, "scale")
    checked.entries((m + n) * k.numel() * int(k.max()), "W and H")
    Z = torch.zeros(*k.shape, m + n, int(k.max()), dtype=torch.float64)
    for at in itertools.product(*map(range, k.shape)):
        rank, generator = int(k[at]), torch.Generator().manual_seed(int(seed[at]))
        Z[at][:m, :rank] = scale * torch.rand(m, rank, dtype=torch.float64, generator=generator)
        Z[at][m:, :rank] = scale * torch.rand(rank, n, dtype=torch.float64, generator=generator).mT
    return Factors(Z, m)


def with_biases(factors: tuple[Tensor, Tensor] | Factors) -> Factors:
    """W = [b, W, 1] and H = [1; H; c], with b = c = 0: the biases as two more columns and rows.

    So W H becomes b_i + w_i·h_j + c_j, and `Observed(..., biases=True)` lets descent move b and c, but not the 1s.
    """
    W, H = checked.start(factors)
    b, c = torch.zeros_like(W[..., :1]), torch.zeros_like(H[..., :1, :])
    return Factors.of(torch.cat((b, W, b + 1), -1), torch.cat((c + 1, H, c), -2))


def factorize(
    A: Any,
    k: int | Tensor | None = None,
    *,
    eta: float | Tensor,
    steps: int,
    rule: Callable[[list[Tensor], Any], Any] = GradientDescent,
    seed: int | Tensor = 0,
    start: tuple[Any, Any] | None = None,
    keep_path: bool = False,
    watch: Callable[[int], bool] | None = None,
) -> Run:
    """Descend on ‖A − W H‖_F² for `steps` updates, from a random start or from `start = (W, H)`.

    A is a matrix, or an objective such as `Frobenius(A, mask)`. Arrays of k, eta and seed, broadcast together,
    are a batch of runs, recorded together: `eta=torch.linspace(0.01, 0.07, 64)`.

    >>> run = factorize([[5, 3], [3, 2], [2, 1], [1, 1]], k=1, eta=0.05, steps=200)
    >>> print(f"{run.loss[-1]:.5f}")
    0.16718
    """
    objective = A if callable(getattr(A, "gradient", None)) else Frobenius(A)
    eta = checked.learning_rates(eta)
    checked.function(rule, "rule", "a list of parameters", "eta")
    point = _first_point(objective, k, seed, start)
    k = checked.integers(point.Z.shape[-1] if k is None else k, "k", least=1)
    _, k, rates = _together(start=point.Z[..., 0, 0], k=k, eta=eta)
    rate = rates.flatten() if eta.ndim else float(eta)  # the rules of torch take one number, and no tensor
    Z = point.Z.expand(*k.shape, -1, -1)
    point = Factors(Z.flatten(0, -3) if k.ndim else Z, point.m)  # the loop is faster with a single axis of runs
    walk = descend(itertools.repeat(objective), point, lambda parameters: rule(parameters, rate))
    run = record(walk, objective, steps=steps, keep_path=keep_path, watch=watch)
    return run.unflatten(k) if k.ndim else run


def _first_point(objective: Objective, k: Any, seed: Any, start: Any) -> Factors:
    """The start that was given, which must have rank k if k is given too; without a start, random factors of rank k."""
    if start is None:
        if k is None:
            raise TypeError("k is missing; give a rank, a whole number of 1 or more, or a start (W, H)")
        return random_factors(*objective.shape, k, seed=seed)
    point = Factors.of(*checked.start(start, getattr(objective, "shape", None)))
    rank = point.Z.shape[-1]
    if k is not None and (checked.integers(k, "k", least=1) != rank).any():
        raise ValueError(f"k is {checked.short(k)}; the start has rank {rank}")
    return point


def _per_run(eta: float | Tensor) -> Tensor:
    """Learning rates (*runs, 1, 1), so that each multiplies the whole gradient of its run."""
    return checked.learning_rates(eta)[..., None, None]


def _together(**given: Tensor) -> tuple[Tensor, ...]:
    """The same tensors, broadcast to one batch of runs."""
    try:
        return torch.broadcast_tensors(*given.values())
    except RuntimeError:
        came = ", ".join(f"{name} has runs of shape {(*value.shape,)}" for name, value in given.items())
        raise ValueError(f"{came}; they must broadcast to one batch") from None
