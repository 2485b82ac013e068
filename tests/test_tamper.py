"""The net, proved by holes: a small notebook passes all checks; each of its copies, spoiled in one way, fails there.

All copies go through the rules of test_notebooks.py, and those of `EXECUTED` through nbval as well, in one run of
pytest with the settings of this project. A copy must fail in the checks named beside it and in no other: "Cell 3" is
its fourth code cell, executed by nbval.
"""

import base64
import io
import os
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from nbval_strict import WIDGET_VIEW, difference
from notebook_form import run, written
from PIL import Image

from mflearn.plots import canvas

ROOT = Path(__file__).parents[1]
CANONICAL, SMALL, SEMICOLON = "is_in_canonical_form", "is_small", "no_line_ends_in_a_semicolon"
EXEMPTION, DECIMALS = "no_cell_asks_for_an_exemption", "every_decimal_in_the_prose_is_computed"
SLIDES, BOX = "the_slides_are_set", "the_box_at_the_top_is_complete"
NOTES = "the_notes_for_the_speaker_fill_the_lecture"
EXTRA = "what_a_lecture_may_leave_out_is_marked"
NAMES = "a_lecture_that_leaves_out_the_extra_sections_has_all_names"
FACT, ALT = "pictures_and_explorers_are_followed_by_a_printed_fact", "every_picture_has_alternative_text"
WORDS, SHORT, SIZE = "a_widget_says_in_words_what_it_is", "cells_are_short", "it_has_the_size_of_a_lesson"
MACHINE, TREE, PARTS = "nothing_tells_the_machine", "headings_make_a_tree", "a_lesson_has_its_parts"
LINKS, EXERCISES = "links_to_other_notebooks_lead_somewhere", "the_exercises_are_those_of_the_package"

TOP = """# Watch the net

**You will learn** what it catches. **You need** nothing. **Minutes** 5.
**Core**, a lecture of 45 minutes: no exercises, and no section marked *extra*"""
SUM = 'parts = [1.25, 2.5, 4.0]\nprint("The three parts add up to", sum(parts))'
FIGURE = """from mflearn.plots import canvas, show

figure = canvas(3, 2)
_ = figure.subplots().plot(parts)
show(figure, "A line that rises from 1.25 through 2.5 to 4.0.")"""
EXPLORER = """import ipywidgets
from mflearn.widgets import Explorer

def draw(figure):
    (line,) = figure.subplots().plot([0, 1], [0, 16])
    return lambda result: (line.set_ydata([0, result]), [line])[1]

controls = {"n": ipywidgets.IntSlider(2, 0, 4, description="n")}
explorer = Explorer(lambda n: n**2, draw, "The square is {}.".format, controls, title="Squares")
explorer"""
WITHOUT_WIDGET = EXPLORER.removesuffix("explorer") + 'display({"text/plain": repr(explorer)}, raw=True)'
DRIVE = 'explorer.set(n=3)\nprint("Driven by the next cell:", explorer.facts)'
OTHER = 'print("Nobody quotes this number:", 7 * 6)'
FILL = "These words only fill the page, so that it has the length of a lesson. " * 5


def notebook(*, plain: bool) -> NotebookNode:
    """Untouched: code cells 0 to 5, and prose. A plain one has no picture and no explorer: three times as fast."""
    new = nbformat.v4
    cells = [new.new_markdown_cell(TOP), new.new_code_cell(SUM)]
    cells += [
        new.new_markdown_cell(
            "## Look — extra\n\nThe sum is 7.75, or roughly $7.8$; the first part is 16.1 % of it: `1.25`."
        )
    ]
    cells += [new.new_code_cell("_ = 0" if plain else source) for source in (FIGURE, EXPLORER, DRIVE)]
    cells += [new.new_code_cell(OTHER)]
    cells += [new.new_code_cell('print(f"{parts[0] / sum(parts):.3f}")')]
    cells += [new.new_markdown_cell(f"## {part}\n\n" + FILL) for part in ("Exercises", "Summary", "Further reading")]
    cells += [new.new_markdown_cell(FILL) for _ in range(31 - len(cells))]  # 30, and the exercises
    for i, cell in enumerate(cells):
        cell.id = f"cell-{i}"
    cells[0].metadata = {"slideshow": {"slide_type": "slide"}, "notes": "45 min. Ask what the sum is."}
    return new.new_notebook(cells=cells)


