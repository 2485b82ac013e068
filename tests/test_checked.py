"""A wrong argument is answered by one clear line; every kind of table is taken; nothing of the caller's is touched."""

import ast
import importlib
import inspect
import json
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

from mflearn import datasets, descent, estimator, exact, gradients, matrices, model, nonnegative, objectives, scores
from mflearn.checked import short
from mflearn.descent import descend, factorize, random_factors
from mflearn.festival import invent
from mflearn.matrices import toy_matrix
from mflearn.objectives import Frobenius, Observed
from mflearn.plots import plot_equation
from mflearn.ratings import Ratings
from mflearn.recommend import als, bayes, fit, implicit
from mflearn.titles import Table

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
A = toy_matrix()
W, H = random_factors(4, 2, 2)
f = Frobenius(A)
R = Ratings.of([1, 1, 2, 2, 3, 3], ["a", "b", "b", "c", "c", "a"], [1, 2, 3, 4, 5, 5])
M = fit(R, 1, sweeps=2)
NAMES = dict(np=np, pd=pd, torch=torch, scipy=scipy, partial=partial, nan=float("nan"), inf=float("inf"))
for module in (matrices, objectives, gradients, descent, exact, nonnegative, estimator):
    NAMES |= {name: value for name, value in vars(module).items() if not name.startswith("_")}
NAMES |= dict(factorize=factorize, nonnegative=nonnegative, datasets=datasets, scores=scores, Table=Table)
NAMES |= dict(Ratings=Ratings, fit=fit, als=als, bayes=bayes, implicit=implicit)
NAMES |= dict(A=A, W=W, H=H, f=f, R=R, M=M, taste=M.user(1), truth=datasets.load("festival").truth)
NAMES |= dict(swapped=type("Swapped", (Frobenius,), {"gradient": lambda f, W, H: (H, W)})(A))
NAMES |= dict(listed=type("Listed", (Frobenius,), {"gradient": lambda f, W, H: [1, 2, 3]})(A))
NAMES |= dict(Fraction=Fraction, invent=invent)


class Elsewhere:
    """An update rule that makes a new tensor where it should change the old one."""

    def __init__(self, parameters):
        (self.Z,) = parameters

    def step(self):
        self.Z.data = self.Z.data - 0.01 * self.Z.grad


class Forgetful(Elsewhere):
    """An update rule that clears the gradient, as the loop of PyTorch does."""

    def step(self):
        self.Z -= 0.01 * self.Z.grad
        self.Z.grad = None


NAMES |= dict(Elsewhere=Elsewhere, Forgetful=Forgetful)
NAMES |= dict(pair=(W, H), walk=descend([f] * 3, (W, H), partial(descent.Adam, eta=0.1)))

