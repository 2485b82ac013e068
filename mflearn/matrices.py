"""Matrices to factor, made on the spot or found among the installed libraries. No ratings, no downloads."""

import importlib
import inspect
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from . import checked

LIBRARIES = (  # whose docstrings are read: modules, and classes for their methods
    *("numpy", "numpy.fft", "numpy.linalg", "numpy.random.Generator", "pandas", "pandas.DataFrame"),
    *("scipy.optimize", "scipy.signal", "scipy.sparse", "scipy.stats", "matplotlib.axes.Axes"),
    *("sklearn.cluster", "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics", "sklearn.preprocessing"),
    *("torch", "torch.nn", "torch.optim"),
)


def toy_matrix() -> Tensor:
    """The 4×2 matrix of the course; σ₁ = 7.33708, σ₂ = 0.40888.

    >>> toy_matrix().shape
    torch.Size([4, 2])
    """
    return torch.tensor([[5, 3], [3, 2], [2, 1], [1, 1]], dtype=torch.float64)


@checked.options
def low_rank_matrix(m: int, n: int, *, k: int, noise: float = 0.0, seed: int = 0) -> Tensor:
    """A = W H + noise · N with standard normal W (m, k), H (k, n), N (m, n): rank k before the noise.

    >>> torch.linalg.matrix_rank(low_rank_matrix(6, 5, k=2))
    tensor(2)
    """
    m, n, k = (checked.integer(value, name, least=1) for value, name in ((m, "m"), (n, "n"), (k, "k")))
    noise = checked.number(noise, "noise", least=0)
    rng = np.random.default_rng(checked.integer(seed, "seed", least=0))  # torch.randn differs between CPUs
    return torch.from_numpy(
        rng.standard_normal((m, k)) @ rng.standard_normal((k, n)) + noise * rng.standard_normal((m, n))
    )


@checked.options
def matrix_with_singular_values(sigma: list[float], *, m: int, n: int, seed: int = 0) -> Tensor:
    """A = U diag(σ) Vᵀ, shape (m, n), with these singular values and random orthonormal U, V.

    >>> torch.linalg.svdvals(matrix_with_singular_values([3.0, 1.0], m=4, n=3)).round(decimals=9)
    tensor([3., 1., 0.], dtype=torch.float64)
    """
    m, n = checked.integer(m, "m", least=1), checked.integer(n, "n", least=1)
    sigma = np.array([checked.number(value, "sigma", least=0) for value in checked.sequence(sigma, "sigma")])
    if not 1 <= len(sigma) <= min(m, n):
        raise ValueError(f"sigma has {len(sigma)} values; a {m}×{n} matrix has 1 to {min(m, n)}")
    rng = np.random.default_rng(checked.integer(seed, "seed", least=0))
    U, V = (np.linalg.qr(rng.standard_normal((size, len(sigma))))[0] for size in (m, n))
    return torch.from_numpy(U * sigma @ V.T)


@dataclass(frozen=True)
class Table:
    """A matrix whose rows and columns have names."""

    A: Tensor  # (m, n)
    rows: tuple[str, ...]  # m names
    columns: tuple[str, ...]  # n names


@dataclass(frozen=True)
class Pictures:
    """A matrix of which each row is a picture, with what it shows."""

    A: Tensor  # (m, height × width)
    labels: Tensor  # (m,), int64
    shape: tuple[int, int]  # height and width: A[i].view(shape) is picture i