def code(book: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def outputs(book: NotebookNode, cell: int, what: str) -> list[NotebookNode]:
    """The outputs of a code cell that hold this: a MIME type in their data or metadata, or a stream's name."""
    found = [
        o
        for o in code(book)[cell].outputs
        if what in o.get("data", {}) or what in o.get("metadata", {}) or o.get("name") == what
    ]
    assert found, f"code cell {cell} of the fixture has no {what}"
    return found


def say(text: str, instead: str, cell: int | None = None):
    """Replace in the source of one code cell, or of all prose."""

    def spoil(book):
        cells = [c for c in book.cells if c.cell_type == "markdown"] if cell is None else [code(book)[cell]]
        assert any(text in c.source for c in cells)
        for c in cells:
            c.source = c.source.replace(text, instead)

    return spoil


def use_what_is_extra(book):
    code(book)[4].source = f"answer = 42\n{OTHER}"
    book.cells.insert(book.cells.index(code(book)[5]), nbformat.v4.new_markdown_cell("## Later", id="later"))
    code(book)[5].source = f"answer\n{code(book)[5].source}"


def output_says(cell: int, text: str, instead: str):
    def spoil(book):
        (stream,) = outputs(book, cell, "stdout")
        assert text in stream.text
        stream.text = stream.text.replace(text, instead)

    return spoil


def metadata(key: str, value, cell: int = 6):
    return lambda book: book.cells[cell].metadata.update({key: value})


def no_outputs(cell: int):
    return lambda book: code(book)[cell].update(outputs=[])


def never_run(*cells: int):
    def spoil(book):
        for cell in cells or range(len(code(book))):
            code(book)[cell].update(outputs=[], execution_count=None)

    return spoil


def add_output(cell: int, **output):
    return lambda book: code(book)[cell].outputs.append(nbformat.from_dict(output))


def picture(change):
    """Another picture, well-formed, of the same size or not."""

    def spoil(book):
        (shown,) = outputs(book, 1, "image/png")
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown.data["image/png"]))).convert("RGBA"))
        png = io.BytesIO()
        Image.fromarray(change(pixels.copy())).save(png, "png")
        shown.data["image/png"] = base64.b64encode(png.getvalue()).decode() + "\n"

    return spoil


def one_mark_moved(pixels):
    pixels[20:29, 100:109] = 0, 0, 0, 255
    return pixels


def on_white(pixels):
    pixels[pixels[..., 3] == 0] = 255
    return pixels


def drop(mime: str, cell: int):
    def spoil(book):
        for output in outputs(book, cell, mime):
            output.get("data", {}).pop(mime, None)
            output.metadata.pop(mime, None)

    return spoil


def text_of(mime: str, cell: int, text: str):
    return lambda book: outputs(book, cell, mime)[0].data.update({"text/plain": text})


def add_cells(*cells: NotebookNode):
    return lambda book: book.cells.extend(cells)


def prose(text: str, n: int = 1):
    return [nbformat.v4.new_markdown_cell(text) for _ in range(n)]


def lines(n: int) -> str:
    return "\n".join(f"x{i} = {i}" for i in range(n))


def set_at(path: str, value):
    def spoil(book):
        *way, last = path.split("/")
        for step in way:
            book = book[step]
        book[last] = value

    return spoil


def put_view_back(book):
    outputs(book, 2, WIDGET_VIEW)[0].data[WIDGET_VIEW] = {"model_id": "0", "version_major": 2, "version_minor": 0}


def no_picture(book):
    outputs(book, 1, "image/png")[0].data["image/png"] = "AAAA\n"


