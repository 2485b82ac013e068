"""The pages of the course as a reader has them: from a folder, in Chromium, without a kernel and without a network."""

import html
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from browser import CHROMIUM, chromium

from mflearn import book, slides, widgets
from mflearn.exercises.content import lesson, lessons
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
# What is on a slide of a deck: its place, what hangs over its edge, and the smallest text and code, as shares of the
# window's height.
SLIDE = """() => {
  const slide = Reveal.getCurrentSlide(), edge = slide.getBoundingClientRect(), over = [], size = { text: 1, code: 1 };
  for (const one of slide.querySelectorAll(":scope *:not(mjx-container *, option)")) {
    const { top, bottom, left, right, width, height } = one.getBoundingClientRect();
    if (!width || !height || !one.checkVisibility()) continue;
    const out = top < edge.top - 1 || left < edge.left - 1 || bottom > edge.bottom + 1 || right > edge.right + 1;
    const cut = one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible";
    if (out || cut) over.push(one.outerHTML.slice(0, 80));
    if (one.matches("img, canvas") && height < 0.25 * innerHeight) over.push(`picture of ${height} pixels`);
  }
  if (edge.width > innerWidth + 1 || edge.height > innerHeight + 1) over.push("the slide");
  const words = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const one = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || !one.checkVisibility() || one.closest("mjx-container, script")) continue;
    const kind = one.closest("pre, code") ? "code" : "text";
    size[kind] = Math.min(size[kind], parseFloat(getComputedStyle(one).fontSize) * Reveal.getScale() / innerHeight);
  }
  return { at: Reveal.getIndices().h, shown: slide.innerText, pictures: slide.querySelectorAll("img, canvas").length,
    over, ...size };
}"""
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


def open_deck(page, pages, name):
    page.asked.clear()
    page.problems.clear()
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto((pages / f"slides/{name[:2]}.html").as_uri())
    page.wait_for_function("Reveal.isReady()")
    page.evaluate("MathJax.startup.promise")


def walk(page, key):
    """Press the key until the slide stays the same; what each slide showed."""
    seen = [page.evaluate(SLIDE)]
    for _ in range(200):
        page.keyboard.press(key)
        seen.append(page.evaluate(SLIDE))
        if seen[-1]["at"] == seen[-2]["at"]:
            return seen[:-1]
    raise AssertionError("the slides never end")


@in_chromium
@pytest.mark.parametrize("name", NAMES)
def test_every_slide_of_a_deck_fits_and_each_press_shows_another(pages, page, name):
    cells = nbformat.read(ROOT / f"notebooks/{name}.ipynb", 4).cells
    begins = [cell.metadata.get("slideshow", {}).get("slide_type") in slides.STARTS for cell in cells]
    questions = len(lesson(name[:2]).quiz) if name[:2] in lessons() else 1
    open_deck(page, pages, name)
    down = walk(page, "PageDown")
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_function("Math.abs(Reveal.getScale() - 1080 / 466) < 0.02")
    up = walk(page, "PageUp")
    assert len(down) == sum(begins) + questions - 1
    assert [seen["at"] for seen in up[::-1]] == [seen["at"] for seen in down] == list(range(len(down)))
    assert len({seen["shown"] for seen in down}) == len(down), "two slides say the same"
    for seen in down + up:
        where = f"slide {seen['at'] + 1}"
        assert (seen["shown"].strip() or seen["pictures"]) and seen["over"] == [], where
        assert seen["text"] >= 0.03 and seen["code"] >= 0.026, where
    assert {urlsplit(url).scheme for url in page.asked} <= {"file", "data"} and page.problems == []


@in_chromium
@pytest.mark.parametrize("name", NAMES)
def test_a_deck_has_the_notes_for_the_speaker_and_hides_them(pages, page, name):
    open_deck(page, pages, name)
    notes = page.locator("aside.notes p")
    made_of_cells = page.locator(".slides > section:has(aside)").all()  # further questions of a quiz are not
    found = [
        (str(number), note)
        for number, slide in enumerate(made_of_cells, 1)
        for note in slide.locator("aside.notes p").all_text_contents()
    ]
    listed = re.findall(r"<small>slide (\d+)</small> (.*)</p>", slides.notes(ROOT / f"notebooks/{name}.ipynb"))
    assert found == [(number, html.unescape(note)) for number, note in listed] and len(found) > 5
    assert not any(note.is_visible() for note in notes.all())


@in_chromium
@pytest.mark.parametrize("name", NAMES)
def test_the_links_of_a_deck_lead_to_pages(pages, page, name):
    open_deck(page, pages, name)
    links = page.evaluate("[...document.querySelectorAll('.slides a')].map((a) => a.href)")
    files = {Path(unquote(urlsplit(link).path)) for link in links if not link.startswith("https:")}
    assert {path.parent for path in files} <= {pages} and [path for path in files if not path.is_file()] == []
    assert name != NAMES[0] or {path.stem for path in files} >= {*NAMES}, "the first notebook links to all others"


