"""The explorer of machines: its bytes are those of real tensors, and its words say what its numbers say."""

import itertools
from dataclasses import replace

import ipywidgets
import numpy as np
import pytest
import torch

from mflearn import datasets, widgets
from mflearn.plots import canvas
from mflearn.sides import two_sides
from mflearn.widgets import machines
from mflearn.widgets.machines import MEMORY, compute, describe, on

WIRE = "10 Gbit/s"


def test_the_bytes_are_those_of_the_tensors_of_a_run():
    ratings = datasets.load().ratings
    sides = two_sides(ratings, 5, ratings.mean, np.random.default_rng(0), torch.float32, "cpu")
    memory = compute(*ratings.shape, len(ratings), 7, 1, WIRE).memory  # k + 2 with the biases
    assert memory["ratings"] == sum(side.column.nbytes + side.value.nbytes for side in sides)
    assert memory["W and H"] == sum(side.X.nbytes for side in sides)
    assert memory["products"] == sum(side.outer.nbytes for side in sides)


def test_more_machines_share_the_ratings_and_the_computing_but_nothing_else():
    one, two, four = (compute(1e6, 1e5, 1e8, 16, p, WIRE) for p in (1, 2, 4))
    assert four.memory["ratings"] == one.memory["ratings"] / 4
    assert four.seconds["computing"] == one.seconds["computing"] / 4
    for name in ("W and H", "products"):
        assert one.memory[name] == four.memory[name]
    for name in ("network", "starting"):
        assert one.seconds[name] == 0 < two.seconds[name] == four.seconds[name]
    assert two.total > one.total / 2, "twice the machines, but not half the time"


def test_a_network_ten_times_as_fast_takes_a_tenth_of_the_time():
    slow, fast = (compute(1e6, 1e5, 1e8, 16, 2, network) for network in ("1 Gbit/s", "10 Gbit/s"))
    assert slow.seconds["network"] == pytest.approx(10 * fast.seconds["network"])
    assert fast.seconds["network"] == pytest.approx(2 * 4 * 16 * 1.1e6 * 8 / 10e9)  # sent and collected, in bits


def test_there_are_no_more_ratings_than_pairs():
    assert compute(1e3, 1e2, 1e11, 8, 1, WIRE).ratings == 1e5


@pytest.mark.parametrize(
    ("settings", "bottleneck", "words"),
    [
        ((1e3, 1e2, 1e5, 8, 1), "computing", "one machine will do."),
        ((1e3, 1e2, 1e5, 8, 8), "starting", "one machine will do."),
        ((3e7, 1e5, 1e9, 16, 64), "network", "one machine will do."),
        ((1e7, 1e6, 1e11, 8, 1), "memory", "More machines would help. Bottleneck: memory."),
        ((1e9, 1e6, 1e11, 64, 256), "memory", "No number of machines helps"),
        ((1e6, 1e4, 1e9, 128, 1), "computing", "it will do for those who can wait."),
        ((1e7, 1e6, 1e11, 8, 64), "computing", "its memory is too small."),
    ],
)
def test_the_words_name_the_bottleneck_and_say_whether_one_machine_will_do(settings, bottleneck, words):
    *problem, p = settings
    result = compute(*problem, p, WIRE)
    assert result.bottleneck == bottleneck
    assert words in describe(result) and f"Bottleneck: {bottleneck}." in describe(result)
    alone = on(result, 1)
    assert ("will do" in describe(result)) == alone.fits


def test_what_is_said_is_what_is_computed():
    result = compute(1e7, 1e5, 1e9, 16, 16, WIRE)
    assert f"{result.bytes / 1e9:.3g} GB on each, {result.total:.2g} s a sweep" in describe(result)
    assert machines.amount(2.5e9) == "2.5 billion" and machines.amount(999) == "999"
    assert machines.size(MEMORY) == "128 GB" and machines.size(1500) == "1.5 kB"
    said = [machines.duration(seconds) for seconds in (0.25, 119, 120, 7200, 172800)]
    assert said == ["0.25 s", "119 s", "2 min", "2 h", "2 days"]


