"""The solvers go down, end where they should, and a model says what it knows: predictions, deviations, lists, files."""

import itertools
import json
import os
import re
import sys
import threading
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from mflearn import datasets, sides
from mflearn.descent import record
from mflearn.festival import invent
from mflearn.model import Model
from mflearn.objectives import Observed
from mflearn.ratings import Ratings
from mflearn.recommend import als, bayes, fit, implicit
from mflearn.scores import rmse

DOUBLE = {"dtype": torch.float64}
SOLVERS = {"als": als, "bayes": bayes, "implicit": implicit}


@pytest.fixture
def data():
    if not (folder := os.environ.get("MFLEARN_DATA")):
        pytest.skip("MFLEARN_DATA names no folder with real ratings")
    return Path(folder)


def invented(m=60, n=40, k=2, noise=0.3, share=0.5, seed=0):
    """Ratings 3 + b + c + w·h + noise of a random share of all pairs, and the truth without the noise (m, n)."""
    rng = np.random.default_rng(seed)
    b, c, W, H = (rng.standard_normal(shape) for shape in ((m, 1), (1, n), (m, k), (k, n)))
    truth = 3 + 0.4 * b + 0.4 * c + 0.5 * W @ H
    seen = rng.random((m, n)) < share
    user, item = (torch.from_numpy(index) for index in seen.nonzero())
    value = torch.from_numpy(truth[seen] + noise * rng.standard_normal(seen.sum()))
    return Ratings(user, item, value, (*range(m),), (*range(n),)), torch.from_numpy(truth)


def sweeps(walk, count):
    return [*itertools.islice(walk, count)]


def gap(sweep, truth):
    W, H = sweep
    return float((sweep.mean + W @ H - truth).square().mean().sqrt())


# going down


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 3, 40])
def test_als_never_raises_its_objective_which_is_that_of_the_one_loop(seed, k):
    ratings, _ = invented(30, 20, seed=seed, share=0.3)
    walk = sweeps(als(ratings, k, lam=0.05, seed=seed, **DOUBLE), 60)
    f = Observed(ratings, lam=0.05, mean=ratings.mean, weighted=True, biases=True)
    losses = [float(f(*sweep)) for sweep in walk]
    assert [sweep.loss for sweep in walk] == pytest.approx(losses, rel=1e-10)
    assert all(after <= before * (1 + 1e-10) for before, after in itertools.pairwise(losses))
    assert losses[-1] < 0.9 * losses[0]
    recorded = record(als(ratings, k, lam=0.05, seed=seed, **DOUBLE), f, steps=59)
    assert recorded.loss.tolist() == pytest.approx(losses, rel=1e-13)


def test_als_without_biases_lowers_the_objective_without_biases():
    """For the newcomer, too, b is 0; and the ratings less their mean are all that W H has to explain."""
    ratings, _ = invented(30, 20, share=0.3)
    f = Observed(ratings, lam=0.05, mean=ratings.mean, weighted=True)
    walk = sweeps(als(ratings, 3, lam=0.05, biases=False), 60)
    losses = [float(f(sweep.W[:, 1:-1], sweep.H[1:-1])) for sweep in walk]
    assert [sweep.loss for sweep in walk] == pytest.approx(losses, rel=1e-10)
    assert all(after <= before * (1 + 1e-10) for before, after in itertools.pairwise(losses))
    assert max(float(X.abs().max()) for X in f.gradient(walk[-1].W[:, 1:-1], walk[-1].H[1:-1])) < 0.1
    model, at = Model.of(ratings, walk[-1]), ratings.user == 7
    guest = model.fold_in(ratings.item[at].tolist(), ratings.value[at])
    assert guest.w[0] == 0 and not model.W[:, 0].any() and not model.H[-1].any()
    with pytest.raises(ValueError, match="^biases is 'no'; it must be one of True, False$"):
        next(als(ratings, 3, biases="no"))


def test_als_ends_where_the_gradient_is_zero():
    ratings, _ = invented(30, 20)
    f = Observed(ratings, lam=0.5, mean=ratings.mean, weighted=True, biases=True)
    first, *_, last = sweeps(als(ratings, 2, lam=0.5, **DOUBLE), 3000)
    slopes = [max(float(slope.abs().max()) for slope in f.gradient(*sweep)) for sweep in (first, last)]
    assert slopes[1] < 1e-7 < 1e-2 < slopes[0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 3, 40])
def test_the_bound_of_variational_bayes_never_falls(seed, k):
    ratings, _ = invented(30, 20, seed=seed, share=0.3)
    losses = [sweep.loss for sweep in sweeps(bayes(ratings, k, seed=seed, **DOUBLE), 100)]
    assert all(after <= before + 1e-10 * abs(before) for before, after in itertools.pairwise(losses))
    assert losses[-1] < losses[0] - 10


