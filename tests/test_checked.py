"""At the door: what is refused and how, what is accepted, and that nothing of the caller's is touched."""

import inspect
import itertools
import random
from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from test_architecture import ORDER

from mflearn import descent, estimator, exact, gradients, matrices, nonnegative, objectives
from mflearn.descent import (
    Adam,
    GradientDescent,
    Momentum,
    descend,
    factorize,
    random_factors,
    record,
    with_biases,
)
from mflearn.estimator import MatrixFactorization
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
from mflearn.gradients import by_autograd, by_differences, by_hand, hessian, relative_difference
from mflearn.matrices import (
    brain_scan,
    digits,
    docstring_words,
    low_rank_matrix,
    matrix_with_singular_values,
    photograph,
    stock_prices,
    toy_matrix,
)
from mflearn.nonnegative import Data, match, multiplicative, projected, random_start, stability
from mflearn.objectives import Frobenius, Observed, square
from mflearn.ratings import Ratings

A, nan, inf = toy_matrix(), float("nan"), float("inf")
f, point = Frobenius(A), tuple(random_factors(4, 2, 2))
W, H = point


def never(*_):
    """A gradient, a watch: whatever is refused is refused before any of it."""
    raise AssertionError("work was done before the refusal")


def fit(A=A, k=2, *, eta=0.01, steps=10, **options):
    return factorize(A, k, eta=eta, steps=steps, **{"gradient": never, "watch": never} | options)


def small_steps(parameters):
    return GradientDescent(parameters, 0.01)


def walk(objectives=(), start=point, rule=small_steps, **options):
    return descend(objectives, start, rule, **{"gradient": never} | options)


def written(value):
    """How a message may render what came: as Python writes it, from its beginning."""
    return repr(value)[:30]


def parts(A=A, k=2, *, steps=10, **options):
    return nonnegative.nmf(A, k, steps=steps, **{"watch": never} | options)


def estimate(X=A, **options):
    return MatrixFactorization(**options).fit(X)


TAKES_A_MATRIX = {
    "nonnegative": parts,
    "multiplicative": partial(multiplicative, start=point),
    "projected": partial(projected, start=point),
    "random_start": partial(random_start, k=1),
    "Data": Data,
    "factorize": fit,
    "Frobenius": Frobenius,
    "singular_values": singular_values,
    "lowest_loss": partial(lowest_loss, k=1),
    "truncated_svd": partial(truncated_svd, k=1),
    "stable_eta": stable_eta,
    "energy": energy,
    "noise_threshold": noise_threshold,
}
NO_MATRIX = {  # what is wrong, and the words for what came
    "nan": ([[1, nan]], "nan at [0, 1]"),
    "inf": (np.array([[1], [inf]]), "inf at [1, 0]"),
    "-inf": (torch.tensor([[-inf]]), "-inf at [0, 0]"),
    "no rows": (np.zeros((0, 3)), "empty, of shape (0, 3)"),
    "no columns": (torch.zeros(3, 0), "empty, of shape (3, 0)"),
    "nothing": ([], "1 axes"),
    "a number": (5, "0 axes"),
    "a vector": ([1, 2], "1 axes"),
    "a stack": (np.ones((2, 2, 2)), "3 axes"),
    "words": ([["a", "b"]], "'a'"),
    "a word": ("abc", "'abc'"),
    "numbers in quotes": ([["1"]], "'1'"),
    "complex": ([[1j]], "complex"),
    "complex tensor": (torch.tensor([[1j]]), "complex"),
    "objects": (np.array([[None]]), "None"),
    "None": (None, "None"),
    "ragged": ([[1, 2], [3]], "different lengths"),
    "a dictionary": ({"a": 1}, "{'a': 1}"),
}
NO_COUNT = [0, -1, 2.5, "3", True, nan, None, [0], [1, -2], [1.5], ["3"], [True], [], [[1], [2, 3]]]
NO_RATE = [
    -1,
    0,
    nan,
    inf,
    "0.1",
    None,
    True,
    1j,
    [0.1, -1],
    [0.1, 0.0],
    [nan],
    [0.1, inf],
    ["0.1"],
    [True],
    [],
    [[1], [2, 3]],
]
NO_SEED = ["x", -1, 1.5, None, True, [-1], ["x"], [1.5]]
NO_SCALAR = {"lam": [-1, nan, inf, "1", None, [1]], "scale": [0, -1, nan, inf, "1", None, True]}


def came(value):
    """The part of a bad list that a message may name."""
    if not isinstance(value, list):
        return str(value)
    return "different lengths" if value == [[1], [2, 3]] else str(value[-1]) if value else "[]"


masked = np.ma.masked_array(A.numpy(), mask=A.numpy() > 4)


