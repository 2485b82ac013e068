"""Exercises of notebook 03."""

import numpy as np
import torch
from torch import Tensor

from .exercise import Choice, Exercise, QuizQuestion, Wrong, code, numbers


def _matrices(seed: int, *shapes: tuple[int, int], low: float = 0.0, high: float = 1.0) -> list[Tensor]:
    """Random matrices of these shapes, with entries from low to high."""
    generator = torch.Generator().manual_seed(seed)
    return [low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float64) for shape in shapes]


# --- 03.1: one simultaneous step ---


def _points(seed: int) -> list[tuple]:
    """A, W, H and η; H is square in some cases and not in others."""
    cases = []
    for i, (m, n, k, eta) in enumerate(
        [(4, 2, 1, 0.02), (4, 2, 2, 0.05), (3, 3, 3, 0.03), (5, 3, 2, 0.04), (3, 6, 4, 0.01), (6, 4, 3, 0.07)]
    ):
        W, H = _matrices(100 * seed + i, (m, k), (k, n))
        (A,) = _matrices(100 * seed + 50 + i, (m, n), low=1, high=5)
        cases.append((A, W, H, eta))
    return cases


_STEP = Exercise(
    id="03.1",
    title="One step of both factors",
    statement=(
        "Write `step(A, W, H, eta)`: one step of gradient descent on $\\|A - W H\\|_F^2$ (the sum, no ½).\n"
        "Return the new factors, first `W`, then `H`. Both move at once.\n"
        "The caller's `W` and `H` must stay as they were."
    ),
    stub=code("""
        def step(A, W, H, eta):
            return ...
    """),
    solution=code("""
        def step(A, W, H, eta):
            E = W @ H - A
            return W - 2 * eta * E @ H.T, H - 2 * eta * W.T @ E
    """),
    cases=_points,
    hints=(
        "Begin with the residual E = W H − A. Both gradients need it, and it is computed only once.",
        "The gradients are 2 E Hᵀ and 2 Wᵀ E. Each has the shape of its factor.",
        "`W -= …` writes into the caller's tensor; `W - …` makes a new one. Return two new tensors, "
        "both made from the old.",
    ),
    wrong=(
        Wrong(
            "H from the new W, new residual",
            code("""
                def step(A, W, H, eta):
                    W = W - 2 * eta * (W @ H - A) @ H.T
                    H = H - 2 * eta * W.T @ (W @ H - A)
                    return W, H
            """),
            "W is right, but H was computed when W had already moved, residual included. That is another algorithm: "
            "the factors in turn. The gradient belongs to one point.",
        ),
        Wrong(
            "H from the new W, old residual",
            code("""
                def step(A, W, H, eta):
                    E = W @ H - A
                    W = W - 2 * eta * E @ H.T
                    H = H - 2 * eta * W.T @ E
                    return W, H
            """),
            "The residual is the old one, but the W beside it in the step of H has already moved. "
            "Both must belong to the same point.",
        ),
        Wrong(
            "W from the new H, new residual",
            code("""
                def step(A, W, H, eta):
                    H = H - 2 * eta * W.T @ (W @ H - A)
                    W = W - 2 * eta * (W @ H - A) @ H.T
                    return W, H
            """),
            "H is right, but W was computed when H had already moved. "
            "One step takes both factors from the same old point.",
        ),
        Wrong(
            "upwards",
            code("""
                def step(A, W, H, eta):
                    E = W @ H - A
                    return W + 2 * eta * E @ H.T, H + 2 * eta * W.T @ E
            """),
            "The loss goes up: this step follows the gradient. Look at the sign, and at the sign of the residual: "
            "W H − A or A − W H?",
        ),
        Wrong(
            "factor 2 missing",
            code("""
                def step(A, W, H, eta):
                    E = W @ H - A
                    return W - eta * E @ H.T, H - eta * W.T @ E
            """),
            "The direction is right, but each step is half as long as it should be: "
            "that is the gradient of ½‖A − W H‖².",
        ),
        Wrong(
            "the mean",
            code("""
                def step(A, W, H, eta):
                    E = (W @ H - A) / A.numel()
                    return W - 2 * eta * E @ H.T, H - 2 * eta * W.T @ E
            """),
            "The step is shorter by the number of entries: this descends on the mean of the squares. "
            "Here the loss is their sum.",
        ),
        Wrong(
            "writes into the caller's tensors",
            code("""
                def step(A, W, H, eta):
                    E = W @ H - A
                    slope_W, slope_H = 2 * E @ H.T, 2 * W.T @ E
                    W -= eta * slope_W
                    H -= eta * slope_H
                    return W, H
            """),
            "The numbers are right, but the caller's W and H have changed too: "
            "`-=` writes into the tensor that was handed in.",
        ),
        Wrong(
            "writes into the caller's tensors, one by one",
            code("""
                def step(A, W, H, eta):
                    E = W @ H - A
                    W -= 2 * eta * E @ H.T
                    H -= 2 * eta * W.T @ E
                    return W, H
            """),
            "Two slips at once: the caller's tensors change, and so W has already moved when H needs the old one.",
        ),
        Wrong(
            "Hᵀ without its transpose",
            code("""
                def step(A, W, H, eta):
                    E = W @ H - A
                    return W - 2 * eta * E @ H, H - 2 * eta * W.T @ E
            """),
            "Where H is square this runs, and W is wrong; elsewhere the shapes do not fit. The gradient of W is E "
            "times H, but which way round must H lie?",
        ),
        Wrong(
            "the gradients alone",
            code("""
                def step(A, W, H, eta):
                    E = W @ H - A
                    return 2 * E @ H.T, 2 * W.T @ E
            """),
            "These are the two gradients. A step goes on from where the factors are, by η times the gradient, "
            "downhill.",
        ),
    ),
    further="Moving the factors in turn can work too: notebook 08 solves for one factor while the other is held fixed.",
    misconceptions=(14, 15),
)

