"""A benchmark of the explorer of notebook 04 in Chromium: how long it takes from a key to new pixels.

It is compared with `interact`, which one would use instead, and with the floor: the round trip of a finished picture.
"""

import os
import platform
import statistics
import tempfile
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import nbformat
from browser import CHROMIUM, WATCH, chromium, jupyter_lab, open_notebook, run_all

from mflearn.__main__ import SETTINGS

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
GOAL_MEDIAN, GOAL_95 = 100, 150  # milliseconds
GOAL_FASTER, GOAL_SLOWER = 3, 2.5  # our median: so many times faster than interact, at most so many times the floor


@dataclass
class Seen:
    """What was seen of one design: milliseconds from key to pixels, and faults that should not be seen."""

    waits: list[float] = field(default_factory=list)
    after_divergence: list[float] = field(default_factory=list)
    blank: int = 0  # frames without a picture
    jumps: int = 0  # of the slider, in pixels
    growth: int = 0  # of the output's height, in pixels

    @property
    def median(self) -> float:
        """The median of all waits."""
        return statistics.median(self.waits)

    @property
    def percentile_95(self) -> float:
        """95 % of the waits stay below it."""
        return statistics.quantiles(self.waits, n=20)[-1]


def measure(rounds: int = 5, presses: int = 20) -> bool:
    """Print the table; True if all goals are reached."""
    if CHROMIUM is None:
        raise FileNotFoundError("found no Chromium on the path; install the package chromium")
    seen = {name: Seen() for name in DESIGNS}
    with tempfile.TemporaryDirectory() as folder, jupyter_lab(Path(folder), SETTINGS) as lab, chromium() as page:
        print(machine(page.context.browser.version))
        for number, source in enumerate(DESIGNS.values()):
            cell = nbformat.v4.new_code_cell(source.strip())
            kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
            nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), f"{folder}/{number}.ipynb")
        for turn in range(rounds):
            for number, design in enumerate(seen.values()):
                key = "ArrowRight" if turn % 2 == 0 else "ArrowLeft"
                press_keys(page, lab, f"{number}.ipynb", presses, design, key)
    return report(seen, rounds)


def press_keys(page, lab: tuple[str, str], notebook: str, presses: int, seen: Seen, key: str) -> None:
    """Open one design and press a key so often; after each press, wait for the picture and then a moment longer."""
    open_notebook(page, *lab, notebook)
    run_all(page)
    handles = page.locator(".jp-Cell-outputArea .noUi-handle")
    handles.nth(1).wait_for()
    page.wait_for_timeout(2500)  # until nothing is being loaded
    page.evaluate(WATCH, page.locator(".jp-Cell-outputArea").element_handle())
    handles.nth(1).focus()
    page.wait_for_timeout(300)
    for _ in range(presses):
        seen.waits.append(press(page, key))
    press(page, "End")  # η = 1 diverges
    seen.after_divergence.append(press(page, "Home"))
    log = page.evaluate("() => ({ ...log, tops: [...log.tops], heights: [...log.heights] })")
    seen.blank += log["blank"]
    seen.jumps = max(seen.jumps, max(log["tops"]) - min(log["tops"]))
    seen.growth = max(seen.growth, max(log["heights"]) - min(log["heights"]))


def press(page, key: str) -> float:
    """Press a key; the milliseconds until another picture is there."""
    before = page.evaluate("() => log.pictures")
    page.keyboard.press(key)
    page.wait_for_function("count => log.pictures > count", arg=before, timeout=10_000, polling="raf")
    wait = page.evaluate("() => log.shown - log.key")
    page.wait_for_timeout(120)
    return wait


def machine(browser: str) -> str:
    """The versions of everything between a key and its pixels, and the system."""
    libraries = ("torch", "jupyterlab", "ipykernel", "ipywidgets")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in libraries)
    return (
        f"Python {platform.python_version()}, {versions}, Chromium {browser}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores"
    )


def report(seen: dict[str, Seen], rounds: int) -> bool:
    """Print the table and the goals; True if all are reached."""
    ours, interact, floor = seen.values()
    print(f"k-and-η explorer of notebook 04, from key to new pixels: {rounds} rounds, {len(ours.waits)} keys each\n")
    print(f"{'':18}{'median':>10}{'95 %':>10}{'after divergence':>18}{'blank frames':>14}{'jump':>8}{'growth':>9}")
    for name, design in seen.items():
        print(
            f"{name:18}{design.median:7.0f} ms{design.percentile_95:7.0f} ms"
            f"{statistics.median(design.after_divergence):15.0f} ms"
            f"{design.blank:14}{design.jumps:5} px{design.growth:6} px"
        )
    faster, slower = interact.median / ours.median, ours.median / floor.median
    print(f"\nGoals: median below {GOAL_MEDIAN} ms, 95 % below {GOAL_95} ms, no blank frame, no jump, no growth;")
    print(
        f"{faster:.1f} times faster than interact (goal: {GOAL_FASTER}), "
        f"{slower:.1f} times the floor (at most {GOAL_SLOWER})"
    )
    quick = ours.median < GOAL_MEDIAN and ours.percentile_95 < GOAL_95
    still = ours.blank == ours.jumps == ours.growth == 0
    return quick and still and faster >= GOAL_FASTER and slower <= GOAL_SLOWER
