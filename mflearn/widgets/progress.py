"""A bar and a Stop button for work that takes long; they hold their place, so that nothing jumps when they appear."""

import atexit
import contextlib
import time
from collections.abc import Callable, Iterator

import ipywidgets

Watch = Callable[[float], bool]
"""Told now and then what share of the work is done, from 0 to 1; the work is to end when it answers False."""

LONG, OFTEN, PATIENCE = 0.5, 0.1, 0.1  # seconds: until it is shown, between two moves of the bar, until work gives way


class Work:
    """A `Watch` for one piece of work; it remembers whether and where the learner stopped it."""

    def __init__(self, progress: "Progress", overtaken: Callable[[], bool]) -> None:
        self.progress, self.overtaken = progress, overtaken
        self.begun = self.told = time.monotonic()
        self.asked, self.whole, self.stopped_at = False, True, None

    def __call__(self, done: float) -> bool:
        """Whether to go on."""
        now = time.monotonic()
        if now - self.begun > LONG and now - self.told > OFTEN:
            self.progress.bar.value, self.progress.layout.visibility, self.told = done, "visible", now
        if self.asked:
            self.stopped_at = done
        gives_way = now - self.begun > PATIENCE and self.overtaken()
        self.whole = self.whole and not (self.asked or gives_way)
        return self.whole


UNDER_WAY: list[Work] = []  # of all explorers


@atexit.register
def leave() -> None:
    """End all work before Python ends: a thread that still computes would make the process abort."""
    end = time.monotonic() + 5
    while UNDER_WAY and time.monotonic() < end:
        for work in list(UNDER_WAY):
            work.asked = True
        time.sleep(0.01)


class Progress(ipywidgets.HBox):
    """Invisible until some work has taken half a second."""

    def __init__(self) -> None:
        self.bar = ipywidgets.FloatProgress(max=1, layout={"width": "240px"}, tooltip="share of the work that is done")
        self.button = ipywidgets.Button(
            description="Stop", tooltip="stop here and keep what there is", layout={"width": "80px"}
        )
        self.button.on_click(lambda _: self.stop())
        super().__init__([self.bar, self.button], layout={"visibility": "hidden", "height": "32px"})

    def stop(self) -> None:
        """Stop the work that is under way; what it has computed so far is kept."""
        for work in list(UNDER_WAY):
            if work.progress is self:
                work.asked = True

    @contextlib.contextmanager
    def shown(self, overtaken: Callable[[], bool] = lambda: False) -> Iterator[Work]:
        """Shown while some work is done that calls this `Watch`."""
        work = Work(self, overtaken)
        UNDER_WAY.append(work)
        try:
            yield work
        finally:
            UNDER_WAY.remove(work)
            if all(other.progress is not self for other in list(UNDER_WAY)):
                self.layout.visibility = "hidden"
