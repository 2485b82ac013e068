"""Exercises of notebook 04."""

import numpy as np
import torch
from torch import Tensor

from .exercise import Choice, Exercise, QuizQuestion, Wrong, code, numbers


def _uniform(seed: int, *shapes: tuple[int, int], low: float = 0.0, high: float = 1.0) -> list[Tensor]:
    """Random matrices of these shapes, with entries from low to high."""
    generator = torch.Generator().manual_seed(seed)
    return [low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float64) for shape in shapes]


# --- 04.1: the training loop ---


def _starts(seed: int) -> list[tuple]:
    """A, W, H, η and a number of steps. Where all sizes are 3 no product fails for its shapes; one case is one step."""
    sizes = [(4, 2, 1, 0.1, 12), (4, 2, 2, 0.3, 7), (3, 3, 3, 0.2, 1), (5, 3, 2, 0.2, 10), (3, 6, 4, 0.15, 5)]
    cases = []
    for i, (m, n, k, eta, steps) in enumerate([*sizes, (3, 3, 3, 0.1, 9)]):
        (A,) = _uniform(80 * seed + i, (m, n), low=1, high=5)
        cases.append((A, *_uniform(80 * seed + 40 + i, (m, k), (k, n)), eta, steps))
    return cases


_LOOP = Exercise(
    id="04.1",
    title="The training loop",
    statement=(
        "Write `train(A, W, H, eta, steps)`: the loop of section 1, from the start `W`, `H`, with `mse_loss`, but with "
        "`torch.optim.SGD` as its optimizer and the learning rate `eta`.\n"
        "Return `W` and `H` after that many steps. Train copies: the caller's `W` and `H` must stay as they were."
    ),
    stub=code("""
        def train(A, W, H, eta, steps):
            return ...
    """),
    solution=code("""
        import torch

        def train(A, W, H, eta, steps):
            W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
            optimizer = torch.optim.SGD([W, H], lr=eta)
            for _ in range(steps):
                optimizer.zero_grad()
                loss = torch.nn.functional.mse_loss(W @ H, A)
                loss.backward()
                optimizer.step()
            return W.detach(), H.detach()
    """),
    cases=_starts,
    hints=(
        "Parameters first: a copy of each factor, for which PyTorch keeps track of what is computed. `clone` copies.",
        "The optimizer gets the list of both parameters. Each round of the loop has the four lines of section 1, "
        "without the report.",
        "Forget the old gradients, compute the loss, `backward`, `step`: in this order, all four inside the loop.",
    ),
    wrong=(
        Wrong(
            "no zero_grad",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
                    optimizer = torch.optim.SGD([W, H], lr=eta)
                    for _ in range(steps):
                        torch.nn.functional.mse_loss(W @ H, A).backward()
                        optimizer.step()
                    return W.detach(), H.detach()
            """),
            "The first step is right, the later ones are not: each follows the sum of all gradients so far. `backward` "
            "adds to what is already in `.grad`.",
        ),
        Wrong(
            "step finds no gradient",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
                    optimizer = torch.optim.SGD([W, H], lr=eta)
                    for _ in range(steps):
                        optimizer.zero_grad()
                        optimizer.step()
                        torch.nn.functional.mse_loss(W @ H, A).backward()
                    return W.detach(), H.detach()
            """),
            "These are the factors of the start: nothing has moved. Whenever `step` looked, there was no gradient. "
            "In which order do forgetting, differentiating and stepping come?",
        ),
        Wrong(
            "one step too few",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
                    optimizer = torch.optim.SGD([W, H], lr=eta)
                    for _ in range(steps):
                        optimizer.step()
                        optimizer.zero_grad()
                        torch.nn.functional.mse_loss(W @ H, A).backward()
                    return W.detach(), H.detach()
            """),
            "The factors are one step behind. Either the loop makes a round too few, "
            "or its last gradient is never used.",
        ),
        Wrong(
            "one step too many",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
                    optimizer = torch.optim.SGD([W, H], lr=eta)
                    for _ in range(steps + 1):
                        optimizer.zero_grad()
                        torch.nn.functional.mse_loss(W @ H, A).backward()
                        optimizer.step()
                    return W.detach(), H.detach()
            """),
            "The factors are one step ahead. How many rounds does the loop make?",
        ),
        Wrong(
            "returns from inside the loop",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
                    optimizer = torch.optim.SGD([W, H], lr=eta)
                    for _ in range(steps):
                        optimizer.zero_grad()
                        torch.nn.functional.mse_loss(W @ H, A).backward()
                        optimizer.step()
                        return W.detach(), H.detach()
            """),
            "These are the factors after a single step, however large `steps` is. A `return` inside the loop ends it "
            "in the first round.",
        ),
        Wrong(
            "trains the caller's tensors",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W.requires_grad_(), H.requires_grad_()
                    optimizer = torch.optim.SGD([W, H], lr=eta)
                    for _ in range(steps):
                        optimizer.zero_grad()
                        torch.nn.functional.mse_loss(W @ H, A).backward()
                        optimizer.step()
                    return W.detach(), H.detach()
            """),
            "The factors are right, but the caller's W and H were trained too: "
            "an optimizer writes into the tensors it is given.",
        ),
        Wrong(
            "the sum",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
                    optimizer = torch.optim.SGD([W, H], lr=eta)
                    for _ in range(steps):
                        optimizer.zero_grad()
                        (W @ H - A).square().sum().backward()
                        optimizer.step()
                    return W.detach(), H.detach()
            """),
            "This descends on the sum of the squares. `mse_loss` is their mean, "
            "and the same η makes a smaller step on it.",
        ),
        Wrong(
            "Adam",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
                    optimizer = torch.optim.Adam([W, H], lr=eta)
                    for _ in range(steps):
                        optimizer.zero_grad()
                        torch.nn.functional.mse_loss(W @ H, A).backward()
                        optimizer.step()
                    return W.detach(), H.detach()
            """),
            "This is the walk of Adam. The same η makes other steps in another rule; "
            "here plain gradient descent is asked for.",
        ),
        Wrong(
            "only W is trained",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
                    optimizer = torch.optim.SGD([W], lr=eta)
                    for _ in range(steps):
                        optimizer.zero_grad()
                        torch.nn.functional.mse_loss(W @ H, A).backward()
                        optimizer.step()
                    return W.detach(), H.detach()
            """),
            "H has not moved. An optimizer moves only the parameters in its list.",
        ),
        Wrong(
            "a result as parameter",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.requires_grad_() * 1, H.requires_grad_() * 1
                    optimizer = torch.optim.SGD([W, H], lr=eta)
                    for _ in range(steps):
                        optimizer.zero_grad()
                        torch.nn.functional.mse_loss(W @ H, A).backward()
                        optimizer.step()
                    return W.detach(), H.detach()
            """),
            "The optimizer refuses what it was given. It takes a list of parameters, and a tensor that was computed "
            "from another one that requires gradients is a result, not a parameter.",
        ),
        Wrong(
            "no way back from the loss",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.clone(), H.clone()
                    optimizer = torch.optim.SGD([W, H], lr=eta)
                    for _ in range(steps):
                        optimizer.zero_grad()
                        torch.nn.functional.mse_loss(W @ H, A).backward()
                        optimizer.step()
                    return W, H
            """),
            "PyTorch stops. The factors must require gradients, nothing (`detach`, `no_grad`) may cut the way from the "
            "loss back to them, and only the optimizer may change them.",
        ),
        Wrong(
            "the loss before the loop",
            code("""
                import torch

                def train(A, W, H, eta, steps):
                    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
                    optimizer = torch.optim.SGD([W, H], lr=eta)
                    loss = torch.nn.functional.mse_loss(W @ H, A)
                    for _ in range(steps):
                        optimizer.zero_grad()
                        loss.backward()
                        optimizer.step()
                    return W.detach(), H.detach()
            """),
            "One step works, a second one stops with an error: `backward` can go back through a computation only once. "
            "The loss must be computed anew from the moved factors.",
        ),
    ),
    further=(
        "Replace `SGD` by `Adam` in one word, and you have the classic program: "
        "the loop does not know which rule it serves."
    ),
    misconceptions=(5, 16),
)

# --- 04.2: the lowest loss ---


def _losses(A: np.ndarray, k: int, fraction: float, steps: int, draw: np.random.Generator) -> np.ndarray:
    """The losses of a descent of rank k on A at η = fraction η*, before the first step and after each."""
    W, H = draw.uniform(0, 1, (len(A), k)), draw.uniform(0, 1, (k, A.shape[1]))
    eta, losses = fraction / (2 * np.linalg.norm(A, 2)), []
    with np.errstate(all="ignore"):
        for _ in range(steps + 1):
            E = W @ H - A
            losses.append(np.square(E).sum())
            W, H = W - 2 * eta * E @ H.T, H - 2 * eta * W.T @ E
    return np.array(losses)


def _descents(seed: int) -> list[tuple]:
    """A, k and losses: walks that arrive, that are cut off before, that bounce, and that diverge."""
    draw = np.random.default_rng(seed)
    walks = [(4, 2, 1, 0.6, 300), (5, 4, 1, 0.5, 300), (3, 6, 2, 0.7, 400), (6, 5, 2, 0.6, 400)]
    walks += [(5, 4, 3, 0.6, 12), (4, 5, 1, 1.2, 200), (4, 4, 2, 2.5, 100)]
    cases = []
    for m, n, k, fraction, steps in walks:
        rank = min(m, n)
        U, V = (np.linalg.qr(draw.standard_normal((rows, rank)))[0] for rows in (m, n))
        A = U * np.array([7.0, 5.0, 3.0, 2.0, 1.5])[:rank] @ V.T
        cases.append((torch.from_numpy(A), k, torch.from_numpy(_losses(A, k, fraction, steps, draw))))
    return cases


def _expects_zero(arguments: tuple, value: object) -> bool:
    """Whether 0 is taken for the lowest loss, where not even rank k + 1 reaches it."""
    A, k, _ = arguments
    if not isinstance(value, (tuple, list)) or len(value) != 2 or (lowest := numbers(value[0])) is None:
        return False
    return k + 1 < min(A.shape) and lowest.numel() == 1 and float(lowest) == 0.0


_FLOOR = Exercise(
    id="04.2",
    title="Has it arrived?",
    statement=(
        "A descent of rank `k` on `A` had the losses `losses`, a tensor: "
        "`losses[t]` is $\\|A - W H\\|_F^2$ after t steps.\n"
        "Write `arrival(A, k, losses)` that returns two things: the lowest loss that rank k can reach, and the first t "
        "whose loss is less than `1e-6` away from it, or `None` if there is none. `k` is below the rank of `A`."
    ),
    stub=code("""
        def arrival(A, k, losses):
            return ...
    """),
    solution=code("""
        import torch

        def arrival(A, k, losses):
            lowest = torch.linalg.svdvals(A)[k:].square().sum()
            arrived = (losses - lowest).abs() < 1e-6
            return lowest, int(arrived.nonzero()[0]) if arrived.any() else None
    """),
    cases=_descents,
    hints=(
        "The lowest loss is a property of A and k; no descent is needed for it. `lowest_loss` from the first cell "
        "computes it.",
        "By hand: it is the sum of the squares of the singular values that rank k has to leave out.",
        "Compare all losses with it at once, and take the first place where the comparison is true. What happens when "
        "there is no such place?",
    ),
    wrong=(
        Wrong(
            "expects 0",
            code("""
                def arrival(A, k, losses):
                    arrived = losses < 1e-6
                    return 0.0, int(arrived.nonzero()[0]) if arrived.any() else None
            """),
            "This waits for a loss of 0. A product of rank k cannot be equal to a matrix of a higher rank: something "
            "is always left over. How much?",
            shows=_expects_zero,
        ),
        Wrong(
            "not squared",
            code("""
                import torch

                def arrival(A, k, losses):
                    lowest = torch.linalg.svdvals(A)[k:].sum()
                    arrived = (losses - lowest).abs() < 1e-6
                    return lowest, int(arrived.nonzero()[0]) if arrived.any() else None
            """),
            "The right singular values are added up, but the loss is a sum of squares.",
        ),
        Wrong(
            "only the next one",
            code("""
                import torch

                def arrival(A, k, losses):
                    lowest = torch.linalg.svdvals(A)[k] ** 2
                    arrived = (losses - lowest).abs() < 1e-6
                    return lowest, int(arrived.nonzero()[0]) if arrived.any() else None
            """),
            "Right where rank k leaves out a single direction. Where it leaves out several, "
            "all of them are missing in the product.",
        ),
        Wrong(
            "one left out too few",
            code("""
                import torch

                def arrival(A, k, losses):
                    lowest = torch.linalg.svdvals(A)[k + 1 :].square().sum()
                    arrived = (losses - lowest).abs() < 1e-6
                    return lowest, int(arrived.nonzero()[0]) if arrived.any() else None
            """),
            "This is the lowest loss of rank k + 1. Python counts from 0: at which place does the first singular value "
            "stand that is left out?",
        ),
        Wrong(
            "what is kept",
            code("""
                import torch

                def arrival(A, k, losses):
                    lowest = torch.linalg.svdvals(A)[:k].square().sum()
                    arrived = (losses - lowest).abs() < 1e-6
                    return lowest, int(arrived.nonzero()[0]) if arrived.any() else None
            """),
            "That is what the first k directions contribute to ‖A‖². The loss is what remains.",
        ),
        Wrong(
            "the norm, not its square",
            code("""
                import torch

                def arrival(A, k, losses):
                    lowest = torch.linalg.svdvals(A)[k:].square().sum().sqrt()
                    arrived = (losses - lowest).abs() < 1e-6
                    return lowest, int(arrived.nonzero()[0]) if arrived.any() else None
            """),
            "This is the Frobenius norm of the smallest residual. The loss of this course is its square.",
        ),
        Wrong(
            "the mean",
            code("""
                import torch

                def arrival(A, k, losses):
                    lowest = torch.linalg.svdvals(A)[k:].square().sum() / A.numel()
                    arrived = (losses - lowest).abs() < 1e-6
                    return lowest, int(arrived.nonzero()[0]) if arrived.any() else None
            """),
            "This is the lowest mean of the squares, as `mse_loss` would show it. The losses here are sums.",
        ),
        Wrong(
            "the lowest on the way",
            code("""
                def arrival(A, k, losses):
                    lowest = losses.min()
                    arrived = (losses - lowest).abs() < 1e-6
                    return lowest, int(arrived.nonzero()[0]) if arrived.any() else None
            """),
            "The smallest loss of a walk says how far that walk came, not how far one can come. Some of these walks "
            "were stopped too soon, bounce or diverge.",
        ),
        Wrong(
            "counts from 1",
            code("""
                import torch

                def arrival(A, k, losses):
                    lowest = torch.linalg.svdvals(A)[k:].square().sum()
                    arrived = (losses - lowest).abs() < 1e-6
                    return lowest, int(arrived.nonzero()[0]) + 1 if arrived.any() else None
            """),
            "The lowest loss is right, and the step is one too late: `losses[0]` belongs to the start, after 0 steps.",
        ),
        Wrong(
            "never is not 0",
            code("""
                import torch

                def arrival(A, k, losses):
                    lowest = torch.linalg.svdvals(A)[k:].square().sum()
                    return lowest, int(((losses - lowest).abs() < 1e-6).int().argmax())
            """),
            "Right where the walk arrives. Where it never does, this says step 0, that is: at once. `argmax` of "
            "nothing but zeros is 0.",
        ),
        Wrong(
            "never is not expected",
            code("""
                import torch

                def arrival(A, k, losses):
                    lowest = torch.linalg.svdvals(A)[k:].square().sum()
                    return lowest, int(((losses - lowest).abs() < 1e-6).nonzero()[0])
            """),
            "Right where the walk arrives. Some walks never do, and then there is no first place to ask for.",
        ),
    ),
    further=(
        "With the floor known, a log can be read without a second run: down to the floor it takes more steps or "
        "another η, below it only a larger k."
    ),
    misconceptions=(6, 16),
)

# --- 04.3: one step of Adam ---


def _moments(seed: int) -> list[tuple]:
    """θ, g, u, s, t and η: first steps and later ones; one column of g is zero, one is tiny."""
    cases = []
    for i, (m, k, t, eta) in enumerate(
        [(4, 2, 1, 0.01), (2, 5, 1, 0.3), (3, 3, 2, 0.05), (6, 2, 7, 0.1), (1, 4, 60, 0.02)]
    ):
        theta, g, u, s = _uniform(60 * seed + i, *[(m, k)] * 4, low=0.2)
        g = 3 * g - 1.5
        if t == 1:
            u, s = torch.zeros_like(u), torch.zeros_like(s)
            g[:, 0], g[:, 1] = 0.0, 2e-8 * theta[:, 1]
        cases.append((theta, g, u - 0.5 * (t > 1), s, t, eta))
    return cases


_ADAM = Exercise(
    id="04.3",
    title="One step of Adam",
    statement=(
        "Write `adam_step(theta, g, u, s, t, eta)`: step number `t` of Adam (the first one has `t = 1`), with the "
        "table of section 5, $\\beta_1 = 0.9$, $\\beta_2 = 0.999$, $\\varepsilon = 10^{-8}$.\n"
        "`theta`, its gradient `g` and the averages `u` and `s` so far are tensors of one shape. Return the new "
        "`theta`, `u` and `s`, and leave the arguments as they were."
    ),
    stub=code("""
        def adam_step(theta, g, u, s, t, eta):
            return ...
    """),
    solution=code("""
        def adam_step(theta, g, u, s, t, eta):
            u = 0.9 * u + 0.1 * g
            s = 0.999 * s + 0.001 * g**2
            mean, square = u / (1 - 0.9**t), s / (1 - 0.999**t)
            return theta - eta * mean / (square.sqrt() + 1e-8), u, s
    """),
    cases=_moments,
    hints=(
        "First the two running averages: u of the gradients, s of their squares. Each keeps most of the old value.",
        "The hats belong to this step only: u/(1 − β₁ᵗ) and s/(1 − β₂ᵗ). What is returned as u and s has no hat.",
        "Then θ − η û / (√ŝ + ε), entry by entry, with the new u and s, and ε outside the root.",
    ),
    wrong=(
        Wrong(
            "no hats",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u = 0.9 * u + 0.1 * g
                    s = 0.999 * s + 0.001 * g**2
                    return theta - eta * u / (s.sqrt() + 1e-8), u, s
            """),
            "u and s are right, but they start from 0, and in the first steps they are far too small for averages. "
            "What makes up for that is missing.",
        ),
        Wrong(
            "ε inside the root",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u = 0.9 * u + 0.1 * g
                    s = 0.999 * s + 0.001 * g**2
                    return theta - eta * u / (1 - 0.9**t) / (s / (1 - 0.999**t) + 1e-8).sqrt(), u, s
            """),
            "Where gradients are tiny the steps are too short: under the root an ε of 1e-8 acts like one of 1e-4. "
            "Where does the table put it?",
        ),
        Wrong(
            "no root",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u = 0.9 * u + 0.1 * g
                    s = 0.999 * s + 0.001 * g**2
                    return theta - eta * u / (1 - 0.9**t) / (s / (1 - 0.999**t) + 1e-8), u, s
            """),
            "u and s are right. But s averages squares, and the step is divided by it without a root: so it gets long "
            "where gradients are small.",
        ),
        Wrong(
            "no ε",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u = 0.9 * u + 0.1 * g
                    s = 0.999 * s + 0.001 * g**2
                    return theta - eta * u / (1 - 0.9**t) / (s / (1 - 0.999**t)).sqrt(), u, s
            """),
            "An entry with gradient 0 becomes `nan`: 0 divided by 0. The rule has a small number against that.",
        ),
        Wrong(
            "hats are kept",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u = (0.9 * u + 0.1 * g) / (1 - 0.9**t)
                    s = (0.999 * s + 0.001 * g**2) / (1 - 0.999**t)
                    return theta - eta * u / (s.sqrt() + 1e-8), u, s
            """),
            "θ is right, but u and s are returned with their hats. The next step would correct them a second time.",
        ),
        Wrong(
            "g not squared",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u = 0.9 * u + 0.1 * g
                    s = 0.999 * s + 0.001 * g
                    return theta - eta * u / (1 - 0.9**t) / ((s / (1 - 0.999**t)).sqrt() + 1e-8), u, s
            """),
            "u is right, s is not: it averages the gradients themselves a second time, and a negative average has no "
            "root. What is averaged in s has no sign.",
        ),
        Wrong(
            "β exchanged",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u = 0.999 * u + 0.001 * g
                    s = 0.9 * s + 0.1 * g**2
                    return theta - eta * u / (1 - 0.999**t) / ((s / (1 - 0.9**t)).sqrt() + 1e-8), u, s
            """),
            "The two β are exchanged: the average of the squares is the one with the longer memory.",
        ),
        Wrong(
            "no 1 − β",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u = 0.9 * u + g
                    s = 0.999 * s + g**2
                    return theta - eta * u / (1 - 0.9**t) / ((s / (1 - 0.999**t)).sqrt() + 1e-8), u, s
            """),
            "Here u and s are sums, as the v of momentum. In Adam they are averages: "
            "the weights of old and new add up to 1.",
        ),
        Wrong(
            "upwards",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u = 0.9 * u + 0.1 * g
                    s = 0.999 * s + 0.001 * g**2
                    return theta + eta * u / (1 - 0.9**t) / ((s / (1 - 0.999**t)).sqrt() + 1e-8), u, s
            """),
            "u and s are right, but θ goes up the slope: the length of the step is right, its sign is not.",
        ),
        Wrong(
            "the old averages",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    theta = theta - eta * u / (1 - 0.9**t) / ((s / (1 - 0.999**t)).sqrt() + 1e-8)
                    return theta, 0.9 * u + 0.1 * g, 0.999 * s + 0.001 * g**2
            """),
            "θ has moved along the old averages, which do not know this gradient yet. "
            "In the first step it does not move at all.",
        ),
        Wrong(
            "averages not returned",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    mean = (0.9 * u + 0.1 * g) / (1 - 0.9**t)
                    square = (0.999 * s + 0.001 * g**2) / (1 - 0.999**t)
                    return theta - eta * mean / (square.sqrt() + 1e-8), u, s
            """),
            "θ is right, but u and s come back as they went in: the next step would not know this gradient.",
        ),
        Wrong(
            "t counted from 0",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u = 0.9 * u + 0.1 * g
                    s = 0.999 * s + 0.001 * g**2
                    return theta - eta * u / (1 - 0.9 ** (t + 1)) / ((s / (1 - 0.999 ** (t + 1))).sqrt() + 1e-8), u, s
            """),
            "u and s are right, but the hats are those of the next step. Here the first step already has t = 1.",
        ),
        Wrong(
            "writes into u and s",
            code("""
                def adam_step(theta, g, u, s, t, eta):
                    u.mul_(0.9).add_(0.1 * g)
                    s.mul_(0.999).add_(0.001 * g**2)
                    return theta - eta * u / (1 - 0.9**t) / ((s / (1 - 0.999**t)).sqrt() + 1e-8), u, s
            """),
            "The numbers are right, but the caller's u and s have changed: "
            "a method whose name ends in `_` writes in place.",
        ),
    ),
    further=(
        "In the first step û/√ŝ is g/|g|: every entry with a gradient well above ε moves by η, "
        "however steep or flat it is there."
    ),
    misconceptions=(5,),
)

# --- 04.4: A times c ---


def _rates(seed: int) -> list[tuple]:
    """Rules, learning rates and factors c above and below 1."""
    draw = np.random.default_rng(seed)
    first, second = (round(float(x), 1) for x in draw.uniform(2, 50, 2))
    cases = [
        (rule, round(float(draw.uniform(0.005, 0.1)), 3), first) for rule in ("gradient descent", "momentum", "Adam")
    ]
    cases += [("gradient descent", 0.02, 0.25), ("momentum", 0.01, second), ("Adam", 0.05, 0.3), ("Adam", 0.01, 10.0)]
    return cases


_SCALE = Exercise(
    id="04.4",
    title="A times c: which η must change?",
    statement=(
        "A descent on `A` with the learning rate `eta` has some `W` and `H` after each step. The same rule now "
        "descends on `c` times `A`, from a start with all entries $\\sqrt c$ times larger.\n"
        "Write `eta_for(rule, eta, c)`: the learning rate with which its `W` and `H` are $\\sqrt c$ times those of the "
        "first descent after every step. "
        '`rule` is `"gradient descent"`, `"momentum"` or `"Adam"` (leave its tiny ε aside), and c > 0.'
    ),
    stub=code("""
        def eta_for(rule, eta, c):
            return ...
    """),
    solution=code("""
        def eta_for(rule, eta, c):
            return eta * c**0.5 if rule == "Adam" else eta / c
    """),
    cases=_rates,
    hints=(
        "All entries are √c times larger, so each step must be √c times longer.",
        "How much larger is the gradient 2 E Hᵀ? E is c times larger, H is √c times larger.",
        "Gradient descent and momentum multiply the gradient by η: η times c √c must be √c times the old η. Adam "
        "divides the size of the gradient away: what is left of its step is η.",
    ),
    wrong=(
        Wrong(
            "the same η",
            code("""
                def eta_for(rule, eta, c):
                    return eta
            """),
            "No η fits all data. In gradient descent a step is η times the gradient, and the gradient grows with A; in "
            "Adam the way to go grows, and a step does not.",
        ),
        Wrong(
            "Adam like gradient descent",
            code("""
                def eta_for(rule, eta, c):
                    return eta / c
            """),
            "Right for two of the rules. In Adam the size of the gradient cancels, so a larger gradient is no reason "
            "for a smaller η. And how long is the way now?",
        ),
        Wrong(
            "Adam unchanged",
            code("""
                def eta_for(rule, eta, c):
                    return eta if rule == "Adam" else eta / c
            """),
            "Gradient descent and momentum are right. Adam does not feel a factor in the gradient, true, but the "
            "factors W and H have changed in size, and its steps have not.",
        ),
        Wrong(
            "Adam by c",
            code("""
                def eta_for(rule, eta, c):
                    return eta * c if rule == "Adam" else eta / c
            """),
            "Gradient descent and momentum are right. In Adam η is a length in W and H. By how much do W and H grow "
            "when their product grows by c?",
        ),
        Wrong(
            "by the square of c",
            code("""
                def eta_for(rule, eta, c):
                    return eta * c**0.5 if rule == "Adam" else eta / c**2
            """),
            "Adam is right. The loss grows by c², but a step does not follow the loss: it follows the gradient, which "
            "is a product of E and a factor.",
        ),
        Wrong(
            "the gradient alone",
            code("""
                def eta_for(rule, eta, c):
                    return eta * c**0.5 if rule == "Adam" else eta / c**1.5
            """),
            "Adam is right. The gradient grows by c √c, as you say; but with this η the steps stay as long as they "
            "were, and the walk has become larger.",
        ),
        Wrong(
            "by the root of c",
            code("""
                def eta_for(rule, eta, c):
                    return eta * c**0.5 if rule == "Adam" else eta / c**0.5
            """),
            "Adam is right. In the other two look at the gradient 2 E Hᵀ again: E grows as well, not H alone.",
        ),
        Wrong(
            "momentum like Adam",
            code("""
                def eta_for(rule, eta, c):
                    return eta / c if rule == "gradient descent" else eta * c**0.5
            """),
            "Two of three are right. Momentum adds up gradients, it does not divide by their size: ten times the "
            "gradient is ten times the step.",
        ),
        Wrong(
            "upside down",
            code("""
                def eta_for(rule, eta, c):
                    return eta / c**0.5 if rule == "Adam" else eta * c
            """),
            "The other way round: with a larger A the gradient is larger already, and in Adam the way is longer.",
        ),
    ),
    further="η* = 1/(2σ₁) says the same: σ₁ of c times A is c times larger, and η* falls to a c-th.",
    misconceptions=(4, 5),
)

# --- 04.5: two seeds, one product ---


def _pairs(seed: int) -> list[tuple]:
    """Two factorizations of one matrix, (W G)(G⁻¹ H); H is square in some cases only."""
    cases = []
    for i, (m, n, k) in enumerate([(4, 2, 2), (5, 3, 2), (3, 6, 2), (6, 4, 3), (5, 3, 3), (7, 5, 4)]):
        W, H, G = _uniform(90 * seed + i, (m, k), (k, n), (k, k))
        G = G + torch.diag(torch.arange(1.0, k + 1, dtype=torch.float64)).roll(1, 0)  # and in another order
        cases.append((W, H, W @ G, torch.linalg.solve(G, H)))
    return cases


_LINK = Exercise(
    id="04.5",
    title="Two seeds, one product",
    statement=(
        "Two runs have found different factors with the same product, `W1 @ H1` equal to `W2 @ H2`. Both W have "
        "independent columns, both H independent rows.\n"
        "Write `link(W1, H1, W2, H2)`: the k×k matrix `G` with `W1 @ G` equal to `W2` and `G @ H2` equal to `H1`.\n"
        "H may be square, as in the toy example, or not."
    ),
    stub=code("""
        def link(W1, H1, W2, H2):
            return ...
    """),
    solution=code("""
        import torch

        def link(W1, H1, W2, H2):
            return torch.linalg.lstsq(W1, W2).solution
    """),
    cases=_pairs,
    hints=(
        "W1 @ G = W2 is a linear system for each column of G: more equations than unknowns, but they agree.",
        "A matrix with independent columns has no inverse if it is not square, but `torch.linalg.pinv` and "
        "`torch.linalg.lstsq` can solve with it.",
        "The second equation, G @ H2 = H1, then holds by itself: both products are the same.",
    ),
    wrong=(
        Wrong(
            "the way back",
            code("""
                import torch

                def link(W1, H1, W2, H2):
                    return torch.linalg.lstsq(W2, W1).solution
            """),
            "This leads from the second run to the first: it is the inverse of what is asked for.",
        ),
        Wrong(
            "only where H is square",
            code("""
                import torch

                def link(W1, H1, W2, H2):
                    return H1 @ torch.linalg.inv(H2)
            """),
            "Right where H is square; elsewhere it stops with an error, for only square matrices have an inverse. "
            "What solves a system with more equations than unknowns?",
        ),
        Wrong(
            "as if the columns were orthonormal",
            code("""
                def link(W1, H1, W2, H2):
                    return W1.T @ W2
            """),
            "The transpose undoes a multiplication only if the columns have length 1 and are orthogonal. Nothing in "
            "gradient descent makes them so.",
        ),
        Wrong(
            "only a rotation",
            code("""
                import torch

                def link(W1, H1, W2, H2):
                    U, _, Vt = torch.linalg.svd(W1.T @ W2)
                    return U @ Vt
            """),
            "This is an orthogonal matrix: it only rotates and mirrors. Every invertible G keeps the product, and two "
            "runs differ by more than a rotation.",
        ),
        Wrong(
            "only the lengths",
            code("""
                def link(W1, H1, W2, H2):
                    return (W2.norm(dim=0) / W1.norm(dim=0)).diag()
            """),
            "This stretches each column by itself, as if column 1 meant the same in both runs. In general each column "
            "of one run is a mixture of all columns of the other.",
        ),
        Wrong(
            "only the order",
            code("""
                import torch

                def link(W1, H1, W2, H2):
                    cosine = (W1 / W1.norm(dim=0)).T @ (W2 / W2.norm(dim=0))
                    return torch.nn.functional.one_hot(cosine.argmax(dim=0), W1.shape[1]).T.double()
            """),
            "This looks for the column that is most alike, as if the runs had the same parts in another order. They "
            "have not: each column is a mixture.",
        ),
        Wrong(
            "transposed",
            code("""
                import torch

                def link(W1, H1, W2, H2):
                    return torch.linalg.lstsq(W1, W2).solution.T
            """),
            "The right numbers in the wrong places: rows and columns of G are exchanged.",
        ),
        Wrong(
            "entry by entry",
            code("""
                def link(W1, H1, W2, H2):
                    return W2 / W1
            """),
            "These are ratios of entries, m×k of them. G stands in a matrix product, "
            "where every entry of W2 takes a whole row of W1.",
        ),
    ),
    further=(
        "G has k² numbers, all free as long as it is invertible: "
        "these are the k² directions in which the loss does not change."
    ),
    misconceptions=(2,),
)

EXERCISES = (_LOOP, _FLOOR, _ADAM, _SCALE, _LINK)

QUIZ = (
    QuizQuestion(
        "At k = 1 the classic program, with `mse_loss`, ends at a loss far below 0.16718, the lowest loss of rank 1. "
        "How can that be?",
        (
            Choice(
                "It has found something better than rank 1.", "W is 4×1: its product has rank 1, whatever the rule."
            ),
            Choice(
                "`mse_loss` is the mean over 8 entries.",
                "Yes: 8 times its loss is 0.167. The same fit, two measures.",
                True,
            ),
            Choice(
                "Its loss is the root of the other.",
                "The root of 0.167 is 0.41, the Frobenius norm of the residual: that would be more.",
            ),
            Choice("Rounding.", "Rounding plays in the last digits. Here a factor of 8 lies between the two."),
        ),
        misconceptions=(16,),
    ),
    QuizQuestion(
        "At k = 1 the loss on the toy matrix stays at 0.16718. What gets it lower?",
        (
            Choice("More steps.", "It has arrived: no product of rank 1 is closer to A."),
            Choice("A smaller η.", "η changes the way down, not the floor at its end."),
            Choice("Adam.", "All rules stand before the same floor: it belongs to A and k."),
            Choice(
                "A larger k.", "Yes: the floor is the sum of the σ² that rank k leaves out. At k = 2 it is 0.", True
            ),
        ),
        misconceptions=(6,),
    ),
    QuizQuestion(
        "Two seeds give two different W, and both products are equal to A. "
        "What does a column of W say about the persons?",
        (
            Choice(
                "In one of the two runs the truth; the other has not converged.",
                "Both have: their products are equal to A, and the loss cannot be lower.",
            ),
            Choice(
                "One taste. The two runs have the same tastes in another order.",
                "In general no order helps: each column of one run is a mixture of all columns of the other.",
            ),
            Choice(
                "By itself nothing: only W and H together do.",
                "Yes: W G and G⁻¹ H have the same product for every invertible G, and the seed chooses among them.",
                True,
            ),
        ),
        misconceptions=(2,),
    ),
    QuizQuestion(
        "On the toy matrix, at k = 2 and η = 0.3, gradient descent diverges and Adam does not. Why?",
        (
            Choice(
                "In Adam an entry moves by about η per step, however large its gradient is.",
                "Yes: in gradient descent it multiplies the gradient, and 0.3 is more than four times η*.",
                True,
            ),
            Choice(
                "Adam makes η smaller until the loss falls.",
                "Adam never looks at the loss. It divides by the recent size of the gradients.",
            ),
            Choice(
                "Adam is the better rule, at every η.",
                "At η = 0.003 it is the slowest of the three (section 5). η means something else in it.",
            ),
        ),
        misconceptions=(5,),
    ),
    QuizQuestion(
        "Plain gradient descent at k = 2 and η = 0.01: the loss rests near 0.15 around step 100, "
        "and then falls on to 0. What was that?",
        (
            Choice(
                "A bad local minimum, left by good luck.",
                "Gradient descent has no luck: it does not leave a local minimum. This loss has no bad ones.",
            ),
            Choice(
                "The first direction was found; the second has a small σ, and takes longer.",
                "Yes: near there the slope is small, because σ₂ = 0.41 is small against σ₁ = 7.34.",
                True,
            ),
            Choice(
                "η was too large at first.", "Then the loss would bounce or grow. Here it fell all the time, slowly."
            ),
            Choice(
                "It had converged, and the rest is rounding.", "From 0.15 to 0 is no rounding: the fit becomes exact."
            ),
        ),
        misconceptions=(6, 10),
    ),
)
