"""Explorer of notebook 01: edit the entries of W and H, and see the outer products add up."""

from dataclasses import dataclass

import torch
from ipywidgets import BoundedFloatText, dlink
from matplotlib.figure import Figure
from torch import Tensor

from ..matrices import toy_matrix
from ..objectives import Frobenius
from ..plots import BLUE, GHOST, SIGNED, Heatmap
from .explorer import Explorer, Question, Update, slider

A = toy_matrix()
START = torch.tensor([[5.0, 0.0], [3.0, 0.0], [2.0, 0.0], [1.0, 1.0]]), torch.tensor([[1.0, 0.6], [0.0, 0.4]])
LARGEST = 99.0  # entry that a box takes
LOSSES = (0, 1, 2, 5, 10, 20, 50, 100)  # marked on the scale; a larger one is an arrow at its end


@dataclass(frozen=True)
class Sum:
    """W H of rank k as a sum of outer products, beside A."""

    W: Tensor  # (4, k)
    H: Tensor  # (k, 2)
    loss: float


def compute(k: int, **entries: float) -> Sum:
    """W and H from their entries W11 … W42 and H11 … H22, as far as rank k uses them."""
    W, H = ([[entries[f"{X}{i}{j}"] for j in (1, 2)] for i in rows] for X, rows in (("W", (1, 2, 3, 4)), ("H", (1, 2))))
    W, H = torch.tensor(W, dtype=torch.float64)[:, :k], torch.tensor(H, dtype=torch.float64)[:k]
    return Sum(W, H, float(Frobenius(A)(W, H)))


def draw(figure: Figure) -> Update:
    """w₁h₁ + w₂h₂ = W H, beside A, and the residual; below, the loss, and in grey the loss before."""
    grid = figure.add_gridspec(2, 9, width_ratios=(3, 0.7, 3, 0.7, 3, 0.9, 3, 0.9, 3), height_ratios=(6, 1))
    axes = [figure.add_subplot(grid[0, i]) for i in range(9)]
    scale = figure.add_subplot(grid[1, :5])
    scale.set(xlim=(-0.3, 10.3), ylim=(-1, 1), yticks=[])
    scale.set_xticks([n**0.5 for n in LOSSES], [str(n) for n in LOSSES])
    scale.set_xlabel("loss ‖A − W H‖², placed by its root (grey: the setting before)", labelpad=1)
    scale.spines[["left", "right", "top"]].set_visible(False)
    (ghost,) = scale.plot([], [], color=GHOST, marker="o", markersize=11, linestyle="-", markevery=[0], clip_on=False)
    (now,) = scale.plot([], [], color=BLUE, marker="o", markersize=9, linestyle="", clip_on=False)
    for ax in axes[1::2]:
        ax.axis("off")
    plus, _, _ = (
        ax.text(0.5, 0.5, sign, ha="center", va="center", fontsize=20)
        for ax, sign in zip(axes[1:6:2], "+=≈", strict=True)
    )
    titles = ("w₁ h₁", "w₂ h₂", "W H", "A", "residual W H − A")
    limits = ((-6, 6) if "residual" in title else (0, 6) for title in titles)
    first, second, product, target, residual = (
        Heatmap(ax, (4, 2), title, limits=ends, cmap=SIGNED if "residual" in title else "cividis")
        for ax, title, ends in zip(axes[::2], titles, limits, strict=True)
    )
    target.show(A)
    for at, matrix in ((6, target), (8, residual)):
        bar = figure.colorbar(matrix.image, figure.add_subplot(grid[1, at]), orientation="horizontal", extend="both")
        bar.ax.set_box_aspect(0.1)

    def update(result: Sum):
        at = min(result.loss, LOSSES[-1]) ** 0.5
        before = [*now.get_xdata(), at][0]  # the first picture has none before it
        ghost.set_data([before, at], [0, 0])
        now.set_data([at], [0])
        now.set_marker("o" if result.loss <= LOSSES[-1] else ">")
        parts = [result.W[:, i : i + 1] @ result.H[i : i + 1] for i in range(result.W.shape[1])]
        WH = result.W @ result.H
        summands = (*first.show(parts[0]), *second.show(parts[1] if len(parts) > 1 else torch.zeros(0, 2)))
        for text in (plus, second.ax.title):
            text.set_alpha(float(len(parts) > 1))  # an invisible title would lose its place
        return [*summands, plus, second.ax.title, *product.show(WH), *residual.show(WH - A), ghost, now]

    return update


def describe(result: Sum) -> str:
    """The loss, and how many numbers are stored."""
    k = result.W.shape[1]
    worst = (result.W @ result.H - A).abs().max()
    return (
        f"k = {k}: ‖A − W H‖² = {result.loss:.4f}; the worst entry is off by {worst:.2f}; "
        f"W and H hold {6 * k} numbers, A holds 8."
    )


def change(result: Sum) -> float:
    """How much larger the loss is than with w₁ doubled and h₁ halved, as they were before."""
    return result.loss - float(Frobenius(A)(2 * result.W, result.H / 2))


def halve_and_double(settings: dict[str, float]) -> dict[str, float]:
    """w₁ halved and h₁ doubled. Where that is more than a box takes, from 1."""
    h = {name: settings[name] if abs(settings[name]) <= LARGEST / 2 else 1.0 for name in ("H11", "H12")}
    halves = {name: settings[name] / 2 for name in ("W11", "W21", "W31", "W41")}
    return {"k": 1} | halves | {name: 2 * value for name, value in h.items()}


def explore_outer_products() -> Explorer:
    """Edit W and H by hand and make the loss small."""
    controls = {"k": slider("rank k", 1, 1, 2)}
    for name, X in zip("WH", START, strict=True):
        for i, row in enumerate(X.tolist(), 1):
            for j, value in enumerate(row, 1):
                box = BoundedFloatText(
                    round(value, 2), min=-LARGEST, max=LARGEST, step=0.1, description=f"{name}{i}{j}"
                )
                box.style.description_width, box.layout.width = "initial", "112px"
                box.layout.grid_area = f"{i} / {j if name == 'W' else j + 3}"  # as in the matrices: row / column
                controls[f"{name}{i}{j}"] = box
    question = Question(
        "At k = 1, halve the first column of W and double the first row of H. What does the loss do?",
        {
            "it falls": lambda result: change(result) <= -1e-9,
            "it stays": lambda result: abs(change(result)) < 1e-9,
            "it rises": lambda result: change(result) >= 1e-9,
        },
        halve_and_double,
        "Their product is the same, entry by entry: W and H are not the only factors of W H.",
    )
    explorer = Explorer(
        compute, draw, describe, controls, question, title="W H as a sum of outer products", size=(10, 3.5), across=5
    )
    for name in ("W12", "W22", "W32", "W42", "H21", "H22"):  # what rank 1 does not use
        dlink((explorer.controls["k"], "value"), (explorer.controls[name], "disabled"), lambda k: k < 2)
    return explorer
