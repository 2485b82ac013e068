"""Exercises of notebook 02: both gradients, a difference quotient, a start at zero, a penalty, one direction."""

import math
import random
import textwrap
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .exercise import Cases, Choice, Exercise, QuizQuestion, Wrong, code, numbers, same

SIZES = (
    (4, 2, 2),
    (5, 3, 2),
    (3, 5, 3),
    (3, 3, 3),
    (2, 4, 3),
    (6, 4, 3),
)  # m, n, k: square and not, all different and not


def _matrices(seed: int, *shapes: tuple[int, int]) -> list[Tensor]:
    """Random entries of both signs."""
    generator = torch.Generator().manual_seed(seed)
    return [4 * torch.rand(shape, generator=generator, dtype=torch.float64) - 2 for shape in shapes]


def _points(seed: int) -> Cases:
    """A, W, H."""
    return [tuple(_matrices(seed + i, (m, n), (m, k), (k, n))) for i, (m, n, k) in enumerate(SIZES)]


def _points_and_penalties(seed: int) -> Cases:
    """A, W, H, λ."""
    rng = random.Random(seed)
    return [(*point, round(rng.uniform(0.2, 0.9), 2)) for point in _points(seed)]


def _points_and_directions(seed: int) -> Cases:
    """A, W, H, D, G."""
    return [tuple(_matrices(seed + i, (m, n), (m, k), (k, n), (m, k), (k, n))) for i, (m, n, k) in enumerate(SIZES)]


def _starts(seed: int) -> Cases:
    """A, H, η."""
    rng = random.Random(seed)
    return [(A, H, round(rng.uniform(0.01, 0.1), 3)) for A, _, H in _points(seed)]


def _losses(seed: int) -> Cases:
    """f, W, H, h: sums of second and of fourth powers, and steps so large that truncation shows."""
    rng = random.Random(seed)
    powers = (2, 4, 4, 2, 4, 4)
    return [
        (_sum_of_powers(A, power), W, H, round(rng.uniform(0.1, 0.3), 2))
        for power, (A, W, H) in zip(powers, _points(seed), strict=True)
    ]


def _sum_of_powers(A: Tensor, power: int) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda W, H: (W @ H - A).pow(power).sum()


def _gradient(A: Tensor, W: Tensor, H: Tensor) -> tuple[Tensor, Tensor]:
    E = W @ H - A
    return 2 * E @ H.T, 2 * W.T @ E


def _pair(value: Any) -> tuple[Tensor, Tensor] | None:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return None
    one, two = (numbers(part) for part in value)
    return None if one is None or two is None else (one, two)


def _multiple(X: Tensor, Y: Tensor) -> bool:
    """X = c Y, and c is not 0."""
    if X.shape != Y.shape:
        return False
    c = float((X * Y).sum() / Y.square().sum())
    return c != 0 and math.isfinite(c) and same(X, c * Y, 1e-6)


def _transpose_missing(arguments: tuple, value: Any) -> bool:
    """E H in place of E Hᵀ, or W E in place of Wᵀ E: only where H, or W, is square."""
    A, W, H, *_ = arguments
    E, pair = W @ H - A, _pair(value)
    if pair is None:
        return False
    of_W = H.shape[0] == H.shape[1] and _multiple(pair[0], E @ H)
    return of_W or (W.shape[0] == W.shape[1] and _multiple(pair[1], W @ E))


def _transposed(arguments: tuple, value: Any) -> bool:
    """The shape of Wᵀ where that of W is wanted, or that of Hᵀ."""
    pair = _pair(value)
    return pair is not None and any(X.shape == Y.T.shape != Y.shape for X, Y in zip(pair, arguments[1:3], strict=True))


