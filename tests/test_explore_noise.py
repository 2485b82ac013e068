"""The explorer of notebook 06: its errors are numpy's, and it does not tell the truth before it is asked to."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from mflearn.widgets import explore_noise, noise
from mflearn.widgets.picture import Stage

NOISY, HELD, CLEAN = noise.ERRORS
LEVELS = [0.1, 0.3, 0.7, 1.0, 1.5, 2.0, 2.5]
RANKS = range(1, 7)
SETTINGS = list(itertools.product(LEVELS, RANKS))


def rmse(E):
    return np.sqrt(np.mean(np.square(E)))


@pytest.mark.parametrize("rank", RANKS)
def test_the_truth_has_the_rank_and_the_singular_values_that_its_docstring_names(rank):
    found = np.linalg.svd(noise.clean(rank).numpy(), compute_uv=False)
    assert found[:rank] == pytest.approx([1200**0.5 * 0.8**i for i in range(rank)])
    assert found[rank:] == pytest.approx(0, abs=1e-9)


def test_the_noise_has_the_size_asked_for():
    for level, rank in SETTINGS:
        result = noise.compute(1, level, rank, NOISY)
        assert float((result.A - result.X).std()) == pytest.approx(level, rel=0.05)


@pytest.mark.parametrize(("level", "rank"), SETTINGS)
def test_both_errors_are_those_of_the_svd_of_numpy(level, rank):
    for k in (1, 4, noise.MOST):
        result = noise.compute(k, level, rank, NOISY)
        A = result.A.numpy()
        U, sigma, Vt = np.linalg.svd(A)
        WH = U[:, :k] * sigma[:k] @ Vt[:k]
        assert result.WH.numpy() == pytest.approx(WH)
        assert float(result.to_noisy[k - 1]) == pytest.approx(rmse(WH - A))
        assert float(result.to_clean[k - 1]) == pytest.approx(rmse(WH - result.X.numpy()))


@pytest.mark.parametrize("rank", RANKS)
def test_the_held_out_error_is_that_of_alternating_least_squares(rank):
    result = noise.compute(1, 0.1, rank, NOISY)
    A, mask = result.A.numpy(), noise.SEEN.numpy()
    rng = np.random.default_rng(1)
    W, H = rng.standard_normal((noise.M, rank)), rng.standard_normal((rank, noise.N))
    for _ in range(200):
        W = np.stack(
            [np.linalg.lstsq(H[:, seen].T, row[seen], rcond=None)[0] for row, seen in zip(A, mask, strict=True)]
        )
        columns = zip(A.T, mask.T, strict=True)
        H = np.stack([np.linalg.lstsq(W[seen], column[seen], rcond=None)[0] for column, seen in columns], axis=1)
    assert float(result.to_held[rank - 1]) == pytest.approx(rmse((W @ H - A)[~mask]), rel=0.01)
    assert 0.05 < (~mask).mean() < 0.15


def test_the_fit_falls_and_the_truth_has_a_u():
    for level, rank in SETTINGS:
        result = noise.compute(1, level, rank, NOISY)
        assert (result.to_noisy.diff() < 0).all()
        best = noise.lowest(result.to_clean)
        assert best <= rank
        assert (result.to_clean[best - 1 :].diff() > 0).all() and (result.to_clean[:best].diff() < 0).all()


def test_held_out_entries_find_the_rank_below_much_noise_and_cost_little_above():
    for level, rank in SETTINGS:
        result = noise.compute(1, level, rank, NOISY)
        chosen = noise.lowest(result.to_held)
        assert chosen == rank or level > 0.7
        assert float(result.to_clean[chosen - 1]) <= 1.3 * float(result.to_clean.min())


def with_another_truth(result):
    return dataclasses.replace(result, X=-result.X, to_clean=result.to_clean.flip(0))


def test_what_is_hidden_is_in_neither_the_words_nor_the_picture_nor_its_ghost():
    hidden = [noise.compute(4, 0.5, 3, errors) for errors in (NOISY, HELD)]
    shown = noise.compute(3, 1.0, 3, CLEAN)
    for result in hidden:
        assert noise.describe(result) == noise.describe(with_another_truth(result))
        assert "clean" not in noise.describe(result)
        pictures = set()
        for before, after in ((shown, result), (with_another_truth(shown), with_another_truth(result))):
            stage = Stage(noise.draw, 9, 4)
            stage.png(before)
            pictures.add(stage.png(after))
        assert len(pictures) == 1
    one, other = (Stage(noise.draw, 9, 4).png(result) for result in (shown, with_another_truth(shown)))
    assert one != other and noise.describe(shown) != noise.describe(with_another_truth(shown))


def test_it_opens_with_the_truth_hidden_and_the_prediction_shows_it():
    explorer = explore_noise()
    assert explorer.settings["errors"] == NOISY and "clean" not in explorer.snapshot.words
    verdict = explorer.predict("k = 10, the best fit")
    assert verdict.startswith("You predicted: k = 10, the best fit. What happens: k = its rank.")
    assert (
        explorer.settings["errors"] == CLEAN and "to the clean matrix 0.42, lowest at k = 3" in explorer.snapshot.words
    )
    assert explorer.predict("k = its rank").startswith("You were right: k = its rank.")


def test_the_answer_is_read_off_the_result():
    question = explore_noise().prediction.question
    below, its_rank, between, highest = question.options
    assert question.answer(noise.compute(3, 1.0, 3, CLEAN)) == its_rank
    assert question.answer(noise.compute(3, 2.5, 6, CLEAN)) == below  # much noise drowns the weak directions
    result = noise.compute(3, 1.0, 3, CLEAN)
    for k, place in ((1, below), (2, below), (3, its_rank), (4, between), (9, between), (10, highest)):
        errors = torch.ones(10).index_fill(0, torch.tensor([k - 1]), 0.5)
        assert question.answer(dataclasses.replace(result, to_clean=errors)) == place
