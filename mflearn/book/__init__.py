"""The course as pages to read without Python, as slides (see `decks`), and as PDFs. What a page holds is in `pages`."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import nbformat

from . import decks, explorers, pages, replay

HERE = Path(__file__).parent
MATHJAX = "sphinx-mathjax-offline"  # we take one file of it: the others would be 20 MB more
NEEDED = ("sphinx", "myst_nb", "sphinx_book_theme", MATHJAX, decks.REVEAL)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


def build(notebooks: Path, to: Path, *, still: bool = False) -> None:
    """Write the pages and the slides of all notebooks in a folder.

    Explorers move, unless `still`; the first time, it takes minutes to record their states. A ValueError says what is
    missing, or that Sphinx warned.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ValueError(f"no {', '.join(missing)} here; the pages need: pip install -c constraints.txt -e '.[book]'")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        write_source(notebooks, source, still=still)
        options = ["--quiet", "--fail-on-warning", "--doctree-dir", f"{folder}/doctrees"]
        if subprocess.run([sys.executable, "-m", "sphinx", *options, source, to]).returncode:
            raise ValueError("the pages are not complete; the lines above say why")


def write_source(notebooks: Path, source: Path, *, still: bool) -> None:
    """What Sphinx reads: the notebooks as pages and slides, the first page, the settings, the styles, the scripts."""
    shutil.copytree(HERE / "static", source / "_static")
    decks.copy_reveal(source / "_static/reveal")
    shutil.copy(HERE / "conf.py", source)
    mathjax = files(MATHJAX) / "static/mathjax/tex-svg.js"
    (source / "_static/mathjax.js").write_bytes(mathjax.read_bytes())
    (source / "_static/quiz.js").write_text(pages.quiz_script(), encoding="utf-8")
    paths = sorted(notebooks.glob("[0-9][0-9]_*.ipynb"))
    (source / "index.md").write_text(pages.first([path.stem for path in paths], still=still), encoding="utf-8")
    embed = explorers.still if still else explorers.live
    slides = source / "decks/slides"
    slides.mkdir(parents=True)
    for path in paths:
        number = path.stem[:2]
        notebook = pages.prepared(nbformat.read(path, 4), number, embed)
        nbformat.write(notebook, source / path.name)
        (slides / f"{number}.html").write_text(decks.deck(notebook, path.stem), encoding="utf-8")
    for name in () if still else replay.GRIDS:
        replay.export(name, source / "_static")


def handouts(notebooks: Path, to: Path) -> list[Path]:
    """Write a PDF of each notebook in a folder, with still explorers."""
    with tempfile.TemporaryDirectory() as folder:
        build(notebooks, Path(folder), still=True)
        return [Path(shutil.move(pdf, to / pdf.name)) for pdf in print_pages(Path(folder))]


def print_pages(folder: Path) -> list[Path]:
    """A PDF beside the page of each notebook, as Chromium prints it. A ValueError says that there is no Chromium."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        raise ValueError(f"found no browser to print with; put one of these on the PATH: {', '.join(CHROMIUM)}")
    return [_printed(page, chromium) for page in sorted(folder.glob("[0-9][0-9]_*.html"))]


def _printed(page: Path, chromium: str) -> Path:
    pdf = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={profile}"]
        options += ["--virtual-time-budget=20000"]  # milliseconds of the page, until all formulas are set
        if getattr(os, "geteuid", lambda: 1)() == 0:
            options.append("--no-sandbox")  # in a container there is no one else
        command = [chromium, *options, f"--print-to-pdf={pdf.resolve()}", page.resolve().as_uri()]
        said = subprocess.run(command, capture_output=True, text=True)
    if said.returncode or not pdf.exists():
        raise ValueError(f"{Path(chromium).name} did not print {page.name}: {said.stderr.strip()[-200:]}")
    return pdf
