"""The course's ways to A ≈ W H as one estimator of scikit-learn: for pipelines. No mathematics of its own."""

import itertools
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from scipy.optimize import nnls
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from . import checked
from .descent import Adam, Factors, GradientDescent, alternate, descend, random_factors
from .exact import stable_eta, truncated_svd
from .nonnegative import Data, multiplicative, random_start
from .objectives import Frobenius

METHODS = ("svd", "gd", "adam", "als", "nmf")
EVERY = 10  # so many updates lie between two looks at the loss, as in scikit-learn's NMF


class MatrixFactorization(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Features of X (m, n) of low rank: X ≈ W H, W (m, k) = `transform(X)`, H (k, n) = `components_`.

    `method` is how H is found: "svd", the best there is; "gd", gradient descent; "adam"; "als", alternating least
    squares; "nmf", multiplicative updates for X and W and H without negative entries, where X may be sparse.
    The first four go for the same subspace, whose basis differs, and "gd" and "adam" are slow: that is the lesson.
    `transform` then finds the best W for that H, of least squares, by "nmf" without negative entries; nothing is
    centred. The updates end after `max_iter`, or when 10 of them change the loss by less than `tol` times the first.
    `eta` is the learning rate of "gd" (default: 0.7 η*) and "adam" (default: a 20th of the size of the start).
    `random_state` is scikit-learn's, but fixed unless given: None would draw from numpy's global state.

    >>> MatrixFactorization(1).fit_transform([[5, 3], [3, 2], [2, 1], [1, 1]]).shape
    (4, 1)
    """

    @checked.options
    def __init__(
        self,
        n_components: int = 2,
        *,
        method: str = "svd",
        max_iter: int = 1000,
        tol: float = 1e-5,
        eta: float | None = None,
        random_state: Any = 0,
    ) -> None:
        self.n_components = n_components
        self.method = method
        self.max_iter = max_iter
        self.tol = tol
        self.eta = eta
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find `components_`, H (k, n); `reconstruction_err_`, ‖X − W H‖_F; `n_iter_`, the number of updates."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """`fit(X)`, and W (m, k) for it."""
        k = checked.integer(self.n_components, "n_components", least=1)
        steps = checked.integer(self.max_iter, "max_iter", least=1)
        checked.choice(self.method, "method", METHODS)
        tol = checked.number(self.tol, "tol", least=0)
        eta = None if self.eta is None else checked.number(self.eta, "eta", above=0)
        X = self._checked(X, reset=True)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if self.method == "svd":
            point, self.n_iter_, settled = truncated_svd(X, k), 1, True
        else:
            loss, walk = _walk(X, k, self.method, eta, seed)
            point, self.n_iter_, settled = _descend(walk, loss, steps, tol)
        if not point.Z.isfinite().all():
            raise ValueError(f"eta is {self.eta}; that diverges, give a smaller one, or None")
        if not settled:
            warnings.warn(
                f"{steps} updates of {self.method!r} did not settle; raise max_iter", ConvergenceWarning, stacklevel=2
            )
        self.components_ = point.H.numpy().copy()
        W = self._coefficients(X)
        loss = Data(X) if self.method == "nmf" else Frobenius(X)
        self.reconstruction_err_ = float(loss(torch.from_numpy(W), point.H).sqrt())
        return W

    def transform(self, X: Any) -> np.ndarray:
        """The best W (m, k) for the rows of X (m, n): new rows need no new fit."""
        check_is_fitted(self)
        return self._coefficients(self._checked(X, reset=False))

    def inverse_transform(self, X: Any) -> np.ndarray:
        """W H (m, n) for W = X (m, k)."""
        check_is_fitted(self)
        W = checked.matrix(X, "X").numpy()
        if W.shape[1] != len(self.components_):
            raise ValueError(f"X has shape {W.shape}; it must have {len(self.components_)} columns, one a component")
        return W @ self.components_

    def _checked(self, X: Any, *, reset: bool) -> Any:
        positive = self.method == "nmf"
        X = validate_data(self, X, reset=reset, dtype=np.float64, accept_sparse="csr" if positive else False)
        if positive:
            check_non_negative(X, "MatrixFactorization(method='nmf')")
        return X

    def _coefficients(self, X: Any) -> np.ndarray:
        """Row by row: no row of W depends on the other rows of X."""
        H = self.components_
        if self.method != "nmf":
            return X @ np.linalg.pinv(H)
        Q, R = np.linalg.qr(H.T)  # ‖x − w H‖ is ‖Qᵀx − R w‖ and a constant: k equations instead of n
        return np.array([nnls(R, row, maxiter=100 + 30 * len(H))[0] for row in X @ Q])

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = tags.input_tags.sparse = self.method == "nmf"
        return tags


def _walk(X: Any, k: int, method: str, eta: float | None, seed: int) -> tuple[Any, Iterator[Factors]]:
    """The objective, and the walk down it."""
    if method == "nmf":
        data = Data(X)
        return data, multiplicative(data, random_start(data, k, seed=seed), repeats=5)
    loss, (m, n) = Frobenius(X), X.shape
    size = float(loss.A.square().mean()) ** 0.25 / k**0.5  # 0 for a matrix of zeros: all ways rest there at once
    W, H = random_factors(m, n, k, seed=seed, scale=size)
    if method == "als":
        return loss, alternate(loss.A, (W, H))
    if method == "adam":
        rule = partial(Adam, eta=eta or size / 20 or 1.0)
    else:
        W, H = W * (n / m) ** 0.25, H * (m / n) ** 0.25  # balanced, as the minimum whose limit is η*
        rule = partial(GradientDescent, eta=eta or (0.7 * float(stable_eta(loss.A)) if size else 1.0))
    return loss, descend(itertools.repeat(loss), (W, H), rule)


def _descend(walk: Iterator[Factors], loss: Any, steps: int, tol: float) -> tuple[Factors, int, bool]:
    """The last point, its number of updates, and whether the loss had settled."""
    with torch.no_grad():
        point = next(walk)
        first = before = float(loss(*point))
        for step in range(1, steps + 1):
            point = next(walk)
            if step % EVERY == 0:
                now = float(loss(*point))
                if not abs(before - now) > tol * first:  # Adam may rise on its way; what is not a number ends here
                    return point, step, True
                before = now
    return point, steps, False
