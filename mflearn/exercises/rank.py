"""Exercises of notebook 05."""

from typing import Any

import torch
from torch import Tensor

from ..matrices import matrix_with_singular_values
from .exercise import Choice, Exercise, QuizQuestion, Wrong, code, numbers, same


def _random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _spectrum(count: int, decay: float, generator: torch.Generator) -> Tensor:
    """Singular values that fall by about `decay` from one to the next, none equal to another."""
    jitter = 0.9 + 0.2 * torch.rand(count, generator=generator, dtype=torch.float64)
    return (3 * decay ** torch.arange(count, dtype=torch.float64) * jitter).sort(descending=True).values


def _matrix(m: int, n: int, decay: float, seed: int, generator: torch.Generator) -> Tensor:
    return matrix_with_singular_values(_spectrum(min(m, n), decay, generator).tolist(), m=m, n=n, seed=seed)


def _matrices(seed: int) -> list[tuple]:
    """Matrices, wide, square and tall, with a rank below the full one."""
    generator = _random(seed)
    shapes = ((5, 3, 1), (4, 6, 2), (6, 6, 3), (9, 5, 3), (3, 8, 1), (8, 7, 4))
    return [(_matrix(m, n, 0.7, seed, generator), k) for m, n, k in shapes]


def _values(seed: int) -> list[tuple]:
    """Singular values, above and below 1, with a rank up to the full one."""
    generator = _random(seed)
    return [(_spectrum(count, 0.75, generator), k) for count, k in ((4, 1), (7, 3), (5, 2), (9, 6), (6, 5), (3, 3))]


def _shares(seed: int) -> list[tuple]:
    """Singular values that fall fast and slowly, and a share; at the end one that is reached exactly."""
    generator = _random(seed)
    plans = ((12, 0.8, 0.9), (20, 0.9, 0.9), (8, 0.6, 0.99), (15, 0.85, 0.95), (6, 0.95, 0.6), (10, 0.7, 0.5))
    cases = [(_spectrum(count, decay, generator), share) for count, decay, share in plans]
    return [*cases, (torch.full((4,), 2.0, dtype=torch.float64), 0.75)]


def _budgets(seed: int) -> list[tuple]:
    """Matrices, and a relative error between those of two ranks; the larger may not halve the storage."""
    generator = _random(seed)
    plans = (  # m, n, how fast σ falls, the rank that the error needs
        (12, 8, 0.6, 2),
        (16, 16, 0.7, 4),  # stores exactly half
        (8, 8, 0.5, 1),
        (20, 12, 0.7, 7),  # less than A, and more than half
        (10, 15, 0.8, 4),
        (9, 14, 0.7, 6),  # more than A, though W alone is less than half
        (24, 18, 0.97, 5),
    )
    cases = []
    for m, n, decay, k in plans:
        A = _matrix(m, n, decay, seed, generator)
        sigma = torch.linalg.svdvals(A)
        error = sigma.square().flip(0).cumsum(0).flip(0).sqrt() / sigma.norm()  # of rank 0, 1, 2, …
        cases.append((A, float((error[k - 1] * error[k]).sqrt())))
    return cases


def _tables(seed: int) -> list[tuple]:
    """Tables whose columns have means of their own, far from 0."""
    generator = _random(seed)
    cases = []
    for m, n, k in ((6, 4, 1), (5, 5, 2), (4, 7, 2), (10, 3, 1), (8, 6, 3)):
        means = 4 * torch.rand(n, generator=generator, dtype=torch.float64) - 1
        cases.append((_matrix(m, n, 0.7, seed, generator) + means, k))
    return cases


