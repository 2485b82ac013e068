"""The pages of the course as a reader has them: from a folder, in Chromium, without a kernel and without a network."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browser import CHROMIUM, chromium

from mflearn import book
from mflearn.exercises.content import lesson
from mflearn.exercises.questions import said

ROOT = Path(__file__).parents[1]
PHONE, PAPER = 390, 680  # pixels; the second is A4 without its margins, at 96 to the inch
MEASURED = (
    "02_gradients",
    "04_toy_example",
    "08_sparse_ratings",
)  # formulas, tables and long outputs; each takes seconds
NAMES = [path.stem for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))]
REPR = re.compile(
    r"Explorer: .*Run this notebook|Quiz of notebook|not answered:|Figure: |No live widget|<\w[\w.]* object at"
)
FACTS = """() => ({
  text: document.querySelector("article").textContent,
  pictures: [...document.querySelectorAll("article img")].map((img) => [img.alt, img.naturalWidth]),
  open: document.querySelectorAll("article details[open]").length,
  links: [...document.querySelectorAll("article a[href^='file:'], article a:not([href*=':'])")].map((a) => a.href),
  ids: [...document.querySelectorAll("[id]")].map((e) => e.id),
  formulas: document.querySelectorAll("mjx-container").length,
})"""
WIDER = """(width) => [...document.querySelectorAll("article :not(mjx-container *)")]
  .filter((e) => e.getBoundingClientRect().right > width + 1).map((e) => e.outerHTML.slice(0, 200))"""


def in_chromium(test):
    """Skip this test where there is no Chromium. It stays beside the others: then all of them share one build."""
    test = pytest.mark.filterwarnings("default::ResourceWarning")(test)  # of the browser's own pipes
    return pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found on the path: install the package chromium")(
        test
    )


def command(*arguments, cwd):
    return subprocess.run([sys.executable, "-m", "mflearn", *arguments], cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """What the command said, and the folder that it filled."""
    folder = tmp_path_factory.mktemp("book")
    return command("book", "--still", "--to", str(folder), cwd=ROOT), folder


@pytest.fixture(scope="module")
def pages(built):
    return built[1]


@pytest.fixture(scope="module")
def page():
    with chromium() as page:
        page.asked, page.problems = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        yield page


@pytest.fixture(scope="module")
def seen(pages, page):
    """What is in each page, and what does not fit on a phone; of some, with their formulas set, also on paper."""
    found = {}
    for name in [*NAMES, "index"]:
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.goto((pages / f"{name}.html").as_uri())
        if name in MEASURED:
            page.evaluate("window.MathJax.startup.promise")
        facts = page.evaluate(FACTS)
        page.set_viewport_size({"width": PHONE, "height": 800})
        facts["width"] = page.evaluate("document.documentElement.scrollWidth")
        if name in MEASURED:
            page.emulate_media(media="print")
            page.set_viewport_size({"width": PAPER, "height": 1000})
            facts["wider"] = page.evaluate(WIDER, PAPER)
            page.emulate_media(media="screen")
        found[name] = facts
    return found


def test_the_pages_are_built_without_a_warning(built):
    said, folder = built
    assert said.returncode == 0 and said.stderr == "" and f"{folder}/index.html" in said.stdout
    assert [name for name in NAMES if not (folder / f"{name}.html").is_file()] == []


@in_chromium
def test_no_request_leaves_the_machine(seen, page):
    assert len(page.asked) > len(seen)
    assert {urlsplit(url).scheme for url in page.asked} <= {"file", "data"} and page.problems == []
    assert all(seen[name]["formulas"] for name in MEASURED)


@in_chromium
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_whole(seen, name):
    facts = seen[name]
    bare = [alt for alt, width in facts["pictures"] if not width or len(alt) < 40 or " " not in alt]
    assert facts["pictures"] and bare == [], "a picture is broken, or has no sentence as its alternative text"
    assert REPR.search(facts["text"]) is None, "the text of an object that needs a kernel"
    assert facts["open"] == 0, "a hint or a solution is open"
    assert facts["width"] <= PHONE, "the page is wider than a phone"
    assert facts.get("wider", []) == [], "the paper cuts something off"


@in_chromium
def test_links_between_pages_lead_somewhere(seen, pages):
    parts = [urlsplit(link) for facts in seen.values() for link in facts["links"]]
    links = {(Path(unquote(part.path)), unquote(part.fragment)) for part in parts}
    assert sum(bool(fragment) for _, fragment in links) > 10
    for path, fragment in links:
        assert path.is_file(), f"{path.name} is not here"
        assert not fragment or fragment in seen[path.stem]["ids"], f"{path.name} has no {fragment}"


@in_chromium
def test_a_quiz_answers_to_the_keyboard(pages, page):
    page.goto((pages / "04_toy_example.html").as_uri())
    question = lesson("04").quiz[0]
    group = page.get_by_role("group", name=question.text.replace("`", "")[:40])
    group.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert group.get_by_role("status").inner_text() == said(question.choices[1]).replace("`", "")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowUp")
    assert group.get_by_role("status").inner_text() == "", "the feedback belongs to another choice"


@in_chromium
def test_each_hint_is_inside_the_one_before(pages, page):
    page.goto((pages / "04_toy_example.html").as_uri())
    for i, hint in enumerate(lesson("04").exercises[0].hints, 1):
        words = page.get_by_text(hint[:30]).first
        assert not words.is_visible()
        page.get_by_text(f"Hint {i} of").first.click()
        assert words.is_visible()
    assert not page.get_by_text("optimizer = torch.optim.SGD([W, H], lr=eta)").is_visible(), "the solution is open"


@in_chromium
def test_search_finds_a_word(pages, page):
    page.goto((pages / "search.html").as_uri() + "?q=treacherous")
    link = page.locator("#search-results li a").first
    link.wait_for()
    assert "04_toy_example.html" in link.get_attribute("href")


@in_chromium
def test_a_handout_is_printed(pages, tmp_path):
    (tmp_path / "_static").symlink_to(pages / "_static")
    (tmp_path / "00_start_here.html").write_bytes((pages / "00_start_here.html").read_bytes())
    (pdf,) = book.print_pages(tmp_path)
    assert pdf.name == "00_start_here.pdf" and pdf.read_bytes().startswith(b"%PDF")
    assert len(re.findall(rb"/Type */Page\b", pdf.read_bytes())) >= 3


def test_one_line_says_what_is_missing(monkeypatch, tmp_path, capsys):
    from mflearn.__main__ import main

    monkeypatch.setattr(book, "find_spec", lambda name: None if name == "myst_nb" else name)
    assert main(["book", "--to", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no myst_nb here" in line and "pip install" in line

    monkeypatch.setattr(book, "build", lambda *_, **__: None)
    monkeypatch.setattr(book.shutil, "which", lambda name: None)
    assert main(["book", "--to", str(tmp_path), "--pdf"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no browser to print with" in line


def test_explorers_move_in_the_pages_if_they_are_recorded(tmp_path, monkeypatch):
    recorded = []
    monkeypatch.setattr(book.replay, "export", lambda name, folder: recorded.append((name, folder)))
    book.write_source(ROOT / "notebooks", tmp_path / "source", still=False)
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "source").glob("*.ipynb"))
    shown = set(re.findall(r'data-explorer=\\"(\w+)\\"', written))
    assert shown == set(book.replay.GRIDS) and {name for name, _ in recorded} == shown
    assert all(folder == tmp_path / "source/_static" for _, folder in recorded)
    assert "not answered" not in written


def test_a_link_to_a_heading_is_written_as_jupyterlab_writes_it():
    assert book.pages.anchor("6. Describe `A` by two numbers — extra") == "6.-Describe-A-by-two-numbers-—-extra"
