"""Exercises and quiz as a learner meets them: in JupyterLab in Chromium, by keyboard, in the dark theme, and later."""

import nbformat
import pytest
from browser import CHROMIUM, chromium, errors, jupyter_lab, open_notebook, run_all

from mflearn.exercises.content import lesson

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found on the path: install the package chromium"),
    pytest.mark.filterwarnings("default::ResourceWarning"),  # of the browser's own pipes
]
CELLS = [
    "from mflearn.exercises import check, hint, progress, quiz, solution",
    'def outer(w, h):\n    return w @ h\n\n\ncheck("01.1", outer)',
    'hint("01.1")',
    'quiz("01")',
    "progress()",
]
QUESTION = lesson("01").quiz[0]


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("MFLEARN_PROGRESS", str(tmp_path / "progress.json"))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    book.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (tmp_path / "course").mkdir()
    nbformat.write(book, tmp_path / "course" / "exercises.ipynb")
    with jupyter_lab(tmp_path / "course") as running:
        yield running


@pytest.fixture
def page():
    with chromium() as page:
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        yield page


def contrast(page, element):
    """Of the text of an element to the page behind it, by the formula of WCAG 2."""
    return page.evaluate(
        """e => {
          const numbers = (c) => c.match(/[\\d.]+/g).map(Number);
          let back = e;
          while (numbers(getComputedStyle(back).backgroundColor)[3] === 0) back = back.parentElement;
          const light = (c) => numbers(c).slice(0, 3).map(v => v / 255)
            .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
          const [a, b] = [getComputedStyle(e).color, getComputedStyle(back).backgroundColor].map(light);
          return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        }""",
        element.element_handle(),
    )


def test_a_quiz_is_worked_by_keyboard_heard_in_the_dark_and_remembered(lab, page):
    open_notebook(page, *lab, "exercises.ipynb")
    run_all(page)
    page.get_by_text("01.1 not yet").wait_for()
    page.get_by_text("Hint 1 of").wait_for()
    group = page.get_by_role("group", name=QUESTION.text.replace("`", "")[:40])
    button = group.get_by_role("button", name="Check question 1")
    assert group.get_by_role("radio").count() == len(QUESTION.choices) and button.is_disabled()
    first, second = (group.get_by_role("radio").nth(i) for i in (0, 1))
    first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert second.is_checked() and second.evaluate("e => e === document.activeElement"), "an arrow has left the quiz"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    status = group.get_by_role("status")
    said = QUESTION.choices[1].feedback.replace("`", "")
    page.wait_for_function("([e, text]) => e.textContent.includes(text)", arg=[status.element_handle(), said])
    assert status.inner_text().startswith("✓ Right." if QUESTION.choices[1].right else "✗ Not this one.")
    second.focus()
    page.keyboard.press("ArrowUp")
    assert status.inner_text() == "", "the feedback belongs to another choice"

    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        page.wait_for_function("dark => document.body.dataset.jpThemeLight === String(!dark)", arg="Dark" in theme)
        for text in (group.locator("legend"), group.locator("label").first, page.get_by_text("01.1 not yet")):
            assert contrast(page, text) >= 4.5
    assert errors(page) == [] and page.problems == []

    open_notebook(page, *lab, "exercises.ipynb")  # another day
    run_all(page)
    page.get_by_role("status").filter(has_text=said[:30]).wait_for()