def _pair(value: Any) -> tuple[Tensor, Tensor] | None:
    """W and H, if a value is two matrices that can be multiplied."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return None
    W, H = map(numbers, value)
    if W is None or H is None or W.ndim != 2 or H.ndim != 2 or W.shape[1] != H.shape[0]:
        return None
    return W, H


def _layers(A: Tensor, kept: slice, power: float = 1.0) -> Tensor:
    """The sum of some layers of A, each with σ to this power."""
    U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
    return U[:, kept] * sigma[kept] ** power @ Vt[kept]


def _product_is(value: Any, product: Tensor) -> bool:
    return (pair := _pair(value)) is not None and same(pair[0] @ pair[1], product, 1e-6)


def _balanced(value: Any) -> bool:
    return (pair := _pair(value)) is not None and same(pair[0].T @ pair[0], pair[1] @ pair[1].T, 1e-6)


def _best_fault(arguments: tuple, value: Any) -> str | None:
    A, k = arguments
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return "It must give a tuple of two matrices, W and H."
    W, H = map(numbers, value)
    if W is None or H is None or W.shape != (A.shape[0], k) or H.shape != (k, A.shape[1]):
        return "W must be a matrix of shape (m, k), H one of shape (k, n)."
    if not _product_is(value, _layers(A, slice(k))):
        return "W H is not the best product of this rank."
    return None if _balanced(value) else "WᵀW is not H Hᵀ."


def _h_is_transposed(arguments: tuple, value: Any) -> bool:
    A, k = arguments
    if not isinstance(value, (tuple, list)) or len(value) != 2 or k == A.shape[1]:
        return False
    H = numbers(value[1])
    return H is not None and H.shape == (A.shape[1], k)


def _h_is_cut_from_columns(arguments: tuple, value: Any) -> bool:
    """Whether the rows of H are columns of Vᵀ, with any sign and length."""
    A, k = arguments
    H = numbers(value[1]) if isinstance(value, (tuple, list)) and len(value) == 2 else None
    if H is None or H.ndim != 2 or len(H) != k:
        return False
    columns = torch.linalg.svd(A, full_matrices=False).Vh[:, :k].T
    unit = torch.nn.functional.normalize
    return same(unit(H).abs(), unit(columns).abs(), 1e-6)


def _is_the_largest_dropped(arguments: tuple, value: Any) -> bool:
    """Whether a value is the first of several dropped singular values."""
    sigma, k = arguments
    return k + 1 < len(sigma) and same(value, sigma[k], 1e-6)


def _has_columns(value: Any, count: int) -> bool:
    return (pair := _pair(value)) is not None and pair[0].shape[1] == count


EXERCISES = (
    Exercise(
        id="05.1",
        title="The best factors",
        statement=(
            "Write `best(A, k)` with `torch.linalg.svd`: it returns the best `W` (m, k) and `H` (k, n) of rank k, "
            "for any m×n matrix `A`.\n\n"
            r"Share each σ between the two sides, so that $W^\top W = H H^\top$."
        ),
        stub=code("""
            def best(A, k):
                return ...
        """),
        solution=code("""
            import torch

            def best(A, k):
                U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                root = sigma[:k].sqrt()
                return U[:, :k] * root, root[:, None] * Vt[:k]
        """),
        cases=_matrices,
        accepts=_best_fault,
        hints=(
            "Section 1 does it for the photograph. Which parts of `U`, `sigma` and `Vt` belong to the first k layers?",
            "$u_p$ is a column of `U`; `torch.linalg.svd` returns $V^\\top$, so that $v_p$ is a row of `Vt`.",
            "Give √σ to each side: multiply the columns `U[:, :k]` by it, and the rows `Vt[:k]`.",
        ),
        wrong=(
            Wrong(
                "no Σ",
                code("""
                    import torch

                    def best(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U[:, :k], Vt[:k]
                """),
                "The directions are right, but each layer has length 1 here. What makes the first layer the strongest?",
                shows=lambda arguments, value: _product_is(value, _layers(arguments[0], slice(arguments[1]), 0.0)),
            ),
            Wrong(
                "all of σ on both sides",
                code("""
                    import torch

                    def best(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U[:, :k] * sigma[:k], sigma[:k, None] * Vt[:k]
                """),
                "Here σ is in W and once more in H, so that the product has σ².",
                shows=lambda arguments, value: _product_is(value, _layers(arguments[0], slice(arguments[1]), 2.0)),
            ),
            Wrong(
                "all of σ on one side",
                code("""
                    import torch

                    def best(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U[:, :k] * sigma[:k], Vt[:k]
                """),
                "The product is the best one. But σ is not shared evenly: compare WᵀW with H Hᵀ.",
                shows=lambda arguments, value: (
                    _product_is(value, _layers(arguments[0], slice(arguments[1]))) and not _balanced(value)
                ),
            ),
            Wrong(
                "√σ on the columns of H",
                code("""
                    import torch

                    def best(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        root = sigma[:k].sqrt()
                        return U[:, :k] * root, root * Vt[:k]
                """),
                "Right for k = 1 only; else the shapes do not fit, or fit and give another product. A vector times a "
                "matrix, entry by entry, stretches the columns of the matrix. In `Vt` each layer has a row.",
            ),
            Wrong(
                "V transposed once too often",
                code("""
                    import torch

                    def best(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        root = sigma[:k].sqrt()
                        return U[:, :k] * root, (root[:, None] * Vt[:k]).T
                """),
                "H is n×k here; it must be k×n. Is what the SVD returns V, or already its transpose?",
                shows=_h_is_transposed,
            ),
            Wrong(
                "columns of Vᵀ",
                code("""
                    import torch

                    def best(A, k):
                        U, sigma, V = torch.linalg.svd(A, full_matrices=False)
                        root = sigma[:k].sqrt()
                        return U[:, :k] * root, root[:, None] * V[:, :k].T
                """),
                "The rows of H are columns of what svd returned last. These hold one entry of every vector $v_p$, "
                "not one whole vector.",
                shows=_h_is_cut_from_columns,
            ),
            Wrong(
                "k + 1 layers",
                code("""
                    import torch

                    def best(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        root = sigma[: k + 1].sqrt()
                        return U[:, : k + 1] * root, root[:, None] * Vt[: k + 1]
                """),
                "W has k + 1 columns here: one layer too many. How many entries does the slice [:k] have?",
                shows=lambda arguments, value: _has_columns(value, arguments[1] + 1),
            ),
            Wrong(
                "all layers",
                code("""
                    import torch

                    def best(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U * sigma.sqrt(), sigma.sqrt()[:, None] * Vt
                """),
                "This is all of A: every layer is still in it. Which of them does rank k keep?",
                shows=lambda arguments, value: (
                    not _has_columns(value, arguments[1] + 1) and _product_is(value, arguments[0])
                ),
            ),
            Wrong(
                "the weakest layers",
                code("""
                    import torch

                    def best(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        root = sigma[-k:].sqrt()
                        return U[:, -k:] * root, root[:, None] * Vt[-k:]
                """),
                "These are the k weakest layers. What is dropped should be small: in which order does σ come?",
                shows=lambda arguments, value: _product_is(value, _layers(arguments[0], slice(-arguments[1], None))),
            ),
            Wrong(
                "three factors",
                code("""
                    import torch

                    def best(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U[:, :k], torch.diag(sigma[:k]), Vt[:k]
                """),
                "The SVD has three factors, W H has two: where shall Σ go?",
                shows=lambda arguments, value: isinstance(value, (tuple, list)) and len(value) == 3,
            ),
        ),
        further=(
            "It is one of many answers: W R and Rᵀ H are just as good, and just as balanced, for every rotation R."
        ),
    ),
    Exercise(
        id="05.2",
        title="The error, from singular values alone",
        statement=(
            "`sigma` holds all singular values of a matrix `A`, the largest first. Write `error(sigma, k)`: "
            r"$\|A - W H\|_F$, with the root, for the best `W` and `H` of rank k."
            "\n\nNeither `A` nor `W` and `H` are needed. k can be as large as the number of singular values."
        ),
        stub=code("""
            def error(sigma, k):
                return ...
        """),
        solution=code("""
            def error(sigma, k):
                return sigma[k:].square().sum().sqrt()
        """),
        cases=_values,
        hints=(
            "Eckart and Young say what the lowest squared error is: the sum of the dropped σ².",
            "In Python counting starts at 0: `sigma[0]` is σ₁. So the first one that is dropped is `sigma[k]`.",
            "Square `sigma[k:]`, add up, and take the root.",
        ),
        wrong=(
            Wrong(
                "no root",
                code("""
                    def error(sigma, k):
                        return sigma[k:].square().sum()
                """),
                "This is the squared error, the loss. The task asks for the norm itself.",
            ),
            Wrong(
                "sum without squares",
                code("""
                    def error(sigma, k):
                        return sigma[k:].sum()
                """),
                "This adds up the σ themselves. The layers are orthogonal, so it is their squares that add up.",
            ),
            Wrong(
                "root of the sum without squares",
                code("""
                    def error(sigma, k):
                        return sigma[k:].sum().sqrt()
                """),
                "There is a root, but nothing was squared before it.",
            ),
            Wrong(
                "what is kept",
                code("""
                    def error(sigma, k):
                        return sigma[:k].square().sum().sqrt()
                """),
                "This is the length of W H: it grows with k. The error is what W H does not have.",
            ),
            Wrong(
                "one layer too few",
                code("""
                    def error(sigma, k):
                        return sigma[k + 1 :].square().sum().sqrt()
                """),
                "This is the error of rank k + 1: the first dropped layer is not counted.",
            ),
            Wrong(
                "one layer too many",
                code("""
                    def error(sigma, k):
                        return sigma[k - 1 :].square().sum().sqrt()
                """),
                "This is the error of rank k − 1: it counts a layer that W H has.",
            ),
            Wrong(
                "the largest dropped one",
                code("""
                    def error(sigma, k):
                        return sigma[k] if k < len(sigma) else 0.0
                """),
                "This is the largest of the dropped values: the error in the spectral norm. The Frobenius norm counts "
                "all of them.",
                shows=_is_the_largest_dropped,
            ),
            Wrong(
                "relative",
                code("""
                    def error(sigma, k):
                        return sigma[k:].norm() / sigma.norm()
                """),
                "This is the relative error, a share of ‖A‖. The task asks for the error itself.",
            ),
            Wrong(
                "mean in place of the sum",
                code("""
                    def error(sigma, k):
                        return sigma[k:].square().mean().sqrt() if k < len(sigma) else 0.0
                """),
                "This takes the mean of the squares. What is lost adds up: four dropped layers cost more than one.",
            ),
        ),
        further=(
            "So one SVD tells the error of every rank at once: for the photograph, 256 errors and not a single product."
        ),
        misconceptions=(11, 16),
    ),
    Exercise(
        id="05.3",
        title="k for 90 % of the energy",
        statement=(
            "Write `rank_for(sigma, share)`: the smallest k whose layers hold at least this share of the energy. "
            "`sigma` holds all singular values, the largest first; `share` is above 0 and below 1, such as 0.9."
        ),
        stub=code("""
            def rank_for(sigma, share):
                return ...
        """),
        solution=code("""
            def rank_for(sigma, share):
                energy = sigma.square().cumsum(0) / sigma.square().sum()
                return 1 + int((energy < share).sum())
        """),
        cases=_shares,
        hints=(
            "The energy of k layers is the sum of their σ²; its share is that over the sum of all σ².",
            "`cumsum(0)` gives the sums for k = 1, 2, 3, … at once. How many of them are still below the share?",
            "If j shares are below, rank j is the last that is not enough, and j + 1 is the answer.",
        ),
        wrong=(
            Wrong(
                "Σσ",
                code("""
                    def rank_for(sigma, share):
                        return 1 + int((sigma.cumsum(0) / sigma.sum() < share).sum())
                """),
                "This takes shares of Σσ. The loss is a sum of squares, so energy is, too.",
            ),
            Wrong(
                "one too small",
                code("""
                    def rank_for(sigma, share):
                        energy = sigma.square().cumsum(0) / sigma.square().sum()
                        return int((energy < share).sum())
                """),
                "This rank is one too small: it does not reach the share yet. The entry at place 0 belongs to k = 1.",
            ),
            Wrong(
                "more than the share",
                code("""
                    def rank_for(sigma, share):
                        energy = sigma.square().cumsum(0) / sigma.square().sum()
                        return 1 + int((energy <= share).sum())
                """),
                "It is right, but for one case: where the share is reached exactly, it goes on. At least is enough.",
            ),
            Wrong(
                "relative error",
                code("""
                    def rank_for(sigma, share):
                        left = (1 - sigma.square().cumsum(0) / sigma.square().sum()).clamp(min=0).sqrt()
                        return 1 + int((left > 1 - share).sum())
                """),
                "This asks that the relative error be at most 1 − share. Energy counts squares: 90 % of it leave an "
                "error of 32 %.",
            ),
            Wrong(
                "share of the length",
                code("""
                    def rank_for(sigma, share):
                        length = sigma.square().cumsum(0).sqrt() / sigma.norm()
                        return 1 + int((length < share).sum())
                """),
                "This compares lengths, ‖W H‖ / ‖A‖: there is a root too many. Energy is the square of it.",
            ),
            Wrong(
                "what is left",
                code("""
                    def rank_for(sigma, share):
                        energy = sigma.square().cumsum(0) / sigma.square().sum()
                        return 1 + int((energy < 1 - share).sum())
                """),
                "This rank holds only 1 − share of the energy: kept and dropped are exchanged.",
            ),
            Wrong(
                "share of the layers",
                code("""
                    import math

                    def rank_for(sigma, share):
                        return math.ceil(share * len(sigma))
                """),
                "This counts layers, as if each had the same energy. How much a layer has, σ tells.",
            ),
            Wrong(
                "beside the largest",
                code("""
                    def rank_for(sigma, share):
                        return int((sigma >= (1 - share) * sigma[0]).sum())
                """),
                "This compares each value with the largest one. Energy is about sums: many small ones count, too.",
            ),
            Wrong(
                "smallest first",
                code("""
                    def rank_for(sigma, share):
                        squares = sigma.square().flip(0)
                        return 1 + int((squares.cumsum(0) / squares.sum() < share).sum())
                """),
                "This adds up from the smallest value. The best factors keep the largest layers first.",
            ),
        ),
        further=(
            "For the photograph of 300×256 pixels it gives 6, and the formula with Σσ 95: ask which one a paper means."
        ),
        misconceptions=(11,),
    ),
    Exercise(
        id="05.4",
        title="Half of the numbers, within a given error",
        statement=(
            "Write `rank_to_store(A, budget)`: the smallest k for which both hold:\n\n"
            "* the best `W` and `H` of rank k have a relative error "
            r"$\|A - W H\|_F / \|A\|_F$ of at most `budget`;"
            "\n* together they hold at most half as many numbers as the m×n matrix `A`.\n\n"
            "Where there is no such k, return 0."
        ),
        stub=code("""
            def rank_to_store(A, budget):
                return ...
        """),
        solution=code("""
            import torch

            def rank_to_store(A, budget):
                m, n = A.shape
                sigma = torch.linalg.svdvals(A)
                for k in range(1, m * n // (2 * (m + n)) + 1):
                    if sigma[k:].norm() <= budget * sigma.norm():
                        return k
                return 0
        """),
        cases=_budgets,
        hints=(
            "How many numbers are in `W`, how many in `H`? Half of `A` are m·n/2.",
            "The relative error is the length of the dropped singular values over the length of all of them.",
            "Go through k = 1, 2, … as long as 2 k (m + n) ≤ m n, and return the first k whose error is small enough.",
        ),
        wrong=(
            Wrong(
                "storage not asked",
                code("""
                    import torch

                    def rank_to_store(A, budget):
                        sigma = torch.linalg.svdvals(A)
                        return next(k for k in range(1, len(sigma) + 1) if sigma[k:].norm() <= budget * sigma.norm())
                """),
                "The error is within the budget. But for some matrices this rank needs more than half of the numbers.",
            ),
            Wrong(
                "error not asked",
                code("""
                    def rank_to_store(A, budget):
                        m, n = A.shape
                        return m * n // (2 * (m + n))
                """),
                "This is the largest k that halves the storage. The task asks for the smallest that is accurate "
                "enough, if there is one.",
            ),
            Wrong(
                "fewer, not half",
                code("""
                    import torch

                    def rank_to_store(A, budget):
                        m, n = A.shape
                        sigma = torch.linalg.svdvals(A)
                        for k in range(1, len(sigma) + 1):
                            if k * (m + n) < m * n and sigma[k:].norm() <= budget * sigma.norm():
                                return k
                        return 0
                """),
                "It stores less than A, but not always half of it or less.",
            ),
            Wrong(
                "one factor forgotten",
                code("""
                    import torch

                    def rank_to_store(A, budget):
                        m, n = A.shape
                        sigma = torch.linalg.svdvals(A)
                        for k in range(1, len(sigma) + 1):
                            if 2 * k * m <= m * n and sigma[k:].norm() <= budget * sigma.norm():
                                return k
                        return 0
                """),
                "This counts the numbers of W only. To get A back, one must keep both factors.",
            ),
            Wrong(
                "share of the energy",
                code("""
                    import torch

                    def rank_to_store(A, budget):
                        m, n = A.shape
                        squares = torch.linalg.svdvals(A).square()
                        for k in range(1, m * n // (2 * (m + n)) + 1):
                            if squares[k:].sum() <= budget * squares.sum():
                                return k
                        return 0
                """),
                "This compares a share of squares with the budget. A dropped energy of 10 % is an error of 32 %.",
            ),
            Wrong(
                "error not relative",
                code("""
                    import torch

                    def rank_to_store(A, budget):
                        m, n = A.shape
                        sigma = torch.linalg.svdvals(A)
                        for k in range(1, m * n // (2 * (m + n)) + 1):
                            if sigma[k:].norm() <= budget:
                                return k
                        return 0
                """),
                "The error is compared with the budget as it is. It should be a share of the length of A.",
            ),
            Wrong(
                "Σσ",
                code("""
                    import torch

                    def rank_to_store(A, budget):
                        m, n = A.shape
                        sigma = torch.linalg.svdvals(A)
                        for k in range(1, m * n // (2 * (m + n)) + 1):
                            if sigma[k:].sum() <= budget * sigma.sum():
                                return k
                        return 0
                """),
                "This takes the dropped share of Σσ for the error. The error is the root of a sum of squares.",
            ),
            Wrong(
                "less than half",
                code("""
                    import torch

                    def rank_to_store(A, budget):
                        m, n = A.shape
                        sigma = torch.linalg.svdvals(A)
                        for k in range(1, len(sigma) + 1):
                            if 2 * k * (m + n) < m * n and sigma[k:].norm() <= budget * sigma.norm():
                                return k
                        return 0
                """),
                "It refuses a rank that needs exactly half of the numbers. At most half is allowed.",
            ),
            Wrong(
                "None in place of 0",
                code("""
                    import torch

                    def rank_to_store(A, budget):
                        m, n = A.shape
                        sigma = torch.linalg.svdvals(A)
                        for k in range(1, m * n // (2 * (m + n)) + 1):
                            if sigma[k:].norm() <= budget * sigma.norm():
                                return k
                """),
                "Where it finds a rank, it is the right one. Where there is none, it ends without a return.",
            ),
        ),
        further=("For the photograph of 300×256 pixels half of the numbers allow an error of 10 %, but not of 5 %."),
        misconceptions=(7, 8),
    ),
    Exercise(
        id="05.5",
        title="Take the mean out, and add it back",
        statement=(
            "Write `with_mean(A, k)`: the m×n matrix $\\mathbf{1}\\mu + W H$, where μ is the row of the n column means "
            "of `A`, and `W H` is the best product of rank k for what is left.\n\n"
            "`A` itself must stay as it is."
        ),
        stub=code("""
            def with_mean(A, k):
                return ...
        """),
        solution=code("""
            import torch

            def with_mean(A, k):
                mu = A.mean(0)
                U, sigma, Vt = torch.linalg.svd(A - mu, full_matrices=False)
                return mu + U[:, :k] * sigma[:k] @ Vt[:k]
        """),
        cases=_tables,
        hints=(
            "First the means: one number for each column of `A`. Over which axis does the mean go?",
            "Subtract them in a new matrix, and take the truncated SVD of that.",
            "What you have approximates A − 1μ. One more term, and it approximates `A`.",
        ),
        wrong=(
            Wrong(
                "mean not added back",
                code("""
                    import torch

                    def with_mean(A, k):
                        U, sigma, Vt = torch.linalg.svd(A - A.mean(0), full_matrices=False)
                        return U[:, :k] * sigma[:k] @ Vt[:k]
                """),
                "This approximates A without its mean. What is it that you want to compare with A?",
            ),
            Wrong(
                "not centred",
                code("""
                    import torch

                    def with_mean(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U[:, :k] * sigma[:k] @ Vt[:k]
                """),
                "No mean is taken out here: the layers must describe it, too.",
            ),
            Wrong(
                "added, but never taken out",
                code("""
                    import torch

                    def with_mean(A, k):
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        return A.mean(0) + U[:, :k] * sigma[:k] @ Vt[:k]
                """),
                "The mean is added, but was not taken out before: now it counts twice.",
            ),
            Wrong(
                "means of the rows",
                code("""
                    import torch

                    def with_mean(A, k):
                        mu = A.mean(1, keepdim=True)
                        U, sigma, Vt = torch.linalg.svd(A - mu, full_matrices=False)
                        return mu + U[:, :k] * sigma[:k] @ Vt[:k]
                """),
                "These are the means of the rows. μ has one number for each column: what all months share, say.",
            ),
            Wrong(
                "means of the rows, as a row",
                code("""
                    import torch

                    def with_mean(A, k):
                        mu = A.mean(1)
                        U, sigma, Vt = torch.linalg.svd(A - mu, full_matrices=False)
                        return mu + U[:, :k] * sigma[:k] @ Vt[:k]
                """),
                "`mean(1)` has one number for each of the m rows, and μ needs n numbers: only in a square matrix do "
                "the shapes fit, and there the numbers are wrong.",
            ),
            Wrong(
                "one mean for all",
                code("""
                    import torch

                    def with_mean(A, k):
                        mu = A.mean()
                        U, sigma, Vt = torch.linalg.svd(A - mu, full_matrices=False)
                        return mu + U[:, :k] * sigma[:k] @ Vt[:k]
                """),
                "This is one mean of all entries. Each column has one of its own.",
            ),
            Wrong(
                "k − 1 layers",
                code("""
                    import torch

                    def with_mean(A, k):
                        mu = A.mean(0)
                        U, sigma, Vt = torch.linalg.svd(A - mu, full_matrices=False)
                        return mu + U[:, : k - 1] * sigma[: k - 1] @ Vt[: k - 1]
                """),
                "There is a layer too few: k counts the layers of W H, and the mean comes on top.",
            ),
            Wrong(
                "columns of unit spread",
                code("""
                    import torch

                    def with_mean(A, k):
                        mu, spread = A.mean(0), A.std(0)
                        U, sigma, Vt = torch.linalg.svd((A - mu) / spread, full_matrices=False)
                        return mu + spread * (U[:, :k] * sigma[:k] @ Vt[:k])
                """),
                "The columns were also divided by their spread. That is another question, in other units, with other "
                "best factors.",
            ),
            Wrong(
                "A changed in place",
                code("""
                    import torch

                    def with_mean(A, k):
                        mu = A.mean(0)
                        A -= mu
                        U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
                        return mu + U[:, :k] * sigma[:k] @ Vt[:k]
                """),
                "The values are right, but the caller's A has lost its mean. A -= … writes into the matrix itself.",
            ),
        ),
        further=(
            "Its rank is at most k + 1. So two layers without a mean are never worse than one layer and the mean."
        ),
    ),
)

QUIZ: tuple[QuizQuestion, ...] = (
    QuizQuestion(
        "The best W H of some rank keeps 99 % of the energy of A. How large is the relative error ‖A − W H‖_F / ‖A‖_F?",
        (
            Choice("1 %", "1 % is the share of the energy that is dropped, a share of squares. Take the root."),
            Choice("10 %", "The dropped energy is 0.01 of the whole, and the error is the root of that.", True),
            Choice("0.01 %", "That is 0.01 squared. From energy to error one takes the root."),
            Choice(
                "That depends on the singular values.",
                "The error is √Σσ² of the dropped ones over √Σσ² of all, so the share alone decides.",
            ),
        ),
        misconceptions=(11, 16),
    ),
    QuizQuestion(
        "A 100×100 matrix is to be stored as W and H, in at most half as many numbers. Which k are possible?",
        (
            Choice("all k up to 100", "At k = 100, W and H hold twice as many numbers as A."),
            Choice("all k up to 50", "k = 50 takes 50 · (100 + 100) = 10,000 numbers: as many as A itself."),
            Choice("all k up to 25", "k (m + n) = 25 · 200 is half of 10,000.", True),
        ),
        misconceptions=(8,),
    ),
    QuizQuestion(
        "Twenty descents on the small photograph, from random starts, all with k = 8 and a small η, end at the same "
        "loss: 32.16, and it no longer falls. What is this number?",
        (
            Choice(
                "The sum of the dropped σ²: no W and H of this rank have less.",
                "Though the loss is not convex, descent finds the lowest one. With k below the rank of A it is above "
                "0.",
                True,
            ),
            Choice(
                "A bad local minimum, since the loss is not convex.",
                "This loss has no bad local minima: where the slope is 0, it is lowest, or there is a way down.",
            ),
            Choice(
                "A sign that something is wrong: the loss must reach 0.",
                "It can reach 0 only if k is at least the rank of A. Look at the singular values from the ninth on.",
            ),
        ),
        misconceptions=(6, 10),
    ),
    QuizQuestion(
        "The stocks at k = 2: without centring W H has 98.6 % of the energy, with centring 97.5 %. Which of the two "
        "fits is nearer to the prices, as far as these shares tell?",
        (
            Choice(
                "Without centring: it has the larger share.",
                "The two are shares of different totals. Here the RMSE is 0.163 without centring, and 0.147 with it.",
            ),
            Choice(
                "The shares do not tell.",
                "They are shares of different totals: the second starts after the mean is taken out. Compare errors "
                "in one unit.",
                True,
            ),
            Choice(
                "Both are as near: 1.1 % is too little to matter.",
                "The difference of the shares says nothing, small or large: their totals are not the same.",
            ),
        ),
    ),
    QuizQuestion(
        "Nine series of 214 months are described by two numbers a month, with 80 % of the energy, and on the map "
        "the months form a fine curve. What does that show?",
        (
            Choice(
                "That common causes move the nine series.",
                "Nine independent random walks, without any cause in common, reach 80 % on average, and draw "
                "curves, too.",
            ),
            Choice(
                "That the two numbers predict the coming months.",
                "They describe months that were given. Nothing was predicted, nor tested on months that were not seen.",
            ),
            Choice(
                "Little: series that move slowly do that by themselves.",
                "So compare with data that have no meaning, such as random walks, before a pattern is given a name.",
                True,
            ),
        ),
        misconceptions=(23,),
    ),
)
