"""The updates are those of Lee & Seung, never raise the loss, and arrive where scikit-learn does; parts are matched."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from scipy.sparse import coo_matrix, csc_array, csr_array, csr_matrix
from sklearn.decomposition import NMF

from mflearn import fast
from mflearn.descent import factorize, random_factors, record
from mflearn.gradients import by_autograd
from mflearn.matrices import digits, docstring_words, toy_matrix
from mflearn.nonnegative import (
    SPARSE,
    Data,
    match,
    multiplicative,
    nmf,
    projected,
    random_start,
    stability,
)
from mflearn.objectives import Frobenius, square

METHODS = [multiplicative, projected]


def uniform(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random(shape))


def some(*shape, share=0.05, seed=0):
    """Few entries above 0."""
    return uniform(*shape, seed=seed) * (uniform(*shape, seed=seed + 1) < share)


def walk(A, start, *, steps, method=multiplicative, **options):
    """A recorded walk from this start."""
    return record(method(A, start), Data(A), steps=steps, **options)


def with_holes():
    A = uniform(9, 7)
    A[3], A[:, 2] = 0, 0
    return A


MATRICES = {
    "toy": toy_matrix(),
    "tall": uniform(30, 6),
    "wide": uniform(5, 40, seed=1),
    "of exact rank": uniform(20, 3) @ uniform(3, 15, seed=2),
    "a zero row and column": with_holes(),
    "sparse": some(40, 30),
    "large": uniform(300, 256, seed=3) ** 3,
    "large numbers": 1e12 * uniform(8, 9),
    "small numbers": 1e-12 * uniform(8, 9),
    "zero": torch.zeros(4, 3),
    "1×1": torch.tensor([[3.0]]),
}


@pytest.fixture(scope="module")
def texts():
    return docstring_words().A


def test_one_step_is_the_formula_of_lee_and_seung():
    """Entry by entry, in numpy; the loss is known from the residual."""
    A, (W, H) = uniform(4, 5), random_start(uniform(4, 5), 2)
    start, later = itertools.islice(multiplicative(A, (W, H)), 2)
    W, H, A = W.numpy().copy(), H.numpy().copy(), A.numpy()
    assert np.array_equal(start.W, W) and np.array_equal(start.H, H)
    old = W.copy()
    for i, c in np.ndindex(4, 2):
        W[i, c] *= sum(A[i, j] * H[c, j] for j in range(5)) / sum((old @ H)[i, j] * H[c, j] for j in range(5))
    old = H.copy()
    for c, j in np.ndindex(2, 5):
        H[c, j] *= sum(W[i, c] * A[i, j] for i in range(4)) / sum(W[i, c] * (W @ old)[i, j] for i in range(4))
    assert np.allclose(later.W, W, rtol=1e-13) and np.allclose(later.H, H, rtol=1e-13)


def test_one_projected_step_goes_down_the_gradient_and_is_cut_off_at_zero():
    A, start = uniform(6, 5) ** 4, random_start(uniform(6, 5), 3)
    _, later = itertools.islice(projected(A, start), 2)
    W, H = start
    for side in (0, 1):
        slope = by_autograd(Frobenius(A), W, H)[side]
        fixed = (H, W)[side].numpy()
        step = slope / (2 * np.linalg.norm(fixed, 2) ** 2)
        W, H = ((W - step).clamp_min(0), H) if side == 0 else (W, (H - step).clamp_min(0))
    assert torch.allclose(later.W, W, atol=1e-13) and torch.allclose(later.H, H, atol=1e-13)
    assert (later.Z == 0).any()


@pytest.mark.parametrize("repeats", [1, 4])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", MATRICES)
def test_no_step_raises_the_loss_and_no_entry_is_negative(name, method, repeats):
    """From random starts, one with zeros, and one far too large; measured on the residual itself."""
    A, k = MATRICES[name].double(), 3
    m, n = A.shape
    random = random_start(A, k, seed=[0, 1])
    holes = random.W[0] * (uniform(m, k) < 0.5), random.H[0] * (uniform(k, n) < 0.5)
    large = 1e3 * random.W[0], 1e3 * random.H[0]
    for start in (random, holes, large):
        points = list(itertools.islice(method(A, start, repeats=repeats), 120))
        loss = torch.stack([Frobenius(A)(*point) for point in points])
        rounding = 1e-13 * float(torch.maximum(loss[0].max(), square(A)))
        assert (loss.diff(dim=0) <= rounding).all()
        assert all(point.Z.isfinite().all() and (point.Z >= 0).all() for point in points)
        assert start is not large or loss[-1] < 0.01 * loss[0] or not A.any()


def test_updating_both_from_the_old_pair_can_raise_the_loss():
    """Why W comes first: the same formulas, taken together."""
    A, (W, H) = uniform(20, 15), random_start(uniform(20, 15), 1, seed=1)
    W, H = 0.2 * W, 0.2 * H
    together = W * (A @ H.mT) / (W @ (H @ H.mT)), H * (W.mT @ A) / ((W.mT @ W) @ H)
    assert Frobenius(A)(*together) > Frobenius(A)(W, H) > walk(A, (W, H), steps=1).loss[-1]


@pytest.mark.parametrize("k", [5, 16])
def test_we_walk_as_scikit_learn_walks_on_digits(k):
    """The same start, the same number of updates, and the same factors, entry by entry."""
    A = digits().A
    start = random_start(A, k)
    ours = walk(A, start, steps=30)
    theirs = NMF(k, init="custom", solver="mu", max_iter=30, tol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 30 updates do not settle
        W = theirs.fit_transform(A.numpy(), W=start.W.numpy().copy(), H=start.H.numpy().copy())
    assert np.allclose(ours.W, W, rtol=1e-9, atol=1e-9) and np.allclose(
        ours.H, theirs.components_, rtol=1e-9, atol=1e-9
    )
    assert float(ours.loss[-1]) == pytest.approx(theirs.reconstruction_err_**2, rel=1e-10)


@pytest.fixture(scope="module")
def theirs(texts):
    """The objective of scikit-learn's own default, coordinate descent: the mean over five random starts."""

    def fit(A, k, seed):
        start = random_start(A, k, seed=seed)
        model = NMF(k, init="custom", solver="cd", max_iter=300, tol=1e-6)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit_transform(A.numpy(), W=start.W.numpy().copy(), H=start.H.numpy().copy())
        return model.reconstruction_err_**2

    matrices = {"digits": (digits().A[::3], 16), "texts": (texts, 10)}
    return {name: (A, k, np.mean([fit(A, k, seed) for seed in range(5)])) for name, (A, k) in matrices.items()}


