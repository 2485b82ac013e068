"""The explorer of notebook 08, and the lock on its test set."""

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error

from mflearn import datasets, scores
from mflearn.descent import GradientDescent, descend, random_factors, with_biases
from mflearn.objectives import Observed
from mflearn.plots import canvas
from mflearn.ratings import Ratings
from mflearn.widgets import LockedTest, explore_ratings, sparse_ratings
from mflearn.widgets.sparse_ratings import SWEEPS, compute, split


def pairs(ratings):
    return set(zip(ratings.user.tolist(), ratings.item.tolist(), strict=True))


def test_the_three_parts_share_no_rating_and_are_the_festival():
    known, ratings = split(), datasets.load().ratings
    three = known.train, known.validation, known.test
    assert sum(map(len, three)) == len(ratings)
    assert set.union(*map(pairs, three)) == pairs(ratings)
    assert all(not pairs(one) & pairs(other) for one, other in itertools.combinations(three, 2))
    assert [round(len(part) / len(ratings), 2) for part in three] == [0.7, 0.15, 0.15]


@pytest.mark.parametrize(("k", "lam", "share"), [(3, 0.05012, 1.0), (6, 0.01, 0.5), (1, 1.0, 0.1)])
def test_what_is_shown_is_the_rmse_of_a_ridge_regression(k, lam, share):
    """Of the model shown, the column of each film is the ridge regression on the rows of who rated it."""
    result, validation = compute(k, lam, share), split().validation
    W, H, seen = result.model.W.double().numpy(), result.model.H.double().numpy(), result.seen
    film = int(torch.bincount(seen.item).argmax())
    at = seen.item == film
    rows = W[seen.user[at].numpy()]
    goal = seen.value[at].numpy() - seen.mean - rows[:, 0]  # the first column meets the fixed 1 of H
    ridge = Ridge(alpha=lam * len(rows), fit_intercept=False).fit(rows[:, 1:], goal)
    assert H[1:, film] == pytest.approx(ridge.coef_, abs=2e-4)
    predicted = seen.mean + (W[validation.user.numpy()] * H.T[validation.item.numpy()]).sum(1)
    low, high = float(seen.value.min()), float(seen.value.max())
    expected = root_mean_squared_error(validation.value.numpy(), predicted.clip(low, high))
    assert result.lowest == pytest.approx(expected, abs=1e-6)
    assert result.lowest == float(result.validation.min()) == float(result.validation[result.best])


@pytest.mark.parametrize(("k", "lam", "share"), [*itertools.product((1, 10), (0.001, 1.0), (0.1, 1.0))])
def test_the_corners(k, lam, share):
    result = compute(k, lam, share)
    assert len(result.seen) == round(share * len(split().train)) and pairs(result.seen) <= pairs(split().train)
    assert result.train.shape == result.validation.shape == (SWEEPS,)
    assert torch.cat((result.train, result.validation)).isfinite().all()
    assert result.lowest > split().lowest, "nobody beats who knows the truth"
    assert float(result.train[-1]) < float(result.validation[-1])


