"""What is minimised, each objective with the gradient derived from it; and `Factors`, a point (W, H). No loops.

No ½ here, and the sum, not the mean: f = ‖A − W H‖_F², so ∂f/∂W = 2 E Hᵀ with the residual E = W H − A.
`Frobenius(A, scale=1/2)` has the ½ of other books, `scale=1 / A.numel()` is the mean, PyTorch's `mse_loss`.
"""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from . import checked
from .ratings import Ratings, given


class Factors:
    """W (..., m, k) and H (..., k, n), two views of one Z (..., m + n, k): W above Hᵀ.

    >>> W, H = Factors.of(torch.ones(4, 2), torch.zeros(2, 3))
    """

    def __init__(self, Z: Tensor, m: int) -> None:
        self.Z, self.m = Z, m

    @classmethod
    def of(cls, W: Tensor, H: Tensor) -> "Factors":
        """From W and H themselves, tensors; they are copied."""
        checked.factors(W, H)
        runs = checked.runs(W, H)
        return cls(torch.cat((W.expand(*runs, -1, -1), H.mT.expand(*runs, -1, -1)), -2), W.shape[-2])

    @property
    def W(self) -> Tensor:
        """(..., m, k)."""
        return self.Z[..., : self.m, :]

    @property
    def H(self) -> Tensor:
        """(..., k, n)."""
        return self.Z[..., self.m :, :].mT

    def __iter__(self) -> Iterator[Tensor]:
        return iter((self.W, self.H))

    def __repr__(self) -> str:
        return f"Factors(W {(*self.W.shape,)}, H {(*self.H.shape,)})"


class Frobenius:
    """f(W, H) = c ‖M ⊙ (W H − A)‖_F² + λ (‖W‖_F² + ‖H‖_F²), one number for each leading index of W and H.

    A (m, n) is the matrix to factor; W is (..., m, k), H is (..., k, n), their leading axes are runs.
    M (m, n) is 1 where A is observed; without a mask all of it is. Hidden entries of A are never read.
    c = `scale` is 1 in this course; λ = `lam` is the penalty.

    >>> f = Frobenius([[5, 3], [3, 2]])
    >>> f(torch.zeros(2, 1, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64))
    tensor(47., dtype=torch.float64)
    """

    def __init__(self, A: Any, mask: Any = None, *, lam: float = 0.0, scale: float = 1.0) -> None:
        if mask is None:
            self.A, self.mask = checked.matrix(A), None
        else:
            self.A, observed = checked.matrix_and_mask(A, mask)  # both (m, n); A is 0 where it is hidden
            self.mask = observed.to(torch.float64)
        self.lam = checked.number(lam, "lam", least=0)
        self.scale = checked.number(scale, "scale", above=0)
        self.shape = tuple(self.A.shape)

    def residual(self, W: Tensor, H: Tensor) -> Tensor:
        """E = M ⊙ (W H − A), shape (..., m, n)."""
        checked.factors(W, H, self.shape)
        E = W @ H - self.A.to(W.dtype)
        return E if self.mask is None else E * self.mask.to(W.dtype)

    def __call__(self, W: Tensor, H: Tensor) -> Tensor:
        """The loss f(W, H), shape (...)."""
        E = self.residual(W, H)
        return self.scale * square(E) + self.lam * (square(W) + square(H))

    def gradient(self, W: Tensor, H: Tensor) -> tuple[Tensor, Tensor]:
        """∂f/∂W = 2c E Hᵀ + 2λ W, shape (..., m, k), and ∂f/∂H = 2c Wᵀ E + 2λ H, shape (..., k, n)."""
        E = self.residual(W, H)
        slope_W = 2 * self.scale * (E @ H.mT) + 2 * self.lam * W
        slope_H = 2 * self.scale * (W.mT @ E) + 2 * self.lam * H
        return slope_W, slope_H


