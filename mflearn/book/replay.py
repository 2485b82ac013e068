"""Explorers for pages without Python: each state of a grid is computed and drawn here, and replayed by player.js.

The explorer's own compute, draw and describe make every state, so no mathematics and no figure is written twice. A
renderer records what the moving artists draw, as display lists, each distinct one once. All that does not move is a
picture. What a page then needs is one script for each explorer, and the player.

    export    writes both into a folder
    embed     is the HTML that shows an explorer in a page
"""

import base64
import functools
import gzip
import hashlib
import inspect
import io
import itertools
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pooch
import torch
from fontTools import subset
from ipywidgets import Dropdown
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.image import AxesImage
from matplotlib.text import Text
from PIL import Image

from .. import widgets
from ..descent import Run, factorize
from ..festival import invent
from ..plots import GHOST
from ..widgets import landscape, rank_and_rate
from ..widgets.explorer import Explorer
from ..widgets.picture import Stage

PACKAGE = Path(__file__).parents[1]
PLAYER = "player.js"
EXAMPLE = "example"  # the control that chooses among examples
FIFTH = 5  # coordinates are whole fifths of a pixel
ROUGH = 0.3  # pixels; a line may lie so far from its points
FAR = 5000  # pixels; what is further away is not seen
SMALL = 64  # entries of an image that are kept as colours; a larger one becomes a tile of one lossy grey picture
QUALITY = 75  # of that picture, of 100


@dataclass(frozen=True)
class Grid:
    """The states of an explorer that a page holds: every combination of these settings."""

    settings: dict[str, Sequence]  # by control; any other control stays as it is at the start
    ghosts: dict[int, int | None] = field(default_factory=dict)  # by number of moving artist: whose state before it
    # shows; None, if it depends on that of more, so that it stays away
    since: str = ""  # the control that must move for that; if empty, any
    examples: dict[str, dict[str, Any]] = field(default_factory=dict)  # settings that only come together, by name
    plays: str = ""  # the control that a Play button moves, step by step
    pointed: tuple[str, ...] = ()  # the controls that a click on the first axes moves, along x and along y
    missing: str = ""  # what else the explorer has in JupyterLab
    compute: Callable[..., Any] | None = None  # a faster way to the results of the explorer's own

    @property
    def choices(self) -> dict[str, Sequence]:
        """The values of each control of the page."""
        return {**({EXAMPLE: list(self.examples)} if self.examples else {}), **self.settings}


@functools.cache
def _batch(rule: str, steps: int) -> Run:
    ranks, rates = torch.arange(1, rank_and_rate.MOST + 1)[:, None, None], torch.tensor(RATES, dtype=torch.float64)
    made = rank_and_rate.RULES[rule]
    return factorize(rank_and_rate.A, ranks, eta=rates[:, None], seed=torch.arange(2), steps=steps, rule=made)


def _toy(k: int, eta: float, rule: str, seed: int, steps: int) -> rank_and_rate.Training:
    """`rank_and_rate.compute`, with all runs of a rule in one batch."""
    known = rank_and_rate.compute(k, rank_and_rate.ETAS[0], rule, seed, rank_and_rate.STEPS)
    return replace(known, eta=eta, steps=steps, run=_batch(rule, steps)[k - 1, RATES.index(eta), seed])


def _steps(low: float, high: float, step: float) -> list[float]:
    return [round(low + i * step, 4) for i in range(round((high - low) / step) + 1)]


def _powers(low: float, high: float, step: float) -> list[float]:
    return [float(f"{10**power:.4g}") for power in _steps(low, high, step)]


def _entries(names: str, *values: float) -> dict[str, float]:
    return dict(zip(names.split(), values, strict=True))


def _stars(*stars: int) -> dict[str, int]:
    return {f"rate{number}": star for number, star in enumerate(stars, 1)}