class Own:
    """An objective of somebody's own, whose gradient is that of W alone."""

    shape = (4, 2)

    def __call__(self, W, H):
        return f(W, H)

    def gradient(self, W):
        return f.gradient(W, W.mT)[0]


REFUSED = [
    *(
        pytest.param(partial(call, value), "A", words, id=f"{name}: {wrong}")
        for name, call in TAKES_A_MATRIX.items()
        for wrong, (value, words) in NO_MATRIX.items()
    ),
    *(pytest.param(partial(fit, k=v), "k", came(v), id=f"factorize: k={v}") for v in NO_COUNT if v is not None),
    *(pytest.param(partial(fit, eta=v), "eta", came(v), id=f"factorize: eta={v}") for v in NO_RATE),
    *(pytest.param(partial(fit, seed=v), "seed", came(v), id=f"factorize: seed={v}") for v in NO_SEED),
    *(pytest.param(partial(random_factors, 4, 2, v), "k", came(v), id=f"random_factors: k={v}") for v in NO_COUNT),
    *(
        pytest.param(partial(random_factors, 4, 2, 2, seed=v), "seed", came(v), id=f"random_factors: seed={v}")
        for v in NO_SEED
    ),
    *(
        pytest.param(partial(call, A, k=v), "k", str(v), id=f"{call.__name__}: k={v}")
        for call in (lowest_loss, truncated_svd)
        for v in NO_COUNT
        if not isinstance(v, list)
    ),
    *(
        pytest.param(partial(call, **{name: v}), name, str(v), id=f"{title}: {name}={v}")
        for title, call, names in [
            ("Frobenius", partial(Frobenius, A), ["lam", "scale"]),
            ("stable_eta", partial(stable_eta, A), ["scale"]),
        ]
        for name in names
        for v in NO_SCALAR[name]
    ),
    *(
        pytest.param(partial(call, **{"steps": v}), "steps", str(v), id=f"{title}: steps={v}")
        for title, call in [("factorize", fit), ("record", lambda steps: record(walk([never]), f, steps=steps))]
        for v in [0, -3, 2.5, "10", None, True, nan]
    ),
    *(
        pytest.param(partial(rule, [torch.zeros(1)], v), "eta", came(v), id=f"{rule.__name__}: eta={v}")
        for rule in (GradientDescent, Momentum, Adam)
        for v in NO_RATE
    ),
    *(
        pytest.param(partial(low_rank_matrix, **{"m": 4, "n": 3, "k": 2} | {name: v}), name, str(v), id=f"{name}={v}")
        for name, values in {
            "m": [0, 2.5, "4"],
            "n": [-1, None],
            "k": [0, 1.5],
            "noise": [-1, nan, "1"],
            "seed": NO_SEED[:4],
        }.items()
        for v in values
    ),
    *(
        pytest.param(partial(matrix_with_singular_values, v, m=3, n=3), "sigma", words, id=f"sigma={v}")
        for v, words in [(5, "5"), ([], "0 values"), ([1] * 4, "4 values"), ([-1], "-1"), ([nan], "nan"), ("ab", "a")]
    ),
    *(
        pytest.param(partial(by_differences, f, W, H, h=v), "h", str(v), id=f"by_differences: h={v}")
        for v in [0, -1e-6, nan, "1"]
    ),
    *(
        pytest.param(
            partial(numbers_stored, **{"m": 4, "n": 3, "k": 2} | {name: v}), name, str(v), id=f"stored: {name}={v}"
        )
        for name in "mnk"
        for v in [0, 2.5, "4", True, nan]
    ),
    *(pytest.param(partial(photograph, shrink=v), "shrink", str(v), id=f"shrink={v}") for v in [0, 3, 2.0, True, "2"]),
    *(
        pytest.param(partial(factor, v), "beta", str(v), id=f"{factor.__name__}: beta={v}")
        for factor in (threshold_factor, median_factor)
        for v in [0, -1, 1.01, nan, "1", None]
    ),
    *(
        pytest.param(partial(noise_threshold, A, sigma=v), "sigma", str(v), id=f"sigma={v}")
        for v in [-1, nan, "1", inf]
    ),
    *(
        pytest.param(partial(TAKES_A_MATRIX[title], value), "A", words, id=f"{title}: {words}")
        for title in ("nonnegative", "multiplicative", "projected", "random_start", "Data")
        for value, words in [
            ([[1, -0.5]], "-0.5"),
            (scipy.sparse.csr_array(np.array([[1, -0.5]])), "-0.5"),
            (scipy.sparse.csr_array(np.array([[nan, 1]])), "nan"),
            (scipy.sparse.csr_array(np.array([[1j, 1]])), "complex"),
            (scipy.sparse.csr_array((0, 3)), "(0, 3)"),
            (scipy.sparse.coo_array([1, 2]), "(2,)"),
        ]
    ),
    *(
        pytest.param(partial(call, **{name: v}), name, came(v), id=f"{title}: {name}={v}")
        for title, call, values in [
            (
                "nonnegative",
                parts,
                {"k": NO_COUNT[:6], "steps": [0, 2.5, None], "repeats": [0, 1.5, "2"], "seed": NO_SEED},
            ),
            ("multiplicative", partial(multiplicative, A, point), {"repeats": [0, 1.5, "2", True]}),
            ("projected", partial(projected, A, point), {"repeats": [0, 1.5, "2", True]}),
            ("random_start", partial(random_start, A, 2), {"seed": NO_SEED}),
            ("stability", partial(stability, np.ones((2, 2, 2))), {"seed": NO_SEED[:5]}),
        ]
        for name, options in values.items()
        for v in options
    ),
    *(pytest.param(partial(random_start, A, v), "k", str(v), id=f"random_start: k={v}") for v in NO_COUNT[:6]),
    *(
        pytest.param(partial(match, *pair), name, words, id=f"match: {name} {words}")
        for pair, name, words in [
            (([[1, -1]], [[1, 1]]), "H", "-1.0"),
            (([[1, 1]], [[1, -1]]), "other", "-1.0"),
            (([[1, 1]], [[1, 1], [1, 1]]), "other", "(2, 2)"),
            (([1, 1], [[1, 1]]), "H", "1 axes"),
            (("H", [[1, 1]]), "H", "'H'"),
        ]
    ),
    *(
        pytest.param(partial(stability, v), "H", words, id=f"stability: {words}")
        for v, words in [
            (np.ones((1, 2, 2)), "(1, 2, 2)"),
            (np.ones((2, 2)), "(2, 2)"),
            (np.ones((2, 0, 2)), "(2, 0, 2)"),
            (-np.ones((2, 2, 2)), "-1.0"),
            (np.full((2, 2, 2), nan), "nan"),
            (None, "None"),
        ]
    ),
    *(
        pytest.param(partial(estimate, **{name: v}), name, came(v), id=f"MatrixFactorization: {name}={v}")
        for name, values in {
            "n_components": [0, 2.5, "3", None, True],
            "method": ["SVD", None, 3],
            "max_iter": [0, 1.5, None],
            "tol": [-1, nan, "1"],
        }.items()
        for v in values
    ),
    pytest.param(lambda: estimate().inverse_transform([[1, 2, 3]]), "X", "(1, 3)", id="inverse_transform: columns"),
]
MASKS = {
    "shape": (torch.ones(2, 4), "(2, 4)"),
    "nothing observed": (np.zeros((4, 2)), "False everywhere"),
    "twos": (2 * np.ones((4, 2), int), "2"),
    "nan": (np.full((4, 2), nan), "nan"),
    "words": ([["yes", "no"]] * 4, "'yes'"),
    "ragged": ([[1, 0], [1]], "different lengths"),
    "number": (1, "()"),
}
NEGATIVE = {
    "W": ((-np.ones((4, 1)), np.ones((1, 2))), "W of start", "-1.0"),
    "H": ((np.ones((4, 1)), np.array([[1, -2]])), "H of start", "-2.0"),
}
STARTS = {
    "not fitting A": ((torch.ones(3, 1), torch.ones(1, 2)), "W, H", "(3, 1) and (1, 2)"),
    "not fitting each other": ((torch.ones(4, 1), torch.ones(2, 2)), "W, H", "(4, 1) and (2, 2)"),
    "of rank 0": ((torch.ones(4, 0), torch.ones(0, 2)), "W, H", "(4, 0) and (0, 2)"),
    "of other runs": ((torch.ones(3, 4, 1), torch.ones(2, 1, 2)), "W, H", "(3,) and (2,)"),
    "vectors": (([1, 2, 3, 4], [1, 2]), "W, H", "(4,) and (2,)"),
    "nan": ((torch.full((4, 1), nan), torch.ones(1, 2)), "W of start", "nan"),
    "inf": ((np.ones((4, 1)), np.array([[1, inf]])), "H of start", "inf"),
    "too large": ((np.full((4, 1), 1e200), np.ones((1, 2))), "start", "not finite"),
    "complex": ((np.ones((4, 1)), torch.ones(1, 2) * 1j), "H", "complex"),
    "words": (([["a"]] * 4, [[1, 2]]), "W", "'a'"),
    "one": (5, "start", "5"),
    "three": ((1, 2, 3), "start", "(1, 2, 3)"),
}
REFUSED += [
    *(pytest.param(partial(Frobenius, A, v), "mask", words, id=f"mask: {w}") for w, (v, words) in MASKS.items()),
    *(
        pytest.param(partial(fit, k=None, start=v), name, words, id=f"factorize, start: {w}")
        for w, (v, name, words) in STARTS.items()
    ),
    *(
        pytest.param(partial(call, start=v), name, words, id=f"{title}, start: {w}")
        for title, call, starts in [
            ("multiplicative", partial(multiplicative, A), STARTS | NEGATIVE),
            ("projected", partial(projected, A), STARTS | NEGATIVE),
            ("nonnegative", partial(parts, k=None), STARTS | NEGATIVE),
        ]
        for w, (v, name, words) in starts.items()
        if w != "too large"
    ),
    *(
        pytest.param(partial(walk, start=v), name, words, id=f"descend, start: {w}")
        for w, (v, name, words) in STARTS.items()
        if w not in ("not fitting A", "too large")  # the walk itself knows no objective
    ),
    *(
        pytest.param(partial(call, **{name: v}), name, written(v), id=f"{title}: {name}={v}")
        for title, call in [("factorize", fit), ("descend", walk)]
        for name in ("rule", "gradient")
        for v in (None, 5, "Adam")
    ),
    *(
        pytest.param(partial(call, *pair), name, words, id=f"{title}: {name} {words}")
        for title, call in [
            ("the loss", f),
            ("f.gradient", f.gradient),
            *((g.__name__, partial(g, f)) for g in (by_hand, by_autograd, by_differences)),
        ]
        for pair, name, words in [
            ((W[1:], H), "W, H", "(3, 2) and (2, 2)"),
            ((W, H[1:]), "W, H", "(4, 2) and (1, 2)"),
            ((W[0], H), "W", "(2,)"),
            ((W, H[:, 0]), "H", "(2,)"),
            (([[1]] * 4, H), "W", "[[1], [1]"),
            ((W, np.ones((2, 2))), "H", "array([[1."),
        ]
    ),
    pytest.param(partial(f, W.expand(3, 4, 2), H.expand(2, 2, 2)), "W", "(3,)", id="the loss: runs"),
    pytest.param(partial(hessian, f, W.expand(3, 4, 2), H.expand(3, 2, 2)), "W", "(3, 4, 2)", id="hessian: a batch"),
    pytest.param(partial(hessian, f, [[1]], H), "W", "[[1]]", id="hessian: a list"),
    pytest.param(partial(fit, k=[1, 2], eta=[0.1, 0.2, 0.3]), "eta", "(3,)", id="factorize: k and eta"),
    pytest.param(partial(fit, eta=[0.1, 0.2], seed=range(3)), "seed", "(3,)", id="factorize: eta and seed"),
    pytest.param(partial(random_factors, 4, 2, [1, 2], seed=[0, 1, 2]), "k", "(2,)", id="random_factors: k and seed"),
    pytest.param(partial(random_factors, 0, 2, 1), "m", "0", id="random_factors: m"),
    pytest.param(partial(random_factors, 4, "2", 1), "n", "'2'", id="random_factors: n"),
    pytest.param(partial(random_factors, 4, 2, 1, scale=nan), "scale", "nan", id="random_factors: scale"),
    pytest.param(partial(fit, k=None), "k", "missing", id="factorize: neither k nor start"),
    pytest.param(partial(parts, k=None), "k", "missing", id="nonnegative: neither k nor start"),
    pytest.param(partial(parts, k=3, start=point), "k", "3", id="nonnegative: k and start differ"),
    pytest.param(partial(parts, method="mu"), "method", "'mu'", id="nonnegative: method"),
    pytest.param(partial(nonnegative.nmf, A, 2, steps=5, watch=5), "watch", "5", id="nonnegative: watch"),
    pytest.param(partial(fit, k=3, start=point), "k", "3", id="factorize: k and start differ"),
    pytest.param(partial(factorize, A, 2, eta=0.1, steps=5, watch=5), "watch", "5", id="factorize: watch"),
    pytest.param(partial(walk, f), "objectives", "Frobenius", id="descend: one objective"),
    pytest.param(partial(walk, 5), "objectives", "int", id="descend: a number"),
    pytest.param(partial(record, 5, f, steps=5), "points", "int", id="record: no points"),
    pytest.param(partial(record, [], f, steps=5), "points", "list", id="record: an empty walk"),
    pytest.param(partial(record, [point], f, steps=5), "points", "list", id="record: a pair is no point"),
    pytest.param(partial(record, walk(), None, steps=5), "objective", "None", id="record: no objective"),
    pytest.param(partial(record, walk(), f, steps=5, watch=5), "watch", "5", id="record: watch"),
    pytest.param(partial(Momentum, [W], 0.1, mu=-1), "mu", "-1", id="Momentum: mu"),
    pytest.param(partial(Adam, [W], 0.1, beta1=1.0), "beta", "1.0", id="Adam: beta1"),
    pytest.param(partial(Adam, [W], 0.1, beta2=nan), "beta", "nan", id="Adam: beta2"),
    pytest.param(partial(Adam, [W], 0.1, epsilon=-1), "epsilon", "-1", id="Adam: epsilon"),
    pytest.param(partial(stable_eta, np.zeros((2, 2))), "A", "0 everywhere", id="stable_eta: a zero matrix"),
    pytest.param(partial(energy, np.zeros((2, 2))), "A", "0 everywhere", id="energy: a zero matrix"),
    pytest.param(partial(fit, gradient=lambda f, W: 0), "gradient", "3 arguments", id="factorize: no H"),
    pytest.param(partial(fit, gradient=lambda *_: None), "gradient", "NoneType", id="factorize: no gradient"),
    pytest.param(partial(fit, gradient=lambda f, W, H: (H, W)), "gradient for W", "(2, 2)", id="factorize: swap"),
    pytest.param(partial(factorize, Own(), 1, eta=0.1, steps=5), "A.gradient", "2 arguments", id="factorize: its own"),
    pytest.param(partial(record, walk(), lambda W, H: 0.0, steps=5), "objective", "float", id="record: a float"),
    pytest.param(partial(record, walk(), torch.matmul, steps=5), "objective", "(4, 2)", id="record: a matrix"),
    pytest.param(partial(fit, k=np.arange(1, 500), start=point), "k", "array", id="factorize: many k and a start"),
    pytest.param(partial(Frobenius, A, lam=10**400), "lam", "1000", id="Frobenius: no float holds it"),
    pytest.param(partial(fit, eta=10**5000), "eta", "a int", id="factorize: no float holds it"),
    pytest.param(partial(random_factors, 4, 2, 1, seed=2**63), "seed", "9223", id="random_factors: seed beyond int64"),
    pytest.param(
        partial(random_factors, 4, 2, 1, seed=np.array([2**64 - 1], np.uint64)),
        "seed",
        "1844",
        id="random_factors: uint64",
    ),
    pytest.param(partial(truncated_svd, A, 10**30), "k", "1000", id="truncated_svd: k beyond int64"),
    pytest.param(partial(matrix_with_singular_values, np.array(3.0), m=2, n=2), "sigma", "array(3.)", id="sigma: one"),
    pytest.param(partial(hessian, f, W.long(), H.long()), "W", "int64", id="hessian: whole numbers"),
    pytest.param(partial(f, W.long(), H.long()), "W", "int64", id="the loss: whole numbers"),
    pytest.param(partial(f.gradient, W.float(), H), "W", "float32", id="gradient: two kinds"),
    pytest.param(partial(by_differences, f, W.float(), H.float()), "W", "float32", id="by_differences: float32"),
    pytest.param(partial(Frobenius, masked), "A", "masked array", id="Frobenius: a masked array"),
    pytest.param(partial(fit, eta=np.ma.array([0.1, 0.2], mask=[0, 1])), "eta", "masked", id="factorize: masked η"),
]


