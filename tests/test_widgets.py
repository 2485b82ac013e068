"""Explorers without a browser: what they compute and say, and how they bear many moves, errors and threads."""

import base64
import io
import itertools
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from nbval_strict import difference
from notebook_form import NOTEBOOKS
from PIL import Image
from test_notebooks import read, uncomputed

from mflearn import widgets
from mflearn.descent import Factors, Run, factorize
from mflearn.environment import RoundTrip
from mflearn.exact import lowest_loss
from mflearn.matrices import toy_matrix
from mflearn.plots import canvas
from mflearn.widgets import (
    Explorer,
    difference_quotient,
    landscape,
    learning_rate,
    noise,
    outer_products,
    rank,
    rank_and_rate,
)
from mflearn.widgets.explorer import choice, log_slider, slider
from mflearn.widgets.picture import Stage
from mflearn.widgets.prediction import Question

EXPLORERS = [name for name in widgets.__all__ if name.startswith("explore")]


def square(x, pause=0.0):
    time.sleep(pause)
    if x == 7:
        raise ArithmeticError("seven is not allowed")
    return x * x


def draw_number(figure):
    text = figure.subplots().text(0.5, 0.5, "")

    def update(result):
        if result == 64:
            raise RuntimeError("cannot draw 64")
        text.set_text(str(result))
        return [text]

    return update


def make(compute=square, *, question=None, prepare=None, **more):
    controls = {"x": slider("x", 2, 0, 1000), **more}
    also = {"question": question, "prepare": prepare}
    return Explorer(
        compute, draw_number, lambda result: f"the square is {result}", controls, title="squares", size=(3, 3.4), **also
    )


def wait_until(what, seconds=60.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


class Clock:
    """Time that passes when the test says so, for a module that asks `time.monotonic()`."""

    def __init__(self, monkeypatch, module):
        self.now = 1.0
        monkeypatch.setattr(f"mflearn.widgets.{module}.time", SimpleNamespace(monotonic=lambda: self.now))

    def tick(self, seconds):
        self.now += seconds


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def test_it_opens_with_a_picture_and_a_line():
    explorer = make()
    assert explorer.facts == explorer.picture.words == "the square is 4"
    assert pixels(explorer.picture.png).std() > 0


def test_facts_are_printed_in_lines_that_end_between_words():
    explorer = make()
    explorer.snapshot = replace(explorer.snapshot, words="the square is " + " and ".join(["one hundred"] * 20))
    lines = explorer.facts.split("\n")
    assert len(lines) > 2 and max(map(len, lines)) <= 110
    assert " ".join(lines) == explorer.snapshot.words


@pytest.mark.parametrize("step", [0, -1, 0.0])
@pytest.mark.parametrize("kind", [slider, log_slider])
def test_a_slider_has_steps(kind, step):
    with pytest.raises(ValueError, match=f"^step of 'rank' is {step}; it must be a finite number above 0$"):
        kind("rank", 1, 1, 5, step=step)


def test_a_draw_that_gives_no_update_is_named():
    with pytest.raises(TypeError, match=r"^what draw\(figure\) gives is None; it must be a function of a result$"):
        Explorer(square, lambda _: None, str, {"x": slider("x", 1, 0, 9)}, title="squares")


def test_set_moves_waits_and_says_what_is_shown():
    explorer = make()
    before = explorer.picture.png
    explorer.set(x=3)
    assert (explorer.result, explorer.facts, explorer.settings) == (9, "the square is 9", {"x": 3})
    assert explorer.snapshot.settings == {"x": 3}
    assert explorer.picture.png != before


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"y": 1}, TypeError),
        ({"x": 1001}, ValueError),
        ({"x": -1}, ValueError),
        ({"x": 2.5}, TypeError),
        ({"x": float("nan")}, ValueError),
        ({"x": "3"}, TypeError),
        ({"x": True}, TypeError),
        ({"way": "C"}, ValueError),
    ],
)
def test_set_refuses_what_a_slider_would_clip_in_silence(settings, error):
    explorer = make(lambda x, way: square(x), way=choice("way", "A", "B"))
    with pytest.raises(error) as caught:
        explorer.set(**settings)
    assert "\n" not in str(caught.value)
    assert next(iter(settings)) in str(caught.value)
    assert explorer.settings == {"x": 2, "way": "A"}


def test_what_compute_or_draw_raises_reaches_the_cell_that_set_it():
    explorer = make()
    with pytest.raises(ArithmeticError, match="seven"):
        explorer.set(x=7)
    assert explorer.picture.failed and "seven is not allowed" in explorer.picture.words
    with pytest.raises(RuntimeError, match="cannot draw"):
        explorer.set(x=8)
    explorer.set(x=5)
    assert explorer.facts == explorer.picture.words == "the square is 25"
    assert not explorer.picture.failed


