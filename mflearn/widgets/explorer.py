"""The explorer: controls → compute → one immutable snapshot → draw. It holds no mathematics and no figure code."""

import inspect
import math
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets

from .. import checked
from .picture import Picture, Stage, Update


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
              function to call now and then, and gives up when that answers False: a newer setting is waiting
    draw      draw(figure) builds the picture and returns update(result), see `Stage`
    describe  describe(result) says in one line what the picture shows
    controls  a widget for each argument of `compute`; each slider gets a labelled number box beside it

    A slider may send values faster than they can be computed, and JupyterLab may run its callbacks in a thread of
    their own. So a callback only notes the newest values, and one worker takes them, computes, draws and swaps
    the snapshot; a value that was overtaken is never computed.

    `explorer.set(k=2)` moves a slider as a hand would, and waits for the picture; `explorer.facts` is the line below.
    """

    def __init__(
        self,
        compute: Callable[..., Any],
        draw: Callable[[Any], Update],
        describe: Callable[[Any], str],
        controls: dict[str, ipywidgets.ValueWidget],
        *,
        title: str,
        width: float = 9.0,
        height: float = 3.4,
        extra: tuple[ipywidgets.Widget, ...] = (),
        across: int | None = None,
    ) -> None:
        self.compute, self.describe, self.title = compute, describe, title
        paired = {name: _paired(name, control) for name, control in controls.items()}
        self.controls = {name: holder for name, (holder, _) in paired.items()}
        self.watches = "watch" in inspect.signature(compute).parameters
        self.stage, self.picture = Stage(draw, width, height), Picture()
        self.snapshot: Snapshot | None = None
        self._turn = threading.RLock()  # one computation at a time
        self._wanted, self._news, self._worker, self._setter = None, threading.Condition(), None, None
        rows = [row for _, row in paired.values()]
        box = ipywidgets.Box(rows, layout={"flex_flow": "row wrap", "overflow": "visible"})
        if across:  # the first control on a line of its own, the others in a table
            table = ipywidgets.GridBox(rows[1:], layout={"grid_template_columns": f"repeat({across}, max-content)"})
            box = ipywidgets.VBox([rows[0], table], layout={"overflow": "visible"})
        super().__init__([box, *extra, self.picture], layout={"overflow": "visible"})
        for control in self.controls.values():
            control.observe(self._noted, names="value")
        self._show(self.settings)

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
        """The line under the picture."""
        return self.snapshot.words

    def set(self, **settings: Any) -> None:
        """Move some controls, and wait for the picture. What compute or draw raises is raised here."""
        for name, value in settings.items():
            if name not in self.controls:
                raise TypeError(f"set has no control {name!r}; it has {', '.join(self.controls)}")
            _check(name, value, self.controls[name])
        with self._turn:
            self._setter = threading.get_ident()  # the callbacks of these moves have nothing to do
            try:
                for name, value in settings.items():
                    self.controls[name].value = value
            finally:
                self._setter = None
            with self._news:
                self._wanted = None
            self.redraw()

    def redraw(self) -> None:
        """Compute and draw again with the present settings, for results that depend on more than the controls."""
        try:
            self._show(self.settings)
        except Exception as error:
            self._fail(error)
            raise

    def _noted(self, _change: Any) -> None:
        if self._setter == threading.get_ident():
            return
        with self._news:
            self._wanted = self.settings
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._work, name=f"explorer {self.title}", daemon=True)
                self._worker.start()
            self._news.notify()

    def _work(self) -> None:
        while True:
            with self._news:
                while self._wanted is None:
                    if not self._news.wait(timeout=60):
                        self._worker = None  # the next move starts another
                        return
            with self._turn:
                with self._news:
                    settings, self._wanted = self._wanted, None
                if settings is None:
                    continue
                try:
                    self._show(settings, watch=lambda _step: self._wanted is None)
                except Exception as error:
                    self._fail(error)

    def _show(self, settings: dict[str, Any], watch: Callable[[int], bool] = lambda _step: True) -> None:
        with self._turn:
            result = self.compute(**settings, **({"watch": watch} if self.watches else {}))
            words = self.describe(result)
            png = self.stage.png(result)
            self.snapshot = Snapshot(settings, result, words)
            self.picture.show(png, words)

    def _fail(self, error: Exception) -> None:
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})".split())
        self.picture.show(self.picture.png, f"This did not work: {text}. The next move starts afresh.", failed=True)

    def __repr__(self) -> str:
        names = ", ".join(control.description for control in self.controls.values())
        return f"Explorer: {self.title}. Run this notebook to move {names}."[:110]


def slider(label: str, value: float, low: float, high: float, *, step: float | None = None) -> ipywidgets.ValueWidget:
    """A slider for whole numbers if all of its numbers are, else for real ones."""
    whole = all(isinstance(x, int) for x in (value, low, high, step or 1))
    if whole:
        return ipywidgets.IntSlider(value=value, min=low, max=high, step=step or 1, description=label)
    return GridSlider(label, value, low, high, step or 0.01)


def log_slider(label: str, value: float, low: float, high: float, *, step: float = 0.02) -> GridSlider:
    """A slider from 10^low to 10^high; `step` is in powers of ten."""
    return GridSlider(label, value, low, high, step, powers=True)


def choice(label: str, *options: str) -> ipywidgets.Dropdown:
    """One of several, the first to begin with."""
    return ipywidgets.Dropdown(options=options, description=label)


def number_box(label: str, value: float, low: float, high: float, step: float = 0.1) -> ipywidgets.BoundedFloatText:
    """A number to type, or to change with the arrow keys."""
    return ipywidgets.BoundedFloatText(value=value, min=low, max=high, step=step, description=label)


def _paired(name: str, control: ipywidgets.ValueWidget) -> tuple[ipywidgets.ValueWidget, ipywidgets.Widget]:
    """The widget that holds the value, and the row that shows it: for a slider a labelled number box beside it.

    Sliders have no name that a screen reader finds, and only take values on their steps; number boxes have one, and
    take any. So the box holds the value, and the slider follows and leads it.
    """
    control.description = control.description or name
    control.style.description_width = "initial"
    margin = {"margin": "0 28px 2px 0", "overflow": "visible"}
    if not isinstance(control, ipywidgets.IntSlider):
        control.layout.margin = margin["margin"]
        return control, control
    if isinstance(control, GridSlider):
        low, high, value = control.at(control.min), control.at(control.max), control.at(control.value)
        box = ipywidgets.BoundedFloatText(value=value, min=low, max=high, description=control.description)
        box.step = None if control.powers else control.size
        nearest, at = control.nearest, control.at
    else:
        low, high, value = control.min, control.max, control.value
        box = ipywidgets.BoundedIntText(value=value, min=low, max=high, description=control.description)
        box.step, nearest, at = control.step, int, int
    box.style.description_width, box.layout.width = "initial", f"{76 + 8 * len(box.description)}px"
    control.description, control.readout, control.layout.width = "", False, "200px"

    def follow(_change: Any) -> None:
        control.value = nearest(box.value)

    def lead(change: Any) -> None:
        if change["new"] != nearest(box.value):  # a move, not the slider following its box
            box.value = at(change["new"])

    box.observe(follow, names="value")
    control.observe(lead, names="value")
    return box, ipywidgets.HBox([box, control], layout=margin)


def _check(name: str, value: Any, control: ipywidgets.ValueWidget) -> None:
    """A control would clip a value outside its range, without a word."""
    if hasattr(control, "options"):
        allowed = [option[-1] if isinstance(option, tuple) else option for option in control.options]
        if value not in allowed:
            raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(map(str, allowed))}")
    elif hasattr(control, "min"):
        value = checked.number(value, name)
        if isinstance(control, ipywidgets.BoundedIntText):
            checked.integer(value if value != int(value) else int(value), name, least=control.min)
        if not control.min <= value <= control.max:
            raise ValueError(f"{name} is {value:g}; it must be between {control.min:g} and {control.max:g}")