# --- 03.2: the limit, from A alone ---


def _losses(seed: int) -> list[tuple]:
    """Matrices of several sizes and scales, each with one of three losses."""
    kinds = [((4, 2), 5, "sum"), ((3, 5), 1, "half"), ((5, 4), 8, "mean"), ((2, 6), 3, "mean"), ((3, 3), 0.2, "half")]
    kinds += [((7, 3), 20, "sum"), ((4, 4), 2, "mean")]
    return [(*_matrices(70 * seed + i, shape, high=top), loss) for i, (shape, top, loss) in enumerate(kinds)]


_LIMIT = Exercise(
    id="03.2",
    title="The limit, before the first step",
    statement=(
        "Write `largest_eta(A, loss)`: the limit η* of gradient descent for the matrix `A`, as a number.\n"
        "`loss` says what is descended on, with $E = W H - A$:\n"
        '`"sum"` is $\\|E\\|_F^2$, `"half"` is $\\tfrac12 \\|E\\|_F^2$, `"mean"` is $\\|E\\|_F^2$ divided by the '
        "number of entries of `A`."
    ),
    stub=code("""
        def largest_eta(A, loss):
            return ...
    """),
    solution=code("""
        import torch

        def largest_eta(A, loss):
            scale = {"sum": 1, "half": 1 / 2, "mean": 1 / A.numel()}[loss]
            return 1 / (2 * scale * torch.linalg.matrix_norm(A, 2))
    """),
    cases=_losses,
    hints=(
        "For the sum of squares section 4 has the answer in a box. It needs one singular value of A: "
        "`torch.linalg.svdvals` gives all, the largest first.",
        "A number c in front of the loss multiplies its gradient by c, and its sharpness too. What does η need, so "
        "that the steps stay the same?",
        "A factor c in front of the loss divides η* by c. Here c is 1, ½, or 1 divided by the number of entries.",
    ),
    wrong=(
        Wrong(
            "without the 2",
            code("""
                import torch

                def largest_eta(A, loss):
                    scale = {"sum": 1, "half": 1 / 2, "mean": 1 / A.numel()}[loss]
                    return 1 / (scale * torch.linalg.matrix_norm(A, 2))
            """),
            "Twice too large in every case: there random starts diverge. Which number belongs to the loss with the ½, "
            "and which to the one without?",
        ),
        Wrong(
            "one over the sharpness",
            code("""
                import torch

                def largest_eta(A, loss):
                    scale = {"sum": 1, "half": 1 / 2, "mean": 1 / A.numel()}[loss]
                    return 1 / (4 * scale * torch.linalg.matrix_norm(A, 2))
            """),
            "Half of the limit: this is one over the sharpness. A step of that length lands in the middle of the "
            "valley; how far beyond may it go before it ends higher than it began?",
        ),
        Wrong(
            "the second singular value",
            code("""
                import torch

                def largest_eta(A, loss):
                    scale = {"sum": 1, "half": 1 / 2, "mean": 1 / A.numel()}[loss]
                    return 1 / (2 * scale * torch.linalg.svdvals(A)[1])
            """),
            "This takes the second singular value. The steepest wall of the valley sets the limit for all directions, "
            "and it belongs to another one.",
        ),
        Wrong(
            "the square of σ₁",
            code("""
                import torch

                def largest_eta(A, loss):
                    scale = {"sum": 1, "half": 1 / 2, "mean": 1 / A.numel()}[loss]
                    return 1 / (2 * scale * torch.linalg.matrix_norm(A, 2) ** 2)
            """),
            "σ₁² is the limit's measure when A itself multiplies the unknowns, as in linear regression. Here H does, "
            "and at the balanced minimum the largest singular value of H is √σ₁.",
        ),
        Wrong(
            "the Frobenius norm",
            code("""
                import torch

                def largest_eta(A, loss):
                    scale = {"sum": 1, "half": 1 / 2, "mean": 1 / A.numel()}[loss]
                    return 1 / (2 * scale * torch.linalg.matrix_norm(A))
            """),
            "The Frobenius norm mixes all singular values. It is never less than the largest one, so this η is safe "
            "but too small; the limit depends on one of them alone.",
        ),
        Wrong(
            "one limit for all losses",
            code("""
                import torch

                def largest_eta(A, loss):
                    return 1 / (2 * torch.linalg.matrix_norm(A, 2))
            """),
            "Right for the sum of squares, but the same for all three. A factor in front of the loss is a factor in "
            "front of the gradient, and η multiplies the gradient.",
        ),
        Wrong(
            "the factor on the wrong side",
            code("""
                import torch

                def largest_eta(A, loss):
                    scale = {"sum": 1, "half": 1 / 2, "mean": 1 / A.numel()}[loss]
                    return scale / (2 * torch.linalg.matrix_norm(A, 2))
            """),
            "The factor of the loss is on the wrong side. With the ½ or the mean the gradient is smaller; must η be "
            "smaller as well, or larger, for the same step?",
        ),
        Wrong(
            "all singular values",
            code("""
                import torch

                def largest_eta(A, loss):
                    scale = {"sum": 1, "half": 1 / 2, "mean": 1 / A.numel()}[loss]
                    return 1 / (2 * scale * torch.linalg.svdvals(A))
            """),
            "This gives an η for each singular value. The limit is one number: the steepest direction sets it.",
        ),
        Wrong(
            "σ₁ taken for the sharpness",
            code("""
                import torch

                def largest_eta(A, loss):
                    scale = {"sum": 1, "half": 1 / 2, "mean": 1 / A.numel()}[loss]
                    return 2 / (scale * torch.linalg.matrix_norm(A, 2))
            """),
            "This takes σ₁ itself for the sharpness λ in 2/λ. Section 4 has the sharpness of the balanced minimum.",
        ),
        Wrong(
            "the entries of the toy",
            code("""
                import torch

                def largest_eta(A, loss):
                    scale = {"sum": 1, "half": 1 / 2, "mean": 1 / 8}[loss]
                    return 1 / (2 * scale * torch.linalg.matrix_norm(A, 2))
            """),
            "Sum and half are right. The toy matrix has 8 entries; other matrices have more, or fewer.",
        ),
        Wrong(
            "the mean over the rows",
            code("""
                import torch

                def largest_eta(A, loss):
                    scale = {"sum": 1, "half": 1 / 2, "mean": 1 / len(A)}[loss]
                    return 1 / (2 * scale * torch.linalg.matrix_norm(A, 2))
            """),
            "Sum and half are right. `len(A)` counts the rows; the mean is taken over all entries.",
        ),
    ),
    further=(
        "That is why `mse_loss` bears learning rates that look huge: "
        "for a matrix with a million entries η* is a million times that of the sum."
    ),
    misconceptions=(4, 15),
)

