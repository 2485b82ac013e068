"""The walk on the landscape is the package's own, and its start can be moved by hand."""

import pytest
import torch

from mflearn.descent import factorize
from mflearn.objectives import Frobenius
from mflearn.plots import canvas
from mflearn.widgets import explore_landscape
from mflearn.widgets.landscape import STEPS, compute, describe, draw, gradient


@pytest.fixture(scope="module")
def explorer():
    return explore_landscape()


def factors(w, h):
    return torch.tensor([[w]], dtype=torch.float64), torch.tensor([[h]], dtype=torch.float64)


@pytest.mark.parametrize("fraction", [0.3, 0.9, 1.05])
def test_it_walks_as_factorize_does(fraction):
    walk = compute(fraction, 0.5, 1.5, 30)
    run = factorize([[1.0]], start=factors(0.5, 1.5), eta=fraction / 2, steps=31, keep_path=True)
    path = torch.stack((run.path.W.flatten(), run.path.H.flatten()), 1)
    torch.testing.assert_close(torch.tensor([*walk.path, walk.next], dtype=torch.float64), path)


def test_the_gradient_is_that_of_the_objective():
    slopes = Frobenius([[1.0]]).gradient(*factors(0.5, 1.7))
    assert gradient(0.5, 1.7) == pytest.approx([float(slope) for slope in slopes])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ((0.3, 0.5, 1.5, 0), "The gradient is (−0.75, −0.25), and the next step leads to (0.61, 1.54)."),
        ((0.3, 0.0, 0.0, STEPS), "The gradient is (0.00, 0.00), so the walk stays at this saddle for ever."),
        ((0.3, -1.0, 1.0, STEPS), "so the walk hardly moves: it is close to the saddle."),
        ((0.3, 0.5, 1.5, STEPS), "so the walk hardly moves: it is at a minimum."),
        ((0.3, 1.0, 1.0, 5), "so the walk hardly moves: it is at a minimum."),
        ((2.2, 0.5, 1.5, STEPS), "and the walk leaves for infinity."),
    ],
)
def test_it_says_where_the_walk_stands(settings, words):
    assert describe(compute(*settings)).endswith(words)


def test_a_walk_to_infinity_ends_there():
    walk = compute(2.2, 0.5, 1.5, STEPS)
    assert len(walk.path) < 10 and torch.tensor(walk.path).isfinite().all()


@pytest.mark.parametrize(
    ("settings", "end"),
    [
        ((0.3, 0.5, 1.5), "valleys"),
        ((0.3, -1.0, 1.0), "saddle"),
        ((0.3, -0.9, 1.0), "valleys"),
        ((1.05, 0.5, 1.5), "nowhere"),
    ],
)
def test_an_end_is_a_valley_the_saddle_or_none(explorer, settings, end):
    assert end in explorer.prediction.question.answer(compute(*settings, STEPS))


def test_a_click_moves_the_start_and_takes_the_steps_back(explorer):
    explorer.set(w=0.5, h=1.5, step=7)
    figure = explorer.stage.figure
    x, y = figure.axes[0].transData.transform((-1.02, 0.49))
    explorer.point(x / figure.bbox.width, 1 - y / figure.bbox.height)
    assert (explorer.settings["w"], explorer.settings["h"], explorer.settings["step"]) == (-1.0, 0.5, 0)
    explorer.point(0.99, 0.01)  # beside the landscape
    assert (explorer.settings["w"], explorer.settings["h"]) == (-1.0, 0.5)


def test_the_panel_of_the_loss_says_what_will_come():
    figure = canvas()
    update = draw(figure)
    (hint,) = figure.axes[1].texts
    for step in (0, 1, 0):
        update(compute(0.3, 1.8, -0.6, step))
        assert hint.get_visible() == (step == 0)


def test_a_button_goes_one_step_and_play_follows(explorer):
    controls = next(child for child in explorer.children if hasattr(child, "children"))
    forward, play = controls.children[-1].children  # behind the sliders
    explorer.set(step=STEPS - 1)
    assert play.value == STEPS - 1 and not play.playing
    forward.click()
    forward.click()
    assert explorer.settings["step"] == play.value == STEPS
