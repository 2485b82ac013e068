"""The rules for notebooks. nbval, in the same run, executes them; here they are only read.

A decimal in the prose is checked against the notebook's own outputs and code: some number there, its sign aside, must
round to it at its number of decimals (`12.5 %` may be there as 0.125). Not looked at are links, code (but a span that
is only a number, or `eta = 0.05`, is looked at: write versions as `Python 3.11`), numbers of headings, of sections,
figures and exercises, whatever has two dots (dates, versions), and a sentence that names its source, by a link or as
(Author 2009).

The numbers that an exercise, a quiz or an explorer states must be computed in the lesson of its notebook, and so must
whole numbers that look like results: `uncomputed` finds the others, for test_exercises.py and test_widgets.py.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import nbformat
from exercise_cells import section
from nbval_strict import WIDGET_VIEW, exemptions
from notebook_form import NOTEBOOKS, exercises, problems, with_exercises

SLIDES = {"slide", "subslide", "skip"}  # and none; all others hide a cell in jupyterlab-slideshow
MOST_BYTES = 320_000  # bytes
MANTISSA = r"(?<![\w.])(\d+\.\d+)(?!\.?\d)"
POWER = r"(?:e([+-]?\d+)|\s*(?:\\cdot|\\times|[·×])\s*10(?:\^\{?([-−]?\d+)\}?|([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)))?"
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
MACHINE = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|work|opt|usr|Users|private|var)/|\b[A-Z]:\\|\b0x[0-9a-fA-F]{5,}")


@dataclass(frozen=True)
class Notebook:
    path: Path

    @cached_property
    def text(self):
        return self.path.read_bytes().decode()  # line ends as they are

    @cached_property
    def cells(self):
        return nbformat.reads(self.text, as_version=4).cells

    @cached_property
    def exercises(self):
        """The cells of that section, and those of an exercise that stands in the middle of the lesson."""
        start, end = exercises(nbformat.v4.new_notebook(cells=self.cells))
        made = {cell.id for cell in section(self.path.stem)}
        return [cell for i, cell in enumerate(self.cells) if start <= i < end or cell.id in made]

    @property
    def lesson(self):
        """All other cells."""
        return [cell for cell in self.cells if cell not in self.exercises]

    @property
    def code(self):
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @property
    def markdown(self):
        return [cell.source for cell in self.cells if cell.cell_type == "markdown"]

    @property
    def is_lesson(self):
        return not self.path.name.startswith("00")

    @cached_property
    def headings(self):
        """(level, title) of each, in order."""
        lines = "\n".join(without_fences(source) for source in self.markdown)
        return [(len(marks), title.strip()) for marks, title in re.findall(r"^(#{1,6})\s+(.+)$", lines, re.M)]

    @cached_property
    def visible_code(self):
        """The code cells that are not folded away, themselves or under a heading."""
        visible, folded = [], 7
        for cell in self.cells:
            if cell.cell_type == "markdown" and (heading := re.match(r"(#{1,6})\s", cell.source)):
                level = len(heading[1])
                if level <= folded:
                    is_folded = cell.metadata.get("jp-MarkdownHeadingCollapsed") or cell.metadata.get(
                        "heading_collapsed"
                    )
                    folded = level if is_folded else 7
            elif cell.cell_type == "code" and folded == 7 and not cell.metadata.get("jupyter", {}).get("source_hidden"):
                visible.append(cell)
        return visible


@cache
def read(path):
    return Notebook(path)


def pytest_generate_tests(metafunc):
    if "notebook" not in metafunc.fixturenames:
        return
    folders = metafunc.config.getoption("notebooks") or [NOTEBOOKS]
    found = [read(path) for folder in folders for path in sorted(folder.glob("*.ipynb"))]
    if not found and metafunc.function is test_is_in_canonical_form:  # one clear failure, not twenty
        found = [None]
    metafunc.parametrize("notebook", found, ids=[one.path.stem if one else "none" for one in found])


def without_fences(source):
    return re.sub(r"^(```|~~~).*?^\1", "", source, flags=re.M | re.S)


def code_lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def is_picture(output):
    return "image/png" in output.get("data", {})


def is_widget(output):
    return WIDGET_VIEW in output.get("metadata", {})


def printed(cell):
    """The text of a cell's outputs that is not the stand-in of a picture or a widget."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        elif not is_picture(output) and not is_widget(output):
            yield output.get("data", {}).get("text/plain", "")