# --- 03.3: the regime of a walk ---


def _walk(seed: int, fraction: float, *, near: float | None = None, steps: int = 400) -> tuple[np.ndarray, float]:
    """Losses of a descent of rank 1 at η = fraction η* on a random 4×3 matrix, and the lowest loss.

    It starts at random, or at the distance `near` from the balanced minimum.
    """
    draw = np.random.default_rng([seed, int(1000 * fraction)])
    A = draw.uniform(1, 5, (4, 3))
    U, sigma, Vt = np.linalg.svd(A)
    W, H = draw.uniform(0, 1, (4, 1)), draw.uniform(0, 1, (1, 3))
    if near is not None:
        u, v = np.abs(U[:, :1]), np.abs(Vt[:1])  # all entries of one sign, since A is positive; which, is up to LAPACK
        W, H = np.sqrt(sigma[0]) * u + near * W, np.sqrt(sigma[0]) * v + near * H
    eta, losses = fraction / (2 * sigma[0]), []
    with np.errstate(all="ignore"):
        for _ in range(steps):
            E = W @ H - A
            losses.append(np.square(E).sum())
            W, H = W - 2 * eta * E @ H.T, H - 2 * eta * W.T @ E
    return np.array(losses), float(np.square(sigma[1:]).sum())


def _curves(seed: int) -> list[tuple]:
    """Walks of all four kinds; four by hand: a last rise 11, 10 and 1 steps from the end, and one within 1e-6."""
    settles, low = _walk(seed, 0.7)
    settles = settles[: int(np.argmax(settles - low < 1e-9)) + 1]  # later only round-off moves it, up or down
    slow, low_slow = _walk(seed, 0.05)
    end = int(np.argmax(slow - low_slow < 1e-6))  # the first that counts as settled
    # these two are still on their way: later the loss ten steps before is the same, apart from round-off
    bounces, low_bounces = _walk(seed, 1.05, steps=40)
    leaves, low_leaves = _walk(seed, 1.04, near=1e-5, steps=160)  # begins at the minimum, and does not stay
    bounces, leaves = _until_a_fall(bounces), _until_a_fall(leaves)
    diverges, low_diverges = _walk(seed, 2.5)
    infinite = diverges[: int(np.argmax(np.isinf(diverges))) + 1]
    fall = 2 + np.array([7, 1, 1.5, 1, 1, *(2.0 ** -np.arange(1.0, 9.0))])  # two equal losses: no rise
    walks = [(settles, low), (slow[: end + 1], low_slow), (slow[:end], low_slow), (bounces, low_bounces)]
    walks += [(leaves, low_leaves), (diverges, low_diverges), (infinite, low_diverges), (fall[:-1], 1.5), (fall, 1.5)]
    walks += [(1.5 + np.array([2, 1, 0.1, 1e-7, 3e-7, 2e-7]), 1.5)]
    walks += [(1.5 + np.array([*range(12, 0, -1), 1.5]), 1.5)]  # far below the loss ten steps before, and yet a rise
    return [(torch.from_numpy(losses.copy()), lowest) for losses, lowest in walks]