def test_an_error_in_a_move_is_shown_in_red_and_the_next_move_works():
    explorer = make()
    for bad, words in ((7, "seven is not allowed"), (8, "cannot draw 64")):
        explorer.controls["x"].value = bad
        wait_until(lambda: explorer.picture.failed)
        assert words in explorer.picture.words and "This did not work" in explorer.picture.words
        explorer.controls["x"].value = 3
        wait_until(lambda: explorer.picture.words == "the square is 9")
        assert not explorer.picture.failed


def test_of_many_moves_only_the_newest_is_computed():
    """However long the first of them takes: here until all have been made."""
    seen, moved = [], threading.Event()
    moved.set()

    def slow(x):
        seen.append(x)
        moved.wait(60)
        return square(x)

    explorer = make(slow)
    seen.clear()
    moved.clear()
    explorer.controls["x"].value = 10
    wait_until(lambda: seen)
    for x in range(11, 210):
        explorer.controls["x"].value = x
    moved.set()
    wait_until(lambda: explorer.facts == f"the square is {209**2}")
    assert seen == [10, 209]


def test_moves_faster_than_a_hand_makes_them_pass_but_each_lone_one_is_shown(monkeypatch):
    """A flood of 0.4 s, one move each 2 ms; a picture takes 20 ms, so there would be time for twenty of them.

    The clock is ours: on a busy machine the moves would come in fits and starts, which are no flood.
    """
    seen, made, explorer, clock = [], [], make(), Clock(monkeypatch, "explorer")

    def noted(x):
        seen.append(x)
        ten_more = len(made) + 10
        wait_until(lambda: len(made) >= min(ten_more, 200))
        return square(x)

    explorer.compute = noted
    for x in range(10, 210):
        clock.tick(0.002)
        explorer.controls["x"].value = x
        made.append(x)
        time.sleep(0.002)  # the worker may have its turn
    wait_until(lambda: clock.tick(0.002) or explorer.facts == f"the square is {209**2}")
    assert len(seen) <= 5
    seen.clear()
    for x in range(10, 15):
        explorer.controls["x"].value = x
        wait_until(lambda: clock.tick(0.002) or explorer.facts == f"the square is {explorer.controls['x'].value ** 2}")
    assert seen == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(("moves", "rest"), [(1, 0), (2, 5), (10, 45), (51, 250), (100, 250)])
def test_the_more_moves_pass_the_longer_the_explorer_waits_for_the_last(moves, rest):
    explorer = make()
    explorer._moves, explorer._moved, explorer._taken = moves, 100.0, 100.0
    assert explorer._flood_ends() == pytest.approx(100 + rest / 1000)
    explorer._taken = 99.0  # the first after a rest, however many came with it
    assert explorer._flood_ends() < 100


def test_a_long_computation_gives_up_when_a_newer_move_waits():
    begun, given_up = threading.Event(), []

    def training(x, watch):
        if x == 500:
            while watch(0.5):  # it would never end
                begun.set()
                time.sleep(0.005)
            given_up.append(x)
        return x

    explorer = make(training)
    explorer.controls["x"].value = 500
    wait_until(begun.is_set)
    explorer.controls["x"].value = 3
    wait_until(lambda: explorer.facts == "the square is 3")
    assert given_up == [500]


def test_set_has_the_last_word_and_the_slider_works_after_it():
    explorer = make()
    with explorer._turn:  # a move that waits for its turn
        explorer.controls["x"].value = 10
        explorer.set(x=3)
    time.sleep(0.1)
    assert explorer.facts == "the square is 9"
    explorer.controls["x"].value = 4
    wait_until(lambda: explorer.facts == "the square is 16")


def test_a_move_and_set_are_not_computed_at_once():
    inside, most, on = [], [], threading.Event()

    def slow(x):
        inside.append(x)
        most.append(len(inside))
        if x == 500:
            on.wait(60)
        inside.remove(x)
        return x

    explorer = make(slow)
    explorer.controls["x"].value = 500
    wait_until(lambda: inside)
    threading.Timer(0.2, on.set).start()  # set has been called by then, and waits
    explorer.set(x=3)
    assert most == [1, 1, 1]  # when it opens, the move, set