@pytest.mark.parametrize(
    ("name", "method", "repeats", "steps"),
    [
        ("digits", multiplicative, 10, 1000),
        ("digits", projected, 5, 1000),
        ("texts", multiplicative, 5, 200),
        ("texts", projected, 5, 200),
    ],
)
def test_the_objective_is_scikit_learns_to_one_percent(name, method, repeats, steps, theirs):
    """From the same five starts: single runs end in different valleys, ours as theirs."""
    A, k, mean = theirs[name]
    run = nmf(A, k, steps=steps, method=method, repeats=repeats, seed=range(5))
    assert float(run.loss[-1].mean()) == pytest.approx(mean, rel=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_a_walk_rests_only_where_the_gradient_allows(method):
    """Karush, Kuhn & Tucker: the slope is 0 where an entry is above 0, and points upwards where it is 0."""
    A = uniform(12, 10) * (uniform(12, 10, seed=1) < 0.7)
    run = nmf(A, 3, steps=30_000, method=method)
    for X, slope in zip((run.W, run.H), Frobenius(A).gradient(run.W, run.H), strict=True):
        size = float(A.max())
        assert (X * slope).abs().max() < 1e-6 * size
        assert slope.min() > -1e-6 * size
        assert (X < 1e-9).any() and slope[X < 1e-9].max() > 1e-3 * size  # some entries would like to be negative


def test_a_zero_grows_again_where_the_formula_alone_would_hold_it_for_ever():
    A = torch.ones(4, 3, dtype=torch.float64)
    W, H = torch.tensor([[0.0], [1], [1], [1]], dtype=torch.float64), torch.ones(1, 3, dtype=torch.float64)
    assert (W * (A @ H.mT) / (W @ H @ H.mT).clamp_min(1e-300))[0] == 0
    for method in METHODS:
        run = walk(A, (W, H), steps=200, method=method)
        assert float(run.W[0] @ run.H[:, 0]) == pytest.approx(1, rel=1e-9) and run.loss[-1] < 1e-12


def test_a_matrix_of_exact_rank_is_found():
    run = nmf(uniform(20, 3) @ uniform(3, 15, seed=2), 3, steps=3000, repeats=5)
    assert run.loss[-1] < 1e-5 * run.loss[0]


@pytest.mark.parametrize("power", [40, 330, -330])  # 2³³⁰ is about 10⁹⁹, close to the largest size that is allowed
@pytest.mark.parametrize("method", METHODS)
def test_the_scale_of_a_does_not_matter(method, power):
    """W H follows A, exactly up to rounding, and so does the start."""
    A = uniform(8, 6)
    one, other = (nmf(scale * A, 2, steps=50, method=method) for scale in (1.0, 2.0**power))
    assert not other.diverged and torch.allclose(2.0**-power * other.WH, one.WH, rtol=1e-10)


def test_a_transposed_is_the_other_half_first():
    """Wᵀ and Hᵀ swap their parts; after many steps both orders have come to rest at the same place."""
    A = uniform(8, 6)
    W, H = random_start(A, 1)
    one, other = walk(A, (W, H), steps=500), walk(A.mT, (H.mT, W.mT), steps=500)
    assert torch.allclose(one.WH, other.WH.mT, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("A", [uniform(12, 9), some(60, 50), uniform(300, 250)], ids=["dense", "sparse", "large"])
def test_a_batch_is_its_runs(A, method):
    batch = walk(A, random_start(A, 3, seed=[[0, 1], [2, 3]]), steps=40, method=method, keep_path=True)
    assert batch.loss.shape == (41, 2, 2) and batch.k.tolist() == [[3, 3], [3, 3]]
    for i, j in np.ndindex(2, 2):
        alone = walk(A, random_start(A, 3, seed=2 * i + j), steps=40, method=method, keep_path=True)
        assert torch.allclose(batch[i, j].loss, alone.loss, rtol=1e-9)
        assert torch.allclose(batch[i, j].path.Z, alone.path.Z, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("kind", [csr_array, csc_array, csr_matrix, coo_matrix, torch.Tensor.tolist])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_sparse_matrix_is_the_same_matrix(kind, share, quick, monkeypatch):
    """Also where torch has no fast sparse product."""
    if not quick:
        monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: False)
    A = some(50, 40, share=share)
    ours = nmf(kind(A if kind is torch.Tensor.tolist else A.numpy()), 4, steps=60)
    dense = [Frobenius(A)(*point) for point in itertools.islice(multiplicative(A.clone(), random_start(A, 4)), 61)]
    assert torch.allclose(ours.loss, torch.stack(dense), rtol=1e-9)
    stacked = coo_matrix(([1.0, 2], ([0, 0], [1, 1])), shape=(2, 2))  # one entry, in two parts
    assert Data(stacked).times(np.eye(2)).tolist() == [[0, 3], [0, 0]]


@pytest.mark.parametrize("shape", [(30, 20), (300, 256)])
@pytest.mark.parametrize("share", [SPARSE / 2, 1.0])
@pytest.mark.parametrize("runs", [(), (2,), (2, 3)])
def test_the_loss_is_that_of_the_residual(shape, share, runs):
    A = some(*shape, share=share)
    data = Data(A)
    assert (shape[0] * shape[1] >= fast.LARGE) == (shape == (300, 256))
    seeds = torch.arange(6)[: int(np.prod(runs))].reshape(runs) if runs else 0
    W, H = random_factors(*shape, 3, seed=seeds)
    assert data(W, H).shape == runs
    assert torch.allclose(data(W, H), Frobenius(A)(W, H), rtol=1e-10)
    assert np.allclose(data.times_transposed(H.numpy()), H @ A.mT)
    assert np.allclose(data.times(W.mT.numpy()), W.mT @ A)


def test_nmf_is_a_recorded_walk_from_a_random_start():
    A = uniform(10, 8)
    run = record(multiplicative(A, random_start(A, 2, seed=4)), Frobenius(A), steps=30)
    friendly = nmf(A, 2, steps=30, seed=4)
    assert torch.equal(run.factors.Z, friendly.factors.Z) and torch.allclose(run.loss, friendly.loss, rtol=1e-12)


def test_a_start_that_the_caller_keeps_stays_as_it_was():
    A = uniform(6, 5)
    points = list(itertools.islice(multiplicative(A, random_start(A, 2)), 4))
    points[1].Z.zero_()
    assert points[0].Z.all() and points[2].Z.all() and points[3].Z.all()


def test_a_random_start_has_the_mean_of_the_matrix():
    A = 7 * some(200, 150, share=0.3)
    W, H = random_start(A, 20, seed=range(5))
    assert (W @ H).mean((-2, -1)).tolist() == pytest.approx([float(A.mean())] * 5, rel=0.05)
    assert torch.equal(random_start(A, 3, seed=[8, 9]).Z[1], random_start(A, 3, seed=9).Z)


def test_a_penalty_does_not_make_factors_nonnegative():
    """Descent on digits with λ has negative entries; the walks here have none."""
    A = digits().A[:100] / 16
    free = factorize(Frobenius(A, lam=0.1), 5, eta=1e-3, steps=500)
    assert (free.W < -0.01).any() or (free.H < -0.01).any()
    assert (nmf(A, 5, steps=500).factors.Z >= 0).all()


def test_match_undoes_order_and_scale():
    H = uniform(5, 30)
    order = torch.tensor([3, 0, 4, 1, 2])
    found = match(H, 7 * uniform(5, 1, seed=1) * H[order] + 1e-3 * uniform(5, 30, seed=2))
    assert torch.equal(order[found.order], torch.arange(5))
    assert (found.similarity > 0.999).all() and (found.similarity <= 1).all()


def test_match_finds_the_best_of_all_orders():
    for seed in range(20):
        H, other = uniform(5, 4, seed=seed), uniform(5, 4, seed=100 + seed)
        cosines = np.array([[h @ g / np.linalg.norm(h) / np.linalg.norm(g) for g in other] for h in H])
        best = max(sum(cosines[i, p[i]] for i in range(5)) for p in itertools.permutations(range(5)))
        found = match(H, other)
        assert float(found.similarity.sum()) == pytest.approx(best, rel=1e-12)
        assert [cosines[i, j] for i, j in enumerate(found.order)] == pytest.approx(found.similarity.tolist())


def test_a_part_that_is_zero_is_like_no_other():
    found = match([[0, 0], [1, 1]], [[2, 2], [0, 0]])
    assert found.order.tolist() == [1, 0] and found.similarity.tolist() == pytest.approx([0, 1])


def test_stability_of_the_same_parts_is_one_and_of_unrelated_ones_is_chance():
    H = uniform(4, 200)
    same = stability(torch.stack([H, 3 * H[[2, 0, 3, 1]], H[[3, 2, 1, 0]] / 5]))
    assert same.score == pytest.approx(1, abs=1e-12) and same.parts.tolist() == pytest.approx([1] * 4)
    assert 0.6 < same.chance < 0.9  # uniform vectors: 3/4
    unrelated = stability(uniform(6, 4, 200))
    assert unrelated.score == pytest.approx(unrelated.chance, abs=0.01)


def test_stability_names_the_part_that_does_not_hold_and_the_run_that_agrees_best():
    H = torch.eye(8, dtype=torch.float64)
    runs = torch.stack([H[:4] for _ in range(4)])
    for run in (0, 1, 3):
        runs[run, 3] += H[4 + run]  # the fourth part goes a way of its own in three runs
    found = stability(runs)
    assert found.reference == 2 and found.parts.tolist() == pytest.approx([1, 1, 1, 0.5**0.5])
    others = (3 + 0.5**0.5) / 4, (3 + 0.5) / 4  # of a pair with run 2; of two others
    assert found.score == pytest.approx(sum(others) / 2)


def test_topics_that_were_planted_are_stable_and_one_too_many_is_not():
    topics = torch.block_diag(*(uniform(4, 1, 12) + 0.5))
    A = uniform(120, 4, seed=1) ** 4 @ topics + 0.02 * uniform(120, 48, seed=2)
    right, more = (stability(nmf(A, k, steps=400, seed=range(6), repeats=3).H) for k in (4, 6))
    assert right.score > 0.999 > 0.95 > more.score > more.chance
    assert int((more.parts > 0.99).sum()) <= 5


def test_the_seed_of_the_shuffling_decides():
    H = uniform(3, 4, 20)
    assert stability(H, seed=1).chance == stability(H, seed=1).chance != stability(H, seed=2).chance
    assert stability(H, seed=1).score == stability(H, seed=2).score