@pytest.mark.parametrize(("call", "name", "came"), REFUSED)
def test_bad_input_is_refused_at_the_door_in_one_clear_line(call, name, came):
    """What is wrong; what came; what is allowed, after a semicolon."""
    with pytest.raises((TypeError, ValueError)) as refusal:
        call()
    message = str(refusal.value)
    assert type(refusal.value) in (TypeError, ValueError)
    assert message.splitlines() == [message] and len(message) <= 160
    wrong, _, allowed = message.partition("; ")
    assert name in wrong.replace(",", "").split() or wrong.startswith(name)
    assert came in wrong
    assert len(allowed) > 10


@pytest.mark.parametrize(
    ("call", "title", "options"),
    [
        (fit, "factorize", "A, k, eta, steps, rule, gradient, seed, start, keep_path, watch"),
        (partial(Frobenius, A), "Frobenius", "A, mask, lam, scale"),
        (partial(descend, [], point, Adam), "descend", "objectives, start, rule, gradient"),
        (partial(record, [], f, steps=1), "record", "points, objective, steps, keep_path, watch"),
        (partial(random_factors, 4, 2, 1), "random_factors", "m, n, k, seed, scale"),
        (partial(low_rank_matrix, 4, 2, k=1), "low_rank_matrix", "m, n, k, noise, seed"),
        (partial(matrix_with_singular_values, [1], m=2, n=2), "matrix_with_singular_values", "sigma, m, n, seed"),
        (partial(GradientDescent, [W], 0.1), "GradientDescent", "parameters, eta"),
        (partial(Momentum, [W], 0.1), "Momentum", "parameters, eta, mu"),
        (partial(Adam, [W], 0.1), "Adam", "parameters, eta, beta1, beta2, epsilon"),
        (partial(by_differences, f, W, H), "by_differences", "objective, W, H, h"),
        (partial(singular_values, A), "singular_values", "A"),
        (partial(lowest_loss, A, 1), "lowest_loss", "A, k"),
        (partial(truncated_svd, A, 1), "truncated_svd", "A, k"),
        (partial(stable_eta, A), "stable_eta", "A, scale"),
        (partial(energy, A), "energy", "A"),
        (partial(numbers_stored, 1, 1, 1), "numbers_stored", "m, n, k"),
        (partial(noise_threshold, A), "noise_threshold", "A, sigma"),
        (partial(threshold_factor, 1), "threshold_factor", "beta"),
        (partial(median_factor, 1), "median_factor", "beta"),
        (photograph, "photograph", "shrink"),
        (partial(multiplicative, A, point), "multiplicative", "A, start, repeats"),
        (partial(projected, A, point), "projected", "A, start, repeats"),
        (parts, "nmf", "A, k, steps, method, repeats, seed, start, keep_path, watch"),
        (partial(random_start, A, 1), "random_start", "A, k, seed"),
        (partial(match, A, A), "match", "H, other"),
        (partial(stability, [A, A]), "stability", "H, seed"),
        (
            partial(MatrixFactorization, 2),
            "MatrixFactorization",
            "n_components, method, max_iter, tol, random_state",
        ),
    ],
)
def test_an_unknown_option_is_named_together_with_the_known_ones(call, title, options):
    with pytest.raises(TypeError) as refusal:
        call(learning_rate=0.1)
    assert str(refusal.value) == f"{title} has no option 'learning_rate'; it has {options}"