def numbers(text):
    """The size of each number in a text."""
    return [float(number) for number in re.findall(r"\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?", text)]


def shown(cells):
    """The text of each output."""
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        yield output.get("text", "")
        for mime, text in output.get("data", {}).items():
            if mime.startswith("text/"):
                yield re.sub(r"data:[^\"')]*", "", text)


def sentences(source):
    """Roughly: list items, rows of tables and paragraphs are cut too, `et al. 2009` is not."""
    source = re.sub(r"^(\s*#+)\s+\d+(\.\d+)*\.?(?=\s)", r"\1", without_fences(source), flags=re.M)
    for part in re.split(r"\n\s*\n|\n\s*(?=[*+|-]\s|\d+\.\s|\||#)", source):
        yield from re.split(r"(?<=[.!?])[\"')*_]*\s+(?=[\"'(*_$\[]*[^\W\d_])(?<!al\. )", part)


def plain(source):
    """Each sentence of the prose, without what is not looked at, and with 1,234 as 1234."""
    for sentence in sentences(source):
        if re.search(
            r"\]\(https?:|<https?:|https?://|\([A-Z][^()]*\b(?:1[89]|20)\d\d[a-z]?\)|\b(?:1[89]|20)\d\d\)", sentence
        ):
            continue
        sentence = re.sub(
            r"`([^`]*)`", lambda span: span[1] if re.fullmatch(r"(\w+ ?= ?)?[\d.eE-]+", span[1]) else "", sentence
        )
        sentence = re.sub(r"</?[a-zA-Z][^>]*>|\]\([^)]*\)", " ", sentence)
        sentence = re.sub(
            r"(?i)(?:§|\b(?:section|chapter|figure|table|exercise|equation|theorem))\s*\d+(\.\d+)+", " ", sentence
        )
        yield re.sub(r"(?<=\d)(?:\{,\}|,)(?=\d{3}(?!\d))", "", sentence)


def decimals(source):
    """Each decimal of the prose: as written, its size, and the half of its last place."""
    for sentence in plain(source):
        for found in re.finditer(MANTISSA + POWER, sentence):
            mantissa, *powers = found.groups()
            ten = 10.0 ** int((next(filter(None, powers), "0")).translate(SUPERSCRIPTS))
            yield found[0], float(mantissa) * ten, 0.5 * ten * 10.0 ** -len(mantissa.split(".")[1])


def whole_results(source):
    """The same of whole numbers that look like results: percentages, and numbers of three digits or more, exactly."""
    for sentence in plain(source):
        for found in re.finditer(r"(?<![\w.])(\d+)(\s?%)?(?!\w|\.\d)", sentence):
            if found[2] or len(found[1]) >= 3:
                yield found[0], float(found[1]), 0.5 if found[2] else 0.0


def is_known(value, half, known):
    """Whether a known number, or a share as a percentage, rounds to this. No percentage is exact (half = 0)."""
    half *= 1 + 1e-9
    return any(abs(number - value) <= half or (half and abs(100 * number - value) <= half) for number in known)


def uncomputed(texts, notebook, *, code=()):
    """The numbers of these texts that neither the lesson has shown, nor any code of the notebook or `code` holds.

    Outputs of the exercises do not count, since they repeat such texts. Where the lesson repeats one, because it asks
    an explorer its question, that place does not count either.
    """
    seen = [*code, *(cell.source for cell in notebook.code), *shown(notebook.lesson)]
    for text in texts:
        if re.search(r"\d", text) and re.search(r"[^\W\d_]", text):  # a choice may be a bare number
            seen = [one.replace(text, " ") for one in seen]
    seen += [re.sub(r"(?<=\d)[,_](?=\d{3}(?!\d))", "", one) for one in seen]
    known = {number for one in seen for number in numbers(one)}
    return [
        f"{written} in {text!r}"
        for text in texts
        for written, value, half in (*decimals(text), *whole_results(text))
        if not is_known(value, half, known)
    ]


def test_is_in_canonical_form(notebook):
    assert notebook, "there is no notebook in the folder notebooks/"
    assert problems(notebook.text) == [], "bring it there with: make notebooks"


