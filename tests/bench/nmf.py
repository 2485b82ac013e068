"""A benchmark of non-negative factorization against scikit-learn's multiplicative solver, at equal loss."""

import itertools
import statistics
import warnings
from functools import partial
from typing import Any

import numpy as np
import sklearn
from scipy.sparse import csr_array

from mflearn.descent import Factors
from mflearn.matrices import digits, docstring_words
from mflearn.nonnegative import Data, multiplicative, random_start

from .comparison import Comparison, compare, single_threaded, versions

MOST = 2_000  # updates from each start, ten times scikit-learn's; a loss not reached by then counts as missed
RELATIVE = 1e-6  # how near our loss must come to theirs


def scikit_learn(A: Any, starts: list[Factors]) -> tuple[float, int]:
    """The mean loss and the number of all updates of scikit-learn's multiplicative solver, with its defaults."""
    from sklearn.decomposition import NMF

    losses, updates = [], 0
    for start in starts:
        W, H = (np.array(X.numpy(), order="C") for X in start)
        model = NMF(W.shape[1], init="custom", solver="mu")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its 200 updates do not converge; that is what we measure
            model.fit_transform(A, W=W, H=H)
        losses.append(model.reconstruction_err_**2)
        updates += model.n_iter_
    return float(statistics.mean(losses)), updates


def updates_needed(loss: float, A: Any, starts: list[Factors], repeats: int) -> int:
    """How many of our updates, over all starts, bring the mean loss down to this one.

    The loss is looked at after every 10 updates, as scikit-learn does.
    """
    data = Data(A)
    walks = [multiplicative(data, start, repeats=repeats) for start in starts]
    for step in range(0, MOST + 10, 10):
        skip = 9 if step else 0  # the first point of a walk is its start
        losses = [float(data(*next(itertools.islice(walk, skip, None)))) for walk in walks]
        if statistics.mean(losses) <= loss * (1 + RELATIVE):
            break
    return step * len(starts)


def measure(rounds: int = 5) -> bool:
    """Print the table; True if ours always reaches scikit-learn's loss, and is nowhere slower."""
    with single_threaded():
        words = docstring_words().A.numpy()
        matrices = {"digits": digits().A.numpy(), "texts": csr_array(words)}
        sizes = ", ".join(f"{name} {A.shape[0]:,}×{A.shape[1]:,}" for name, A in matrices.items())
        share = f"{np.count_nonzero(words) / words.size:.1%}"
        print(f"{versions()}, scikit-learn {sklearn.__version__}, 1 thread, float64")
        print(
            f"Peer: sklearn.decomposition.NMF(solver='mu'). A: {sizes} (tf-idf, {share} not 0, sparse for both sides). "
            "The same 5 random starts, its default settings; ours walk until the mean of their losses is theirs. After "
            "the colon: all updates, theirs and ours.\n"
        )
        lines, all_found = [], True
        for (name, A), k in itertools.product(matrices.items(), (10, 20)):
            starts = [random_start(A, k, seed=seed) for seed in range(5)]
            peer = partial(scikit_learn, A, starts)
            loss, theirs = peer()
            for repeats in (1, 3):
                walk = partial(updates_needed, loss, A, starts, repeats)
                ours = walk()
                all_found = all_found and ours < MOST * len(starts)
                title = f"{name}, k = {k}, ×{repeats}: {theirs}, {ours}"
                lines.append(Comparison(title, peer=peer, ours=walk, runs=1, goal=1))
        reached = compare(lines, rounds, head="times faster, at equal loss", peer="sklearn")
        print(
            "×3: `repeats=3`, each half of an update three times with the same products. Its path is another one, and "
            "a single one may end in another valley than theirs, lower or higher: hence the mean."
        )
    return all_found and reached
