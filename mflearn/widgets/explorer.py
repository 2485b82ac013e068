"""The explorer: controls → compute → one immutable snapshot → draw. It holds no mathematics and no figure code."""

import inspect
import math
import textwrap
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets

from .. import checked
from .picture import Picture, Stage, Update
from .prediction import Prediction, Question
from .progress import Progress, Watch

CALM = 0.005  # seconds without a move that end a flood of them, for each that came of late
PATIENCE = 0.25  # seconds between two pictures of a flood
MARGIN = "0 28px 2px 0"  # around a control


class GridSlider(ipywidgets.IntSlider):
    """A slider over equal steps of a value, or of its power of ten; the page only knows the number of the step.

    `FloatSlider` will not do: the page adds up the steps itself, finds a last digit changed, and sends that back as a
    move, even when the kernel has gone on to another value.
    """

    def __init__(self, label: str, value: float, low: float, high: float, step: float, *, powers: bool = False) -> None:
        self.low, self.size, self.powers = low, step, powers
        super().__init__(min=0, max=round((high - low) / step), description=label)
        self.value = self.nearest(value)

    def nearest(self, value: float) -> int:
        """The number of the step that is nearest to this value."""
        at = math.log10(value) if self.powers else value
        return min(max(round((at - self.low) / self.size), self.min), self.max)

    def at(self, number: int) -> float:
        """The value at this step, to 4 digits."""
        at = self.low + number * self.size
        return float(f"{10**at if self.powers else at:.4g}")


@dataclass(frozen=True)
class Snapshot:
    """One state of an explorer: its settings, what was computed from them, and that in words."""

    settings: dict[str, Any]
    result: Any
    words: str


