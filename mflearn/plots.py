"""Figures: axes in, axes out. Nothing here shows, saves or sets a global, except `show`, which shows."""

import io
import textwrap
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from torch import Tensor

from .descent import Run, factorize
from .exact import lowest_loss, stable_eta

BLUE, VERMILLION, GREEN, PURPLE, BLACK, GREY = "#0072B2", "#D55E00", "#007F5C", "#A8517F", "#000000", "#767676"
LINES = ((BLUE, "-", "o"), (VERMILLION, "--", "s"), (GREEN, "-.", "^"), (PURPLE, ":", "D"), (BLACK, "-", "v"))
"""Colours of Okabe & Ito, darkened to a contrast of 3:1 on white, each with a dash and a marker of its own."""

VALUES, SIGNED = "cividis", "PuOr"  # for matrices; for residuals, with 0 in the middle
FLOOR = 1e-12  # below this a loss is round-off


def canvas(width: float = 9.0, height: float = 3.2) -> Figure:
    """An empty figure of this size in inches, that belongs to no window and no global list."""
    figure = Figure(figsize=(width, height), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def show(figure: Figure, caption: str) -> None:
    """Display a figure in a notebook, with its caption as alternative text and, for all to read, below it."""
    from IPython.display import display

    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})  # no version stamp: the same bytes every time
    bundle = {"image/png": png.getvalue(), "text/plain": f"Figure: {caption}"}
    display(bundle, metadata={"image/png": {"alt": caption}}, raw=True)
    print(textwrap.fill(caption, 110))


class Heatmap:
    """A matrix as a table of coloured numbers that can be given new values, of its shape or smaller.

    `limits` are the values at the two ends of the colours.
    """

    def __init__(
        self,
        ax: Axes,
        shape: tuple[int, int],
        title: str,
        *,
        limits: tuple[float, float],
        cmap: str = VALUES,
        digits: int = 2,
    ) -> None:
        self.ax, self.shape, self.digits = ax, shape, digits
        self.norm, self.cmap = Normalize(*limits, clip=True), colormaps[cmap].with_extremes(bad="white")
        m, n = shape
        self.image = ax.imshow(np.full(shape, np.nan), cmap=self.cmap, norm=self.norm, aspect="auto")
        self.texts = [
            [ax.text(j, i, "", ha="center", va="center", fontsize=9.5) for j in range(n)] for i in range(m)
        ]  # fmt: skip
        ax.set(title=title, xticks=[], yticks=[])
        ax.spines[:].set_visible(False)

    def show(self, M: Tensor) -> list[Artist]:
        """Put these values up; returns the artists that changed."""
        table = np.full(self.shape, np.nan)
        table[: M.shape[0], : M.shape[1]] = M.numpy()
        self.image.set_data(table)
        colours = self.cmap(self.norm(table))
        bright = colours[..., :3] @ (0.299, 0.587, 0.114) > 0.5
        for row, values, light in zip(self.texts, table, bright, strict=True):
            for text, value, black in zip(row, values, light, strict=True):
                text.set_text("" if np.isnan(value) else number(value, self.digits))
                text.set_color("black" if black else "white")
        return [self.image, *(text for row in self.texts for text in row)]


def number(value: float, digits: int = 2) -> str:
    """A number in few characters; one too large for a cell as a power of ten, and never −0.00.

    >>> number(3.14159), number(-2.5), number(-0.001), number(1234567.0), number(float("inf"))
    ('3.14', '−2.50', '0.00', '1e+06', 'inf')
    """
    text = f"{value:.{digits}f}" if abs(value) < 1000 else f"{value:.0e}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def plot_matrix(
    M: Tensor,
    ax: Axes,
    title: str,
    *,
    limits: tuple[float, float] | None = None,
    signed: bool = False,
    digits: int = 2,
) -> Axes:
    """A matrix as a table of coloured numbers; `signed` centres the colours at 0."""
    reach = float(M.abs().max()) or 1.0
    limits = limits or ((-reach, reach) if signed else (min(0.0, float(M.min())), reach))
    Heatmap(ax, tuple(M.shape), title, limits=limits, cmap=SIGNED if signed else VALUES, digits=digits).show(M)
    return ax