def test_implicit_feedback_lowers_the_sum_over_all_pairs():
    ratings, _ = invented(15, 12, share=0.4)
    ratings = Ratings(ratings.user, ratings.item, ratings.value - 3, ratings.users, ratings.items)  # some below 0
    alpha, lam = 2.0, 0.7
    R = ratings.to_dense()[0].nan_to_num(0)
    losses = []
    for sweep in sweeps(implicit(ratings, 3, alpha=alpha, lam=lam, **DOUBLE), 40):
        W, H = sweep
        fit_ = ((1 + alpha * R.abs()) * ((R > 0).double() - W @ H) ** 2).sum()
        losses.append(float(fit_ + lam * (W[:, :-1].square().sum() + H[1:].square().sum())))
        assert sweep.loss == pytest.approx(losses[-1], rel=1e-10)
    assert all(after <= before * (1 + 1e-10) for before, after in itertools.pairwise(losses))
    assert losses[-1] < 0.9 * losses[0]


# against other answers


def test_the_rows_of_variational_bayes_are_the_posterior_written_out():
    """One more half step by hand, user by user, from the items of a sweep: the formula of Lim & Teh."""
    ratings, _ = invented(12, 9)
    walk = bayes(ratings, 2, **DOUBLE)
    for _ in range(3):
        before = next(walk)
    after = next(walk)
    m, d = 12, 3
    for u in range(m):
        at = (ratings.user == u).nonzero()[:, 0]
        P, goal = before.prior.precision.clone(), torch.zeros(d, dtype=torch.float64)
        y = before.Z[m + ratings.item[at]]
        S = before.spread[m + ratings.item[at]]
        P += (y[:, :d].T @ y[:, :d] + S[:, :d, :d].sum(0)) / before.noise
        for t, row, T in zip(at, y, S, strict=True):
            goal += ((ratings.value[t] - ratings.mean) * row[:d] - row[:d] * row[-1] - T[:d, -1]) / before.noise
        f = torch.cat(
            (
                torch.ones(1).double(),
                *[(np.log(len(at)) - before.prior.log_count[1]).reshape(1) / before.prior.log_count[2]],
                before.prior.G[ratings.item[at]].mean(0),
            )
        )
        goal += before.prior.precision @ (f @ before.prior.B)
        assert torch.allclose(after.spread[u, :d, :d], torch.linalg.inv(P), rtol=1e-9)
        assert torch.allclose(after.W[u, :d], torch.linalg.solve(P, goal), rtol=1e-8)
        assert after.W[u, -1] == 1 and not after.spread[u, -1].any()


@pytest.mark.parametrize("name", SOLVERS)
def test_hidden_ratings_change_nothing_and_shuffled_ones_little(name):
    ratings, _ = invented()
    order = torch.from_numpy(np.random.default_rng(1).permutation(len(ratings)))
    one, other = (next(SOLVERS[name](r, 3, **DOUBLE)) for r in (ratings, ratings.where(order)))
    assert torch.allclose(one.Z, other.Z, rtol=1e-6, atol=1e-8)


def test_variational_bayes_finds_the_truth_better_than_als_and_than_biases():
    errors = {"als": [], "bayes": []}
    for seed in range(5):
        ratings, truth = invented(100, 80, share=0.3, seed=seed)
        for name, lam in (("als", {"lam": 0.1}), ("bayes", {})):
            errors[name].append(gap(sweeps(SOLVERS[name](ratings, 4, **lam), 30)[-1], truth))
    als_, bayes_ = np.median(errors["als"]), np.median(errors["bayes"])
    assert bayes_ < 0.9 * als_ and bayes_ < 0.2
    assert sweeps(bayes(invented(100, 80)[0], 2), 30)[-1].noise == pytest.approx(0.09, rel=0.1)


def test_the_threads_of_torch_change_no_bit_and_come_back():
    ratings, _ = invented(3000, 40, share=0.1)
    before, results = torch.get_num_threads(), []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        walk = bayes(ratings, 2)
        results.append([next(walk).Z, next(walk).Z])
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert all(map(torch.equal, *results))


def spark(m, n, rank, noise, seed, positive=None):
    """The data of Spark's ALSSuite: 0.6 of all pairs to train on, 0.3 to test; factors uniform in −1..1."""
    rng = np.random.default_rng(seed)
    R = rng.uniform(-1, 1, (m, rank)) @ rng.uniform(-1, 1, (rank, n))
    x = rng.random((m, n))
    seen = np.ones((m, n), bool) if positive is None else rng.random((m, n)) < np.where(R > 0, positive, 1 - positive)
    train, test = seen & (x < 0.6), seen & (x >= 0.6) & (x < 0.9)
    user, item = (torch.from_numpy(index) for index in train.nonzero())
    value = torch.from_numpy(R[train] + noise * rng.standard_normal(train.sum()))
    return Ratings(user, item, value, (*range(m),), (*range(n),)), torch.from_numpy(test), torch.from_numpy(R)