RATES = sorted({*rank_and_rate.ETAS, 0.05})  # the question asks for 0.05
GRIDS = {
    "explore_difference_quotient": Grid(
        {
            "exponent": _steps(-13, -1, 0.25),
            "kind": widgets.difference_quotient.QUOTIENTS,
            "formula": list(widgets.difference_quotient.FORMULAS),
        },
        {0: 1},
    ),
    "explore_landscape": Grid(
        {
            "fraction": (0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 1.05, 1.5, 2.2),
            "w": (-2.0, -1.0, 0.0, 0.5, 1.0, 1.8),
            "h": (-1.8, -0.6, 0.0, 1.0, 1.5, 2.0),
            "step": (*range(11), 12, 15, 20, 30, 40, 60),
        },
        plays="step",
        pointed=("w", "h"),
        missing="go one step further by a button",
    ),
    "explore_learning_rate": Grid({"fraction": _steps(0.05, 2.2, 0.05), "k": (1, 2)}, {0: 1}),
    "explore_rank_and_rate": Grid(
        {"steps": (1000, 5000), "k": (1, 2, 3), "eta": RATES, "rule": list(rank_and_rate.RULES), "seed": (0, 1)},
        {0: 2},
        compute=_toy,
    ),
    "explore_rank": Grid(
        {
            "k": (1, 2, 5, 10, 20, 40),
            "scale": (0.001, 0.01, 0.3162, 1.0),
            "fraction": (0.1, 0.5, 0.9, 1.2),
            "step": (0, 10, 20, 50, 100, 200, 300),
        },
        {2: 4, 5: 7},
    ),
    "explore_machines": Grid(
        {
            "ratings": _powers(5, 11, 1),
            "users": (1e3, 1e5, 1e7, 1e9),
            "items": (1e3, 1e5, 1e7),
            "k": (8, 16, 64),
            "machines": (1, 2, 4, 16, 64, 256),
            "network": list(widgets.machines.NETWORKS),
        },
        {5: 9},
    ),
    "explore_map": Grid({"film": sorted(invent()[0].items), "count": (1, 3, 8)}),
    "explore_noise": Grid(
        {
            "k": range(1, 11),
            "noise": (0.1, 0.3, 0.5, 0.7, 1.0, 1.3, 1.6, 2.0, 2.5),
            "rank": range(1, 7),
            "errors": widgets.noise.ERRORS,
        },
        {0: 5, 1: 6, 2: 7},
    ),
    "explore_parts": Grid(
        {"k": range(2, 13), "seed": range(8), "data": list(widgets.parts_and_seeds.SCORES)}, {63: 65}, since="data"
    ),
    "explore_ratings": Grid(
        {"k": (1, 2, 3, 5, 10), "lam": _powers(-3, 0, 0.25), "share": (0.1, 0.4, 0.7, 1.0)},
        {0: 2},
        missing="open the test set, and see earlier tries on the right",
        compute=widgets.sparse_ratings.compute,
    ),
    "explore_outer_products": Grid(
        {"k": (1, 2)},
        {38: 39},
        examples={
            "the start": {},
            "w₁ halved, h₁ doubled": _entries("W11 W21 W31 W41 H11 H12", 2.5, 1.5, 1.0, 0.5, 2.0, 1.2),
            "a better pattern": _entries("W11 W21 W31 W41 H11 H12", 4.96, 3.06, 1.89, 1.17, 1.0, 0.62),
            "two patterns": _entries("W11 W21 W31 W41 H11 H12", 2.0, 1.0, 1.0, 0.0, 2.0, 1.0)
            | _entries("W12 W22 W32 W42 H21 H22", 1.0, 1.0, 0.0, 1.0, 1.0, 1.0),
        },
        missing="type your own entries",
    ),
    "explore_recommendations": Grid(
        {
            "cut": (1, 20, 50, 100),
            "solver": list(widgets.recommendations.SOLVERS),
            "k": ("16", "8", "2"),
            "by": list(widgets.recommendations.RANKINGS),
        },
        {3: None},
        examples={
            "nothing rated": {},
            "5 stars and 1 star in turn": _stars(5, 1, 5, 1, 5, 1, 5, 1, 5, 1),
            "1 star and 5 stars in turn": _stars(1, 5, 1, 5, 1, 5, 1, 5, 1, 5),
            "only three rated": _stars(5, 3, 1),
            "5 stars for all": _stars(*[5] * 10),
        },
        missing="rate the titles yourself, and see the list before in grey",
    ),
}