@pytest.mark.parametrize(
    ("ratings", "machines", "answer"),
    [
        (1e11, 1, "the ratings do not fit"),
        (1e9, 1, "less than two minutes"),
    ],
)
def test_the_answer_to_the_question_is_read_off_the_result(ratings, machines, answer):
    question = widgets.explore_machines().prediction.question
    assert question.answer(compute(1e7, 1e5, ratings, 16, machines, WIRE)) == answer


def test_the_slow_answers_are_read_off_the_seconds():
    question = widgets.explore_machines().prediction.question
    result = compute(1e7, 1e5, 1e9, 16, 1, WIRE)
    for seconds, answer in ((130.0, "minutes"), (4000.0, "hours")):
        assert answer == question.answer(replace(result, seconds={"computing": seconds}))


def test_the_lines_are_the_seconds_of_each_number_of_machines_and_those_before_are_a_ghost():
    figure = canvas(11, 3.3)
    update = machines.draw(figure)
    first, second = compute(1e7, 1e5, 1e9, 16, 16, WIRE), compute(1e6, 1e5, 1e8, 64, 4, "1 Gbit/s")
    update(first)
    update(second)
    left, right = figure.axes
    lines = {line.get_label(): line for line in right.lines}
    for name, of in (("computing", lambda cost: cost.seconds["computing"]), ("together", lambda cost: cost.total)):
        p, seconds = lines[name].get_data()
        assert seconds == pytest.approx([of(on(second, int(each))) for each in p])
    ghost = next(line for line in right.lines if line.get_color() == machines.GHOST)
    assert list(ghost.get_ydata()) == [on(first, int(each)).total for each in p]
    (here,) = (line for line in right.lines if line.get_marker() == "o")
    assert (here.get_xdata()[0], here.get_ydata()[0]) == (second.machines, pytest.approx(second.total))
    wanted = [*second.memory.values(), second.bytes]
    (dots,) = (line for line in left.lines if line.get_marker() == "o")
    assert list(dots.get_xdata()) == pytest.approx(wanted)
    assert [text.get_text() for text in left.texts[1:]] == [machines.size(held) for held in wanted]


CORNERS = [*itertools.product((1e3, 1e9), (1e2, 1e8), (1e5, 1e11), (1, 128), (1, 256))]


@pytest.mark.parametrize("corner", CORNERS)
def test_no_dot_and_no_number_leaves_the_picture_or_lies_on_the_limit(corner):
    figure = canvas(11, 3.3)
    machines.draw(figure)(compute(*corner, "1 Gbit/s"))
    figure.draw_without_rendering()
    left, right = figure.axes
    for ax in figure.axes:
        (dots,) = (line for line in ax.lines if line.get_marker() == "o")
        for value, (low, high) in zip(dots.get_data(), (ax.get_xlim(), sorted(ax.get_ylim())), strict=True):
            assert all(low < one < high for one in value)
    limit, frame = left.transData.transform((machines.MEMORY, 0))[0], left.get_window_extent()
    for text in left.texts[1:]:
        box = text.get_window_extent()
        assert frame.x0 < box.x0 and box.x1 < frame.x1 and not box.x0 < limit < box.x1


def test_the_largest_number_has_room_in_its_box():
    def boxes(widget):
        if isinstance(widget, ipywidgets.BoundedFloatText | ipywidgets.BoundedIntText):
            yield widget
        for child in getattr(widget, "children", ()):
            yield from boxes(child)

    found = {box.description: box for box in boxes(widgets.explore_machines())}
    assert {*found} >= {"ratings", "users", "items"}
    for name, box in found.items():  # a digit and a letter take about 8 pixels; arrows and edges 40
        assert int(box.layout.width[:-2]) >= 40 + 8 * (len(name) + len(str(int(box.max)))), name
