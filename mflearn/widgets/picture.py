"""The picture of an explorer: a figure that draws again only what moves, and the element that shows it in the page."""

import io
import threading
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from PIL import Image

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
            Image.fromarray(pixels).convert("RGB").save(png, "png", compress_level=1)
            return png.getvalue()


class Picture(anywidget.AnyWidget):
    """A picture, and below it a line that says in words what it shows.

    The next picture is decoded before it takes the place of the last: no blank frame, no jump of the page.
    """

    _esm = """
    function render({ model, el }) {
      const picture = document.createElement("img"), line = document.createElement("p");
      picture.style.cssText = "max-width: 100%; height: auto; display: block; background: white";
      line.setAttribute("role", "status");
      line.style.cssText = "margin: 4px 0; min-height: 3em; line-height: 1.5;" +
        "font-family: var(--jp-content-font-family); font-size: var(--jp-content-font-size1, 14px)";
      el.append(picture, line);
      let address, turn = 0;
      const show = async () => {
        const mine = ++turn, png = model.get("png"), words = model.get("words"), failed = model.get("failed");
        const next = new Image(), fresh = URL.createObjectURL(new Blob([png], { type: "image/png" }));
        next.src = fresh;
        try { await next.decode(); } catch { URL.revokeObjectURL(fresh); return; }
        if (mine !== turn) { URL.revokeObjectURL(fresh); return; }
        picture.width = next.naturalWidth; picture.height = next.naturalHeight;
        picture.src = fresh; picture.alt = words;
        line.textContent = words;
        line.style.color = failed ? "var(--jp-error-color1, #c00)" : "var(--jp-content-font-color1, inherit)";
        if (address) URL.revokeObjectURL(address);
        address = fresh;
      };
      // noUiSlider's handles have no name: each takes that of the number box beside it; and its arrow keys are
      // its own: Notebook 7 would go on to another cell
      const mend = () => el.closest(".mflearn-explorer")?.querySelectorAll(".noUi-handle:not([aria-label])").forEach(
        handle => {
          const label = handle.closest(".widget-hbox")?.querySelector("label")?.textContent || "slider";
          handle.setAttribute("aria-label", label);
          handle.setAttribute("data-lm-suppress-shortcuts", "true");
        });
      const watch = new MutationObserver(mend);
      model.on("change:version", show);
      let gone = false;
      const begin = () => {
        if (gone) return;
        if (!el.isConnected) { requestAnimationFrame(begin); return; }  // a busy page may take some frames
        show(); mend();
        const explorer = el.closest(".mflearn-explorer");
        if (explorer) watch.observe(explorer, { childList: true, subtree: true });
      };
      requestAnimationFrame(begin);
      return () => { gone = true; watch.disconnect(); if (address) URL.revokeObjectURL(address); };
    }
    export default { render };
    """
    png = traitlets.Bytes(b"").tag(sync=True)
    words = traitlets.Unicode("").tag(sync=True)
    failed = traitlets.Bool(False).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def show(self, png: bytes, words: str, *, failed: bool = False) -> None:
        """Picture and words in one message, so that they never disagree."""
        with self.hold_sync():
            self.png, self.words, self.failed = png, words, failed
            self.version += 1

    def __repr__(self) -> str:
        return f"Picture({self.words!r})"
