"""A pytest plugin: nbval with its blind spots closed. Loaded by `-p nbval_strict` in pyproject.toml.

nbval compares every text of every cell, character by character. It passes a cell that was never run, a cell that asks
not to be compared, any picture instead of another, and a widget that is not there. Here these fail.

A notebook that loads published ratings is skipped where they are not on the machine, with that reason: what it would
print there is not what was committed. Where Spark cannot run, the cells with Spark are skipped, and the others are not.
"""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from nbval.plugin import IPyNbCell, metadata_tags
from notebook_form import missing, without_spark
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # committed only as a note in the metadata, see notebook_form
BLOCK = 8  # pixels
LIMIT = (
    4.0  # of 255: a line that snaps to the next pixel differs by 0, one changed digit by 5 or more in its worst block
)


def pytest_addoption(parser):
    parser.addoption(
        "--notebooks",
        action="append",
        type=Path,
        metavar="FOLDER",
        help="check the rules of test_notebooks.py on this folder, not on notebooks/ (may be repeated)",
    )


def pytest_collection_modifyitems(items):
    for item in items:
        if isinstance(item, IPyNbCell) and (reason := missing(item.path) or without_spark(item.cell.source)):
            item.add_marker(pytest.mark.skip(reason=reason))


def exemptions(cell) -> list[str]:
    """The tags and comments by which a cell asks nbval to look away."""
    asked = [tag for tag in cell.metadata.get("tags", []) if tag in metadata_tags]
    return asked + [word for word in ("NBVAL_", "PYTEST_VALIDATE_") if word in cell.source]


def difference(committed: str, drawn: str) -> str | None:
    """Where two PNGs (base64) differ visibly, in words; None if they do not."""
    try:
        one, other = (
            np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA").convert("RGBa"), float)
            for png in (committed, drawn)  # RGBa: a colour counts as far as it is opaque
        )
    except (OSError, ValueError) as error:
        return f"is not a readable PNG ({error})"
    if one.shape != other.shape:
        return f"is {one.shape[1]}×{one.shape[0]} pixels, committed; now {other.shape[1]}×{other.shape[0]}"
    apart = np.maximum(beyond(one, other), beyond(other, one))
    apart = np.pad(apart, [(0, -size % BLOCK) for size in apart.shape])
    blocks = apart.reshape(apart.shape[0] // BLOCK, BLOCK, -1, BLOCK).mean((1, 3))
    y, x = np.unravel_index(blocks.argmax(), blocks.shape)
    if blocks[y, x] > LIMIT:
        return f"differs most near pixel ({x * BLOCK}, {y * BLOCK}), by {blocks[y, x]:.0f} of 255"
    return None


def beyond(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far each pixel of one picture lies outside the range of the 3×3 pixels around its place in the other.

    Matplotlib snaps lines and texts to whole pixels: the last digit of a number can move them by one, which is 0 here.
    """
    darkest, brightest = (edge(other, size=(3, 3, 1)) for edge in (minimum_filter, maximum_filter))
    return np.maximum(one - brightest, darkest - one).clip(min=0).max(2)


def unseen(committed: list, now: list) -> str | None:
    """What nbval does not see in the outputs of a cell."""
    was, drawn = (
        [o["data"]["image/png"] for o in outputs if "image/png" in o.get("data", {})] for outputs in (committed, now)
    )
    if len(was) != len(drawn):
        return f"{len(was)} committed pictures, {len(drawn)} drawn now"
    for number, pair in enumerate(zip(was, drawn, strict=True), 1):
        if found := difference(*pair):
            return f"picture {number} {found}"
    widgets = sum(WIDGET_VIEW in o.get("metadata", {}) for o in committed)
    shown = sum(WIDGET_VIEW in o.get("data", {}) for o in now)
    return None if widgets == shown else f"{widgets} committed widgets, {shown} shown now"


_compare, _run = IPyNbCell.compare_outputs, IPyNbCell.runtest


def compare_outputs(self, test, ref, skip_compare=None):
    if not _compare(self, test, ref, skip_compare):
        return False
    found = unseen(ref, test)
    if found:
        self.comparison_traceback.append(found)
    return not found


def runtest(self):
    if self.cell.source.strip() and self.cell.execution_count is None:
        self.raise_cell_error("committed without having been run: there is nothing to compare")
    if asked := exemptions(self.cell):
        self.raise_cell_error(f"asks not to be compared: {', '.join(asked)}")
    _run(self)


IPyNbCell.compare_outputs, IPyNbCell.runtest = compare_outputs, runtest