def nothing_printed(book):
    code(book)[1].outputs.remove(outputs(book, 1, "stdout")[0])
    code(book)[2].outputs.clear()  # its explorer would ask for a fact, too


def two_long_cells(book):
    for cell in code(book)[3:5]:
        cell.source += "\n" + lines(9)


def swap_counts(book):
    one, other = code(book)[3:5]
    one.execution_count, other.execution_count = other.execution_count, one.execution_count


def many_exercises(book):
    (at,) = (i for i, cell in enumerate(book.cells) if cell.source.startswith("## Exercises"))
    book.cells[at + 1 : at + 1] = prose("More.", 30)


CELLS = {f"Cell {i}" for i in range(6)}
EXECUTED = {
    "untouched": (lambda book: None, set()),
    "untouched and plain": (lambda book: None, set()),
    "changed digit in a printed line": (output_says(4, "42", "43"), {"Cell 4"}),
    "changed code": (say("7 * 6", "7 * 5", 4), {"Cell 4"}),
    "removed output": (no_outputs(4), {"Cell 4"}),
    "cell never run": (never_run(4), {CANONICAL, "Cell 4"}),
    "stripped notebook": (never_run(), {CANONICAL, DECIMALS, *CELLS}),
    "cell that raises": (say("print(", "raise RuntimeError(", 4), {"Cell 4"}),
    "compute that raises when driven": (say("n**2", "n**2 / (n != 3)", 2), {"Cell 3"}),
    "draw that raises when driven": (say("[0, result]", "[0, 1 / (result - 9)]", 2), {"Cell 3"}),
    "another picture": (picture(lambda pixels: 255 - pixels), {"Cell 1"}),
    "picture on a white ground": (picture(on_white), {"Cell 1"}),
    "picture with one mark moved": (picture(one_mark_moved), {"Cell 1"}),
    "picture moved by a pixel": (picture(lambda pixels: np.roll(pixels, (1, 1), (0, 1))), set()),
    "picture moved by three pixels": (picture(lambda pixels: np.roll(pixels, 3, 0)), {"Cell 1"}),
    "picture of another size": (picture(lambda pixels: pixels[:-8]), {"Cell 1"}),
    "picture that is none": (no_picture, {"Cell 1"}),
    "picture removed": (drop("image/png", 1), {"Cell 1"}),
    "widget not noted": (drop(WIDGET_VIEW, 2), {"Cell 2"}),
    "widget no longer shown": (say(EXPLORER, WITHOUT_WIDGET, 2), {"Cell 2"}),
    "stderr": (add_output(4, output_type="stream", name="stderr", text="a warning\n"), {CANONICAL, "Cell 4"}),
    "warning at run time": (say("print(", "import sys\n_ = sys.stderr.write('a warning')\nprint(", 4), {"Cell 4"}),
    "exempt by a tag": (metadata("tags", ["nbval-ignore-output"]), {EXEMPTION, "Cell 4"}),
    "exempt by a comment": (say("print(", "# NBVAL_IGNORE_OUTPUT\nprint(", 4), {EXEMPTION, "Cell 4"}),
    "skipped by a tag": (metadata("tags", ["nbval-skip"]), {EXEMPTION, "Cell 4"}),
}  # fmt: skip
READ = {
    "prose with a swapped number": (say("7.75", "7.57"), {DECIMALS}),
    "formula with a wrong number": (say("$7.8$", "$7.9$"), {DECIMALS}),
    "wrong per cent": (say("16.1 %", "16.3 %"), {DECIMALS}),
    "wrong number in backticks": (say("`1.25`", "`eta = 1.27`"), {DECIMALS}),
    "wrong power of ten": (say("7.75", r"$7.75 \cdot 10^{-3}$"), {DECIMALS}),
    "number without the output it came from": (no_outputs(0), {DECIMALS}),
    "trailing semicolon": (say("sum(parts))", "sum(parts));  # quiet", 0), {SEMICOLON}),
    "exempt from exceptions": (metadata("tags", ["raises-exception"]), {EXEMPTION}),
    "counts out of order": (swap_counts, {CANONICAL}),
    "state of widgets": (set_at("metadata/widgets", {"application/vnd.jupyter.widget-state+json": {}}), {CANONICAL}),
    "other metadata": (set_at("metadata/language_info/version", "3.11.7"), {CANONICAL}),
    "metadata of a cell": (metadata("collapsed", True), {CANONICAL}),
    "view of a dead widget": (put_view_back, {CANONICAL}),
    "committed error": (add_output(4, output_type="error", ename="E", evalue="e", traceback=[]), {CANONICAL}),
    "stream in two parts": (add_output(4, output_type="stream", name="stdout", text="more\n"), {CANONICAL}),
    "format 4.4": (set_at("nbformat_minor", 4), {CANONICAL}),
    "too large": (say("Watch the net", f"Watch the net <!-- {'-' * 320_000} -->"), {SMALL}),
    "first cell on no slide": (lambda book: book.cells[0].metadata.pop("slideshow"), {SLIDES}),
    "cell that slides hide": (metadata("slideshow", {"slide_type": "-"}), {SLIDES}),
    "cell that waits for another press": (metadata("slideshow", {"slide_type": "fragment"}), {SLIDES}),
    "more minutes than a lecture has": (metadata("notes", "1 min. Ask again."), {NOTES}),
    "no objectives": (say("**You will learn**", "You will learn"), {BOX}),
    "no prerequisites": (say("**You need**", "You need"), {BOX}),
    "no minutes": (say("**Minutes**", "Time"), {BOX}),
    "nothing marked as extra": (say("Look — extra", "Look"), {EXTRA}),
    "a mark that the box does not explain": (say("**Core**", "Core"), {BOX, EXTRA}),
    "name from an extra section": (use_what_is_extra, {NAMES}),
    "picture with nothing printed": (nothing_printed, {FACT}),
    "explorer with nothing printed": (no_outputs(3), {FACT}),
    "picture without a sentence": (text_of("image/png", 1, "Figure: a line"), {ALT}),
    "picture without alt": (lambda book: outputs(book, 1, "image/png")[0].update(metadata={}), {ALT}),
    "picture in the prose without alt": (say("The sum", "![](sum.png) The sum"), {ALT}),
    "widget with a bare repr": (text_of(WIDGET_VIEW, 2, "VBox(children=(IntSlider(value=2), Picture()))"), {WORDS}),
    "cell of 26 lines": (say(OTHER, lines(26), 4), {SHORT}),
    "two of six cells long": (two_long_cells, {SHORT}),
    "too few cells": (lambda book: book.cells.pop(), {SIZE}),
    "too many cells": (add_cells(*prose("More.", 31)), {SIZE}),
    "too few words": (say(FILL, "Few words."), {SIZE}),
    "too many words": (add_cells(*prose(FILL * 20)), {SIZE}),
    "path of a machine": (output_says(4, "42", "/ho" + "me/me/42"), {MACHINE}),
    "address of an object": (output_says(4, "42", "<object at 0x7f3a5c0b2d10>"), {MACHINE}),
    "second title": (say("## Summary", "# Summary"), {TREE}),
    "skipped level": (say("## Look", "### Look"), {TREE}),
    "no exercises": (say("## Exercises", "## Play"), {PARTS}),
    "frobenius objective": (say("Watch the net", "Has that name"), {EXERCISES}),
    "too many exercises": (many_exercises, {EXERCISES}),
    "no summary": (say("## Summary", "## Play"), {PARTS}),
    "link to no notebook": (say("The sum", "[There](02_nowhere.ipynb) the sum"), {LINKS}),
    "link to no heading": (say("The sum", "[There](01_link_to_no_heading.ipynb#9.-Nothing) the sum"), {LINKS}),
    "no further reading": (say("## Further reading", "## Play"), {PARTS}),
}  # fmt: skip
TEXT = {  # of the file itself
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "no end of the last line": lambda text: text.rstrip("\n"),
    "indented by two": lambda text: text.replace("\n ", "\n  "),
}