def _until_a_fall(losses: np.ndarray) -> np.ndarray:
    """The walk up to its last step down."""
    return losses[: 2 + int(np.flatnonzero(np.diff(losses) < 0)[-1])]


def _rises(losses: Tensor) -> int:
    """In how many steps the loss rises; 0 if it overflows."""
    return int((losses.diff() > 0).sum()) if losses.isfinite().all() else 0


def _says(value: object, *words: str) -> bool:
    return isinstance(value, str) and value.strip().casefold() in words


def _stays(value: object) -> bool:
    """Whether it says one of the other three."""
    return _says(value, "settles", "bounces", "too early")


_REGIME = Exercise(
    id="03.3",
    title="Which regime is it?",
    statement=(
        "Write `regime(losses, lowest)`. `losses` is a tensor: the loss at the start of a walk, and after each of its "
        "steps. `lowest` is the lowest loss possible. Return the first of these that is true:\n"
        '* `"diverges"`: the numbers have overflowed; the last loss is not a finite number;\n'
        '* `"settles"`: the last loss is less than `1e-6` away from `lowest`;\n'
        '* `"bounces"`: the loss rose in at least one of the last ten steps (of all, if there are fewer);\n'
        '* `"too early"`: none of these: it may still be on its way down.'
    ),
    stub=code("""
        def regime(losses, lowest):
            return ...
    """),
    solution=code("""
        def regime(losses, lowest):
            if not losses[-1].isfinite():
                return "diverges"
            if losses[-1] - lowest < 1e-6:
                return "settles"
            if (losses[-11:].diff() > 0).any():
                return "bounces"
            return "too early"
    """),
    cases=_curves,
    hints=(
        "Take the four questions in the order of the statement. The first two look at the last loss only.",
        "Overflow can show as `inf` or as `nan`, and every comparison with `nan` is false. "
        "`torch.isfinite` knows both.",
        "`losses.diff()` has the change in each step; a step up is positive. For ten changes one needs eleven losses.",
    ),
    wrong=(
        Wrong(
            "each rise is a divergence",
            code("""
                def regime(losses, lowest):
                    if not losses[-1].isfinite() or (losses[-11:].diff() > 0).any():
                        return "diverges"
                    return "settles" if losses[-1] - lowest < 1e-6 else "too early"
            """),
            "A walk that goes up and down for ever is taken for one that diverges. It bounces between the walls of the "
            "valley and stays there; a divergent walk leaves, until the numbers overflow.",
            shows=lambda arguments, value: _says(value, "diverges") and _rises(arguments[0]) > 10,
        ),
        Wrong(
            "settles only at 0",
            code("""
                def regime(losses, lowest):
                    if not losses[-1].isfinite():
                        return "diverges"
                    if losses[-1] < 1e-6:
                        return "settles"
                    return "bounces" if (losses[-11:].diff() > 0).any() else "too early"
            """),
            "A walk has arrived when it can get no lower. That is at the lowest loss of its rank, seldom at 0.",
        ),
        Wrong(
            "nan overlooked",
            code("""
                def regime(losses, lowest):
                    if losses[-1] == float("inf"):
                        return "diverges"
                    if losses[-1] - lowest < 1e-6:
                        return "settles"
                    return "bounces" if (losses[-11:].diff() > 0).any() else "too early"
            """),
            "A walk that ends in `nan` has overflowed too: `inf − inf` is `nan`, "
            "and a comparison with `nan` is never true.",
            shows=lambda arguments, value: _stays(value) and bool(arguments[0][-1].isnan()),
        ),
        Wrong(
            "inf overlooked",
            code("""
                def regime(losses, lowest):
                    if losses[-1].isnan():
                        return "diverges"
                    if losses[-1] - lowest < 1e-6:
                        return "settles"
                    return "bounces" if (losses[-11:].diff() > 0).any() else "too early"
            """),
            "A walk that ends in `inf` has overflowed, whatever it did before. One step later it may be `nan`.",
            shows=lambda arguments, value: _stays(value) and bool(arguments[0][-1].isinf()),
        ),
        Wrong(
            "the lowest loss on the way",
            code("""
                def regime(losses, lowest):
                    if not losses[-1].isfinite():
                        return "diverges"
                    if losses.min() - lowest < 1e-6:
                        return "settles"
                    return "bounces" if (losses[-11:].diff() > 0).any() else "too early"
            """),
            "One of these walks began at a minimum and did not stay. That it was near the lowest loss once does not "
            "mean that it settles there: look at its end.",
        ),
        Wrong(
            "a rise at any time",
            code("""
                def regime(losses, lowest):
                    if not losses[-1].isfinite():
                        return "diverges"
                    if losses[-1] - lowest < 1e-6:
                        return "settles"
                    return "bounces" if (losses.diff() > 0).any() else "too early"
            """),
            "Many walks rise once at the beginning and then go down quietly. "
            "Only the last ten steps say what it does now.",
        ),
        Wrong(
            "ten losses, nine steps",
            code("""
                def regime(losses, lowest):
                    if not losses[-1].isfinite():
                        return "diverges"
                    if losses[-1] - lowest < 1e-6:
                        return "settles"
                    return "bounces" if (losses[-10:].diff() > 0).any() else "too early"
            """),
            "Nearly: a rise in the tenth step from the end is overlooked. How many losses are needed for ten steps?",
        ),
        Wrong(
            "the last step only",
            code("""
                def regime(losses, lowest):
                    if not losses[-1].isfinite():
                        return "diverges"
                    if losses[-1] - lowest < 1e-6:
                        return "settles"
                    return "bounces" if losses[-1] > losses[-2] else "too early"
            """),
            "A walk that bounces goes up and down: its last step may lead down. The task looks at ten.",
        ),
        Wrong(
            "from end to end",
            code("""
                def regime(losses, lowest):
                    if not losses[-1].isfinite():
                        return "diverges"
                    if losses[-1] - lowest < 1e-6:
                        return "settles"
                    return "bounces" if losses[-1] > losses[-11] else "too early"
            """),
            "This compares two losses, ten steps apart. Between them the loss may rise and fall again.",
        ),
        Wrong(
            "other words",
            code("""
                def regime(losses, lowest):
                    if not losses[-1].isfinite():
                        return "diverge"
                    if losses[-1] - lowest < 1e-6:
                        return "settle"
                    return "bounce" if (losses[-11:].diff() > 0).any() else "early"
            """),
            "It gives a word that is not one of the four. They must be spelled as in the task.",
            shows=lambda arguments, value: (
                isinstance(value, str) and not _says(value, "diverges", "settles", "bounces", "too early")
            ),
        ),
        Wrong(
            "no fall, therefore settled",
            code("""
                def regime(losses, lowest):
                    if not losses[-1].isfinite():
                        return "diverges"
                    return "bounces" if (losses[-11:].diff() > 0).any() else "settles"
            """),
            "A loss that only falls need not have arrived: a small η is on its way for long. "
            "Compare with the lowest loss.",
            shows=lambda arguments, value: (
                _says(value, "settles")
                and _rises(arguments[0][-11:]) == 0
                and float(arguments[0][-1]) - arguments[1] >= 1e-6
            ),
        ),
    ),
    further=(
        "Only the lowest loss tells settled from stuck: at a saddle the loss no longer changes either, "
        "and it has not arrived."
    ),
    misconceptions=(6,),
)