def plot_equation(
    matrices: dict[str, Tensor],
    signs: Sequence[str],
    *,
    rows: Sequence[str] = (),
    signed: Iterable[str] = (),
    digits: int = 2,
) -> Figure:
    """Matrices in a row with signs between them, such as A = w₁h₁ + w₂h₂, drawn to one scale of size and of colour.

    `rows` names the rows of the first matrix; `signed` are the titles of those with colours centred at 0.
    """
    reach = max(float(M.abs().max()) for M in matrices.values())
    low = min(0.0, *(float(M.min()) for M in matrices.values()))
    signed = set(signed)
    gap, cell = 0.45, (0.62, 0.46)  # inches
    widths = [cell[0] * M.shape[1] for M in matrices.values()]
    tall = cell[1] * max(M.shape[0] for M in matrices.values())
    left = 0.1 + 0.09 * max((len(row) for row in rows), default=0)
    width, height = max(left + sum(widths) + gap * len(signs) + 0.6, 3.0), tall + 0.5
    figure, x = canvas(width, height), left
    figure.set_layout_engine("none")
    for (title, M), size, sign in zip(matrices.items(), widths, [*signs, ""], strict=True):
        own = cell[1] * M.shape[0]
        ax = figure.add_axes((x / width, (0.1 + (tall - own) / 2) / height, size / width, own / height))
        ends = (-reach, reach) if title in signed else (low, reach)
        plot_matrix(M, ax, title, limits=ends, signed=title in signed, digits=digits)
        if rows and x == left:
            ax.set_yticks(range(len(rows)), rows)
            ax.tick_params(length=0)
        figure.text((x + size + gap / 2) / width, (0.1 + tall / 2) / height, sign, ha="center", va="center", size=18)
        x += size + gap
    return figure


def plot_rows(A: Tensor, W: Tensor, H: Tensor, ax: Axes, title: str) -> Axes:
    """The rows of A (m, 2) as points, and the rows of W H (m, 2) as points on the line through h = H (1, 2)."""
    WH, (right, top) = W @ H, (1.12 * A.amax(0)).tolist()
    ax.axline((0, 0), H[0].tolist(), color=VERMILLION, linewidth=1.5, label="multiples of h")
    for row, near in zip(A, WH, strict=True):
        ax.plot(*torch.stack((row, near)).T, color=BLACK, linewidth=3, solid_capstyle="butt")
    ax.plot(*WH.T, color=VERMILLION, linestyle="", marker="s", markersize=5, label="rows of W H")
    ax.plot(*A.T, color=BLUE, linestyle="", marker="o", markersize=6, label="rows of A")
    ax.set(title=title, aspect="equal", xlim=(-0.2, right), ylim=(-0.2, top))
    ax.grid(alpha=0.3)
    ax.legend(loc="upper left")
    return ax


def plot_loss(
    runs: Run | Iterable[Run], ax: Axes, *, labels: Sequence[str] = (), floor: float | None = None, log: bool = True
) -> Axes:
    """Loss against step, one line for each run; `floor`, the loss no factorization of this rank beats, is dotted.

    A run that diverged ends in a cross.
    """
    runs = [runs] if isinstance(runs, Run) else list(runs)
    for i, run in enumerate(runs):
        colour, dash, _ = LINES[i % len(LINES)]
        loss = shown_loss(run)
        label = labels[i] if labels else None
        ax.plot(loss, color=colour, linestyle=dash, linewidth=2, label=label)
        if bool(run.diverged):
            ax.plot(len(loss) - 1, loss[-1], color=colour, marker="X", markersize=9, clip_on=False)
    if floor is not None:
        ax.axhline(max(floor, FLOOR), color=GREY, linestyle=(0, (1, 2)), linewidth=2, label=f"lowest loss {floor:.5g}")
    ax.set(xlabel="step", ylabel="loss  ‖A − W H‖²", yscale="log" if log else "linear")
    ax.grid(alpha=0.3)
    if labels or floor is not None:
        ax.legend()
    return ax


def shown_loss(run: Run) -> np.ndarray:
    """The losses of one run that a log axis can show: finite, and not below the round-off."""
    loss = run.loss.numpy()
    return np.clip(loss[np.isfinite(loss)], FLOOR, 1e12)