def test_descent_is_the_walk_of_the_notebook():
    """The model of sweep s is what `descend` has after 2 s passes; and η decides, from standing still to divergence."""
    result, train = compute(2, 0.05012, 1.0, "stochastic descent", 1e-3), split().train
    f = Observed(train, lam=0.05012, mean=train.mean, weighted=True, biases=True)
    start = with_biases(random_factors(*train.shape, 2, seed=0, scale=0.5))
    walk = descend(f.sampled(500, seed=0), start, partial(GradientDescent, eta=1e-3))
    point = next(itertools.islice(walk, 2 * (result.best + 1) * -(-len(train) // 500), None))
    assert torch.allclose(result.model.W, point.W) and torch.allclose(result.model.H, point.H)
    assert result.lowest < 0.9 * result.biases and result.eta == 1e-3
    assert compute(2, 0.05012, 1.0, "stochastic descent", 1e-5).lowest > result.lowest + 0.1, "it hardly moves"


def test_a_descent_that_diverges_says_so_and_predicts_by_biases():
    result = compute(3, 0.05012, 1.0, "stochastic descent", 1e-2)
    assert result.lowest == torch.inf and result.validation.isinf().all()
    expected = scores.biases(split().train).predict_all(split().validation)
    assert torch.equal(result.model.predict_all(split().validation), expected)
    assert "η = 0.01, 10,699 ratings seen (100%): diverged within two passes." in sparse_ratings.describe(result)
    sparse_ratings.draw(canvas(11, 3.7))(result)
    train = torch.tensor([0.7, 0.6, *[torch.inf] * (SWEEPS - 2)], dtype=torch.float64)
    later = replace(compute(3, 0.05012, 1.0), train=train, validation=train, best=1)
    assert "RMSE 0.600 at sweep 2, training 0.600. Diverged after sweep 2." in sparse_ratings.describe(later)


def test_more_freedom_fits_the_seen_ratings_better_and_the_others_worse():
    free, held = compute(10, 0.001, 1.0), compute(3, 0.05012, 1.0)
    assert float(free.train[-1]) < 0.3 < float(held.train[-1])
    assert free.lowest > free.biases > held.lowest + 0.1


def test_less_is_seen_and_less_is_known():
    lowest = [compute(3, 0.1, share).lowest for share in (0.3, 0.6, 1.0)]
    assert lowest == sorted(lowest, reverse=True) and lowest[0] - lowest[-1] > 0.1
    seen = [pairs(compute(3, 0.1, share).seen) for share in (0.3, 0.6, 1.0)]
    assert seen[0] < seen[1] < seen[2]


def test_the_answer_to_the_question_is_read_off_the_result():
    where = explore_ratings().prediction.question.answer
    words = [where(compute(*at, 1.0)) for at in ((3, 0.05012), (3, 0.001), (10, 0.001), (10, 1.0))]
    assert words == ["below 0.6", "between 0.6 and the biases", "above the biases", "above the biases"]


def test_the_picture_shows_the_curves_the_block_and_what_was_tried():
    figure, known = canvas(11, 3.7), split()
    update = sparse_ratings.draw(figure)
    result = replace(compute(3, 0.05012, 1.0), tried=((3, 0.05012, 0.58), (3, 0.1, 0.59), (5, 0.01, 0.6)))
    changed = update(result)
    ax, board, seen, predicted, truth = figure.axes
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["train"].get_ydata() == pytest.approx(result.train.numpy())
    assert lines["validation"].get_ydata() == pytest.approx(result.validation.numpy())
    assert lines["only biases"].get_ydata() == pytest.approx([result.biases] * 2)
    assert [line.get_xydata().round(3).tolist() for line in board.lines[1:4]] == [
        [[0.01, 0.6]],
        [[0.05, 0.58], [0.1, 0.59]],
        [[0.05, round(result.lowest, 3)]],
    ]
    A, mask = known.train.to_dense()
    shown = np.ma.filled(seen.images[0].get_array(), np.nan)
    block = (known.viewers[:, None], known.films)
    assert np.array_equal(shown, A[block].numpy(), equal_nan=True)
    assert 0.3 < float(mask[block].double().mean()) < 0.7
    films = [known.train.items[i] for i in known.films.tolist()]
    viewers = [result.model.user(known.train.users[u]) for u in known.viewers.tolist()]
    wanted = torch.stack([viewer.predict(films) for viewer in viewers])
    assert np.allclose(predicted.images[0].get_array(), wanted, atol=1e-5)
    assert np.allclose(truth.images[0].get_array(), datasets.load().truth.moments()[0][block])
    before = lines["validation"].get_ydata()
    update(compute(1, 1.0, 0.1))
    assert list(ax.lines[1].get_ydata()) == list(before)  # the ghost
    assert all(artist.figure is not None for artist in changed)


def test_the_learning_rate_is_offered_to_descent_only():
    explorer = explore_ratings()
    (row,) = (
        row
        for box in explorer.children
        for row in getattr(box, "children", ())
        if explorer.controls["eta"] in getattr(row, "children", ())
    )
    shown = []
    for solver in ("ALS", "stochastic descent", "ALS"):
        explorer.set(solver=solver)
        shown.append([part.layout.display != "none" for part in row.children])
    assert shown == [[False, False], [True, True], [False, False]]


def test_what_was_tried_is_kept_by_share():
    explorer = explore_ratings()
    for settings in ({"k": 2}, {"k": 4}, {"share": 0.5}, {"k": 2}):
        explorer.set(**settings)
    assert [k for k, _, _ in explorer.result.tried] == [4, 2]
    explorer.set(share=1.0)
    assert sorted(k for k, _, _ in explorer.result.tried) == [2, 3, 4]
    assert all(low == compute(k, lam, 1.0).lowest for k, lam, low in explorer.result.tried)


def test_the_explorer_does_not_read_the_test_set_before_it_is_opened(monkeypatch):
    known = split()
    monkeypatch.setattr(sparse_ratings, "split", lambda: replace(known, test=known.test.where(known.test.value > 3)))
    compute.cache_clear()
    other = explore_ratings()
    monkeypatch.setattr(sparse_ratings, "split", lambda: known)
    compute.cache_clear()  # what was computed with the other test set
    explorer = explore_ratings()
    assert explorer.snapshot.words == other.snapshot.words and explorer.picture.png == other.picture.png
    assert explorer.locked.look() != other.locked.look()


def test_the_lock_counts_and_says_what_the_count_means():
    train, test = datasets.load().ratings.split(0.2, seed=3)
    present = ["mean", scores.mean(train)]
    locked = LockedTest(test, lambda: tuple(present))
    assert locked.count == 0 and locked.words.startswith(f"Locked: {len(test):,} test ratings, not used so far.")
    first = locked.look()
    assert first == pytest.approx(root_mean_squared_error(test.value, torch.full_like(test.value, train.mean)))
    assert locked.words == (
        f"Opened once: test RMSE {first:.3f} for mean. An honest estimate, if nothing is changed because of it."
    )
    present[:] = ["biases", scores.biases(train)]
    locked.asked += 1  # the button
    second, name = locked.openings[1]
    assert (locked.count, name) == (2, "biases") and second < first
    present[:] = ["mean", scores.mean(train)]
    locked.look()
    assert locked.words.startswith(
        f"Opened 3 times, last: test RMSE {first:.3f} for mean. Whoever now picks the lowest"
    )
    assert f"{second:.3f} for biases, has tuned on the test set" in locked.words


def test_the_button_scores_the_model_that_is_shown():
    explorer = explore_ratings()
    explorer.set(k=4, lam=0.1)
    shown, test = explorer.result.model, split().test
    assert explorer.locked.look() == pytest.approx(root_mean_squared_error(test.value, shown.predict_all(test)))
    assert explorer.locked.openings[0][1] == "k = 4, λ = 0.1"
    explorer.set(k=5)
    explorer.locked.look()
    assert explorer.locked.openings[1][1] == "k = 5, λ = 0.1"
    assert explore_ratings().locked.count == 0


def test_a_lock_needs_no_more_than_ratings_and_a_model():
    ratings = Ratings.of([*"aab"], [*"xyx"], [1.0, 2.0, 4.0])
    assert LockedTest(ratings, lambda: ("mean", scores.mean(ratings))).look() == pytest.approx(np.std([1, 2, 4]))
