"""Explorer of notebook 05: rank, start and learning rate on a small photograph, which descent develops step by step."""

import functools
import itertools
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ..descent import GradientDescent, Run, descend, random_factors, record
from ..exact import numbers_stored, singular_values, stable_eta
from ..matrices import photograph
from ..objectives import Frobenius
from ..plots import BLUE, GHOST, GREY, SIGNED, VERMILLION
from .explorer import Explorer, Question, Update, log_slider, slider

MOST, STEPS, EVERY = 40, 300, 5  # the largest k, the last step, and of how many steps one is kept
A = photograph(shrink=4)  # (75, 64)
SIGMA = singular_values(A)
ETA = float(stable_eta(A))  # η*
DROPPED = np.append(SIGMA.square().flip(0).cumsum(0).flip(0), 0.0)  # of rank 0, 1, … 64: the sum of the dropped σ²
LOWEST = np.sqrt(DROPPED / DROPPED[0])  # the lowest error of each rank, relative to ‖A‖


@dataclass(frozen=True)
class Developed:
    """How far a descent on the photograph has come after so many steps."""

    k: int
    scale: float
    fraction: float
    step: int
    diverged: bool  # by this step; shown is then the last good point
    WH: Tensor  # (75, 64)
    sigma: Tensor  # (k,): the singular values of W H
    errors: Tensor  # ‖A − W H‖_F / ‖A‖_F at every point recorded up to this step

    @property
    def on(self) -> int:
        """How many layers are on: the singular values of W H above half of those of A, up to the first that is not."""
        return int((self.sigma > SIGMA[: self.k] / 2).int().cumprod(0).sum())


