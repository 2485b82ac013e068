"""Explorer of notebook 03: one walk of gradient descent on the landscape (w h − 1)², step by step."""

import math
from dataclasses import dataclass

import ipywidgets
from matplotlib.figure import Figure

from ..plots import BLUE, VERMILLION, number, plot_landscape
from .explorer import Explorer, Question, Update, slider

STEPS = 60
LIMIT = 0.5  # η* of the 1×1 matrix [1]
FAR = 1e3  # a factor beyond this does not come back
STILL = 1e-3  # the length of a gradient that hardly moves the walk
PACE = 350  # milliseconds between two steps of Play

Point = tuple[float, float]  # w and h


@dataclass(frozen=True)
class Walk:
    """A walk with η = fraction · η*, as far as it has gone."""

    fraction: float
    path: tuple[Point, ...]  # the start, and the point after each step
    next: Point  # where one more step leads


def gradient(w: float, h: float) -> Point:
    """The derivatives of (w h − 1)² by w and by h."""
    e = w * h - 1
    return 2 * e * h, 2 * e * w


def compute(fraction: float, w: float, h: float, step: int) -> Walk:
    """`step` steps of gradient descent from (w, h), fewer if it leaves for infinity."""
    path = [(w, h)]
    for _ in range(step + 1):
        slope_w, slope_h = gradient(w, h)
        w, h = w - fraction * LIMIT * slope_w, h - fraction * LIMIT * slope_h
        path.append((w, h))
        if max(abs(w), abs(h)) > FAR:
            break
    return Walk(fraction, tuple(path[:-1]), path[-1])


def draw(figure: Figure) -> Update:
    """The walk on the landscape with the next step as an arrow, and its loss."""
    ground, ax = figure.subplots(1, 2, width_ratios=(0.9, 1.3))
    plot_landscape(ground).set_title("(w h − 1)²; arrow: the next step")
    (walk,) = ground.plot([], [], color=VERMILLION, marker="o", markersize=3, linewidth=1)
    (start,) = ground.plot([], [], color=VERMILLION, marker="o", markersize=9, markerfacecolor="white", linestyle="")
    (here,) = ground.plot([], [], color=VERMILLION, marker="o", markersize=6, linestyle="")
    arrow = ground.annotate(
        "", (0, 0), (0, 0), arrowprops={"arrowstyle": "-|>", "color": BLUE, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
    )
    ax.set(xlim=(-1, STEPS + 1), ylim=(1e-12, 1e4), yscale="log", xlabel="step", title="loss (w h − 1)²")
    ax.grid(alpha=0.3)
    (loss,) = ax.plot([], [], color=VERMILLION, marker="o", markersize=3, linewidth=1)
    (now,) = ax.plot([], [], color=VERMILLION, marker="o", markersize=8, linestyle="")
    hint = ax.text(0.5, 0.5, "each step adds a point here", transform=ax.transAxes, ha="center")

    def update(result: Walk):
        w, h = zip(*result.path, strict=True)
        walk.set_data(w, h)
        start.set_data(w[:1], h[:1])
        here.set_data(w[-1:], h[-1:])
        arrow.xy, arrow.xyann = result.next, result.path[-1]
        losses = [max((a * b - 1) ** 2, 1e-12) for a, b in result.path]
        loss.set_data(range(len(losses)), losses)
        now.set_data([len(losses) - 1], losses[-1:])
        hint.set_visible(len(losses) == 1)
        return [walk, start, here, arrow, loss, now, hint]

    return update


def describe(result: Walk) -> str:
    """Where the walk stands, what the gradient is there, and where the next step leads."""
    (w, h), slope = result.path[-1], gradient(*result.path[-1])
    words = f"η = {result.fraction:.2f} η*, step {len(result.path) - 1}: w = {number(w)}, h = {number(h)}, "
    words += f"loss {number((w * h - 1) ** 2)}. The gradient is ({number(slope[0])}, {number(slope[1])}), "
    if slope == (0, 0) and w * h != 1:
        return words + "so the walk stays at this saddle for ever."
    if is_still(result):
        place = "at a minimum" if is_lowest(result) else "close to the saddle"
        return words + f"so the walk hardly moves: it is {place}."
    if max(map(abs, result.next)) > FAR:
        return words + "and the walk leaves for infinity."
    return words + f"and the next step leads to ({number(result.next[0])}, {number(result.next[1])})."


def is_still(walk: Walk) -> bool:
    """Whether the next step is hardly a step."""
    return math.hypot(*gradient(*walk.path[-1])) < STILL


def is_lowest(walk: Walk) -> bool:
    """Whether the walk is at a minimum, as far as one can see."""
    w, h = walk.path[-1]
    return abs(w * h - 1) < 0.01


class Landscape(Explorer):
    """A walk whose start is moved by sliders, or by a click on the picture; it goes on by a button, or by itself."""

    def __init__(self) -> None:
        controls = {
            "fraction": slider("η / η*", 0.3, 0.05, 2.2, step=0.05),
            "w": slider("start w", 1.8, -2.5, 2.5, step=0.1),
            "h": slider("start h", -0.6, -2.5, 2.5, step=0.1),
            "step": slider("steps", 0, 0, STEPS),
        }
        question = Question(
            "Start at w = −1, h = 1, on the ridge between both valleys. Where do 60 steps at η = 0.3 η* end?",
            {
                "in one of the two valleys": lambda result: is_still(result) and is_lowest(result),
                "at the saddle between them": lambda result: is_still(result) and not is_lowest(result),
                "nowhere: it jumps from valley to valley": lambda result: not is_still(result),
            },
            lambda _: {"fraction": 0.3, "w": -1.0, "h": 1.0, "step": STEPS},
            "On the ridge w = −h the gradient points along the ridge, so the walk stays on it. "
            "A start beside the ridge ends in a valley.",
        )
        forward = ipywidgets.Button(description="Step", tooltip="one step further", layout={"width": "80px"})
        forward.on_click(lambda _: self._go(self.settings["step"] + 1))
        play = ipywidgets.Play(max=STEPS, interval=PACE, show_repeat=False)
        super().__init__(
            compute,
            draw,
            describe,
            controls,
            question,
            title="a walk on the landscape",
            size=(9.5, 4),
            extra=(ipywidgets.HBox([forward, play]),),
        )
        ipywidgets.link((play, "value"), (self.controls["step"], "value"))
        self.picture.is_pointed_at = True
        self.picture.on_msg(lambda _, message, __: self.point(message["x"], message["y"]))

    def point(self, x: float, y: float) -> None:
        """Start where the picture was clicked: at these shares of its width, and of its height from the top."""
        figure = self.stage.figure
        ground, pixel = figure.axes[0], (x * figure.bbox.width, (1 - y) * figure.bbox.height)
        if ground.bbox.contains(*pixel):
            w, h = ground.transData.inverted().transform(pixel)
            self._go(0)
            self.controls["w"].value, self.controls["h"].value = round(float(w), 1), round(float(h), 1)

    def _go(self, step: int) -> None:
        self.controls["step"].value = min(step, STEPS)


def explore_landscape() -> Landscape:
    """Walk downhill from any start, one step at a time."""
    return Landscape()
