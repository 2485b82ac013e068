"""How much faster than the classic program: descent on the 4×2 matrix, and what grows out of it."""

import torch
from torch import Tensor

from .. import fast
from ..descent import Adam, GradientDescent, factorize
from ..gradients import by_autograd
from ..matrices import low_rank_matrix, toy_matrix
from ..objectives import Frobenius
from .contest import Contest, compare, one_thread, versions

STEPS, EVERY, ETA = 5_000, 500, 0.01
RELATIVE, ABSOLUTE = 1e-6, 1e-24  # below a loss of 1e-18 round-off decides, and the absolute bound


def classic(A: Tensor, W: Tensor, H: Tensor, *, steps: int = STEPS, eta: float = ETA) -> list[float]:
    """The program everybody writes first: autograd, `torch.optim.Adam`, `mse_loss`; the loss after every 500 steps."""
    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
    optimizer = torch.optim.Adam([W, H], lr=eta)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(W @ H, A)
        if step % EVERY == 0:
            losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return [*losses, torch.nn.functional.mse_loss(W @ H, A).item()]


def by_autograd_and_sgd(A: Tensor, W: Tensor, H: Tensor, *, steps: int, eta: float) -> float:
    """Plain gradient descent on the sum of squares, as torch offers it."""
    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
    optimizer = torch.optim.SGD([W, H], lr=eta)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (W @ H - A).square().sum()
        loss.backward()
        optimizer.step()
    return loss.item()


def start(m: int, n: int, k: int) -> tuple[Tensor, Tensor]:
    """W (m, k) and H (k, n) of `torch.rand`, the same at each call."""
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.rand(*shape, dtype=torch.float64, generator=generator) for shape in ((m, k), (k, n)))


def apart(A: Tensor, W: Tensor, H: Tensor) -> tuple[bool, float]:
    """Whether both sides walk the same way, and the largest relative difference of their losses above 1e-18."""
    mean = Frobenius(A, scale=1 / A.numel())
    theirs = torch.tensor(classic(A, W, H), dtype=torch.float64)
    ours = factorize(mean, start=(W, H), rule=Adam, eta=ETA, steps=STEPS).loss[::EVERY]
    difference, large = (ours - theirs).abs(), theirs > ABSOLUTE / RELATIVE
    return bool((difference <= RELATIVE * theirs + ABSOLUTE).all()), float((difference / theirs)[large].max())


def contests() -> list[Contest]:
    """The lines of `mflearn bench toy`."""
    A, (W, H) = toy_matrix(), start(4, 2, 2)
    mean, begin = Frobenius(A, scale=1 / A.numel()), {"start": (W, H), "steps": STEPS}
    rates = torch.logspace(-3, -1, 64, dtype=torch.float64)
    grid = torch.logspace(-3, -1.2, 50, dtype=torch.float64)[:, None]  # below η* = 0.068: all run to the end
    ranks, seeds = torch.tensor([1, 2])[:, None, None], torch.arange(10)

    B, (P, Q) = low_rank_matrix(1000, 1000, k=20), start(1000, 1000, 20)
    f, large = Frobenius(B), {"steps": 50, "eta": 1e-6}
    slopes = torch.empty_like(P), torch.empty_like(Q)

    def once() -> list[float]:
        return classic(A, W, H)

    return [
        Contest("one run, Adam", once, lambda: factorize(mean, rule=Adam, eta=ETA, **begin), 1, 7),
        Contest("one run, descent", once, lambda: factorize(mean, rule=GradientDescent, eta=ETA, **begin), 1, 12),
        Contest("64 rates η, Adam", once, lambda: factorize(mean, rule=Adam, eta=rates, **begin), 64, 150),
        Contest(
            "64 rates η, descent", once, lambda: factorize(mean, rule=GradientDescent, eta=rates, **begin), 64, 150
        ),
        Contest(
            "1,000 k × η × seed, descent",
            once,
            lambda: factorize(A, ranks, eta=grid, seed=seeds, steps=STEPS),
            1000,
            1000,
        ),
        Contest(
            "1000×1000, k = 20, gradient",
            lambda: [by_autograd(f, P, Q) for _ in range(50)],
            lambda: [fast.gradient(f, P, Q, slopes) for _ in range(50)],
            1,
            2,
        ),
        Contest(
            "1000×1000, k = 20, descent",
            lambda: by_autograd_and_sgd(B, P, Q, **large),
            lambda: factorize(B, start=(P, Q), **large),
            1,
            2,
        ),
    ]


def toy(rounds: int = 5) -> bool:
    """Print the table against the classic program; True if both sides agree and all goals are reached."""
    with one_thread():
        print(f"{versions()}, 1 thread, float64")
        print(
            f"Classic: autograd, torch.optim.Adam, η = {ETA}, mse_loss, A 4×2, k = 2, {STEPS:,} steps from torch.rand. "
            "The last two lines: 50 gradients by autograd, and 50 steps with torch.optim.SGD."
        )
        same, most = apart(toy_matrix(), *start(4, 2, 2))
        print(
            f"Same start, same rule: the losses after every {EVERY} steps are {'equal' if same else 'NOT EQUAL'} to "
            f"{RELATIVE:g} (largest relative difference {most:.0e}); below a loss of 1e-18 to {ABSOLUTE:g} absolute.\n"
        )
        reached = compare(contests(), rounds, head="times faster, a run", peer="classic")
    return same and reached
