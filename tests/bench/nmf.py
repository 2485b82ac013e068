"""A benchmark of non-negative factorization against scikit-learn's multiplicative solver, at equal loss."""

import itertools
import math
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
STARTS = 20
RELATIVE = 1e-6  # how near our loss must come to theirs


def scikit_learn(A: Any, starts: list[Factors]) -> list[tuple[float, int]]:
    """The loss and the number of updates of scikit-learn's multiplicative solver from each start, with its defaults."""
    from sklearn.decomposition import NMF

    found = []
    for start in starts:
        W, H = (np.array(X.numpy(), order="C") for X in start)
        model = NMF(W.shape[1], init="custom", solver="mu")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its 200 updates do not converge; that is what we measure
            model.fit_transform(A, W=W, H=H)
        found.append((model.reconstruction_err_**2, model.n_iter_))
    return found


def updates_needed(losses: list[float], A: Any, starts: list[Factors], repeats: int) -> float:
    """How many of our updates, over all starts, bring us to these losses of scikit-learn; inf if not all do.

    With `repeats=1` both take the same path, and each start ends at its own loss. Otherwise the paths differ, and one
    start may end in another valley than theirs, lower or higher: then all walk until the mean of their losses is the
    mean of theirs. The loss is looked at after every 10 updates, as scikit-learn does.
    """
    data = Data(A)
    if repeats > 1:
        return _updates_to_mean(statistics.mean(losses), data, starts, repeats)
    return sum(_updates_to_mean(loss, data, [start], 1) for loss, start in zip(losses, starts, strict=True))


def _updates_to_mean(loss: float, data: Data, starts: list[Factors], repeats: int) -> float:
    walks = [multiplicative(data, start, repeats=repeats) for start in starts]
    for step in range(0, MOST + 10, 10):
        skip = 9 if step else 0  # the first point of a walk is its start
        losses = [float(data(*next(itertools.islice(walk, skip, None)))) for walk in walks]
        if statistics.mean(losses) <= loss * (1 + RELATIVE):
            return step * len(starts)
    return math.inf


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
            f"The same {STARTS} random starts, its default settings; ours walk until their losses are theirs. After "
            "the colon: all updates, theirs and ours.\n"
        )
        lines, all_found = [], True
        for (name, A), k in itertools.product(matrices.items(), (10, 20)):
            starts = [random_start(A, k, seed=seed) for seed in range(STARTS)]
            peer = partial(scikit_learn, A, starts)
            losses, updates = zip(*peer(), strict=True)
            for repeats in (1, 3):
                walk = partial(updates_needed, losses, A, starts, repeats)
                ours = walk()
                all_found = all_found and ours < math.inf
                title = f"{name}, k = {k}, ×{repeats}: {sum(updates)}, {ours}"
                lines.append(Comparison(title, peer=peer, ours=walk, runs=1, goal=1))
        reached = compare(lines, rounds, head="times faster, at equal loss", peer="sklearn")
        print(
            "×1: the same path, so each start ends at its own loss. ×3: `repeats=3`, each half of an update three "
            "times with the same products. Its path is another one, and a single one may end in another valley than "
            "theirs, lower or higher: hence all walk until the mean of their losses is theirs."
        )
    return all_found and reached