def name(case: str) -> str:
    return "01_" + case.replace(" ", "_")


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """Of each copy: the checks that failed."""
    top = tmp_path_factory.mktemp("tampered")
    original, plain = (written(run(notebook(plain=plain), ROOT)) for plain in (False, True))
    for folder, cases in (("executed", EXECUTED), ("read", READ)):
        (top / folder).mkdir()
        for case, (spoil, expected) in cases.items():
            start = plain if case.endswith("plain") or expected & CELLS == {"Cell 4"} else original
            book = nbformat.reads(start, as_version=4)
            spoil(book)
            text = nbformat.writes(book) + "\n"
            assert (text == start) == case.startswith("untouched")
            (top / folder / f"{name(case)}.ipynb").write_text(text, encoding="utf-8")
    for case, change in TEXT.items():
        (top / "read" / f"{name(case)}.ipynb").write_bytes(change(original).encode())
    report = top / "report.xml"
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", f"--rootdir={ROOT}", "-p", "no:cacheprovider"]
    command += [f"--junitxml={report}", f"--notebooks={top / 'executed'}", f"--notebooks={top / 'read'}"]
    command += ["tests/test_notebooks.py", str(top / "executed")]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}
    answer = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True)
    assert answer.returncode == 1, answer.stdout[-3000:] + answer.stderr[-3000:]
    failed = {name(case): set() for case in [*EXECUTED, *READ, *TEXT]}
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        if case.find("failure") is None and case.find("error") is None:
            continue
        if case.get("name").startswith("Cell"):
            failed[case.get("classname").removesuffix(".ipynb").split(".")[-1].split("/")[-1]].add(case.get("name"))
        else:
            rule, copy = case.get("name").removeprefix("test_").removesuffix("]").split("[")
            failed[copy].add(rule)
    return failed


