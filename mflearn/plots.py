"""Figures: most functions draw on the axes that they are given. Only `show` displays a figure; nothing is saved."""

import io
import itertools
import math
import textwrap
from collections.abc import Iterable, Sequence, Sized

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox
from PIL import Image
from torch import Tensor

from .descent import Run
from .titles import plain

BLUE, VERMILLION, GREEN, PURPLE, BLACK, GREY = "#0072B2", "#D55E00", "#007F5C", "#A8517F", "#000000", "#767676"
LINES = ((BLUE, "-", "o"), (VERMILLION, "--", "s"), (GREEN, "-.", "^"), (PURPLE, ":", "D"), (BLACK, "-", "v"))
"""Colours of Okabe & Ito, darkened to a contrast of 3:1 on white, each with a dash and a marker of its own."""
LEVELS = (0, (1, 2)), (0, (6, 2, 1, 2))  # dashes of horizontal lines

GHOST = "#B0B0B0"  # the colour of the result before

VALUES, SIGNED = "cividis", "PuOr"  # for matrices; for residuals, with 0 in the middle
# the directions from a point to its name, the best first
AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.9), (-0.7, 0.9), (0.7, -0.9), (-0.7, -0.9))
FLOOR = 1e-12  # below this a loss is round-off


def canvas(width: float = 9.0, height: float = 3.2) -> Figure:
    """An empty figure of this size in inches, that belongs to no window and no global list."""
    figure = Figure(figsize=(width, height), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def show(figure: Figure, caption: str) -> None:
    """Display a figure in a notebook, with its caption as alternative text and, for all to read, below it."""
    from IPython.display import display

    figure.canvas.draw()
    drawn = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    png, small = io.BytesIO(), drawn.convert("L")
    if not np.array_equal(small.convert("RGB"), drawn):  # not grey: a palette takes half of the bytes
        small = drawn.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    small.save(png, "png", optimize=True)
    bundle = {"image/png": png.getvalue(), "text/plain": f"Figure: {caption}"}
    display(bundle, metadata={"image/png": {"alt": caption}}, raw=True)
    print(textwrap.fill(caption, 110))


def drawable(title: object, width: int = 30) -> str:
    """A title as one line, with □ for what the font of the figures cannot draw. Draw it with parse_math=False."""
    known = get_font(findfont(FontProperties())).get_charmap()
    return "".join(c if ord(c) in known else "□" for c in plain(title, width))


def title_ticks(ax: Axes, titles: Sequence, *, width: int = 30) -> Axes:
    """Titles along the y axis, from the top down, at 0, 1, 2, …"""
    ax.set_yticks(range(len(titles)), [drawable(title, width) for title in titles], parse_math=False)
    ax.set_ylim(len(titles) - 0.5, -0.5)
    return ax


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


def plot_photographs(
    pictures: dict[str, Tensor],
    *,
    zoom: int,
    columns: int | None = None,
    signed: Iterable[str] = (),
    reach: float = 0.5,
) -> Figure:
    """Matrices as grey pictures from 0 (black) to 1, in rows; each entry is zoom × zoom pixels of the figure, exactly.

    So nothing is blurred, and with 64 shades the file is small. A title may have two lines. `signed` are the titles of
    those with colours from −`reach` to `reach`, centred at 0.
    """
    columns, signed = columns or len(pictures), set(signed)
    height, width = (zoom * max(M.shape[axis] for M in pictures.values()) for axis in (0, 1))
    gap, head = 12, 22 + 15 * max(title.count("\n") for title in pictures)
    across, down = columns * (width + gap) + gap, -(-len(pictures) // columns) * (height + head) + gap
    figure = canvas(across / 100, down / 100)
    figure.set_layout_engine("none")
    for i, (title, M) in enumerate(pictures.items()):
        cmap, low = (SIGNED, -reach) if title in signed else ("gray", 0)
        m, n = (zoom * size for size in M.shape)
        x, top = gap + i % columns * (width + gap) + (width - n) // 2, i // columns * (height + head) + head
        ax = figure.add_axes((x / across, 1 - (top + m) / down, n / across, m / down))
        shades = colormaps[cmap].resampled(64)
        ax.imshow(M.numpy(), interpolation="nearest", aspect="auto", cmap=shades, vmin=low, vmax=reach if low else 1)
        ax.set_title(title, size=9.5, pad=4)
        ax.set_axis_off()
    return figure


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


def plot_lines(
    x: Sequence[float] | dict[str, Sequence[float]],
    lines: dict[str, Sequence[float]],
    ax: Axes,
    *,
    levels: dict[str, float] | None = None,
) -> Axes:
    """Values over x, a line for each label, at most five; `levels` are horizontal lines to compare with, by label.

    x is the same for all lines, or given for each by its label.
    """
    for (label, y), (colour, dash, marker) in zip(lines.items(), _styles(lines), strict=True):
        at = x[label] if isinstance(x, dict) else x
        ax.plot(at, y, color=colour, linestyle=dash, marker=marker, markersize=4, linewidth=2, label=label)
    for (label, level), dash in zip((levels or {}).items(), _styles(levels or {}, LEVELS), strict=True):
        ax.axhline(level, color=GREY, linestyle=dash, linewidth=2, label=label)
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def _styles(lines: Sized, styles: tuple = LINES) -> tuple:
    """A style for each line; an error if there are more lines than styles."""
    if len(lines) > len(styles):
        raise ValueError(f"there are {len(lines)} lines; at most {len(styles)} can be told apart")
    return styles[: len(lines)]


def shown_loss(run: Run) -> np.ndarray:
    """The losses of one run that a log axis can show: finite, and not below the round-off."""
    loss = run.loss.numpy()
    return np.clip(loss[np.isfinite(loss)], FLOOR, 1e12)


def plot_trail(points: Tensor, years: Sequence[int], ax: Axes, *, marked: Iterable[int] = ()) -> Axes:
    """Points (m, 2) joined in the order of time, dark to light, with a cross at 0; `marked` years have their number."""
    ax.plot(*points.T, color=GREY, linewidth=0.7, zorder=1)
    ax.scatter(*points.T, c=years, cmap=VALUES, s=14, zorder=2)
    ax.plot(0, 0, color=VERMILLION, marker="+", markersize=11, markeredgewidth=2)
    for year in marked:
        first = points[list(years).index(year)].tolist()
        halo = [withStroke(linewidth=2.5, foreground="white")]
        ax.annotate(str(year), first, xytext=(7, 5), textcoords="offset points", size=9.5, path_effects=halo)
    ax.set(xlabel="W₁", ylabel="W₂")
    ax.margins(0.12)
    return ax


def plot_sizes(curves: dict[str, tuple[Sequence[int], Sequence[float]]], ax: Axes, *, whole: int) -> Axes:
    """Error, in levels of 255, against bytes, a line for each way to compress; `whole` is what the pixels take."""
    for (name, (sizes, errors)), (colour, dash, marker) in zip(curves.items(), _styles(curves), strict=True):
        ax.plot(sizes, errors, color=colour, linestyle=dash, marker=marker, markersize=5, linewidth=2, label=name)
    ax.axvline(whole, color=GREY, linewidth=1.5)
    ax.annotate("the pixels\nthemselves", (whole, 25), xytext=(5, 0), textcoords="offset points", color=GREY)
    ax.set(xlabel="bytes", ylabel="off by, in levels of 255", xscale="log", yscale="log", xlim=(1500, 160_000))
    ax.set_xticks([2000, 5000, 10_000, 20_000, 50_000, 100_000], ["2 k", "5 k", "10 k", "20 k", "50 k", "100 k"])
    ax.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend(loc="lower left")
    return ax


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


def plot_steps_to_settle(fractions: Tensor, steps: dict[int, Tensor], ax: Axes) -> Axes:
    """How many steps gradient descent needs, against η/η*; a line for each rank k, with a gap where it is inf."""
    for (k, counts), (colour, dash, marker) in zip(steps.items(), _styles(steps), strict=True):
        ax.plot(fractions, counts, color=colour, linestyle=dash, marker=marker, markersize=4, label=f"k = {k}")
    ax.axvline(1, color=VERMILLION, linestyle="--", linewidth=1.5, label="η* = 1/(2σ₁)")
    ax.set(xlabel="η / η*", ylabel="steps", yscale="log", xlim=(0, 1.1))
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


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
    """The loss at the end of each of a grid of runs (ranks, etas), a panel for each name; diverged runs are hatched.

    Shown is the median of the last 100 losses. Above η* a run oscillates, for some η chaotically: its very last loss
    would then depend on how the processor rounds.
    """
    axes = figure.subplots(1, len(grids), sharey=True, squeeze=False)[0]
    norm = LogNorm(1e-6, 1, clip=True)
    between = (etas[1:] * etas[:-1]).sqrt()
    edges = torch.cat((etas[:1] ** 2 / between[:1], between, etas[-1:] ** 2 / between[-1:])).numpy()
    for ax, (name, run) in zip(axes, grids.items(), strict=True):
        ranks = run.k[:, 0]
        rows = np.arange(len(ranks) + 1) + 0.5
        end = run.loss[-100:].median(0).values
        table = torch.where(run.diverged, torch.nan, end).clamp(1e-6, 1).numpy()
        mesh = ax.pcolormesh(edges, rows, table, norm=norm, cmap=VALUES + "_r")
        ax.pcolor(edges, rows, np.where(run.diverged.numpy(), 0.0, np.nan), hatch="///", cmap="Greys", vmin=0, vmax=1)
        ax.set(xscale="log", xlabel="learning rate η", title=name, yticks=range(1, len(ranks) + 1))
        ax.set_yticklabels([f"k = {int(k)}" for k in ranks])
        if mark is not None:
            ax.axvline(mark, color=VERMILLION, linestyle="--", linewidth=2)
    figure.colorbar(mesh, ax=axes, label="loss")


def plot_quotient_error(steps: Sequence[float], errors: dict[str, Sequence[float]], ax: Axes) -> Axes:
    """The error of difference quotients against their step h, one line for each kind, on log axes."""
    for (kind, error), (colour, dash, marker) in zip(errors.items(), _styles(errors), strict=True):
        shown = torch.as_tensor(error).clamp_min(1e-16)
        ax.plot(steps, shown, color=colour, linestyle=dash, marker=marker, markersize=4, linewidth=2, label=kind)
    ax.set(xscale="log", yscale="log", xlabel="step h of the quotient", ylabel="relative difference to the formula")
    ax.grid(alpha=0.3)
    ax.legend(loc="lower left")
    return ax


def plot_errors(
    errors: dict[str, Sequence[float]], ax: Axes, *, at: Sequence[float] | None = None, against: str = "rank k"
) -> Axes:
    """RMSE against k = 1, 2, 3, …, or against what `at` lists; a line for each name, with a ring where it is lowest."""
    for (name, error), (colour, dash, marker) in zip(errors.items(), _styles(errors), strict=True):
        x, y = np.asarray(range(1, len(error) + 1) if at is None else at), np.asarray(error, dtype=np.float64)
        few = marker if len(y) <= 50 else ""
        ax.plot(x, y, color=colour, linestyle=dash, marker=few, markersize=4, linewidth=2, label=name)
        ax.plot(x[y.argmin()], y.min(), color=colour, marker="o", markersize=12, markerfacecolor="none", clip_on=False)
    ax.set(xlabel=against, ylabel="RMSE", ylim=(0, None))
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def plot_path(path: Tensor, ax: Axes, *, label: str | None = None) -> Axes:
    """The points (w, h) of a walk, shape (steps, 2): a ring at the start, a dot at each step, a square at the end."""
    ax.plot(*path.T, color=VERMILLION, marker="o", markersize=3, linewidth=1, label=label)
    ax.plot(*path[0], color=VERMILLION, marker="o", markersize=10, markerfacecolor="white")
    ax.plot(*path[-1], color=VERMILLION, marker="s", markersize=8)
    return ax


def plot_pictures(
    pictures: Tensor,
    ax: Axes,
    *,
    shape: tuple[int, int],
    columns: int | None = None,
    names: Sequence[str] = (),
    signed: bool = False,
) -> Axes:
    """A gallery: the rows of `pictures` (count, height · width), each in its own scale, with its name above it.

    0 is white and the largest entry black; `signed` centres two colours at 0. The scale of a part means nothing: W H
    stays the same if a row of H is stretched and its column of W shrinks.
    """
    count, (height, width) = len(pictures), shape
    columns = columns or min(count, math.ceil((2 * count) ** 0.5))
    gap, above = max(1, width // 8), max(1, height // 4) if names else 0
    down, right = height + gap + above, width + gap
    wall = np.full((math.ceil(count / columns) * down - gap, columns * right - gap), np.nan)
    for i, picture in enumerate(pictures):
        top, left = i // columns * down + above, i % columns * right
        reach = float(picture.abs().max()) or 1.0
        wall[top : top + height, left : left + width] = picture.view(shape) / reach
        ax.add_artist(_frame(left, top, width, height))
        if names:
            middle = left + width / 2 - 0.5
            ax.text(middle, top - 1, names[i], ha="center", va="bottom", fontsize=9, parse_math=False)
    ax.imshow(wall, cmap=SIGNED if signed else "gray_r", vmin=-1 if signed else 0, vmax=1, interpolation="nearest")
    ax.set(xlim=(-1, wall.shape[1]), ylim=(wall.shape[0], -1))  # room for the frames at the edge
    ax.set_axis_off()
    return ax


def plot_words(weights: Tensor, words: Sequence[str], ax: Axes, title: str, *, count: int = 8, most: float = 0) -> Axes:
    """The `count` words of largest weight in one row of H, as bars, the largest on top.

    `most` is the weight at the right end, for axes side by side; 0 for the largest of these.
    """
    top = weights.topk(min(count, len(words)))
    places = range(len(top.indices))
    ax.barh(places, top.values.numpy(), color=BLUE, height=0.75)
    ax.set_yticks(places, [words[i] for i in top.indices], parse_math=False)
    ax.set_title(title, parse_math=False, fontsize=10)
    ax.set(ylim=(len(places) - 0.4, -0.6), xlim=(0, 1.05 * (most or float(top.values[0]) or 1.0)), xticks=[])
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    return ax


def plot_map(
    points: Tensor, ax: Axes, *, names: Sequence[str] = (), groups: Sequence[str] = (), labels: Sequence[str] = ()
) -> Axes:
    """Points (m, 2) with names that do not overlap: each takes the first free place around its point, or none.

    Names given first are placed first; an empty name takes no place. `groups` gives each point a kind, with a colour
    and a mark of its own; `labels` names both axes. Draw it last: the places are right for the axes as they are now.
    """
    kinds = list(dict.fromkeys(groups)) or [""]
    of = np.array([kinds.index(group) for group in groups] or [0] * len(points))
    for i, kind in enumerate(kinds):
        colour, _, marker = LINES[i % len(LINES)]
        face = colour if i < len(LINES) else "white"
        some = points[of == i].numpy()
        ax.plot(*some.T, color=colour, markerfacecolor=face, marker=marker, markersize=5, linestyle="", label=kind)
    ax.margins(0.12)
    ax.autoscale_view()
    ax.autoscale(False)
    if labels:
        ax.set_xlabel(labels[0], parse_math=False)
        ax.set_ylabel(labels[1], parse_math=False)
    ax.grid(alpha=0.3)
    if groups:
        for text in ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1)).get_texts():
            text.set_parse_math(False)
    _place_names(points, names, ax)
    return ax


def _place_names(points: Tensor, names: Sequence[str], ax: Axes) -> None:
    """Write each name beside its point, at the first place without another name, a point or the edge of the axes."""
    ax.figure.draw_without_rendering()  # settles where the axes are
    renderer, point = ax.figure.canvas.get_renderer(), ax.figure.dpi / 72  # pixels
    pixels = ax.transData.transform(points.numpy())
    taken = [Bbox.from_bounds(x - 4 * point, y - 4 * point, 8 * point, 8 * point) for x, y in pixels]
    for (x, y), name, at in zip(pixels, names, points.tolist(), strict=False):
        if not name:
            continue
        style = {"ha": "center", "va": "center", "fontsize": 8, "parse_math": False}
        text = ax.annotate(name, at, (0, 0), textcoords="offset points", **style)
        size = text.get_window_extent(renderer).size
        for far, (right, up) in itertools.product((5, 12, 22, 34), AROUND):
            shift = np.array([right, up]) * (size / 2 + far * point)
            low, high = (x, y) + shift - size / 2, (x, y) + shift + size / 2
            place = Bbox([low, high])
            if (low > ax.bbox.min).all() and (high < ax.bbox.max).all() and not place.count_overlaps(taken):
                text.xyann = tuple(shift / point)
                taken.append(place)
                if far > 5:  # further away a line shows which point is meant
                    end = ax.transData.inverted().transform(np.clip((x, y), low, high))
                    ax.plot(*zip(at, end, strict=True), color=GREY, linewidth=0.6, zorder=1)
                break
        else:
            text.remove()


def _frame(left: float, top: float, width: float, height: float) -> Artist:
    return Rectangle((left - 0.5, top - 0.5), width, height, fill=False, edgecolor=GREY, linewidth=0.5)
