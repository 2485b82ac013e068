"""The picture of an explorer: a figure that draws again only what moves, and the element that shows it in the page."""

import io
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from PIL import Image

from .. import checked
from ..plots import canvas

Update = Callable[[Any], Sequence[Artist]]


class Stage:
    """A figure that stays: `draw(figure)` builds it once and returns the function that puts a result on it.

    That function returns the artists that it changed. They alone are drawn again, over a copy of all the rest,
    which takes a third of the time of drawing the figure.
    """

    def __init__(self, draw: Callable[[Figure], Update], width: float, height: float) -> None:
        self.figure = canvas(width, height)
        self.update = draw(self.figure)
        checked.function(self.update, "what draw(figure) gives", "a result")
        self.lock = threading.Lock()  # two threads in one figure mangle it
        self.rest = self.limits = None

    def png(self, result: Any) -> bytes:
        """The picture of this result."""
        with self.lock:
            moving = self.update(result)
            limits = [ax.viewLim.frozen().bounds for ax in self.figure.axes]
            if limits != self.limits:  # at the start, and when an axis has changed
                for artist in moving:
                    artist.set_animated(True)
                    artist.set_in_layout(False)
                self.figure.canvas.draw()
                self.rest, self.limits = self.figure.canvas.copy_from_bbox(self.figure.bbox), limits
            self.figure.canvas.restore_region(self.rest)
            for artist in moving:
                self.figure.draw_artist(artist)
            pixels = np.asarray(self.figure.canvas.buffer_rgba())
            png = io.BytesIO()
            Image.fromarray(pixels).save(png, "png", compress_level=1)
            return png.getvalue()


class Picture(anywidget.AnyWidget):
    """A picture, and below it a line that says in words what it shows.

    The next picture is decoded before it takes the place of the last: no blank frame, no jump of the page.
    """

    _esm = Path(__file__).with_suffix(".js")
    png = traitlets.Bytes(b"").tag(sync=True)
    words = traitlets.Unicode("").tag(sync=True)
    failed = traitlets.Bool(False).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)
    is_pointed_at = traitlets.Bool(False).tag(sync=True)  # a click on it is sent as {x, y}, shares of width and height

    def show(self, png: bytes, words: str, *, failed: bool = False) -> None:
        """Picture and words in one message, so that they never disagree."""
        with self.hold_sync():
            self.png, self.words, self.failed = png, words, failed
            self.version += 1
