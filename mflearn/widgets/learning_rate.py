"""Explorers of notebook 03: the learning rate in units of its limit η*, and the game that finds the limit."""

import functools
from dataclasses import dataclass

import ipywidgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..descent import Run, factorize
from ..exact import lowest_loss, singular_values, stable_eta
from ..matrices import matrix_with_singular_values, toy_matrix
from ..plots import BLUE, GHOST, GREY, VERMILLION
from .explorer import Explorer, Question, Update, choice, log_slider, slider

A = toy_matrix()
ETA = float(stable_eta(A))
FRACTIONS = torch.tensor([*(0.05 + 0.025 * i for i in range(38)), 0.99, 0.995], dtype=torch.float64)
STEPS = 300


@dataclass(frozen=True)
class Descent:
    """A descent on the toy matrix with a fraction of η*."""

    fraction: float
    k: int
    run: Run


def compute(fraction: float, k: int) -> Descent:
    """The descent with η = fraction · η*."""
    return Descent(fraction, k, factorize(A, k, eta=fraction * ETA, steps=STEPS))


@functools.cache
def steps_to_settle(k: int) -> Tensor:
    """How many steps to a loss within 1e-6 of the lowest, for each of FRACTIONS; inf beyond 3,000."""
    return factorize(A, k, eta=FRACTIONS * ETA, steps=3000).first_below(lowest_loss(A, k) + 1e-6)


def draw(figure: Figure) -> Update:
    """The loss of the toy matrix, and the U of steps against η."""
    ax, U = figure.subplots(1, 2, width_ratios=(1.3, 1))
    ax.set(xlim=(0, STEPS), ylim=(1e-12, 1e8), yscale="log", xlabel="step", title="loss − lowest loss (grey: before)")
    ax.grid(alpha=0.3)
    (ghost,) = ax.plot([], [], color=GHOST, linewidth=1.5)
    (loss,) = ax.plot([], [], color=BLUE, linewidth=2)
    (end,) = ax.plot([], [], color=BLUE, marker="X", markersize=10, linestyle="")
    U.set(xlim=(0, 2.2), ylim=(8, 4000), yscale="log", xlabel="η / η*")
    U.set_title("steps until it settles (grey bar: your η)")
    U.grid(alpha=0.3)
    U.axvline(1, color=VERMILLION, linestyle="--", linewidth=1.5)
    U.text(1.04, 2200, "η* = 1/(2σ₁)", color=VERMILLION)
    U.text(1.04, 12, "beyond η* it never\nsettles", color=GREY)
    (steps,) = U.plot([], [], color=BLUE, marker="o", markersize=3)
    (here,) = U.plot([], [], color=GREY, linewidth=3, alpha=0.6)

    def update(result: Descent):
        losses = (result.run.loss - lowest_loss(A, result.k)).clamp(1e-12, 1e12).numpy()
        ghost.set_data(*loss.get_data())  # the setting before
        loss.set_data(range(len(losses)), losses)
        last = [len(losses) - 1] if result.run.diverged else []
        end.set_data(last, losses[last].clip(max=5e7))
        steps.set_data(FRACTIONS, steps_to_settle(result.k))
        here.set_data([result.fraction] * 2, [8, 4000])
        return [ghost, loss, end, steps, here]

    return update


def regime(run: Run, floor: float) -> str:
    """What a recorded descent did: settled, still falling, bouncing for ever, or diverged."""
    if bool(run.diverged):
        return f"diverged at step {int(run.last) + 1}"
    tail = run.loss[-20:] - floor
    if float(tail.max()) < 1e-6 * float(run.loss[0]):
        return "settled"
    return "still falling" if bool((tail[1:] <= tail[:-1]).all()) else "bouncing, settled nowhere"


def describe(result: Descent) -> str:
    """How the descent ended."""
    how = regime(result.run, float(lowest_loss(A, result.k)))
    return f"Toy matrix, k = {result.k}, η = {result.fraction * ETA:.4f} ({result.fraction:.2f} η*): {how}."


def explore_learning_rate() -> Explorer:
    """How large may η be?"""
    controls = {"fraction": slider("η / η*", 0.3, 0.05, 2.2, step=0.05), "k": slider("rank k", 1, 1, 2)}
    question = Question(
        "At η = 1.05 η*, just above the limit, what will the loss of the toy matrix do?",
        {
            "it settles at the floor": lambda result: describe(result).endswith("settled."),
            "it jumps to and fro for ever": lambda result: "bouncing" in describe(result),
            "it leaves for infinity": lambda result: "diverged" in describe(result),
        },
        lambda _: {"fraction": 1.05, "k": 1},
        "Each step jumps across the valley and lands a little too far on the other side; near η* it is still caught.",
    )
    return Explorer(compute, draw, describe, controls, question, title="the learning rate", size=(9.5, 3.6))


