"""Non-negative factorization against scikit-learn's multiplicative solver, at equal loss."""

import itertools
import statistics
import warnings
from functools import partial
from typing import Any

import numpy as np
import sklearn
from scipy.sparse import csr_array

from ..descent import Factors
from ..matrices import digits, docstring_words
from ..nonnegative import Data, multiplicative, random_start
from .contest import Contest, compare, one_thread, versions

MOST = 2_000  # updates, ten times scikit-learn's: who needs more has not reached the loss
RELATIVE = 1e-6  # how near to their loss


def scikit_learn(A: Any, starts: list[Factors]) -> tuple[float, int]:
    """Mean loss and all updates of scikit-learn's multiplicative solver from these starts, as it is by default."""
    from sklearn.decomposition import NMF

    loss, updates = 0.0, 0
    for begin in starts:
        W, H = (np.array(X.numpy(), order="C") for X in begin)
        model = NMF(W.shape[1], init="custom", solver="mu")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that 200 updates do not settle: they are what is measured
            model.fit_transform(A, W=W, H=H)
        loss, updates = loss + model.reconstruction_err_**2 / len(starts), updates + model.n_iter_
    return float(loss), updates


def down_to(loss: float, A: Any, starts: list[Factors], repeats: int) -> int:
    """How many of our updates reach that mean loss; looked at after every 10, as scikit-learn does."""
    data = Data(A)
    walks = [multiplicative(data, begin, repeats=repeats) for begin in starts]
    for step in range(0, MOST + 10, 10):
        skip = 9 if step else 0  # the first point of a walk is its start
        losses = [float(data(*next(itertools.islice(walk, skip, None)))) for walk in walks]
        if statistics.mean(losses) <= loss * (1 + RELATIVE):
            break
    return step * len(starts)


def nmf(rounds: int = 5) -> bool:
    """Print the table against scikit-learn's multiplicative solver at equal loss; True if ours is nowhere slower."""
    with one_thread():
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
            loss, theirs = scikit_learn(A, starts)
            for repeats in (1, 3):
                ours = down_to(loss, A, starts, repeats)
                all_found = all_found and ours < MOST * len(starts)
                walk = partial(down_to, loss, A, starts, repeats)
                title = f"{name}, k = {k}, ×{repeats}: {theirs}, {ours}"
                lines.append(Contest(title, partial(scikit_learn, A, starts), walk, runs=1, goal=1))
        reached = compare(lines, rounds, head="times faster, at equal loss", peer="sklearn")
        print(
            "×3: `repeats=3`, each half of an update three times with the same products. Its path is another one, and "
            "a single one may end in another valley than theirs, lower or higher: hence the mean."
        )
    return all_found and reached
