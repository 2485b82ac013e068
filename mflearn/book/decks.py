"""Decks: the slides of `mflearn slides` for a room without Python, one file of reveal.js for each notebook."""

import html
import re
import shutil
from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path

from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from ..slides import STARTS
from . import pages

REVEAL = "sphinx_revealjs"  # the package that has the files of reveal.js
FILES = ("dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", "LICENSE")
PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="../_static/reveal/reveal.css">
<link rel="stylesheet" href="../_static/pygments.css">
<link rel="stylesheet" href="../_static/deck.css">
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="../_static/reveal/reveal.js"></script>
<script src="../_static/reveal/notes.js"></script>
<script src="../_static/quiz.js"></script>
<script src="../_static/deck.js"></script>
<script defer src="../_static/mathjax.js"></script>
</html>
"""


def copy_reveal(folder: Path) -> None:
    """Put what the decks need of reveal.js, and its licence, into a folder."""
    folder.mkdir()
    with as_file(files(REVEAL) / "_static/revealjs") as whole:
        for name in FILES:
            shutil.copy(whole / name, folder)


def deck(notebook: NotebookNode, name: str) -> str:
    """A notebook that `pages.prepared` made as an HTML file, which lies in a folder beside the page of this name."""
    slides = "\n".join(map(_slide, cut(notebook.cells)))
    slides = slides.replace('src="_static/', 'src="../_static/').replace('href="#', f'href="../{name}.html#')
    slides = re.sub(r'href="(\w+)\.ipynb', r'href="../\1.html', slides)
    return PAGE.format(title=name, slides=slides)


def cut(cells: Iterable[NotebookNode]) -> list[list[NotebookNode]]:
    """The cells of each slide; those that a lecture leaves out are on none."""
    slides = []
    for cell in cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if kind in STARTS:
            slides.append([])
        if kind != "skip":
            slides[-1].append(cell)
    return slides


def _slide(cells: list[NotebookNode]) -> str:
    notes = "".join(f"<p>{html.escape(cell.metadata.notes)}</p>" for cell in cells if "notes" in cell.metadata)
    return f'<section>\n{"".join(map(_shown, cells))}\n<aside class="notes">{notes}</aside>\n</section>'


def _shown(cell: NotebookNode) -> str:
    """What a slide shows of a cell. An explorer stands alone, and long code leaves its place to the output."""
    if cell.cell_type == "markdown":
        return markdown2html(cell.source)
    outputs = list(map(_output, cell.outputs))
    if explorers := [output for output in outputs if 'class="explorer' in output]:
        return "".join(explorers)
    hidden = {"hide-input", "output-alone"} & {*cell.metadata.get("tags", [])}
    return ("" if hidden else markdown2html(pages.fenced(cell.source))) + "".join(outputs)


def _output(output: NotebookNode) -> str:
    data = output.get("data", {})
    if "text/html" in data:
        return data["text/html"]
    return f"<pre>{html.escape(output.get('text') or data['text/plain'])}</pre>"