SAME_MATRIX = {
    "list": [[5, 3], [3, 2], [2, 1], [1, 1]],
    "tuple of tuples": ((5.0, 3.0), (3.0, 2.0), (2.0, 1.0), (1.0, 1.0)),
    **{t: A.numpy().astype(t) for t in ("int8", "uint16", "int64", "float16", "float32", "float64", "longdouble")},
    **{str(t): A.to(t) for t in (torch.int32, torch.float16, torch.float32, torch.float64)},
    "Fortran": np.asfortranarray(A.numpy()),
    "every other": np.repeat(np.repeat(A.numpy(), 2, 0), 3, 1)[::2, ::3],
    "backwards": A.numpy()[::-1, ::-1].copy()[::-1, ::-1],
    "transposed tensor": A.mT.contiguous().mT,
    "requires grad": A.clone().requires_grad_(),
    "in a graph": A.clone().requires_grad_() * 1,
    "conjugate view": (A + 0j).conj().real,
    "list of tensors": list(A),
    "big-endian": A.numpy().astype(">f8"),
}


@pytest.mark.parametrize("kind", SAME_MATRIX)
def test_a_matrix_of_any_kind_is_the_same_matrix(kind):
    given = SAME_MATRIX[kind]
    if isinstance(given, np.ndarray):
        given.setflags(write=False)
    ours, theirs = (factorize(matrix, 2, eta=0.02, steps=20).loss for matrix in (given, A))
    assert ours.dtype == torch.float64 and torch.equal(ours, theirs)
    assert torch.allclose(singular_values(given), singular_values(A), rtol=1e-14)
    assert float(lowest_loss(given, 1)) == pytest.approx(float(lowest_loss(A, 1)), rel=1e-12)