# --- 03.4: a start that works ---


def _target(m: int, n: int, k: int) -> np.ndarray:
    """A matrix with singular values 40, 30, 20, …: well apart, so that a descent is short."""
    draw = np.random.default_rng([m, n, k])
    rank = min(m, n)
    U, V = (np.linalg.qr(draw.standard_normal((rows, rank)))[0] for rows in (m, n))
    return U * np.arange(40, 40 - 10 * rank, -10.0) @ V.T


def _shaped(arguments: tuple, value: object) -> tuple[np.ndarray, np.ndarray] | None:
    """W and H as arrays, if they are two matrices of finite numbers and of the right shapes."""
    m, n, k = arguments
    try:
        W, H = (numbers(factor) for factor in value)
    except Exception:  # of any class: the value may be anything
        return None
    if (
        W is None
        or H is None
        or W.shape != (m, k)
        or H.shape != (k, n)
        or not (W.isfinite().all() and H.isfinite().all())
    ):
        return None
    return W.numpy(), H.numpy()


def _stuck(W: np.ndarray, H: np.ndarray) -> bool:
    """Whether W c = 0 and Hᵀ c = 0 for some c: no step changes that, so W H never gets to rank k."""
    return bool(np.linalg.matrix_rank(np.concatenate([W, H.T])) < W.shape[1])


def _arrives(W: np.ndarray, H: np.ndarray) -> bool | None:
    """Whether a descent from here at η*/4 reaches the lowest loss; None if it diverges."""
    A = _target(len(W), H.shape[1], W.shape[1])
    sigma = np.arange(40, 40 - 10 * min(A.shape), -10.0)
    lowest, eta = np.square(sigma[W.shape[1] :]).sum(), 1 / (8 * sigma[0])
    with np.errstate(all="ignore"):
        for step in range(2000):
            E = W @ H - A
            W, H = W - 2 * eta * E @ H.T, H - 2 * eta * W.T @ E
            if step % 50 == 0:
                loss = np.square(E).sum()
                if not loss < 1e12:
                    return None
                if loss - lowest < 1e-6:
                    return True
    return False