def test_is_small(notebook):
    assert notebook.path.stat().st_size <= MOST_BYTES


def test_no_line_ends_in_a_semicolon(notebook):
    ends = [line for cell in notebook.code for line in cell.source.splitlines() if re.search(r";\s*(#.*)?$", line)]
    assert ends == [], "nbval does not know the trailing semicolon; write `_ = ...`"


def test_no_cell_asks_for_an_exemption(notebook):
    assert [asked for cell in notebook.code for asked in exemptions(cell)] == []


def test_every_decimal_in_the_prose_is_computed(notebook):
    seen = [*(cell.source for cell in notebook.code), *shown(notebook.code)]
    known = [number for text in seen for number in numbers(text)]
    for source in notebook.markdown:
        for written, value, half in decimals(source):
            assert is_known(value, half, known), (
                f"{written} stands in the prose, but no output and no code of this notebook has it: {source[:200]!r}"
            )


def test_the_slides_are_set(notebook):
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook.cells]
    assert kinds[0] == "slide", "the first cell must begin a slide"
    assert set(kinds) <= SLIDES | {None}, 'a cell that continues a slide has no slide_type; "-" would hide it'


def test_the_notes_for_the_speaker_fill_the_lecture(notebook):
    """The note of a section begins with its minutes; in a section that may be left out, another word comes first."""
    notes = [cell.metadata.get("notes", "") for cell in notebook.cells]
    minutes = sum(int(found[1]) for note in notes if (found := re.match(r"(\d+) min\b", note)))
    wanted = 45 if notebook.is_lesson else int(re.search(r"\*\*Minutes\*\* (\d+)", notebook.markdown[0])[1])
    assert minutes == wanted, f"the notes speak of {minutes} minutes, the lecture has {wanted}"


def test_the_box_at_the_top_is_complete(notebook):
    words = ("You will learn", "You need", "Minutes", "Core")
    missing = [word for word in words if f"**{word}**" not in notebook.markdown[0]]
    assert missing == [], "in bold, in the first markdown cell"


def test_what_a_lecture_may_leave_out_is_marked(notebook):
    marked = [title for level, title in notebook.headings if level > 1 and title.endswith(" — extra")]
    promise = "**Core**, a lecture of 45 minutes: no exercises, and no section marked *extra*"
    promised = promise in notebook.markdown[0]
    if notebook.is_lesson:
        assert marked, "no heading ends in — extra"
        assert promised, f"the box at the top must say: {promise}"
    else:
        assert not marked and not promised, "only a lesson has a core"


def test_pictures_and_explorers_are_followed_by_a_printed_fact(notebook):
    """So that nbval, and a reader who does not see, have something exact."""
    for cell, after in zip(notebook.code, [*notebook.code[1:], None], strict=True):
        if any(is_picture(output) or is_widget(output) for output in cell.outputs):
            texts = [*printed(cell), *(printed(after) if after else ())]
            fact = any(len(text.strip()) >= 20 and re.search(r"\d", text) for text in texts)
            assert fact, f"no text with a number in this cell or the next: {cell.source!r}"


def test_every_picture_has_alternative_text(notebook):
    for cell in notebook.code:
        for output in filter(is_picture, cell.outputs):
            text = output.data.get("text/plain", "")
            assert text.startswith("Figure: ") and len(text) >= 40, f"show it with mflearn.plots.show: {cell.source!r}"
            assert output.metadata.get("image/png", {}).get("alt"), f"no alt in the metadata: {cell.source!r}"
    for source in notebook.markdown:
        bare = re.findall(r"!\[\s*\]|<img\b(?![^>]*\balt=\"[^\"]+\")[^>]*>", without_fences(source))
        assert bare == [], "a picture in the prose has no alternative text"


def test_a_widget_says_in_words_what_it_is(notebook):
    """Without a kernel its text is all that is seen."""
    for cell in notebook.code:
        for output in filter(is_widget, cell.outputs):
            text = output.data.get("text/plain", "")
            assert len(text) >= 20 and not re.match(r"\w+\(", text), f"give it a __repr__ in words: {text!r}"


