"""Where the notebooks are, and copies of those that an installed package brings."""

import hashlib
import json
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

FIRST = "00_start_here.ipynb"
OWN = "mflearn-course"  # the folder of a learner's copy, where the command was given
RECORD = ".mflearn-course.json"  # in such a folder: the SHA-256 of each notebook as it was copied


def folder() -> Path:
    """The folder with the notebooks: here, below, or in the checkout that this package stands in."""
    here, checkout = Path.cwd(), Path(__file__).parents[1]
    for place in (here, here / "notebooks", here / OWN, checkout / "notebooks"):
        if (place / FIRST).is_file():
            return place
    raise FileNotFoundError(f"found no {FIRST}; go to the folder of the course, or copy it here: mflearn lab --copy")


def ready(agrees: Callable[[str], bool]) -> tuple[Path, list[str]]:
    """The folder with the notebooks, and the names of those that were written there just now.

    Where there is none, the notebooks of the installed package are copied, if `agrees(question)`. An earlier copy is
    brought up to date.
    """
    own, notebooks = Path.cwd() / OWN, packaged()
    try:
        place = folder()
    except FileNotFoundError:
        if not notebooks or not agrees(f"Copy the notebooks of the course to {own}?"):
            raise
        return own, copy(notebooks, own)
    return place, copy(notebooks, place) if (place / RECORD).exists() else []


def packaged() -> list[Path]:
    """The notebooks that were installed together with the package."""
    installed = metadata.files("mflearn") or ()
    return sorted(Path(file.locate()) for file in installed if file.suffix == ".ipynb")


def copy(notebooks: list[Path], to: Path) -> list[str]:
    """Copy notebooks into a folder, or bring an earlier copy up to date; the names of the files that were written.

    A notebook stays as it is if it was changed since it was copied, or only run and saved. The newer one is then
    written beside it, as `new_…`. A notebook that was deleted is copied again.
    """
    to.mkdir(parents=True, exist_ok=True)
    copied, written = _read(to / RECORD), []
    for notebook in notebooks:
        content, name = notebook.read_bytes(), notebook.name
        newest = hashlib.sha256(content).hexdigest()
        known = {digest for other, digest in copied.items() if other.endswith(name)}
        if (to / name).exists() and newest in known:
            continue
        while (to / name).exists() and _digest(to / name) not in (copied.get(name), newest):
            name = f"new_{name}"
        _write(to / name, content)
        copied[name] = newest
        written.append(name)
    _write(to / RECORD, json.dumps(copied, indent=1).encode())
    return written


def _read(record: Path) -> dict[str, str]:
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        found = {}
    return found if isinstance(found, dict) else {}  # a broken record is as none: nothing is known to be unchanged


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