def test_a_snapshot_never_mixes_two_settings(monkeypatch):
    monkeypatch.setattr("mflearn.widgets.explorer.CALM", 0.0)  # as many pictures as there can be
    shots = []

    class Watched(Explorer):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == "snapshot" and value is not None:
                shots.append(value)

    explorer = Watched(
        lambda x: (x, x * x), lambda f: lambda r: [], str, {"x": slider("x", 2, 0, 1000)}, title="pairs", size=(2, 3.4)
    )

    def drag():
        for x in itertools.cycle(range(1000)):
            explorer.controls["x"].value = x
            if len(shots) > 100:
                return

    dragging = threading.Thread(target=drag, daemon=True)
    dragging.start()
    dragging.join(300)
    assert len(shots) > 100
    for shot in shots:
        assert shot.result == (shot.settings["x"], shot.settings["x"] ** 2)
        assert shot.words == str(shot.result)


def test_two_threads_do_not_mangle_a_picture():
    """A picture also shows the one before, in grey: so the same pictures, drawn alone in the same order, decide."""
    results = [difference_quotient.compute(e, difference_quotient.QUOTIENTS[0], "2 E Hᵀ") for e in (-9.0, -3.0, -6.0)]
    stages, drawn, seen = [Stage(difference_quotient.draw, 9, 3.4) for _ in range(2)], ([], []), ([], [])
    for stage, order in zip(stages, drawn, strict=True):

        def noted(result, update=stage.update, order=order):
            order.append(result)
            return update(result)

        stage.update = noted

    def ask(which, i):
        for _ in range(20):
            seen[which].append(stages[which].png(results[i]))

    threads = [threading.Thread(target=ask, args=pair) for pair in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for order, pictures in zip(drawn, seen, strict=True):
        alone = Stage(difference_quotient.draw, 9, 3.4)
        assert sorted(pictures) == sorted(alone.png(result) for result in order)


def test_a_slider_and_its_number_box_stay_in_step():
    explorer = make(lambda x, eta: x, eta=log_slider("η", 0.01, -3, 0))
    for name in ("x", "eta"):
        box, bar = next(
            row.children for row in explorer.children[0].children if row.children[0] is explorer.controls[name]
        )
        assert box.description  # the label that a screen reader finds
        assert not bar.readout
    bar.value = 75  # the learner drags η to 10^-1.5
    assert explorer.controls["eta"].value == 0.03162
    explorer.controls["eta"].value = 0.05  # types a number off the grid
    assert bar.value == 85  # 10^-1.30
    assert explorer.controls["eta"].value == 0.05


def pictures():
    """The drawing of each explorer, with results to show one after the other."""
    adam = [(1, 0.01, 200), (3, 0.9, 200), (2, 0.9, 300), (1, 0.9, 300)]
    yield rank.draw, [rank.compute(k, scale, 0.9, step) for k, scale in ((5, 0.01), (40, 1.0)) for step in (100, 0)]
    yield rank_and_rate.draw, [rank_and_rate.compute(k, eta, "Adam", 1, steps) for k, eta, steps in adam]
    yield (
        noise.draw,
        [noise.compute(k, level, 3, errors) for k, level in ((1, 1.0), (3, 0.5)) for errors in noise.ERRORS],
    )
    yield learning_rate.draw, [learning_rate.compute(q, k) for q in (0.3, 2.2) for k in (1, 2)]
    yield landscape.draw, [landscape.compute(q, 0.5, 1.0, step) for q in (0.3, 2.2) for step in (0, 9)]
    formulas = itertools.product(
        (-3.0, -9.0), difference_quotient.QUOTIENTS[:1], list(difference_quotient.FORMULAS)[:2]
    )
    yield difference_quotient.draw, [difference_quotient.compute(*which) for which in formulas]
    factors = [{f"{X}{i}{j}": size * i + j for X in "WH" for i in (1, 2, 3, 4) for j in (1, 2)} for size in (0.1, 0.3)]
    yield outer_products.draw, [outer_products.compute(k, **entries) for k in (2, 1) for entries in factors]
    game, trials = widgets.explore_stability_game(), []
    for matrix, eta in (("1", 0.4955), ("2", 0.1972), ("3", 0.06761), ("4", 0.02)):
        game.set(matrix=matrix, eta=eta)
        trials.append(game.result)
        game.register()
    yield learning_rate.draw_game, [*trials, game.result]


def test_drawing_only_what_moves_gives_the_picture_of_drawing_all():
    for draw, results in pictures():
        stage, whole = Stage(draw, 9, 4), canvas(9, 4)
        update = draw(whole)
        for result in (*results[:2], results[-1]):
            for layer, artist in enumerate(update(result), 10):  # what moves lies on top
                artist.set(in_layout=False, zorder=layer)
            all_drawn = io.BytesIO()
            whole.savefig(all_drawn)
            pair = (base64.b64encode(png) for png in (stage.png(result), all_drawn.getvalue()))
            assert difference(*pair) is None


@pytest.mark.parametrize("name", EXPLORERS)
def test_every_corner_of_every_explorer_has_a_picture_and_a_line(name):
    explorer = getattr(widgets, name)()
    ends = {}
    for key, control in explorer.controls.items():
        if hasattr(control, "options"):
            ends[key] = control.options
        elif (name != "explore_outer_products" or key == "k") and not key.startswith("rate") and key != "seed":
            ends[key] = (control.min, control.max)
    size = pixels(explorer.picture.png).shape
    for corner in itertools.product(*ends.values()):
        explorer.set(**dict(zip(ends, corner, strict=True)))
        assert len(explorer.snapshot.words) > 20 and any(c.isdigit() for c in explorer.snapshot.words)
        assert "nan" not in re.sub("‘[^’]*’", "", explorer.facts)  # it may be a word of a text
        assert pixels(explorer.picture.png).shape == size  # no jump of the page
    assert len(repr(explorer)) <= 110


@pytest.mark.parametrize("rule", rank_and_rate.RULES)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_rank_and_rate_is_factorize_and_never_below_the_floor(rule, k):
    for eta in (0.001, 0.03, 1.0):
        run = rank_and_rate.compute(k, eta, rule, 3, 300).run
        alone = factorize(toy_matrix(), k, eta=eta, steps=300, seed=3, rule=rank_and_rate.RULES[rule])
        assert run.loss.tolist() == alone.loss.tolist()
        assert bool(run.diverged) or float(run.loss.min()) >= float(lowest_loss(toy_matrix(), k)) - 1e-12
        assert run.W.shape == (4, k) and run.H.shape == (k, 2)


@pytest.fixture(scope="module")
def atlas():
    rank_and_rate.prepare()
    return rank_and_rate.ATLAS


@pytest.fixture
def descents(monkeypatch):
    """The settings of each descent that `compute` does not find in the atlas."""
    made = []
    monkeypatch.setattr(
        rank_and_rate, "factorize", lambda *given, **named: (made.append((given, named)), factorize(*given, **named))[1]
    )
    return made


def test_the_atlas_holds_what_factorize_finds(atlas, descents):
    for k, eta, rule, seed in itertools.product((1, 2, 3), (0.001, 0.02818, 0.1, 1.0), rank_and_rate.RULES, (0, 4)):
        found = rank_and_rate.compute(k, eta, rule, seed, 1000)
        run = found.run
        alone = factorize(toy_matrix(), k, eta=eta, steps=1000, seed=seed, rule=rank_and_rate.RULES[rule])
        assert (bool(run.diverged), int(run.last), run.W.shape) == (
            bool(alone.diverged), int(alone.last), alone.W.shape)  # fmt: skip
        wild = (rule, eta) in {("gradient descent", 0.1), ("Adam", 1.0)}  # there rounding grows with each step
        calm = 20 if wild else None
        assert torch.allclose(run.loss[:calm], alone.loss[:calm], rtol=1e-7, atol=1e-18)
        last = float(found.ends[k - 1, rank_and_rate.ETAS.index(eta)])
        assert last > 1e6 if run.diverged else last == float(run.loss[-1])  # the picture ends at 1e6
    assert not descents


def test_every_step_of_the_sliders_is_in_the_atlas_and_nothing_else(atlas, descents):
    explorer = widgets.explore_rank_and_rate()
    bar = next(row.children[1] for row in explorer.children[1].children if row.children[0] is explorer.controls["eta"])
    here = {"k": 2, "eta": 0.01, "rule": "Adam", "seed": 0, "steps": 1000}
    for name, values in (("eta", map(bar.at, range(bar.max + 1))), ("k", (1, 2, 3)), ("rule", rank_and_rate.RULES)):
        for value in values:
            assert rank_and_rate.compute(**{**here, name: value}).ends.isfinite().any()
    assert not descents
    for number, off in enumerate(({"eta": 0.05}, {"seed": 5}, {"steps": 900}), 1):
        rank_and_rate.compute(**{**here, **off})
        assert len(descents) == number
    assert rank_and_rate.compute(**{**here, "seed": 5}).ends.isnan().all()


@pytest.fixture
def small(monkeypatch):
    """An atlas of its own that is trained in a moment, still empty."""
    for name, value in (("ATLAS", {}), ("STEPS", 300), ("ETAS", [0.01, 0.05]), ("SEEDS", 1)):
        monkeypatch.setattr(rank_and_rate, name, value)
    return rank_and_rate.ATLAS


def test_an_atlas_that_is_stopped_keeps_whole_rules_and_goes_on_later(small):
    shares = []

    def watch(share):
        shares.append(share)
        return share < 0.5

    rank_and_rate.prepare(watch)
    assert list(small) == ["gradient descent"]
    assert shares == sorted(shares) and 0.5 <= shares[-1] < 2 / 3
    rank_and_rate.prepare()
    assert list(small) == list(rank_and_rate.RULES)


def test_an_atlas_leaves_torch_its_threads(small):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        rank_and_rate.prepare()
        assert small and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_no_move_waits_for_the_work_ahead_and_the_picture_is_drawn_again_after_it():
    ahead, go = [], threading.Event()

    def prepare(_watch):
        go.wait(300)
        ahead.append("known")

    explorer = make(lambda x: (x**2, *ahead), prepare=prepare)
    explorer.controls["x"].value = 3
    wait_until(lambda: explorer.facts == "the square is (9,)")
    explorer.set(x=4)
    assert explorer.facts == "the square is (16,)"
    go.set()
    wait_until(lambda: explorer.facts == "the square is (16, 'known')")


def test_a_program_that_ends_while_an_explorer_works_ahead_ends_well():
    program = "from mflearn.widgets import explore_rank_and_rate\nexplorer = explore_rank_and_rate()"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stderr) == (0, "")