@pytest.mark.parametrize("kind", [bool, int, float, np.bool_, np.uint8])
def test_a_mask_of_any_kind_is_the_same_mask(kind):
    seen = (A.numpy() > 1).astype(kind)
    for mask in (seen, seen.tolist(), torch.from_numpy(seen), np.asfortranarray(seen)):
        assert torch.equal(Frobenius(A, mask)(W, H), Frobenius(A, A > 1)(W, H))
    assert torch.equal(singular_values(seen), singular_values(seen.astype(float)))  # a matrix of bools, too


@pytest.mark.parametrize("make", [list, tuple, np.array, torch.tensor])
def test_k_eta_seed_and_start_of_any_kind_are_the_same(make):
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
    "1×1": (torch.tensor([[2.0]]), 1),
    "1×1, k above": (torch.tensor([[2.0]]), 3),
    "one row": (torch.tensor([[1.0, 2, 3]]), 2),
    "one column": (torch.tensor([[1.0], [2], [3]]), 2),
    "k above min(m, n)": (A, 5),
    "rank-deficient": (torch.ones(4, 3), 2),
    "negative": (-A, 1),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_matrices_are_matrices(name):
    A, k = UNUSUAL[name]
    run = factorize(A, k, eta=0.9 * stable_eta(A), steps=3000)
    assert not run.diverged and run.W.shape == (len(A), k) and run.H.shape == (k, A.shape[1])
    assert float(run.loss[-1]) == pytest.approx(float(lowest_loss(A, k)), abs=1e-9)


