"""Explorers in pages without Python: what the player shows is what the explorer shows in JupyterLab."""

import base64
import io
import json
from dataclasses import replace

import browser
import numpy as np
import pytest
from PIL import Image

from mflearn import widgets
from mflearn.book import replay
from mflearn.plots import BLUE, GHOST
from mflearn.widgets import Explorer, noise, parts_and_seeds, rank_and_rate
from mflearn.widgets.explorer import Question, choice, slider
from mflearn.widgets.picture import Stage

WHITE, DARK = (255, 255, 255), (17, 17, 17)  # grounds of a page
SQUARE = 45  # how much a square of 20×20 pixels may differ on average, of 255: two programs draw an edge differently


def axis_moves():
    """A made-up explorer whose axis, and so its ground, changes with a setting."""

    def draw(figure):
        ax, table = figure.subplots(1, 2, width_ratios=(2, 1))
        ax.set_ylim(0, 10)
        (ghost,) = ax.plot([], [], color=GHOST, linewidth=8, marker="o", markersize=12)
        (line,) = ax.plot([], [], color=BLUE, linewidth=2, marker="s")
        said = ax.text(0.1, 0.8, "", transform=ax.transAxes, fontsize=16)
        image = table.imshow([[0, 1], [1, 0]], vmin=0, vmax=3, aspect="auto")
        table.set_axis_off()

        def update(result):
            to, slope, _ = result
            ax.set_xlim(0, to)
            ghost.set_data(*line.get_data())
            line.set_data([0, to / 2, to], [1, 2 * slope, 3 * slope])
            said.set_text(f"███ {to}")
            image.set_data([[slope, 1.0], [np.nan, 0.0]])
            return [ghost, line, said, image]

        return update

    controls = {"slope": slider("slope a", 2.0, 1.0, 3.0, step=0.5), "way": choice("way", "up", "down")}
    controls["to"] = slider("to", 100, 50, 200, step=50)
    question = Question(
        "How steep?",
        {"steep": lambda result: result[1] > 2, "not steep": lambda result: result[1] <= 2},
        lambda _: {"slope": 3.0, "to": 200, "way": "up"},
        "It is.",
    )
    return Explorer(
        lambda slope, way, to: (to, slope if way == "up" else 3 - slope, way),
        draw,
        lambda result: "to {}, slope {:g}, {}".format(*result),
        controls,
        question,
        title="an axis that moves",
        size=(5.0, 3.0),
    )


GRIDS = {
    "axis_moves": replay.Grid({"to": (100, 200), "slope": (1.0, 2.0, 3.0), "way": ("up", "down")}, {0: 1}),
    "explore_difference_quotient": replace(
        replay.GRIDS["explore_difference_quotient"],
        settings={
            "exponent": (-12.0, -2.0),
            "kind": widgets.difference_quotient.QUOTIENTS,
            "formula": ("2 E Hᵀ", "E Hᵀ (no 2)"),
        },
    ),
    "explore_landscape": replace(
        replay.GRIDS["explore_landscape"],
        settings={"fraction": (0.3, 1.05), "w": (-1.0, 1.8), "h": (-0.6, 1.0), "step": (0, 3, 60)},
    ),
    "explore_noise": replace(
        replay.GRIDS["explore_noise"],
        settings={"k": (1, 3), "noise": (0.3, 1.0), "rank": (3,), "errors": noise.ERRORS},
    ),
}

GRIDS["explore_outer_products"] = replay.GRIDS["explore_outer_products"]


def make(name):
    return axis_moves() if name == "axis_moves" else getattr(widgets, name)()


@pytest.fixture(scope="module")
def page():
    if browser.CHROMIUM is None:
        pytest.skip("no Chromium")
    with browser.chromium() as page:
        yield page


def made(folder, name, monkeypatch):
    """The file of a page with an explorer that has a small grid. The cache is in the folder, too."""
    monkeypatch.setitem(replay.GRIDS, name, GRIDS[name])
    if name == "axis_moves":
        monkeypatch.setattr(widgets, name, axis_moves, raising=False)
    monkeypatch.setattr(replay.pooch, "os_cache", lambda _: folder / "cache")
    return replay.page(name, folder)


