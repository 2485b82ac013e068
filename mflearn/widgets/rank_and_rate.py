"""Explorer of notebook 04: rank k and learning rate η, live, with rule, seed and steps, on the 4×2 toy matrix."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from ..descent import Adam, GradientDescent, Momentum, Run, factorize
from ..exact import lowest_loss
from ..matrices import toy_matrix
from ..plots import BLUE, FLOOR, GREY, SIGNED, Heatmap, number, shown_loss
from .explorer import Explorer, choice, log_slider, slider
from .picture import Update

A = toy_matrix()
RULES = {"gradient descent": GradientDescent, "momentum": Momentum, "Adam": Adam}
MOST = 3  # the largest k of the slider


@dataclass(frozen=True)
class Training:
    """One recorded descent, and the settings that made it."""

    k: int
    eta: float
    rule: str
    seed: int
    steps: int
    run: Run


def compute(
    k: int, eta: float, rule: str, seed: int, steps: int, watch: Callable[[int], bool] | None = None
) -> Training:
    """Factorize the toy matrix with these settings."""
    run = factorize(A, k, eta=eta, steps=steps, rule=RULES[rule], seed=seed, watch=watch)
    return Training(k, eta, rule, seed, steps, run)


def draw(figure: Figure) -> Update:
    """The loss with its floor, and A, W H, the residual, W and H as tables."""
    axes = figure.subplot_mosaic([["loss", "A", "WH", "E"], ["loss", "W", "H", "."]], width_ratios=(2.6, 1, 1, 1))
    ax = axes["loss"]
    ax.set(yscale="log", xlabel="step", ylabel="loss  ‖A − W H‖²", ylim=(1e-12, 1e6))
    ax.grid(alpha=0.3)
    (ghost,) = ax.plot([], [], color="#B0B0B0", linewidth=1.5)
    (loss,) = ax.plot([], [], color=BLUE, linewidth=2)
    (end,) = ax.plot([], [], color=BLUE, marker="X", markersize=11, linestyle="", clip_on=False)
    (floor,) = ax.plot([], [], color=GREY, linestyle=(0, (1, 2)), linewidth=2)
    note = ax.text(0.98, 0.96, "", transform=ax.transAxes, ha="right", va="top", fontsize=9.5)
    Heatmap(axes["A"], (4, 2), "A", limits=(0, 5)).show(A)
    WH = Heatmap(axes["WH"], (4, 2), "W H", limits=(0, 5))
    E = Heatmap(axes["E"], (4, 2), "residual W H − A", limits=(-1, 1), cmap=SIGNED)
    W = Heatmap(axes["W"], (4, MOST), "W", limits=(-1, 3))
    H = Heatmap(axes["H"], (MOST, 2), "H", limits=(-1, 3))
    before: list[tuple] = []

    def update(result: Training) -> list[Artist]:
        run, losses = result.run, shown_loss(result.run)
        lowest = float(lowest_loss(A, result.k))
        ax.set_xlim(0, result.steps)
        ghost.set_data(*(before[-1] if before else ([], [])))
        loss.set_data(range(len(losses)), losses)
        before[:] = [(range(len(losses)), losses)]
        end.set_data([len(losses) - 1] * bool(run.diverged), losses[-1:].clip(max=9e5)[: bool(run.diverged)])
        floor.set_data([0, result.steps], [max(lowest, FLOOR)] * 2)
        note.set_text(f"grey: the setting before\ndotted: lowest loss for k = {result.k}, {number(lowest, 5)}")
        tables = (*WH.show(run.WH), *E.show(run.WH - A), *W.show(run.W), *H.show(run.H))
        return [ghost, floor, loss, end, note, *tables]

    return update


def describe(result: Training) -> str:
    """How the descent ended, beside the lowest loss of this rank."""
    run = result.run
    setting = f"k = {result.k}, η = {result.eta:.4g}, {result.rule}, seed {result.seed}"
    if bool(run.diverged):
        return f"{setting}: diverged at step {int(run.last) + 1}; shown are the factors before that."
    lowest, loss = float(lowest_loss(A, result.k)), float(run.loss[-1])
    end = (
        f"{lowest:.5f}, the lowest of this rank" if loss - lowest < 1e-6 else f"{loss:.5f}; the lowest is {lowest:.5f}"
    )
    return f"{setting}: after {int(run.last)} steps the loss is {end}."


def explore_rank_and_rate() -> Explorer:
    """Which k and η, and which rule, factorize the toy matrix?"""
    controls = {
        "k": slider("rank k", 2, 1, MOST),
        "eta": log_slider("learning rate η", 0.01, -3, 0, step=0.02),
        "rule": choice("rule", *RULES),
        "seed": slider("seed", 0, 0, 20),
        "steps": slider("steps", 1000, 100, 5000, step=100),
    }
    return Explorer(compute, draw, describe, controls, title="rank and learning rate", width=10.5, height=4.0)