def test_the_zero_matrix_is_a_matrix():
    zero = torch.zeros(3, 2)
    assert lowest_loss(zero, 1) == 0 and not truncated_svd(zero, 2).Z.any()
    run = factorize(zero, 2, eta=0.1, steps=2000)
    assert not run.diverged and run.loss[-1] < 1e-4 * run.loss[0]


def steps_of(points):
    """The next three points of a walk that has been asked for; taken when the result is looked at."""
    return partial(map, lambda point: point.Z, itertools.islice(points, 3))


def rule_walk(rule):
    """Three steps of a rule on W, whose gradient is W."""

    def walk(eta):
        theta = W.clone().expand(2, 4, 2).clone()
        made = rule([theta], eta)
        return lambda: [(setattr(theta, "grad", theta.clone()), made.step(), theta.clone())[-1] for _ in range(3)]

    return walk


def loss_and_slopes(f):
    return lambda: [f(W, H), *f.gradient(W, H)]


def listed(values):
    return Observed(Ratings.of([0, 1, 2, 3], [0, 1, 1, 1], values), lam=0.1, biases=True)


def given(*names):
    """Fresh arguments, some of numpy and some of torch, all of them arrays of the caller's."""
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
    return {name: everything[name] for name in names}


CALLS = {  # every public function: the arguments it is given here, and the call
    "toy_matrix": ((), toy_matrix),
    "low_rank_matrix": ((), partial(low_rank_matrix, 4, 3, k=2, noise=0.1)),
    "matrix_with_singular_values": (("sigma",), partial(matrix_with_singular_values, m=4, n=3)),
    "Frobenius": (("A", "mask"), lambda A, mask: loss_and_slopes(Frobenius(A, mask))),
    "Observed": (("W", "H", "values"), lambda W, H, values: loss_and_slopes(listed(values))),
    "square": (("W",), lambda W: square(W)),
    "by_hand": (("W", "H"), lambda W, H: by_hand(f, W, H)),
    "by_autograd": (("W", "H"), lambda W, H: by_autograd(f, W, H)),
    "by_differences": (("W", "H"), lambda W, H: by_differences(f, W, H)),
    "relative_difference": (("W", "H"), lambda W, H: W.new_tensor(relative_difference((W, H), (2 * W, H)))),
    "hessian": (("W", "H"), lambda W, H: hessian(f, W, H)),
    "GradientDescent": (("eta",), rule_walk(GradientDescent)),
    "Momentum": (("eta",), rule_walk(Momentum)),
    "Adam": (("eta",), rule_walk(Adam)),
    "descend": (
        ("W", "H"),
        lambda W, H: partial(map, lambda point: point.Z, walk([f] * 3, (W, H), gradient=by_hand)),
    ),
    "record": (("W", "H"), lambda W, H: record(walk([f] * 9, (W, H), gradient=by_hand), f, steps=9, keep_path=True)),
    "random_factors": (("k", "seed"), partial(random_factors, 4, 2)),
    "with_biases": (("W", "H"), lambda W, H: with_biases((W, H)).Z),
    "factorize": (("A", "k", "eta", "seed"), partial(factorize, steps=9, keep_path=True)),
    "factorize, start": (
        ("A", "W", "H", "eta"),
        lambda A, W, H, eta: factorize(A, start=(W, H), eta=eta, steps=9, keep_path=True),
    ),
    "singular_values": (("A",), singular_values),
    "lowest_loss": (("A",), partial(lowest_loss, k=1)),
    "truncated_svd": (("A",), partial(truncated_svd, k=1)),
    "stable_eta": (("A",), stable_eta),
    "energy": (("A",), energy),
    "numbers_stored": ((), lambda: torch.tensor(numbers_stored(4, 2, 1))),
    "noise_threshold": (("A",), noise_threshold),
    "threshold_factor": ((), lambda: torch.tensor(threshold_factor(0.5), dtype=torch.float64)),
    "median_factor": ((), lambda: torch.tensor(median_factor(0.5), dtype=torch.float64)),
    "multiplicative": (("A", "W", "H"), lambda A, W, H: steps_of(multiplicative(A, (W, H)))),
    "projected": (("A", "W", "H"), lambda A, W, H: steps_of(projected(A, (W, H)))),
    "factorize, nonnegative": (("A", "seed"), lambda A, seed: parts(A, seed=seed, watch=None, keep_path=True)),
    "random_start": (("A", "seed"), partial(random_start, k=2)),
    "Data": (("A", "W", "H"), lambda A, W, H: [Data(A)(W, H), Data(A).times(H.mT), Data(A).transposed_times(W)]),
    "match": (("W", "H"), lambda W, H: [match(W[:2], H).similarity, match(W[:2], H).order]),
    "stability": (("A",), lambda A: torch.tensor(stability([A[:2], A[2:]]).chance, dtype=torch.float64)),
    "MatrixFactorization": (("A",), lambda A: torch.from_numpy(estimate(A, method="nmf").components_)),
    "photograph": ((), photograph),
    "brain_scan": ((), brain_scan),
    "stock_prices": ((), lambda: stock_prices().A),
    "digits": ((), lambda: digits().A),
    "docstring_words": ((), lambda: docstring_words().A),
}