@functools.lru_cache(maxsize=32)
def recorded(k: int, scale: float, fraction: float) -> Run:
    """Gradient descent with η = fraction · η*, from entries between 0 and `scale`; one step in EVERY is kept."""
    objective = Frobenius(A)
    rule = partial(GradientDescent, eta=fraction * ETA)
    walk = descend(itertools.repeat(objective), random_factors(*A.shape, k, scale=scale), rule)
    return record(itertools.islice(walk, 0, None, EVERY), objective, steps=STEPS // EVERY, keep_path=True)


def compute(k: int, scale: float, fraction: float, step: int) -> Developed:
    """The point of the descent with these settings at this step, rounded down to one that was kept."""
    run = recorded(k, scale, fraction)
    at = step // EVERY
    last = min(at, int(run.last))
    W, H = run.path.W[last], run.path.H[last]
    errors = (run.loss[: last + 1] / A.square().sum()).sqrt()
    diverged = bool(run.diverged) and at > last
    return Developed(k, scale, fraction, at * EVERY, diverged, W @ H, singular_values(W @ H)[:k], errors)


def draw(figure: Figure) -> Update:
    """The photograph, W H and the residual; the error beside the SVD's; and the singular values beside those of A."""
    p = np.arange(1, MOST + 1)
    axes = _five(figure, *A.shape)
    for ax, title in zip(axes, ("A", "W H", "residual W H − A"), strict=False):
        ax.set(title=title, xticks=[], yticks=[])
    axes[0].imshow(A.numpy(), cmap="gray", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    WH = axes[1].imshow(np.zeros(A.shape), cmap="gray", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    E = axes[2].imshow(np.zeros(A.shape), cmap=SIGNED, vmin=-0.5, vmax=0.5, aspect="auto", interpolation="nearest")

    ax = axes[3]
    ax.set(title="error, % of ‖A‖", xlabel="rank k", yscale="log", xlim=(0, MOST + 1), ylim=(1.8, 150))
    ax.set_yticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.plot(p, 100 * LOWEST[p], color=VERMILLION, marker=".", linewidth=1, label="SVD")
    (before,) = ax.plot([], [], color=GHOST, marker="s", markersize=7, linestyle="")
    (trail,) = ax.plot([], [], color=BLUE, marker="_", markersize=6, linewidth=0.8)
    (here,) = ax.plot([], [], color=BLUE, marker="s", markersize=7, linestyle="", label="descent")
    ax.legend(loc="lower left", fontsize=8.5)

    ax = axes[4]
    ax.set(title="singular values", xlabel="number p", yscale="log", xlim=(0, MOST + 1), ylim=(0.04, 80))
    ax.grid(alpha=0.3)
    ax.plot(p, SIGMA[p - 1], color=VERMILLION, marker=".", linewidth=1, label="of A")
    (old,) = ax.plot([], [], color=GHOST, linewidth=1.5)
    (of_WH,) = ax.plot([], [], color=BLUE, marker="s", markersize=4, linewidth=1, label="of W H")
    (line,) = ax.plot([], [], color=GREY, linestyle=":", linewidth=1.5)
    ax.legend(loc="upper right", fontsize=8.5)

    def update(result: Developed):
        WH.set_data(result.WH.numpy())
        E.set_data((result.WH - A).numpy())
        before.set_data(*here.get_data())
        old.set_data(*of_WH.get_data())
        errors = (100 * result.errors).clamp(2.05, 127)
        trail.set_data([result.k] * len(errors), errors)
        here.set_data([result.k], errors[-1:])
        of_WH.set_data(p[: len(result.sigma)], result.sigma.clamp(0.051, 59))
        line.set_data([result.k] * 2, [0.04, 80])
        return [WH, E, before, trail, here, old, line, of_WH]

    return update


def _five(figure: Figure, m: int, n: int) -> list[Axes]:
    """Five axes: three for pictures of m×n pixels, enlarged by a whole number, and two for curves."""
    figure.set_layout_engine("none")
    width, height = figure.bbox.size
    m, n = (size * int(width // 380) for size in (m, n))
    start = 8 + 3 * (n + 10) + 36
    room = (width + 34 - start) / 2
    pictures = [(8 + i * (n + 10), height - 28 - m, n, m) for i in range(3)]
    curves = [(start + i * room, 42, room - 44, height - 70) for i in range(2)]
    return [figure.add_axes((x / width, y / height, w / width, h / height)) for x, y, w, h in pictures + curves]


def describe(result: Developed) -> str:
    """How far the descent has come, beside the best of this rank, and what that costs in bytes."""
    m, n = A.shape
    setting = f"k = {result.k}, start {result.scale:.4g}, η = {result.fraction:.2f} η*, step {result.step}"
    stored = numbers_stored(m, n, result.k)
    size = f"At a byte a number W and H take {stored:,} bytes, the {m * n:,} pixels of A {m * n:,}"
    size += "." if stored < m * n else ": nothing is saved."
    if result.diverged:
        return f"{setting}: the descent has diverged; shown is what it had before. {size}"
    error, lowest = float(result.errors[-1]), float(LOWEST[result.k])
    enough = int((error < LOWEST).sum())
    return (
        f"{setting}: error {error:.1%} of ‖A‖, the lowest of this rank is {lowest:.1%}; {result.on} of "
        f"{result.k} layers are on. The SVD needs rank {enough} for this error. {size}"
    )


def explore_rank() -> Explorer:
    """What does rank buy, and how does descent come by it?"""
    controls = {
        "k": slider("rank k", 10, 1, MOST),
        "scale": log_slider("start scale", 0.01, -4, 0, step=0.25),
        "fraction": slider("η / η*", 0.5, 0.05, 1.2, step=0.05),
        "step": slider("step", STEPS, 0, STEPS, step=EVERY),
    }
    question = Question(
        "From a tiny start, at k = 20 and step 100: how many singular values of W H have reached half of those of A?",
        {
            "all 20": lambda result: result.on == result.k,
            "about half of them": lambda result: result.on >= 0.4 * result.k,
            "only the few largest": lambda result: result.on > 0,
            "none": lambda result: result.on == 0,
        },
        lambda _: {"k": 20, "scale": 0.001, "fraction": 0.5, "step": 100},
        "Each grows at a pace of its own, in proportion to its σ: the large are there, the small have hardly begun.",
    )
    return Explorer(compute, draw, describe, controls, question, title="rank on a photograph", size=(11.5, 3.0))
