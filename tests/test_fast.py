"""What the loop computes for speed is what `Frobenius` says, for every layout, size and option."""

import itertools

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from mflearn import fast
from mflearn.descent import random_factors
from mflearn.matrices import low_rank_matrix
from mflearn.nonnegative import multiplicative, nmf
from mflearn.objectives import Frobenius

OPTIONS = [{}, {"scale": 0.25}, {"lam": 0.3}, {"scale": 2.0, "lam": 0.1}]
RUNS = [(), (1,), (3,), (fast.MANY,), (2, fast.MANY)]
SHAPES = [(4, 2), (5, 7), (fast.LARGE // 250, 251)]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("shape", "runs"), [*itertools.product(SHAPES[:2], RUNS), (SHAPES[2], ()), (SHAPES[2], (2,))])
def test_loss_and_gradient_are_those_of_the_objective(shape, runs, masked, options):
    A = low_rank_matrix(*shape, k=min(shape), seed=1)
    f = Frobenius(A, A.median() < A if masked else None, **options)
    seeds = torch.arange(torch.Size(runs).numel()).view(runs)
    Z = fast.runs_last(random_factors(*shape, 3, seed=seeds).Z)
    W, H = Z[..., : shape[0], :], Z[..., shape[0] :, :].mT
    out = torch.empty_like(W), torch.empty_like(H)
    fast.gradient(f, W, H, out)
    torch.testing.assert_close(fast.loss(f, W, H), f(W, H), rtol=1e-12, atol=0)
    for quick, plain in zip(out, f.gradient(W, H), strict=True):
        torch.testing.assert_close(quick, plain, rtol=1e-11, atol=1e-12 * float(plain.abs().max()))


@pytest.mark.parametrize("runs", [(fast.MANY,), (2, fast.MANY)])
def test_many_runs_lie_last_in_memory_and_keep_their_numbers(runs):
    Z, few = torch.rand(*runs, 5, 3), torch.rand(fast.MANY - 1, 5, 3)
    assert torch.equal(fast.runs_last(Z), Z) and fast.runs_last(Z).stride(-3) == 1
    assert fast.runs_last(few) is few


def test_a_sum_of_outer_products_is_the_product():
    X, Y = (fast.runs_last(torch.rand(fast.MANY, *shape, dtype=torch.float64)) for shape in ((4, 3), (3, 5)))
    place = torch.empty(4, 5, fast.MANY, dtype=torch.float64).permute(2, 0, 1)
    assert X.stride(0) == 1 and fast.product(X, Y, place) is place
    torch.testing.assert_close(place, X.contiguous() @ Y.contiguous(), rtol=1e-14, atol=0)


def test_small_entries_are_raised_in_place_and_nan_stays():
    X = np.array([[1e-20, 2.0], [0.5, np.nan]])
    fast.raise_to(X, 1.0)
    np.testing.assert_array_equal(X, [[1, 2], [1, np.nan]])


def threads():
    """How many threads each BLAS of NumPy and SciPy would use, and torch."""
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }, torch.get_num_threads()


def test_non_negative_walks_compute_on_one_thread_and_leave_the_threads_as_they_were():
    seen, before = [], torch.get_num_threads()

    def watched(*given, **named):
        seen.append(threads())
        return multiplicative(*given, **named)

    torch.set_num_threads(2)
    try:
        with threadpool_limits(2, user_api="blas"):
            nmf(torch.ones(4, 3), 2, steps=2, method=watched)
            assert seen == [({1}, 1)] and threads() == ({2}, 2)
    finally:
        torch.set_num_threads(before)