# The game ------------------------------------------------------------------------------------------------------------

MATRICES = {
    "1": matrix_with_singular_values([1.0, 0.5], m=4, n=3, seed=1),
    "2": matrix_with_singular_values([2.5, 1.0], m=3, n=5, seed=2),
    "3": A,
    "4": matrix_with_singular_values([20.0, 8.0, 1.0], m=6, n=4, seed=4),
    "5": matrix_with_singular_values([60.0, 5.0], m=5, n=5, seed=5),
}
NEAR = 0.98  # of the limit: a point from there on counts as found
LARGEST = {name: float(singular_values(M)[0]) for name, M in MATRICES.items()}  # σ₁


@dataclass(frozen=True)
class Trial:
    """One η tried on one matrix at rank 1, and the points registered so far."""

    matrix: str
    eta: float
    run: Run
    verdict: str
    points: tuple[tuple[str, float], ...]
    judged: str = ""  # what is said of an η that was to be registered


class Game(Explorer):
    """Find the largest η that still settles, for five matrices, and register each: five points on a line."""

    points: dict[str, float] = {}  # of all games in this kernel: running the cell again keeps them

    def __init__(self) -> None:
        self.judged = ""
        controls = {"matrix": choice("matrix", *MATRICES), "eta": log_slider("η", 0.01, -3, 0, step=0.005)}
        button = ipywidgets.Button(description="Register this η", tooltip="keep this η as my answer for this matrix")
        button.on_click(lambda _: self.register())
        super().__init__(self._try, draw_game, describe_game, controls, title="the largest stable η", extra=(button,))

    def _try(self, matrix: str, eta: float) -> Trial:
        M = MATRICES[matrix]
        (m, n), size = M.shape, M.norm().sqrt()
        run = factorize(M, eta=eta, steps=1000, start=(torch.full((m, 1), 0.3) * size, torch.full((1, n), 0.3) * size))
        return Trial(matrix, eta, run, regime(run, float(lowest_loss(M, 1))), tuple(self.points.items()), self.judged)

    def register(self) -> None:
        """Judge the present η for the present matrix, and keep it if it is right."""
        matrix, eta = self.result.matrix, self.result.eta
        if self.result.verdict not in ("settled", "still falling"):
            self.judged = "Too high: it does not settle."
        elif eta < NEAR / (2 * LARGEST[matrix]):
            self.judged = "Too low: a larger η settles as well, so go on."
        else:
            self.judged = "Well done: within 2 % of the limit. It is registered."
            self.points[matrix] = eta
        self.redraw()
        self.judged = ""


def draw_game(figure: Figure) -> Update:
    """The loss of this trial, and the registered points against σ₁."""
    ax, board = figure.subplots(1, 2)
    ax.set(xlim=(0, 1000), ylim=(1e-10, 1e4), yscale="log", xlabel="step", title="loss − lowest loss, k = 1")
    ax.grid(alpha=0.3)
    (loss,) = ax.plot([], [], color=BLUE, linewidth=1.5)
    board.set(xscale="log", yscale="log", xlim=(0.5, 120), ylim=(1e-3, 1.2), xlabel="σ₁ of the matrix")
    board.set(ylabel="largest stable η", title="your points")
    board.grid(alpha=0.3)
    (points,) = board.plot([], [], color=VERMILLION, marker="s", markersize=9, linestyle="")
    (now,) = board.plot([], [], color=BLUE, marker="_", markersize=16, markeredgewidth=2, linestyle="")
    (line,) = board.plot([], [], color=GREY, linestyle="--")
    hint = board.text(0.03, 0.05, "", transform=board.transAxes, color=GREY)

    def update(trial: Trial):
        losses = (trial.run.loss - lowest_loss(MATRICES[trial.matrix], 1)).clamp(1e-12, 1e12).numpy()
        loss.set_data(range(len(losses)), losses)
        points.set_data([LARGEST[name] for name, _ in trial.points], [eta for _, eta in trial.points])
        now.set_data([LARGEST[trial.matrix]], [trial.eta])
        shown = len(trial.points) >= 3
        line.set_data([0.5, 120] if shown else [], [1 / (2 * 0.5), 1 / (2 * 120)] if shown else [])
        hint.set_text("dashed: 1/(2σ₁)" if shown else f"{3 - len(trial.points)} more to see the law")
        return [loss, points, now, line, hint]

    return update


def describe_game(trial: Trial) -> str:
    """What this η did, and which points are registered so far."""
    kept = ", ".join(f"matrix {name}: {eta:.3g}" for name, eta in sorted(trial.points)) or "none"
    judged = f" {trial.judged}" if trial.judged else ""
    return f"Matrix {trial.matrix}, η = {trial.eta:.3g}: {trial.verdict}.{judged} Registered: {kept}."


def explore_stability_game() -> Game:
    """The largest stable η of five matrices."""
    return Game()