def test_what_goes_wrong_ahead_is_shown():
    def prepare(_watch):
        raise ArithmeticError("no atlas")

    explorer = make(prepare=prepare)
    wait_until(lambda: explorer.picture.failed)
    assert "no atlas" in explorer.picture.words
    explorer.set(x=3)
    assert explorer.facts == explorer.picture.words == "the square is 9"


begun = []  # the steps of `patient`


def patient(x, watch):
    """Takes 10 seconds for x = 500, unless it is told to end; gives the share of the work that was done."""
    for step in range(1000):
        begun.append(step)
        if not watch(step / 1000):
            return step / 1000
        time.sleep(0.01 if x == 500 else 0)
    return 1.0


def test_long_work_shows_a_bar_and_stops_within_half_a_second_of_work():
    explorer = make(patient)
    assert explorer.progress.layout.visibility == "hidden"
    explorer.controls["x"].value = 500
    wait_until(lambda: explorer.progress.layout.visibility == "visible")
    wait_until(lambda: explorer.progress.bar.value > 0.04)
    explorer.progress.button.click()
    clicked = begun[-1]
    wait_until(lambda: explorer.facts.startswith("Stopped at "))
    share = explorer.result
    assert clicked <= 1000 * share <= clicked + 50  # of 10 ms each
    assert explorer.facts == f"Stopped at {share:.0%}; shown is what there is by then. " + (f"the square is {share}")
    assert explorer.progress.layout.visibility == "hidden"
    explorer.set(x=3)
    assert explorer.facts == "the square is 1.0"


