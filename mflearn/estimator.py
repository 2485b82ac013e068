"""The truncated SVD and non-negative factorization as one estimator of scikit-learn, for pipelines.

It has no mathematics of its own: `exact` and `nonnegative` do the work.
"""

import warnings
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from scipy.optimize import nnls
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from . import checked
from .exact import truncated_svd
from .fast import one_thread
from .nonnegative import Data, multiplicative, random_start
from .objectives import Factors

METHODS = ("svd", "nmf")
EVERY = 10  # so many updates lie between two looks at the loss, as in scikit-learn's NMF


class MatrixFactorization(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Features of X (m, n) of low rank: X ≈ W H, W (m, k) = `transform(X)`, H (k, n) = `components_`.

    With `method="svd"` H is that of the truncated SVD, the best possible. With "nmf" X, W and H have no entry below 0,
    X may be sparse, and H is found by multiplicative updates. `transform` then finds the W of least squares for that
    H, for "nmf" without negative entries. Nothing is centred.

    The updates of "nmf" end after `max_iter`, or as soon as 10 of them change the loss by less than `tol` times the
    loss at the start. `random_state` is scikit-learn's, but it is 0 unless you give one: None would draw from NumPy's
    global state.

    >>> MatrixFactorization(1).fit_transform([[5, 3], [3, 2], [2, 1], [1, 1]]).shape
    (4, 1)
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        method: str = "svd",
        max_iter: int = 1000,
        tol: float = 1e-5,
        random_state: Any = 0,
    ) -> None:
        self.n_components = n_components
        self.method = method
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    @one_thread()
    def fit(self, X: Any, y: Any = None) -> Self:
        """Find `components_`, H (k, n), and `n_iter_`, the number of updates."""
        k = checked.integer(self.n_components, "n_components", least=1)
        steps = checked.integer(self.max_iter, "max_iter", least=1)
        checked.choice(self.method, "method", METHODS)
        tol = checked.number(self.tol, "tol", least=0)
        X = self._checked(X, reset=True)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if self.method == "svd":
            point, self.n_iter_ = truncated_svd(X, k), 1
        else:
            data = Data(X)
            walk = multiplicative(data, random_start(data, k, seed=seed), repeats=5)
            point, self.n_iter_, settled = _last(walk, data, steps, tol)
            if not settled:
                line = f"{steps} updates of 'nmf' did not settle; raise max_iter"
                warnings.warn(line, ConvergenceWarning, stacklevel=2)
        self.components_ = point.H.numpy().copy()
        return self

    @one_thread()
    def transform(self, X: Any) -> np.ndarray:
        """The best W (m, k) for the rows of X (m, n): new rows need no new fit, and no row depends on the others."""
        check_is_fitted(self)
        X, H = self._checked(X, reset=False), self.components_
        if self.method == "svd":
            return X @ np.linalg.pinv(H)
        Q, R = np.linalg.qr(H.T)  # ‖x − w H‖ is ‖Qᵀx − R w‖ and a constant: k equations instead of n
        return np.array([nnls(R, row, maxiter=100 + 30 * len(H))[0] for row in X @ Q])

    def inverse_transform(self, X: Any) -> np.ndarray:
        """W H (m, n) for W = X (m, k)."""
        check_is_fitted(self)
        X, k = check_array(X), len(self.components_)
        if X.shape[1] != k:
            raise ValueError(f"X has {X.shape[1]} columns; it must have {k}, as many as there are components")
        return X @ self.components_

    def _checked(self, X: Any, *, reset: bool) -> Any:
        """X as scikit-learn's checks return it, an array or a sparse matrix."""
        positive = self.method == "nmf"
        X = validate_data(self, X, reset=reset, dtype=np.float64, accept_sparse="csr" if positive else False)
        if positive:
            check_non_negative(X, "MatrixFactorization(method='nmf')")
        return X

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = tags.input_tags.sparse = self.method == "nmf"
        return tags


def _last(walk: Iterator[Factors], loss: Data, steps: int, tol: float) -> tuple[Factors, int, bool]:
    """The last point of the walk, the number of its updates, and whether the loss had settled there."""
    point = next(walk)
    first = before = float(loss(*point))
    for step in range(1, steps + 1):
        point = next(walk)
        if step % EVERY == 0:
            now = float(loss(*point))
            if before - now <= tol * first:
                return point, step, True
            before = now
    return point, steps, False