@checked.options
def photograph(*, shrink: int = 1) -> Tensor:
    """Grace Hopper in 1984, grey from 0 (black) to 1, shape (300, 256): sample data of matplotlib, U.S. Navy.

    Each entry is the mean of 2×2 pixels of the file. Its decoders may differ by one level of 255 in a pixel.
    `shrink=2` and `shrink=4` take the mean again, to (150, 128) and (75, 64).
    """
    from matplotlib.image import imread

    size = 2 * checked.choice(shrink, "shrink", (1, 2, 4))
    with _sample("grace_hopper.jpg") as file:
        grey = imread(file, format="jpg") @ np.array([0.299, 0.587, 0.114]) / 255
    return torch.from_numpy(grey.reshape(600 // size, size, 512 // size, size).mean((1, 3)))


def brain_scan() -> Tensor:
    """A slice of a head, by magnetic resonance, from 0 to 1, shape (256, 256): sample data of matplotlib.

    Its 16-bit numbers are multiples of 256, of 0 to 215: 8 bits. More than half of them are 0, air.
    """
    with _sample("s1045.ima.gz") as file:
        levels = np.frombuffer(file.read(), "<u2").reshape(256, 256)
    return torch.from_numpy(levels / levels.max())


def stock_prices() -> Table:
    """Prices in dollars, adjusted, at the start of each month since September 2004: dates × tickers, (214, 9).

    Sample data of matplotlib, from Yahoo Finance. Left out: Dell, which was not traded from 2013 to 2016, and the
    last day of the file, in the middle of a month. ^GSPC and ^IXIC are the indices S&P 500 and Nasdaq.
    """
    import pandas

    with _sample("Stocks.csv") as file:
        prices = pandas.read_csv(file, comment="#", index_col="Date").drop(columns="DELL").dropna()
    prices = prices[prices.index.str.endswith("-01")]
    return Table(torch.tensor(prices.to_numpy(np.float64)), tuple(prices.index), tuple(prices.columns))


def digits() -> Pictures:
    """1,797 handwritten digits of 8×8 pixels from 0 (paper) to 16 (ink), and which digit each is: from scikit-learn.

    Alpaydin & Kaynak 1998, in the UCI repository.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    return Pictures(torch.tensor(data.data), torch.tensor(data.target, dtype=torch.int64), data.images.shape[1:])


@checked.options
def docstring_words(*, terms: int = 1000) -> Table:
    """How much each word says about each function or class of the libraries installed here: documents × terms.

    The documents are the docstrings of at least 50 words of what is public in `LIBRARIES`, in alphabetical order
    and without repetitions; examples, references, and lines found in more than five of them are left out.
    A word has three letters or more, is no stop word of scikit-learn, and is in at least 5 documents and at most
    every fifth; the `terms` most frequent are kept. The entries are scikit-learn's tf-idf with 1 + log(count),
    each row of length 1. The texts, and so the numbers, are those of the installed versions.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    terms, texts = checked.integer(terms, "terms", least=1), _docstrings()
    count = TfidfVectorizer(
        stop_words="english", token_pattern="[a-z]{3,}", min_df=5, max_df=0.2, max_features=terms, sublinear_tf=True
    )
    A = count.fit_transform(texts.values()).toarray()
    some = A.any(1)
    names = tuple(name for name, has in zip(texts, some, strict=True) if has)
    return Table(torch.from_numpy(A[some]), names, tuple(count.get_feature_names_out()))


def _docstrings() -> dict[str, str]:
    """The docstrings that are long enough, by the name of what they describe."""
    found: dict[str, list[str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that will go away
        for place in LIBRARIES:
            home = _import(place)
            public = set(getattr(home, "__all__", None) or dir(home))
            for name in sorted(public.intersection(dir(home))):
                thing = getattr(home, name, None)
                if not name.startswith("_") and (inspect.isroutine(thing) or isinstance(thing, type | np.ufunc)):
                    found[f"{place}.{name}"] = _prose(inspect.getdoc(thing) or "")
    common = Counter(line for lines in found.values() for line in set(lines))
    texts: dict[str, str] = {}  # by text first: the same under two names is one document
    for name in sorted(found):
        text = "\n".join(line for line in found[name] if common[line] <= 5)
        if len(re.findall("[A-Za-z]{3,}", text)) >= 50:
            texts.setdefault(text, name)
    return {name: text for text, name in texts.items()}


def _prose(docstring: str) -> list[str]:
    """The lines of a docstring before its references, without examples."""
    lines = [line.strip() for line in docstring.partition("\nReferences\n")[0].splitlines()]
    return [line for line in lines if not line.startswith((">>>", "..."))]


def _import(path: str) -> Any:
    """A module, or a class in one."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        home, _, name = path.rpartition(".")
        return getattr(importlib.import_module(home), name)


def _sample(name: str) -> IO:
    """A file that comes with matplotlib, open, unpacked if it was packed."""
    from matplotlib import cbook

    return cbook.get_sample_data(name)