@in_chromium
def test_the_speaker_has_a_window_that_follows(pages, page):
    open_deck(page, pages, "04")
    first, second = page.locator("aside.notes p").all_text_contents()[:2]
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    window = opened.value
    window.get_by_text(first).wait_for()
    page.keyboard.press("PageDown")
    window.get_by_text(second).wait_for()
    window.keyboard.press("PageUp")
    window.get_by_text(first).wait_for()
    assert page.evaluate("Reveal.getIndices().h") == 0 and page.problems == []
    window.close()


@in_chromium
def test_a_deck_is_dark_where_the_system_is_but_not_on_paper(pages, page):
    ground = "getComputedStyle(document.body).backgroundColor"
    open_deck(page, pages, "04")
    light, count = page.evaluate(ground), page.evaluate("Reveal.getTotalSlides()")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{ground} !== '{light}'")
    page.goto((pages / "slides/04.html").as_uri() + "?print-pdf")
    page.locator(".pdf-page").last.wait_for()
    assert page.evaluate(ground) == light
    pdf = page.pdf(prefer_css_page_size=True)
    page.emulate_media(color_scheme="light")
    assert len(re.findall(rb"/Type */Page\b", pdf)) == page.locator(".pdf-page").count() == count


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The folder of decks whose explorers move, each between the settings of its start and of its question."""
    folder, few = tmp_path_factory.mktemp("live"), {}
    with pytest.MonkeyPatch.context() as patch:
        for module in (widgets.rank_and_rate, widgets.parts_and_seeds):
            patch.setattr(module, "prepare", lambda watch: None)  # no work ahead
        for name, grid in book.replay.GRIDS.items():
            explorer = getattr(widgets, name)()
            start, asked = explorer.settings, explorer.prediction.question.settings(explorer.settings)
            wanted = {one: {start[one], asked.get(one, start[one])} for one in grid.settings}
            settings = {one: [value for value in grid.settings[one] if value in some] for one, some in wanted.items()}
            few[name] = replace(grid, settings=settings, compute=None)
        patch.setattr(book.replay, "GRIDS", few)
        patch.setattr(book.replay.pooch, "os_cache", lambda _: folder / "cache")
        book.write_source(ROOT / "notebooks", folder, still=False)
    (folder / "decks/_static").symlink_to(folder / "_static")
    (folder / "_static/pygments.css").touch()  # Sphinx would write it
    return folder / "decks"


def turn_to_explorer(page):
    while not page.locator("section.present .mflearn-replay").count():
        before = page.evaluate(SLIDE)["at"]
        page.keyboard.press("PageDown")
        assert page.evaluate(SLIDE)["at"] > before, "no slide has an explorer"
    page.locator("section.present [data-ready]").wait_for()


@in_chromium
@pytest.mark.parametrize("name", NAMES[1:])
def test_an_explorer_fits_its_slide_before_and_after_its_question(live, page, name):
    open_deck(page, live, name)
    turn_to_explorer(page)
    before = page.evaluate(SLIDE)
    page.locator("section.present fieldset input").first.check()
    page.locator("section.present").get_by_role("button", name="Show me").click()
    after = page.evaluate(SLIDE)
    assert "You predicted" in after["shown"] and "You predicted" not in before["shown"]
    assert before["over"] == after["over"] == [] and min(before["text"], after["text"]) >= 0.03
    assert {urlsplit(url).scheme for url in page.asked} <= {"file", "data"} and page.problems == []


@in_chromium
def test_an_explorer_moves_on_a_slide_and_page_down_goes_on(live, page):
    open_deck(page, live, "03")
    turn_to_explorer(page)
    page.keyboard.press("PageDown")  # to the second of this notebook
    turn_to_explorer(page)
    place, line = page.evaluate(SLIDE)["at"], page.locator("section.present .mflearn-replay > p[role=status]")
    slider, picture = page.locator("section.present input[type=range]").first, "canvas => canvas.toDataURL()"
    canvas = page.locator("section.present canvas")
    box, said, drawn = slider.bounding_box(), line.inner_text(), canvas.evaluate(picture)
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    moved = line.inner_text()
    assert moved != said and canvas.evaluate(picture) != drawn
    assert slider.evaluate("one => one === document.activeElement"), "the slider has no focus: this tests nothing"
    page.keyboard.press("PageDown")
    assert page.evaluate(SLIDE)["at"] == place + 1
    page.keyboard.press("PageUp")
    assert page.evaluate(SLIDE)["at"] == place and line.inner_text() == moved


@in_chromium
def test_a_menu_on_a_slide_takes_the_arrows_for_itself(live, page):
    open_deck(page, live, "01")
    turn_to_explorer(page)
    place, menu = page.evaluate(SLIDE)["at"], page.locator("section.present select")
    menu.focus()
    page.keyboard.press("ArrowDown")
    assert menu.input_value() == "1" and page.evaluate(SLIDE)["at"] == place


@in_chromium
def test_a_quiz_answers_on_its_slide(pages, page):
    open_deck(page, pages, "04")
    question = lesson("04").quiz[1]
    while question.text[:30] not in page.evaluate(SLIDE)["shown"]:
        page.keyboard.press("PageDown")
    slide = page.locator("section.present")
    slide.get_by_role("radio").first.check()
    slide.get_by_role("button").click()
    assert slide.get_by_role("status").inner_text() == said(question.choices[0]).replace("`", "")
    assert page.evaluate(SLIDE)["over"] == []


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
