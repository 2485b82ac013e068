"""How soon the explorer of notebook 04 answers a key in Chromium: beside `interact`, and beside the bare round trip."""

import os
import platform
import statistics
import tempfile
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import nbformat

from ..__main__ import SETTINGS
from ..browser import CHROMIUM, chromium, jupyter_lab, open_notebook, run_all

OURS = """
from mflearn.widgets import explore_rank_and_rate
explorer = explore_rank_and_rate()
explorer.set(eta=0.01)
explorer
"""
INTERACT = """
%matplotlib inline
import matplotlib.pyplot as plt
from ipywidgets import IntSlider, interact
from mflearn.widgets import rank_and_rate as it

def show(k, step):
    training = it.compute(k, 10 ** (-3 + step / 20), "gradient descent", 0, 1000)
    it.draw(plt.figure(figsize=(10.5, 4.0), dpi=100, layout="constrained"))(training)
    plt.show()
    print(it.describe(training))

_ = interact(show, k=IntSlider(2, min=1, max=3), step=IntSlider(20, min=0, max=60))
"""
FLOOR = """
import ipywidgets
from mflearn.widgets import rank_and_rate as it
from mflearn.widgets.picture import Picture, Stage

stage, picture, slider = Stage(it.draw, 10.5, 4.0), Picture(), ipywidgets.IntSlider(20, min=0, max=60)
ready = [stage.png(it.compute(2, 10 ** (-3 + step / 20), "gradient descent", 0, 1000)) for step in range(61)]
slider.observe(lambda change: picture.show(ready[change["new"]], f"step {change['new']}"), names="value")
picture.show(ready[20], "step 20")
ipywidgets.VBox([ipywidgets.IntSlider(2), slider, picture])
"""
DESIGNS = {"mflearn": OURS, "interact, inline": INTERACT, "floor": FLOOR}
MEDIAN, MOST, FASTER, SLOWER = 100, 150, 3, 2.5  # milliseconds, and ratios

WATCH = """output => {
  const log = window.log = { key: 0, shown: 0, pictures: 0, blank: 0, frames: 0, tops: new Set(), heights: new Set() };
  addEventListener("keydown", () => { log.key = performance.now(); }, true);
  let source, last;
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", { willReadFrequently: true });
  const pixels = img => {
    canvas.width = img.naturalWidth; canvas.height = img.naturalHeight;
    pen.drawImage(img, 0, 0);
    return pen.getImageData(0, 0, canvas.width, canvas.height).data.reduce((sum, x, i) => (sum * 31 + x + i) | 0, 7);
  };
  const frame = () => {
    const img = output.querySelector("img");
    log.frames++;
    if (!img || !img.complete || !img.naturalWidth || img.getBoundingClientRect().height < 50) log.blank++;
    else if (img.src !== source) {
      const now = performance.now(), seen = pixels(img);
      source = img.src;
      if (seen !== last) { log.shown = now; log.pictures++; last = seen; }
    }
    log.tops.add(Math.round(output.querySelectorAll(".noUi-handle")[1].getBoundingClientRect().top));
    log.heights.add(Math.round(output.getBoundingClientRect().height));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""


@dataclass
class Watched:
    """What was seen of one design: milliseconds from key to pixels, and what should not be seen."""

    waits: list[float] = field(default_factory=list)
    after_divergence: list[float] = field(default_factory=list)
    blank: int = 0
    jumps: int = 0  # of the slider, in pixels
    growth: int = 0  # of the output's height, in pixels

    @property
    def median(self) -> float:
        """Of all waits."""
        return statistics.median(self.waits)

    @property
    def most(self) -> float:
        """What 95 % of the waits stay below."""
        return statistics.quantiles(self.waits, n=20)[-1]


def explorer(rounds: int = 5, presses: int = 20) -> bool:
    """Print the table; True if all goals are reached."""
    if CHROMIUM is None:
        raise FileNotFoundError("found no Chromium on the path; install the package chromium")
    watched = {name: Watched() for name in DESIGNS}
    with tempfile.TemporaryDirectory() as folder, jupyter_lab(Path(folder), SETTINGS) as lab, chromium() as page:
        print(_machine(page.context.browser.version))
        for number, source in enumerate(DESIGNS.values()):
            cell = nbformat.v4.new_code_cell(source.strip())
            kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
            nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), f"{folder}/{number}.ipynb")
        for turn in range(rounds):
            for number, seen in enumerate(watched.values()):
                _watch(page, lab, f"{number}.ipynb", presses, seen, "ArrowRight" if turn % 2 == 0 else "ArrowLeft")
    return _report(watched, rounds)


def _watch(page, lab: tuple[str, str], name: str, presses: int, seen: Watched, key: str) -> None:
    """Open one design, press a key so often, each time waiting for the picture and then a moment longer."""
    open_notebook(page, *lab, name)
    run_all(page)
    handles = page.locator(".jp-Cell-outputArea .noUi-handle")
    handles.nth(1).wait_for()
    page.wait_for_timeout(2500)  # until nothing is being loaded
    page.evaluate(WATCH, page.locator(".jp-Cell-outputArea").element_handle())
    handles.nth(1).focus()
    page.wait_for_timeout(300)
    for _ in range(presses):
        seen.waits.append(_press(page, key))
    for event in ("End", "Home"):  # η = 1 diverges; and back
        wait = _press(page, event)
    seen.after_divergence.append(wait)
    log = page.evaluate("() => ({ ...log, tops: [...log.tops], heights: [...log.heights] })")
    seen.blank += log["blank"]
    seen.jumps = max(seen.jumps, max(log["tops"]) - min(log["tops"]))
    seen.growth = max(seen.growth, max(log["heights"]) - min(log["heights"]))


def _press(page, key: str) -> float:
    """Milliseconds until another picture is there."""
    before = page.evaluate("() => log.pictures")
    page.keyboard.press(key)
    page.wait_for_function("count => log.pictures > count", arg=before, timeout=10_000, polling="raf")
    wait = page.evaluate("() => log.shown - log.key")
    page.wait_for_timeout(120)
    return wait


def _machine(browser: str) -> str:
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("torch", "jupyterlab", "ipykernel", "ipywidgets")
    )
    return (
        f"Python {platform.python_version()}, {versions}, Chromium {browser}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores"
    )


def _report(watched: dict[str, Watched], rounds: int) -> bool:
    ours, interact, floor = watched.values()
    print(f"k-and-η explorer of notebook 04, from key to new pixels: {rounds} rounds, {len(ours.waits)} keys each\n")
    print(f"{'':18}{'median':>10}{'95 %':>10}{'after divergence':>18}{'blank frames':>14}{'jump':>8}{'growth':>9}")
    for name, seen in watched.items():
        print(
            f"{name:18}{seen.median:7.0f} ms{seen.most:7.0f} ms{statistics.median(seen.after_divergence):15.0f} ms"
            f"{seen.blank:14}{seen.jumps:5} px{seen.growth:6} px"
        )
    faster, slower = interact.median / ours.median, ours.median / floor.median
    print(f"\nGoals: median below {MEDIAN} ms, 95 % below {MOST} ms, no blank frame, no jump, no growth;")
    print(f"{faster:.1f} times faster than interact (goal: {FASTER}), {slower:.1f} times the floor (at most {SLOWER})")
    still = ours.blank == ours.jumps == ours.growth == 0
    return still and ours.median < MEDIAN and ours.most < MOST and faster >= FASTER and slower <= SLOWER