class Explorer(ipywidgets.VBox):
    """Controls over a computation, with a picture that follows them.

    compute   a plain function of the settings, by name, to an immutable result; if it takes `watch`, it gets a
              `Watch` to call at least every 50 ms, and returns what it has when that answers False
    draw      draw(figure) builds the picture and returns update(result), see `Stage`
    describe  describe(result) says in one line what the picture shows
    controls  a widget for each argument of `compute`; each slider gets a labelled number box beside it
    question  asked above the controls, before they are moved; see `Question`
    size      width and height of the picture, in inches
    across    how many controls stand in a row, below the first one, which has a row of its own
    extra     widgets behind the controls
    prepare   prepare(watch) works ahead in a thread of its own when the explorer opens

    A slider may send values faster than they can be computed, and JupyterLab may run its callbacks in a thread of
    their own. So a callback only notes the newest values, and one worker takes them, computes, draws and swaps
    the snapshot; a value that was overtaken is never computed. The more values the worker finds, the longer it
    waits for the last of them, a quarter of a second at most; one that comes alone never waits. What takes longer
    than half a second shows a bar and a Stop button.

    `explorer.set(k=2)` moves a slider as a hand would, and waits for the picture; `explorer.facts` is the line below.
    """

    def __init__(
        self,
        compute: Callable[..., Any],
        draw: Callable[[Any], Update],
        describe: Callable[[Any], str],
        controls: dict[str, ipywidgets.ValueWidget],
        question: Question | None = None,
        *,
        title: str,
        size: tuple[float, float] = (9.0, 3.4),
        across: int | None = None,
        extra: tuple[ipywidgets.Widget, ...] = (),
        prepare: Callable[[Watch], None] | None = None,
    ) -> None:
        self.compute, self.draw, self.describe, self.title = compute, draw, describe, title
        rows = [_row(control) for control in controls.values()]
        self.controls = dict(zip(controls, (getattr(row, "children", [row])[0] for row in rows), strict=True))
        self.watches = "watch" in inspect.signature(compute).parameters
        self.stage, self.picture = Stage(draw, *size), Picture()
        self.snapshot: Snapshot | None = None
        self.progress = Progress()
        self._turn = threading.RLock()  # one computation at a time
        self._wanted, self._news, self._worker = None, threading.Condition(), None
        self._moves, self._moved, self._taken = 0, 0.0, 0.0  # how many of late; when one came; when one was taken
        box = ipywidgets.Box([*rows, *extra], layout={"flex_flow": "row wrap", "overflow": "visible"})
        if across:  # the first control on a line of its own, the others in a table
            table = ipywidgets.GridBox(
                rows[1:], layout={"grid_template_columns": f"repeat({across}, minmax(24px, max-content))"}
            )
            box = ipywidgets.VBox([rows[0], table], layout={"overflow": "visible"})
        self.prediction = question and Prediction(question, self._reveal)
        asked, bar = ((self.prediction,) if question else ()), ((self.progress,) if self.watches or prepare else ())
        super().__init__([*asked, box, *bar, self.picture], layout={"overflow": "visible"})
        self.add_class("mflearn-explorer")
        for control in self.controls.values():
            control.observe(lambda _: self._want(self.settings), names="value")
        self._show(self.settings)
        self.prepare = prepare
        self._preparing = threading.Thread(target=self._work_ahead, name=f"ahead of explorer {title}", daemon=True)
        if prepare:
            self._preparing.start()

    @property
    def settings(self) -> dict[str, Any]:
        """The value of each control."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def result(self) -> Any:
        """What was computed last."""
        return self.snapshot.result

    @property
    def facts(self) -> str:
        """The line under the picture, broken into lines for `print`: a notebook breaks longer ones inside a word."""
        return textwrap.fill(self.snapshot.words, 110)

    def set(self, **settings: Any) -> None:
        """Move some controls, and wait for the picture. What compute or draw raises is raised here."""
        for name, value in settings.items():
            if name not in self.controls:
                raise TypeError(f"set has no control {name!r:.40}; it has {', '.join(self.controls)}")
            _check(name, value, self.controls[name])
        with self._turn:
            with self._news:
                self._move(settings)
                self._wanted = None
            self.redraw()

    def redraw(self) -> None:
        """Compute and draw again with the present settings, for results that depend on more than the controls."""
        try:
            self._show(self.settings)
        except BaseException as error:  # also the Interrupt of a cell
            self._fail(error)
            raise

    def predict(self, answer: str) -> str:
        """Answer the question above the controls. The explorer moves there, and says whether the answer was right."""
        if self.prediction is None:
            raise TypeError(f"predict has no question here; the explorer {self.title!r} asks none")
        options = self.prediction.options
        self.prediction.chosen = options.index(checked.choice(answer, "answer", options))
        self.set(**self.prediction.question.settings(self.settings))
        return self.prediction.judge(self.result)

    def _move(self, settings: dict[str, Any]) -> None:
        """Give the controls these values. The worker must not take what their callbacks want: hold `_news`."""
        for name, value in settings.items():
            self.controls[name].value = value
        self._moves = 0

    def _reveal(self) -> None:
        """Move to the settings of the question, and judge the answer by what is then shown."""
        with self._news:
            self._move(self.prediction.question.settings(self.settings))
            self._want(self.settings, self.prediction.judge)

    def _want(self, settings: dict[str, Any], then: Callable[[Any], Any] = lambda _result: None) -> None:
        with self._news:
            self._wanted = settings, then
            self._moves, self._moved = self._moves + 1, time.monotonic()
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name=f"explorer {self.title}", daemon=True)
                self._worker.start()
            self._news.notify()

    def _work(self) -> None:
        while True:
            with self._news:
                if not self._news.wait_for(lambda: self._wanted is not None, timeout=60):
                    self._worker = None  # the next move starts another
                    return
                while (rest := self._flood_ends() - time.monotonic()) > 0:
                    self._news.wait(rest)
            with self._turn:
                with self._news:
                    wanted, self._wanted = self._wanted, None
                    self._moves, self._taken = self._moves // 4, time.monotonic()  # a flood is not forgotten at once
                if wanted is None:
                    continue
                settings, then = wanted
                try:
                    if self._show(settings, overtaken=lambda: self._wanted is not None):
                        then(self.result)
                except BaseException as error:  # a worker must not end without a word
                    self._fail(error)

    def _flood_ends(self) -> float:
        """When the newest move may be taken: at once, if it is the only one or if none was taken lately."""
        return min(self._moved + CALM * (self._moves - 1), self._taken + PATIENCE)

    def _work_ahead(self) -> None:
        try:
            with self.progress.shown() as watch:
                self.prepare(watch)
            self._want(self.settings)  # drawn again, with what is known now
        except BaseException as error:
            self._fail(error)

    def _show(self, settings: dict[str, Any], overtaken: Callable[[], bool] = lambda: False) -> bool:
        """Whether the work was done to its end."""
        with self._turn, self.progress.shown(overtaken) as work:
            result = self.compute(**settings, **({"watch": work} if self.watches else {}))
            words = self.describe(result)
            if work.stopped_at is not None:
                words = f"Stopped at {work.stopped_at:.0%}; shown is what there is by then. {words}"
            png = self.stage.png(result)
            self.snapshot = Snapshot(settings, result, words)
            self.picture.show(png, words)
            return work.whole

    def _fail(self, error: BaseException) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(f"{type(error).__name__}: {error}".split())
        text = text if len(text) <= 160 else text[:159] + "…"
        words = f"This did not work: {text} ({place.name}, line {place.lineno}). The next move starts afresh."
        if isinstance(error, KeyboardInterrupt):
            words = "Interrupted. The picture is the one before; the next move starts afresh."
        self.picture.show(self.picture.png, words, failed=True)

    def __repr__(self) -> str:
        names = ", ".join(control.description for control in self.controls.values())
        return textwrap.shorten(f"Explorer: {self.title}. Run this notebook to move {names}.", 110, placeholder=" …")


def slider(label: str, value: float, low: float, high: float, *, step: float = 1) -> ipywidgets.IntSlider:
    """A slider for whole numbers if all of its numbers are, else for real ones."""
    checked.number(step, f"step of {label!r:.40}", above=0)
    if all(isinstance(x, int) for x in (value, low, high, step)):
        return ipywidgets.IntSlider(value=value, min=low, max=high, step=step, description=label)
    return GridSlider(label, value, low, high, step)


def log_slider(label: str, value: float, low: float, high: float, *, step: float = 0.02) -> GridSlider:
    """A slider from 10^low to 10^high; `step` is in powers of ten."""
    checked.number(step, f"step of {label!r:.40}", above=0)
    return GridSlider(label, value, low, high, step, powers=True)


def choice(label: str, *options: str) -> ipywidgets.Dropdown:
    """A menu of several values; the first one is chosen at the start."""
    return ipywidgets.Dropdown(
        options=options, description=label, style={"description_width": "initial"}, layout={"width": "max-content"}
    )


def _row(control: ipywidgets.ValueWidget) -> ipywidgets.Widget:
    """The control as it stands in the page: a slider behind a labelled number box, anything else alone.

    Sliders have no name that a screen reader finds, and only take values on their steps; number boxes have one, and
    take any. So the box holds the value, and the slider follows and leads it.
    """
    if not isinstance(control, ipywidgets.IntSlider):
        control.layout.margin = MARGIN
        return control
    if isinstance(control, GridSlider):
        make, step = ipywidgets.BoundedFloatText, None if control.powers else control.size
        nearest, at = control.nearest, control.at
    else:
        make, step = ipywidgets.BoundedIntText, control.step
        nearest = at = int
    box = make(value=at(control.value), min=at(control.min), max=at(control.max), step=step)
    box.description, control.description = control.description, ""
    long = max(0, len(str(int(box.max))) - 7)  # digits for which the usual width has no place
    box.style.description_width, box.layout.width = "initial", f"{96 + 8 * (len(box.description) + long)}px"
    control.readout, control.layout.width = False, "200px"

    def follow(_change: Any) -> None:
        control.value = nearest(box.value)

    def lead(change: Any) -> None:
        if change["new"] != nearest(box.value):  # a move, not the slider following its box
            box.value = at(change["new"])

    box.observe(follow, names="value")
    control.observe(lead, names="value")
    return ipywidgets.HBox([box, control], layout={"margin": MARGIN, "overflow": "visible"})


def _check(name: str, value: Any, control: ipywidgets.ValueWidget) -> None:
    """Refuse a value outside the range of its control, which would clip it without a word."""
    if isinstance(control, ipywidgets.Dropdown):
        checked.choice(value, name, control.options)
        return
    value = checked.number(value, name)
    if isinstance(control.value, int) and value != int(value):
        raise TypeError(f"{name} is {value:g}; it must be a whole number")
    if not control.min <= value <= control.max:
        raise ValueError(f"{name} is {value:g}; it must be between {control.min:g} and {control.max:g}")
