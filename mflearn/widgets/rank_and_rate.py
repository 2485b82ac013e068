"""Explorer of notebook 04: rank k and learning rate η, live, with rule, seed and steps, on the 4×2 toy matrix.

The descents of a whole grid of settings, an atlas, are trained ahead; then most moves only look one up.
"""

import threading
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..descent import Adam, GradientDescent, Momentum, Run, factorize
from ..exact import lowest_loss, stable_eta
from ..fast import one_thread
from ..matrices import toy_matrix
from ..plots import BLUE, FLOOR, GHOST, GREY, SIGNED, VERMILLION, Heatmap, shown_loss
from .explorer import Explorer, Question, Update, Watch, choice, log_slider, slider

A = toy_matrix()
ETA = float(stable_eta(A))  # η*
RULES = {"gradient descent": GradientDescent, "momentum": Momentum, "Adam": Adam}
MOST, STEPS, SEEDS = 3, 1000, 5  # the largest k, how many steps at first, and how many seeds are trained ahead
LOW, HIGH, STEP = -3, 0, 0.05  # powers of ten of η
ETAS = [float(f"{10 ** (LOW + i * STEP):.4g}") for i in range(round((HIGH - LOW) / STEP) + 1)]
ATLAS: dict[str, Run] = {}  # by rule: descents of STEPS steps, with axes k, η and seed
LOCK = threading.Lock()  # two explorers may train it at once


@dataclass(frozen=True)
class Training:
    """One recorded descent, and the settings that made it."""

    k: int
    eta: float
    rule: str
    seed: int
    steps: int
    run: Run
    ends: Tensor  # (k, η): the last loss by this rule and seed of each run in the atlas; NaN where none is known


def prepare(watch: Watch = lambda _done: True) -> None:
    """Train what the atlas lacks, one batch for each rule. A rule that is stopped on its way is not kept."""
    k, eta = torch.arange(1, MOST + 1)[:, None, None], torch.tensor(ETAS, dtype=torch.float64)[:, None]
    with LOCK, one_thread():
        for done, (name, rule) in enumerate(RULES.items()):
            if name not in ATLAS:

                def tell(step: int, done: int = done) -> bool:  # the share of all rules that is done
                    return watch((done + step / STEPS) / len(RULES))

                runs = factorize(A, k, eta=eta, seed=torch.arange(SEEDS), steps=STEPS, rule=rule, watch=tell)
                if len(runs.loss) <= STEPS:
                    return
                ATLAS[name] = runs


def compute(k: int, eta: float, rule: str, seed: int, steps: int, watch: Watch = lambda _done: True) -> Training:
    """Factorize the toy matrix with these settings, or find that in the atlas."""
    known = ATLAS.get(rule) if seed < SEEDS else None
    if known and steps == STEPS and eta in ETAS:
        run = known[k - 1, ETAS.index(eta), seed]
    else:
        run = factorize(A, k, eta=eta, steps=steps, rule=RULES[rule], seed=seed, watch=lambda step: watch(step / steps))
    ends = known.loss[-1, ..., seed] if known else torch.full((MOST, len(ETAS)), torch.nan)
    return Training(k, eta, rule, seed, steps, run, ends)