@pytest.mark.parametrize(("milliseconds", "shown"), [(1, False), (300, False), (480, False), (540, True), (700, True)])
def test_work_of_less_than_half_a_second_shows_no_bar(milliseconds, shown, monkeypatch):
    """By a clock of ours: on a busy machine short work may take long."""
    explorer, seen, clock = make(patient), [], Clock(monkeypatch, "progress")
    explorer.progress.layout.observe(lambda change: seen.append(change["new"]), names="visibility")

    def work(x, watch):
        for _ in range(20):
            clock.tick(milliseconds / 20_000)
            watch(0.5)
        return x

    explorer.compute = work
    explorer.set(x=1)
    assert ("visible" in seen) is shown


def test_an_interrupt_leaves_an_explorer_that_works():
    explorer = make()
    for place in ("compute", "describe"):
        kept = getattr(explorer, place)

        def interrupted(*_, **__):
            raise KeyboardInterrupt

        setattr(explorer, place, interrupted)
        with pytest.raises(KeyboardInterrupt):
            explorer.set(x=9)
        assert explorer.picture.words == "Interrupted. The picture is the one before; the next move starts afresh."
        assert explorer.picture.failed and explorer.facts != "the square is 81"
        setattr(explorer, place, kept)
        explorer.controls["x"].value = 5
        wait_until(lambda: explorer.picture.words == "the square is 25")
        explorer.set(x=6)
        assert explorer.facts == "the square is 36"


QUESTION = Question(
    "Is the square of 5 odd?",
    {"odd": lambda result: result % 2 == 1, "even": lambda result: result % 2 == 0},
    lambda _: {"x": 5},
    "Because.",
)


@pytest.mark.parametrize("chosen", [-1, 2])
def test_a_choice_that_is_none_is_ignored(chosen):
    explorer = make(question=QUESTION)
    explorer.prediction.chosen = chosen
    explorer.prediction.asked += 1
    assert explorer._wanted is None and explorer.settings == {"x": 2} and explorer.prediction.verdict == ""


