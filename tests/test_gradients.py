"""The three gradients agree, and each is the gradient."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mflearn.descent import random_factors
from mflearn.gradients import by_autograd, by_differences, by_hand, hessian, relative_difference
from mflearn.matrices import low_rank_matrix
from mflearn.objectives import Frobenius, square


@st.composite
def points(draw):
    """An objective and a point: square and not, k below and above min(m, n), with and without mask, λ, scale, runs."""
    m, n, k = (draw(st.integers(1, most)) for most in (5, 5, 7))
    runs = draw(st.sampled_from([(), (3,), (2, 3)]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    normal = lambda *shape: torch.randn(*shape, dtype=torch.float64, generator=generator)  # noqa: E731
    mask = None
    if draw(st.booleans()):
        mask = normal(m, n) > 0
        mask[draw(st.integers(0, m - 1)), draw(st.integers(0, n - 1))] = True
    lam, scale = draw(st.sampled_from([0.0, 0.3])), draw(st.sampled_from([1.0, 0.5, 1 / (m * n)]))
    return Frobenius(normal(m, n), mask, lam=lam, scale=scale), normal(*runs, m, k), normal(*runs, k, n)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(points())
def test_gradient_by_hand_is_the_gradient(point):
    by_formula = by_hand(*point)
    assert [slope.shape for slope in by_formula] == [X.shape for X in point[1:]]
    assert relative_difference(by_formula, by_autograd(*point)) < 1e-12
    assert relative_difference(by_formula, by_differences(*point)) < 1e-6


def test_the_gradient_of_a_small_case_is_the_one_on_paper():
    """A = 5, W = 2, H = 3: E = 1, ∂f/∂W = 2 E H = 6, ∂f/∂H = 2 E W = 4."""
    W, H = torch.tensor([[2.0]], dtype=torch.float64), torch.tensor([[3.0]], dtype=torch.float64)
    assert [slope.item() for slope in by_hand(Frobenius([[5]]), W, H)] == [6, 4]
    assert [slope.item() for slope in by_hand(Frobenius([[5]], scale=1 / 2), W, H)] == [3, 2]
    assert [slope.item() for slope in by_hand(Frobenius([[5]], lam=1), W, H)] == [6 + 4, 4 + 6]


@pytest.mark.parametrize("gradient", [by_hand, by_autograd, by_differences])
def test_a_gradient_leaves_its_point_alone(gradient):
    W, H = low_rank_matrix(4, 2, k=2, seed=1), low_rank_matrix(2, 3, k=2, seed=2).requires_grad_()
    kept = W.numpy().tobytes(), H.detach().numpy().tobytes()

    class Watching(Frobenius):
        def __call__(self, *point):
            assert (W.numpy().tobytes(), H.detach().numpy().tobytes()) == kept  # not even for a moment
            return super().__call__(*point)

    gradient(Watching(low_rank_matrix(4, 3, k=2)), W, H)
    assert (W.numpy().tobytes(), H.detach().numpy().tobytes()) == kept
    assert H.grad is None and H.requires_grad and not W.requires_grad


def errors_of_differences(objective):
    W, H = low_rank_matrix(4, 2, k=2, seed=1), low_rank_matrix(2, 3, k=2, seed=2)
    exact = by_autograd(objective, W, H)
    return {p: relative_difference(by_differences(objective, W, H, delta=10.0**-p), exact) for p in range(1, 13)}


def test_the_error_of_differences_is_v_shaped():
    """Down as δ² where the formula is inexact, up as 1/δ where the subtraction is; here f is not quadratic in θ."""
    A = low_rank_matrix(4, 3, k=2)
    error = errors_of_differences(lambda W, H: (W @ H - A).pow(4).sum((-2, -1)))
    lowest = min(error, key=error.get)
    assert 4 <= lowest <= 7
    assert 80 < error[1] / error[2] < 120 and 80 < error[2] / error[3] < 120
    assert error[12] > 1e2 * error[9] > 1e3 * error[lowest]


def test_differences_of_a_quadratic_have_only_their_rounding_error():
    """‖A − W H‖² is quadratic in each single entry, so the central difference is exact: no left arm of the V."""
    error = errors_of_differences(Frobenius(low_rank_matrix(4, 3, k=2)))
    assert error[1] < 1e-13 and error[12] > 1e-6
    assert error[1] < error[4] < error[7] < error[10]


def test_relative_difference_is_what_it_says():
    one, other = (torch.tensor([[3.0]]), torch.tensor([[4.0]])), (torch.tensor([[0.0]]), torch.tensor([[5.0]]))
    zero = (torch.zeros(1, 1), torch.zeros(1, 1))
    assert relative_difference(one, other) == pytest.approx(10**0.5 / 5)
    assert relative_difference(one, one) == relative_difference(zero, zero) == 0
    assert relative_difference(one, zero) == float("inf")


def test_hessian_is_the_derivative_of_the_gradient():
    """Column j is the change of the gradient, W's entries first, along entry j; central differences of `by_hand`."""
    f, W, H = Frobenius(low_rank_matrix(4, 3, k=3), lam=0.1), low_rank_matrix(4, 2, k=2), low_rank_matrix(2, 3, k=2)
    theta, h = torch.cat([W.flatten(), H.flatten()]), 1e-5

    def slope(at):
        return torch.cat([part.flatten() for part in by_hand(f, at[:8].view(4, 2), at[8:].view(2, 3))])

    columns = [(slope(theta + h * e) - slope(theta - h * e)) / (2 * h) for e in torch.eye(14, dtype=torch.float64)]
    second = hessian(f, W, H)
    assert second.shape == (14, 14)
    assert torch.allclose(second, torch.stack(columns, 1), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("gradient", [by_hand, by_autograd, by_differences])
def test_the_gradient_of_a_batch_is_that_of_its_runs(gradient):
    f = Frobenius(low_rank_matrix(4, 3, k=2), torch.eye(4)[:, :3], lam=0.1)
    W, H = random_factors(4, 3, 2, seed=[[0, 1, 2], [3, 4, 5]])
    slope_W, slope_H = gradient(f, W, H)
    for i, j in itertools.product(range(2), range(3)):
        assert relative_difference((slope_W[i, j], slope_H[i, j]), gradient(f, W[i, j], H[i, j])) < 1e-9


@pytest.mark.parametrize("scale", [1e-200, 1e-24, 1.0, 1e200])
def test_a_relative_difference_neither_vanishes_nor_overflows(scale):
    one, other = ((torch.tensor([[x]], dtype=torch.float64) * scale,) * 2 for x in (1.0, 2.0))
    assert relative_difference(one, other) == pytest.approx(0.5)
    assert relative_difference(one, one) == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_a_relative_difference_of_few_digits_is_computed_with_many(dtype):
    one, other = ((torch.tensor([[x]], dtype=dtype),) * 2 for x in (1e-4, 2e-4))
    assert relative_difference(one, other) == pytest.approx(0.5, rel=1e-2)


def test_a_loss_without_h_has_the_slope_0_there():
    W, H = random_factors(4, 2, 2)
    for way in (by_autograd, by_differences):
        slope_W, slope_H = way(lambda W, H: square(W), W, H)
        assert torch.allclose(slope_W, 2 * W, atol=1e-6) and not slope_H.any()


def test_differences_take_a_loss_that_is_a_number_of_python():
    f, (W, H) = Frobenius([[1, 2], [3, 4]]), random_factors(2, 2, 1)
    of_numbers = by_differences(lambda W, H: float(f(W, H)), W, H)
    assert relative_difference(of_numbers, by_hand(f, W, H)) < 1e-6


def test_gradients_of_any_kind_are_compared():
    W, H = random_factors(4, 2, 2)
    for kind in (lambda X: X.numpy(), lambda X: X.tolist(), lambda X: X.clone().requires_grad_()):
        assert relative_difference((2 * W, 2 * H), (kind(W), kind(H))) == pytest.approx(1)
    assert relative_difference((X for X in (2 * W, 2 * H)), (X for X in (W, H))) == pytest.approx(1)


def test_both_factors_hold_the_same_kind_of_numbers():
    A = torch.ones(4, 2, dtype=torch.float64)
    W, H = random_factors(4, 2, k=1, seed=0)
    for X, Y, words in (
        (W, H.float(), "W holds torch.float64, H holds torch.float32; both must hold the same kind"),
        (W.to_sparse(), H, "W is .*; it must be a dense tensor that holds its numbers"),
        (W, H.to("meta"), "H is .*; it must be a dense tensor that holds its numbers"),
    ):
        for f in (Frobenius(A), lambda W, H: by_differences(Frobenius(A), W, H)):
            with pytest.raises(TypeError, match=words):
                f(X, Y)