def _accepts_start(arguments: tuple, value: object) -> str | None:
    m, n, k = arguments
    if (factors := _shaped(arguments, value)) is None:
        return f"It must give two matrices of finite numbers, W of shape {m}×{k} and H of shape {k}×{n}."
    if _stuck(*factors):
        return "From this start W H never gets to rank k."
    if (arrives := _arrives(*factors)) is None:
        return "From this start the descent diverges."
    return None if arrives else "From this start the descent does not reach the lowest loss of rank k in 2,000 steps."


def _all_equal(factor: np.ndarray) -> bool:
    return bool((factor == factor.flat[0]).all())


def _shows_start(found: object) -> object:
    """A test of W and H that is asked only if they have the right shapes."""
    return lambda arguments, value: (factors := _shaped(arguments, value)) is not None and found(*factors)


def _turned(arguments: tuple, value: object) -> bool:
    """Whether one of the two is transposed and the other is right or transposed."""
    m, n, k = arguments
    try:
        shapes = tuple(tuple(numbers(factor).shape) for factor in value)
    except Exception:  # of any class: the value may be anything
        return False
    right = ((m, k), (k, n))
    return shapes != right and shapes in (((m, k), (n, k)), ((k, m), (k, n)), ((k, m), (n, k)))


_START = Exercise(
    id="03.4",
    title="A start that is no trap",
    statement=(
        "Write `start(m, n, k)`: it returns the two matrices to start from, `W` (m×k) and `H` (k×n).\n"
        "From them gradient descent at $\\eta = \\eta^\\ast/4$ must reach the lowest loss of rank k in 2,000 steps, "
        "on an m×n matrix whose singular values are 40, 30, 20 and so on. You do not see the matrix. "
        "There are many right answers."
    ),
    stub=code("""
        def start(m, n, k):
            return ...
    """),
    solution=code("""
        import torch

        def start(m, n, k):
            generator = torch.Generator().manual_seed(0)
            return torch.rand(m, k, generator=generator), torch.rand(k, n, generator=generator)
    """),
    cases=lambda seed: [(4, 2, 2), (5, 3, 2), (3, 5, 3), (6, 4, 3), (2, 7, 2), (3, 3, 2)],
    hints=(
        "Where is the gradient zero, although the loss is not? Do not begin there.",
        "If two columns of W are equal, and the same two rows of H, both move alike in every step. "
        "What keeps them apart?",
        "Random numbers, not too large: `torch.rand`, with a generator of your own.",
    ),
    accepts=_accepts_start,
    wrong=(
        Wrong(
            "zeros",
            code("""
                import torch

                def start(m, n, k):
                    return torch.zeros(m, k), torch.zeros(k, n)
            """),
            "At W = 0, H = 0 both gradients are 0: the walk never takes a step, although the loss is large. "
            "It stands on a saddle.",
            shows=_shows_start(lambda W, H: not W.any() and not H.any()),
        ),
        Wrong(
            "all entries equal",
            code("""
                import torch

                def start(m, n, k):
                    return torch.full((m, k), 0.5), torch.full((k, n), 0.5)
            """),
            "With equal entries all columns of W get the same gradient, step after step. They stay equal, "
            "and W H stays of rank 1.",
            shows=_shows_start(lambda W, H: _all_equal(W) and _all_equal(H) and (W.any() or H.any())),
        ),
        Wrong(
            "one part is zero",
            code("""
                import torch

                def start(m, n, k):
                    W, H = torch.rand(m, k), torch.rand(k, n)
                    W[:, -1], H[-1] = 0, 0
                    return W, H
            """),
            "A column of W and its row of H are both zero. Each waits for the other: their gradients are zero too, "
            "and stay so.",
            shows=_shows_start(lambda W, H: bool((~W.any(axis=0) & ~H.any(axis=1)).any() and (W.any() or H.any()))),
        ),
        Wrong(
            "one random part, k times",
            code("""
                import torch

                def start(m, n, k):
                    return torch.rand(m, 1).repeat(1, k), torch.rand(1, n).repeat(k, 1)
            """),
            "Its k parts, each a column of W with its row of H, depend on each other, as copies do. Gradient descent "
            "keeps that, random numbers or not, so W H stays below rank k.",
            shows=_shows_start(
                lambda W, H: (
                    _stuck(W, H)
                    and not (_all_equal(W) and _all_equal(H))
                    and not bool((~W.any(axis=0) & ~H.any(axis=1)).any())
                )
            ),
        ),
        Wrong(
            "too large",
            code("""
                import torch

                def start(m, n, k):
                    return 100 * torch.rand(m, k), 100 * torch.rand(k, n)
            """),
            "From here the walk diverges, although η is far below η*. With entries so large the loss curves far more "
            "strongly than at any minimum that the walk could settle in.",
            shows=_shows_start(lambda W, H: not _stuck(W, H) and _arrives(W, H) is None),
        ),
        Wrong(
            "a transposed factor",
            code("""
                import torch

                def start(m, n, k):
                    return torch.rand(m, k), torch.rand(n, k)
            """),
            "A factor lies on its side. W has a row for each row of A, H a column for each column of A.",
            shows=_turned,
        ),
    ),
    further=(
        "W random and H = 0 works as well: only one of the two gradients is zero there. Fine-tuning of language models "
        "with LoRA starts like that, so that the product begins at 0."
    ),
    misconceptions=(9, 10),
)