def plot_landscape(ax: Axes, a: float = 1.0, *, reach: float = 2.6) -> Axes:
    """The loss (w h − a)² of a 1×1 matrix over its two factors, with the curve w h = a of all minima."""
    w = torch.linspace(-reach, reach, 201, dtype=torch.float64)
    loss = (w[:, None] * w - a).square()
    levels = [0, 0.05, 0.2, 0.5, 1, 2, 4, 8, 16, 40]
    ax.contourf(w, w, loss, levels=levels, cmap="Blues", norm=LogNorm(0.02, 150), extend="max")
    for side in (w[w > a / reach], w[w < -a / reach]):
        ax.plot(side, a / side, color=BLACK, linewidth=1.5, linestyle="--")
    ax.set(xlabel="w", ylabel="h", xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    return ax


def plot_steps_to_settle(A: Tensor, fractions: Tensor, ax: Axes, *, ks: Sequence[int] = (1,)) -> dict[int, Tensor]:
    """Steps of gradient descent until the loss is within 1e-6 of the lowest, against η/η*; a line for each rank."""
    counts = {}
    for k, (colour, dash, marker) in zip(ks, LINES, strict=False):
        runs = factorize(A, k, eta=fractions * stable_eta(A), steps=4000)
        counts[k] = (runs.loss - lowest_loss(A, k) < 1e-6).int().argmax(0)
        ax.plot(fractions, counts[k], color=colour, linestyle=dash, marker=marker, markersize=4, label=f"k = {k}")
    ax.axvline(1, color=VERMILLION, linestyle="--", linewidth=1.5, label="η* = 1/(2σ₁)")
    ax.set(xlabel="η / η*", ylabel="steps", yscale="log", xlim=(0, 1.1))
    ax.grid(alpha=0.3)
    ax.legend()
    return counts


def plot_law(points: dict[float, float], ax: Axes) -> Axes:
    """The largest stable η found for each σ₁, and the line 1/(2σ₁), on logarithmic axes."""
    ends = np.array([min(points) / 2, max(points) * 2])
    ax.plot(ends, 1 / (2 * ends), color=GREY, linestyle="--", label="1/(2σ₁)")
    ax.plot(
        list(points), list(points.values()), color=VERMILLION, marker="s", markersize=8, linestyle="", label="found"
    )
    ax.set(xscale="log", yscale="log", xlabel="σ₁ of the matrix", ylabel="largest stable η")
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def plot_grid(grids: dict[str, Run], etas: Tensor, figure: Figure, *, mark: float | None = None) -> None:
    """The final loss of a grid of runs (ranks, etas), one panel for each name; diverged runs are hatched."""
    axes = figure.subplots(1, len(grids), sharey=True, squeeze=False)[0]
    norm = LogNorm(1e-6, 1e2, clip=True)
    between = (etas[1:] * etas[:-1]).sqrt()
    edges = torch.cat((etas[:1] ** 2 / between[:1], between, etas[-1:] ** 2 / between[-1:])).numpy()
    for ax, (name, run) in zip(axes, grids.items(), strict=True):
        ranks = run.k[:, 0]
        rows = np.arange(len(ranks) + 1) + 0.5
        table = torch.where(run.diverged, torch.nan, run.loss[-1]).clamp(1e-6, 1e2).numpy()
        mesh = ax.pcolormesh(edges, rows, table, norm=norm, cmap=VALUES + "_r")
        ax.pcolor(edges, rows, np.where(run.diverged.numpy(), 0.0, np.nan), hatch="///", cmap="Greys", vmin=0, vmax=1)
        ax.set(xscale="log", xlabel="learning rate η", title=name, yticks=range(1, len(ranks) + 1))
        ax.set_yticklabels([f"k = {int(k)}" for k in ranks])
        if mark is not None:
            ax.axvline(mark, color=VERMILLION, linestyle="--", linewidth=2)
    figure.colorbar(mesh, ax=axes, label="loss")


def plot_quotient_error(steps: Sequence[float], errors: dict[str, Sequence[float]], ax: Axes) -> Axes:
    """The error of difference quotients against their step h, one line for each kind, on log axes."""
    for (kind, error), (colour, dash, marker) in zip(errors.items(), LINES, strict=False):
        shown = torch.as_tensor(error).clamp_min(1e-16)
        ax.plot(steps, shown, color=colour, linestyle=dash, marker=marker, markersize=4, linewidth=2, label=kind)
    ax.set(xscale="log", yscale="log", xlabel="step h of the quotient", ylabel="relative difference to the formula")
    ax.grid(alpha=0.3)
    ax.legend(loc="lower left")
    return ax


def plot_path(path: Tensor, ax: Axes, *, label: str | None = None) -> Axes:
    """The points (w, h) of a walk, shape (steps, 2): a ring at the start, a dot at each step, a square at the end."""
    ax.plot(*path.T, color=VERMILLION, marker="o", markersize=3, linewidth=1, label=label)
    ax.plot(*path[0], color=VERMILLION, marker="o", markersize=10, markerfacecolor="white")
    ax.plot(*path[-1], color=VERMILLION, marker="s", markersize=8)
    return ax