def numbers(result):
    """All numbers of a result, as bytes; what can be called is called now."""
    if callable(result):
        result = result()
    if isinstance(result, descent.Run):
        result = (result.loss, result.factors, result.last, result.diverged, result.k, result.path)
    if isinstance(result, torch.Tensor):
        return result.detach().numpy().tobytes()
    return b"".join(map(numbers, result))


def surroundings():
    kind, keys, *rest = np.random.get_state()
    states = (torch.get_rng_state().numpy().tobytes(), kind, keys.tobytes(), *rest, random.getstate())
    return (*states, torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_inference_mode_enabled())


ELSEWHERE = {"ratings", "festival", "sides", "model", "recommend", "scores"}  # called in test_refused.py
ELSEWHERE |= {"checked", "fast", "titles", "plots", "exercises", "widgets"}  # take no matrix to factor, or show it
ELSEWHERE |= {"downloads", "datasets", "environment", "__init__", "__main__"}  # test_datasets.py, test_setup.py


def test_every_public_function_is_called_below():
    modules = (matrices, objectives, gradients, descent, exact, nonnegative, estimator)
    assert {module.__name__.removeprefix("mflearn.") for module in modules} == set(ORDER) - ELSEWHERE
    members = itertools.chain.from_iterable(inspect.getmembers(module) for module in modules)
    public = {
        name
        for name, value in members
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", "").startswith("mflearn.")
    }
    records = {
        "Factors",
        "Run",
        "Rule",
        "NamedMatrix",
        "Pictures",
        "Match",
        "Stability",
    }  # they hold what they are given
    records |= {"Ratings", "given"}  # tests/test_refused.py
    assert {name.split(",")[0] for name in CALLS} == public - records


