"""Slides without a browser: which notebook, what JupyterLab is told, the notes for the speaker. See test_browser.py."""

import json
import sys
from pathlib import Path

import pytest

from mflearn import slides
from mflearn.__main__ import main

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.mark.parametrize("name", ["04", "4", "04_toy_example", "04_toy_example.ipynb"])
def test_a_notebook_is_found_by_its_number_or_name(name):
    assert slides.find(name, NOTEBOOKS) == NOTEBOOKS / "04_toy_example.ipynb"


@pytest.mark.parametrize("name", ["99", "toy", "", "../notebooks/04_toy_example.ipynb"])
def test_any_other_name_is_one_clear_line(name, capsys, monkeypatch):
    monkeypatch.setattr("mflearn.__main__.start_lab", None)  # it must not come so far, and wait for ever
    assert main(["slides", name]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"there is no notebook {name!r}" in line and "00, 01, 02" in line


def test_slides_leave_the_settings_of_the_lecturer_alone(tmp_path, monkeypatch):
    """Their theme goes with the lecture; that a notebook was presented last does not."""
    theme, deck = tmp_path / "@jupyterlab" / "apputils-extension", tmp_path / "jupyterlab-slideshow"
    for folder in (theme, deck):
        folder.mkdir(parents=True)
        (folder / "some.jupyterlab-settings").write_text('{"mine": true}')
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(tmp_path))
    with slides.options(NOTEBOOKS / "04_toy_example.ipynb") as told:
        told = dict(option.removeprefix("--LabApp.").split("=", 1) for option in told)
        own = Path(told["user_settings_dir"])
        assert json.loads((own / theme.relative_to(tmp_path) / "some.jupyterlab-settings").read_text()) == {
            "mine": True
        }
        assert not (own / deck.name).exists()
        assert json.loads((own / "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings").read_text()) == {
            "autosave": False
        }
        assert told["default_url"] == "/doc/tree/04_toy_example.ipynb?slides"
    assert not own.exists() and sorted(path.name for path in tmp_path.iterdir()) == ["@jupyterlab", deck.name]


def test_without_the_package_for_slides_one_line_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jupyterlab_slideshow", None)
    assert main(["slides", "04"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert '-e ".[slides]"' in line


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe{", b'{"cells": [{}]}', b'{"cells": 3}', b"null"])
def test_what_is_no_notebook_is_one_line(content, tmp_path, monkeypatch, capsys):
    (tmp_path / "04_x.ipynb").write_bytes(content)
    monkeypatch.setattr("mflearn.course.folder", lambda: tmp_path)
    assert main(["slides", "04", "--notes", str(tmp_path / "notes.html")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mflearn: 04_x.ipynb is no notebook, ")


def test_the_notes_are_a_page_with_the_number_of_each_slide(tmp_path, capsys):
    def cell(source, kind, note=None, type="markdown"):
        metadata = {"slideshow": {"slide_type": kind}} if kind else {}
        return {"cell_type": type, "source": [source], "metadata": metadata | ({"notes": note} if note else {})}

    cells = [
        cell("# Title", "slide", "1 min. Ask why."),
        cell("x = 1  # no heading", "skip", type="code"),
        cell("## 1. First <b>", "slide"),
        cell("", None, "3 min. Is 1 < 2?", type="code"),
        cell("### Smaller", "subslide", "Look."),
        cell("## 2. Second", "slide"),
    ]
    path = tmp_path / "00_a.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    page = slides.notes(path)
    assert [line for line in page.splitlines() if line.startswith(("<h", "<p"))] == [
        "<h1>Title</h1>",
        "<p><small>slide 1</small> 1 min. Ask why.</p>",
        "<h2>1. First &lt;b&gt;</h2>",
        "<p><small>slide 2</small> 3 min. Is 1 &lt; 2?</p>",
        "<p><small>slide 3</small> Look.</p>",
    ]
    file = tmp_path / "notes.html"
    assert main(["slides", "04", "--notes", str(file)]) == 0 and capsys.readouterr().out == ""
    assert file.read_text(encoding="utf-8") == slides.notes(NOTEBOOKS / "04_toy_example.ipynb")


@pytest.mark.parametrize("more", [["04_toy_example.ipynb"], ["notes.html", "05"]])
def test_notes_never_overwrite_a_notebook_and_nothing_asked_for_is_left_out(more, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "04_toy_example.ipynb").write_text("mine")
    assert main(["slides", "04", "--notes", *more]) == 1
    assert "the notes go to a page such as notes.html, not to " + " ".join(more) in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["04_toy_example.ipynb"]
    assert (tmp_path / "04_toy_example.ipynb").read_text() == "mine"
