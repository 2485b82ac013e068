"""The slides of a lecture: which notebook, how JupyterLab is told to present it, and its notes for the speaker."""

import contextlib
import html
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

EXTENSION = Path(__file__).parent / "lab"  # JupyterLab loads the extension mflearn-slides from here
STARTS = ("slide", "subslide")  # the types of cells that begin a slide
STYLE = """body { font: 12pt/1.4 sans-serif; max-width: 44em; margin: 2em auto; padding: 0 1em }
h2 { font-size: 1.1em; margin: 1.2em 0 0.2em } p { margin: 0.3em 0; break-inside: avoid } small { color: #666 }"""


def find(name: str, folder: Path) -> Path:
    """The notebook with this number or file name."""
    there = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    for path in there:
        if name in (path.name, path.stem) or name and name.zfill(2) == path.stem[:2]:
            return path
    numbers = ", ".join(path.stem[:2] for path in there)
    raise ValueError(f"there is no notebook {name!r:.60}; write its number ({numbers}) or the name of its file")


@contextlib.contextmanager
def options(notebook: Path) -> Iterator[list[str]]:
    """What JupyterLab is started with to present this notebook: all its cells run, and nothing is saved by itself.

    Presenting is a setting of jupyterlab-slideshow, which would also open the next session of the lecturer. So
    JupyterLab gets a copy of the settings (the theme is theirs), and an arrangement of windows of its own.
    """
    from jupyterlab.commands import get_user_settings_dir

    if find_spec("jupyterlab_slideshow") is None:
        raise FileNotFoundError('slides need one more package: pip install -c constraints.txt -e ".[slides]"')
    with tempfile.TemporaryDirectory() as own:
        settings, theirs = Path(own, "settings"), Path(get_user_settings_dir())
        if theirs.is_dir():
            shutil.copytree(theirs, settings, ignore=shutil.ignore_patterns("jupyterlab-slideshow"))
        saving = settings / "@jupyterlab" / "docmanager-extension" / "plugin.jupyterlab-settings"
        saving.parent.mkdir(parents=True, exist_ok=True)
        saving.write_text('{"autosave": false}')
        yield [
            f"--LabApp.user_settings_dir={settings}",
            f"--LabApp.workspaces_dir={own}",
            f"--LabApp.extra_labextensions_path={EXTENSION}",
            f"--LabApp.default_url=/doc/tree/{notebook.name}?slides",
        ]


def notes(notebook: Path) -> str:
    """The notes for the speaker as a page to print: each with the number of its slide, below the heading before it."""
    try:
        return _page(notebook.stem, json.loads(notebook.read_text(encoding="utf-8"))["cells"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{notebook.name:.60} is no notebook, {type(error).__name__}: {error}"[:160]) from None


def _page(title: str, cells: list[dict]) -> str:
    parts, number, shown = [], 0, ""
    for cell in cells:
        number += cell["metadata"].get("slideshow", {}).get("slide_type") in STARTS
        heading = (
            re.search(r"^#{1,2} (.+)$", "".join(cell["source"]), re.M) if cell["cell_type"] == "markdown" else None
        )
        shown = heading[1] if heading else shown
        if note := cell["metadata"].get("notes"):
            if shown:
                level = 2 if parts else 1
                parts.append(f"<h{level}>{html.escape(shown)}</h{level}>")
                shown = ""
            parts.append(f"<p><small>slide {number}</small> {html.escape(note)}</p>")
    head = f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return "\n".join([head, *parts]) + "\n"