def test_a_lecture_that_leaves_out_the_extra_sections_has_all_names(notebook):
    defined, only_in_extra, missing = set(), set(), []
    level = 7  # of the extra section that we are in; 7: of none
    for cell in notebook.lesson:
        if cell.cell_type == "markdown":
            for marks, title in re.findall(r"^(#{1,6})\s+(.+)$", without_fences(cell.source), re.M):
                if len(marks) <= level:
                    level = len(marks) if title.endswith(" — extra") else 7
        elif cell.cell_type == "code" and not cell.id.startswith("solution"):
            nodes = [*ast.walk(ast.parse(cell.source))]
            stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
            stored |= {node.arg for node in nodes if isinstance(node, ast.arg)}  # of functions
            used = {node.id for node in nodes if isinstance(node, ast.Name)} - stored
            if level < 7:
                only_in_extra |= stored - defined
            else:
                missing += [(cell.id, name) for name in used & only_in_extra]
                defined |= stored
                only_in_extra -= stored
    assert missing == [], "these names come from extra sections"


def test_cells_are_short(notebook):
    lengths = [len(code_lines(cell)) for cell in notebook.code]
    visible = [len(code_lines(cell)) for cell in notebook.visible_code if cell in notebook.lesson]
    assert max(lengths) <= 25
    assert sum(length <= 8 for length in visible) >= 0.8 * len(visible), f"lines of the cells: {visible}"
    assert sum(visible) <= 150


def test_it_has_the_size_of_a_lesson(notebook):
    """Without the exercises."""
    markdown = [cell.source for cell in notebook.lesson if cell.cell_type == "markdown"]
    prose = re.sub(
        r"\$\$.*?\$\$|\$[^$\n]*\$|`[^`]*`|</?[a-zA-Z][^>]*>|\]\([^)]*\)",
        " ",
        without_fences("\n".join(markdown)),
        flags=re.S,
    )
    words = len(re.findall(r"[^\W\d_][\w'’-]*", prose))
    cells = len(notebook.lesson)
    if notebook.is_lesson:
        assert 30 <= cells <= 60, f"{cells} cells without the exercises, not 30 to 60"
        assert 1_200 <= words <= 2_500, f"{words} words without the exercises, not 1,200 to 2,500"
    else:
        assert 15 <= cells <= 50, f"{cells} cells, not 15 to 50"


def test_the_exercises_are_those_of_the_package(notebook):
    """And not too many."""
    book = nbformat.v4.new_notebook(cells=notebook.cells)
    parts = [
        [(cell.id, cell.cell_type, cell.metadata, cell.source) for cell in one.cells]
        for one in (book, with_exercises(book, notebook.path.stem))
    ]
    assert parts[0] == parts[1], "change mflearn/exercises, then: make notebooks"
    assert len(notebook.exercises) <= 30


def test_nothing_tells_the_machine(notebook):
    """No absolute path, no address of an object."""
    assert [
        line.strip()[:120]
        for line in re.sub(r'"image/png": ".*"', "", notebook.text).splitlines()
        if MACHINE.search(line)
    ] == []


def test_headings_make_a_tree(notebook):
    levels = [level for level, _ in notebook.headings]
    assert levels.count(1) == 1 and levels[0] == 1, "one title, at the top"
    skipped = [
        title for (level, title), before in zip(notebook.headings[1:], levels, strict=False) if level > before + 1
    ]
    assert skipped == [], "a level is skipped"


def test_a_lesson_has_its_parts(notebook):
    titles = [title for _, title in notebook.headings]
    parts = ("Exercises", "Summary", "Further reading") if notebook.is_lesson else ()
    missing = [part for part in parts if not any(title.startswith(part) for title in titles)]
    assert missing == [], "a lesson has these headings"


def test_links_to_other_notebooks_lead_somewhere(notebook):
    """To a file that is there and, after #, to one of its headings, as JupyterLab writes them."""
    for name, anchor in re.findall(r"\]\((\w+\.ipynb)(?:#([^)]*))?\)", "\n".join(notebook.markdown)):
        other = notebook.path.with_name(name)
        assert other.is_file(), f"{name} is not here"
        if anchor:
            titles = {title.replace(" ", "-").replace("`", "") for _, title in read(other).headings}
            assert anchor in titles, f"{name} has no heading {anchor}"
