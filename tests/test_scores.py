"""The scores are those of scikit-learn, or of a case worked by hand; the baselines are their formulas."""

import numpy as np
import pytest
import torch
from sklearn import metrics

from mflearn import scores
from mflearn.model import Model
from mflearn.ratings import Ratings
from mflearn.scores import rmse


def some(seed=0, m=30, n=20):
    rng = np.random.default_rng(seed)
    user, item = (rng.random((m, n)) < 0.4).nonzero()
    return Ratings.of(user.tolist(), [f"i{i}" for i in item], rng.integers(1, 6, len(user)))


@pytest.mark.parametrize("seed", range(3))
def test_errors_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    predicted, actual = rng.standard_normal((2, 50))
    assert rmse(predicted, actual) == pytest.approx(metrics.root_mean_squared_error(actual, predicted), rel=1e-12)
    assert rmse(list(predicted), torch.tensor(actual)) == rmse(predicted, actual)


def test_the_mean_and_the_biases_are_their_formulas():
    ratings = some()
    frame, shrink = ratings.to_frame(), 10
    mean = frame["value"].mean()
    c = (frame["value"] - mean).groupby(frame["item"]).agg(lambda x: x.sum() / (len(x) + shrink))
    rest = frame["value"] - mean - frame["item"].map(c)
    b = rest.groupby(frame["user"]).agg(lambda x: x.sum() / (len(x) + shrink))
    wanted = (mean + frame["item"].map(c) + frame["user"].map(b)).clip(1, 5).to_numpy()
    assert scores.biases(ratings).predict_all(ratings).numpy() == pytest.approx(wanted)
    assert scores.mean(ratings).predict_all(ratings).numpy() == pytest.approx(np.full(len(ratings), mean))


def test_popularity_lists_what_is_rated_most():
    ratings = some()
    counts = ratings.to_frame()["item"].value_counts()
    model = scores.popularity(ratings)
    mine = {ratings.items[i] for i in ratings.item[ratings.user == 3].tolist()}
    listed = model.user(3).top(20)
    assert dict(listed) == counts.drop([*mine]).to_dict()
    assert [n for _, n in listed] == sorted((n for _, n in listed), reverse=True)


def test_the_baselines_fold_in_a_new_user():
    ratings = some()
    model = scores.biases(ratings)
    base = model.user(ratings.users[0]).predict(["i0", "i1"]) - model.W[0, 0]
    guest = model.fold_in(["i0", "i1"], base + 1)
    assert float(guest.w[0]) == pytest.approx(2 / (2 + 10), rel=0.05)
    assert model.fold_in([], []).w[0] == 0


def test_popularity_lists_the_same_for_whoever_comes():
    ratings = some()
    counts = torch.bincount(ratings.item, minlength=len(ratings.items)).double()
    for items, values in (((), ()), (ratings.items[:2], (1.0, 5.0))):
        assert torch.allclose(scores.popularity(ratings).fold_in(items, values).predict(), counts)


SAME = Ratings.of([1, 1, 2], ["a", "b", "b"], [3, 3, 3])
FEW = Ratings.of([1, 2, 2], ["a", "a", "b"], [1, 5, 3])


@pytest.mark.parametrize("ratings", [SAME, FEW])
@pytest.mark.parametrize("make", [scores.mean, scores.biases, scores.popularity])
def test_the_baselines_are_finite_for_whoever_comes(make, ratings, tmp_path):
    """Where all ratings are equal, and where nothing holds the bias."""
    model = make(ratings)
    model.save(tmp_path / "model.npz")
    for one in (model, Model.load(tmp_path / "model.npz")):
        for taste in (one.fold_in([], []), one.fold_in(["a"], [5])):
            assert taste.predict().isfinite().all()
        assert len(one.most_informative(["a", "b"], 2)) == 2


def test_the_mean_predicts_the_mean_for_newcomers_too():
    model = scores.mean(FEW)
    assert model.fold_in([], []).predict().tolist() == [3, 3]
    torch.testing.assert_close(model.fold_in(["a"], [5]).predict(), torch.full((2,), 3.0, dtype=torch.float64))