def opened(page, folder, name, monkeypatch):
    """The explorer of this name, ready in the page."""
    page.goto(made(folder, name, monkeypatch).as_uri())
    page.wait_for_selector("[data-ready]")


def said(page):
    return page.inner_text(".mflearn-replay > p[role=status]")


def on(ground, png):
    """The pixels (m, n, 3) of a transparent picture on a ground of this colour."""
    rgba = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(float)
    share = rgba[..., 3:] / 255
    return rgba[..., :3] * share + np.array(ground) * (1 - share)


def apart(seen, wanted, side=20):
    """The mean difference of 255 of two pictures, and that of the square in which it is largest."""
    difference = np.abs(seen - wanted).mean(2)
    m, n = (size // side for size in difference.shape)
    squares = difference[: m * side, : n * side].reshape(m, side, n, side).mean((1, 3))
    return float(difference.mean()), float(squares.max())


MOVE = """moves => {
  const inputs = document.querySelectorAll(".mflearn-replay :is(input[type=range], select)");
  for (const [number, place] of moves) inputs[number].value = place;
  inputs[0].dispatchEvent(new Event("input", { bubbles: true }));
}"""
SEEN = """() => [document.querySelector(".mflearn-replay > p[role=status]").innerText,
  document.querySelector("canvas").toDataURL(), document.querySelector("[role=img]").getAttribute("aria-label")]"""


def walk(name, moves=12):
    """States at random, one control or all at once: (the moves to one from that before, its words, its picture)."""
    grid, explorer, random = GRIDS[name], make(name), np.random.default_rng(0)
    stage = Stage(explorer.draw, *explorer.stage.figure.get_size_inches())
    names = [control for control in explorer.controls if control in grid.settings]
    settings, moved, shown = explorer.settings, [], None
    for move in range(moves):
        if settings != shown:  # a control that stays where it was draws nothing anew
            result, shown = explorer.compute(**settings), settings
            words, png = explorer.describe(result), stage.png(result)
        yield moved, words, png
        moved = []
        for control in names if move % 3 == 2 else [names[move % len(names)]]:
            place = int(random.integers(len(grid.settings[control])))
            settings = {**settings, control: grid.settings[control][place]}
            moved.append((names.index(control) + bool(grid.examples), place))


def differences(seen, wanted):
    """Of each state, the words and pictures seen and wanted: the mean difference, and that of the worst square."""
    found = []
    for (words, picture, label), (_, said, png) in zip(seen, wanted, strict=True):
        assert words == label == said
        drawn = base64.b64decode(picture.split(",")[1])
        found.append(max(apart(on(ground, drawn), on(ground, png)) for ground in (WHITE, DARK)))
    return zip(*found, strict=True)


def in_chromium(page, states):
    """What a page of Chromium says and shows after the moves to each state."""
    seen = []
    for moved, _, _ in states:
        page.evaluate(MOVE, moved)
        seen.append(page.evaluate(SEEN))
    return seen


@pytest.mark.parametrize("name", GRIDS)
def test_words_and_pixels_are_those_in_jupyterlab(page, tmp_path, monkeypatch, name):
    opened(page, tmp_path, name, monkeypatch)
    states = [*walk(name)]
    means, squares = differences(in_chromium(page, states), states)
    assert max(means) < 3 and max(squares) < SQUARE, f"differences of 255: mean {means}, squares {squares}"


@pytest.mark.skipif(browser.FIREFOX is None, reason="no Firefox")
@pytest.mark.parametrize("name", GRIDS)
def test_firefox_shows_the_same(tmp_path, monkeypatch, name):
    states = [*walk(name)]
    script = f"""async () => {{
      while (!document.querySelector("[data-ready]")) await new Promise(soon => setTimeout(soon, 50));
      return {json.dumps([moved for moved, _, _ in states])}.map(moves => (({MOVE})(moves), ({SEEN})()));
    }}"""
    seen = browser.in_firefox(made(tmp_path, name, monkeypatch), script)
    means, squares = differences(seen, states)
    assert max(means) < 3 and max(squares) < SQUARE, f"differences of 255: mean {means}, squares {squares}"


def test_a_broken_recorder_is_seen(page, tmp_path, monkeypatch):
    def square():
        opened(page, tmp_path, "axis_moves", monkeypatch)
        states = [*walk("axis_moves", moves=2)]
        _, squares = differences(in_chromium(page, states), states)
        return max(squares)

    right = replay.Recorder._points
    wrong = {"_points": lambda self, corners, *height: right(self, corners + 9, *height)}
    assert square() < 30
    for broken in ("_points", "_image", "draw_text"):
        with monkeypatch.context() as patch:
            patch.setattr(replay.Recorder, broken, wrong.get(broken, lambda *_, **__: None))
            patch.setattr(replay, "_fingerprint", lambda _, broken=broken: broken)
            assert square() > 50, broken


def test_the_state_before_follows_an_axis_that_moves(page, tmp_path, monkeypatch):
    opened(page, tmp_path, "axis_moves", monkeypatch)
    explorer = axis_moves()
    stage = Stage(explorer.draw, 5.0, 3.0)
    stage.png((100, 2.0, "up"))
    wanted = on(WHITE, stage.png((200, 2.0, "up")))
    page.evaluate(MOVE, [(2, 1)])
    seen = on(WHITE, base64.b64decode(page.evaluate(SEEN)[1].split(",")[1]))
    alone = on(WHITE, Stage(explorer.draw, 5.0, 3.0).png((200, 2.0, "up")))
    assert apart(seen, wanted)[1] < 25 < 50 < apart(seen, alone)[1], (apart(seen, wanted), apart(seen, alone))


def test_keys_move_the_controls_that_have_names(page, tmp_path, monkeypatch):
    opened(page, tmp_path, "axis_moves", monkeypatch)
    slope, way = page.get_by_role("slider", name="slope a", exact=True), page.get_by_role("combobox", name="way")
    assert said(page) == "to 100, slope 2, up" and slope.get_attribute("aria-valuetext") == "2"
    slope.focus()
    page.keyboard.press("ArrowRight")
    assert said(page) == "to 100, slope 3, up" and slope.get_attribute("aria-valuetext") == "3"
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    page.keyboard.press("d")
    assert said(page) == "to 100, slope 2, down" and way.evaluate("menu => menu === document.activeElement")


@pytest.mark.parametrize("answer", ["steep", "not steep"])
def test_a_prediction_moves_there_and_is_judged_as_in_jupyterlab(page, tmp_path, monkeypatch, answer):
    opened(page, tmp_path, "axis_moves", monkeypatch)
    explorer, button = axis_moves(), page.get_by_role("button", name="Show me")
    assert button.is_disabled()
    page.get_by_role("radio", name=answer, exact=True).check()
    button.click()
    assert page.inner_text("fieldset p[role=status]") == explorer.predict(answer)
    assert said(page) == explorer.snapshot.words == "to 200, slope 3, up"
    assert page.get_by_role("slider", name="to").get_attribute("aria-valuetext") == "200"


def test_a_page_says_which_values_it_lacks(page, tmp_path, monkeypatch):
    opened(page, tmp_path, "axis_moves", monkeypatch)
    note = page.inner_text(".mflearn-replay > p:last-child")
    assert "12 states: slope a has 3 values, to has 2 values. In JupyterLab all values are there." in note
    assert "way" not in note  # of which no value is missing


def test_a_page_asks_no_other_host(page, tmp_path, monkeypatch):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, tmp_path, "explore_noise", monkeypatch)
    assert any(url.startswith("file:") for url in asked)
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_a_walk_plays_by_itself_and_starts_where_the_picture_is_clicked(page, tmp_path, monkeypatch):
    opened(page, tmp_path, "explore_landscape", monkeypatch)
    explorer, play = widgets.explore_landscape(), page.get_by_role("button", name="Play")
    play.click()
    explorer.set(w=1.8, h=-0.6, step=60)
    page.wait_for_function(
        "words => document.querySelector('.mflearn-replay > p[role=status]').innerText === words",
        arg=explorer.snapshot.words,
    )
    play.wait_for()  # it has stopped, and can be pressed again
    canvas, size, axes = page.locator("canvas"), explorer.stage.figure.bbox, explorer.stage.figure.axes[0]
    share = canvas.bounding_box()["width"] / size.width
    x, y = axes.transData.transform((1.5, 0.9))  # nearest in the grid of this test: w = 1.8, h = 1
    canvas.click(position={"x": x * share, "y": (size.height - y) * share})
    explorer.set(w=1.8, h=1.0, step=0)
    assert said(page) == explorer.snapshot.words
    canvas.click(position={"x": 2, "y": size.height * share - 2})  # outside the axes
    assert said(page) == explorer.snapshot.words


