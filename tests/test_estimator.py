"""scikit-learn's own checks pass; each method finds what it should; and features of low rank serve a classifier."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.optimize import lsq_linear
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.decomposition import NMF, PCA, TruncatedSVD
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from mflearn.estimator import METHODS, MatrixFactorization
from mflearn.exact import lowest_loss
from mflearn.matrices import digits, low_rank_matrix

FROM_CHECKS = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # they allow 5 updates


def checks():
    """All that scikit-learn has, for every method; what it would skip or expect to fail is not left out."""
    for method in METHODS:
        for estimator, check in estimator_checks_generator(MatrixFactorization(method=method)):
            name = getattr(check, "func", check).__name__
            if name != "check_array_api_input":  # only where SCIPY_ARRAY_API is set, for estimators that claim it
                yield pytest.param(estimator, check, id=f"{method}: {name}")


@FROM_CHECKS
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learns_check(estimator, check):
    check(estimator)


@FROM_CHECKS
def test_scikit_learns_checks_are_many_and_would_find_a_fault():
    class Wrong(MatrixFactorization):
        def transform(self, X):
            return super().transform(X) + np.arange(len(X))[:, None]  # depends on the order of the rows

    assert len(list(checks())) > 80

    def failed(estimator):
        found = []
        for instance, check in estimator_checks_generator(estimator):
            try:
                check(instance)
            except Exception:
                found.append(getattr(check, "func", check).__name__)
        return found

    assert "check_methods_subset_invariance" in failed(Wrong())


def quiet(model, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X)


def error(model, A):
    return np.linalg.norm(A - model.inverse_transform(model.transform(A)))


@pytest.mark.parametrize("k", [1, 4])
def test_svd_finds_the_best_subspace(k):
    """Eckart & Young; and the subspace itself is scikit-learn's."""
    A = low_rank_matrix(30, 20, k=6, noise=0.1, seed=1).numpy()
    model = MatrixFactorization(k, method="svd").fit(A)
    assert error(model, A) ** 2 == pytest.approx(float(lowest_loss(A, k)), rel=1e-12)
    H, V = model.components_, TruncatedSVD(k, algorithm="arpack").fit(A).components_
    assert np.abs(np.linalg.pinv(H) @ H - V.T @ V).max() < 1e-9


def test_nmf_is_as_good_as_scikit_learns_on_digits():
    A = digits().A.numpy()
    ours = quiet(MatrixFactorization(10, method="nmf", tol=1e-6), A)
    theirs = quiet(NMF(10, init="random", max_iter=300, random_state=0), A)
    assert error(ours, A) == pytest.approx(theirs.reconstruction_err_, rel=0.01)
    assert (ours.components_ >= 0).all() and ours.components_.shape == theirs.components_.shape


@pytest.mark.parametrize("method", METHODS)
def test_transform_is_the_best_that_can_be_done_with_the_components(method):
    """For new rows; scipy's bounded least squares are the reference, one row at a time."""
    A = np.random.default_rng(0).random((40, 8))
    model = MatrixFactorization(3, method=method).fit(A[:30])
    low = 0 if method == "nmf" else -np.inf
    for x, w in zip(A[30:], model.transform(A[30:]), strict=True):
        best = lsq_linear(model.components_.T, x, bounds=(low, np.inf), tol=1e-14).x
        assert w == pytest.approx(best, abs=1e-6)
        assert w.min() >= low
    if method == "nmf":
        assert (model.transform(A) == 0).any()


@pytest.mark.parametrize("method", METHODS)
def test_the_attributes_are_those_that_scikit_learn_promises(method):
    A = np.random.default_rng(0).random((12, 5))
    model = MatrixFactorization(2, method=method)
    W = model.fit_transform(A)
    assert np.allclose(W, model.transform(A)) and W.shape == (12, 2) and model.components_.shape == (2, 5)
    assert model.get_feature_names_out().tolist() == ["matrixfactorization0", "matrixfactorization1"]
    assert model.n_features_in_ == 5 and 1 <= model.n_iter_ <= 1000
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert np.array_equal(again.transform(A), model.transform(A))
    same = clone(model).fit(A)
    assert np.array_equal(same.components_, model.components_)
    with pytest.raises(NotFittedError):
        clone(model).transform(A)


def test_factors_of_another_rank_have_no_product():
    model = MatrixFactorization(2).fit(np.eye(4))
    with pytest.raises(ValueError, match="^X has 1 columns; it must have 2, as many as there are components$"):
        model.inverse_transform([[1.0]])