@pytest.mark.parametrize("case", [*EXECUTED, *READ])
def test_a_spoiled_notebook_fails_where_it_should(failures, case):
    assert failures[name(case)] == (EXECUTED | READ)[case][1]


def drawn(text="0.167", size=10, last=4.0, width=2.0, colour="C0"):
    """A line and a number, as base64."""
    figure = canvas(4, 2.5)
    ax = figure.subplots()
    ax.plot([1.25, 2.5, last], linewidth=width, color=colour)
    ax.text(0.5, 2, text, fontsize=size)
    figure.savefig(png := io.BytesIO(), format="png")
    return base64.b64encode(png.getvalue()).decode()


@pytest.mark.parametrize("size", [8, 9, 10, 12])
@pytest.mark.parametrize("digit", "012345689")
def test_one_other_digit_makes_another_picture(size, digit):
    assert difference(drawn(size=size), drawn("0.16" + digit, size))


@pytest.mark.parametrize("other", [{"last": 4.1}, {"colour": "C1"}, {"width": 6}, {"text": ""}])
def test_another_line_makes_another_picture(other):
    assert difference(drawn(), drawn(**other))


@pytest.mark.parametrize("other", [{}, {"last": 4.0 + 1e-9}, {"width": 2.05}])
def test_what_no_eye_sees_is_the_same_picture(other):
    assert difference(drawn(), drawn(**other)) is None


@pytest.mark.parametrize("case", TEXT)
def test_a_spoiled_file_is_not_canonical(failures, case):
    assert failures[name(case)] == {CANONICAL}


def test_every_rule_has_a_notebook_that_breaks_it(failures):
    import test_notebooks

    rules = {name.removeprefix("test_") for name in vars(test_notebooks) if name.startswith("test_")}
    assert rules == {rule for _, expected in READ.values() for rule in expected}


def test_an_empty_folder_fails(tmp_path):
    command = [sys.executable, "-m", "pytest", "-n0", "tests/test_notebooks.py", f"--notebooks={tmp_path}"]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    answer = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True)
    assert answer.returncode == 1 and "there is no notebook" in answer.stdout