A_MATRIX = (
    *("Frobenius({})", "factorize({}, 1, eta=0.1, steps=5)", "nonnegative.nmf({}, 1, steps=5)"),
    *("singular_values({})", "lowest_loss({}, 1)", "truncated_svd({}, 1)", "stable_eta({})", "energy({})"),
    *("noise_threshold({})", "random_start({}, 1)", "multiplicative({}, pair)", "projected({}, pair)"),
)
SIZE = "the largest size must be 0, or between 1e-100 and 1e+100"
NO_MATRIX = {
    "[[1, nan]]": "A holds nan at [0, 1]; all entries must be finite",
    "torch.tensor([[1], [-inf]])": "A holds -inf at [1, 0]; all entries must be finite",
    "[1, 2]": "A has shape (2,); it must be a matrix with at least one entry",
    "np.ones((2, 2, 2))": "A has shape (2, 2, 2); it must be a matrix with at least one entry",
    "np.zeros((0, 3))": "A has shape (0, 3); it must be a matrix with at least one entry",
    "[]": "A has shape (0,); it must be a matrix with at least one entry",
    "[[0, -1e101]]": f"A reaches a size of 1e+101; {SIZE}",
    "[[0, 1e-300]]": f"A reaches a size of 1e-300; {SIZE}",
    "[[1, 2], [3]]": "A has rows of different lengths; they must all have the same length",
    "[['5', '3']]": "A holds '5'; it must hold real numbers",
    "np.array([[1j]])": "A holds 1j; it must hold real numbers",
    "None": "A holds None; it must hold real numbers",
    "np.ma.array([[1, 2]], mask=[[0, 1]])": "A is a masked array; say what is hidden in a separate mask",
}
A_COUNT = {
    "k": ("lowest_loss(A, {})", "truncated_svd(A, {})", "random_start(A, {})", "nonnegative.nmf(A, {}, steps=5)"),
    "steps": ("factorize(A, 1, eta=0.1, steps={})", "record(walk, f, steps={})"),
    "m": ("low_rank_matrix({}, 3, k=2)", "matrix_with_singular_values([1], m={}, n=2)", "numbers_stored({}, 2, 1)"),
    "n": ("random_factors(4, {}, 2)",),
    "repeats": ("multiplicative(A, pair, repeats={})", "projected(A, pair, repeats={})"),
    "n_components": ("MatrixFactorization({}).fit(A)", "MatrixFactorization({}).fit_transform(A)"),
    "count": ("Observed(R).sampled({})", "M.most_informative(['a', 'b'], {})", "M.similar('a', {})", "taste.top({})"),
}
A_START = ("factorize(A, start={}, eta=0.1, steps=5)", "multiplicative(A, {})", "projected(A, {})")
NO_START = {
    "5": "start is 5; it must be a pair (W, H)",
    "(W[1:], H)": "W, H have shapes (3, 2) and (2, 2); they must have shapes (4, k) and (k, 2)",
    "(W, H[:1])": "W, H have shapes (4, 2) and (1, 2); they must have shapes (4, k) and (k, 2)",
    "(W[:, :0], H[:0])": "W of start has shape (4, 0); it must be an array with at least one entry",
    "(W, nan * H)": "H of start holds nan at [0, 0]; all entries must be finite",
    "(W.expand(3, 4, 2), H)": "W, H of start have runs of shapes (3,) and (); the two must be equal",
}
MANY = "it must be a whole number, {} or more, or an array of those"
RATE = "it must be a finite number above 0, or an array of those"
POSITIVE, RATINGS = "it must be a finite number above 0", "it must be Ratings, such as Ratings.of(...)"
EACH = "each W and H"
A_STEP = "it must have a method to be called as step()"
UNKNOWN = "holds 'z'; it is none of the 3 labels known here"

