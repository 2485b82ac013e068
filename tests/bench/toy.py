"""A benchmark of descent on the 4×2 matrix, and of what grows out of it, against the classic program in PyTorch."""

import torch
from torch import Tensor

from mflearn import fast
from mflearn.descent import Adam, GradientDescent, factorize
from mflearn.gradients import by_autograd
from mflearn.matrices import low_rank_matrix, toy_matrix
from mflearn.objectives import Frobenius

from .comparison import Comparison, compare, single_threaded, versions

STEPS, EVERY, ETA = 5_000, 500, 0.01
RELATIVE, ABSOLUTE = 1e-6, 1e-24  # tolerances for equal losses; below a loss of 1e-18, round-off, the absolute one


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


def classic_descent(A: Tensor, W: Tensor, H: Tensor, *, steps: int, eta: float) -> float:
    """The last loss of plain gradient descent on the sum of squares, with autograd and `torch.optim.SGD`."""
    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
    optimizer = torch.optim.SGD([W, H], lr=eta)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (W @ H - A).square().sum()
        loss.backward()
        optimizer.step()
    return loss.item()


def start(m: int, n: int, k: int) -> tuple[Tensor, Tensor]:
    """W (m, k) and H (k, n) from `torch.rand`, the same at each call."""
    generator = torch.Generator().manual_seed(0)
    W = torch.rand(m, k, dtype=torch.float64, generator=generator)
    H = torch.rand(k, n, dtype=torch.float64, generator=generator)
    return W, H


def agreement(A: Tensor, W: Tensor, H: Tensor) -> tuple[bool, float]:
    """Whether both programs have the same losses, and their largest relative difference where a loss exceeds 1e-18."""
    mean = Frobenius(A, scale=1 / A.numel())
    theirs = torch.tensor(classic(A, W, H), dtype=torch.float64)
    ours = factorize(mean, start=(W, H), rule=Adam, eta=ETA, steps=STEPS).loss[::EVERY]
    difference = (ours - theirs).abs()
    large = theirs > ABSOLUTE / RELATIVE
    equal = difference <= RELATIVE * theirs + ABSOLUTE
    return bool(equal.all()), float((difference / theirs)[large].max())


def small_comparisons() -> list[Comparison]:
    """The lines about the 4×2 matrix: one run, 64 learning rates, and a grid of 1,000 runs."""
    A, (W, H) = toy_matrix(), start(4, 2, 2)
    mean = Frobenius(A, scale=1 / A.numel())
    rates = torch.logspace(-3, -1, 64, dtype=torch.float64)
    grid = torch.logspace(-3, -1.2, 50, dtype=torch.float64)[:, None]  # below η* = 0.068: no run ends early
    ranks, seeds = torch.tensor([1, 2])[:, None, None], torch.arange(10)

    def peer() -> object:
        return classic(A, W, H)

    def one_adam() -> object:
        return factorize(mean, rule=Adam, eta=ETA, start=(W, H), steps=STEPS)

    def one_descent() -> object:
        return factorize(mean, rule=GradientDescent, eta=ETA, start=(W, H), steps=STEPS)

    def many_adam() -> object:
        return factorize(mean, rule=Adam, eta=rates, start=(W, H), steps=STEPS)

    def many_descent() -> object:
        return factorize(mean, rule=GradientDescent, eta=rates, start=(W, H), steps=STEPS)

    def whole_grid() -> object:
        return factorize(A, ranks, eta=grid, seed=seeds, steps=STEPS)

    return [
        Comparison("one run, Adam", peer, one_adam, runs=1, goal=7),
        Comparison("one run, descent", peer, one_descent, runs=1, goal=12),
        Comparison("64 rates η, Adam", peer, many_adam, runs=64, goal=150),
        Comparison("64 rates η, descent", peer, many_descent, runs=64, goal=150),
        Comparison("1,000 k × η × seed, descent", peer, whole_grid, runs=1000, goal=1000),
    ]


def large_comparisons() -> list[Comparison]:
    """The lines about a 1000×1000 matrix of rank 20: 50 gradients, and 50 steps of descent."""
    A, (W, H) = low_rank_matrix(1000, 1000, k=20), start(1000, 1000, 20)
    objective = Frobenius(A)
    written = torch.empty_like(W), torch.empty_like(H)  # where `fast.gradient` puts its result

    def peer_gradients() -> None:
        for _ in range(50):
            by_autograd(objective, W, H)

    def our_gradients() -> None:
        for _ in range(50):
            fast.gradient(objective, W, H, written)

    def peer_descent() -> object:
        return classic_descent(A, W, H, steps=50, eta=1e-6)

    def our_descent() -> object:
        return factorize(A, start=(W, H), steps=50, eta=1e-6)

    return [
        Comparison("1000×1000, k = 20, gradient", peer_gradients, our_gradients, runs=1, goal=2),
        Comparison("1000×1000, k = 20, descent", peer_descent, our_descent, runs=1, goal=2),
    ]


def measure(rounds: int = 5) -> bool:
    """Print the table; True if both programs have the same losses and all goals are reached."""
    with single_threaded():
        print(f"{versions()}, 1 thread, float64")
        print(
            f"Classic: autograd, torch.optim.Adam, η = {ETA}, mse_loss, A 4×2, k = 2, {STEPS:,} steps from torch.rand. "
            "The last two lines: 50 gradients by autograd, and 50 steps with torch.optim.SGD."
        )
        same, largest = agreement(toy_matrix(), *start(4, 2, 2))
        print(
            f"Same start, same rule: the losses after every {EVERY} steps are {'equal' if same else 'NOT EQUAL'} to "
            f"{RELATIVE:g} (largest relative difference {largest:.0e}); below a loss of 1e-18 to {ABSOLUTE:g} "
            "absolute.\n"
        )
        lines = small_comparisons() + large_comparisons()
        reached = compare(lines, rounds, head="times faster, a run", peer="classic")
    return same and reached
