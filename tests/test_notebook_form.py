"""The canonical form, and what counts as a number of the prose."""

from types import SimpleNamespace

import nbformat
import pytest
from exercise_cells import section
from notebook_form import METADATA, NOTEBOOKS, WIDGET_VIEW, canonical, main, problems, with_exercises, written
from test_notebooks import decimals, uncomputed, whole_results

CELLS = [
    "print('one', flush=True)\nprint('two')",
    "from io import BytesIO\nfrom matplotlib.figure import Figure\nFigure((2, 1)).savefig(png := BytesIO())\n"
    "display({'image/png': png.getvalue()}, raw=True)",
    "import ipywidgets\nipywidgets.IntSlider(3)",
]


@pytest.fixture
def path(tmp_path):
    """A notebook as an editor might leave it: not run, with metadata of its own."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    book.metadata = {"widgets": {}, "toc": True, "language_info": {"name": "python", "version": "3"}}
    book.cells[0].metadata = {"tags": ["a"], "execution": {"start": "now"}, "jupyter": {"outputs_hidden": True}}
    path = tmp_path / "book.ipynb"
    path.write_text(nbformat.writes(book), encoding="utf-8")
    return path


def test_writing_twice_gives_the_same_bytes(path, capsys):
    assert main([str(path)]) == 0
    once = path.read_bytes()
    assert b"image/png" in once and problems(once.decode()) == []
    assert main([str(path)]) == 0 and path.read_bytes() == once  # executed again, picture and widget included
    assert main(["--no-run", str(path)]) == 0 and path.read_bytes() == once
    assert capsys.readouterr().out.count("as it was") == 2


def test_the_form_is_canonical(path):
    main([str(path)])
    book = nbformat.read(path, as_version=4)
    assert book.metadata == METADATA and (book.nbformat, book.nbformat_minor) == (4, 5)
    assert book.cells[0].metadata == {"tags": ["a"]}
    assert [cell.execution_count for cell in book.cells] == [1, 2, 3]
    assert [output.text for output in book.cells[0].outputs] == ["one\ntwo\n"]
    (widget,) = book.cells[2].outputs
    assert set(widget.data) == {"text/plain"} and WIDGET_VIEW in widget.metadata
    assert canonical(book) == book and written(book) == path.read_text(encoding="utf-8")


def test_ids_of_cells_are_kept(path):
    before = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    main([str(path)])
    assert [cell.id for cell in nbformat.read(path, as_version=4).cells] == before


@pytest.mark.parametrize("name", ["05_rank", "09_recommender"])
def test_an_exercise_that_stands_in_the_lesson_stays_there(name):
    book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    made = [cell.id for cell in section(name)]
    ids = [cell.id for cell in with_exercises(book, name).cells]
    early = [id for id in ids[: ids.index("exercises")] if id in made]
    assert [id.partition("-")[0] for id in early] == ["exercises", "exercise", "answer"]
    assert ids == [cell.id for cell in book.cells] and sorted(set(made)) == sorted(id for id in ids if id in made)


def test_a_notebook_that_fails_is_left_alone_and_the_next_is_run(path, tmp_path, capsys):
    broken, text = tmp_path / "broken.ipynb", path.read_text().replace("print('two')", "1 / 0")
    broken.write_text(text)
    assert main([str(broken), str(path)]) == 1
    assert broken.read_text() == text and problems(path.read_text()) == []
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_the_form_alone_can_be_asked_for(path):
    assert main(["--no-run", str(path)]) == 1  # rewritten, but not run: that is said
    assert [line for line in problems(path.read_text()) if "execution count None" not in line] == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cells": 1}', "not JSON"])
def test_what_is_no_notebook_is_said_in_a_line(text):
    assert len(problems(text)) == 1


@pytest.mark.parametrize(
    "prose, found",
    [
        ("The loss is 0.16718.", [0.16718]),
        ("$\\eta = 0.05$, and $$f = 1.5 \\cdot 10^{-3}$$", [0.05, 0.0015]),
        ("2.5e-3, 2.5 × 10⁻³, 2.5 \\times 10^2", [0.0025, 0.0025, 250]),
        ("**12.5** %, −0.25, (1.5, 2.5), 3.5–4.5, 0.5, 0.75ms", [12.5, 0.25, 1.5, 2.5, 3.5, 4.5, 0.5, 0.75]),
        ("1,234.5 and 1{,}234.5", [1234.5, 1234.5]),
        ("`0.05`, `eta = 0.06`", [0.05, 0.06]),
        ("| 0.1 | 0.2 |", [0.1, 0.2]),
        ("`Python 3.11`, `torch>=2.6`, `plot(0.5)`", []),
        ("## 1.2 Rates\n\nSee section 1.3, § 1.4, Figure 2.1; of 23.11.2026, nbval 0.11.0.", []),
        ("```\nprint(0.5)\n```\nand 0.25", [0.25]),
        ("It was 0.95 ([a paper](https://example.org/1.5)). Ours is 0.85.", [0.85]),
        ("It was 0.95 (Koren et al. 2009). Ours is 0.85.", [0.85]),
        ("* It was 0.95 (Koren 2009)\n* ours 0.85", [0.85]),
        ('<img alt="0.5 units" width="0.5"> 12 of 13', []),
    ],
)
def test_the_decimals_of_the_prose(prose, found):
    assert [value for _, value, _ in decimals(prose)] == pytest.approx(found)


def test_a_decimal_may_be_rounded_at_its_last_place():
    ((_, value, half),) = decimals("0.167")
    assert abs(0.16718 - value) <= half < abs(0.1677 - value)


@pytest.mark.parametrize(
    "prose, found",
    [
        ("80 % of 214 months, 12 of 13 from 10,000, and 5%", [80, 214, 10_000, 5]),
        ("300×256 pixels, (100, 1000)", [300, 256, 100, 1000]),
        ("12.5 %, 0.001, 1e3, 0.97¹⁶, `x[100]`", []),
        ("It was 95 % (Koren 2009).", []),
    ],
)
def test_the_whole_numbers_that_look_like_results(prose, found):
    assert [value for _, value, _ in whole_results(prose)] == found


def test_a_text_does_not_prove_its_own_numbers():
    asked = ["below 0.6", "At 0.25 it holds 10,000 of them, or 7 %."]
    said = nbformat.v4.new_output("stream", text=f"You were right: {asked[0]}. {asked[1]}\n")
    cell = nbformat.v4.new_code_cell(f"print(explorer.predict({asked[0]!r}))", outputs=[said])
    book = SimpleNamespace(code=[cell], lesson=[cell])
    assert [missing.split(" in ")[0] for missing in uncomputed(asked, book)] == ["0.6", "0.25", "10000", "7 %"]
    said.text += "The lesson computes 0.6, 0.2509, 9,999 and 0.0712.\n"
    assert [missing.split(" in ")[0] for missing in uncomputed(asked, book)] == ["10000"]
    cell.source += "\nsteps = 10_000"
    assert uncomputed(asked, book) == []
