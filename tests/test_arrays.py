"""Matrices, factors, ranks and rates may come as arrays of any kind; nothing of the caller's is touched or kept."""

import itertools
import random
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from mflearn import nonnegative
from mflearn.descent import Adam, Run, descend, factorize, random_factors, record, with_biases
from mflearn.estimator import MatrixFactorization
from mflearn.exact import energy, lowest_loss, noise_threshold, singular_values, stable_eta, truncated_svd
from mflearn.gradients import by_autograd, by_differences, by_hand, hessian
from mflearn.matrices import low_rank_matrix, matrix_with_singular_values, toy_matrix
from mflearn.nonnegative import match, multiplicative, projected, random_start, stability
from mflearn.objectives import Frobenius, Observed
from mflearn.ratings import Ratings
from mflearn.recommend import als, bayes, fit, implicit

A = toy_matrix()
W, H = random_factors(4, 2, 2)
f = Frobenius(A)

SAME_MATRIX = {
    "list": [[5, 3], [3, 2], [2, 1], [1, 1]],
    "tuple of tuples": ((5.0, 3.0), (3.0, 2.0), (2.0, 1.0), (1.0, 1.0)),
    **{t: A.numpy().astype(t) for t in ("int8", "uint16", "int64", "float16", "float32", "float64", "longdouble")},
    **{str(t): A.to(t) for t in (torch.int32, torch.float16, torch.float32, torch.bfloat16, torch.float8_e4m3fn)},
    "objects": A.numpy().astype(object),
    "Decimal": [[Decimal(int(entry)) for entry in row] for row in A],
    "pandas of several kinds": pd.DataFrame({"a": [5, 3, 2, 1], "b": [Fraction(3), 2.0, True, np.int8(1)]}),
    "Fortran": np.asfortranarray(A.numpy()),
    "every other": np.repeat(np.repeat(A.numpy(), 2, 0), 3, 1)[::2, ::3],
    "transposed tensor": A.mT.contiguous().mT,
    "in a graph": A.clone().requires_grad_() * 1,
    "conjugate view": (A + 0j).conj().real,
    "list of tensors": list(A),
    "big-endian": A.numpy().astype(">f8"),
    "pandas": pd.DataFrame(A.numpy(), columns=["a", "gradient"]),
    "nothing masked": np.ma.masked_array(A.numpy(), mask=False),
}


@pytest.mark.parametrize("kind", SAME_MATRIX)
def test_a_matrix_of_any_kind_is_the_same_matrix(kind):
    given = SAME_MATRIX[kind]
    if isinstance(given, np.ndarray):
        given.setflags(write=False)
    ours, theirs = (factorize(matrix, 2, eta=0.02, steps=20).loss for matrix in (given, A))
    assert ours.dtype == torch.float64 and torch.equal(ours, theirs)
    assert torch.equal(singular_values(given), singular_values(A))


@pytest.mark.parametrize("kind", [bool, int, float, np.bool_, np.uint8])
def test_a_mask_of_any_kind_is_the_same_mask(kind):
    seen = (A.numpy() > 1).astype(kind)
    hidden = A.where(A > 1, torch.nan)
    for mask in (seen, seen.tolist(), torch.from_numpy(seen), np.asfortranarray(seen)):
        assert torch.equal(Frobenius(hidden, mask)(W, H), Frobenius(A, A > 1)(W, H))


@pytest.mark.parametrize("make", [list, tuple, np.array, torch.tensor])
def test_ranks_rates_seeds_and_starts_of_any_kind_are_the_same(make):
    run = factorize(A, make([1, 2]), eta=make([1 / 64, 1 / 32]), seed=make([3, 4]), steps=20)
    for i in range(2):
        alone = factorize(A, np.int32(1 + i), eta=np.float64([1 / 64, 1 / 32][i]), seed=torch.tensor(3 + i), steps=20)
        assert torch.allclose(run[i].loss, alone.loss, rtol=1e-12)
    start = [[1, 0.5], [0, 1], [1, 1], [0.5, 0]], [[1, 0], [0.5, 1]]
    one, other = (
        factorize(A, start=tuple(map(kind, start)), eta=0.01, steps=20).factors.Z
        for kind in (make, partial(torch.tensor, dtype=torch.float64))
    )
    assert torch.equal(one, other)