def test_the_random_state_decides_and_none_is_scikit_learns():
    A = np.random.default_rng(0).random((12, 5))

    def found(state):
        return quiet(MatrixFactorization(2, method="nmf", max_iter=3, random_state=state), A).components_

    assert np.array_equal(found(1), found(1)) and not np.allclose(found(1), found(2))
    assert np.array_equal(found(np.random.RandomState(5)), found(5))
    np.random.seed(3)
    first = found(None)
    np.random.seed(3)
    assert np.array_equal(first, found(None))


def test_too_few_updates_are_told_and_enough_are_counted():
    A = np.random.default_rng(0).random((12, 5))
    with pytest.warns(ConvergenceWarning, match="7 updates of 'nmf' did not settle; raise max_iter"):
        assert MatrixFactorization(2, method="nmf", max_iter=7).fit(A).n_iter_ == 7
    model = MatrixFactorization(2, method="nmf", max_iter=5000).fit(A)
    assert model.n_iter_ % 10 == 0 and model.n_iter_ < 5000
    assert MatrixFactorization(2, method="nmf", max_iter=5000, tol=1e-2).fit(A).n_iter_ < model.n_iter_


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("A", [np.zeros((4, 3)), np.ones((5, 4)), np.eye(3)[:1]], ids=["zero", "rank 1", "one row"])
def test_matrices_of_too_low_a_rank_are_factored_all_the_same(method, A):
    model = quiet(MatrixFactorization(2, method=method, max_iter=3000, tol=1e-9), A)
    assert np.isfinite(model.components_).all() and np.allclose(
        model.inverse_transform(model.transform(A)), A, atol=2e-2
    )


def test_sparse_counts_go_in_without_being_filled():
    A = np.random.default_rng(0).random((60, 40)) * (np.random.default_rng(1).random((60, 40)) < 0.08)
    dense, sparse = (MatrixFactorization(3, method="nmf").fit(kind(A)) for kind in (np.array, csr_array))
    assert np.allclose(dense.components_, sparse.components_)
    assert np.allclose(dense.transform(A), sparse.transform(csr_array(A)))
    with pytest.raises(TypeError, match="[Ss]parse"):
        MatrixFactorization(3, method="svd").fit(csr_array(A))


@pytest.mark.parametrize("method", METHODS)
def test_features_of_digits_serve_a_classifier_as_well_as_scikit_learns(method):
    """Accuracy against k: it rises with k, and is within 3 points of TruncatedSVD's, or NMF's, and 5 of PCA's."""
    data = digits()
    split = train_test_split(data.A.numpy(), data.labels.numpy(), test_size=0.5, random_state=0, stratify=data.labels)

    def accuracy(features):
        train, test, label, truth = split
        model = make_pipeline(features, StandardScaler(), LogisticRegression(max_iter=1000))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(train, label).score(test, truth)

    ours = {k: accuracy(MatrixFactorization(k, method=method, max_iter=300)) for k in (2, 8, 20)}
    assert ours[2] < 0.75 < 0.82 < ours[8] < ours[20] and ours[20] > 0.92
    like = NMF(init="random", max_iter=300, random_state=0) if method == "nmf" else TruncatedSVD(random_state=0)
    for k in (8, 20):
        assert ours[k] == pytest.approx(accuracy(like.set_params(n_components=k)), abs=0.03)
        assert ours[k] > accuracy(PCA(k, random_state=0)) - 0.05


def test_it_can_be_searched_over_and_follows_a_vectorizer():
    data = digits()
    search = GridSearchCV(
        make_pipeline(MatrixFactorization(), LogisticRegression(max_iter=3000)),
        {"matrixfactorization__n_components": [2, 16], "matrixfactorization__method": ["svd", "nmf"]},
        cv=3,
    ).fit(data.A[:300].numpy() / 16, data.labels[:300].numpy())
    assert search.best_params_["matrixfactorization__n_components"] == 16
    texts = ["cat dog cat", "dog cat", "stock price", "price of stock stock", "cat", "price"]
    topics = make_pipeline(TfidfVectorizer(), MatrixFactorization(2, method="nmf")).fit_transform(texts)
    assert (topics.argmax(1)[[0, 1, 4]] != topics.argmax(1)[[2, 3, 5]]).all() and len(set(topics.argmax(1)[:2])) == 1
