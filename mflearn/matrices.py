"""Matrices to factor: made on the spot, found in the installed libraries, or frozen. No ratings, no downloads."""

from dataclasses import dataclass
from importlib import resources

import numpy as np
import torch
from matplotlib.cbook import get_sample_data
from matplotlib.image import imread
from scipy.sparse import csr_array
from torch import Tensor

from . import checked


def toy_matrix() -> Tensor:
    """The 4×2 matrix of the course; σ₁ = 7.33708, σ₂ = 0.40888.

    >>> toy_matrix().shape
    torch.Size([4, 2])
    """
    return torch.tensor([[5, 3], [3, 2], [2, 1], [1, 1]], dtype=torch.float64)


def low_rank_matrix(m: int, n: int, *, k: int, noise: float = 0.0, seed: int = 0) -> Tensor:
    """A = W H + noise · N with standard normal W (m, k), H (k, n), N (m, n): rank k before the noise.

    >>> torch.linalg.matrix_rank(low_rank_matrix(6, 5, k=2))
    tensor(2)
    """
    m, n, k = (checked.integer(value, name, least=1) for value, name in ((m, "m"), (n, "n"), (k, "k")))
    checked.entries(m * n + (m + n) * k, "A, W and H")
    noise = checked.number(noise, "noise", least=0)
    rng = np.random.default_rng(checked.integer(seed, "seed", least=0))  # torch.randn differs between CPUs
    W, H, N = (rng.standard_normal(shape) for shape in ((m, k), (k, n), (m, n)))
    return torch.from_numpy(W @ H + noise * N)


def matrix_with_singular_values(sigma: list[float], *, m: int, n: int, seed: int = 0) -> Tensor:
    """A = U diag(σ) Vᵀ, shape (m, n), with these singular values and random orthonormal U, V.

    >>> torch.linalg.svdvals(matrix_with_singular_values([3.0, 1.0], m=4, n=3)).round(decimals=9)
    tensor([3., 1., 0.], dtype=torch.float64)
    """
    m, n = checked.integer(m, "m", least=1), checked.integer(n, "n", least=1)
    checked.entries(m * n, "A")
    sigma = checked.array(sigma, "sigma", axes=1).numpy()
    if sigma.min() < 0:
        raise ValueError(f"sigma holds {sigma.min():g}; no singular value may be below 0")
    if len(sigma) > min(m, n):
        raise ValueError(f"sigma has {len(sigma)} values; a {m}×{n} matrix has 1 to {min(m, n)}")
    rng = np.random.default_rng(checked.integer(seed, "seed", least=0))
    U, V = (np.linalg.qr(rng.standard_normal((size, len(sigma))))[0] for size in (m, n))
    return torch.from_numpy(U * sigma @ V.T)


@dataclass(frozen=True)
class NamedMatrix:
    """A matrix whose rows and columns have names."""

    A: Tensor  # (m, n)
    rows: tuple[str, ...]  # m names
    columns: tuple[str, ...]  # n names


@dataclass(frozen=True)
class Pictures:
    """A matrix whose rows are pictures, and what each of them shows."""

    A: Tensor  # (m, height × width)
    labels: Tensor  # (m,), int64
    shape: tuple[int, int]  # height and width: A[i].view(shape) is picture i


def photograph(*, shrink: int = 1) -> Tensor:
    """Grace Hopper in 1984, grey from 0 (black) to 1, shape (300, 256): sample data of matplotlib, U.S. Navy.

    Each entry is the mean of 2×2 pixels of the file. Its decoders may differ by one level of 255 in a pixel.
    `shrink=2` and `shrink=4` take the mean again, to (150, 128) and (75, 64).
    """
    size = 2 * checked.choice(shrink, "shrink", (1, 2, 4))
    with get_sample_data("grace_hopper.jpg") as file:
        grey = imread(file, format="jpg") @ np.array([0.299, 0.587, 0.114]) / 255
    return torch.from_numpy(grey.reshape(600 // size, size, 512 // size, size).mean((1, 3)))


def brain_scan() -> Tensor:
    """A slice of a head, by magnetic resonance, from 0 to 1, shape (256, 256): sample data of matplotlib.

    The file has 16 bits for each entry, but holds only 256 times the numbers 0 to 215, for which 8 bits are enough.
    More than half of the entries are 0: air.
    """
    with get_sample_data("s1045.ima.gz") as file:
        levels = np.frombuffer(file.read(), "<u2").reshape(256, 256)
    return torch.from_numpy(levels / levels.max())


def stock_prices() -> NamedMatrix:
    """Prices in dollars, adjusted, at the start of each month since September 2004: dates × tickers, (214, 9).

    Sample data of matplotlib, from Yahoo Finance. Left out: Dell, which was not traded from 2013 to 2016, and the
    last day of the file, in the middle of a month. ^GSPC and ^IXIC are the indices S&P 500 and Nasdaq.
    """
    import pandas

    with get_sample_data("Stocks.csv") as file:
        prices = pandas.read_csv(file, comment="#", index_col="Date", dtype=str)
    prices = prices.drop(columns="DELL").dropna().map(float)  # older versions of pandas do not take the nearest number
    prices = prices[prices.index.str.endswith("-01")]
    return NamedMatrix(torch.tensor(prices.to_numpy(np.float64)), tuple(prices.index), tuple(prices.columns))


def digits() -> Pictures:
    """1,797 handwritten digits of 8×8 pixels from 0 (paper) to 16 (ink), and which digit each is: from scikit-learn.

    Alpaydin & Kaynak 1998, in the UCI repository.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    return Pictures(torch.tensor(data.data), torch.tensor(data.target, dtype=torch.int64), data.images.shape[1:])


def docstring_words() -> NamedMatrix:
    """How much each word says about each of 1,798 help texts of Python libraries: texts × words, (1798, 1000).

    The entries are scikit-learn's tf-idf with 1 + log(count), and each row has length 1. The counts are frozen in
    words.npz, so that they are the same whatever is installed. The texts are docstrings of NumPy 2.4.6, SciPy 1.17.1,
    pandas 3.1.1, scikit-learn 1.9.1, Matplotlib 3.11.2 and PyTorch 2.13.0: those of public functions and classes, of
    at least 50 words, each text once, without examples and references, and without the lines that occur in more than
    five of them. A word has three letters or more, is no stop word of scikit-learn, and occurs in at least 5 texts and
    in at most every fifth. The 1,000 most frequent words are kept, and of equally frequent ones those that come first
    in the alphabet.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    with resources.files("mflearn").joinpath("words.npz").open("rb") as file:
        frozen = dict(np.load(file))
    rows, columns = (tuple(map(str, frozen[name])) for name in ("texts", "words"))
    counts = csr_array((frozen["counts"], frozen["columns"], frozen["starts"]), shape=(len(rows), len(columns)))
    A = TfidfTransformer(sublinear_tf=True).fit_transform(counts.astype(np.float64))
    return NamedMatrix(torch.from_numpy(A.toarray()), rows, columns)
