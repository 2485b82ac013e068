"""The course as a learner meets it: notebooks in a real JupyterLab in Chromium, explorers worked by keyboard."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from browser import CHROMIUM, WATCH, chromium, errors, jupyter_lab, open_notebook, run_all, run_cells

from mflearn import slides

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found on the path: install the package chromium"),
    pytest.mark.filterwarnings("default::ResourceWarning"),  # of the browser's own pipes
]

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


TOY = "04_toy_example.ipynb"
WHOLE = {"00_start_here.ipynb", TOY}  # run with all their code


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Copies, since JupyterLab saves what it opens."""
    root = tmp_path_factory.mktemp("course")
    for path in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(path, root)
    return root


def around_explorers(path):
    """The ids of the cells that import, that make an explorer or use one, or that ask the quiz: nbval runs the rest."""
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    explorers = re.findall(r"^(\w+) = explore_", "\n".join(cell.source for cell in code), re.M)
    data = r"datasets\.load|^mine = |^you = |^shown = often"  # without which there are no explorers of 09
    wanted = re.compile(rf"^import |^from |= explore_|^quiz\(|{data}|^\s*({'|'.join(explorers)})\.", re.M)
    return [cell.id for cell in code if wanted.search(cell.source) and "check(" not in cell.source]


@pytest.fixture(scope="module")
def lab(course):
    with jupyter_lab(course, options=[f"--LabApp.extra_labextensions_path={slides.EXTENSION}"]) as running:
        yield running


@pytest.fixture(scope="module")
def new_page():
    """A function that makes a page. All pages are of one browser; each keeps its errors, and the requests to others."""
    with chromium() as first:

        def make():
            page = first.context.new_page()
            page.problems, page.outside = [], []
            page.on("pageerror", lambda error: page.problems.append(str(error)))
            page.on("request", lambda request: is_outside(request.url) and page.outside.append(request.url))
            return page

        yield make


def is_outside(url):
    return url.startswith(("http", "ws")) and "//127.0.0.1:" not in url


@pytest.fixture
def page(new_page):
    page = new_page()
    yield page
    page.close()


@pytest.fixture(scope="module")
def opened(lab, new_page):
    """A function that gives the page of a notebook, whose cells have run. The pages in `SHARED` stay open."""
    pages = {}

    def get(name):
        if name not in pages:
            for other in pages.keys() - SHARED:
                pages.pop(other).close()
            pages[name] = new_page()
            open_notebook(pages[name], *lab, name)
            if name in WHOLE:
                run_all(pages[name])
            else:
                run_cells(pages[name], around_explorers(NOTEBOOKS / name))
        return pages[name]

    return get


SHARED = {TOY, "08_sparse_ratings.ipynb"}  # several tests look at these; the cells run once for all of them


@pytest.fixture(scope="module")
def toy(opened):
    """The page of notebook 04, and the state of its explorer right after its cells have run."""
    page = opened(TOY)
    page.first_state = state(page)
    execute(page, KEEP)
    return page


KEEP = "kept = explorer.settings, explorer.compute, explorer.describe"


def as_it_was(page):
    """The explorer of notebook 04 with its own functions and its last setting, whatever the test before did to it."""
    execute(page, "settings, explorer.compute, explorer.describe = kept\nexplorer.set(**settings)")
    box, picture, line = explorer_with(page, "learning rate η")
    page.wait_for_function("e => e.innerText.includes('k = 2, η = 0.3, Adam')", arg=line.element_handle())
    return box, picture, line


def state(page):
    """What the explorer of notebook 04 shows after its cells have run: its line, its picture, its number boxes."""
    box, picture, line = explorer_with(page, "learning rate η")
    page.wait_for_function("e => e.innerText.includes('η = 0.3, Adam')", arg=line.element_handle())
    execute(page, "explorer._preparing.join()")  # then the picture is drawn again, with the atlas
    page.wait_for_timeout(1000)  # were the page to send settings back as moves, they would come now
    boxes = [box.get_by_role("spinbutton").nth(i).input_value() for i in range(4)]
    return line.inner_text(), pixels(page, picture), *boxes


