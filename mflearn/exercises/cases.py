"""What the sections Cases of several exercises share: random arguments, and how a wrong value is recognised."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..matrices import matrix_with_singular_values
from .exercise import Cases, numbers, same

SIZES = ((4, 2, 2), (5, 3, 2), (3, 5, 3), (3, 3, 3), (2, 4, 3), (6, 4, 3))  # m, n, k: square and not, equal and not


def seeded(seed: int) -> torch.Generator:
    """A source of random numbers, the same for the same seed."""
    return torch.Generator().manual_seed(seed)


def draws(seed: int, *, least: float = 0.0) -> Callable[..., Tensor]:
    """A function of a shape that draws tensors with entries between `least` and `least` + 1, one after the other."""
    generator = seeded(seed)
    return lambda *shape: least + torch.rand(*shape, generator=generator, dtype=torch.float64)


def uniform(seed: int, *shapes: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> list[Tensor]:
    """Random tensors of these shapes, with entries between `low` and `high`."""
    generator = seeded(seed)
    return [low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def matrices(seed: int, *shapes: tuple[int, ...]) -> list[Tensor]:
    """Random tensors of these shapes, with entries of both signs, between −2 and 2."""
    return uniform(seed, *shapes, low=-2, high=2)


def points(seed: int) -> Cases:
    """A, W, H of several sizes."""
    return [tuple(matrices(seed + i, (m, n), (m, k), (k, n))) for i, (m, n, k) in enumerate(SIZES)]


def spectrum(count: int, decay: float, generator: torch.Generator) -> Tensor:
    """Singular values that fall by about `decay` from one to the next; no two are equal."""
    jitter = 0.9 + 0.2 * torch.rand(count, generator=generator, dtype=torch.float64)
    return (3 * decay ** torch.arange(count, dtype=torch.float64) * jitter).sort(descending=True).values


def matrix_with_spectrum(m: int, n: int, decay: float, seed: int, generator: torch.Generator) -> Tensor:
    """A matrix (m, n) whose singular values fall by about `decay`."""
    return matrix_with_singular_values(spectrum(min(m, n), decay, generator).tolist(), m=m, n=n, seed=seed)


def gradient(A: Tensor, W: Tensor, H: Tensor) -> tuple[Tensor, Tensor]:
    """Both gradients of ‖A − W H‖²."""
    E = W @ H - A
    return 2 * E @ H.T, 2 * W.T @ E


def as_pair(value: Any) -> tuple[Tensor, Tensor] | None:
    """A value as two tensors; None if it is not a pair of numbers, vectors or matrices."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return None
    one, two = (numbers(part) for part in value)
    return None if one is None or two is None else (one, two)


def is_multiple(X: Tensor, Y: Tensor) -> bool:
    """Whether X = c Y for a number c that is not 0."""
    if X.shape != Y.shape:
        return False
    c = float((X * Y).sum() / Y.square().sum())
    return c != 0 and math.isfinite(c) and same(X, c * Y, 1e-6)


def one_of_two(value: Any, right: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> bool:
    """Whether one part of a pair is right and the other part is as in `other`."""
    return same(value, (right[0], other[1]), 1e-6) or same(value, (other[0], right[1]), 1e-6)


def gives(wrong: Callable, right: Callable, part: int | None = None) -> Callable[[tuple, Any], bool]:
    """A predicate: the value, or this part of it, is that of `wrong`, where `right` gives something else."""

    def shows(arguments: tuple, value: Any) -> bool:
        if part is not None:
            if not isinstance(value, (tuple, list)) or len(value) <= part:
                return False
            value = value[part]
        mistake = wrong(*arguments)
        return mistake is not None and same(value, mistake, 1e-6) and not same(mistake, right(*arguments), 1e-6)

    return shows
