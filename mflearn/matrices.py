"""Matrices to factor, all of them made on the spot. No ratings, no downloads."""

import numpy as np
import torch
from torch import Tensor

from . import checked


def toy_matrix() -> Tensor:
    """The 4×2 matrix of the course; σ₁ = 7.33708, σ₂ = 0.40888.

    >>> toy_matrix().shape
    torch.Size([4, 2])
    """
    return torch.tensor([[5, 3], [3, 2], [2, 1], [1, 1]], dtype=torch.float64)


@checked.options
def low_rank_matrix(m: int, n: int, *, k: int, noise: float = 0.0, seed: int = 0) -> Tensor:
    """A = W H + noise · N with standard normal W (m, k), H (k, n), N (m, n): rank k before the noise.

    >>> torch.linalg.matrix_rank(low_rank_matrix(6, 5, k=2))
    tensor(2)
    """
    m, n, k = (checked.integer(value, name, least=1) for value, name in ((m, "m"), (n, "n"), (k, "k")))
    noise = checked.number(noise, "noise", least=0)
    rng = np.random.default_rng(checked.integer(seed, "seed", least=0))  # torch.randn differs between CPUs
    return torch.from_numpy(
        rng.standard_normal((m, k)) @ rng.standard_normal((k, n)) + noise * rng.standard_normal((m, n))
    )


@checked.options
def matrix_with_singular_values(sigma: list[float], *, m: int, n: int, seed: int = 0) -> Tensor:
    """A = U diag(σ) Vᵀ, shape (m, n), with these singular values and random orthonormal U, V.

    >>> torch.linalg.svdvals(matrix_with_singular_values([3.0, 1.0], m=4, n=3)).round(decimals=9)
    tensor([3., 1., 0.], dtype=torch.float64)
    """
    m, n = checked.integer(m, "m", least=1), checked.integer(n, "n", least=1)
    sigma = np.array([checked.number(value, "sigma", least=0) for value in checked.sequence(sigma, "sigma")])
    if not 1 <= len(sigma) <= min(m, n):
        raise ValueError(f"sigma has {len(sigma)} values; a {m}×{n} matrix has 1 to {min(m, n)}")
    rng = np.random.default_rng(checked.integer(seed, "seed", least=0))
    U, V = (np.linalg.qr(rng.standard_normal((size, len(sigma))))[0] for size in (m, n))
    return torch.from_numpy(U * sigma @ V.T)