def test_an_example_sets_many_controls_at_once(page, tmp_path, monkeypatch):
    opened(page, tmp_path, "explore_outer_products", monkeypatch)
    explorer = widgets.explore_outer_products()
    page.get_by_role("combobox", name="example").select_option(label="two patterns")
    page.get_by_role("slider", name="rank k").press("ArrowRight")
    explorer.set(k=2, **replay.GRIDS["explore_outer_products"].examples["two patterns"])
    assert said(page) == explorer.snapshot.words and "‖A − W H‖² = 0.0000" in said(page)


def test_an_export_that_was_made_before_is_copied(tmp_path, monkeypatch):
    monkeypatch.setitem(replay.GRIDS, "explore_outer_products", GRIDS["explore_outer_products"])
    monkeypatch.setattr(replay.pooch, "os_cache", lambda _: tmp_path / "cache")
    replay.export("explore_outer_products", tmp_path / "first")
    monkeypatch.setattr(replay, "replay", None)  # it must not be called again
    replay.export("explore_outer_products", tmp_path / "second")
    assert (tmp_path / "first/explore_outer_products.js").read_bytes()
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
    monkeypatch.setattr(replay, "_fingerprint", lambda _: "of another source")
    with pytest.raises(TypeError):
        replay.export("explore_outer_products", tmp_path / "third")