# fmt: off
LINES = [
    *((call.format(value), line) for call in A_MATRIX for value, line in NO_MATRIX.items()),
    *((call.format(value), line) for call in A_START for value, line in NO_START.items()),
    *(
        (call.format(value), f"{name} is {value}; it must be a whole number, 1 or more")
        for name, calls in A_COUNT.items()
        for call in calls
        for value in ("0", "2.5", "'3'", "None" if name != "k" else "True")
    ),
    *((f"factorize(A, {k}, eta=0.1, steps=5)", f"k is {k}; {MANY.format(1)}") for k in (0, 2.5, "'3'", [1, 0], [])),
    *((f"random_factors(4, 2, 1, seed={seed})", f"seed is {seed}; {MANY.format(0)}") for seed in (-1, 1.5, [1, -1])),
    *((f"factorize(A, 1, eta={eta}, steps=5)", f"eta is {eta}; {RATE}") for eta in (0, -1, "nan", [0.1, -1])),
    *((f"{rule}([W], [0.1, 0.0])", f"eta is [0.1, 0.0]; {RATE}") for rule in ("GradientDescent", "Momentum", "Adam")),
    *((call, f"W and H would hold {count} entries; at most 100,000,000 fit") for call, count in {
        "factorize(A, 10**12, eta=0.1, steps=5)": 6 * 10**12,
        "nonnegative.nmf(A, 10**12, steps=5)": 6 * 10**12,
        "MatrixFactorization(10**12).fit(A)": 6 * 10**12,
        "truncated_svd(A, 2**62)": 6 * 2**62,
        "random_factors(10**12, 1, [1, 2], seed=[[0], [1], [2]])": 12 * (10**12 + 1),
    }.items()),
    *((f"{call}(R, {k})",
       f"the equations of rank {k} would hold {3 * (k + 2) * (k + 3)} entries; at most 1,000,000,000 fit")
      for call in ("fit", "als", "implicit") for k in (20_000, 10**12)),
    ("low_rank_matrix(10**6, 10**6, k=1)", "A, W and H would hold 1000002000000 entries; at most 100,000,000 fit"),
    *((f"{call}=10**30)", f"{call.rsplit(None, 1)[1]} is 1{30 * '0'}; it must be below 2**63")
      for call in ("factorize(A, 1, eta=0.1, steps", "fit(R, sweeps", "R.split(0.5, seed", "low_rank_matrix(3, 2, k")),
    ("factorize(A, 1, eta='fast', steps=5)", "eta holds 'fast'; it must hold real numbers"),
    ("factorize(A, eta=0.1, steps=5)", "k is missing; give a rank, a whole number of 1 or more, or a start (W, H)"),
    ("factorize(A, 3, start=pair, eta=0.1, steps=5)", "k is 3; the start has rank 2"),
    ("random_factors(4, 2, [1, 2], seed=[0, 1, 2])",
     "k has runs of shape (2,), seed has runs of shape (3,); they must broadcast to one batch"),
    ("factorize(A, start=pair, eta=0.1, steps=5, learning_rate=1)",
     "factorize() got an unexpected keyword argument 'learning_rate'"),
    ("factorize(A, start=(1e100 * W, 1e100 * H), eta=0.1, steps=5)",
     "start has a loss that is not finite; give smaller factors"),
    ("factorize(swapped, 1, eta=0.1, steps=5)", "gradient for W has shape (1, 2); it must be (4, 1)"),
    ("factorize(listed, 1, eta=0.1, steps=5)", "gradient gave [1, 2, 3]; it must give two tensors, for W and for H"),
    ("[*descend([f, Frobenius(A[:1])], pair, partial(Adam, eta=0.1))]",
     "W, H have shapes (4, 2) and (2, 2); they must have shapes (1, k) and (k, 2)"),
    ("[*descend([f] * 3, pair, Elsewhere)]",
     "rule gave its parameter another .data or .grad; it must change the parameter in place"),
    ("[*descend([f] * 3, pair, Forgetful)]",
     "rule gave its parameter another .data or .grad; it must change the parameter in place"),
    ("record(factorize(A, 1, eta=0.1, steps=5), f, steps=3)",
     "points are a Run, which is recorded already; give a walk, such as descend(...)"),
    ("Ratings.of([1, 2], [1, 2], ['5', ''])", "values holds ''; it must hold real numbers"),
    ("Ratings.of([1, 2], [1, 2], [Fraction(1, 2), torch.tensor(2j)])", "values holds 2j; it must hold real numbers"),
    ("Ratings.of([1, 2], [1, 2], [3, 4]).where([-1, 1])",
     "chosen names a place twice; give each once, or a mask of True and False"),
    ("invent(seed='a')", "seed is 'a'; it must be a whole number, 0 or more"),
    ("factorize(A, 1, eta=0.1, steps=5, rule=5)", "rule is 5; it must be a function of a list of parameters, eta"),
    ("descend([f], pair, Adam)",
     "rule is <class 'mflearn.descent.Adam'>; it must be a function of a list of parameters"),
    *((f"{call}, steps=5, watch={watch})", f"watch is {came}; it must be a function of the number of steps")
      for call in ("factorize(A, 1, eta=0.1", "record(walk, f")
      for watch, came in {"5": "5", "Momentum": short(descent.Momentum)}.items()),
    ("descend(f, pair, partial(Adam, eta=0.1))", "'Frobenius' object is not iterable"),
    ("descend([f], 5, partial(Adam, eta=0.1))", "start is 5; it must be a pair (W, H)"),
    ("with_biases((W, H[:1]))", "W, H have shapes (4, 2) and (1, 2); they must have shapes (m, k) and (k, n)"),
    *((call, f"objective gave a loss of shape {came}, one number for {EACH}: sum over the last two axes")
      for call, came in (
        ("record(walk, torch.matmul, steps=5)", "(4, 2); it must be ()"),
        ("by_autograd(torch.matmul, W, H)", "(4, 2); it must be ()"),
        ("record([Factors.of(W, H)] * 4, lambda W, H: ((W @ H - A) ** 2).sum(), steps=3)", "(); it must be (3,)"))),
    *((call.format(f"lambda W, H: {value}"), f"objective gave {value}; it must give a number for {EACH}, as a tensor")
      for call in (*("by_autograd({}, W, H)", "by_differences({}, W, H)", "hessian({}, W, H)"),
                   "record(walk, {}, steps=5)")
      for value in ("None", "'low'")),
    *((f"{call}(lambda W, H: {value}, W, H)",
       "objective gave a loss that torch cannot differentiate; compute it from W and H by torch")
      for call in ("by_autograd", "hessian") for value in ("3.5", "f(W, H).detach()")),
    ("by_differences(lambda W, H: f(W.float(), H.float()), W, H)",
     "objective gave torch.float32; differences need torch.float64"),
    *((f"{call}", f"objective is {short(A)}; it must be a function of W, H") for call in
      ("by_autograd(A, W, H)", "by_differences(A, W, H)", "hessian(A, W, H)", "record(walk, A, steps=5)")),
    ("by_hand(abs, W, H)",
     "objective is <built-in function abs>; it must have a method to be called as gradient(W, H)"),
    *((f"descend([f], pair, lambda _: {made})", f"rule(parameters) is {made}; {A_STEP}") for made in ("None", "[]")),
    ("descend([f], pair, torch.optim.LBFGS)", f"rule(parameters) is {short(torch.optim.LBFGS([W]))}; {A_STEP}"),
    ("record(iter([Factors.of(W, H), Factors.of(W[:, :1], H[:1])]), f, steps=5)",
     "points change from Factors(W (4, 2), H (2, 2)) to Factors(W (4, 1), H (1, 2)); all must have the same shapes"),
    ("record(iter([Factors.of(W, H), 5]), f, steps=5)",
     "points hold 5; each must be Factors, such as Factors.of(W, H)"),
    ("record(walk, f, steps=10**8, keep_path=True)",
     "the path of 100000000 steps would hold 1200000012 entries; at most 100,000,000 fit"),
    *((f"Factors.of({value}, H)", f"W is {came}; it must be a tensor of floating-point numbers with 2 axes or more")
      for value, came in (("[[1]]", "[[1]]"), ("W.numpy()", short(W.numpy())), ("W[0]", short(W[0])))),
    ("Factors.of(W, H[:1])", "W, H have shapes (4, 2) and (1, 2); they must have shapes (m, k) and (k, n)"),
    *((f"{call}(W.expand(3, 4, 2), H.expand(2, 2, 2))",
       "W, H have runs of shapes (3,) and (2,); they must broadcast to one batch")
      for call in ("f", "f.gradient", "Factors.of")),
    *((f"random_factors(4, 2, 1, seed=2**{power})", f"seed is {2**power}; it must be below 2**63")
      for power in (63, 64)),
    ("Frobenius([[10**400]])", "A holds a number that no float can be: int too large to convert to float"),
    ("factorize(A, 1, eta=10**400, steps=5)",
     "eta holds a number that no float can be: int too large to convert to float"),
    ("record([], f, steps=5)", "points are used up; give a new walk, such as descend(...)"),
    ("record([5], f, steps=5)", "points hold 5; each must be Factors, such as Factors.of(W, H)"),
    ("fit(R, 1, solver='als')", "solver is 'als'; it must be a function of ratings, k"),
    ("nonnegative.nmf(A, 1, steps=5, method='projected')",
     "method is 'projected'; it must be a function of A, a start"),
    *((f"{call}='no')", f"{call.split()[-1]} is 'no'; it must be one of True, False")
      for call in ("R.split(0.5, cold", "Observed(R, weighted", "Observed(R, biases")),
    *((call, f"{name} is {came}; it must be a list of labels") for call, name, came in (
        ("Ratings.of(None, [1], [5])", "users", "None"), ("Ratings.of([1], 7, [5])", "items", "7"),
        ("M.fold_in(None, [])", "items", "None"), ("taste.predict(7)", "items", "7"))),
    *((f"Ratings.of({table}, [1, 2], [1, 2])", "users is a table, or holds lists; it must be a list of labels")
      for table in ("[[1], [2]]", "np.ones((2, 1))", "W[:2]")),
    *((call, f"{name} holds [1]; it is none of the 3 labels known here") for call, name in (
        ("M.user([1])", "label"), ("M.similar([1])", "item"), ("M.fold_in([[1]], [5])", "items"))),
    ("M.fold_in([], None)", "values holds None; it must hold real numbers"),
    *((f"M.fold_in({items}, 5)", "values has shape (); it must be a list with at least one entry")
      for items in ("['a']", "[]")),
    ("Frobenius(A, A.mT > 1)", "mask has shape (2, 4); A has shape (4, 2), and the two must be equal"),
    ("Frobenius(A, 2 * torch.ones(4, 2))", "mask holds 2; its entries must be True (observed) or False (hidden)"),
    ("Frobenius(A, A > 9)", "mask is False everywhere; at least one entry of A must be observed"),
    ("Frobenius(A, lam=-1)", "lam is -1; it must be a finite number of at least 0"),
    ("stable_eta(A, scale=1e-310)", f"scale reaches a size of 1e-310; {SIZE}"),
    ("stable_eta(A, scale=10**400)", f"scale reaches a size of 1{36 * '0'}...; {SIZE}"),
    ("match(1e200 * np.eye(2), A)", f"H reaches a size of 1e+200; {SIZE}"),
    ("scores.rmse([1e200], [-1e200])", f"predicted reaches a size of 1e+200; {SIZE}"),
    ("nonnegative.nmf(scipy.sparse.csr_array([[1e-320]]), 1, steps=5)", f"A reaches a size of 1e-320; {SIZE}"),
    ("Frobenius(A, scale=0)", f"scale is 0; {POSITIVE}"),
    ("Momentum([W], 0.1, mu=-1)", "mu is -1; it must be a finite number of at least 0"),
    *((call, "W, H have shapes (3, 2) and (2, 2); they must have shapes (4, k) and (k, 2)")
      for call in ("f(W[1:], H)", "f.gradient(W[1:], H)", "by_hand(f, W[1:], H)", "f.residual(W[1:], H)")),
    ("f.residual(W, H[:, :1])", "W, H have shapes (4, 2) and (2, 1); they must have shapes (4, k) and (k, 2)"),
    ("Observed(R).residual(W, H)", "W, H have shapes (4, 2) and (2, 2); they must have shapes (3, k) and (k, 3)"),
    *((f"{call}(f, W, H[:1])", "W, H have shapes (4, 2) and (1, 2); they must have shapes (m, k) and (k, n)")
      for call in ("by_autograd", "by_differences", "hessian")),
    ("by_hand(f, [[1]], H)",
     "W is [[1]]; it must be a tensor of floating-point numbers with 2 axes or more"),
    ("f(W, H.long())",
     "H is tensor([[0, 0], [0, 0]]); it must be a tensor of floating-point numbers with 2 axes or more"),
    ("by_differences(f, W, H, delta=0)", f"delta is 0; {POSITIVE}"),
    ("by_differences(f, W.float(), H.float())", "W, H hold torch.float32; differences need torch.float64"),
    ("hessian(f, W.expand(3, 4, 2), H.expand(3, 2, 2))",
     "W has shape (3, 4, 2); the Hessian is taken at one point, not at a batch"),
    ("relative_difference((W, H), (W[:1], H))",
     "one has shapes [(4, 2), (2, 2)], other has [(1, 2), (2, 2)]; they must be equal"),
    ("low_rank_matrix(4, 3, k=2, noise=-1)", "noise is -1; it must be a finite number of at least 0"),
    ("low_rank_matrix(4, 3, k=2, seed=-1)", "seed is -1; it must be a whole number, 0 or more"),
    ("matrix_with_singular_values([3, 2, 1], m=2, n=4)", "sigma has 3 values; a 2×4 matrix has 1 to 2"),
    ("matrix_with_singular_values([3, -2], m=2, n=4)", "sigma holds -2; no singular value may be below 0"),
    ("matrix_with_singular_values(5, m=2, n=4)", "sigma has shape (); it must be a list with at least one entry"),
    ("photograph(shrink=3)", "shrink is 3; it must be one of 1, 2, 4"),
    ("energy(0 * A)", "A is 0 everywhere; it must have some energy to share out"),
    ("stable_eta(0 * A)", "A is 0 everywhere; its largest singular value must be above 0"),
    ("noise_threshold(A, sigma=-1)", "sigma is -1; it must be a finite number of at least 0"),
    *((f"{call}(2)", "beta is 2.0; it must be above 0 and at most 1: the short side over the long one")
      for call in ("threshold_factor", "median_factor")),
    *((f"nonnegative.nmf({value}, 1, steps=5)", f"A {line}") for value, line in {
        "A - 2": "holds -1; its entries must be finite, and none may be below 0",
        "scipy.sparse.csr_array([[1.0, nan]])": "holds nan; its entries must be finite, and none may be below 0",
        "scipy.sparse.csr_array((0, 3))": "has shape (0, 3); it must be a matrix with at least one entry",
    }.items()),
    ("multiplicative(A, (-W, H))", f"W of start holds {-float(W.max())}; no entry may be below 0"),
    ("nonnegative.nmf(scipy.sparse.csr_array([[1j]]), 1, steps=5)", "A holds complex128; it must hold real numbers"),
    *((f"{call[0]}(scipy.sparse.csr_array(A.numpy()){call[1]})",
       f"H holds {short(scipy.sparse.csr_array(A.numpy()))}; it must hold real numbers")
      for call in (("match", ", A"), ("stability", ""))),
    *((f"datasets.invent({viewers}, 3)", f"viewers is {viewers}; it must be a whole number, 1 or more")
      for viewers in (-1, 0, "'a'", True)),
    ("match(A, A.mT)", "other has shape (2, 4); H has shape (4, 2), they must be equal"),
    ("match(A, -A)", "other holds -5; its entries must be finite, and none may be below 0"),
    ("stability([A])", "H holds one run; give two or more, (runs, k, n)"),
    ("stability(A)", "H has shape (4, 2); it must be a list of matrices with at least one entry"),
    ("stability([A, A], seed=-1)", "seed is -1; it must be a whole number, 0 or more"),
    ("MatrixFactorization(method='SVD').fit(A)", "method is 'SVD'; it must be one of 'svd', 'nmf'"),
    ("MatrixFactorization(tol=-1).fit(A)", "tol is -1; it must be a finite number of at least 0"),
    ("Ratings.of([1, 2], ['a'], [5])",
     "users, items and values have 2, 1 and 1 entries; they must have the same number, 1 or more"),
    ("Ratings.of([1, None], ['a', 'b'], [5, 4])", "users has no label at 1; every rating needs one"),
    ("Ratings.of([1, 2], ['a', 'b'], [5, nan])", "values holds nan at [1]; all entries must be finite"),
    ("Ratings.of([1], ['a'], ['5'])", "values holds '5'; it must hold real numbers"),
    ("Ratings.of([1, 1], ['a', 'a'], [5, 4])",
     "1 ratings are duplicates, the first of user 1 and item 'a'; give one rating of each pair"),
    ("R.split(1.5)", "share is 1.5; it must be a finite number above 0 and below 1"),
    ("R.split(0.5, seed=-1)", "seed is -1; it must be a whole number, 0 or more"),
    ("R.folds(1)", "count is 1; it must be a whole number, 2 or more"),
    ("R.sample(7)", "count is 7; there are 6 ratings"),
    ("R.where(R.value > 9)",
     "users, items and values have 0, 0 and 0 entries; they must have the same number, 1 or more"),
    *((f"{call}(A)", f"ratings is a Tensor; {RATINGS}") for call in
      ("Observed", "M.predict_all", "scores.mean", "scores.biases", "scores.popularity", "truth.lowest_rmse")),
    *((f"{call}(A, 2)", f"ratings is a Tensor; {RATINGS}") for call in ("fit", "als", "bayes", "implicit")),
    *((f"{call}(R, 0)", "k is 0; it must be a whole number, 1 or more") for call in
      ("fit", "als", "bayes", "implicit")),
    ("als(R, 1, lam=0)", f"lam is 0; {POSITIVE}"),
    ("M.user('z')", f"label {UNKNOWN}"),
    ("M.fold_in(['z'], [5])", f"items {UNKNOWN}"),
    ("taste.predict(['z'])", f"items {UNKNOWN}"),
    ("taste.deviation(['z'])", f"items {UNKNOWN}"),
    ("M.similar('z')", f"item {UNKNOWN}"),
    ("M.similar('a', by='euclid')", "by is 'euclid'; it must be one of 'cosine', 'dot'"),
    ("scores.rmse([1, 2], [1])", "predicted and actual have 2 and 1 values; give as many of each"),
    ("datasets.load(3)",
     "name is 3; it must be one of festival, movielens-small, movielens-100k, movielens-1m, goodbooks, or a path"),
    ("Table({'a': [1], 'b': [1, 2]})", "columns have lengths {'a': 1, 'b': 2}; they must have one and the same"),
]
# fmt: on