UNUSUAL = {
    "1×1, k above": (torch.tensor([[2.0]]), 3),
    "one row": (torch.tensor([[1.0, 2, 3]]), 2),
    "one column": (torch.tensor([[1.0], [2], [3]]), 2),
    "rank-deficient": (torch.ones(4, 3), 2),
    "negative": (-A, 1),
    "all zero": (torch.zeros(3, 2), 2),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_matrices_are_matrices(name):
    A, k = UNUSUAL[name]
    run = factorize(A, k, eta=0.9 * stable_eta(A) if A.any() else 0.4, steps=3000)
    assert not run.diverged and run.W.shape == (len(A), k) and run.H.shape == (k, A.shape[1])
    assert float(run.loss[-1]) == pytest.approx(float(lowest_loss(A, k)), abs=1e-9)


def rated(values):
    return Ratings.of([0, 1, 2, 3], [0, 1, 1, 1], values)


def points(walk):
    """The next three points, taken when the result is looked at."""
    return lambda: [point.Z for point in itertools.islice(walk, 3)]


def plain_descent(A, W, H):
    return descend([Frobenius(A)] * 9, (W, H), partial(Adam, eta=0.1))


CALLS = {  # name: (arguments that are the caller's arrays, the call)
    "matrix_with_singular_values": (("sigma",), partial(matrix_with_singular_values, m=4, n=3)),
    "low_rank_matrix": ((), partial(low_rank_matrix, 4, 3, k=2, noise=0.1)),
    "Frobenius": (
        ("A", "mask", "W", "H"),
        lambda A, mask, W, H: partial(Frobenius(A, mask).gradient, W.clone(), H.clone()),
    ),
    "Observed": (
        ("values", "W", "H"),
        lambda values, W, H: Observed(rated(values), lam=0.1, biases=True).gradient(W, H),
    ),
    "by_hand": (("W", "H"), partial(by_hand, f)),
    "by_autograd": (("W", "H"), partial(by_autograd, f)),
    "by_differences": (("W", "H"), partial(by_differences, f)),
    "hessian": (("W", "H"), partial(hessian, f)),
    "descend": (("A", "W", "H"), lambda A, W, H: points(plain_descent(A, W, H))),
    "record": (("A", "W", "H"), lambda A, W, H: record(plain_descent(A, W, H), f, steps=9, keep_path=True)),
    "random_factors": (("k", "seed"), lambda k, seed: random_factors(4, 2, k, seed=seed).Z),
    "with_biases": (("W", "H"), lambda W, H: with_biases((W, H)).Z),
    "factorize": (("A", "k", "eta", "seed"), partial(factorize, steps=9, keep_path=True)),
    "start": (("A", "W", "H", "eta"), lambda A, W, H, eta: factorize(A, start=(W, H), eta=eta, steps=9)),
    "singular_values": (("A",), singular_values),
    "truncated_svd": (("A",), lambda A: truncated_svd(A, 1).Z),
    "energy": (("A",), energy),
    "noise_threshold": (("A",), noise_threshold),
    "multiplicative": (("A", "W", "H"), lambda A, W, H: points(multiplicative(A, (W, H)))),
    "projected": (("A", "W", "H"), lambda A, W, H: points(projected(A, (W, H)))),
    "nonnegative": (("A", "seed"), lambda A, seed: nonnegative.nmf(A, 2, steps=9, seed=seed)),
    "random_start": (("A", "seed"), lambda A, seed: random_start(A, 2, seed=seed).Z),
    "match": (("W", "H"), lambda W, H: match(W[:2], H).similarity),
    "stability": (("A",), lambda A: stability([A[:2], A[2:]]).parts),
    "MatrixFactorization": (
        ("A",),
        lambda A: torch.from_numpy(MatrixFactorization(1, method="nmf").fit(A).components_),
    ),
    "split": (("values",), lambda values: [part.value for part in rated(values).split(0.3, cold=True)]),
    **{
        solver.__name__: (("values",), lambda values, solver=solver: fit(rated(values), 1, solver=solver, sweeps=2).H)
        for solver in (als, bayes, implicit)
    },
}


def arguments_of(name):
    """Fresh arrays, some of numpy and some of torch, all of them the caller's."""
    everything = {
        "A": A.numpy().copy(),
        "mask": np.array([[1, 0], [1, 1], [0, 1], [1, 1]]),
        "W": W.clone(),
        "H": H.clone(),
        "k": torch.tensor([1, 2]),
        "eta": np.array([0.01, 0.02]),
        "seed": torch.tensor([[1], [2]]),
        "sigma": np.array([2.0, 1.0]),
        "values": np.array([5.0, 3.0, 2.0, 4.0]),
    }
    return {key: everything[key] for key in CALLS[name][0]}


def numbers(result):
    """All numbers of a result, as bytes; what can be called is called now."""
    if isinstance(result, Run):
        result = [result.loss, result.factors.Z, result.last, *([result.path.Z] if result.path else [])]
    if isinstance(result, torch.Tensor):
        return result.detach().numpy().tobytes()
    return b"".join(map(numbers, result() if callable(result) else result))


def surroundings():
    kind, keys, *rest = np.random.get_state()
    states = torch.get_rng_state().numpy().tobytes(), kind, keys.tobytes(), *rest, random.getstate()
    return *states, torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled()


@pytest.mark.parametrize("name", CALLS)
def test_nothing_of_the_callers_is_touched(name):
    """Neither the arrays, nor the state of a random generator, nor the settings of torch."""
    for seed in (torch.manual_seed, np.random.seed, random.seed):
        seed(987654321)  # a state that no function would happen to leave behind
    arguments = arguments_of(name)
    before = [np.asarray(value).tobytes() for value in arguments.values()], surroundings()
    numbers(CALLS[name][1](**arguments))
    assert ([np.asarray(value).tobytes() for value in arguments.values()], surroundings()) == before


@pytest.mark.parametrize("name", CALLS)
def test_a_result_stays_when_the_caller_changes_the_arrays_afterwards(name):
    call, arguments = CALLS[name][1], arguments_of(name)
    expected, result = numbers(call(**arguments_of(name))), call(**arguments)
    for value in arguments.values():
        value[...] = 77
    assert numbers(result) == expected


@pytest.mark.parametrize("name", CALLS)
def test_the_numbers_do_not_depend_on_the_settings_of_torch(name):
    call = CALLS[name][1]
    expected = numbers(call(**arguments_of(name)))
    try:
        torch.set_default_dtype(torch.float16)
        with torch.no_grad():
            assert numbers(call(**arguments_of(name))) == expected
    finally:
        torch.set_default_dtype(torch.float32)
