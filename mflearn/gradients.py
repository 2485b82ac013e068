"""Three ways to the same gradient: by hand, by autograd, by differences; and how far two of them are apart.

Each way takes an objective f and a point (W, H) and gives (∂f/∂W, ∂f/∂H), for one run or a batch of runs.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from . import checked

Pair = tuple[Tensor, Tensor]
Objective = Callable[[Tensor, Tensor], Tensor]


def by_hand(objective: Objective, W: Tensor, H: Tensor) -> Pair:
    """The gradient as derived on paper: the formula is the method `gradient` of the objective."""
    return checked.method(objective, "objective", "gradient", "W", "H")(W, H)


def by_autograd(objective: Objective, W: Tensor, H: Tensor) -> Pair:
    """The gradient as torch finds it. The losses of a batch may be summed, since each depends on its own run alone."""
    checked.factors(W, H)
    with torch.inference_mode(False), torch.enable_grad():
        W, H = (X.detach().clone().requires_grad_() for X in (W, H))
        loss = _loss(objective, W, H, differentiable=True).sum()
        return torch.autograd.grad(loss, (W, H), materialize_grads=True)  # 0 for the one that it does not depend on


def by_differences(objective: Objective, W: Tensor, H: Tensor, *, delta: float = 1e-6) -> Pair:
    """∂f/∂θ ≈ (f(θ + δ) − f(θ − δ)) / 2δ, one entry θ at a time; the error is of order δ² f‴ + ε f/δ.

    `Frobenius` is quadratic in each single entry, so its f‴ is 0: the larger δ is, the smaller is the error.
    """
    checked.factors(W, H)
    for name, X in (("W, H hold", W), ("objective gave", _loss(objective, W, H))):
        if X.dtype != torch.float64:
            raise TypeError(f"{name} {X.dtype}; differences need torch.float64")
    delta = checked.number(delta, "delta", above=0)
    W, H = W.detach().clone(), H.detach().clone()  # the tensors of the caller stay as they are
    slopes = []
    for X in (W, H):
        slope = torch.empty_like(X)
        for i in range(X.shape[-2]):
            for j in range(X.shape[-1]):
                kept = X[..., i, j].clone()
                X[..., i, j] = kept + delta
                above = objective(W, H)
                X[..., i, j] = kept - delta
                slope[..., i, j] = (above - objective(W, H)) / (2 * delta)
                X[..., i, j] = kept
        slopes.append(slope)
    return tuple(slopes)


def relative_difference(one: Pair, other: Pair) -> float:
    """‖one − other‖ / ‖other‖ of two gradients, over all their entries; 0 if both are 0."""
    one, other = ([checked.real(X, name) for X in pair] for name, pair in (("one", one), ("other", other)))
    shapes = [[(*X.shape,) for X in pair] for pair in (one, other)]
    if shapes[0] != shapes[1]:  # torch would stretch the smaller one
        raise ValueError(f"one has shapes {shapes[0]}, other has {shapes[1]}; they must be equal")
    a, b = (torch.cat([X.flatten() for X in pair]) for pair in (one, other))
    if a.equal(b):
        return 0.0
    size = torch.cat((a, b)).abs().max()  # squares of what is divided by it neither overflow nor vanish
    return float((a / size - b / size).norm() / (b / size).norm())


def hessian(objective: Objective, W: Tensor, H: Tensor) -> Tensor:
    """All second derivatives of f at one point, by autograd: square, of size k(m + n), W's entries first."""
    checked.factors(W, H)
    if W.ndim != 2:
        raise ValueError(f"W has shape {(*W.shape,)}; the Hessian is taken at one point, not at a batch")
    checked.entries((W.numel() + H.numel()) ** 2, "the Hessian")

    def flat(theta: Tensor) -> Tensor:
        W_H = theta[: W.numel()].view_as(W), theta[W.numel() :].view_as(H)
        return _loss(objective, *W_H, differentiable=True)

    with torch.inference_mode(False), torch.enable_grad():
        theta = torch.cat([W.detach().reshape(-1), H.detach().reshape(-1)])
        return torch.autograd.functional.hessian(flat, theta)


def _loss(objective: Objective, W: Tensor, H: Tensor, *, differentiable: bool = False) -> Tensor:
    """f(W, H), one number for each run."""
    checked.function(objective, "objective", "W", "H")
    loss = checked.loss(objective(W, H), checked.runs(W, H))
    if differentiable and not loss.requires_grad:
        raise ValueError("objective gave a loss that torch cannot differentiate; compute it from W and H by torch")
    return loss