# --- 03.5: the sharpness away from the minima ---


def _numbers(seed: int) -> list[tuple]:
    """w, h and a: on the curve of minima, far outside, between, and where w and h have opposite signs."""
    draw = np.random.default_rng(seed)
    p, q, r, s, t, u = (round(float(x), 2) for x in draw.uniform(0.5, 4, 6))
    return [(q, u, q * u), (3.0, 3.0, 1.0), (p, q, 1.5), (-r, s, t), (-u, -p, 2.0), (0.0, 0.0, t), (0.1, 0.3, s)]


_SHARPNESS = Exercise(
    id="03.5",
    title="Why a large start diverges",
    statement=(
        "Write `sharpness(w, h, a)`: the largest eigenvalue of the Hessian of $f(w, h) = (w h - a)^2$ at the point (w, "
        "h).\n"
        "All three are numbers, and the point may lie anywhere, not only where $w h = a$.\n"
        "Then look at `2 / sharpness(3.0, 3.0, 1.0)`, and compare it with $\\eta^\\ast = \\tfrac12$."
    ),
    stub=code("""
        def sharpness(w, h, a):
            return ...
    """),
    solution=code("""
        import torch

        def sharpness(w, h, a):
            mixed = 2 * w * h - a
            hessian = 2 * torch.tensor([[h * h, mixed], [mixed, w * w]], dtype=torch.float64)
            return torch.linalg.eigvalsh(hessian)[-1]
    """),
    cases=_numbers,
    hints=(
        "Differentiate twice: ∂f/∂w is 2 (w h − a) h. What does it give, differentiated by w, and by h?",
        "By h it takes the product rule: h stands in it twice. The Hessian is symmetric, "
        "its diagonal is 2 h² and 2 w².",
        "The mixed derivative is 2 (2 w h − a). `torch.linalg.eigvalsh` gives the eigenvalues, the largest last.",
    ),
    wrong=(
        Wrong(
            "the formula of the minima",
            code("""
                def sharpness(w, h, a):
                    return 2 * (w * w + h * h)
            """),
            "Right on the curve w h = a. Elsewhere the residual w h − a adds to the mixed derivative.",
        ),
        Wrong(
            "product rule forgotten",
            code("""
                import torch

                def sharpness(w, h, a):
                    mixed = w * h - a
                    hessian = 2 * torch.tensor([[h * h, mixed], [mixed, w * w]], dtype=torch.float64)
                    return torch.linalg.eigvalsh(hessian)[-1]
            """),
            "The mixed derivative lacks a part. 2 (w h − a) h contains h twice, "
            "and both count when it is differentiated by h.",
        ),
        Wrong(
            "smallest eigenvalue",
            code("""
                import torch

                def sharpness(w, h, a):
                    mixed = 2 * w * h - a
                    hessian = 2 * torch.tensor([[h * h, mixed], [mixed, w * w]], dtype=torch.float64)
                    return torch.linalg.eigvalsh(hessian)[0]
            """),
            "This is the smallest eigenvalue, along the flattest direction. "
            "The steepest one decides whether a step overshoots.",
        ),
        Wrong(
            "without the 2",
            code("""
                import torch

                def sharpness(w, h, a):
                    mixed = 2 * w * h - a
                    hessian = torch.tensor([[h * h, mixed], [mixed, w * w]], dtype=torch.float64)
                    return torch.linalg.eigvalsh(hessian)[-1]
            """),
            "Half of it, in every case: that is the Hessian of ½ (w h − a)².",
        ),
        Wrong(
            "sums of the rows",
            code("""
                def sharpness(w, h, a):
                    return 2 * max(h * h + abs(2 * w * h - a), w * w + abs(2 * w * h - a))
            """),
            "That is a bound: no eigenvalue is larger than the largest sum of a row of absolute values. The eigenvalue "
            "itself is usually smaller.",
        ),
        Wrong(
            "the largest entry",
            code("""
                def sharpness(w, h, a):
                    return 2 * max(h * h, w * w, 2 * w * h - a)
            """),
            "This is the largest entry of the Hessian. An eigenvalue takes all four entries together.",
        ),
        Wrong(
            "the balanced minimum",
            code("""
                def sharpness(w, h, a):
                    return 4 * a
            """),
            "This is the sharpness at the balanced minimum. At other points it depends on w and h.",
        ),
        Wrong(
            "both eigenvalues",
            code("""
                import torch

                def sharpness(w, h, a):
                    mixed = 2 * w * h - a
                    hessian = 2 * torch.tensor([[h * h, mixed], [mixed, w * w]], dtype=torch.float64)
                    return torch.linalg.eigvalsh(hessian)
            """),
            "These are both eigenvalues. The sharpness is the larger one.",
        ),
        Wrong(
            "a learning rate",
            code("""
                import torch

                def sharpness(w, h, a):
                    mixed = 2 * w * h - a
                    hessian = 2 * torch.tensor([[h * h, mixed], [mixed, w * w]], dtype=torch.float64)
                    return 2 / torch.linalg.eigvalsh(hessian)[-1]
            """),
            "This is already 2/λ, the η that such a curvature bears. The question is for λ, the sharpness.",
        ),
    ),
    further=(
        "For a = 1 it is 52 at w = h = 3, and 2/52 is far less than η*. At the balanced minimum w = h = 1 it is 4, and "
        "2/4 is η* itself."
    ),
    misconceptions=(4,),
)

