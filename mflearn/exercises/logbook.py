"""What a learner has done, in one file of their own: mflearn-progress.json beside the notebooks, or $MFLEARN_PROGRESS.

It is never sent anywhere, and may be deleted. Two notebooks may write at once: each waits for the other, reads the file
anew, and puts a whole new file in its place. What a later version has added is kept. A file that cannot be read is set
aside, and that is said.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from .exercise import CORRECT

NAME = "mflearn-progress.json"
START = Path.cwd()  # a learner may walk on
PATIENCE = 2  # seconds to wait for another notebook

_loose: dict[str, Any] = {}  # what could not be written


def place() -> Path:
    """The file itself, also where a link leads to it."""
    return Path(os.path.realpath(START / (os.path.expanduser(os.environ.get("MFLEARN_PROGRESS") or NAME))))


def attempted(id: str, state: str) -> str:
    """Note an attempt; a sentence if something is to be said about the file."""

    def note(book: dict) -> None:
        page = _page(book, "exercises", id)
        page["attempts"] = _count(page, "attempts") + 1
        page["done"] = page.get("done") is True or state == CORRECT

    return _edit(note)[1]


def next_hint(id: str, hints: int) -> int:
    """Which hint comes next, from 0; after the last the first again."""

    def turn(book: dict) -> int:
        page = _page(book, "exercises", id)
        page["hints"] = _count(page, "hints") % hints + 1
        return page["hints"] - 1

    return _edit(turn)[0]


def chosen(number: str, question: int, choice: str, right: bool) -> str:
    """Note an answer to a question of a quiz; a sentence if something is to be said about the file."""
    page = {"choice": choice, "right": right}
    return _edit(lambda book: _page(book, "quizzes", number).update({str(question): page}))[1]


def pages(part: str) -> dict[str, dict[str, Any]]:
    """Of "exercises" that were tried: attempts, hints, and whether each is done. Of "quizzes": the choices."""
    return _edit(None)[0].get(part, {})


def _edit(edit: Callable[[dict], Any] | None) -> tuple[Any, str]:
    """What `edit` gives for the book, which is then written, and a sentence about the file; without it the book."""
    file = place()
    try:
        with _alone(file):
            book, said = _read(file)
            if edit is None:
                return book, said
            given = edit(book)
            _write(file, book)
            return given, said
    except OSError:  # read-only, full, or a file system without locks
        if not _loose:
            with suppress(OSError):
                _loose.update(_read(file)[0])
        return edit(_loose) if edit else _loose, f"Progress is not kept: {file.name} cannot be written here."


def _alone(file: Path) -> FileLock:
    """No other notebook reads or writes the file meanwhile. The system lets go of a lock when its process ends."""
    return FileLock(file.with_name(f".{file.name}.lock"), timeout=PATIENCE)


def _read(file: Path) -> tuple[dict, str]:
    if not file.exists():
        return {}, ""
    if not file.is_file():  # a pipe, say, which might never end
        raise OSError
    try:
        book = json.loads(file.read_text(encoding="utf-8-sig"))
        for part in ("exercises", "quizzes"):
            if not all(isinstance(page, dict) for page in book.get(part, {}).values()):
                raise ValueError(part)
        return book, ""
    except (ValueError, AttributeError, RecursionError):
        number = 1
        while (aside := file.with_name(f"{file.stem}.broken-{number}.json")).exists():
            number += 1
        file.replace(aside)
        return {}, f"{file.name} could not be read; it is kept as {aside.name}, and a new one is begun."


def _write(file: Path, book: dict) -> None:
    book.setdefault("version", 1)
    new = file.with_name(f".{file.name}.new")
    text = json.dumps(book, indent=1, ensure_ascii=False) + "\n"
    new.write_bytes(text.encode("utf-8", errors="backslashreplace"))  # half of a surrogate pair, as JSON writes it
    new.replace(file)


def _page(book: dict, part: str, id: str) -> dict[str, Any]:
    return book.setdefault(part, {}).setdefault(id, {})


def _count(page: dict, name: str) -> int:
    return page[name] if isinstance(page.get(name), int) else 0
