"""What descent is measured against: answers known without a single step. No loops."""

from typing import Any

import torch
from torch import Tensor

from . import checked
from .descent import Factors


@checked.options
def singular_values(A: Any) -> Tensor:
    """σ₁ ≥ σ₂ ≥ … ≥ 0 of A (m, n); shape (min(m, n),)."""
    return torch.linalg.svdvals(checked.matrix(A))


@checked.options
def lowest_loss(A: Any, k: int) -> Tensor:
    """The smallest ‖A − W H‖_F² of rank k: the sum of the dropped σ² (Eckart & Young 1936). A is (m, n).

    >>> lowest_loss(torch.diag(torch.tensor([3.0, 2, 1])), k=2)
    tensor(1., dtype=torch.float64)
    """
    k = checked.integer(k, "k", least=1)
    return singular_values(A)[k:].square().sum()


@checked.options
def truncated_svd(A: Any, k: int) -> Factors:
    """The best W (m, k) and H (k, n): W = U √Σ, H = √Σ Vᵀ with the k largest singular values, so WᵀW = HHᵀ.

    A has min(m, n) singular values; the columns of W and rows of H beyond them are zero.
    """
    A, k = checked.matrix(A), checked.integer(k, "k", least=1)
    U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
    best = Factors.of(U * sigma.sqrt(), sigma.sqrt()[:, None] * Vt)
    return Factors(torch.nn.functional.pad(best.Z, (0, k - len(sigma))), best.m)  # pads, and cuts where k is smaller


@checked.options
def stable_eta(A: Any, *, scale: float = 1.0) -> Tensor:
    """η* = 1 / (2 c σ₁): gradient descent on c ‖A − W H‖_F² can settle below it, and not above.

    c = 1, the sum of this course: 1/(2σ₁). c = ½: 1/σ₁. c = 1/(mn), the mean, torch's `mse_loss`: mn/(2σ₁).
    At the balanced minimum (WᵀW = HHᵀ) the largest eigenvalue of the Hessian is 4cσ₁, and a step of descent is
    stable where it is below 2/η. A start far from balance can diverge below η*, or find a flatter minimum above.

    >>> print(f"{stable_eta([[5, 3], [3, 2], [2, 1], [1, 1]]):.5f}")
    0.06815
    """
    largest = singular_values(A)[0]
    if largest == 0:
        raise ValueError("A is 0 everywhere; its largest singular value must be above 0")
    return 1 / (2 * checked.number(scale, "scale", above=0) * largest)