@pytest.mark.parametrize(("call", "line"), LINES, ids=[call for call, _ in LINES])
def test_a_wrong_argument_is_answered_by_one_line(call, line):
    """It names the argument, and says what came and what is allowed."""
    with pytest.raises((TypeError, ValueError)) as caught:
        eval(call, NAMES)
    assert str(caught.value) == line and len(line) <= 160


NO_NUMBERS = ("{}.to_sparse()", "{}.to_sparse_csr()", "{}.to('meta')", "torch.nested.nested_tensor([{}, {}])")


@pytest.mark.filterwarnings("ignore")  # of torch, that some of these are new
@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("call", ["stable_eta({})", "factorize(A, start=({}, H), eta=0.1, steps=5)"])
def test_a_tensor_that_is_no_table_of_numbers_is_named(call, kind):
    with pytest.raises(TypeError, match="^(A|W of start) is (nested_)?tensor.*: .*") as caught:
        eval(call.format(kind.replace("{}", "W")), NAMES)
    assert "\n" not in str(caught.value) and len(str(caught.value)) <= 160


CALLS = (
    *("factorize([[1]], 1, eta=0.1, steps=5)", "nonnegative.nmf(A, 1, steps=5)", "lowest_loss(A, 1)", "fit(R, 1)"),
    *("scores.rmse([1], [1])", "R.split(0.5)", "Ratings.of([1, 2], [1, 1], [1, 2])", "datasets.load()"),
    *("M.fold_in(['a'], [1])", "taste.top(1)"),
)