@pytest.mark.parametrize("name", replay.GRIDS)
def test_a_grid_has_the_start_and_the_question(name, monkeypatch):
    for module in (rank_and_rate, parts_and_seeds):
        monkeypatch.setattr(module, "prepare", lambda watch: None)  # no work ahead
    explorer, grid = getattr(widgets, name)(), replay.GRIDS[name]
    assert {*grid.settings} <= {*explorer.settings}
    for example in ({}, *grid.examples.values()):
        assert {*example} <= {*explorer.settings}
    asked = {**explorer.settings, **explorer.prediction.question.settings(explorer.settings)}
    examples = [{**explorer.settings, **example} for example in (grid.examples or {"": {}}).values()]
    for wanted in (explorer.settings, asked):
        assert any(all(wanted[one] in grid.settings.get(one, [example[one]]) for one in wanted) for example in examples)


def test_no_artist_but_a_ghost_depends_on_the_state_before():
    for name, grid in GRIDS.items():
        explorer = make(name)
        stage, start = Stage(explorer.draw, *explorer.stage.figure.get_size_inches()), explorer.settings
        ends = [{one: values[end] for one, values in grid.settings.items()} for end in (0, -1)]
        first, last, middle = (explorer.compute(**{**start, **settings}) for settings in (*ends, {}))
        recorder, drawn = replay.Recorder(stage.figure), []
        for before in (first, last):
            stage.png(before)
            drawn.append([recorder.record(artist, number) for number, artist in enumerate(stage.update(middle))])
        moved = {number for number, (one, other) in enumerate(zip(*drawn, strict=True)) if one != other}
        assert moved <= {*grid.ghosts}, name


def test_batched_runs_of_the_toy_matrix_are_those_of_the_explorer(monkeypatch):
    monkeypatch.setattr(replay, "RATES", [0.01, 0.05])
    replay._batch.cache_clear()
    try:
        for steps, k, eta, rule in ((300, 1, 0.05, "Adam"), (300, 3, 0.01, "momentum")):
            mine = replay._toy(k, eta, rule, 1, steps)
            theirs = rank_and_rate.compute(k, eta, rule, 1, steps)
            assert rank_and_rate.describe(mine) == rank_and_rate.describe(theirs)
            assert mine.run.loss.numpy() == pytest.approx(theirs.run.loss.numpy())
    finally:
        replay._batch.cache_clear()