@pytest.mark.parametrize(
    ("rank", "noise", "k", "lam", "target"),
    [
        (1, 0.0, 1, 1e-5, 0.001),
        (1, 0.0, 2, 1e-5, 0.001),
        (1, 0.01, 1, 0.01, 0.02),
        (1, 0.01, 2, 0.01, 0.02),
        (2, 0.01, 2, 0.01, 0.03),
        (2, 0.01, 3, 0.01, 0.03),
    ],
)
def test_sparks_own_cases_hold_for_als(rank, noise, k, lam, target):
    """λ times the count, as there; medians of 20 seeds. Thirty sweeps, since biases must be learnt, too."""
    errors = []
    for seed in range(20):
        ratings, test, R = spark(20, 40, rank, noise, seed)
        sweep = sweeps(als(ratings, k, lam=lam, seed=seed, **DOUBLE), 30)[-1]
        errors.append(rmse((sweep.mean + sweep.W @ sweep.H)[test], R[test]))
    assert np.median(errors) < target


def test_sparks_own_case_holds_for_implicit_feedback():
    errors = []
    for seed in range(20):
        ratings, test, R = spark(20, 40, 2, 0.01, seed, positive=0.8)
        sweep = sweeps(implicit(ratings, 2, alpha=1.0, lam=0.1, seed=seed), 10)[-1]
        found, wanted, c = (sweep.W @ sweep.H)[test].clamp(0, 1), R[test].clamp(0, 1), 1 + R[test].abs()
        errors.append(float((c * (found - wanted) ** 2).sum() / c.sum()) ** 0.5)
    assert np.median(errors) < 0.3


# fit


@pytest.mark.parametrize("k", [16, 64])
def test_a_usual_rank_is_not_too_large_for_twenty_million_ratings(monkeypatch, k):
    """There are 138,493 users and 26,744 films in MovieLens 20M."""
    monkeypatch.setattr(sides, "upper_outer", lambda X: X)  # which takes the memory that is spoken of
    zero = torch.zeros(2, dtype=torch.int64)
    ratings = Ratings(zero, torch.arange(2), torch.tensor([1.0, 2.0]), range(138_493), range(26_744))
    users, items = sides.two_sides(ratings, k, 1.5, np.random.default_rng(0), torch.float64, "cpu")
    assert (users.size, items.size) == ratings.shape


def test_fit_is_the_last_sweep_of_its_solver():
    ratings, _ = invented()
    for solver in (bayes, partial(als, lam=0.2), implicit):
        model, sweep = fit(ratings, 3, solver=solver, sweeps=4, seed=5), sweeps(solver(ratings, 3, seed=5), 4)[-1]
        assert torch.equal(model.W, sweep.W) and torch.equal(model.H, sweep.H) and model.mean == sweep.mean
    assert repr(model) == "Model(60 users × 40 items, k = 3)"


# the model