@pytest.mark.parametrize("call", CALLS)
def test_another_device_than_the_cpu_by_default_is_refused(call):
    eval(call, NAMES)
    try:
        torch.set_default_device("meta")
        with pytest.raises(
            ValueError, match="^torch's default device is meta; call torch.set_default_device"
        ) as caught:
            eval(call, NAMES)
    finally:
        torch.set_default_device("cpu")
    assert len(str(caught.value)) <= 160


def qualified(function):
    return f"{function.__module__}.{function.__qualname__}"


def called_in_notebooks():
    """The functions and methods with arguments that code cells use; drawing and the course's own machinery aside."""
    modules, functions, attributes = {"datasets": datasets, "scores": scores}, [], set()
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("mflearn."):
                functions += [getattr(importlib.import_module(node.module), alias.name) for alias in node.names]
            elif isinstance(node, ast.Attribute) and hasattr(modules.get(ast.unparse(node.value)), node.attr):
                functions.append(getattr(modules[node.value.id], node.attr))
            elif isinstance(node, ast.Attribute):
                attributes.add(node.attr)
    kinds = (Ratings, model.Model, model.Taste, Observed, Frobenius, estimator.MatrixFactorization)
    methods = [getattr(kind, name) for kind in kinds for name in attributes if inspect.isfunction(vars(kind).get(name))]
    functions = [each for each in functions if callable(each) and inspect.signature(each).parameters]
    methods = [each for each in methods if len(inspect.signature(each).parameters) > 1]  # more than self
    outside = ("plots", "widgets", "exercises", "environment")
    return {qualified(each) for each in functions + methods if each.__module__.split(".")[1] not in outside}