def explorer_with(page, label):
    """The explorer that has a number box of this label: its box, its picture, and its line."""
    box = page.locator(".jp-OutputArea-output", has=page.get_by_label(label)).first
    box.scroll_into_view_if_needed()
    return box, box.locator("img"), box.locator("p[role=status]").last  # the first belongs to the question


def press(page, control, key, line):
    """Press a key on a control and wait for the line under the picture to change; returns the new line."""
    before = line.inner_text()
    control.focus()
    page.keyboard.press(key)
    page.wait_for_function("([e, old]) => e.innerText !== old", arg=[line.element_handle(), before])
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


def test_k_and_eta_are_live_in_notebook_04(toy):
    page, (_, shown, *boxes) = toy, toy.first_state
    assert "0.3" in boxes, "the page has sent the setting back, changed"
    box, picture, line = as_it_was(page)

    k, eta = box.get_by_role("slider").nth(0), box.get_by_role("slider").nth(1)
    said = press(page, k, "ArrowLeft", line)
    assert said.startswith("k = 1,") and "0.16718, the lowest of this rank" in said
    assert (one := pixels(page, picture)) != shown
    assert box.get_by_role("spinbutton", name="rank k").input_value() == "1"  # the number box follows

    said = press(page, eta, "ArrowRight", line)
    assert "η = 0.3548," in said  # one step up from 10^-0.5, which is nearest to 0.3
    assert pixels(page, picture) != one

    typed = box.get_by_role("spinbutton", name="learning rate η")
    typed.fill("0.05")
    said = press(page, typed, "Enter", line)
    assert "η = 0.05," in said
    assert picture.get_attribute("alt") == said
    assert errors(page) == [] and page.problems == [] and page.outside == []


def test_a_number_out_of_range_is_refused_with_a_word_and_a_comma_is_a_point(toy):
    page = toy
    box, _, line = as_it_was(page)
    typed = box.get_by_role("spinbutton", name="learning rate η")
    for wrong in ("500", "e"):
        typed.select_text()
        page.keyboard.type(wrong)
        said = press(page, typed, "Enter", line)
        assert said.endswith("not taken: the box holds numbers from 0.001 to 1.")
        assert typed.input_value() == "0.3"
    typed.select_text()
    page.keyboard.type("0,2")
    assert "η = 0.2, Adam" in press(page, typed, "Enter", line)
    assert errors(page) == [] and page.problems == []


def accessible(page, box):
    """(role, name, disabled) of everything in this element that a screen reader can act on, or is told."""
    client = page.context.new_cdp_session(page)
    root = client.send("DOM.getDocument")["root"]["nodeId"]
    page.evaluate("e => e.setAttribute('data-looked-at', '')", box.element_handle())
    node = client.send("DOM.querySelector", {"nodeId": root, "selector": "[data-looked-at]"})["nodeId"]
    page.evaluate("e => e.removeAttribute('data-looked-at')", box.element_handle())
    within = client.send("Accessibility.queryAXTree", {"nodeId": node})["nodes"]
    found = []
    for one in within:
        role, name = (one.get(key, {}).get("value", "") for key in ("role", "name"))
        if not one.get("ignored"):
            found.append((role, name))
    return found


EXPLORERS = {  # a label of each
    "01_frobenius_objective.ipynb": ["rank k"],
    "02_gradients.ipynb": ["δ = 10^"],
    "03_learning_rate.ipynb": ["steps", "rank k", "matrix"],
    "04_toy_example.ipynb": ["learning rate η"],
    "05_rank.ipynb": ["start scale"],
    "06_noise.ipynb": ["noise σ"],
    "07_parts_and_topics.ipynb": ["parts k"],
    "08_sparse_ratings.ipynb": ["share observed"],
    "09_recommender.ipynb": ["popularity cut", "neighbours"],
    "10_beyond_one_machine.ipynb": ["machines"],
}