class Observed:
    """f(W, H) = c Σ_t (μ + w_i·h_j − r_t)² + λ (‖W‖_F² + ‖H‖_F²): a sum over a list of ratings.

    Rating t has the value r_t; i is its user, and j its item. W is (..., m, k), H is (..., k, n), as for `Frobenius`.
    Only in a sample of the ratings is c not 1, see `sampled`. The two objectives are equal if μ = `mean` = 0 and the
    mask shows the same entries. The cost of this one grows with the number of ratings, and not with m n.
    `weighted`: each rating adds the penalty of its user and its item: the penalty is c λ Σ_t (‖w_i‖² + ‖h_j‖²), and
    grows with the number of ratings of a user, as in stochastic descent and in ALS-WR (Zhou et al. 2008).
    `biases`: the last column of W and the first row of H stay fixed. With W = [b, w, 1] and H = [1; h; c], see
    `with_biases`, the prediction is μ + b_i + c_j + w_i·h_j. The penalty includes b and c, but not the 1s.
    """

    def __init__(
        self, ratings: Ratings, *, lam: float = 0.0, mean: float = 0.0, weighted: bool = False, biases: bool = False
    ) -> None:
        self.shape, self.user, self.item = given(ratings).shape, ratings.user, ratings.item
        self.mean = checked.number(mean, "mean")
        self.goal = ratings.value - self.mean  # (N,): the values that W H should have
        self.lam = checked.number(lam, "lam", least=0)
        self.scale = 1.0  # c
        self.weighted = checked.choice(weighted, "weighted", [True, False])
        self.biases = checked.choice(biases, "biases", [True, False])

    def sampled(self, count: int, *, seed: int = 0) -> Iterator["Observed"]:
        """An endless stream of the same objective, each time on other ratings, `count` of them.

        There c is N / count, so that the gradient is on average the gradient on all N ratings. Each pass takes all
        ratings once, in a new random order; the last part of a pass can be smaller.
        """
        size = len(self.goal)
        count = checked.integer(count, "count", least=1)
        generator = torch.Generator().manual_seed(checked.integer(seed, "seed", least=0))

        def stream() -> Iterator[Observed]:
            while True:
                order = torch.rand(size, dtype=torch.float64, generator=generator).argsort(stable=True)
                for part in order.split(count):
                    few = copy.copy(self)
                    few.user, few.item, few.goal = self.user[part], self.item[part], self.goal[part]
                    few.scale = self.scale * size / len(part)
                    yield few

        return stream()

    def residual(self, W: Tensor, H: Tensor) -> Tensor:
        """e_t = μ + w_i·h_j − r_t, shape (..., N)."""
        checked.factors(W, H, self.shape)
        return torch.linalg.vecdot(W.index_select(-2, self.user), H.mT.index_select(-2, self.item)).sub_(self.goal)

    def __call__(self, W: Tensor, H: Tensor) -> Tensor:
        """The loss f(W, H), shape (...)."""
        E = self.residual(W, H)
        loss = self.scale * torch.linalg.vecdot(E, E)
        if self.lam:
            a, b = self._weights()
            if self.biases:
                W, H = W[..., :-1], H[..., 1:, :]  # the 1s count for nothing
            loss = loss + self.lam * ((a * W.square()).sum((-2, -1)) + (b * H.square()).sum((-2, -1)))
        return loss

    def gradient(self, W: Tensor, H: Tensor) -> tuple[Tensor, Tensor]:
        """∂f/∂w_i = 2c Σ_t e_t h_j + 2λ w_i over the ratings t of i, and ∂f/∂h_j likewise; 0 where an entry is fixed.

        Shapes (..., m, k) and (..., k, n). With `weighted`, λ counts c times for each rating.
        """
        E = self.residual(W, H)[..., None]
        of_user, of_item = W.index_select(-2, self.user), H.mT.index_select(-2, self.item)
        slope_W = torch.zeros_like(W).index_add_(-2, self.user, 2 * self.scale * E * of_item)
        slope_H = torch.zeros_like(H.mT).index_add_(-2, self.item, 2 * self.scale * E * of_user).mT
        a, b = self._weights()
        slope_W, slope_H = slope_W + 2 * self.lam * a * W, slope_H + 2 * self.lam * b * H
        if self.biases:
            slope_W[..., -1] = 0
            slope_H[..., 0, :] = 0
        return slope_W, slope_H

    def _weights(self) -> tuple[Tensor, Tensor]:
        """How much each user (m, 1) and each item (n,) counts in the penalty."""
        (m, n), one = self.shape, torch.ones(1, dtype=torch.float64)
        if not self.weighted:
            return one[:, None], one
        a, b = torch.bincount(self.user, minlength=m), torch.bincount(self.item, minlength=n)
        return self.scale * a[:, None].double(), self.scale * b.double()


def square(X: Tensor) -> Tensor:
    """‖X‖_F² = Σ X_ij², one number for each leading index."""
    entries = X.flatten(-2)
    return torch.linalg.vecdot(entries, entries)
