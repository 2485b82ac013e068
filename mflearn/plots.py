"""Figures that more than one notebook or explorer uses. A figure of one notebook is drawn there, in a hidden cell.

Most functions draw on the axes that they are given. Only `show` displays a figure; nothing is saved.
"""

import io
import itertools
import textwrap
from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps, rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.transforms import Bbox
from PIL import Image
from scipy.spatial import cKDTree
from torch import Tensor

from . import checked
from .descent import Run
from .titles import plain

BLUE, VERMILLION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#007F5C", "#A8517F", "#767676"
LINES = ((BLUE, "-", "o"), (VERMILLION, "--", "s"), (GREEN, "-.", "^"), (PURPLE, ":", "D"), (GREY, "-", "v"))
"""Colours of Okabe & Ito and a grey, each with a dash and a marker of its own. The ground of a figure is that of the
page, so all of them have a contrast of 3:1 on white and on the dark theme's #111111, and grey, the ink, one of 4:1."""

GHOST = GREY + "80"  # the colour of the result before: half of the ground shows through

# A new axis takes its colours from here, and no function that draws on it can give them later to its texts.
rcParams.update(dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), GREY))
rcParams.update({"axes.facecolor": "none", "figure.facecolor": "none", "legend.frameon": False, "grid.color": GREY})

VALUES, SIGNED = "cividis", "PuOr"  # for matrices; for residuals, with 0 in the middle
MOST_NUMBERS = 2000  # in a picture that writes out each
FLOOR = 1e-12  # below this a loss is round-off


def canvas(width: float = 9.0, height: float = 3.2) -> Figure:
    """An empty figure of this size in inches, that belongs to no window and no global list."""
    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def show(figure: Figure, caption: str) -> None:
    """Display a figure in a notebook, with its caption as alternative text and, for all to read, below it."""
    from IPython.display import display

    figure.canvas.draw()
    png = io.BytesIO()
    with_palette(np.array(figure.canvas.buffer_rgba())).save(png, "png", optimize=True)
    bundle = {"image/png": png.getvalue(), "text/plain": f"Figure: {caption}"}
    display(bundle, metadata={"image/png": {"alt": caption}}, raw=True)
    print(textwrap.fill(caption, 110))


def with_palette(pixels: np.ndarray) -> Image.Image:
    """The picture (m, n, 4) in its 256 most frequent colours: half of the bytes. A rarer one becomes the nearest."""
    pixels[..., 3] = np.round(pixels[..., 3] / 17) * 17  # 16 shades from clear to opaque
    pixels[pixels[..., 3] == 0] = 0
    colours, which, count = np.unique(pixels.view(np.uint32), return_inverse=True, return_counts=True)
    colours = colours.view(np.uint8).reshape(-1, 4)
    frequent = colours[np.argsort(-count, kind="stable")[:256]]
    seen, kept = (c * np.where([True, True, True, False], c[:, 3:] / 255, 1) for c in (colours, frequent))
    nearest = cKDTree(kept).query(seen)[1].astype(np.uint8)
    picture = Image.fromarray(nearest[which].reshape(pixels.shape[:2]))
    picture.putpalette(frequent.tobytes(), "RGBA")
    return picture


def drawable(title: object, width: int = 30) -> str:
    """A title as one line, with □ for what the font of the figures cannot draw. Draw it with parse_math=False."""
    known = get_font(findfont(FontProperties())).get_charmap()
    return "".join(c if ord(c) in known else "□" for c in plain(title, width))


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
        self.norm, self.cmap = Normalize(*limits, clip=True), colormaps[cmap]
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
        bright = colours[..., :3] @ (0.299, 0.587, 0.114) > 0.46
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


def plot_equation(
    matrices: dict[str, Tensor],
    signs: Sequence[str],
    *,
    rows: Sequence[str] = (),
    signed: Container[str] = (),
    digits: int = 2,
) -> Figure:
    """Matrices in a row with signs between them, such as A = w₁h₁ + w₂h₂, drawn to one scale of size and of colour.

    `rows` names the rows of the first matrix; `signed` are the titles of those with colours centred at 0.
    """
    matrices = _tables(matrices)
    count = sum(M.numel() for M in matrices.values())
    if count > MOST_NUMBERS:
        raise ValueError(f"matrices hold {count:,} entries; each is written out, so there may be {MOST_NUMBERS:,}")
    reach = max(float(M.abs().max()) for M in matrices.values())
    low = min(0.0, *(float(M.min()) for M in matrices.values()))
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
        ends, cmap = ((-reach, reach), SIGNED) if title in signed else ((low, reach), VALUES)
        Heatmap(ax, tuple(M.shape), title, limits=ends, cmap=cmap, digits=digits).show(M)
        if rows and x == left:
            ax.set_yticks(range(len(rows)), rows)
            ax.tick_params(length=0)
        figure.text((x + size + gap / 2) / width, (0.1 + tall / 2) / height, sign, ha="center", va="center", size=18)
        x += size + gap
    return figure


def _tables(matrices: dict[str, Any]) -> dict[str, Tensor]:
    """The same matrices as tensors; there must be one or more, each under its title."""
    if not isinstance(matrices, dict) or not matrices:
        raise TypeError(f"matrices is {checked.short(matrices)}; it must be a dict of matrices, each under its title")
    return {title: checked.real(M, f"{title!r:.40}", axes=2) for title, M in matrices.items()}