LAST_SETTINGS = {
    "03_learning_rate.ipynb": ["η = 0.30 η*, step 0: w = 1.80, h = −0.60", "η = 0.0204 (0.30 η*): settled."]
}  # what explorers then say


def test_every_explorer_of_the_course_is_listed():
    shown = {path.name: re.findall(r"= explore_\w+\(", path.read_text("utf-8")) for path in NOTEBOOKS.glob("*.ipynb")}
    assert {name: len(found) for name, found in shown.items() if found} == {
        name: len(labels) for name, labels in EXPLORERS.items()
    }, "give each explorer a label in EXPLORERS, above"


@pytest.fixture(scope="module", params=sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")))
def lesson(request, opened):
    """The name of each notebook in turn, and its page: the tests that look at all of them share it."""
    return request.param, opened(request.param)


def test_a_notebook_calls_nobody_and_its_explorers_can_be_heard_and_worked_without_a_mouse(lesson):
    name, page = lesson
    assert errors(page) == [] and page.problems == [] and page.outside == []
    page.wait_for_timeout(1000)  # for an echo of a setting before
    for words in LAST_SETTINGS.get(name, []):
        page.locator("p[role=status]", has_text=words).first.wait_for(state="attached")
    if name.startswith("00"):
        page.get_by_text("PASS: widgets work").wait_for()  # its round trip
    for label in EXPLORERS.get(name, []):
        box, picture, line = explorer_with(page, label)
        box.locator("img[alt]:not([alt=''])").first.wait_for(state="attached")
        box.locator(".noUi-handle[aria-label]").first.wait_for(state="attached")
        found = accessible(page, box)
        sliders = [name for role, name in found if role == "slider"]
        boxes = [name for role, name in found if role == "spinbutton"]
        assert sliders and set(sliders) <= set(boxes), "each slider has its name, and a number box of the same name"
        for handle in box.get_by_role("slider").all():  # in Notebook 7 the arrow keys would leave the explorer
            assert handle.get_attribute("data-lm-suppress-shortcuts") == "true"
        nameless = [(role, name) for role, name in found if role in ACTIVE and not name.strip()]
        assert nameless == []
        assert ("status" in {role for role, _ in found}) and picture.get_attribute("alt") == line.inner_text()
        assert any(role == "image" and name == line.inner_text() for role, name in found)
        if label != "matrix":  # the game asks in the prose
            assert sum(role == "radio" for role, _ in found) >= 3


# What a slide shows: its first cell and the question of its quiz; what hangs over the edge of the window; the smallest
# text and code, as shares of the window's height.
SLIDE = """() => {
  const panel = jupyterapp.shell.currentWidget, cells = panel.content.widgets.map(cell => cell.node);
  const shown = cells.filter(node => node.classList.contains("jp-deck-mod-visible"));
  const waits = [...panel.node.querySelectorAll(".mflearn-quiz > fieldset")].findIndex(one => one.checkVisibility());
  const over = [], size = { text: 1, code: 1 }, zoom = shown[0].querySelector("*").currentCSSZoom;
  const outer = panel.node.querySelector(".jp-WindowedPanel-outer");
  if (outer.scrollHeight > outer.clientHeight + 1) over.push(`${outer.scrollHeight - outer.clientHeight} below`);
  for (const cell of shown) {
    const all = cell.querySelectorAll(
      ".jp-RenderedMarkdown, .jp-RenderedMarkdown *, .cm-line, .jp-OutputArea-output, .jp-OutputArea-output *");
    for (const one of [cell, ...all]) {
      const { top, bottom, right, width, height } = one.getBoundingClientRect();
      if (width < 2 || height < 2 || one.closest("mjx-assistive-mml, .mflearn-explorer")) continue;
      if (!one.checkVisibility()) continue;
      if (top < -1 || bottom > innerHeight + 1 || right > innerWidth + 1) over.push(one.textContent.slice(0, 60));
    }
    for (const one of cell.querySelectorAll(".mflearn-explorer :is(img, p, label, input, select, button)")) {
      const { top, bottom, right, height } = one.getBoundingClientRect();
      if (top < -1 || bottom > innerHeight + 1 || right > innerWidth + 1) over.push(one.outerHTML.slice(0, 80));
      if (one.matches("img") && height < 0.3 * innerHeight) over.push(`picture of ${height} pixels`);
    }
    const words = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      const one = words.currentNode.parentElement;
      if (!words.currentNode.data.trim() || !one.checkVisibility() || one.closest("mjx-container, style")) continue;
      const kind = one.closest("pre, code, .cm-content") ? "code" : "text";
      size[kind] = Math.min(size[kind], parseFloat(getComputedStyle(one).fontSize) * zoom / innerHeight);
    }
  }
  return { at: [cells.indexOf(shown[0]), waits], over, ...size, empty: shown.every(one => one.offsetHeight < 10) };
}"""


def present(page):
    """Show the slides of the notebook, from the first."""
    page.evaluate("() => jupyterapp.commands.execute('mflearn:present', {})")
    page.wait_for_function("() => document.querySelector('.jp-deck-mod-visible')")


def stop(page):
    page.evaluate("() => jupyterapp.commands.execute('deck:stop')")
    page.wait_for_function("() => !document.body.dataset.jpDeckMode")
    page.set_viewport_size({"width": 1280, "height": 1000})


def slide(page):
    """What is shown; an editor that was hidden takes some frames to find its height."""
    for _ in range(40):
        seen = page.evaluate(SLIDE)
        if not seen["over"]:
            break
        page.wait_for_timeout(50)
    return seen


def walk(page, key):
    """Press the key until the slide stays the same; what each slide showed."""
    seen = [slide(page)]
    for _ in range(200):
        page.keyboard.press(key)
        seen.append(slide(page))
        if seen[-1]["at"] == seen[-2]["at"]:
            return seen[:-1]
    raise AssertionError("the slides never end")


def test_every_slide_fits_and_each_press_shows_another(lesson):
    name, page = lesson
    types = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in nbformat.read(NOTEBOOKS / name, 4).cells]
    wanted = [i for i, kind in enumerate(types) if kind in slides.STARTS]
    page.set_viewport_size({"width": 1280, "height": 720})
    try:
        present(page)
        down = walk(page, "PageDown")
        page.set_viewport_size({"width": 1920, "height": 1080})
        page.wait_for_function(f"() => ({SLIDE})().text >= 0.03")  # a busy browser is slow to lay it out
        up = walk(page, "PageUp")
    finally:
        stop(page)
    places = [seen["at"] for seen in down]
    assert [seen["at"] for seen in up] == places[::-1]
    assert sorted({place[0] for place in places}) == wanted and len({tuple(place) for place in places}) == len(places)
    for seen in down + up:
        where = f"slide at cell {seen['at'][0]}"
        assert not seen["empty"] and seen["over"] == [], where
        assert seen["text"] >= 0.03 and seen["code"] >= 0.026, where


