"""The objective is the formula, its masked entries do not exist, and its block steps go down as theory says."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch

from mflearn.descent import Adam, GradientDescent, descend, factorize, random_factors, record, with_biases
from mflearn.gradients import by_autograd, by_differences, by_hand, relative_difference
from mflearn.matrices import low_rank_matrix, toy_matrix
from mflearn.objectives import Frobenius, Observed, square
from mflearn.ratings import Ratings
from mflearn.recommend import als

RUNS = [(), (3,), (2, 3)]


def batch(m, n, k, runs):
    return random_factors(m, n, k, seed=torch.arange(int(np.prod(runs, dtype=int))).reshape(runs))


@pytest.mark.parametrize("runs", RUNS)
def test_the_loss_is_the_formula_entry_by_entry(runs):
    A, M = low_rank_matrix(4, 3, k=2).numpy(), np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 1]])
    W, H = batch(4, 3, 2, runs)
    loss = Frobenius(A, M, lam=0.3, scale=0.5)(W, H)
    assert loss.shape == runs
    for at in itertools.product(*map(range, runs)):
        w, h = W[at].numpy(), H[at].numpy()
        cells = [(A[i, j] - sum(w[i, r] * h[r, j] for r in range(2))) ** 2 for i, j in zip(*M.nonzero(), strict=True)]
        assert float(loss[at]) == pytest.approx(0.5 * sum(cells) + 0.3 * ((w**2).sum() + (h**2).sum()), rel=1e-13)


def test_scale_gives_the_loss_of_torch_and_of_other_books():
    A, (W, H) = toy_matrix(), batch(4, 2, 2, ())
    mean = torch.nn.functional.mse_loss(W @ H, A)
    assert float(Frobenius(A, scale=1 / A.numel())(W, H)) == pytest.approx(float(mean), rel=1e-14)
    assert float(Frobenius(A, scale=1 / 2)(W, H)) == pytest.approx(float(mean) * A.numel() / 2, rel=1e-14)


@pytest.mark.parametrize("runs", RUNS)
def test_hidden_entries_are_never_read(runs):
    A, M = low_rank_matrix(5, 4, k=2), low_rank_matrix(5, 4, k=4, seed=1) > 0
    spoilt = A.masked_fill(~M, torch.nan)
    (W, H), clean, dirty = batch(5, 4, 2, runs), Frobenius(A, M), Frobenius(spoilt, M)
    assert torch.equal(clean.A, dirty.A) and not clean.A[~M].any()
    assert torch.equal(clean(W, H), dirty(W, H)) and torch.equal(clean.residual(W, H), dirty.residual(W, H))
    assert all(map(torch.equal, clean.gradient(W, H), dirty.gradient(W, H)))
    seeds = torch.arange(len(W) if runs else 1)
    one, other = (factorize(f, 2, eta=0.01, steps=100, seed=seeds) for f in (clean, dirty))
    assert torch.equal(one.loss, other.loss) and torch.equal(one.factors.Z, other.factors.Z)


def test_a_hidden_entry_has_no_residual_and_a_seen_one_has():
    f, (W, H) = Frobenius([[np.nan, 2], [3, 4]], [[False, True], [True, True]]), batch(2, 2, 1, ())
    E = f.residual(W, H)
    assert E[0, 0] == 0
    assert torch.equal(E[1], (W @ H)[1] - torch.tensor([3, 4]))


def test_all_entries_observed_is_no_mask():
    A, (W, H) = toy_matrix(), batch(4, 2, 2, (3,))
    assert torch.equal(Frobenius(A, A > 0)(W, H), Frobenius(A)(W, H))


def one_block_of(f, W, H, which):
    """For one factor alone f is quadratic: its Hessian 2HHᵀ or 2WᵀW, and a descent step on that factor."""
    held = H @ H.mT if which == 0 else W.mT @ W
    values, vectors = torch.linalg.eigh(held)
    L = 2 * float(values[-1])

    def step(eta):
        moved = [W.clone(), H.clone()]
        moved[which].grad = by_hand(f, W, H)[which]
        GradientDescent([moved[which]], eta).step()
        return moved

    return L, vectors[:, -1], step


@pytest.mark.parametrize("problem", range(60))
def test_the_objective_never_rises_below_the_step_2_over_L(problem):
    m, n, k = 2 + problem % 5, 2 + problem // 7 % 4, 1 + problem % 6
    f = Frobenius(low_rank_matrix(m, n, k=min(m, n), noise=0.1, seed=problem))
    W, H = low_rank_matrix(m, k, k=k, seed=problem + 100), low_rank_matrix(k, n, k=k, seed=problem + 200)
    rounding, before = 1e-12 * float(square(f.A)), float(f(W, H))
    for number in range(100):
        L, _, step = one_block_of(f, W, H, number % 2)
        W, H = step(1.99 / L)
        after = float(f(W, H))
        assert after <= before + rounding, f"step {number}: {before} -> {after}"
        before = after


@pytest.mark.parametrize("problem", range(20))
@pytest.mark.parametrize("which", [0, 1])
def test_the_objective_rises_above_the_step_2_over_L(problem, which):
    """From the best W for this H, moved along the top eigenvector: a step of c/L multiplies the excess by (1 − c)²."""
    m, n, k = 2 + problem % 5, 2 + problem % 4, 1 + problem % 3
    f = Frobenius(low_rank_matrix(m, n, k=min(m, n), seed=problem))
    W, H = low_rank_matrix(m, k, k=k, seed=problem + 100), low_rank_matrix(k, n, k=k, seed=problem + 200)
    W, H = (f.A @ torch.linalg.pinv(H), H) if which == 0 else (W, torch.linalg.pinv(W) @ f.A)
    lowest = float(f(W, H))
    _, top, _ = one_block_of(f, W, H, which)
    W, H = (W + torch.outer(torch.ones(m).double(), top), H) if which == 0 else (W, H + top[:, None])
    L, _, step = one_block_of(f, W, H, which)
    before, after = float(f(W, H)), float(f(*step(2.05 / L)))
    assert after > before
    assert after - lowest == pytest.approx(1.05**2 * (before - lowest), rel=1e-6)


LISTED = [(), {"lam": 0.3}]


def listed(m=6, n=5, seed=0):
    """Two thirds of a matrix as ratings."""
    A, M = low_rank_matrix(m, n, k=2, seed=seed), low_rank_matrix(m, n, k=4, seed=seed + 50) > -0.5
    user, item = M.nonzero().T
    return Ratings(user, item, A[M], (*range(m),), (*range(n),))


@pytest.mark.parametrize("runs", [*RUNS, (300,)])
@pytest.mark.parametrize("options", LISTED)
def test_masked_and_listed_entries_agree(runs, options):
    ratings, options = listed(), dict(options)
    masked, many = Frobenius(*ratings.to_dense(), **options), Observed(ratings, **options)
    W, H = batch(6, 5, 3, runs)
    assert torch.allclose(many(W, H), masked(W, H), rtol=1e-12, atol=0) and many(W, H).shape == runs
    for one, other in zip(many.gradient(W, H), masked.gradient(W, H), strict=True):
        assert float((one - other).abs().max()) <= 1e-12 * float(other.abs().max())
    seeds = torch.arange(int(np.prod(runs, dtype=int))).reshape(runs)
    one, other = (factorize(f, 2, eta=0.01, steps=50, seed=seeds) for f in (many, masked))
    assert torch.allclose(one.loss, other.loss, rtol=1e-12, atol=0)


@pytest.mark.parametrize("options", [{}, {"lam": 0.3}, {"lam": 0.3, "weighted": True, "mean": 1.5}])
@pytest.mark.parametrize("runs", RUNS)
def test_the_gradient_of_listed_entries_is_the_gradient(options, runs):
    whole, (W, H) = Observed(listed(), **options), batch(6, 5, 2, runs)
    for f in (whole, next(whole.sampled(7))):
        hand = by_hand(f, W, H)
        assert relative_difference(hand, by_autograd(f, W, H)) < 1e-13
        assert relative_difference(hand, by_differences(f, W, H)) < 1e-7


@pytest.mark.parametrize("weighted", [False, True])
def test_with_biases_the_gradient_is_that_of_what_is_free(weighted):
    f = Observed(listed(), lam=0.3, mean=2.0, weighted=weighted, biases=True)
    W, H = with_biases(batch(6, 5, 2, (3,)))
    W[..., 0], H[..., -1, :] = 0.5, -0.5
    for way in (by_autograd, by_differences):
        for own, theirs, fixed in zip(by_hand(f, W, H), way(f, W, H), ((..., -1), (..., 0, slice(None))), strict=True):
            assert not own[fixed].any() and theirs[fixed].any()
            theirs[fixed] = 0
            assert float((own - theirs).abs().max()) < 1e-6


def test_the_loss_with_biases_is_the_formula():
    ratings = listed()
    b, c, w, h = (low_rank_matrix(*shape, k=1, seed=7).numpy() for shape in ((6, 1), (1, 5), (6, 2), (2, 5)))
    W = torch.from_numpy(np.hstack((b, w, np.ones((6, 1)))))
    H = torch.from_numpy(np.vstack((np.ones((1, 5)), h, c)))
    triples = [*zip(ratings.user.tolist(), ratings.item.tolist(), ratings.value.tolist(), strict=True)]
    errors = [(2.0 + b[u, 0] + c[0, i] + w[u] @ h[:, i] - r) ** 2 for u, i, r in triples]
    whole = b[:, 0] ** 2 + (w**2).sum(1), c[0] ** 2 + (h**2).sum(0)
    plain = sum(errors) + 0.3 * (whole[0].sum() + whole[1].sum())
    weighted = sum(errors) + 0.3 * sum(whole[0][u] + whole[1][i] for u, i, _ in triples)
    for expected, flag in ((plain, False), (weighted, True)):
        f = Observed(ratings, lam=0.3, mean=2.0, biases=True, weighted=flag)
        assert float(f(W, H)) == pytest.approx(expected, rel=1e-13)


def test_biases_are_learnt_by_the_one_loop_and_the_ones_stay():
    ratings, start = listed(), with_biases(random_factors(6, 5, 1, seed=1, scale=0.1))
    f = Observed(ratings, lam=0.1, mean=ratings.mean, biases=True, weighted=True)
    for rule in (GradientDescent, Adam):
        run = factorize(f, start=tuple(start), eta=0.02, steps=500, rule=rule)
        assert (run.W[:, -1] == 1).all() and (run.H[0] == 1).all()
        assert run.W[:, 0].any() and run.H[-1].any() and run.loss[-1] < 0.5 * run.loss[0]
    best = min(float(sweep.loss) for sweep in itertools.islice(als_double(ratings, 1, 0.1), 300))
    long = factorize(f, start=tuple(start), eta=0.02, steps=20_000)
    assert float(long.loss[-1]) == pytest.approx(best, rel=1e-6)


def als_double(ratings, k, lam):
    return als(ratings, k, lam=lam, dtype=torch.float64)


@pytest.mark.parametrize("weighted", [False, True])
def test_sampled_gradients_are_the_gradient_on_average(weighted):
    f, (W, H) = Observed(listed(), lam=0.3, weighted=weighted, mean=1.0), batch(6, 5, 2, ())
    size = len(f.goal)
    assert size % 7
    parts = [*itertools.islice(f.sampled(7), -(-size // 7))]
    seen = torch.cat([part.user * 5 + part.item for part in parts])
    assert len(parts[0].goal) == 7 and seen.unique().numel() == len(seen) == size
    mean = [sum(len(p.goal) / size * p.gradient(W, H)[side] for p in parts) for side in (0, 1)]
    assert relative_difference(tuple(mean), f.gradient(W, H)) < 1e-13


def test_stochastic_descent_comes_near_the_minimum():
    ratings = listed(30, 20)
    f = Observed(ratings, lam=0.05, mean=ratings.mean, biases=True, weighted=True)
    start = with_biases(random_factors(30, 20, 2, scale=0.1))
    run = record(descend(f.sampled(20, seed=1), start, partial(GradientDescent, eta=0.002)), f, steps=5000)
    best = min(float(sweep.loss) for sweep in itertools.islice(als_double(ratings, 2, 0.05), 200))
    assert float(run.loss[-1]) < 1.2 * best < 0.2 * float(run.loss[0])
    assert torch.equal(
        run.loss, record(descend(f.sampled(20, seed=1), start, partial(GradientDescent, eta=0.002)), f, steps=5000).loss
    )


@pytest.mark.parametrize("mask", [None, torch.tensor([[1, 0], [1, 1], [0, 1], [1, 1]])])
def test_factors_of_32_bits_have_loss_and_gradient_too(mask):
    f, point = Frobenius(toy_matrix(), mask, lam=0.1), random_factors(4, 2, 2)
    few = [X.float() for X in point]
    torch.testing.assert_close(f(*few), f(*point).float())
    for one, other in zip(f.gradient(*few), f.gradient(*point), strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other.float())