def plot_photographs(
    pictures: dict[str, Tensor],
    *,
    zoom: int,
    columns: int | None = None,
    signed: Container[str] = (),
) -> Figure:
    """Matrices as grey pictures from 0 (black) to 1, in rows; each entry is zoom × zoom pixels of the figure, exactly.

    So nothing is blurred, and with 64 shades the file is small. A title may have two lines. `signed` are the titles of
    those with colours from −0.5 to 0.5, centred at 0.
    """
    pictures = _tables(pictures)
    columns = columns or len(pictures)
    height, width = (zoom * max(M.shape[axis] for M in pictures.values()) for axis in (0, 1))
    gap, head = 12, 22 + 15 * max(title.count("\n") for title in pictures)
    across, down = columns * (width + gap) + gap, -(-len(pictures) // columns) * (height + head) + gap
    figure = canvas(across / 100, down / 100)
    figure.set_layout_engine("none")
    for i, (title, M) in enumerate(pictures.items()):
        cmap, low, high = (SIGNED, -0.5, 0.5) if title in signed else ("gray", 0, 1)
        m, n = (zoom * size for size in M.shape)
        x, top = gap + i % columns * (width + gap) + (width - n) // 2, i // columns * (height + head) + head
        ax = figure.add_axes((x / across, 1 - (top + m) / down, n / across, m / down))
        shades = colormaps[cmap].resampled(64)
        ax.imshow(M.numpy(), interpolation="nearest", aspect="auto", cmap=shades, vmin=low, vmax=high)
        ax.set_title(title, size=9.5, pad=4)
        ax.set_axis_off()
    return figure


def plot_loss(runs: Sequence[Run], ax: Axes, *, labels: Sequence[str], floor: float) -> Axes:
    """Loss against step, one line for each run; `floor`, the loss no factorization of this rank beats, is dotted.

    A run that diverged ends in a cross.
    """
    pairs = not isinstance(runs, Run) and not isinstance(labels, str) and len(runs) == len(labels) <= len(LINES)
    if not pairs or any(run.loss.ndim > 1 for run in runs):
        allowed = f"at most {len(LINES)} single runs, such as run[0], each with its label"
        raise ValueError(f"runs are {checked.short(runs)}; they must be {allowed}")
    for i, (run, label) in enumerate(zip(runs, labels, strict=True)):
        colour, dash, _ = LINES[i]
        loss = shown_loss(run)
        ax.plot(loss, color=colour, linestyle=dash, linewidth=2, label=label)
        if bool(run.diverged):
            ax.plot(len(loss) - 1, loss[-1], color=colour, marker="X", markersize=9, clip_on=False)
    ax.axhline(max(floor, FLOOR), color=GREY, linestyle=(0, (1, 2)), linewidth=2, label=f"lowest loss {floor:.5g}")
    ax.set(xlabel="step", ylabel="loss  ‖A − W H‖²", yscale="log")
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def shown_loss(run: Run) -> np.ndarray:
    """The losses of one run that a log axis can show: finite, and not below the round-off."""
    loss = run.loss.numpy()
    return np.clip(loss[np.isfinite(loss)], FLOOR, 1e12)


def plot_landscape(ax: Axes) -> Axes:
    """The loss (w h − 1)² of a 1×1 matrix over its two factors, with the curve w h = 1 of all minima."""
    reach = 2.6
    w = torch.linspace(-reach, reach, 201, dtype=torch.float64)
    loss = (w[:, None] * w - 1).square()
    levels = [0.05, 0.2, 0.5, 1, 2, 4, 8, 16, 40]
    ax.contourf(w, w, loss, levels=levels, cmap="Blues", norm=LogNorm(0.02, 150), extend="both")
    for side in (w[w > 1 / reach], w[w < -1 / reach]):
        ax.plot(side, 1 / side, color="black", linewidth=1.5, linestyle="--")
    ax.set(xlabel="w", ylabel="h", xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    return ax


def place_names(points: Tensor, names: Sequence[str], ax: Axes) -> None:
    """Write names beside points (m, 2), each at the first place away from other names, points and the edge of the axes.

    Names given first are placed first. An empty name takes no place, and one that finds no place is left out. Call it
    last: the places are right for the axes as they are now.
    """
    # the directions from a point to its name, the best first
    around = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.9), (-0.7, 0.9), (0.7, -0.9), (-0.7, -0.9))
    ax.autoscale_view()
    ax.autoscale(False)
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
        for far, (right, up) in itertools.product((5, 12, 22, 34), around):
            shift = np.array([right, up]) * (size / 2 + far * point)
            low, high = (x, y) + shift - size / 2, (x, y) + shift + size / 2
            place = Bbox([low, high])
            if (low > ax.bbox.min).all() and (high < ax.bbox.max).all() and not place.count_overlaps(taken):
                text.xyann = tuple(shift / point)
                taken.append(place.padded(3 * point))
                if far > 5:  # further away a line shows which point is meant
                    end = ax.transData.inverted().transform(np.clip((x, y), low, high))
                    ax.plot(*zip(at, end, strict=True), color=GREY, linewidth=0.6, zorder=1)
                break
        else:
            text.remove()