def test_a_prediction_is_compared_with_what_is_then_shown():
    explorer = make(question=QUESTION)
    for said, verdict in (("odd", "You were right: odd. "), ("even", "You predicted: even. What happens: odd. ")):
        explorer.set(x=2)
        explorer.prediction.chosen, explorer.prediction.verdict = [*QUESTION.options].index(said), ""
        explorer.prediction.asked += 1  # the button
        wait_until(lambda: explorer.prediction.verdict)
        assert explorer.prediction.verdict == verdict + "Because."
        assert explorer.facts == "the square is 25" and explorer.settings == {"x": 5}
        assert explorer.predict(said) == verdict + "Because."
    with pytest.raises(ValueError, match="answer is 'perhaps'; it must be one of 'odd', 'even'"):
        explorer.predict("perhaps")
    with pytest.raises(TypeError, match="no question"):
        make().predict("odd")


def test_long_values_are_refused_in_one_short_line():
    long, explorer = "x" * 500, make(question=QUESTION)
    for call in (
        partial(explorer.set, **{long: 1}), partial(explorer.set, x=long), partial(explorer.predict, long),
        partial(explorer.predict, np.array(["odd", "even"])),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert len(str(caught.value)) <= 160 and "; it " in str(caught.value)


def test_what_is_shown_instead_of_the_settings_asked_for_is_not_judged():
    slow = threading.Event()

    def compute(x, watch):
        while x == 5 and watch(0.5):
            slow.set()
            time.sleep(0.01)
        return x * x

    explorer = make(compute, question=QUESTION)
    explorer.prediction.chosen = 0
    explorer.prediction.asked += 1
    wait_until(slow.is_set)
    explorer.controls["x"].value = 4  # the learner goes on before the answer is there
    wait_until(lambda: explorer.facts == "the square is 16")
    assert explorer.prediction.verdict == ""


ASKED = [name for name in EXPLORERS if name != "explore_stability_game"]


@pytest.fixture(scope="module", params=ASKED)
def asked(request):
    """The name of an explorer, and the explorer."""
    explorer = getattr(widgets, request.param)()
    assert explorer.prediction, f"{request.param} asks nothing; give its Explorer a question=Question(…)"
    return request.param, explorer


def test_a_question_without_a_right_answer_says_so():
    question = widgets.explore_outer_products().prediction.question
    nothing_right = replace(question, options={"it falls": lambda result: False})
    with pytest.raises(ValueError, match="no option is right for what is shown; the question is 'At k = 1,"):
        nothing_right.answer(None)


def test_every_question_has_one_right_answer_among_its_options(asked):
    _, explorer = asked
    options = explorer.prediction.question.options
    right = [option for option in options if explorer.predict(option).startswith("You were right")]
    assert len(options) >= 3, f"a question has 3 answers or more, not {len(options)}"
    assert len(right) == 1, f"one answer must be right, not {right}"
    assert sum(bool(holds(explorer.result)) for holds in options.values()) == 1


def test_every_number_of_a_question_is_computed_in_the_lesson_that_asks_it(asked):
    name, explorer = asked
    question = explorer.prediction.question
    books = [read(path) for path in NOTEBOOKS.glob("*.ipynb")]
    lessons = [book for book in books if any(f"{name}(" in cell.source for cell in book.code)]
    assert lessons, "no notebook shows it"
    for lesson in lessons:
        missing = uncomputed([question.text, *question.options, question.why], lesson)
        assert not missing, f"show it in an output of the lesson, or say it without the number: {missing}"


def test_the_answers_to_the_questions_follow_the_result():
    """Each answer is read off the result: others at other settings."""
    compare, shape = difference_quotient.compute, widgets.explore_difference_quotient().prediction.question.answer
    forward, _ = difference_quotient.QUOTIENTS
    assert shape(compare(-2.0, forward, "2 E Hᵀ")) == "a V, as for the right formula"
    assert shape(right := compare(-2.0, forward, "E Hᵀ (no 2)")) == "flat, at one height"
    assert shape(replace(right, errors=torch.linspace(0.5, 1, len(right.errors)))) == "it falls as δ gets smaller"
    explorer = widgets.explore_outer_products()
    settings, question = explorer.settings | {"k": 1}, explorer.prediction.question
    moved = outer_products.compute(**(settings | question.settings(settings)))
    assert moved.loss == pytest.approx(outer_products.compute(**settings).loss, abs=1e-12)
    assert moved.H[0, 0] == 2 * settings["H11"]
    train, where = rank_and_rate.compute, widgets.explore_rank_and_rate().prediction.question.answer
    ends = [where(train(k, 0.05, "gradient descent", 0, 1000)) for k in (2, 1)]
    assert ends == ["near 0", "at 0.167 again"]
    W = torch.tensor([[5.0], [3.0], [2.0], [1.0]], dtype=torch.float64)
    for scale, word in ((1.0, "it stays"), (2.0, "it stays")):
        pair = outer_products.Sum(W / scale, torch.tensor([[1.0, 0.6]], dtype=torch.float64) * scale, 0.24)
        assert question.answer(pair) == word
    for loss, word in ((0.23, "it falls"), (0.25, "it rises")):
        pair = outer_products.Sum(W, torch.tensor([[1.0, 0.6]], dtype=torch.float64), loss)
        assert question.answer(pair) == word


def test_how_a_run_ended_is_said():
    explorer = widgets.explore_rank_and_rate()
    explorer.set(eta=1.0)
    assert "diverged at step" in explorer.snapshot.words
    explorer.set(eta=0.02, k=1)
    assert "the loss is 0.16718, the lowest of this rank" in explorer.snapshot.words
    explorer.set(k=2, eta=0.05)
    assert "the loss is below 1e-12, the lowest of this rank" in explorer.snapshot.words
    explorer.set(eta=0.01)
    assert explorer.snapshot.words.endswith("the loss is below 1e-05; the lowest is below 1e-12.")
    explorer.set(k=1, steps=100, eta=0.001)
    assert (
        explorer.snapshot.words.endswith("; the lowest is 0.16718.")
        and "the loss is 0.16718" not in explorer.snapshot.words
    )


@pytest.mark.parametrize(
    ("losses", "diverged", "word"),
    [
        ([9.0] + [2.0**-i for i in range(60)], False, "settled"),
        ([9.0] + [3.0 + 0.5**i for i in range(60)], False, "settled"),
        ([9.0] + [4.0 - 0.01 * i for i in range(30)], False, "still falling"),
        ([9.0] + [3.0, 7.0] * 15, False, "bouncing"),
        ([9.0, 30.0, 1e7], True, "diverged at step 2"),
    ],
)
def test_a_regime_has_its_name(losses, diverged, word):
    floor = 3.0 if word == "settled" and losses[1] > 3 else 0.0
    Z = Factors(torch.zeros(2, 1), 1)
    run = Run(torch.tensor(losses), Z, torch.tensor(1), torch.tensor(diverged), torch.tensor(1))
    assert learning_rate.regime(run, floor).startswith(word)


@pytest.mark.parametrize(("fraction", "settles"), [(0.9, True), (1.1, False)])
def test_what_settles_is_below_the_limit(fraction, settles):
    words = learning_rate.describe(learning_rate.compute(fraction, 1))
    assert words.endswith(": settled.") is settles


def test_only_the_right_formula_has_a_v():
    errors = {
        formula: difference_quotient.compute(-7.0, difference_quotient.QUOTIENTS[0], formula).errors
        for formula in difference_quotient.FORMULAS
    }
    right = errors.pop("2 E Hᵀ")
    assert right.min() < 1e-6 < 1e-3 < min(right[0], right[-1])
    for error in errors.values():
        assert error.min() > 0.1


def test_the_ratio_of_formula_and_quotient_is_said():
    for formula, words in (
        ("2 E Hᵀ", "1.000 in every"),
        ("E Hᵀ (no 2)", "0.500 in every"),
        ("2 E H (no transpose)", "from"),
    ):
        result = difference_quotient.compute(-3.0, difference_quotient.QUOTIENTS[1], formula)
        assert f"Formula / quotient: {words}" in difference_quotient.describe(result)


def test_the_central_quotient_has_no_right_branch():
    errors = difference_quotient.compute(-2.0, difference_quotient.QUOTIENTS[1], "2 E Hᵀ").errors
    assert errors[-1] < 1e-12 < errors[0]


def test_outer_products_add_up_to_the_product():
    entries = {f"W{i}{j}": i + 0.1 * j for i in range(1, 5) for j in (1, 2)} | {
        f"H{i}{j}": i - j for i in (1, 2) for j in (1, 2)
    }
    result = outer_products.compute(2, **entries)
    by_hand = sum((toy_matrix()[i, j] - sum(entries[f"W{i + 1}{k}"] * entries[f"H{k}{j + 1}"] for k in (1, 2))) ** 2
                  for i in range(4) for j in range(2))  # fmt: skip
    assert result.loss == pytest.approx(float(by_hand))
    assert outer_products.compute(1, **entries).W.shape == (4, 1)

    figure = canvas(10, 3)
    outer_products.draw(figure)(result)
    first, second, product, target, residual = (ax.images[0].get_array() for ax in figure.axes[:9:2])
    assert first.tolist() == torch.outer(result.W[:, 0], result.H[0]).tolist()
    assert np.allclose(first + second, product) and np.allclose(product - target, residual)
    assert target.tolist() == toy_matrix().tolist()


def test_at_rank_1_there_is_no_second_product():
    figure = canvas(10, 3)
    update = outer_products.draw(figure)
    W, H = outer_products.START
    for k in (1, 2, 1):
        update(outer_products.Sum(W[:, :k], H[:k], 0.24))
        figure.canvas.draw()
        (plus,) = (text for ax in figure.axes for text in ax.texts if text.get_text() == "+")
        (title,) = (ax.title for ax in figure.axes if ax.get_title() == "w₂ h₂")
        assert plus.get_alpha() == title.get_alpha() == (k == 2)
        assert title.get_window_extent().y1 == figure.axes[0].title.get_window_extent().y1


def test_a_loss_beyond_the_scale_is_an_arrow_at_its_end():
    figure = canvas(10, 3)
    update = outer_products.draw(figure)
    for loss, marker, at in ((100.1, ">", 10), (99.9, "o", 99.9**0.5)):
        now = update(outer_products.Sum(toy_matrix(), torch.eye(2, dtype=torch.float64), loss))[-1]
        assert (now.get_marker(), now.get_xdata()[0]) == (marker, at)


def test_at_rank_1_the_boxes_of_the_second_product_are_disabled():
    explorer = widgets.explore_outer_products()
    second = {"W12", "W22", "W32", "W42", "H21", "H22"}
    for k in (1, 2, 1):
        explorer.set(k=k)
        disabled = {name for name, control in explorer.controls.items() if control.disabled}
        assert disabled == (second if k == 1 else set())


def test_the_game_judges_and_keeps_only_what_is_near_the_limit(monkeypatch):
    monkeypatch.setattr(learning_rate.Game, "points", {})
    game = widgets.explore_stability_game()
    for name, matrix in learning_rate.MATRICES.items():
        limit = float(learning_rate.stable_eta(matrix))
        for eta, judged in ((1.1, "Too high: it does not settle."), (0.94, "Too low: a larger η settles as well")):
            game.set(matrix=name, eta=min(1.0, eta * limit))
            game.register()
            assert judged in game.snapshot.words and name not in game.points
        game.set(eta=0.983 * limit)
        game.children[0].children[-1].click()  # the button, behind the controls
        assert "Well done: within 2 % of the limit." in game.snapshot.words
        assert 0.98 * limit <= game.points[name] < limit
        game.redraw()
        assert "Well done" not in game.snapshot.words
    game.set(matrix="1", eta=0.001)
    game.register()
    assert "still falling" in game.snapshot.words and "Too low" in game.snapshot.words
    assert len(game.result.points) == 5
    assert len(widgets.explore_stability_game().result.points) == 5, "its cell may be run again"
    figure = canvas()
    learning_rate.draw_game(figure)(game.result)
    points, _, law = (line.get_data() for line in figure.axes[1].lines)
    assert np.multiply(*points) == pytest.approx(0.983 / 2, rel=0.01)
    assert np.multiply(*law) == pytest.approx(1 / 2)


def test_the_round_trip_passes_on_the_right_answer_alone():
    probe = RoundTrip()
    for answer in (1, 2 * probe.question + 1):
        assert "PASS" not in probe.words
        probe.answer = answer
    assert "PASS" not in probe.words
    probe.answer = 2 * probe.question
    assert probe.words.startswith("PASS")


def test_nothing_is_left_open():
    import matplotlib.pyplot as plt

    explorer = widgets.explore_rank_and_rate()
    for eta in np.linspace(0.01, 0.9, 30):
        explorer.set(eta=float(eta))
    assert plt.get_fignums() == []


@pytest.mark.parametrize(("H11", "H12"), [(1.0, 0.6), (60.0, 1.0), (-99.0, 99.0)])
def test_the_doubled_pattern_stays_within_what_its_boxes_take(H11, H12):
    """Else the loss changes, while the verdict says that it stays."""
    explorer = widgets.explore_outer_products()
    explorer.set(k=1, H11=H11, H12=H12)
    explorer.predict("it stays")
    moved = explorer.settings
    H11, H12 = (1.0 if abs(entry) > 49.5 else entry for entry in (H11, H12))
    assert (moved["H11"], moved["H12"]) == (2 * H11, 2 * H12)
    assert explorer.prediction.verdict.startswith("You were right: it stays")