class Recorder(RendererBase):
    """A renderer that keeps what it is told to draw as a list of operations for the player."""

    def __init__(self, figure: Figure) -> None:
        super().__init__()
        self.agg, self.dpi = figure.canvas.get_renderer(), figure.dpi
        self.width, self.height = (round(size) for size in figure.bbox.size)
        self.operations: list[dict] = []  # of one artist
        self.texts, self.letters = {}, set()  # of all artists
        self.styles, self.outlines, self.tiles, self.palettes = {}, {}, {}, {}  # each with its number

    def record(self, artist: Artist, ground: int) -> str:
        """What this artist draws on this ground, as JSON."""
        self.operations, key = [], None
        if type(artist) is Text:  # half of the artists; the same text is drawn once
            key = id(artist), ground, artist.get_text(), artist.get_color(), artist.get_position(), artist.get_visible()
        if key in self.texts:
            return self.texts[key]
        if isinstance(artist, AxesImage):
            self._image(artist)
        else:
            artist.draw(self)
        text = compact(self.operations)
        if key:
            self.texts[key] = text
        return text

    def get_canvas_width_height(self) -> tuple[int, int]:
        """In pixels."""
        return self.width, self.height

    def points_to_pixels(self, points: float) -> float:
        """A length in points, 1/72 inch."""
        return points * self.dpi / 72

    def get_text_width_height_descent(self, *text: Any) -> tuple[float, float, float]:
        """As Agg measures it, so that lines stand where they stand in JupyterLab."""
        return self.agg.get_text_width_height_descent(*text)

    def _style(self, gc: GraphicsContextBase, face: Any = None) -> int:
        """The number of the style: stroke, fill, width, dashes, joins, caps and clip."""
        clip, (_, dashes) = gc.get_clip_rectangle(), gc.get_dashes()
        fill = "" if face is None or to_rgba(face)[3] == 0 else to_hex(face, keep_alpha=True)
        cap = {"projecting": "square"}.get(gc.get_capstyle(), gc.get_capstyle())
        box = clip and [round(v) for v in (clip.x0, self.height - clip.y1, clip.width, clip.height)]
        style = [to_hex(gc.get_rgb(), keep_alpha=True), fill, round(self.points_to_pixels(gc.get_linewidth()), 2)]
        style += [[round(self.points_to_pixels(dash), 1) for dash in dashes or []], gc.get_joinstyle(), cap, box]
        return _number(compact(style), self.styles)

    def _outline(self, path: Any, transform: Any, **how: Any) -> tuple[np.ndarray, dict[str, Any]]:
        """The corners of a path, where among them its further parts begin, and whether these are closed."""
        path = path.cleaned(transform=transform, remove_nans=True, curves=False, **how)
        is_corner = (path.codes == path.MOVETO) | (path.codes == path.LINETO)
        begins = np.flatnonzero(path.codes[is_corner] == path.MOVETO)[1:].tolist()
        return path.vertices[is_corner], {"begins": begins, "closed": path.CLOSEPOLY in path.codes}

    def _points(self, corners: np.ndarray, height: float = 0) -> int:
        """The number of these corners: each less the one before, in fifths of a pixel, counted from the top."""
        whole = np.round((np.clip(corners, -FAR, FAR) * [1, -1] + [0, height]) * FIFTH).astype(int)
        return _number(compact(np.diff(whole, axis=0, prepend=0).ravel().tolist()), self.outlines)

    def draw_path(self, gc: Any, path: Any, transform: Any, rgbFace: Any = None) -> None:  # noqa: N803
        """A line, or an area."""
        near = (-50, -50, self.width + 50, self.height + 50) if rgbFace is None else None
        path.simplify_threshold = ROUGH
        how = {"snap": gc.get_snap(), "stroke_width": self.points_to_pixels(gc.get_linewidth())}
        corners, parts = self._outline(path, transform, clip=near, simplify=path.should_simplify, **how)
        if len(corners):
            points = self._points(corners, self.height)
            self.operations.append({"style": self._style(gc, rgbFace), "points": points, **parts})

    def draw_markers(self, gc: Any, marker: Any, shape: Any, path: Any, transform: Any, face: Any = None) -> None:
        """The same small shape at many points."""
        places = transform.transform(path.vertices)
        places = places[(np.abs(places) < FAR).all(1)]  # neither is NaN
        if len(places):
            corners, parts = self._outline(marker, shape)
            points, shape = self._points(places, self.height), self._points(corners)
            self.operations.append({"style": self._style(gc, face), "points": points, "shape": shape, **parts})

    def _image(self, artist: AxesImage) -> None:
        """The entries of an image, not the pixels that they are enlarged to: colours, or shades to be coloured."""
        table, (m, n) = artist.get_array(), artist.get_size()
        left, low, right, high = (round(end) for end in artist.get_window_extent().extents)
        box = [left, self.height - high, right - left, high - low]
        if m * n <= SMALL:
            entries = artist.to_rgba(table, bytes=True).reshape(-1, 4)
            colours = [to_hex(entry / 255) if entry[3] else "" for entry in entries]
            self.operations.append({"box": box, "colours": colours, "columns": n})
            return
        shades = np.ma.filled(artist.norm(table).astype(float), np.nan)
        is_shown = np.isfinite(shades)
        if is_shown.any():
            palette = artist.cmap(np.arange(256), bytes=True)[:, :3].tobytes().hex()
            tile = np.stack((np.nan_to_num(shades * 256).clip(0, 255), 255 * is_shown), -1).astype(np.uint8)
            number = _number((tile.shape, tile.tobytes()), self.tiles)
            self.operations.append({"box": box, "tile": number, "palette": _number(palette, self.palettes)})

    def draw_text(self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath=False, mtext=None) -> None:
        """One line of a text, from the left end of its baseline."""
        if ismath or angle:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)  # as paths
        else:
            self.letters.update(s)
            size, style = round(self.points_to_pixels(prop.get_size_in_points()), 2), self._style(gc)
            width = self.agg.get_text_width_height_descent(s, prop, False)[0]  # a browser may draw it a little wider
            place = [round(x, 1), round(y, 1), round(width, 1)]
            self.operations.append({"style": style, "text": s, "at": place, "size": size})

    def sheet(self) -> dict[str, Any] | None:
        """All tiles in one picture, and how they lie in it."""
        if not self.tiles:
            return None
        shape, *others = {shape for shape, _ in self.tiles}
        if others:
            raise ValueError(f"the images of an explorer have shapes {shape} and {others[0]}; they must have one")
        m, n, _ = shape
        across = math.ceil((len(self.tiles) * m / n) ** 0.5)
        pixels = np.zeros((-(-len(self.tiles) // across), m, across, n, 2), np.uint8)
        for number, (_, tile) in enumerate(self.tiles):
            pixels[number // across, :, number % across] = np.frombuffer(tile, np.uint8).reshape(shape)
        out = io.BytesIO()
        Image.fromarray(pixels.reshape(-1, across * n, 2)).save(out, "webp", quality=QUALITY)
        picture = base64.b64encode(out.getvalue()).decode()
        return {"picture": picture, "across": across, "width": n, "height": m, "palettes": list(self.palettes)}


def _number(thing: Any, numbers: dict[Any, int]) -> int:
    """The number of a thing, which is the next one if it is new."""
    return numbers.setdefault(thing, len(numbers))


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def font(letters: set[str]) -> str:
    """The font of the pictures with only these letters, in base 64."""
    options = subset.Options(name_IDs=["*"], notdef_outline=True)  # the licence stays in
    options.drop_tables += ["FFTM"]  # when the font was made
    out, chosen = io.BytesIO(), subset.Subsetter(options)
    with subset.load_font(findfont(FontProperties()), options) as made:
        chosen.populate(text=" " + "".join(letters))  # browsers refuse an empty font
        chosen.subset(made)
        made.save(out)
    return base64.b64encode(out.getvalue()).decode()


def replay(explorer: Explorer, grid: Grid) -> dict[str, Any]:
    """What the player needs: controls, question, and the words and the display lists of each state of the grid."""
    stage, start = Stage(explorer.draw, *explorer.stage.figure.get_size_inches()), explorer.settings
    recorder, compute, grounds, rows = Recorder(stage.figure), grid.compute or explorer.compute, {}, []
    question, verdicts = explorer.prediction and explorer.prediction.question, []
    asked = {**start, **question.settings(start)} if question else {}
    if explorer.prepare:
        explorer.prepare(lambda _done: True)
    for values in itertools.product(*grid.choices.values()):
        here = dict(zip(grid.choices, values, strict=True))
        settings = {**start, **grid.examples.get(here.get(EXAMPLE), {}), **here}
        settings.pop(EXAMPLE, None)
        result = compute(**settings)
        if settings == asked:
            goal = here
            for explorer.prediction.chosen in range(len(question.options)):
                verdicts.append(explorer.prediction.judge(result))
        moving = stage.update(result)
        limits = [ax.viewLim.frozen().bounds for ax in stage.figure.axes]
        if limits != stage.limits and (str(limits) not in grounds or stage.figure.get_layout_engine()):
            stage.png(result)  # a layout may move the axes, too
        if str(limits) not in grounds:
            grounds[str(limits)] = (
                _ground(stage),
                [_to_pixels(moving[ghost].axes, recorder) for ghost in grid.ghosts],
            )
        for ghost, source in grid.ghosts.items():
            if to_rgba(moving[ghost].get_color()) != to_rgba(GHOST):
                raise ValueError(f"artist {ghost} of {explorer.title!r} has not the colour of the state before")
            # what it shows of this state after the next move
            moving[ghost].set_data(*([], []) if source is None else moving[source].get_data())
        ground = list(grounds).index(str(limits))
        rows.append([explorer.describe(result), ground, *(recorder.record(artist, ground) for artist in moving)])
    words, ground, *artists = map(_numbered, zip(*rows, strict=True))
    pictures, scales = zip(*grounds.values(), strict=True)
    for artist in artists:
        artist["distinct"] = list(map(json.loads, artist["distinct"]))
    controls = [_control(explorer, grid, name) for name in (EXAMPLE, *explorer.controls) if name in grid.choices]
    if question and not verdicts:
        raise ValueError(f"the grid of {explorer.title!r} lacks the settings of its question: {asked}")
    return {
        "size": [recorder.width, recorder.height],
        "controls": controls,
        "note": _note(explorer, grid, len(rows)),
        "question": question
        and {"text": question.text, "options": list(question.options), "verdicts": verdicts}
        | {"settings": [control["values"].index(goal[control["name"]]) for control in controls]},
        "words": words,
        "grounds": {"distinct": pictures, "scales": scales, "states": ground["states"]},
        "artists": artists,
        "plays": grid.plays and {"control": list(grid.choices).index(grid.plays), "pace": landscape.PACE},
        "pointed": _pointed(grid, stage, recorder),
        "ghosts": [[*pair, grid.since, place] for place, pair in enumerate(grid.ghosts.items()) if pair[1] is not None],
        "styles": list(map(json.loads, recorder.styles)),
        "outlines": list(map(json.loads, recorder.outlines)),
        "sheet": recorder.sheet(),
        "font": font(recorder.letters),
    }


def _ground(stage: Stage) -> str:
    """The picture of all that does not move, in base 64."""
    stage.figure.canvas.restore_region(stage.rest)
    out = io.BytesIO()
    Image.fromarray(np.asarray(stage.figure.canvas.buffer_rgba())).save(out, "png", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def _to_pixels(axes: Axes, recorder: Recorder) -> list[float]:
    """The numbers a to f of a DOMMatrix that places a point of the data, or its logarithm, on the canvas."""
    x, y, place = (axes.transLimits + axes.transAxes).get_matrix()[:2].T
    return [x[0], -x[1], y[0], -y[1], place[0], recorder.height - place[1]]


def _pointed(grid: Grid, stage: Stage, recorder: Recorder) -> dict[str, Any] | None:
    """Which controls a click moves, and how the first axes lie on the canvas; their limits must not move."""
    if not grid.pointed:
        return None
    axes = stage.figure.axes[0]
    return {
        "controls": [list(grid.choices).index(name) for name in grid.pointed],
        "scale": _to_pixels(axes, recorder),
        "limits": [*axes.get_xlim(), *axes.get_ylim()],
    }


def _numbered(column: Sequence) -> dict[str, list]:
    """The distinct values of a column, and the number of that of each state."""
    numbers = {value: number for number, value in enumerate(dict.fromkeys(column))}
    return {"distinct": list(numbers), "states": [numbers[value] for value in column]}


def _control(explorer: Explorer, grid: Grid, name: str) -> dict[str, Any]:
    """A control, its values, that of the start, and how far apart in the list of states two neighbours are."""
    values, names = list(grid.choices[name]), list(grid.choices)
    inner = [len(grid.choices[other]) for other in names[names.index(name) + 1 :]]
    control = explorer.controls.get(name)
    return {
        "name": name,
        "label": control.description if control else name,
        "values": values,
        "texts": [value if isinstance(value, str) else f"{value:g}".replace("-", "−") for value in values],
        "start": values.index(control.value) if control else 0,
        "stride": math.prod(inner),
    }


def _note(explorer: Explorer, grid: Grid, count: int) -> str:
    """Which values, and what else, this explorer only has in JupyterLab."""
    held, together = [], [name for example in grid.examples.values() for name in example]
    for name, control in explorer.controls.items():
        if name in grid.settings:
            values, step = len(grid.settings[name]), getattr(control, "step", 1)
            is_menu = isinstance(control, Dropdown)
            if not is_menu and (not step or values < 1 + round((control.max - control.min) / step)):
                held.append(f"{control.description} has {values} values")
        elif name not in together and control.layout.display != "none":
            held.append(f"{control.description} stays {control.value}")
    if grid.examples:
        held.append(f"there are {len(grid.examples)} examples")
    if not held:
        return ""
    more = f", and you can {grid.missing}" if grid.missing else ""
    note = f"This page works without Python, so it only holds {count:,} states: {', '.join(held)}."
    for name, example in grid.examples.items():
        values = ", ".join(f"{explorer.controls[one].description} = {value:g}" for one, value in example.items())
        note += f" “{name}” means {values}." if example else ""
    return f"{note} In JupyterLab all values are there{more}."


def script(name: str) -> str:
    """The data of one explorer as a script, which also works in a page that is opened from a disk."""
    text = compact(replay(getattr(widgets, name)(), GRIDS[name]))
    packed = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return f'(window.mflearnExplorers ??= {{}})["{name}"] = "{packed}";\n'


def _fingerprint(name: str) -> str:
    """Of all that the data of an explorer are made of."""
    own = Path(inspect.getsourcefile(getattr(widgets, name)))
    shared = [PACKAGE / "widgets" / f"{module}.py" for module in ("explorer", "picture", "prediction")]
    made_of = [*PACKAGE.glob("*.py"), *PACKAGE.glob("*.csv"), *PACKAGE.glob("*.npz"), *shared, own, Path(__file__)]
    versions = [module.__version__ for module in (torch, np, matplotlib)]
    return hashlib.sha256(b"".join(map(Path.read_bytes, sorted(made_of))) + compact(versions).encode()).hexdigest()[:16]


def export(name: str, folder: Path | str) -> None:
    """Write the player and the data of one explorer into a folder. Data that were made before come from a cache."""
    folder, cache = Path(folder), Path(pooch.os_cache("mflearn")) / "book"
    kept = cache / f"{name}-{_fingerprint(name)}.js"
    folder.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        made = script(name)
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache, delete=False, encoding="utf-8") as half:
            half.write(made)
        os.replace(half.name, kept)
    shutil.copyfile(kept, folder / f"{name}.js")
    shutil.copyfile(Path(__file__).with_name(PLAYER), folder / PLAYER)


def embed(name: str, static: str = "_static") -> str:
    """HTML that shows an explorer in a page; `static` is the way from there to the folder of `export`."""
    place = (
        f'<div class="mflearn-replay" data-explorer="{name}"><noscript>This explorer needs JavaScript.</noscript></div>'
    )
    return place + "".join(f'\n<script defer src="{static}/{file}"></script>' for file in (f"{name}.js", PLAYER)) + "\n"


def page(name: str, folder: Path | str) -> Path:
    """Write a page of its own for one explorer, to look at it; returns its path."""
    export(name, folder)
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
    style = "<style>:root { color-scheme: light dark } body { font-family: sans-serif; margin: 8px }</style>"
    view = '<meta name="viewport" content="width=device-width">'
    path = Path(folder) / f"{name}.html"
    path.write_text(f"{head}{view}{style}<main>{embed(name, '.')}</main></html>\n", encoding="utf-8")
    return path