NOT_ASKED = {  # they take anything, or no wrong argument is likely, or what they call answers
    "mflearn.titles.plain",
    *("mflearn.objectives.Factors", "mflearn.ratings.Ratings", "mflearn.model.Model.save"),
    "mflearn.objectives.Observed.gradient",
    *("mflearn.estimator.MatrixFactorization.transform", "mflearn.estimator.MatrixFactorization.inverse_transform"),
}


def test_every_function_that_a_notebook_calls_is_in_the_table():
    tried = set()
    for call, _ in LINES:
        for node in ast.walk(ast.parse(call)):
            if isinstance(node, ast.Call):
                function = eval(ast.unparse(node.func), NAMES)
                tried.add(qualified(function) if hasattr(function, "__qualname__") else qualified(type(function)))
    called = called_in_notebooks()
    assert len(called) > 40 and called - tried == NOT_ASKED


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: matrices.matrix_with_singular_values([1.0], m=10**5, n=10**5), "A would hold"),
        (
            lambda: gradients.hessian(Frobenius(torch.ones(2, 2)), *random_factors(2, 2, k=3000)),
            "the Hessian would hold",
        ),
        (lambda: plot_equation({"A": torch.ones(100, 100)}, []), "matrices hold 10,000 entries; each is written"),
    ],
)
def test_what_no_memory_or_page_can_hold_is_refused_before_it_is_made(call, words):
    with pytest.raises(ValueError, match=words):
        call()
