"""Is everything here that the course needs? The versions of the libraries, and a widget that answers."""

import re
from importlib import metadata
from pathlib import Path

import anywidget
import traitlets


def check_environment() -> None:
    """Print PASS if this kernel has what the course needs; otherwise what is missing, and what to do."""
    wrong = []
    for requirement in metadata.requires("mflearn"):
        if "extra ==" not in requirement:
            name, least = re.match(r"([\w-]+)>=([\w.]+)", requirement).groups()
            here = _installed(name)
            if _numbers(here) < _numbers(least):
                wrong.append(f"{name} {least} or newer (here: {here})")
    if wrong:
        print(f"NOT YET: the course needs {', '.join(wrong)}.")
        print("Run `make lab` in the folder of the course, or `pip install -c constraints.txt -e .`; then restart.")
    else:
        print("PASS: all that the course needs is here.")


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3]]


class RoundTrip(anywidget.AnyWidget):
    """Asks the page a question, and says PASS when the page has sent back the right answer.

    Where no live page shows it, its text remains, and says what to do.
    """

    _esm = Path(__file__).with_suffix(".js")
    question = traitlets.Int(21).tag(sync=True)
    answer = traitlets.Int(0).tag(sync=True)
    words = traitlets.Unicode("Waiting for the kernel …").tag(sync=True)

    @traitlets.observe("answer")
    def _answered(self, _change: object) -> None:
        if self.answer == 2 * self.question:
            self.words = "PASS: widgets work. The page and the kernel have talked to each other."

    def __repr__(self) -> str:
        return "No live widget here yet: run this cell. If this line stays, do what is written below."
