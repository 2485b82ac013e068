"""Exercises of notebook 01: outer products, how many numbers are stored, norms, and other factors."""

import random
from typing import Any

import torch
from torch import Tensor

from .exercise import Cases, Choice, Exercise, QuizQuestion, Wrong, code, numbers, same


def _matrices(seed: int, *shapes: tuple[int, ...]) -> list[Tensor]:
    """Random entries of both signs."""
    generator = torch.Generator().manual_seed(seed)
    return [4 * torch.rand(shape, generator=generator, dtype=torch.float64) - 2 for shape in shapes]


def _vectors(seed: int) -> Cases:
    """Pairs of vectors, of one length and of two."""
    sizes = ((3, 3), (4, 2), (2, 5), (6, 4), (3, 7))
    drawn = iter(_matrices(seed, *((length,) for pair in sizes for length in pair)))
    return list(zip(drawn, drawn, strict=True))


def _sizes_and_ranks(seed: int) -> Cases:
    """The toy, a photograph, and others: m, n, k."""
    rng = random.Random(seed)
    others = [(rng.randint(20, 60), rng.randint(8, 19), rng.randint(3, 6)) for _ in range(2)]
    return [(600, 400, 20), (4, 2, 2), (50, 50, 7), *others, (9, 31, rng.randint(2, 5))]


def _sizes(seed: int) -> Cases:
    """m, n: with m + n a divisor of m n, just below one, just above one, and as they come."""
    rng = random.Random(seed)
    others = [(rng.randint(2, 30), rng.randint(31, 90)) for _ in range(2)]
    return [(600, 400), (6, 6), (12, 4), (2, 2), (5, 7), (7, 3), *others]


def _norms(seed: int) -> Cases:
    """B: the one of the statement, square ones and others."""
    drawn = _matrices(seed, (3, 3), (2, 5), (6, 4), (7, 2))
    return [(torch.tensor([[1.0, -2], [2, 4]], dtype=torch.float64),), *((B,) for B in drawn)]


def _factors(seed: int) -> Cases:
    """W, H: no two of m, n, k are equal, but for the toy's H."""
    sizes = ((4, 2, 2), (5, 4, 2), (4, 6, 3), (3, 5, 2), (7, 5, 3))
    drawn = iter(_matrices(seed, *(shape for m, n, k in sizes for shape in ((m, k), (k, n)))))
    return list(zip(drawn, drawn, strict=True))


def _pair(arguments: tuple, value: Any) -> tuple[Tensor, Tensor] | None:
    """A pair of finite matrices that have a product of the shape of W H."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return None
    W, H = (numbers(part) for part in value)
    if W is None or H is None or not W.ndim == H.ndim == 2 or W.shape[1] != H.shape[0]:
        return None
    fits = (len(W), H.shape[1]) == (len(arguments[0]), arguments[1].shape[1])
    return (W, H) if fits and W.isfinite().all() and H.isfinite().all() else None


def _another_pair(arguments: tuple, value: Any) -> str | None:
    (W, H), pair = arguments, _pair(arguments, value)
    if pair is None:
        return "It gives no pair of finite matrices, m×k and k×n."
    if not same(pair[0] @ pair[1], W @ H, 1e-6):
        return "The product is not W H."
    if pair[0].shape != W.shape:
        return "The product is right, but k has changed."
    return "It is the pair that was given." if same(pair[0], W, 1e-6) else None


def _only_one_changed(arguments: tuple, value: Any) -> bool:
    changed = [not same(new, old, 1e-6) for new, old in zip(_pair(arguments, value) or (), arguments, strict=False)]
    return sum(changed) == 1


def _multiple(arguments: tuple, value: Any) -> bool:
    """The new product is c W H, and c is not 1."""
    if (pair := _pair(arguments, value)) is None:
        return False
    new, old = pair[0] @ pair[1], arguments[0] @ arguments[1]
    c = float((new * old).sum() / old.square().sum())
    return abs(c - 1) > 1e-6 and same(new, c * old, 1e-6)


def _same_G_twice(arguments: tuple, value: Any) -> bool:
    """W' = W G, and H' is G H or Gᵀ H, but the product is another."""
    (W, H), pair = arguments, _pair(arguments, value)
    if pair is None or pair[0].shape != W.shape or same(pair[0] @ pair[1], W @ H, 1e-6):
        return False
    G = torch.linalg.lstsq(W, pair[0]).solution
    return same(W @ G, pair[0], 1e-6) and (same(G @ H, pair[1], 1e-6) or same(G.T @ H, pair[1], 1e-6))


def _transposed_inverse(arguments: tuple, value: Any) -> bool:
    """W' = W G, and H' = G⁻ᵀ H, but the product is another."""
    (W, H), pair = arguments, _pair(arguments, value)
    if pair is None or pair[0].shape != W.shape or same(pair[0] @ pair[1], W @ H, 1e-6):
        return False
    G = torch.linalg.lstsq(W, pair[0]).solution
    return same(W @ G, pair[0], 1e-6) and same(G.T @ pair[1], H, 1e-6)


def _k_changed(arguments: tuple, value: Any) -> bool:
    (W, H), pair = arguments, _pair(arguments, value)
    return pair is not None and pair[0].shape != W.shape and same(pair[0] @ pair[1], W @ H, 1e-6)


def _shift(arguments: tuple, value: Any) -> bool:
    """A constant added to all of W, and taken from all of H."""
    if (pair := _pair(arguments, value)) is None or pair[0].shape != arguments[0].shape:
        return False
    shift_W, shift_H = (new - old for new, old in zip(pair, arguments, strict=True))
    by = float(shift_W.mean())
    return abs(by) > 1e-6 and bool(((shift_W - by).abs() < 1e-9).all() and ((shift_H + by).abs() < 1e-9).all())


_outer = "def outer(w, h):\n    return {}".format
_stored = "def numbers_stored(m, n, k):\n    return {}".format
_largest = "def largest_k(m, n):\n    return {}".format
_norm = "import torch\n\n\ndef frobenius_norm(B):\n    return {}".format
_another = "import torch\n\n\ndef another_pair(W, H):\n    return {}".format
_another_with_G = code("""
    import torch


    def another_pair(W, H):
        G = torch.eye(len(H), dtype=W.dtype)
        G[0, 1], G[1, 1] = 3, 2
        return {}
