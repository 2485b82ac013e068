"""The exact answers against numpy, against rivals, and against descent itself."""

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import brentq, minimize_scalar

from mflearn.checked import LEAST, MOST
from mflearn.descent import factorize, random_factors
from mflearn.exact import (
    energy,
    lowest_loss,
    median_factor,
    noise_threshold,
    numbers_stored,
    singular_values,
    stable_eta,
    threshold_factor,
    truncated_svd,
)
from mflearn.gradients import hessian
from mflearn.matrices import low_rank_matrix, matrix_with_singular_values, toy_matrix
from mflearn.objectives import Frobenius, square
from mflearn.scores import rmse

A = toy_matrix()
MATRICES = {
    "toy": A,
    "wide": low_rank_matrix(3, 7, k=3, seed=1),
    "tall, rank 2": low_rank_matrix(9, 4, k=2, seed=2),
    "square": matrix_with_singular_values([5.0, 2.0, 2.0, 0.1], m=4, n=4),
    "1×1": torch.tensor([[-3.0]]),
    "zero": torch.zeros(3, 2),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("k", [1, 2, 3, 10])
def test_truncated_svd_attains_the_lowest_loss_and_is_balanced(name, k):
    A = MATRICES[name].double()
    U, sigma, Vt = np.linalg.svd(A.numpy(), full_matrices=False)
    best = truncated_svd(A, k)
    size = max(1.0, float(square(A)))
    assert best.W.shape == (len(A), k) and best.H.shape == (k, A.shape[1])
    if k >= len(sigma) or sigma[k - 1] > sigma[k] + 1e-9:  # else the product is one of many that are as good
        assert np.allclose(best.W @ best.H, U[:, :k] * sigma[:k] @ Vt[:k], atol=1e-12 * size)
    assert float(lowest_loss(A, k)) == pytest.approx((sigma[k:] ** 2).sum(), abs=1e-12 * size)
    assert float(Frobenius(A)(*best)) == pytest.approx(float(lowest_loss(A, k)), abs=1e-12 * size)
    assert torch.allclose(best.W.mT @ best.W, best.H @ best.H.mT, atol=1e-12 * size)
    assert np.allclose(singular_values(A), sigma, atol=1e-12 * size)


def test_singular_vectors_have_the_same_signs_on_every_machine(monkeypatch):
    """The largest entry of each row of H is positive, whatever the library gives; where two are as large, the first."""
    A = torch.tensor([[2.0, -2, 0], [0, 0, -1]], dtype=torch.float64)
    U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
    for signs in itertools.product((-1, 1), repeat=2):
        turn = torch.tensor(signs, dtype=torch.float64)
        turned = U * turn, sigma, turn[:, None] * Vt
        monkeypatch.setattr(torch.linalg, "svd", lambda *_, given=turned, **__: given)
        W, H = truncated_svd(A, 2)
        assert H.round(decimals=9).sign().tolist() == [[1, -1, 0], [0, 0, 1]] and torch.allclose(W @ H, A)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_no_matrix_of_rank_k_has_a_lower_loss(k):
    """10 000 rivals: the best W for a random H, and the best product moved a little."""
    A = matrix_with_singular_values([3.0, 2.5, 1.0, 0.5], m=6, n=5, seed=k)
    f, lowest, count = Frobenius(A), float(lowest_loss(A, k)), 5000
    H = random_factors(6, 5, k, seed=range(count)).H - 0.5
    for_random_rows = f(A @ torch.linalg.pinv(H), H)
    best, noise = truncated_svd(A, k), random_factors(6, 5, k, seed=range(count), scale=1e-2)
    near = f(best.W + noise.W - 5e-3, best.H + noise.H - 5e-3)
    assert for_random_rows.min() > lowest and near.min() > lowest
    assert near.min() < 1.01 * lowest + 1e-9  # the rivals come close


def test_the_toy_matrix_has_the_singular_values_in_its_docstring():
    """σ² are the roots of x² − 54 x + 9 = 0: the trace and the determinant of AᵀA, by hand."""
    by_hand = [(27 + s * 720**0.5) ** 0.5 for s in (1, -1)]
    assert singular_values(A).tolist() == pytest.approx(by_hand, rel=1e-12)
    assert [round(value, 5) for value in by_hand] == [7.33708, 0.40888]


@pytest.mark.parametrize(("c", "expected"), [(1.0, 1 / 2), (1 / 2, 1.0), (1 / 8, 8 / 2)])
def test_stable_eta_for_the_sum_the_half_and_the_mean(c, expected):
    """1/(2σ₁), 1/σ₁, and mn/(2σ₁) for this 4×2 matrix."""
    largest = np.linalg.norm(A.numpy(), 2)
    assert float(stable_eta(A, scale=c)) == pytest.approx(expected / largest, rel=1e-14)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("c", [1.0, 1 / 2, 1 / 8])
def test_descent_settles_below_stable_eta_and_not_above(k, c):
    """All seeds: 0.99 η* reaches the lowest loss; 1.01 η* oscillates, bounded, around it; 2 η* diverges."""
    f, lowest, limit = Frobenius(A, scale=c), c * float(lowest_loss(A, k)), float(stable_eta(A, scale=c))
    below, above, twice = (
        factorize(f, k, eta=factor * limit, steps=6000, seed=range(20)) for factor in (0.99, 1.01, 2)
    )
    assert not below.diverged.any() and (below.loss[-1] - lowest < 1e-9).all()
    assert not above.diverged.any() and (above.loss[-100:].amax(0) - lowest > 1e-3).all()
    assert above.loss[-1000:].max() < c * float(square(A))
    assert twice.diverged.all()


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("c", [1.0, 1 / 2])
def test_at_the_balanced_minimum_the_largest_curvature_is_four_sigma(k, c):
    """And k² directions are flat: W G, G⁻¹ H is the same product for every invertible k×k matrix G."""
    largest = float(singular_values(A)[0])
    second = hessian(Frobenius(A, scale=c), *truncated_svd(A, k))
    values = torch.linalg.eigvalsh(second)
    assert float(values[-1]) == pytest.approx(4 * c * largest, rel=1e-9)
    assert int((values.abs() < 1e-9 * largest).sum()) == k**2
    assert values[0] > -1e-9 * largest  # a minimum
    assert float(stable_eta(A, scale=c)) == pytest.approx(2 / float(values[-1]), rel=1e-9)


@pytest.mark.parametrize(("shape", "k"), [((5, 4), 2), ((3, 6), 3), ((4, 4), 1)])
def test_curvature_and_flat_directions_of_other_matrices(shape, k):
    A = matrix_with_singular_values([4.0, 3.0, 2.0], m=shape[0], n=shape[1], seed=3)
    values = torch.linalg.eigvalsh(hessian(Frobenius(A), *truncated_svd(A, k)))
    assert float(values[-1]) == pytest.approx(4 * 4.0, rel=1e-9)
    assert int((values.abs() < 1e-9 * 4).sum()) == k**2


@pytest.mark.parametrize("name", [name for name in MATRICES if name != "zero"])
def test_energy_is_what_the_lowest_loss_leaves(name):
    A = MATRICES[name].double()
    shares = energy(A)
    assert shares.shape == singular_values(A).shape and float(shares[-1]) == pytest.approx(1, rel=1e-14)
    for k in range(1, len(shares) + 1):
        assert float(shares[k - 1]) == pytest.approx(1 - float(lowest_loss(A, k) / square(A)), abs=1e-12)


def test_energy_is_not_the_share_of_the_singular_values_themselves():
    assert energy(torch.diag(torch.tensor([3.0, 1.0]))).tolist() == pytest.approx([0.9, 1.0])  # not 0.75


@pytest.mark.parametrize(("m", "n", "k"), [(4, 2, 1), (4, 2, 2), (300, 256, 20), (1, 1, 3)])
def test_numbers_stored_are_counted(m, n, k):
    W, H = random_factors(m, n, k)
    assert numbers_stored(m, n, k) == W.numel() + H.numel()


def spike(x, beta):
    """Where a singular value x of the signal is seen in noise, and what keeping or dropping it costs.

    Benaych-Georges & Nadakuditi 2012: the observed value y, and the cosines c and d between the observed and the
    true singular vectors. The cost is ‖x u vᵀ − y u' v'ᵀ‖² for x above β^(1/4).
    """
    y = np.sqrt((x + 1 / x) * (x + beta / x))
    c = np.sqrt((x**4 - beta) / (x**4 + beta * x**2))
    d = np.sqrt((x**4 - beta) / (x**4 + x**2))
    return y, x**2 + y**2 - 2 * x * y * c * d, x**2


@pytest.mark.parametrize("beta", [1.0, 0.7, 0.3, 0.05])
def test_the_threshold_is_where_keeping_begins_to_pay(beta):
    """By root finding on the costs; and no other threshold has a smaller worst cost, by minimisation."""
    x = brentq(lambda x: np.subtract(*spike(x, beta)[1:]), beta**0.25 * (1 + 1e-9), 10)
    assert threshold_factor(beta) == pytest.approx(spike(x, beta)[0], rel=1e-9)

    signals = np.linspace(beta**0.25 * (1 + 1e-9), 6, 20_000)
    seen, kept, dropped = spike(signals, beta)

    def regret(threshold):  # against knowing which of the two is cheaper
        return np.max(np.where(seen > threshold, kept, dropped) - np.minimum(kept, dropped))

    best = minimize_scalar(regret, bounds=(1 + beta**0.5, 4), method="bounded", options={"xatol": 1e-5}).x
    assert threshold_factor(beta) == pytest.approx(best, abs=1e-3)


def test_the_published_constants():
    """Gavish & Donoho 2014: 4/√3 and 2.858 for square matrices, and for ω(β) a polynomial good to 0.02."""
    assert threshold_factor(1.0) == pytest.approx(4 / 3**0.5, rel=1e-14)
    assert round(median_factor(1.0), 3) == 2.858
    for beta in np.linspace(0.01, 1, 34):
        assert abs(median_factor(beta) - (0.56 * beta**3 - 0.95 * beta**2 + 1.82 * beta + 1.43)) < 0.02
    assert median_factor(1e-9) == pytest.approx(2**0.5, abs=1e-4)  # thin matrices: √2 · 1


@pytest.mark.parametrize(("m", "n"), [(600, 600), (200, 800), (900, 90)])
def test_the_median_of_pure_noise_is_the_one_of_the_law(m, n):
    N = np.random.default_rng(m).standard_normal((m, n))
    median = float(noise_threshold(N)) / median_factor(min(m, n) / max(m, n))
    assert median == pytest.approx(np.median(np.linalg.svd(N, compute_uv=False)), rel=1e-12)
    assert float(noise_threshold(N)) == pytest.approx(float(noise_threshold(N, sigma=1.0)), rel=5e-3)


@pytest.mark.parametrize(("m", "n"), [(120, 120), (100, 250), (250, 100)])
def test_the_threshold_finds_the_rank_that_is_closest_to_the_truth(m, n):
    """Strong and weak signals in noise: keeping what is above it is never far from the best k, known only to us."""
    for seed in range(5):
        X = matrix_with_singular_values([80.0, 60, 45, 38, 25, 12, 6, 3], m=m, n=n, seed=seed)
        A = X + torch.from_numpy(np.random.default_rng(seed).standard_normal((m, n)))
        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
        apart = torch.stack([square(U[:, :k] * sigma[:k] @ Vt[:k] - X) for k in range(20)])
        for threshold in (noise_threshold(A, sigma=1.0), noise_threshold(A)):
            k = int((sigma > threshold).sum())
            assert 3 <= k <= 5 and apart[k] <= 1.1 * apart.min()
        assert apart[int((sigma > (m**0.5 + n**0.5)).sum())] >= apart.min()


def test_noise_of_another_size_moves_the_threshold_with_it():
    A = low_rank_matrix(40, 30, k=2, noise=1.0)
    assert float(noise_threshold(7 * A)) == pytest.approx(7 * float(noise_threshold(A)), rel=1e-12)
    assert float(noise_threshold(A, sigma=0.5)) == pytest.approx(threshold_factor(0.75) * 40**0.5 / 2, rel=1e-14)
    assert torch.equal(noise_threshold(A.mT, sigma=2.0), noise_threshold(A, sigma=2.0))
    assert noise_threshold(A, sigma=0.0) == 0


@pytest.mark.parametrize("size", [LEAST, MOST, -MOST])
def test_the_answers_are_finite_for_the_largest_and_smallest_entries_that_are_allowed(size):
    A = [[size, 0], [0, size]]
    assert energy(A).tolist() == pytest.approx([0.5, 1.0], rel=1e-12)
    assert float(lowest_loss(A, 1)) == pytest.approx(size**2, rel=1e-7)
    assert [float(stable_eta(A, scale=c)) for c in (LEAST, MOST)] == pytest.approx(
        [0.5 / abs(size) / c for c in (LEAST, MOST)], rel=1e-12
    )
    assert rmse([size], [-size]) == pytest.approx(2 * abs(size), rel=1e-7)