def draw(figure: Figure) -> Update:
    """The loss with its floor, and A, W H, the residual, W and H as tables."""
    axes = figure.subplot_mosaic([["loss", "A", "WH", "E"], ["loss", "W", "H", "ends"]], width_ratios=(2.6, 1, 1, 1))
    ax = axes["loss"]
    ax.set(yscale="log", xlabel="step", ylabel="loss  ‖A − W H‖²", ylim=(1e-12, 1e6))
    ax.grid(alpha=0.3)
    (ghost,) = ax.plot([], [], color=GHOST, linewidth=1.5)
    (loss,) = ax.plot([], [], color=BLUE, linewidth=2)
    (end,) = ax.plot([], [], color=BLUE, marker="X", markersize=11, linestyle="", clip_on=False)
    (floor,) = ax.plot([], [], color=GREY, linestyle=(0, (1, 2)), linewidth=2)
    note = ax.text(0.98, 0.96, "", transform=ax.transAxes, ha="right", va="top", fontsize=9.5)
    Heatmap(axes["A"], (4, 2), "A", limits=(0, 5)).show(A)
    WH = Heatmap(axes["WH"], (4, 2), "W H", limits=(0, 5))
    E = Heatmap(axes["E"], (4, 2), "residual W H − A", limits=(-1, 1), cmap=SIGNED)
    W = Heatmap(axes["W"], (4, MOST), "W", limits=(-1, 3))
    H = Heatmap(axes["H"], (MOST, 2), "H", limits=(-1, 3))
    ends = axes["ends"]  # with the y-axis of the loss
    ends.set(xscale="log", yscale="log", xlim=(10**LOW, 10**HIGH), ylim=(1e-12, 1e6), title="final loss")
    ends.set_xlabel("learning rate η", fontsize=8, labelpad=0)
    ends.tick_params(labelsize=7)
    ends.grid(alpha=0.3)
    ends.axvline(ETA, color=VERMILLION, linestyle="--", linewidth=1.5)
    ends.text(ETA * 1.2, 1e-11, "η*", color=VERMILLION)
    curves = [ends.plot([], [], linewidth=1)[0] for _ in range(MOST)]
    (here,) = ends.plot([], [], color=GREY, linewidth=3, alpha=0.6)
    shown = [()]  # the setting of the picture

    def update(result: Training):
        run, losses = result.run, shown_loss(result.run)
        lowest = float(lowest_loss(A, result.k))
        ax.set_xlim(0, result.steps)
        setting = (result.k, result.eta, result.rule, result.seed, result.steps)
        if setting != shown[0]:  # else it is drawn again because the atlas is ready
            ghost.set_data(*loss.get_data())
            shown[0] = setting
        loss.set_data(range(len(losses)), losses)
        last = [len(losses) - 1] if run.diverged else []
        end.set_data(last, losses[last].clip(max=9e5))
        floor.set_data([0, result.steps], [max(lowest, FLOOR)] * 2)
        note.set_text(f"grey: the setting before\ndotted: lowest loss for k = {result.k}, {_said(lowest)}")
        for k, curve in enumerate(curves, 1):
            curve.set_data(ETAS, result.ends[k - 1].clamp(FLOOR, 1e6))
            curve.set(color=BLUE if k == result.k else GHOST, linewidth=2 if k == result.k else 1)
        here.set_data([result.eta] * 2, [1e-12, 1e6])
        tables = (*WH.show(run.WH), *E.show(run.WH - A), *W.show(run.W), *H.show(run.H))
        return [ghost, floor, loss, end, note, *curves, here, *tables]

    return update


def describe(result: Training) -> str:
    """How the descent ended, beside the lowest loss of this rank."""
    run = result.run
    setting = f"k = {result.k}, η = {result.eta:.4g}, {result.rule}, seed {result.seed}"
    if bool(run.diverged):
        return f"{setting}: diverged at step {int(run.last) + 1}; shown are the factors before that."
    lowest, loss = float(lowest_loss(A, result.k)), float(run.loss[-1])
    words = f"{setting}: after {int(run.last)} steps the loss is "
    if round(loss, 5) == round(lowest, 5):
        return f"{words}{_said(loss)}, the lowest of this rank."
    return f"{words}{_said(loss)}; the lowest is {_said(lowest)}."


def _said(loss: float) -> str:
    """Five decimals, or, of a loss that is smaller, the next of a few bounds."""
    bounds = (10.0**-e for e in (12, 9, 7, 5))
    return next((f"below {bound:.0e}" for bound in bounds if loss < bound), f"{loss:.5f}")


def explore_rank_and_rate() -> Explorer:
    """Which k and η, and which rule, factorize the toy matrix?"""
    controls = {
        "k": slider("rank k", 2, 1, MOST),
        "eta": log_slider("learning rate η", 0.01, LOW, HIGH, step=STEP),
        "rule": choice("rule", *RULES),
        "seed": slider("seed", 0, 0, 20),
        "steps": slider("steps", STEPS, 100, 5000, step=100),
    }
    question = Question(
        "At k = 1 and η = 0.05, gradient descent takes the loss to 0.167. Where do 5,000 steps of Adam take it?",
        {
            "near 0": lambda result: result.run.loss[-1] < 0.01,
            "lower than 0.16, but not near 0": lambda result: 0.01 <= result.run.loss[-1] < 0.16,
            "at 0.167 again": lambda result: result.run.loss[-1] >= 0.16,
        },
        lambda _: {"k": 1, "eta": 0.05, "rule": "Adam", "seed": 0, "steps": 5000},
        "No rule and no η gets below σ₂² at rank 1 (Eckart and Young): only a larger k does.",
    )
    return Explorer(
        compute, draw, describe, controls, question, title="rank and learning rate", size=(10.5, 4), prepare=prepare
    )