""").format

EXERCISES = (
    Exercise(
        id="01.1",
        title="Outer product",
        statement=code(r"""
            Write `outer(w, h)` for two vectors of any lengths $m$ and $n$ (tensors with one axis).
            It returns the $m \times n$ matrix with $w_i h_j$ in row $i$, column $j$.
            On paper first: what is it for $w = (1, 2, 3)$ and $h = (4, 0, -1)$?
        """),
        stub=code("""
            def outer(w, h):
                return ...
        """),
        solution=code("""
            def outer(w, h):
                return w[:, None] * h[None, :]
        """),
        cases=_vectors,
        hints=(
            "Row $i$ is a multiple of $h$. Which one?",
            "A column times a row: torch repeats each along the axis where it has length 1.",
            "`w[:, None]` is `w` as a column, of shape $m \\times 1$; `h[None, :]` is `h` as a row.",
        ),
        wrong=(
            Wrong(
                "inner product",
                _outer("w @ h"),
                "This multiplies pairs and adds them up: one number. The outer product keeps all products apart.",
                shows=lambda arguments, value: (
                    len(arguments[0]) == len(arguments[1]) and same(value, arguments[0] @ arguments[1], 1e-6)
                ),
            ),
            Wrong(
                "transposed",
                _outer("h[:, None] * w[None, :]"),
                "Rows and columns are exchanged: which of the two vectors belongs to the rows?",
            ),
            Wrong(
                "entry by entry",
                _outer("w * h"),
                "This pairs first with first and second with second. An outer product pairs each with each.",
                shows=lambda arguments, value: (
                    len(arguments[0]) == len(arguments[1]) and same(value, arguments[0] * arguments[1], 1e-6)
                ),
            ),
            Wrong(
                "a sum",
                _outer("w[:, None] + h"),
                "Each pair is there, in its place, but added. Then the rows are not multiples of one row.",
            ),
            Wrong(
                "one long row",
                "import torch\n\n\n" + _outer("torch.kron(w, h)"),
                "All the products are there, but in one long row. A matrix has a row for each entry of w.",
            ),
            Wrong(
                "the same row again and again",
                _outer("h.repeat(len(w), 1)"),
                "Every row is h itself. Where does the weight of a row come in?",
            ),
        ),
        further="Every matrix of rank 1 is an outer product, so a sum of k of them has rank k at most.",
    ),
    Exercise(
        id="01.2",
        title="Numbers stored",
        statement=code(r"""
            Write `numbers_stored(m, n, k)`: how many numbers $W$ and $H$ hold together
            if $W H$ has shape $m \times n$ and $W$ has $k$ columns.
            Then call it for a photograph of $600 \times 400$ pixels and $k = 20$: is that less than the photograph?
        """),
        stub=code("""
            def numbers_stored(m, n, k):
                return ...
        """),
        solution=code("""
            def numbers_stored(m, n, k):
                return k * (m + n)
        """),
        cases=_sizes_and_ranks,
        tolerance=1e-9,
        hints=(
            "Write down the shape of W and the shape of H.",
            "A matrix of 3 rows and 5 columns holds 15 numbers. Both factors must be kept.",
            "W has m rows of k numbers, H has k rows of n numbers.",
        ),
        wrong=(
            Wrong("the table", _stored("m * n"), "This counts the table itself. What is stored in its place?"),
            Wrong("W only", _stored("k * m"), "This is one factor. Without the other the table cannot be made again."),
            Wrong("H only", _stored("k * n"), "This counts the patterns. Their weights must be stored, too."),
            Wrong(
                "k outer products",
                _stored("k * m * n"),
                "This stores k whole tables. An outer product is known from its column and its row.",
            ),
            Wrong(
                "product of the counts",
                _stored("(m * k) * (k * n)"),
                "The matrices are multiplied, but their numbers stand side by side in the memory.",
            ),
            Wrong(
                "sizes added",
                _stored("m + k + k + n"),
                "These are the lengths of the sides. A matrix holds rows times columns, not rows plus columns.",
            ),
            Wrong("k = 1", _stored("m + n"), "This is right for a single pattern. How many patterns are there?"),
            Wrong(
                "degrees of freedom",
                _stored("k * (m + n) - k**2"),
                "So many numbers would be enough to fix the product, but W and H hold more than that.",
            ),
        ),
        further="For the photograph it is a twelfth: the factors hold one number for every twelve of its pixels.",
        misconceptions=(8,),
    ),
    Exercise(
        id="01.3",
        title="Break-even",
        statement=code(r"""
            Write `largest_k(m, n)`: the largest whole number $k$ for which $W$ and $H$ together hold *fewer* numbers
            than an $m \times n$ table; 0 if no $k$ does. Test it: your $k$ must pass, and $k + 1$ must fail.
        """),
        stub=code("""
            def largest_k(m, n):
                return ...
        """),
        solution=code("""
            def largest_k(m, n):
                return (m * n - 1) // (m + n)
        """),
        cases=_sizes,
        tolerance=1e-9,
        hints=(
            "Write the condition as an inequality between two counts. You have one of them from the exercise before.",
            "Is it < or ≤? Try a table of 6 × 6: what do W and H hold for k = 3?",
            "A loop may try k = 1, 2, 3, … as long as they are fewer. Without a loop: for whole numbers, "
            "k (m + n) < m n is the same as k (m + n) ≤ m n − 1.",
        ),
        wrong=(
            Wrong(
                "not fewer, but as many",
                _largest("m * n // (m + n)"),
                "Try a 6 × 6 table with your k: are the factors smaller than the table, or just as large?",
            ),
            Wrong(
                "not whole",
                _largest("m * n / (m + n)"),
                "k counts patterns: it is a whole number. At yours the two counts are equal, and k must be below it.",
            ),
            Wrong(
                "rounded",
                _largest("round(m * n / (m + n))"),
                "To the nearest whole number can mean up, and there the factors are no longer smaller.",
            ),
            Wrong(
                "the first that fails",
                _largest("-(-m * n // (m + n))"),
                "This is the first k that no longer saves anything.",
            ),
            Wrong(
                "always one less",
                _largest("m * n // (m + n) - 1"),
                "Right where the two counts can be equal. Where they cannot, a larger k still passes: try 5 × 7.",
            ),
            Wrong(
                "the full rank",
                _largest("min(m, n)"),
                "So many patterns give every table exactly, but they take more room than the table.",
            ),
            Wrong(
                "half the side",
                _largest("min(m, n) // 2"),
                "For a square table the limit is half the side. A long table of the same width has another limit.",
            ),
        ),
        further=(
            "For the photograph mn/(m + n) is a whole number. At that k the factors hold as many numbers as it has "
            "pixels, so the largest k is one less."
        ),
        misconceptions=(8,),
    ),
    Exercise(
        id="01.4",
        title="Frobenius norm",
        statement=code(r"""
            Write `frobenius_norm(B)`: the number $\|B\|_F$ for a matrix $B$ of any shape, from its formula.
            Compute it on paper for $B = \begin{pmatrix} 1 & -2 \\ 2 & 4 \end{pmatrix}$ first.
        """),
        stub=code("""
            def frobenius_norm(B):
                return ...
        """),
        solution=code("""
            def frobenius_norm(B):
                return B.square().sum().sqrt()
        """),
        cases=_norms,
        hints=(
            "Four names are in a table of section 3. Which one is this?",
            "It is the length of B, read as one list of numbers: think of Pythagoras.",
            "Three operations, in this order: square each entry, add all up, and then the one that undoes the square.",
        ),
        wrong=(
            Wrong(
                "SSE",
                _norm("B.square().sum()"),
                "This is the square of the norm, the loss of the course. The norm itself is a length.",
            ),
            Wrong("MSE", _norm("B.square().mean()"), "This is the mean of the squares: neither a sum nor a length."),
            Wrong(
                "RMSE",
                _norm("B.square().mean().sqrt()"),
                "This is the RMSE, a typical entry. It does not grow with the number of entries; the norm does.",
            ),
            Wrong(
                "spectral norm",
                _norm("torch.linalg.matrix_norm(B, 2)"),
                "This is the largest singular value, another norm: it measures one direction, not all of them.",
            ),
            Wrong(
                "sizes without squares",
                _norm("B.abs().sum()"),
                "This adds up the sizes of the entries. There a large entry weighs no more than two of half its size.",
            ),
            Wrong(
                "added, then squared",
                _norm("B.sum().square().sqrt()"),
                "Here entries of opposite sign cancel, because they are added before they are squared.",
            ),
            Wrong(
                "row by row",
                _norm("B.square().sum(1).sqrt().sum()"),
                "This adds up the lengths of the rows. When should the root be taken, and how often?",
            ),
            Wrong(
                "a length for each row",
                _norm("B.square().sum(1).sqrt()"),
                "This gives a length for each row. The norm is one number for the whole matrix.",
            ),
        ),
        further="`torch.linalg.norm(B)` does the same. For the B of the task it is 5, since the squares add up to 25.",
        misconceptions=(16,),
    ),
    Exercise(
        id="01.5",
        title="Another pair",
        statement=code(r"""
            Write `another_pair(W, H)`: it returns two matrices $W'$, $H'$ of the same shapes as $W$ ($m \times k$) and
            $H$ ($k \times n$), with the same product, $W' H' = W H$.
            $W'$ must differ from $W$, and the arguments `W` and `H` must stay as they are.
        """),
        stub=code("""
            def another_pair(W, H):
                return ...
        """),
        solution=code("""
            def another_pair(W, H):
                return 2 * W, H / 2  # G = 2 I, and its inverse. So do all others: W @ G, torch.linalg.inv(G) @ H
        """),
        cases=_factors,
        accepts=_another_pair,
        hints=(
            "What is done to W must be undone in H.",
            "Choose a k×k matrix G that has an inverse. G G⁻¹ = I may stand between W and H.",
            "The simplest G is a number: what is the inverse of doubling?",
        ),
        wrong=(
            Wrong(
                "the same pair",
                _another("W.clone(), H.clone()"),
                "The product is right, but these are the W and H that were given. Are they the only ones?",
                shows=lambda arguments, value: same(value, arguments, 1e-6),
            ),
            Wrong(
                "only one changed",
                _another("2 * W, H"),
                "Only one factor has changed, so the product has changed with it.",
                shows=_only_one_changed,
            ),
            Wrong(
                "both scaled up",
                _another("2 * W, 2 * H"),
                "The product is now a multiple of W H. What one factor gains, the other must lose.",
                shows=_multiple,
            ),
            Wrong(
                "the same G twice",
                _another_with_G("W @ G, G @ H"),
                "Both factors were changed by the same G, and nothing was undone between them.",
                shows=_same_G_twice,
            ),
            Wrong(
                "inverse transposed",
                _another_with_G("W @ G, torch.linalg.inv(G).T @ H"),
                "Nearly: H got the inverse transposed. Between W and H the two must multiply to the identity.",
                shows=_transposed_inverse,
            ),
            Wrong(
                "added and subtracted",
                _another("W + 1, H - 1"),
                "To add to one and take from the other keeps a sum, not a product.",
                shows=_shift,
            ),
            Wrong(
                "exchanged",
                _another("H.T, W.T"),
                "This is another product: the transpose of W H.",
                shows=lambda arguments, value: same(value, (arguments[1].T, arguments[0].T), 1e-6),
            ),
            Wrong(
                "another k",
                _another("W @ H, torch.eye(H.shape[1], dtype=H.dtype)"),
                "The product is right, but k has changed. W' and H' must have the shapes of W and H.",
                shows=_k_changed,
            ),
            Wrong(
                "in place",
                code("""
                    def another_pair(W, H):
                        W *= 2
                        H /= 2
                        return W, H
                """),
                "A new pair of the right product, but it overwrites W and H of the caller: they were to stay.",
            ),
        ),
        further="Now for the toy: which G gives Cleo the weights (1, 1) and Dan (1, 0)? Look at W[2:] and W[2:] @ G.",
        misconceptions=(2,),
    ),
)

QUIZ: tuple[QuizQuestion, ...] = (
    QuizQuestion(
        "A 4×2 matrix is written as W H with k = 2. Is that a compression?",
        (
            Choice("Yes: a factorization always stores less.", "Count: W holds 4 · 2 numbers, H holds 2 · 2."),
            Choice(
                "No: W and H hold 12 numbers, the matrix holds 8.",
                "Yes. It saves space only while k (m + n) < m n, here for k = 1 alone.",
                right=True,
            ),
            Choice("It stores the same.", "Compare k (m + n) with m n, for m = 4, n = 2, k = 2."),
        ),
        misconceptions=(8,),
    ),
    QuizQuestion(
        "For the same A (4×2), W and H, you report a loss of 0.24, and a friend 0.03. What explains it?",
        (
            Choice("You forgot the root.", "The root of 0.24 is 0.49: the Frobenius norm, not 0.03."),
            Choice(
                "Your friend's W and H fit better.",
                "They are the same W and H. Only the way to report their misfit can differ.",
            ),
            Choice(
                "You report the sum of the squares, your friend the mean.",
                "Yes: 0.24 / 8 = 0.03. The fit is the same; always say which of the two a number is.",
                right=True,
            ),
            Choice("Your friend reports the RMSE.", "That would be √(0.24 / 8) = 0.17."),
        ),
        misconceptions=(16,),
    ),
    QuizQuestion(
        "Two programs find the same product W H. In one Ana's weights are (2, 1), in the other (2, −1). What follows?",
        (
            Choice(
                "Nothing is wrong: weights mean something only together with their own H.",
                "Yes. With W also W G is a factor, and G⁻¹ H goes with it: the patterns differ, the product does not.",
                right=True,
            ),
            Choice(
                "One of the two has not found the minimum.",
                "The loss depends on the product alone, and the product is the same: so is the loss.",
            ),
            Choice(
                "The second one is wrong, since weights are not negative.",
                "Nothing in ‖A − W H‖² asks for that. Notebook 07 is about factors that may not be negative.",
            ),
            Choice(
                "Take the mean of both W and of both H.",
                "The mean of two W times the mean of two H is another product in general, and no longer the best.",
            ),
        ),
        misconceptions=(2,),
    ),
    QuizQuestion(
        "On the toy, with k = 1, a program ends at the loss 0.1672. What should be done?",
        (
            Choice("Let it run on: the loss must reach 0.", "A has rank 2. One pattern cannot give it exactly."),
            Choice(
                "Nothing: it cannot get better than that.",
                "Yes. 0.1672 is, to four decimals, the lowest loss of rank 1; it follows from A alone.",
                right=True,
            ),
            Choice(
                "Try other starts, until one ends lower.",
                "No start can: 0.1672 is, to four decimals, the lowest loss over all w and h.",
            ),
        ),
        misconceptions=(6,),
    ),
    QuizQuestion(
        "Ana has not rated film 2. How should her missing rating enter the loss, if we want to predict it?",
        (
            Choice(
                "As 0: she gave nothing.",
                "Then W H is asked to come near 0 there. In the notebook the prediction fell from 3.25 to 1.20.",
            ),
            Choice(
                "As the mean of film 2.",
                "Less harmful than 0, but still an invented rating that W H is asked to meet, as if Ana had given it.",
            ),
            Choice(
                "Not at all: the sum runs over the known entries.",
                "Yes. That is what the mask does; W H still has an entry there, and it is the prediction.",
                right=True,
            ),
        ),
        misconceptions=(1,),
    ),
)
