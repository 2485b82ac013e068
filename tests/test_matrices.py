"""The matrices have the rank, the noise and the singular values asked for, the same ones every time."""

import numpy as np
import pytest
import torch

from mflearn.matrices import low_rank_matrix, matrix_with_singular_values, toy_matrix


def test_the_toy_matrix_is_the_one_of_the_course():
    assert toy_matrix().tolist() == [[5, 3], [3, 2], [2, 1], [1, 1]]
    assert toy_matrix().dtype == torch.float64
    toy_matrix().zero_()
    assert toy_matrix().sum() == 18  # each call makes its own


@pytest.mark.parametrize(("m", "n", "k"), [(6, 5, 2), (5, 6, 5), (1, 1, 1), (4, 3, 7)])
def test_a_low_rank_matrix_has_the_rank(m, n, k):
    A = low_rank_matrix(m, n, k=k)
    assert A.shape == (m, n) and A.dtype == torch.float64
    assert np.linalg.matrix_rank(A.numpy()) == min(m, n, k)


def test_noise_is_added_with_the_size_asked_for():
    clean, noisy, twice = (low_rank_matrix(200, 100, k=3, noise=noise, seed=1) for noise in (0.0, 0.5, 1.0))
    assert float((noisy - clean).std()) == pytest.approx(0.5, rel=0.02)
    assert torch.allclose(twice - clean, 2 * (noisy - clean))
    assert np.linalg.matrix_rank(noisy.numpy()) == 100


@pytest.mark.parametrize("sigma", [[3.0, 1.0], [2.0, 2.0, 2.0], [5.0], [4, 0.0, 1e-3]])
@pytest.mark.parametrize(("m", "n"), [(4, 3), (3, 5)])
def test_a_matrix_has_the_singular_values_asked_for(sigma, m, n):
    found = np.linalg.svd(matrix_with_singular_values(sigma, m=m, n=n, seed=2).numpy(), compute_uv=False)
    assert found == pytest.approx(sorted(sigma, reverse=True) + [0.0] * (min(m, n) - len(sigma)), abs=1e-12)


def test_the_seed_decides():
    makers = (
        lambda seed: low_rank_matrix(4, 3, k=2, noise=0.1, seed=seed),
        lambda seed: matrix_with_singular_values([2.0, 1.0], m=4, n=3, seed=seed),
    )
    for make in makers:
        assert torch.equal(make(3), make(3)) and not torch.equal(make(3), make(4))
