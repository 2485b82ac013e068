"""A test set behind one button that counts how often it is used: a score that chose the model no longer measures it."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets

from ..model import Model
from ..ratings import Ratings, given
from ..scores import rmse


class LockedTest(anywidget.AnyWidget):
    """A button that scores the present model on the test ratings, and a line that says how often that was done.

    `present` gives the model and its name at the time of the press. The ratings themselves are not handed out.
    """

    _esm = Path(__file__).with_suffix(".js")
    asked = traitlets.Int(0).tag(sync=True)  # how often the button was pressed
    count = traitlets.Int(0).tag(sync=True)  # how often the test set was opened
    words = traitlets.Unicode("").tag(sync=True)

    def __init__(self, test: Ratings, present: Callable[[], tuple[str, Model]]) -> None:
        self._test = given(test, "test")
        self._present = present
        self.openings: list[tuple[float, str]] = []  # of each look the test RMSE, and the name of the model
        super().__init__(words=self._said())
        self.layout.width = "100%"  # a row of its own
        self.observe(lambda _: self.look(), names="asked")

    def look(self) -> float:
        """Score the present model on the test ratings, and count that."""
        name, model = self._present()
        error = rmse(model.predict_all(self._test), self._test.value)
        self.openings.append((error, name))
        with self.hold_sync():
            self.count, self.words = len(self.openings), self._said()
        return error

    def _said(self) -> str:
        if not self.openings:
            return f"Locked: {len(self._test):,} test ratings, not used so far. Choose your settings first."
        last, name = self.openings[-1]
        told = f"test RMSE {last:.3f} for {name}"
        if len(self.openings) == 1:
            return f"Opened once: {told}. An honest estimate, if nothing is changed because of it."
        lowest, best = min(self.openings, key=lambda opening: opening[0])
        return (
            f"Opened {len(self.openings)} times, last: {told}. Whoever now picks the lowest, {lowest:.3f} for "
            f"{best}, has tuned on the test set: that number is too good, and no untouched ratings are left."
        )
