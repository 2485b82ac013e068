"""Exact answers to compare descent with, such as the lowest loss of a rank, from the singular values. No loops."""

import math
from typing import Any

import torch
from torch import Tensor

from . import checked
from .objectives import Factors


def singular_values(A: Any) -> Tensor:
    """σ₁ ≥ σ₂ ≥ … ≥ 0 of A (m, n); shape (min(m, n),)."""
    return torch.linalg.svdvals(checked.matrix(A))


def lowest_loss(A: Any, k: int) -> Tensor:
    """The smallest ‖A − W H‖_F² of rank k: the sum of the dropped σ² (Eckart & Young 1936). A is (m, n).

    >>> lowest_loss(torch.diag(torch.tensor([3.0, 2, 1])), k=2)
    tensor(1., dtype=torch.float64)
    """
    k = checked.integer(k, "k", least=1)
    return singular_values(A)[k:].square().sum()


def truncated_svd(A: Any, k: int) -> Factors:
    """The best W (m, k) and H (k, n): W = U √Σ, H = √Σ Vᵀ with the k largest singular values, so WᵀW = HHᵀ.

    A has min(m, n) singular values; the columns of W and rows of H beyond them are zero. A singular vector may have
    either sign, and libraries differ in it. Here the entry of largest size in each row of H is positive, and of several
    such entries the first.
    """
    A, k = checked.matrix(A), checked.integer(k, "k", least=1)
    checked.entries(sum(A.shape) * k, "W and H")
    U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
    largest = Vt.abs() >= (1 - 1e-6) * Vt.abs().amax(1, keepdim=True)  # equal but for rounding
    first = largest.int().argmax(1, keepdim=True)
    sign = torch.where(Vt.take_along_dim(first, 1) < 0, -1, 1)  # (min(m, n), 1)
    best = Factors.of(U * sign.mT * sigma.sqrt(), sign * sigma.sqrt()[:, None] * Vt)
    return Factors(torch.nn.functional.pad(best.Z, (0, k - len(sigma))), best.m)  # pads, and cuts where k is smaller


def stable_eta(A: Any, *, scale: float = 1.0) -> Tensor:
    """η* = 1 / (2 c σ₁): gradient descent on c ‖A − W H‖_F² can settle below it, and not above.

    c = 1, the sum of this course: 1/(2σ₁). c = ½: 1/σ₁. c = 1/(mn), the mean, torch's `mse_loss`: mn/(2σ₁).
    At the balanced minimum (WᵀW = HHᵀ) the largest eigenvalue of the Hessian is 4cσ₁, and a step of descent is
    stable where it is below 2/η. A large start, or one far from balance, can still diverge below η*. Above η* no
    minimum is flat enough.

    >>> print(f"{stable_eta([[5, 3], [3, 2], [2, 1], [1, 1]]):.5f}")
    0.06815
    """
    largest = singular_values(A)[0]
    if largest == 0:
        raise ValueError("A is 0 everywhere; its largest singular value must be above 0")
    return 1 / (2 * checked.number(scale, "scale", above=0) * largest)


def energy(A: Any) -> Tensor:
    """The share of ‖A‖_F² in the k largest singular values, Σ_{i ≤ k} σᵢ² / Σ σᵢ², at [k − 1]; shape (min(m, n),).

    One minus it is `lowest_loss(A, k)` / ‖A‖_F². The squares matter: only they add up to ‖A‖_F².

    >>> energy([[2, 0], [0, 1]])
    tensor([0.8000, 1.0000], dtype=torch.float64)
    """
    sigma = singular_values(A)
    if sigma[0] == 0:
        raise ValueError("A is 0 everywhere; it must have some energy to share out")
    squares = sigma.square()
    return squares.cumsum(0) / squares.sum()


def numbers_stored(m: int, n: int, k: int) -> int:
    """k (m + n): how many numbers W (m, k) and H (k, n) hold, in place of the m n of A.

    >>> numbers_stored(4, 2, k=1), numbers_stored(4, 2, k=2)
    (6, 12)
    """
    m, n, k = (checked.integer(value, name, least=1) for value, name in ((m, "m"), (n, "n"), (k, "k")))
    return k * (m + n)


def noise_threshold(A: Any, *, sigma: float | None = None) -> Tensor:
    """The threshold τ below which the singular values of A = X + σ N are better dropped.

    N is independent noise of variance 1. τ is the optimal hard threshold for X of low rank (Gavish & Donoho 2014), as
    m and n grow. If `sigma` is known, τ = λ(β) √max(m, n) σ, in a square matrix (4/√3) √n σ. If it is not known,
    τ = ω(β) · the median singular value of A. β = min(m, n) / max(m, n). See `threshold_factor` and `median_factor`.
    If the noise has structure, or the rank is not small beside min(m, n), the second rule fails first: the median
    singular value then does not come from noise alone.
    """
    A = checked.matrix(A)
    small, large = sorted(A.shape)
    if sigma is not None:
        size = large**0.5 * checked.number(sigma, "sigma", least=0)
        return A.new_tensor(threshold_factor(small / large) * size)
    return median_factor(small / large) * singular_values(A).quantile(0.5)


def threshold_factor(beta: float) -> float:
    """λ(β) = √(2(β + 1) + 8β / (β + 1 + √(β² + 14β + 1))), for 0 < β ≤ 1 (Gavish & Donoho 2014, equation 11).

    >>> print(f"{threshold_factor(1.0):.4f} {4 / 3**0.5:.4f}")
    2.3094 2.3094
    """
    beta = checked.number(beta, "beta", above=0)
    if beta > 1:
        raise ValueError(f"beta is {beta}; it must be above 0 and at most 1: the short side over the long one")
    return math.sqrt(2 * (beta + 1) + 8 * beta / (beta + 1 + math.sqrt(beta**2 + 14 * beta + 1)))


def median_factor(beta: float) -> float:
    """ω(β) = λ(β) / √μ, for 0 < β ≤ 1, with the median μ of the law of Marchenko & Pastur (1967).

    That is the law of the squared singular values of pure noise N / √max(m, n): between (1 ∓ √β)² its density is
    √((x − a)(b − x)) / (2π β x), a and b being the two ends. Half of it lies below μ.

    >>> print(f"{median_factor(1.0):.3f}")
    2.858
    """
    from scipy.integrate import quad
    from scipy.optimize import brentq

    factor = threshold_factor(beta)  # refuses a beta that is no ratio
    centre, reach = 1 + float(beta), 2 * math.sqrt(beta)  # x = centre − reach cos φ smooths the roots at both ends

    def below(phi: float) -> float:
        """The share of the law below the x of φ."""
        return quad(lambda t: 2 / math.pi * math.sin(t) ** 2 / (centre - reach * math.cos(t)), 0, phi)[0]

    mu = centre - reach * math.cos(brentq(lambda phi: below(phi) - 0.5, 0.1, math.pi))  # not 0: it may be 0/0
    return factor / math.sqrt(mu)
