"""The matrices have the rank, the noise and the singular values asked for; found ones are those of their files."""

import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

import mflearn
from mflearn.exact import energy, numbers_stored
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

SAMPLES = f"{matplotlib.get_data_path()}/sample_data"


@pytest.fixture(scope="module")
def words():
    return docstring_words()


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


def test_the_photograph_is_the_file_reduced():
    """Pillow's own box filter and grey are the reference, to a level of 255 for its rounding."""
    A = photograph()
    with Image.open(f"{SAMPLES}/grace_hopper.jpg") as file:
        theirs = np.asarray(file.convert("L").reduce(2))
    assert A.shape == theirs.shape == (300, 256) and A.dtype == torch.float64
    assert np.abs(255 * A.numpy() - theirs).max() < 1.5
    assert A.min() >= 0 and A.max() <= 1 and A.std() > 0.1


@pytest.mark.parametrize("shrink", [2, 4])
def test_the_photograph_is_reduced_further(shrink):
    blocks = photograph().unfold(0, shrink, shrink).unfold(1, shrink, shrink)
    A = photograph(shrink=shrink)
    assert A.shape == (300 // shrink, 256 // shrink) and torch.allclose(A, blocks.mean((-1, -2)), rtol=1e-12)


def test_pictures_are_compressible():
    """Two thirds of the numbers, or fewer, give 98 % of the energy; noise of the same shape gives far less."""
    for A in (photograph(), brain_scan()):
        k = 1 + int((energy(A) < 0.98).sum())
        assert numbers_stored(*A.shape, k) < 2 / 3 * A.numel()
        noise = low_rank_matrix(*A.shape, k=1, noise=1.0) - low_rank_matrix(*A.shape, k=1)
        assert energy(noise)[k - 1] < 0.6


def test_the_scan_is_a_head_in_air():
    A = brain_scan()
    assert A.shape == (256, 256) and A.dtype == torch.float64 and (A.min(), A.max()) == (0, 1)
    assert torch.equal(A, (215 * A).round() / 215) and 0.5 < (A == 0).double().mean() < 0.6
    assert A.diff().abs().mean() < 0.2 * A.mean()  # neighbours are alike; in shuffled rows they are not
    assert A[torch.randperm(256, generator=torch.Generator().manual_seed(0))].diff(dim=0).abs().mean() > 0.4 * A.mean()
    assert A[:8, :8].max() < 0.1 * A[100:150, 100:150].mean()


def test_the_prices_are_those_of_the_file():
    table = stock_prices()
    assert table.A.shape == (len(table.rows), len(table.columns)) == (214, 9)
    assert table.A.isfinite().all() and (table.A > 0).all()
    assert list(table.rows) == sorted(set(table.rows)) and all(re.fullmatch(r"\d{4}-\d\d-01", d) for d in table.rows)
    assert "DELL" not in table.columns
    text = Path(f"{SAMPLES}/Stocks.csv").read_text()
    lines = dict(line.split(",", 1) for line in text.splitlines() if line[0].isdigit())
    for date in (table.rows[0], table.rows[100], table.rows[-1]):
        known = [float(value) for i, value in enumerate(lines[date].split(",")) if i != 5]  # 5: Dell
        assert table.A[table.rows.index(date)].tolist() == known


def test_the_digits_are_scikit_learns():
    ours, theirs = digits(), load_digits()
    assert ours.A.dtype == torch.float64 and ours.labels.dtype == torch.int64 and ours.shape == (8, 8)
    assert np.array_equal(ours.A, theirs.data) and np.array_equal(ours.labels, theirs.target)
    assert np.array_equal(ours.A[7].view(ours.shape), theirs.images[7])


def test_words_say_what_they_count(words):
    A, rows, columns = words.A, words.rows, words.columns
    assert A.shape == (len(rows), len(columns)) == (1798, 1000) and A.dtype == torch.float64
    assert (A >= 0).all() and torch.allclose(A.norm(dim=1), A.new_ones(len(rows)), rtol=1e-12)
    assert list(rows) == sorted(set(rows)) and list(columns) == sorted(set(columns))
    assert all(re.fullmatch("[a-z]{3,}", word) for word in columns)
    assert not ENGLISH_STOP_WORDS.intersection(columns)
    spread = (A > 0).sum(0)
    assert spread.min() >= 5 and spread.max() <= 0.2 * len(rows)
    assert {row.partition(".")[0] for row in rows} == {"matplotlib", "numpy", "pandas", "scipy", "sklearn", "torch"}


def test_a_word_is_found_where_it_stands(words):
    """A filter is about filters, and not about tables."""
    value = dict(zip(words.columns, words.A[words.rows.index("scipy.signal.butter")].tolist(), strict=True))
    assert value["filter"] > 0.15 and value["dataframe"] == 0


def test_the_frozen_counts_are_counts_and_give_the_tf_idf_of_the_formula(words):
    """The formula of notebook 07, written out; and nothing in the file needs pickle."""
    frozen = np.load(Path(mflearn.__file__).with_name("words.npz"), allow_pickle=False)
    assert frozen["counts"].dtype.kind == "u" and frozen["counts"].min() >= 1 and len(frozen["counts"]) == 76_071
    m, often = len(words.rows), np.bincount(frozen["columns"])
    for i in (0, 700, m - 1):
        entries = slice(frozen["starts"][i], frozen["starts"][i + 1])
        at, counts = frozen["columns"][entries], frozen["counts"][entries].astype(float)
        row = np.zeros(len(words.columns))
        row[at] = (1 + np.log(counts)) * (1 + np.log((1 + m) / (1 + often[at])))
        assert words.A[i].tolist() == pytest.approx(row / np.linalg.norm(row), rel=1e-12)


def test_each_call_makes_its_own():
    for make in (photograph, brain_scan):
        make().zero_()
        assert make().any()
    for make in (stock_prices, digits, docstring_words):
        make().A.zero_()
        assert make().A.any()