def test_a_slider_on_a_slide_moves_the_picture_and_page_down_goes_on(toy):
    page = toy
    box, picture, line = as_it_was(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    try:
        present(page)
        while not page.evaluate(f"({SLIDE})().at[0] === {explorer_at(TOY)}"):
            page.keyboard.press("PageDown")
        handle, shown = box.get_by_role("slider", name="learning rate η"), pixels(page, picture)
        number = box.get_by_role("spinbutton", name="learning rate η")
        place = handle.bounding_box()
        page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.mouse.down()
        page.mouse.move(place["x"] - 60, place["y"] + place["height"] / 2, steps=5)
        page.mouse.up()
        follows = "([line, box]) => box.value !== '0.3' && line.innerText.includes(`η = ${box.value},`)"
        page.wait_for_function(follows, arg=[line.element_handle(), number.element_handle()])
        assert pixels(page, picture) != shown
        assert handle.evaluate("one => one === document.activeElement"), "the slider has no focus: this tests nothing"
        said = line.inner_text()
        page.keyboard.press("PageDown")
        assert page.evaluate(SLIDE)["at"][0] > explorer_at(TOY)
        page.keyboard.press("PageUp")
        assert page.evaluate(SLIDE)["at"][0] == explorer_at(TOY) and line.inner_text() == said
    finally:
        stop(page)


def test_the_address_that_the_command_opens_presents_and_runs_all_cells(lab, page):
    """What `mflearn slides` makes JupyterLab open, see test_slides.py; a real click on nothing."""
    address, token = lab
    page.set_viewport_size({"width": 1280, "height": 720})
    try:
        with slides.options(NOTEBOOKS / "00_start_here.ipynb") as told:
            (opens,) = (option.partition("=")[2] for option in told if "default_url" in option)
        page.goto(f"{address}{opens}&token={token}")
        page.wait_for_function("() => document.querySelector('.jp-deck-mod-visible h1')")
        page.get_by_text("PASS: widgets work").wait_for(state="attached")
        page.wait_for_function("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")
        assert page.evaluate(SLIDE)["at"][0] == 0, "running the cells has turned a page"
        assert errors(page) == [] and page.problems == [] and page.outside == []
    finally:
        stop(page)


def explorer_at(name):
    """The place of the first explorer among the cells."""
    sources = [cell.source for cell in nbformat.read(NOTEBOOKS / name, as_version=4).cells]
    return next(i for i, source in enumerate(sources) if "= explore_" in source)


ACTIVE = {
    "slider",
    "spinbutton",
    "button",
    "combobox",
    "radio",
    "radiogroup",
    "checkbox",
    "image",
    "menuitem",
    "textbox",
}


def test_a_film_is_rated_by_keyboard(opened):
    page = opened("09_recommender.ipynb")
    box, _, line = explorer_with(page, "popularity cut")
    stars = box.get_by_role("radiogroup").first.get_by_role("radio")
    assert stars.count() == 6 and stars.nth(2).is_checked() and line.inner_text().startswith("10 ratings given")
    press(page, stars.nth(2), "ArrowRight", line)
    assert stars.nth(3).is_checked() and stars.nth(3).get_attribute("aria-label") == "3 of 5 stars"
    assert press(page, stars.first, "Space", line).startswith("9 ratings given")


def test_a_question_is_answered_by_keyboard(toy):
    page = toy
    box, _, line = as_it_was(page)
    button = box.get_by_role("button", name="Show me")
    assert button.is_disabled()
    box.get_by_role("radio").first.focus()
    for key in ("Space", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    assert box.get_by_role("radio").nth(2).is_checked()
    page.wait_for_function("e => !e.disabled", arg=button.element_handle())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    box.get_by_text("You were right: at 0.167 again.").wait_for()
    assert line.inner_text().startswith("k = 1, η = 0.05, Adam, seed 0: after 5000 steps the loss is 0.16718")
    assert box.get_by_role("spinbutton", name="rank k").input_value() == "1"


def execute(page, code):
    """Run code in the kernel of the notebook, beside its cells."""
    page.evaluate(
        "code => jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code }).done", code
    )


def test_an_error_is_one_red_line_and_the_next_move_works(toy):
    page = toy
    box, _, line = as_it_was(page)
    eta = box.get_by_role("slider", name="learning rate η")
    colour, before = "e => getComputedStyle(e).color", press(page, eta, "ArrowLeft", line)
    assert before.startswith("k = 2") and line.evaluate(colour) == line.evaluate(
        "e => getComputedStyle(e.parentElement).color"
    )
    height = line.bounding_box()["height"]
    execute(page, "def broken(result): raise ValueError('injected')\nexplorer.describe = broken")
    assert press(page, eta, "ArrowLeft", line).startswith("This did not work: ValueError: injected (broken, line 1).")
    red, green, blue = (int(part) for part in line.evaluate(colour)[4:-1].split(", "))
    assert red > 150 > 100 > max(green, blue) and line.bounding_box()["height"] == height
    execute(page, "explorer.describe = kept[2]")
    assert press(page, eta, "ArrowLeft", line).startswith("k = 2, η = 0.2239, Adam")
    assert errors(page) == [] and page.problems == []


def test_long_work_is_stopped_by_keyboard(toy):
    page = toy
    box, _, line = as_it_was(page)
    execute(
        page,
        "import time\n"
        "def slow(watch, **settings):\n"
        "    for step in range(100_000):\n"
        "        if not watch(step / 100_000): break\n"
        "        time.sleep(0.02)\n"
        "    return kept[1](**settings)\n"
        "explorer.compute = slow",
    )
    height, button = box.bounding_box()["height"], box.get_by_role("button", name="Stop")
    assert button.count() == 0, "it is there before anything takes long"
    box.get_by_role("slider", name="learning rate η").focus()
    page.keyboard.press("ArrowLeft")
    button.wait_for()
    assert box.bounding_box()["height"] == height
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("e => e.innerText.startsWith('Stopped at ')", arg=line.element_handle())
    assert "shown is what there is by then. k = 2, η = 0.2818, Adam" in line.inner_text()
    button.wait_for(state="hidden")


def test_the_test_set_is_opened_by_a_button_that_counts(opened):
    page = opened("08_sparse_ratings.ipynb")
    box, _, _ = explorer_with(page, "share observed")
    button = box.get_by_role("button", name="Open the test set (opened 1×)")  # the notebook opened it once
    box.get_by_text("Opened once: test RMSE 0.594 for k = 3, λ = 0.05.").wait_for()
    button.focus()
    page.keyboard.press("Enter")
    box.get_by_text("Opened 2 times, last: test RMSE 0.594").wait_for()
    assert box.get_by_role("button", name="Open the test set (opened 2×)").is_visible()


def test_nothing_flickers_grows_or_jumps_while_a_key_is_held(toy):
    page = toy
    box, _, line = as_it_was(page)
    handle = box.get_by_role("slider").nth(1)
    handle.focus()
    page.wait_for_timeout(500)
    page.evaluate(WATCH, box.element_handle())
    for turn in range(200):  # there and back, till enough has been seen to tell; on a busy machine pictures are rare
        for _ in range(25):
            page.keyboard.press(("ArrowRight", "ArrowLeft")[turn % 2])
            page.wait_for_timeout(20)
        if turn >= 3 and turn % 2 and page.evaluate("() => log.pictures >= 6 && log.frames >= 30"):
            break
    press(page, handle, "Home", line)
    page.evaluate("() => { log.ended = true }")
    log = page.evaluate("() => ({ ...log, tops: [...log.tops], heights: [...log.heights] })")
    assert log["pictures"] >= 6 and log["frames"] >= 30
    assert log["blank"] == 0 and len(log["tops"]) == len(log["heights"]) == 1


def test_restart_and_run_all_gives_the_same_state(toy):
    page = toy
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    run_all(page)
    assert state(page) == page.first_state
    assert page.locator(".jp-OutputArea-output", has=page.get_by_label("learning rate η")).count() == 1
    ended = r"Error: Canceled future for \w+ message before replies were done"  # with the old kernel
    assert errors(page) == [] and [error for error in page.problems if not re.fullmatch(ended, error)] == []
    page.problems.clear()
    execute(page, KEEP)


def test_without_a_kernel_an_explorer_says_what_to_do(lab, course, page):
    shutil.copy(NOTEBOOKS / "04_toy_example.ipynb", course / "not_run.ipynb")  # another test may have saved 04 anew
    open_notebook(page, *lab, "not_run.ipynb")
    text = page.locator(".jp-OutputArea-output", has_text="Run this notebook to move")
    text.first.wait_for()
    assert page.get_by_text("model not found").count() == 0
