"""The course as a learner meets it: notebooks in a real JupyterLab in Chromium, explorers worked by keyboard."""

import shutil
from pathlib import Path

import pytest
from lab import CHROMIUM, chromium, errors, jupyter_lab, open_notebook, run_all

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found on the path: install the package chromium"),
    pytest.mark.filterwarnings("default::ResourceWarning"),  # of the browser's own pipes
]

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")  # a copy: JupyterLab saves what it opens
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(notebook, root)
    with jupyter_lab(root) as running:
        yield running


@pytest.fixture
def page():
    with chromium() as page:
        page.problems, page.outside = [], []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on(
            "request",
            lambda r: r.url.startswith(("http", "ws")) and "//127.0.0.1:" not in r.url and page.outside.append(r.url),
        )
        yield page


def explorer_with(page, label):
    """The explorer that has a number box of this label: its box, its picture, and its line."""
    box = page.locator(".jp-OutputArea-output", has=page.get_by_label(label)).first
    box.scroll_into_view_if_needed()
    return box, box.locator("img"), box.locator("p[role=status]")


def press(page, control, key, line):
    """Press a key on a control and wait for the line under the picture to change; returns the new line."""
    before = line.inner_text()
    control.focus()
    page.keyboard.press(key)
    page.wait_for_function("([e, old]) => e.innerText !== old", arg=[line.element_handle(), before], timeout=10_000)
    return line.inner_text()


def pixels(page, picture):
    """All pixels of the picture that is shown, as one string."""
    return page.evaluate(
        """img => {
          const c = document.createElement('canvas'); c.width = img.naturalWidth; c.height = img.naturalHeight;
          c.getContext('2d').drawImage(img, 0, 0); return c.toDataURL();
        }""",
        picture.element_handle(),
    )


def test_k_and_eta_are_live_in_notebook_04(lab, page):
    open_notebook(page, *lab, "04_toy_example.ipynb")
    run_all(page)
    box, picture, line = explorer_with(page, "learning rate η")
    page.wait_for_timeout(1000)  # were the page to send settings back as moves, they would come now
    shown = pixels(page, picture)
    assert "η = 0.3, Adam" in line.inner_text(), "the last setting of the notebook is not what is shown"
    assert box.get_by_label("learning rate η").input_value() == "0.3", "the page has sent the setting back, changed"

    k, eta = box.get_by_role("slider").nth(0), box.get_by_role("slider").nth(1)
    said = press(page, k, "ArrowLeft", line)
    assert said.startswith("k = 1,") and "0.16718, the lowest of this rank" in said
    assert (one := pixels(page, picture)) != shown
    assert box.get_by_label("rank k").input_value() == "1"  # the number box follows

    said = press(page, eta, "ArrowRight", line)
    assert "η = 0.3162," in said  # one step up from 0.3, on a grid of 10^0.02
    assert pixels(page, picture) != one

    typed = box.get_by_label("learning rate η")
    typed.fill("0.05")
    said = press(page, typed, "Enter", line)
    assert "η = 0.05," in said
    assert picture.get_attribute("alt") == said
    assert errors(page) == [] and page.problems == [] and page.outside == []


@pytest.mark.parametrize("name", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")))
def test_every_notebook_runs_in_the_browser_and_calls_nobody(lab, page, name):
    open_notebook(page, *lab, name)
    run_all(page)
    assert errors(page) == [] and page.problems == [] and page.outside == []


def test_the_round_trip_of_notebook_00_says_pass(lab, page):
    open_notebook(page, *lab, "00_start_here.ipynb")
    run_all(page)
    page.get_by_text("PASS: widgets work").wait_for(timeout=10_000)


def test_without_a_kernel_an_explorer_says_what_to_do(lab, page):
    open_notebook(page, *lab, "04_toy_example.ipynb")
    text = page.locator(".jp-OutputArea-output", has_text="Run this notebook to move")
    text.first.wait_for(timeout=10_000)
    assert page.get_by_text("model not found").count() == 0


def test_explorers_of_notebook_03_show_the_last_setting(lab, page):
    open_notebook(page, *lab, "03_learning_rate.ipynb")
    run_all(page)
    page.wait_for_timeout(1000)  # for an echo of a setting before
    for label, words in (("η / η*", "η = 2.20 η*."), ("matrix", "Matrix 5, η = 0.0083: settled.")):
        explorer_with(page, label)
        shown = page.locator("p[role=status]", has_text=words)
        shown.first.wait_for(state="attached", timeout=10_000)