def test_each_rating_of_a_newcomer_lowers_the_error_for_him_the_first_one_too():
    """Over 120 new viewers: fewer ratings than any training user gave are not taken for an extreme taste."""
    ratings = invent()[0]
    new = ratings.user % 5 == 0
    model, errors = fit(ratings.where(~new), 16), []
    guests = [(ratings.user == u).nonzero()[:, 0] for u in range(0, ratings.shape[0], 5)]
    for count in (0, 1, 2, 5, 10):
        squares = []
        for at in guests:
            guest = model.fold_in([ratings.items[i] for i in ratings.item[at[:count]]], ratings.value[at[:count]])
            rest = at[10:]
            predicted = guest.predict([ratings.items[i] for i in ratings.item[rest]])
            squares.append((predicted - ratings.value[rest]).square())
        errors.append(float(torch.cat(squares).mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[1] < 0.95 * errors[0]


@pytest.mark.parametrize("name", ["bayes", "als", "implicit"])
def test_folding_in_a_user_is_the_half_step_for_him(name):
    """Who is folded in with the ratings of a training user gets the row that one more sweep would give that user."""
    ratings, _ = invented()
    walk = SOLVERS[name](ratings, 3, **DOUBLE)
    sweep = sweeps(walk, 5)[-1]
    model, after = Model.of(ratings, sweep), next(walk)
    for u in (0, 7):
        at = ratings.user == u
        guest = model.fold_in(ratings.item[at].tolist(), ratings.value[at])
        assert torch.allclose(guest.w, after.W[u], rtol=1e-6, atol=1e-8)
        if name == "bayes":
            assert torch.allclose(guest.covariance, after.spread[u], rtol=1e-6, atol=1e-10)
        assert {label for label, _ in guest.top(40)} == {*range(40)} - {*ratings.item[at].tolist()}


def test_deviations_say_how_far_off_predictions_are():
    """Of ratings that were held out, about as many lie within one and two deviations as of a normal distribution."""
    ratings, _ = invented(200, 100, noise=0.5, share=0.3)
    train, test = ratings.split(0.2, seed=1)
    model, off = fit(train, 4), []
    for u in range(200):
        at = test.user == u
        taste, items = model.user(u), test.item[at].tolist()
        if items:
            off.append((taste.predict(items) - test.value[at]) / taste.deviation(items))
    off = torch.cat(off).abs()
    assert 0.62 < (off < 1).double().mean() < 0.72 and 0.93 < (off < 2).double().mean() < 0.97


def test_the_deviation_is_that_of_a_product_of_random_factors():
    """User and item drawn from their distributions, many times, and the noise."""
    ratings, _ = invented(40, 30, share=0.15)
    model = fit(ratings, 2, solver=partial(bayes, **DOUBLE))
    taste, rng = model.user(4), np.random.default_rng(0)
    for column in (3, 17):
        x = rng.multivariate_normal(taste.w.numpy(), taste.covariance.numpy(), 200_000)
        y = rng.multivariate_normal(model.H[:, column].numpy(), model.spread[40 + column].numpy(), 200_000)
        drawn = (x * y).sum(1) + np.sqrt(float(model.noise)) * rng.standard_normal(200_000)
        sure = float((model.H[:, column] @ taste.covariance @ model.H[:, column] + model.noise).sqrt())
        assert float(taste.deviation([column])[0]) == pytest.approx(drawn.std(), rel=0.01) and drawn.std() > 1.02 * sure
        assert float(taste.deviation()[column]) == pytest.approx(drawn.std(), rel=0.01)


def test_a_new_user_is_less_sure_the_less_he_rated():
    ratings, truth = invented(200, 60)
    for solver in (bayes, als):
        model, own = fit(ratings, 2, solver=solver), truth[3]
        deviations = [float(model.fold_in([*range(n)], own[:n]).deviation().mean()) for n in (0, 1, 5, 20, 60)]
        assert all(more > less for more, less in itertools.pairwise(deviations))
        errors = [rmse(model.fold_in([*range(n)], own[:n]).predict(range(50, 60)), own[50:]) for n in (0, 40)]
        assert errors[1] < 0.5 * errors[0]


def test_the_most_informative_items_are_those_that_leave_the_least_uncertainty():
    """Greedy, against all choices by the determinant of the posterior of w after asking, for each next item."""
    ratings, _ = invented(200, 30)
    model = fit(ratings, 3)
    chosen = model.most_informative([*range(30)], 4)
    Y, precision = model.H.mT[:, :-1].double(), model.prior.precision.double()

    def volume(items):
        return float(torch.logdet(precision + Y[items].mT @ Y[items] / model.noise))

    for n in range(4):
        assert max(set(range(30)) - {*chosen[:n]}, key=lambda item: volume([*chosen[:n], item])) == chosen[n]
    assert model.most_informative([5, 3], 2) in ([5, 3], [3, 5])


def test_preference_does_not_depend_on_how_the_factors_are_written():
    ratings, _ = invented(80, 30)
    model = fit(ratings, 3, solver=partial(bayes, **DOUBLE))
    G = torch.eye(3, dtype=torch.float64) + torch.rand(
        3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    W, H = model.W.clone(), model.H.clone()
    W[:, 1:-1], H[1:-1] = W[:, 1:-1] @ G, torch.linalg.inv(G) @ H[1:-1]
    other = Model(**{**model.__dict__, "W": W, "H": H})
    for by in ("dot", "cosine"):
        assert torch.allclose(model.user(4).preference(by=by), other.user(4).preference(by=by), atol=1e-9)
    assert not torch.allclose(W[4, 1:-1] @ W[4, 1:-1], model.W[4, 1:-1] @ model.W[4, 1:-1], rtol=0.01)


def test_preference_is_how_far_a_user_is_above_the_others():
    """By dot, the mean over all users is 0; by cosine, who is a film's own direction has 1."""
    ratings, _ = invented(80, 30)
    model = fit(ratings, 2, solver=partial(bayes, **DOUBLE))
    everybody = torch.stack([model.user(u).preference() for u in range(80)])
    assert everybody.mean(0).abs().max() < 1e-12
    assert torch.allclose(everybody, (model.W[:, 1:-1] @ model.H[1:-1]) - (model.W[:, 1:-1] @ model.H[1:-1]).mean(0))
    cosine = torch.stack([model.user(u).preference(by="cosine") for u in range(80)])
    assert 0.9 < cosine.max() <= 1 + 1e-12 and cosine.min() >= -1 - 1e-12
    W = model.W[:, 1:-1] - model.W[:, 1:-1].mean(0)
    H = torch.linalg.cholesky(W.mT @ W / 80).mT @ model.H[1:-1]
    own = torch.linalg.inv(torch.linalg.cholesky(W.mT @ W / 80)) @ W[7]
    assert torch.allclose(cosine[7], own @ H / (own.norm() * H.norm(dim=0)))


def test_lists_are_ordered_and_leave_out_what_was_rated():
    ratings, _ = invented()
    model = fit(ratings, 2)
    taste, mine = model.user(4), {*ratings.item[ratings.user == 4].tolist()}
    listed = taste.top(100)
    labels, values = zip(*listed, strict=True)
    assert {*labels} == {*range(40)} - mine and [*values] == sorted(values, reverse=True)
    assert torch.allclose(torch.tensor(values).double(), taste.predict(labels)) and taste.top(3) == listed[:3]


@pytest.mark.parametrize("by", ["dot", "cosine"])
def test_similar_items_are_those_whose_ratings_go_together(by):
    ratings, _ = invented()
    model = fit(ratings, 3)
    table = (model.W[:, 1:-1] @ model.H[1:-1]).double().numpy()
    wanted = (np.cov(table.T, bias=True) if by == "dot" else np.corrcoef(table.T))[5]
    labels, values = zip(*model.similar(5, 39, by=by), strict=True)
    assert [*labels] == [i for i in np.argsort(-wanted) if i != 5]
    assert values == pytest.approx(wanted[[*labels]], rel=1e-4)


def test_a_cosine_is_never_above_one():
    """Not even by rounding: with k = 1 all films lie on one line."""
    ratings, _ = invented()
    model = fit(ratings, 1)
    cosines = torch.tensor([value for item in range(40) for _, value in model.similar(item, 40)])
    assert cosines.max() == 1 and cosines.min() >= -1
    assert all(model.user(u).preference(by="cosine").abs().max() <= 1 for u in range(60))


def test_the_ratings_of_a_dictionary_are_taken():
    mine = {3: 5, 1: 2}
    model = fit(invented()[0], 2)
    wanted = model.fold_in([3, 1], [5, 2]).predict()
    for given in (mine.values(), iter(mine.values()), map(float, mine.values())):
        assert torch.equal(model.fold_in(mine.keys(), given).predict(), wanted)


# twenty odd cases: a finite result, or one line

ODD = {
    "one rating": ([0], [0], [3.0]),
    "one user": ([0] * 5, range(5), [1, 2, 3, 4, 5]),
    "one item": (range(5), [0] * 5, [1, 2, 3, 4, 5]),
    "two ratings, nobody in common": ([0, 1], [0, 1], [1.0, 5.0]),
    "all equal": ([0, 0, 1, 1, 2], [0, 1, 0, 2, 1], [4.0] * 5),
    "all zero": ([0, 0, 1, 1], [0, 1, 0, 1], [0.0] * 4),
    "rank 1, exactly": (np.repeat(range(6), 5), np.tile(range(5), 6), np.outer(range(1, 7), range(1, 6)).ravel()),
    "equal columns": (np.repeat(range(6), 5), np.tile(range(5), 6), np.repeat(range(6), 5)),
    "huge": ([0, 0, 1, 1, 2], [0, 1, 0, 2, 1], [1e6, 2e6, 3e6, 1e6, 5e6]),
    "tiny": ([0, 0, 1, 1, 2], [0, 1, 0, 2, 1], [1e-6, 2e-6, 3e-6, 1e-6, 5e-6]),
    "negative": ([0, 0, 1, 1, 2], [0, 1, 0, 2, 1], [-10, 5, -3, 2, 0]),
    "float16": ([0, 0, 1], [0, 1, 1], np.array([1, 2.5, 5], np.float16)),
    "float32": ([0, 0, 1], [0, 1, 1], np.array([1, 2.5, 5], np.float32)),
    "integers": ([0, 0, 1], [0, 1, 1], np.array([1, 2, 5], np.uint8)),
    "read-only": ([0, 0, 1], [0, 1, 1], np.broadcast_to(np.float64(2), 3)),
    "not contiguous": (np.arange(12)[::4], np.arange(12)[::-4], np.arange(12.0)[::4]),
    "one who rated all, many who rated one": ([0] * 20 + [*range(1, 21)], [*range(20)] * 2, np.arange(40.0) % 7),
}


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize("k", [1, 30])
def test_odd_ratings_give_a_finite_model(name, case, k):
    ratings = Ratings.of(*ODD[case])
    model = fit(ratings, k, solver=SOLVERS[name], sweeps=5)
    every = torch.cat([model.user(label).predict() for label in ratings.users])
    low, high = model.limits
    assert every.isfinite().all() and (name == "implicit" or (every >= low).all() and (every <= high).all())
    guest = model.fold_in(ratings.items[:1], [ratings.mean])
    assert guest.predict().isfinite().all()
    if name == "bayes":
        assert guest.deviation().isfinite().all() and model.user(ratings.users[0]).deviation().isfinite().all()
    if case == "all equal" and name != "implicit":
        assert torch.allclose(every, torch.full_like(every, 4.0))


@pytest.mark.parametrize("name", SOLVERS)
def test_a_user_and_an_item_without_ratings_get_what_is_known_of_anybody(name):
    ratings, _ = invented()
    kept = ratings.where((ratings.user != 3) & (ratings.item != 5))
    assert kept.shape == ratings.shape
    model = fit(kept, 2, solver=SOLVERS[name])
    assert model.user(3).predict().isfinite().all() and model.predict_all(ratings).isfinite().all()
    assert len(model.user(3).top(40)) == 40
    if name == "als":
        assert not model.W[3, :-1].any() and not model.H[1:, 5].any()
    if name == "bayes":
        anybody = model.fold_in([], [])
        assert torch.allclose(anybody.w[:-1], model.W[3, :-1].double(), atol=0.05)
        assert float(anybody.deviation().mean()) > 1.2 * float(model.user(4).deviation().mean())


def test_equations_that_cannot_be_solved_are_one_line():
    ratings = Ratings.of([0, 0, 1], [0, 1, 1], [1, 2, 5])
    assert fit(ratings, 8, solver=partial(als, lam=1e-30), sweeps=50).user(0).predict([0]).isfinite()
    ratings = ratings.where(ratings.user == 0)  # nothing but λ is left for user 1, and 1e-50 is 0 in 32 bits
    huge = Ratings.of([0, 0, 1], [0, 1, 1], [1e30, 2e30, 5e30])
    single = {"dtype": torch.float32}
    for given, solver in ((ratings, partial(als, lam=1e-50, **single)), (huge, partial(bayes, **single))):
        with pytest.raises(ValueError, match=r"singular in torch.float32; give torch.float64, or als a larger lam$"):
            fit(given, 8, solver=solver)
    assert fit(ratings, 8, solver=partial(als, lam=1e-50)).user(0).predict([0]).isfinite()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_precisions_give_the_same_model(dtype):
    ratings, _ = invented()
    one, other = (sweeps(bayes(ratings, 3, dtype=kind), 5)[-1] for kind in (torch.float64, dtype))
    assert other.Z.dtype == dtype and torch.allclose(one.W @ one.H, (other.W @ other.H).double(), atol=1e-3)


def test_two_fits_at_once_do_not_disturb_each_other():
    sets = [invented(2500, 30, share=0.2, seed=seed)[0] for seed in (0, 1)]
    alone, found = [fit(ratings, 2, sweeps=3) for ratings in sets], {}
    threads = [threading.Thread(target=lambda s=s: found.update({s: fit(sets[s], 2, sweeps=3)})) for s in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(found[s].W, alone[s].W) and torch.equal(found[s].H, alone[s].H) for s in (0, 1))


# files


def models():
    ratings, _ = invented(12, 9)
    ratings = Ratings.of([f"u{u} ☃" for u in ratings.user.tolist()], (0.5 + ratings.item).tolist(), ratings.value)
    return [fit(ratings, 2, solver=solver) for solver in (bayes, als, implicit)]


@pytest.mark.parametrize("which", range(3))
def test_a_saved_model_comes_back_bit_for_bit(which, tmp_path):
    model, path = models()[which], tmp_path / "film.model"
    model.save(path)
    model.save(path)
    back = Model.load(path)
    assert [file.name for file in tmp_path.iterdir()] == ["film.model"]
    for one, other in ((model, back), (model.prior, back.prior)):
        for name, value in vars(one).items():
            theirs = getattr(other, name)
            if isinstance(value, torch.Tensor):
                assert value.dtype == theirs.dtype and torch.equal(value, theirs), name
            elif name != "prior":
                assert value == theirs and type(value) is type(theirs), name
    assert back.user("u3 ☃").top() == model.user("u3 ☃").top()


def test_a_save_that_fails_leaves_the_older_file(tmp_path, monkeypatch):
    model, path = models()[0], tmp_path / "film.model"
    model.save(path)
    before = path.read_bytes()

    def full(file, **_):
        file.write_bytes(b"half of")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        model.save(path)
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="links are for administrators there")
def test_a_link_to_a_model_stays_a_link(tmp_path):
    file, link = tmp_path / "one.npz", tmp_path / "two.npz"
    models()[0].save(file)
    link.symlink_to(file)
    models()[1].save(link)
    assert link.is_symlink() and not file.is_symlink()
    assert torch.equal(Model.load(file).W, models()[1].W) and torch.equal(Model.load(link).W, models()[1].W)


@pytest.mark.parametrize("path", [".", "", "no folder/x.npz"])
def test_a_path_where_no_file_can_be_is_refused(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="^path is '.*; it must be a file in a folder that exists$") as caught:
        models()[0].save(path)
    assert len(str(caught.value)) <= 160 and not [*tmp_path.iterdir()]


def test_a_number_is_no_path_although_python_would_open_it(tmp_path):
    """It would read and close the file that has this number in the system."""
    with open(tmp_path / "other", "w+b") as other:
        with pytest.raises(TypeError, match="not '?int'?"):
            Model.load(other.fileno())
        assert os.fstat(other.fileno())


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be replaced there")
@pytest.mark.parametrize("other", [1, 2])
def test_two_savers_of_one_path_do_not_disturb_each_other_nor_who_reads(other, tmp_path, monkeypatch):
    """The second saves while the first is about to, and while somebody reads."""
    one, two, path = models()[0], models()[other], tmp_path / "film.npz"
    for function in ("savez", "load"):
        real = getattr(np, function)

        def late(*given, real=real, function=function, **others):
            monkeypatch.setattr(np, function, real)
            two.save(path)
            return real(*given, **others)

        monkeypatch.setattr(np, function, late)
        one.save(path)
        assert torch.equal(Model.load(path).W, one.W) and [*tmp_path.iterdir()] == [path]


def test_labels_that_no_text_can_hold_are_refused_before_a_file_is_made(tmp_path):
    model = fit(Ratings.of([(1, 2), "b"], ["x", "y"], [1, 2]), 1)
    with pytest.raises(TypeError, match="^users or items have labels that cannot be saved; they must be text"):
        model.save(tmp_path / "model.npz")
    assert not [*tmp_path.iterdir()]


def test_halves_of_a_letter_are_refused_since_json_would_join_them(tmp_path):
    model = fit(Ratings.of(["\ud83d\ude00", "😀"], ["x", "y"], [1, 2]), 1)
    with pytest.raises(TypeError, match="^users or items have labels that cannot be saved; they must be text in UTF-8"):
        model.save(tmp_path / "model.npz")


@pytest.mark.skipif(sys.platform == "win32", reason="its files have no such modes")
def test_a_file_that_nobody_else_may_read_stays_so(tmp_path):
    path = tmp_path / "model.npz"
    models()[0].save(path)
    path.chmod(0o600)
    models()[1].save(path)
    assert path.stat().st_mode & 0o777 == 0o600


def rewritten(path, change):
    """The arrays of a saved model and its header, changed and written again."""
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(str(arrays.pop("header")))
    header, arrays = change(header, arrays) or (header, arrays)
    np.savez(path, header=header if isinstance(header, str) else json.dumps(header), **arrays)


def patched(path, offset, value):
    """A byte of the directory of the archive, changed for each file in it."""
    data = bytearray(path.read_bytes())
    for found in re.finditer(rb"PK\x01\x02", bytes(data)):
        data[found.start() + offset] = value
    path.write_bytes(data)


def grown(path):
    """A model whose W says that it has 9 · 10¹⁴ rows; all checksums are right."""
    with zipfile.ZipFile(path) as file:
        held = {name: file.read(name) for name in file.namelist()}
    held["W.npy"] = re.sub(rb"\(\d+, \d+\), }( +)", rb"(900000000000000, 9), }\1", held["W.npy"])
    with zipfile.ZipFile(path, "w") as file:
        for name, data in held.items():
            if name == "W.npy":  # as long as it was
                head, tail = data.split(b"\n", 1)
                data = head[:127].ljust(127) + b"\n" + tail
            file.writestr(name, data)


def spoiled(path, name, value):
    """The first entry of an array of the model is another."""

    def change(header, arrays):
        arrays[name].flat[0] = value

    rewritten(path, change)


def shortened(path, name):
    rewritten(path, lambda header, arrays: (header, arrays | {name: arrays[name][:-1]}))


def headed(path, name, value):
    rewritten(path, lambda header, arrays: (header | {name: value}, arrays))


def swapped_users(header, arrays):
    arrays["begin"][[3, 4]] = arrays["begin"][[4, 3]]


def write_one_array(path):
    with open(path, "wb") as file:
        np.save(file, np.ones((2, 3)))


HEADS = {  # what the header of a model of 12 users and 9 items must not say
    "mean": (np.nan, np.inf, 3),
    "limits": ([np.nan, np.nan], [5.0, 1.0]),
    "alpha": (np.nan, 0.0, -1.0, np.inf),
    "users": ([1] * 12, [None, *range(11)], [np.nan, *range(11)], [[1], *range(11)]),
    "items": (["a"] * 9, ["\ud83d", *range(8)]),
}


def without(mapping, name):
    return {key: value for key, value in mapping.items() if key != name}


class Trap:
    """If it is ever unpickled, a file appears."""

    def __reduce__(self):
        return open, ("trapped", "w")


DAMAGES = {
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-200]),
    "empty": lambda path: path.write_bytes(b""),
    "not an archive": lambda path: path.write_bytes(b"<html>log in</html>" * 50),
    "a flipped bit": lambda path: path.write_bytes(path.read_bytes().replace(b"\x00\xf0?", b"\x00\xf0@", 1)),
    "no header": lambda path: np.savez(path, W=np.ones((2, 3))),
    "a header that is no JSON": lambda path: rewritten(path, lambda h, a: ("{'format'", a)),
    "another format": lambda path: rewritten(path, lambda h, a: (h | {"format": 2}, a)),
    "an array missing": lambda path: rewritten(path, lambda h, a: (h, without(a, "H"))),
    "a shape that does not fit": lambda path: rewritten(path, lambda h, a: (h, a | {"W": a["W"][:, :-1]})),
    "a label missing": lambda path: rewritten(path, lambda h, a: (h | {"users": h["users"][1:]}, a)),
    "a word for a truth value": lambda path: rewritten(path, lambda h, a: (h | {"weighted": "no"}, a)),
    "a word for alpha": lambda path: rewritten(path, lambda h, a: (h | {"alpha": "1"}, a)),
    "a word for the mean": lambda path: rewritten(path, lambda h, a: (h | {"mean": "3"}, a)),
    "three limits": lambda path: rewritten(path, lambda h, a: (h | {"limits": [1.0, 2.0, 3.0]}, a)),
    "a negative precision": lambda path: rewritten(path, lambda h, a: (h, a | {"precision": -a["precision"]})),
    **{
        f"{name} that holds {value}": partial(spoiled, name=name, value=value)
        for name in (*"WHBG", "noise", "spread", "precision", "log_count")
        for value in (np.nan, np.inf)
    },
    **{
        f"{name} without its last row": partial(shortened, name=name)
        for name in (*"WHBG", "spread", "precision", "log_count", "begin", "rated")
    },
    **{f"{name} of {value}": partial(headed, name=name, value=value) for name in HEADS for value in HEADS[name]},
    "noise 0": partial(spoiled, name="noise", value=0.0),
    "noise for each user": lambda path: rewritten(path, lambda h, a: (h, a | {"noise": np.ones(12)})),
    "a film that is none": partial(spoiled, name="rated", value=9),
    "a film before the first": partial(spoiled, name="rated", value=-1),
    "films that are no places": lambda path: rewritten(path, lambda h, a: (h, a | {"rated": a["rated"] + 0.5})),
    "users in disorder": partial(spoiled, name="begin", value=1),
    "users of whom one has less than no ratings": lambda path: rewritten(path, swapped_users),
    "whole numbers": lambda path: rewritten(path, lambda h, a: (h, a | {"H": a["H"].astype(int)})),
    "one array": lambda path: write_one_array(path),
    "factors that are no numbers": lambda path: rewritten(path, lambda h, a: (h, a | {"W": np.nan * a["W"]})),
    "text for numbers": lambda path: rewritten(path, lambda h, a: (h, a | {"W": a["W"].astype(str)})),
    "JSON without an end": lambda path: rewritten(path, lambda h, a: ("[" * 10**6, a)),
    "a password": lambda path: patched(path, 8, 1),
    "an unknown compression": lambda path: patched(path, 10, 99),
    "a shape beyond all memory": lambda path: grown(path),
    "compressed arrays": lambda path: np.savez_compressed(path, **dict(np.load(path))),
    "pickled objects": lambda path: rewritten(path, lambda h, a: (h, a | {"W": np.array([Trap()], dtype=object)})),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_in_one_line(damage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.npz"
    models()[0].save(path)
    DAMAGES[damage](path)
    with pytest.raises(ValueError, match=r"^model.npz is no saved model: ") as caught:
        Model.load(path)
    assert len(str(caught.value)) <= 160 and "\n" not in str(caught.value)
    assert not (tmp_path / "trapped").exists()


def test_where_there_is_no_file_the_system_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        Model.load(tmp_path / "none.npz")


# the real thing


def test_on_real_ratings_it_is_better_than_the_best_published_peers(data):
    """MovieLens latest-small, one split: myFM's Gibbs sampler, the best peer of `make bench`, has 0.829."""
    ratings = datasets.load("movielens-small").ratings
    train, test = ratings.split(0.1, seed=0)
    assert rmse(fit(train).predict_all(test), test.value) < 0.826


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes that are files")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.npz")
    with pytest.raises(ValueError, match=r"model.npz is no saved model: it is a pipe"):
        Model.load(tmp_path / "model.npz")