def _one_of_two(value: Any, right: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> bool:
    """One part of the pair is right, the other part is as in `other`."""
    return same(value, (right[0], other[1]), 1e-6) or same(value, (other[0], right[1]), 1e-6)


def _one_sign(arguments: tuple, value: Any) -> bool:
    right = _gradient(*arguments)
    return _one_of_two(value, right, (-right[0], -right[1]))


def _one_factor(arguments: tuple, value: Any) -> bool:
    right = _gradient(*arguments)
    return _one_of_two(value, right, (right[0] / 2, right[1] / 2))


def _one_penalty(arguments: tuple, value: Any) -> bool:
    A, W, H, lam = arguments
    bare = tuple(slope / 2 for slope in _gradient(A, W, H))
    return _one_of_two(value, (bare[0] + lam * W, bare[1] + lam * H), bare)


def _one_number_added(arguments: tuple, value: Any) -> bool:
    """The first term is right, and to each of the two gradients one number is added that is neither 0 nor λ."""
    A, W, H, lam = arguments
    if (pair := _pair(value)) is None:
        return False
    for X, slope in zip(pair, _gradient(A, W, H), strict=True):
        if X.shape != slope.shape:
            return False
        added = X - slope / 2
        c = float(added.mean())
        if not same(added, torch.full_like(added, c), 1e-6) or min(abs(c), abs(c - lam)) < 1e-6:
            return False
    return True


def _matrix_product(arguments: tuple, value: Any) -> bool:
    """All entries of (∂f/∂W)ᵀ D and (∂f/∂H)ᵀ G added up, or of (∂f/∂W) Dᵀ and (∂f/∂H) Gᵀ."""
    *point, D, G = arguments
    of_W, of_H = _gradient(*point)
    sums = (of_W.T @ D).sum() + (of_H.T @ G).sum(), (of_W @ D.T).sum() + (of_H @ G.T).sum()
    return any(same(value, one, 1e-6) for one in sums)


def _close(arguments: tuple, value: Any) -> bool:
    """Near the slope along D and G, but further from it than by rounding."""
    *point, D, G = arguments
    of_W, of_H = _gradient(*point)
    slope = (of_W * D).sum() + (of_H * G).sum()
    return same(value, slope, 1e-4) and not same(value, slope, 1e-12)


def _back_to_W(arguments: tuple, value: Any) -> bool:
    """(f(W + h) − f(W)) / 2h for each entry, where that is not the central quotient."""
    f, W, H, h = arguments
    units = torch.eye(W.numel(), dtype=W.dtype).view(-1, *W.shape)
    return same(value, torch.stack([(f(W + h * unit, H) - f(W, H)) / (2 * h) for unit in units]).view_as(W), 1e-6)


def _all_at_once(arguments: tuple, value: Any) -> bool:
    f, W, H, h = arguments
    return same(value, (f(W + h, H) - f(W - h, H)) / (2 * h), 1e-6)


def _from_E(signature: str) -> Callable[[str], str]:
    """Code of a function that computes E = W H − A and returns what is written for {}."""
    return f"def {signature}:\n    E = W @ H - A\n    return {{}}".format


_my_gradient = _from_E("my_gradient(A, W, H)")
_penalised = _from_E("penalised_gradient(A, W, H, lam)")
_slope = _from_E("slope_along(A, W, H, D, G)")
_step = "import torch\n\n\ndef after_one_step(A, H, eta):\n    return {}".format


def _quotient(body: str) -> str:
    """Code that does this for each entry p, q."""
    head = """
        import torch


        def central_quotient(f, W, H, h):
            X, step, slope = W.clone(), torch.zeros_like(W), torch.zeros_like(W)
            for p in range(W.shape[0]):
                for q in range(W.shape[1]):
    """
    return f"{code(head)}\n{textwrap.indent(code(body), ' ' * 12)}\n    return slope"


EXERCISES = (
    Exercise(
        id="02.1",
        title="Both gradients",
        statement=code(r"""
            Write `my_gradient(A, W, H)` for $f = \|A - W H\|_F^2$ (the sum, no ½). It returns the pair
            $(\partial f/\partial W,\ \partial f/\partial H)$; $W$ is $m \times k$ and $H$ is $k \times n$.
            It must be right for every $m$, $n$ and $k$. Compare it with `by_differences` before you check it.
        """),
        stub=code("""
            def my_gradient(A, W, H):
                return ...
        """),
        solution=code("""
            def my_gradient(A, W, H):
                E = W @ H - A
                return 2 * E @ H.T, 2 * W.T @ E
        """),
        cases=_points,
        hints=(
            "Begin with the residual E. Which grows with W H: A − W H, or W H − A?",
            "W_pq touches row p of E, multiplied by row q of H. So the sum runs over the columns of both.",
            "Put the shapes together: (m×n) with (n×k) for W, (k×m) with (m×n) for H. What must be transposed?",
        ),
        wrong=(
            Wrong(
                "sign",
                _my_gradient("-2 * E @ H.T, -2 * W.T @ E"),
                "The ratio to the quotient is −1: this points downhill. Was E taken as A − W H?",
            ),
            Wrong(
                "no 2",
                _my_gradient("E @ H.T, W.T @ E"),
                "The ratio to the quotient is ½: this is the gradient of half the loss. What does a square leave?",
            ),
            Wrong(
                "mean",
                _my_gradient("2 * E @ H.T / A.numel(), 2 * W.T @ E / A.numel()"),
                "The ratio to the quotient is 1/(mn): this is the gradient of the mean. Our f is the sum.",
            ),
            Wrong(
                "transpose missing",
                _my_gradient("2 * E @ H, 2 * W @ E"),
                "No error where W or H is square, and yet an index sits in the wrong place: a transpose is missing.",
                shows=_transpose_missing,
            ),
            Wrong(
                "exchanged",
                _my_gradient("2 * W.T @ E, 2 * E @ H.T"),
                "Both are right, but they come in the other order: first the one for W.",
                shows=lambda arguments, value: same(value, _gradient(*arguments)[::-1], 1e-6),
            ),
            Wrong(
                "transposed",
                _my_gradient("2 * H @ E.T, 2 * E.T @ W"),
                "A gradient has the shape of what it belongs to. Here rows and columns are exchanged.",
                shows=_transposed,
            ),
            Wrong(
                "one sign",
                _my_gradient("2 * E @ H.T, -2 * W.T @ E"),
                "One of the two is right, the other points the opposite way. Do both use the same E?",
                shows=_one_sign,
            ),
            Wrong(
                "one factor",
                _my_gradient("2 * E @ H.T, W.T @ E"),
                "One of the two is right, the other is half of what it should be. The square is the same for both.",
                shows=_one_factor,
            ),
            Wrong(
                "the norm, not its square",
                _my_gradient("E @ H.T / E.square().sum().sqrt(), W.T @ E / E.square().sum().sqrt()"),
                "This is the gradient of the norm ‖A − W H‖_F. Our f is its square.",
            ),
        ),
        further="Autograd needs no formula, and costs about as much. The formula says why all is 0 where W = H = 0.",
        misconceptions=(15, 16),
    ),
    Exercise(
        id="02.2",
        title="Central quotient",
        statement=code(r"""
            Write `central_quotient(f, W, H, h)`: the central difference quotient of the loss `f(W, H)`,
            $\bigl(f(W_{pq} + h) - f(W_{pq} - h)\bigr) / 2h$ for each entry of $W$, as a matrix of the shape of $W$.
            `W` and `H` must stay as they are. It is tested with other losses than ours, too, and with large $h$.
        """),
        stub=code("""
            def central_quotient(f, W, H, h):
                return ...
        """),
        solution=code("""
            from itertools import product

            import torch


            def central_quotient(f, W, H, h):
                slope = torch.zeros_like(W)
                for p, q in product(*map(range, W.shape)):
                    step = torch.zeros_like(W)
                    step[p, q] = h
                    slope[p, q] = (f(W + step, H) - f(W - step, H)) / (2 * h)
                return slope
        """),
        cases=_losses,
        hints=(
            "Begin with `forward_quotient` of the notebook. What changes, and what stays?",
            "Two losses for each entry: one with the entry at + h, one at − h. All other entries are where they were.",
            "A matrix `step` of zeros, with h in one place, leaves W alone: `W + step` is a new matrix.",
        ),
        wrong=(
            Wrong(
                "forward",
                _quotient("""
                    X[p, q] = W[p, q] + h
                    slope[p, q] = (f(X, H) - f(W, H)) / h
                    X[p, q] = W[p, q]
                """),
                "This goes from W to one side only: the forward quotient. Here its truncation error shows.",
            ),
            Wrong(
                "backward",
                _quotient("""
                    X[p, q] = W[p, q] - h
                    slope[p, q] = (f(W, H) - f(X, H)) / h
                    X[p, q] = W[p, q]
                """),
                "This looks back from W, to one side only. The central quotient looks to both.",
            ),
            Wrong(
                "divided by h",
                _quotient("""
                    step[p, q] = h
                    slope[p, q] = (f(W + step, H) - f(W - step, H)) / h
                    step[p, q] = 0
                """),
                "The two losses are right. How far apart are the two points?",
            ),
            Wrong(
                "/ 2 * h",
                _quotient("""
                    step[p, q] = h
                    slope[p, q] = (f(W + step, H) - f(W - step, H)) / 2 * h
                    step[p, q] = 0
                """),
                "Python reads / 2 * h from left to right: it divides by 2, and then multiplies by h.",
            ),
            Wrong(
                "only back to W",
                _quotient("""
                    X[p, q] += h
                    above = f(X, H)
                    X[p, q] -= h
                    slope[p, q] = (above - f(X, H)) / (2 * h)
                """),
                "The second loss is taken at W itself, not at − h. (A view such as kept = X[p, q] moves with X.)",
                shows=_back_to_W,
            ),
            Wrong(
                "exchanged",
                _quotient("""
                    step[p, q] = h
                    slope[p, q] = (f(W - step, H) - f(W + step, H)) / (2 * h)
                    step[p, q] = 0
                """),
                "Every slope has the opposite sign: which of the two losses comes first?",
            ),
            Wrong(
                "not put back",
                _quotient("""
                    X[p, q] = W[p, q] + h
                    above = f(X, H)
                    X[p, q] = W[p, q] - h
                    slope[p, q] = (above - f(X, H)) / (2 * h)
                """),
                "The first entry is right, the others are not: an entry is not put back before the next one moves.",
            ),
            Wrong(
                "step kept",
                _quotient("""
                    step[p, q] = h
                    slope[p, q] = (f(W + step, H) - f(W - step, H)) / (2 * h)
                """),
                "The step grows: entries of the rounds before still move along with the new one.",
            ),
            Wrong(
                "in place, not put back",
                _quotient("""
                    kept = W[p, q].item()
                    W[p, q] = kept + h
                    above = f(W, H)
                    W[p, q] = kept - h
                    slope[p, q] = (above - f(W, H)) / (2 * h)
                """),
                "It moves the caller's own W and leaves it moved: the slopes after the first belong to another point.",
            ),
            Wrong(
                "put back by adding",
                _quotient("""
                    W[p, q] += h
                    above = f(W, H)
                    W[p, q] -= 2 * h
                    slope[p, q] = (above - f(W, H)) / (2 * h)
                    W[p, q] += h
                """),
                "The slopes are right, but W comes back changed in its last digits: + h − 2h + h rounds.",
            ),
            Wrong(
                "a second name",
                _quotient("""
                    Y = X
                    Y[p, q] = W[p, q] + h
                    slope[p, q] = (f(Y, H) - f(X, H)) / h
                    Y[p, q] = W[p, q]
                """),
                "Every slope is 0: are both losses taken at one point? (Y = X is a second name, not a copy.)",
                shows=lambda arguments, value: same(value, torch.zeros_like(arguments[1]), 1e-6),
            ),
            Wrong(
                "all at once",
                "def central_quotient(f, W, H, h):\n    return (f(W + h, H) - f(W - h, H)) / (2 * h)",
                "W + h moves every entry at once: that gives one number, not a slope for each entry.",
                shows=_all_at_once,
            ),
            Wrong(
                "the derivative",
                code("""
                    import torch


                    def central_quotient(f, W, H, h):
                        X = W.clone().requires_grad_()
                        return torch.autograd.grad(f(X, H), X)[0]
                """),
                "This is the derivative itself. The task is the quotient at this very h, made from losses alone.",
            ),
        ),
        further="For ∂f/∂H no new code is needed: `central_quotient(lambda H, W: f(W, H), H, W, h)`.",
    ),
    Exercise(
        id="02.3",
        title="A start with one zero",
        statement=code(r"""
            Descent on $f = \|A - W H\|_F^2$ starts at $W = 0$ ($m \times k$) and some $H$ ($k \times n$) that is not 0.
            Work out both gradients on paper. Then write `after_one_step(A, H, eta)`: the pair $(W, H)$
            after *one* step of gradient descent with learning rate $\eta$. The arguments must stay as they are.
        """),
        stub=code("""
            def after_one_step(A, H, eta):
                return ...
        """),
        solution=code("""
            def after_one_step(A, H, eta):
                return 2 * eta * A @ H.T, H  # E = -A where W = 0: ∂f/∂W = -2 A Hᵀ and ∂f/∂H = 0
        """),
        cases=_starts,
        hints=(
            "What is the residual E where W = 0?",
            "Put this E and W = 0 into both formulas. One gradient has the factor H, the other the factor W.",
            "Both gradients belong to the old point. So in this step only one of the two moves, and it starts from 0.",
        ),
        wrong=(
            Wrong(
                "nothing moves",
                _step("torch.zeros(A.shape[0], H.shape[0], dtype=A.dtype), H"),
                "Nothing moves only if both gradients are 0. Here ∂f/∂W has the factor H, which is not 0.",
            ),
            Wrong(
                "the new W for H",
                code("""
                    def after_one_step(A, H, eta):
                        W = 2 * eta * A @ H.T
                        return W, H - eta * 2 * W.T @ (W @ H - A)
                """),
                "H was moved with the new W. Both gradients belong to the old point, and there W is 0.",
            ),
            Wrong(
                "uphill",
                _step("-2 * eta * A @ H.T, H"),
                "W went uphill: look at the sign of E where W = 0, and at the minus of the step.",
            ),
            Wrong(
                "no 2",
                _step("eta * A @ H.T, H"),
                "W makes half the step: this belongs to the objective with a ½. Ours has none.",
            ),
            Wrong(
                "mean",
                _step("2 * eta * A @ H.T / A.numel(), H"),
                "W makes a step that is mn times too small: this is the gradient of the mean. Ours is the sum.",
            ),
            Wrong(
                "transpose missing",
                _step("2 * eta * A @ H, H"),
                "Where H is square there is no error, but A H is no gradient: compare its shape for other sizes.",
                shows=lambda arguments, value: (
                    (pair := _pair(value)) is not None
                    and arguments[1].shape[0] == arguments[1].shape[1]
                    and _multiple(pair[0], arguments[0] @ arguments[1])
                ),
            ),
            Wrong(
                "no η",
                _step("2 * A @ H.T, H"),
                "The direction of the step is right. How long it is, the learning rate says.",
            ),
            Wrong(
                "gradients",
                _step("-2 * A @ H.T, torch.zeros_like(H)"),
                "These are the two gradients. The task asks where W and H are after a step along them.",
            ),
            Wrong(
                "changes",
                _step("2 * eta * A @ H.T, torch.zeros_like(H)"),
                "This is how far each of them moves. H does not move: what is it, then, after the step?",
            ),
        ),
        further="In the next step W is not 0, so in general H moves, too. With W = H = 0 neither ever does.",
        misconceptions=(9, 14),
    ),
    Exercise(
        id="02.4",
        title="A penalty",
        statement=code(r"""
            Many books write the objective with halves:
            $\tfrac12 \|A - W H\|_F^2 + \tfrac{\lambda}{2} \bigl(\|W\|_F^2 + \|H\|_F^2\bigr)$.
            Derive both gradients of *this* one, entry by entry.
            Then write `penalised_gradient(A, W, H, lam)`: it returns them as a pair, first that for $W$.
        """),
        stub=code("""
            def penalised_gradient(A, W, H, lam):
                return ...
        """),
        solution=code("""
            def penalised_gradient(A, W, H, lam):
                E = W @ H - A
                return E @ H.T + lam * W, W.T @ E + lam * H
        """),
        cases=_points_and_penalties,
        hints=(
            "A derivative of a sum is the sum of the derivatives: take the two terms one after the other.",
            "Look at one entry: what is the derivative of ½ λ W_pq² with respect to W_pq?",
            "Each ½ cancels a 2. The penalty on H does not depend on W, so each gradient sees only its own factor.",
        ),
        wrong=(
            Wrong(
                "no penalty",
                _penalised("E @ H.T, W.T @ E"),
                "The first term is right. The penalty also changes when W or H does.",
            ),
            Wrong(
                "penalty with minus",
                _penalised("E @ H.T - lam * W, W.T @ E - lam * H"),
                "With this sign the penalty pushes every entry away from 0; it should pull towards 0.",
            ),
            Wrong(
                "2 λ",
                _penalised("E @ H.T + 2 * lam * W, W.T @ E + 2 * lam * H"),
                "The penalty counts twice: it is λ/2 here, and its ½ cancels something.",
            ),
            Wrong(
                "λ/2",
                _penalised("E @ H.T + lam / 2 * W, W.T @ E + lam / 2 * H"),
                "The penalty counts half: the derivative of its square leaves a factor, too.",
            ),
            Wrong(
                "without any half",
                _penalised("2 * E @ H.T + 2 * lam * W, 2 * W.T @ E + 2 * lam * H"),
                "This is the gradient without the halves, as in the course. This objective has two of them.",
            ),
            Wrong(
                "half in the penalty only",
                _penalised("2 * E @ H.T + lam * W, 2 * W.T @ E + lam * H"),
                "The penalty is right. Does the first term of this objective have a ½, too?",
            ),
            Wrong(
                "sign of E",
                _penalised("-E @ H.T + lam * W, -W.T @ E + lam * H"),
                "The penalty is right. The first term pulls the wrong way: is its residual A − W H?",
            ),
            Wrong(
                "λ alone",
                _penalised("E @ H.T + lam, W.T @ E + lam"),
                "Here every entry is pulled equally. A square pulls a large entry harder than a small one.",
            ),
            Wrong(
                "not derived",
                _penalised("E @ H.T + lam / 2 * W.square().sum(), W.T @ E + lam / 2 * H.square().sum()"),
                "One number is added to all entries, such as the penalty itself. Its slope for each entry is wanted.",
                shows=_one_number_added,
            ),
            Wrong(
                "only one penalty",
                _penalised("E @ H.T + lam * W, W.T @ E"),
                "Only one of the two factors is pulled towards 0; the objective has a penalty on both.",
                shows=_one_penalty,
            ),
        ),
        further="It is `Frobenius(A, scale=1 / 2, lam=lam / 2)`; all is half of what the course's f with λ gives.",
        misconceptions=(15,),
    ),
    Exercise(
        id="02.5",
        title="One direction",
        statement=code(r"""
            Move both factors at once, $W$ along $D$ (of the shape of $W$) and $H$ along $G$ (of the shape of $H$):
            $g(t) = f(W + t D,\ H + t G)$ with $f = \|A - W H\|_F^2$.
            Write `slope_along(A, W, H, D, G)`: the one number $g'(0)$, from a formula.
        """),
        stub=code("""
            def slope_along(A, W, H, D, G):
                return ...
        """),
        solution=code("""
            def slope_along(A, W, H, D, G):
                E = W @ H - A
                return (2 * E @ H.T * D).sum() + (2 * W.T @ E * G).sum()
        """),
        cases=_points_and_directions,
        tolerance=1e-12,  # a formula is exact to rounding, a difference quotient is not
        hints=(
            "Each entry moves by its own entry of D or G. Multiply it by its own slope.",
            "The chain rule adds up over all entries of W and of H, as in ⟨X, Y⟩ = Σ X_ij Y_ij.",
            "g′(0) = ⟨∂f/∂W, D⟩ + ⟨∂f/∂H, G⟩.",
        ),
        wrong=(
            Wrong(
                "W only",
                _slope("(2 * E @ H.T * D).sum()"),
                "This is the slope while H stands still. Both factors move.",
            ),
            Wrong(
                "H only",
                _slope("(2 * W.T @ E * G).sum()"),
                "This is the slope while W stands still. Both factors move.",
            ),
            Wrong(
                "multiplied",
                _slope("(2 * E @ H.T * D).sum() * (2 * W.T @ E * G).sum()"),
                "Both parts are right, but how do the effects of two small moves combine?",
            ),
            Wrong(
                "no 2",
                _slope("(E @ H.T * D).sum() + (W.T @ E * G).sum()"),
                "It is half the slope: our f has no ½, so the 2 of the square stays.",
            ),
            Wrong(
                "sign",
                _slope("-(2 * E @ H.T * D).sum() - (2 * W.T @ E * G).sum()"),
                "It has the opposite sign: does the residual start with W H or with A?",
            ),
            Wrong(
                "D and G forgotten",
                _slope("(2 * E @ H.T).sum() + (2 * W.T @ E).sum()"),
                "This is the slope if every entry moves by 1. Here each moves by its own entry of D or G.",
            ),
            Wrong(
                "a whole step",
                _slope("(A - (W + D) @ (H + G)).square().sum() - E.square().sum()"),
                "This is g(1) − g(0), the change over a whole step. The slope at 0 is the limit for small t.",
            ),
            Wrong(
                "matrix product",
                _slope("(2 * H @ E.T @ D).sum() + (2 * E.T @ W @ G).sum()"),
                "A matrix product pairs entries that do not belong together. Each slope meets its own entry only.",
                shows=_matrix_product,
            ),
            Wrong(
                "the square kept",
                _slope("2 * (E * (D @ H + W @ G)).sum() + (D @ H + W @ G).square().sum()"),
                "A part of this belongs to t². At t = 0 a square has no slope: only what is linear in t counts.",
            ),
            Wrong(
                "D with G",
                _slope("2 * (E * (D @ G)).sum()"),
                "D G comes with t², and has no slope at t = 0. Which parts of the product have a single t?",
            ),
            Wrong(
                "a quotient",
                code("""
                    def slope_along(A, W, H, D, G):
                        def g(t):
                            return (A - (W + t * D) @ (H + t * G)).square().sum()

                        return (g(1e-6) - g(-1e-6)) / 2e-6
                """),
                "Close, but not to all digits: a difference quotient is approximate. Two gradients give it exactly.",
                shows=_close,
            ),
            Wrong(
                "per unit of length",
                _slope(
                    "((2 * E @ H.T * D).sum() + (2 * W.T @ E * G).sum()) / (D.square().sum() + G.square().sum()).sqrt()"
                ),
                "This is the slope per unit of length. In g the parameter is t, and D and G count as long as they are.",
            ),
        ),
        further="g has degree 4 in t, so g‴ is not 0 in general: the error of its central quotient has a right branch.",
        misconceptions=(15,),
    ),
)

QUIZ: tuple[QuizQuestion, ...] = (
    QuizQuestion(
        "At a minimum of f your formula and a difference quotient are both 0 to ten digits. What does that prove?",
        (
            Choice("The formula is right.", "A formula with the wrong sign is 0 there, too. Check at random W and H."),
            Choice(
                "The step h was well chosen.",
                "At a minimum our f rises equally to both sides of an entry: there the central one is 0 for every h.",
            ),
            Choice(
                "Little: with a wrong sign or factor it would be 0 there as well.",
                "Yes. Check at random W and H, where the gradient is large, and where m, n and k differ.",
                right=True,
            ),
        ),
        misconceptions=(15,),
    ),
    QuizQuestion(
        "For the forward quotient, why is h = 1e-13 worse than h = 1e-8 (float64, f and its slopes of size 1)?",
        (
            Choice(
                "Two nearly equal losses are subtracted, and their rounding is divided by h.",
                "Yes: the losses are off by about 1e-16, so the quotient by about 1e-3.",
                right=True,
            ),
            Choice(
                "The chord then differs more from the tangent.",
                "The other way round: that error, truncation, shrinks with h.",
            ),
            Choice(
                "float64 cannot hold a number as small as 1e-13.",
                "It holds far smaller ones. But a loss of size 1 has only about 16 digits.",
            ),
        ),
    ),
    QuizQuestion(
        "On the toy, k = 2, every entry of W and H starts at ½. Where does descent end, with η = 0.05?",
        (
            Choice("It never moves.", "That is the start of zeros. From ½ the gradients are not 0."),
            Choice(
                "Near 0.1672, the lowest loss of rank 1.",
                "Yes. The two patterns stay equal in every step, so they do the work of one.",
                right=True,
            ),
            Choice("Near 0: with k = 2 it can be met exactly.", "It could, but equal patterns get equal gradients."),
        ),
        misconceptions=(9,),
    ),
    QuizQuestion(
        "You replace the sum of squares by mse_loss, the mean; A is 4×2. Which learning rate makes the same step?",
        (
            Choice("The same: the minimum is the same.", "The minimum is, but the gradient is 8 times smaller."),
            Choice(
                "An 8 times smaller one.",
                "The gradient is 8 times smaller already: the step would be 64 times smaller.",
            ),
            Choice("One that is √8 times larger.", "No root is taken: the mean is the sum divided by 8."),
            Choice(
                "An 8 times larger one.",
                "Yes: the mean has a gradient mn = 8 times smaller, and η makes up for it.",
                right=True,
            ),
        ),
        misconceptions=(4, 16),
    ),
    QuizQuestion(
        "A program moves W first, and computes the gradient for H with the new W. What is true?",
        (
            Choice(
                "It is gradient descent: the order does not matter.",
                "Already after one step H is another one. In gradient descent both gradients belong to one point.",
            ),
            Choice(
                "It cannot lower the loss.",
                "It can, and it can work well. It is only not the algorithm of this notebook.",
            ),
            Choice(
                "It is another algorithm, which moves the factors in turn.",
                "Yes. Its gradient for H belongs to a point where W has moved already.",
                right=True,
            ),
        ),
        misconceptions=(14,),
    ),
)
