"""What the explorer of parts shows is so: its pairs are the best there are, and its texts have topics."""

import base64
import io
import itertools

import numpy as np
import pytest
import torch
from nbval_strict import difference
from sklearn.decomposition import NMF, PCA
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from mflearn.estimator import MatrixFactorization
from mflearn.matrices import digits
from mflearn.nonnegative import random_start
from mflearn.plots import canvas
from mflearn.widgets.parts_and_seeds import (
    DIGITS,
    REPEATS,
    SEEDS,
    SHUFFLED,
    STEPS,
    TEXTS,
    compute,
    describe,
    draw,
    explore_parts,
    prepare,
    shuffled,
    texts,
    top_words,
)
from mflearn.widgets.picture import Stage


def rows(H):
    return H / np.linalg.norm(H, axis=1, keepdims=True)


def best_pairs(H, other):
    """The largest sum of cosines over all orders, by trying them all."""
    cosines = rows(H) @ rows(other).T
    return max(
        sum(cosines[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(len(H)))
    )  # fmt: skip


@pytest.mark.parametrize("k", [2, 5])
def test_the_score_is_that_of_the_best_pairs_of_all_runs(k):
    H = [compute(DIGITS, k, seed).H.numpy() for seed in range(SEEDS)]
    pairs = {(i, j): best_pairs(H[i], H[j]) / k for i, j in itertools.permutations(range(SEEDS), 2)}
    shown = compute(DIGITS, k, 0)
    assert shown.stability.score == pytest.approx(np.mean(list(pairs.values())), abs=1e-9)
    reference = max(range(SEEDS), key=lambda i: sum(pairs[i, j] for j in range(SEEDS) if j != i))
    assert shown.stability.reference == reference
    for seed in range(SEEDS):
        seen = compute(DIGITS, k, seed)
        own = (rows(seen.H.numpy()) * rows(compute(DIGITS, k, reference).H.numpy())).sum(1)  # in the same order
        assert seen.cosines.numpy() == pytest.approx(own, abs=1e-9)
        assert float(seen.cosines.sum()) == pytest.approx(best_pairs(H[seed], H[reference]), abs=1e-9)


def test_the_parts_are_those_of_scikit_learn_from_the_same_start():
    A, (W, H) = digits().A.numpy(), random_start(digits().A, 4, seed=2)
    model = NMF(4, init="custom", solver="mu", tol=0, max_iter=STEPS * REPEATS)
    W, H = np.maximum(W.numpy(), 1e-12), np.maximum(H.numpy(), 1e-12)
    model.fit_transform(A, W=W, H=H)
    shown = compute(DIGITS, 4, 2).H.numpy()
    assert best_pairs(shown, model.components_) / 4 > 0.99


@pytest.mark.parametrize("data", [DIGITS, TEXTS, SHUFFLED])
@pytest.mark.parametrize(("k", "seed"), [(2, 0), (2, SEEDS - 1), (12, 0), (12, SEEDS - 1)])
def test_what_is_shown_has_its_order_and_its_bounds(data, k, seed):
    shown = compute(data, k, seed)
    assert shown.k == k and len(shown.words) == (0 if data == DIGITS else shown.H.shape[1])
    assert (shown.H >= 0).all() and shown.H.any(1).all()
    assert (shown.stability.parts.diff() <= 0).all()
    assert 0 < shown.stability.chance < shown.stability.score <= 1
    assert ((shown.cosines >= 0) & (shown.cosines <= 1)).all()
    assert shown.scores[k] == (shown.stability.score, shown.stability.chance)
    itself = compute(data, k, shown.stability.reference)
    assert itself.cosines.tolist() == pytest.approx([1] * k) and "with itself" in describe(itself)
    if seed != shown.stability.reference:
        assert f"{float(shown.cosines.min()):.2f}" in describe(shown)


def test_top_words_are_the_heaviest_first():
    words = ("a", "b", "c", "d")
    assert top_words(torch.tensor([0.1, 3.0, 0.0, 2.0]), words, 3) == ["b", "d", "a"]


def test_shuffling_keeps_each_word_as_frequent_and_parts_it_from_its_neighbours():
    A = texts().A
    before, S = A.clone(), shuffled(A)
    assert torch.equal(A, before)
    assert torch.equal(S.sort(0).values, A.sort(0).values)
    together = [((X > 0).double().T @ (X > 0).double()).fill_diagonal_(0) for X in (A, S)]
    assert together[1].max() < together[0].max() / 2  # how often the closest two words meet


def test_the_answers_to_the_question_differ_between_settings():
    explorer = explore_parts()
    explorer.progress.stop()  # the work ahead
    question = explorer.prediction.question
    assert question.answer(compute(TEXTS, 3, 0)) == "all ten, as good as unchanged"
    assert question.answer(compute(TEXTS, 10, 0)) == "most of them; one or a few do not"
    assert question.answer(compute(DIGITS, 12, 0)) == "hardly any"


def test_work_ahead_tells_its_share_and_ends_when_told():
    told = []

    def watch(done):
        told.append(done)
        return len(told) < 4

    prepare(watch)
    assert len(told) == 4 and told[0] == 0 and told == sorted(told) and told[-1] < 0.2


def test_the_rows_fill_the_axis_and_the_ground_of_the_parts_is_that_of_the_page():
    figure = canvas(10.5, 3.9)
    update = draw(figure)
    wall, bars = figure.axes[:2]
    for data, k in ((TEXTS, 12), (TEXTS, 3), (DIGITS, 10)):
        update(compute(data, k, 0))
        rows = [bar for bar in bars.patches if bar.get_visible()]
        numbers = [text.get_text() for text in bars.texts if text.get_visible()]
        assert numbers == [str(i + 1) for i in range(k)]
        middles = [bar.get_y() + bar.get_height() / 2 for bar in rows]
        assert middles == pytest.approx((np.arange(k) + 0.5) / k)
        topics = [text.get_position()[1] / 33 for text in wall.texts[:k]]
        assert topics == pytest.approx(middles)
        assert wall.images[0].get_array().count() == (64 * k if data == DIGITS else 0)


def test_drawing_only_what_moves_gives_the_picture_of_drawing_all():
    stage, whole = Stage(draw, 10.5, 3.9), canvas(10.5, 3.9)
    update = draw(whole)
    for which in ((DIGITS, 12, 1), (TEXTS, 3, 0), (SHUFFLED, 12, 2), (DIGITS, 2, 3)):
        result = compute(*which)
        for layer, artist in enumerate(update(result), 10):
            artist.set(in_layout=False, zorder=layer)
        drawn = io.BytesIO()
        whole.savefig(drawn)
        pair = (base64.b64encode(png) for png in (stage.png(result), drawn.getvalue()))
        assert difference(*pair) is None


# What the notebook says about the texts, and what must hold for any version of the libraries -------------------------


def test_most_topics_of_texts_come_back_and_so_do_those_of_shuffled_texts():
    real, nonsense = compute(TEXTS, 10, 0).stability, compute(SHUFFLED, 10, 0).stability
    assert int((real.parts > 0.9).sum()) >= 5 and float(real.parts.min()) < 0.9
    assert real.score > 3 * real.chance
    assert nonsense.score > 3 * nonsense.chance  # so the score alone proves nothing


def test_some_topics_are_subjects_that_a_reader_would_name():
    shown = compute(TEXTS, 10, compute(TEXTS, 10, 0).stability.reference)
    found = [set(top_words(h, shown.words, 8)) for h in shown.H]
    for subject in ({"filter", "frequency"}, {"dataframe", "columns"}, {"distribution", "test"}, {"plot", "axes"}):
        assert any(subject <= words for words in found), subject


def test_the_library_can_be_told_from_real_topics_and_not_from_shuffled_ones():
    table = texts()
    library = [name.partition(".")[0] for name in table.rows]
    guess = make_pipeline(MatrixFactorization(10, method="nmf", tol=1e-4), KNeighborsClassifier())
    real, nonsense = (cross_val_score(guess, M.numpy(), library, cv=3).mean() for M in (table.A, shuffled(table.A)))
    most = max(map(library.count, library)) / len(library)
    assert real > 0.75 and nonsense < most + 0.05


def test_a_question_finds_texts_about_it_that_do_not_have_its_word():
    table = texts()
    model, column = MatrixFactorization(10, method="nmf").fit(table.A.numpy()), table.columns.index("fourier")
    question = np.zeros((1, len(table.columns)))
    question[0, column] = 1
    asked, about = (torch.tensor(model.inverse_transform(model.transform(X))) for X in (question, table.A.numpy()))
    near = torch.cosine_similarity(about, asked).topk(5).indices.tolist()
    homes = [table.rows[i].rpartition(".")[0] for i in near]
    assert set(homes) <= {"numpy.fft", "scipy.signal"}
    assert not all(table.A[i, column] > 0 for i in near)


def test_parts_as_features_are_good_but_do_not_win():
    """Nearest neighbours: at k = 2 PCA is far ahead, at k = 16 parts are close, and the pixels beat them."""
    X, y, near = digits().A.numpy(), digits().labels.numpy(), KNeighborsClassifier()
    parts = {k: make_pipeline(MatrixFactorization(k, method="nmf", tol=1e-4), near) for k in (2, 16)}
    two, sixteen = (cross_val_score(parts[k], X, y, cv=3).mean() for k in (2, 16))
    centred, pixels = (cross_val_score(make, X, y, cv=3).mean() for make in (make_pipeline(PCA(2), near), near))
    assert centred > two + 0.1
    assert 0.9 < sixteen < pixels