EXERCISES = (_STEP, _LIMIT, _REGIME, _START, _SHARPNESS)

QUIZ = (
    QuizQuestion(
        "The toy matrix, k = 1: at 0.5 η* a descent needs about 15 steps to come within 1e-6 of the lowest loss. "
        "How many at 0.99 η*?",
        (
            Choice(
                "About 8: twice the η, half the steps.", "That holds for small η only. Near η* each step jumps across."
            ),
            Choice(
                "About 15 again.", "Near η* a step almost jumps to the same height on the other side. Look at the U."
            ),
            Choice(
                "Several hundred.",
                "Yes: it jumps from wall to wall, and each jump is only a little shorter than the last.",
                True,
            ),
            Choice("It diverges.", "Below η* the valley still holds it, if only just. And just above it would bounce."),
        ),
        misconceptions=(3,),
    ),
    QuizQuestion(
        "η = 0.05 works for the sum of squares of a 4×2 matrix. With `mse_loss`, which takes the mean over the 8 "
        "entries, which η gives the same walk?",
        (
            Choice("8 · 0.05", "Yes: the gradient is 8 times smaller, so η must be 8 times larger.", True),
            Choice("0.05", "The gradient of the mean is 8 times smaller. With the same η each step would be as well."),
            Choice(
                "0.05 / 8",
                "Turn it round: the gradient is smaller already. With a smaller η too, it is 64 times slower.",
            ),
        ),
        misconceptions=(4, 16),
    ),
    QuizQuestion(
        "The loss ‖A − W H‖² is not convex in W and H together. What does that mean for a random start, if all of A is "
        "observed and η is below η*?",
        (
            Choice(
                "It may get stuck in a bad local minimum; one has to try many starts.",
                "Not convex does not mean that there are bad minima. Here every minimum is a lowest point.",
            ),
            Choice(
                "It has no bad local minimum to get stuck in; saddles can slow it down.",
                "Yes: each point of gradient zero is a lowest point or a saddle, "
                "and a random start does not stay at a saddle.",
                True,
            ),
            Choice(
                "Nothing: gradient descent finds the minimum of every smooth loss.",
                "For other losses it can get stuck. It is a property of this one that it does not.",
            ),
        ),
        misconceptions=(10,),
    ),
    QuizQuestion(
        "A colleague starts at 0.9 η* with entries up to 3, and the walk diverges. Does that contradict η* = 1/(2σ₁)?",
        (
            Choice(
                "Yes: below η* every start must settle.",
                "η* says which minima can hold a walk. It does not promise that the walk gets to one.",
            ),
            Choice(
                "Yes: η* holds for small matrices only.",
                "It holds for matrices of every size. Look at the start instead.",
            ),
            Choice(
                "No: σ₁ must have been computed wrongly.",
                "It can diverge with the right σ₁ as well. In section 7 some starts did.",
            ),
            Choice(
                "No: a large start stands where the loss curves more strongly than at the balanced minimum.",
                "Yes: its first steps can overshoot, land higher, and never come back.",
                True,
            ),
        ),
        misconceptions=(4,),
    ),
    QuizQuestion(
        "A descent of rank 2 starts with all entries 1, and ends at the lowest loss of rank 1. Why?",
        (
            Choice(
                "η is too small; it needs more steps.", "More steps do not help: this walk cannot leave rank 1 at all."
            ),
            Choice(
                "The columns of W are equal at the start, and get equal gradients in every step.",
                "Yes: so do the rows of H. The walk moves, but W H stays of rank 1.",
                True,
            ),
            Choice(
                "It is a local minimum of the loss for rank 2.",
                "It is a saddle: change one entry a little, and the descent goes on, to a lower loss.",
            ),
            Choice(
                "Gradient descent always finds rank 1 only.",
                "From random starts it reached the lowest loss of rank 2, in section 4.",
            ),
        ),
        misconceptions=(9, 10),
    ),
)
