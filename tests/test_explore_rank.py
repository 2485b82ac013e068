"""The explorer of rank: its descents are `factorize`'s, its floor is the SVD's, and its words say what is shown."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from mflearn import widgets
from mflearn.descent import factorize, random_factors
from mflearn.matrices import photograph
from mflearn.plots import canvas
from mflearn.widgets import rank

A = photograph(shrink=4).numpy()
SIGMA = np.linalg.svd(A, compute_uv=False)
CORNERS = list(itertools.product((1, rank.MOST), (1e-4, 1.0), (0.05, 1.2), (0, rank.STEPS)))


@pytest.mark.parametrize(
    ("k", "scale", "fraction", "step"), [(1, 0.01, 0.5, 100), (20, 1e-3, 0.9, 250), (7, 0.3, 0.2, 5)]
)
def test_what_is_shown_is_gradient_descent(k, scale, fraction, step):
    result = rank.compute(k, scale, fraction, step)
    eta = fraction / (2 * SIGMA[0])
    alone = factorize(A, start=random_factors(*A.shape, k, scale=scale), eta=eta, steps=step)
    assert torch.allclose(result.WH, alone.WH, rtol=1e-9, atol=1e-12)
    assert np.allclose(result.errors, alone.loss.sqrt()[:: rank.EVERY] / np.linalg.norm(A), rtol=1e-9)
    assert np.allclose(result.sigma, np.linalg.svd(alone.WH.numpy(), compute_uv=False)[:k], atol=1e-9)


def test_the_floor_is_that_of_the_dropped_singular_values():
    for k in (0, 1, 5, 63, 64):
        assert rank.LOWEST[k] == pytest.approx(np.linalg.norm(SIGMA[k:]) / np.linalg.norm(SIGMA), abs=1e-12)
    assert np.isclose(rank.ETA, 1 / (2 * SIGMA[0]))


@pytest.mark.parametrize(("k", "scale", "fraction", "step"), CORNERS)
def test_no_descent_is_below_the_floor_and_all_numbers_are_finite(k, scale, fraction, step):
    result = rank.compute(k, scale, fraction, step)
    assert float(result.errors.min()) >= rank.LOWEST[k] - 1e-12
    assert result.WH.isfinite().all() and result.sigma.isfinite().all() and result.errors.isfinite().all()
    assert 0 <= result.on <= k and len(result.sigma) == k
    words = rank.describe(result)
    assert words.startswith(f"k = {k}, start {scale:g}, ") and f"step {step}:" in words
    assert ("has diverged" in words) == result.diverged
    assert ("nothing is saved" in words) == (k * (75 + 64) >= 75 * 64)


def test_a_large_start_diverges_and_a_small_one_does_not():
    assert rank.compute(40, 1.0, 0.5, 300).diverged and not rank.compute(40, 1.0, 0.5, 0).diverged
    assert not rank.compute(40, 1e-4, 0.95, 300).diverged


def test_the_error_said_and_the_rank_of_the_svd_for_it_agree():
    result = rank.compute(20, 0.001, 0.5, 100)
    words = rank.describe(result)
    error, lowest, needed = (
        float(x) for x in re.search(r"error ([\d.]+)%.* is ([\d.]+)%.*rank (\d+) for", words).groups()
    )
    assert error == pytest.approx(100 * np.linalg.norm(A - result.WH.numpy()) / np.linalg.norm(A), abs=0.051)
    assert lowest == pytest.approx(100 * np.linalg.norm(SIGMA[20:]) / np.linalg.norm(A), abs=0.051)
    dropped = [100 * np.linalg.norm(SIGMA[k:]) / np.linalg.norm(A) for k in (int(needed) - 1, int(needed))]
    assert dropped[1] <= error < dropped[0]


def test_layers_switch_on_in_order_and_stay_on():
    counts = [rank.compute(20, 1e-3, 0.5, step).on for step in range(0, 301, 20)]
    assert counts == sorted(counts) and counts[0] == 0 and counts[-1] >= 12
    result = rank.compute(20, 1e-3, 0.5, 100)
    reached = result.sigma.numpy() / SIGMA[:20]
    assert (reached[: result.on] > 0.5).all() and reached[result.on] <= 0.5


def test_only_an_unbroken_row_of_layers_counts_as_on():
    result = replace(rank.compute(3, 1e-3, 0.5, 100), sigma=torch.tensor([SIGMA[0], 0.1 * SIGMA[1], SIGMA[2]]))
    assert result.on == 1


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ((2, 0.1, 0.5, 300), "all 20"),
        ((20, 0.01, 0.5, 150), "about half of them"),
        ((20, 0.001, 0.5, 100), "only the few largest"),
        ((20, 0.001, 0.5, 0), "none"),
    ],
)
def test_the_answer_to_the_question_is_read_off_the_result(settings, answer):
    assert widgets.explore_rank().prediction.question.answer(rank.compute(*settings)) == answer


@pytest.mark.parametrize("corner", CORNERS)
def test_no_mark_is_cut_off_by_the_edge_of_its_axes(corner):
    figure = canvas(11.5, 3)
    update = rank.draw(figure)
    for _ in range(2):  # the second time with a ghost
        update(rank.compute(*corner))
    for ax in figure.axes[3:]:
        for line in ax.lines:
            if line.get_marker() in ("s", "."):
                half, size = line.get_markersize() / 2 * figure.dpi / 72, ax.bbox.size
                pixels = ax.transData.transform(line.get_xydata()) - ax.bbox.min
                assert ((half < pixels) & (pixels < size - half)).all()


def test_the_settings_before_stay_as_ghosts():
    figure = canvas(11.5, 3)
    update = rank.draw(figure)
    first, second = rank.compute(5, 0.01, 0.5, 300), rank.compute(9, 0.01, 0.5, 100)
    update(first)
    update(second)
    by_colour = lambda ax: {line.get_color(): line for line in ax.lines}  # noqa: E731
    error, sigma = (by_colour(ax) for ax in figure.axes[3:])
    assert error[rank.GHOST].get_xydata().tolist() == [[5, pytest.approx(100 * float(first.errors[-1]))]]
    assert np.allclose(sigma[rank.GHOST].get_ydata(), first.sigma)
    pictures = [ax.images[0].get_array() for ax in figure.axes[:3]]
    assert np.allclose(pictures[0], A) and np.allclose(pictures[2], pictures[1] - pictures[0])


def test_moving_the_step_takes_no_new_descent():
    explorer = widgets.explore_rank()
    explorer.set(k=13, scale=0.02, fraction=0.6, step=300)
    before = rank.recorded.cache_info().misses
    for step in (0, 150, 300):
        explorer.set(step=step)
    assert rank.recorded.cache_info().misses == before