@pytest.mark.parametrize("name", CALLS)
def test_nothing_of_the_callers_is_touched(name):
    """Neither the arrays, nor the random state, nor torch's settings."""
    for seed in (torch.manual_seed, np.random.seed, random.seed):
        seed(987654321)  # a state that no function would happen to leave behind
    torch.set_default_dtype(torch.float32)
    names, call = CALLS[name]
    arguments = given(*names)
    before = {key: np.asarray(value).tobytes() for key, value in arguments.items()}, surroundings()
    numbers(call(**arguments))
    assert ({key: np.asarray(value).tobytes() for key, value in arguments.items()}, surroundings()) == before


@pytest.mark.parametrize("name", CALLS)
def test_a_result_stays_when_the_caller_changes_the_arrays_afterwards(name):
    names, call = CALLS[name]
    expected, arguments = numbers(call(**given(*names))), given(*names)
    result = call(**arguments)
    for value in arguments.values():
        value[...] = 77
    assert numbers(result) == expected


@pytest.mark.parametrize("name", CALLS)
def test_the_numbers_do_not_depend_on_the_surroundings(name):
    names, call = CALLS[name]
    expected = numbers(call(**given(*names)))
    try:
        torch.set_default_dtype(torch.float16)
        with torch.no_grad():
            assert numbers(call(**given(*names))) == expected
    finally:
        torch.set_default_dtype(torch.float32)


def test_what_pandas_and_numpy_call_a_number_is_one():
    frame = pd.DataFrame({"a": [5, 3, 2, 1], "b": [3, 2, 1, 1]})
    assert torch.equal(singular_values(frame.astype("Int64")), singular_values(A))
    frame.loc[1, "a"] = np.nan
    with pytest.raises(ValueError, match=r"A has nan at \[1, 0\]"):
        singular_values(frame.astype("Int64"))
    assert torch.equal(singular_values(np.ma.masked_array(A.numpy(), mask=False)), singular_values(A))
    assert photograph(shrink=np.int64(2)).shape == photograph(shrink=2).shape
    assert torch.equal(singular_values(frame.fillna(3).rename(columns={"a": "gradient"})), singular_values(A))
    run = factorize(frame.fillna(3).rename(columns={"a": "gradient"}), 1, eta=0.05, steps=3)
    assert torch.equal(run.loss, factorize(A, 1, eta=0.05, steps=3).loss)


@pytest.mark.filterwarnings("error")
def test_a_number_that_64_bits_cannot_hold_is_refused_without_a_warning():
    with pytest.raises(ValueError, match=r"A has inf at \[0, 0\]; all entries must be finite"):
        singular_values(np.array([[np.longdouble("1e4000")]]))
