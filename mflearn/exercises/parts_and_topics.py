"""Exercises of notebook 07."""

import itertools
from typing import Any

import torch
from torch import Tensor

from .exercise import Choice, Exercise, QuizQuestion, Wrong, code, numbers

WORDS = (
    "axes matplotlib plot line filter frequency signal analog array index "
    "sample distribution fft fourier window dataframe column text"
)


def _random(seed: int):
    """Draws tensors with entries between 0.1 and 1.1, one after the other."""
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: 0.1 + torch.rand(*shape, generator=generator, dtype=torch.float64)


def _with_zeros(seed: int) -> list[tuple]:
    """(A, W, H): entries, one row of W, and one column of A and H are 0."""
    random, cases = _random(seed), []
    for m, n, k in ((4, 2, 1), (5, 3, 2), (3, 6, 2), (6, 6, 3), (7, 4, 3), (4, 4, 2)):
        A, W, H = random(m, n), random(m, k), random(k, n)
        if k > 1:
            W[1], W[0, 0], H[1, 0], A[:, -1], H[:, -1] = 0, 0, 0, 0, 0
        cases.append((A, W, H))
    return cases


def _with_holes(seed: int) -> list[tuple]:
    """(A, W, H): half of A is 0, so that a step goes below 0 in some entries."""
    random = _random(seed)
    sizes = (4, 2, 1), (5, 3, 2), (3, 6, 2), (6, 6, 3), (7, 4, 3), (8, 5, 4)
    return [(6 * random(m, n) * (random(m, n) > 0.6), random(m, k), random(k, n)) for m, n, k in sizes]


def _rows(seed: int) -> list[tuple]:
    """(a, w, v, H): a row of A, the present w, another v."""
    random = _random(seed)
    sizes = (2, 2), (5, 3), (3, 4), (4, 4), (7, 2), (6, 3)
    return [(random(n), random(k), random(k), random(k, n)) for n, k in sizes]


def _topics(seed: int) -> list[tuple]:
    """(H, words, c, n): no fewer topics than words that are wanted, so that a column has enough of them, too."""
    random, known, cases = _random(seed), WORDS.split(), []
    for k, wide, c, n in ((4, 9, 2, 3), (6, 6, 1, 4), (5, 12, 3, 4), (8, 14, 5, 3), (5, 18, 1, 5)):
        order = random(len(known)).argsort()[:wide]
        cases.append((random(k, wide), [known[j] for j in order], c, n))
    return cases


def _two_runs(seed: int) -> list[tuple]:
    """(H, G): the same parts in another order, stretched and disturbed; then pairs that a wrong way pairs wrongly."""
    random, cases = _random(seed), []
    for k, n, shift in ((3, 6, 1), (6, 12, 2)):
        H = random(k, n) ** 4
        G = (H + 0.05 * random(k, n)).roll(shift, 0)
        cases.append((H * 10 ** random(k, 1), G * 10 ** random(k, 1)))
    for way in WAYS:
        while True:
            H, G = (10 ** random(4, 1) * random(4, 7) ** 2 for _ in range(2))
            order, lead = _pairing(torch.cosine_similarity(H[:, None], G[None], dim=2))
            if lead > 0.003 and way(H, G) != order:
                break
        cases.append((H, G))
    return cases


def _pairing(scores: Tensor) -> tuple[list[int], float]:
    """The order with the largest sum of scores (4, 4), and its lead over the next."""
    sums = scores[range(4), ORDERS].sum(1)
    best, second = sums.topk(2)[0]
    return ORDERS[sums.argmax()].tolist(), float(best - second)


def _largest_first(H: Tensor, G: Tensor) -> list[int]:
    left, order = torch.cosine_similarity(H[:, None], G[None], dim=2), [0] * 4
    for _ in range(4):
        i, j = divmod(int(left.argmax()), 4)
        order[i], left[i], left[:, j] = j, -1, -1
    return order


def _length(X: Tensor, p: float = 2, dim: int = 1) -> Tensor:
    return X.norm(p, dim=dim, keepdim=True)


ORDERS = torch.tensor(list(itertools.permutations(range(4))))
WAYS = (  # plausible and wrong
    _largest_first,
    lambda H, G: _pairing(H @ G.T)[0],
    lambda H, G: _pairing(H / _length(H) @ G.T)[0],
    lambda H, G: _pairing(H @ (G / _length(G)).T)[0],
    lambda H, G: _pairing(H / _length(H, dim=0) @ (G / _length(G, dim=0)).T)[0],
    lambda H, G: _pairing(H / _length(H, 1) @ (G / _length(G, 1)).T)[0],
    lambda H, G: _pairing(-torch.cdist(H / _length(H), G / _length(G)))[0],
)


def _not_finite(arguments: tuple, value: Any) -> bool:
    return any((x := numbers(part)) is not None and not x.isfinite().all() for part in _parts(value))


def _negative(arguments: tuple, value: Any) -> bool:
    return any((x := numbers(part)) is not None and bool((x < -1e-9).any()) for part in _parts(value))


def _parts(value: Any) -> tuple:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


EXERCISES = (
    Exercise(
        id="07.1",
        title="Multiply, and stay positive",
        statement=(
            "Write `multiplicative_step(A, W, H)`: one step of section 2, first `W`, then `H` with the new `W`.\n"
            "Return the new pair `(W, H)`; the arguments stay as they are.\n\n"
            "Here an entry, or a whole row or column, can be exactly 0. Such entries stay 0: nothing may become `nan`."
        ),
        stub=code("""
            def multiplicative_step(A, W, H):
                W = ...
                H = ...
                return ...
        """),
        solution=code("""
            def multiplicative_step(A, W, H):
                W = W * (A @ H.T) / (W @ H @ H.T).clamp_min(1e-16)
                H = H * (W.T @ A) / (W.T @ W @ H).clamp_min(1e-16)
                return W, H
        """),
        cases=_with_zeros,
        hints=(
            "Take the boxed formula of section 2: all of $\\odot$ and the fraction is entry by entry, `*` and `/`.",
            "The second line may use the `W` of the first: the proof holds one factor fixed while the other moves.",
            "Where the denominator is 0, so is the numerator or the entry before it: keep the denominator above 0 by a "
            "tiny number.",
        ),
        wrong=(
            Wrong(
                "both from the old pair",
                code("""
                    def multiplicative_step(A, W, H):
                        new = W * (A @ H.T) / (W @ H @ H.T).clamp_min(1e-16)
                        H = H * (W.T @ A) / (W.T @ W @ H).clamp_min(1e-16)
                        return new, H
                """),
                "H was updated with the old W. Both factors then correct the same error, and the loss can rise.",
            ),
            Wrong(
                "stale product",
                code("""
                    def multiplicative_step(A, W, H):
                        product = W @ H
                        W = W * (A @ H.T) / (product @ H.T).clamp_min(1e-16)
                        H = H * (W.T @ A) / (W.T @ product).clamp_min(1e-16)
                        return W, H
                """),
                "The product W H in the second ratio is that of the old W. Once W has moved, it is another one.",
            ),
            Wrong(
                "H first",
                code("""
                    def multiplicative_step(A, W, H):
                        H = H * (W.T @ A) / (W.T @ W @ H).clamp_min(1e-16)
                        W = W * (A @ H.T) / (W @ H @ H.T).clamp_min(1e-16)
                        return W, H
                """),
                "This moves H first, and W with the new H. That walk goes down as well, but W was to be first.",
            ),
            Wrong(
                "ratios upside down",
                code("""
                    def multiplicative_step(A, W, H):
                        W = W * (W @ H @ H.T) / (A @ H.T).clamp_min(1e-16)
                        H = H * (W.T @ W @ H) / (W.T @ A).clamp_min(1e-16)
                        return W, H
                """),
                "The ratios are upside down. Where W H is too small, an entry must grow: is your factor above 1 there?",
            ),
            Wrong(
                "only the ratios",
                code("""
                    def multiplicative_step(A, W, H):
                        W = (A @ H.T) / (W @ H @ H.T).clamp_min(1e-16)
                        H = (W.T @ A) / (W.T @ W @ H).clamp_min(1e-16)
                        return W, H
                """),
                "These are the ratios alone: they say by how much an entry is to grow or shrink.",
            ),
            Wrong(
                "H not updated",
                code("""
                    def multiplicative_step(A, W, H):
                        return W * (A @ H.T) / (W @ H @ H.T).clamp_min(1e-16), H
                """),
                "W has moved and H has not. One step has two halves.",
            ),
            Wrong(
                "in place",
                code("""
                    def multiplicative_step(A, W, H):
                        W *= (A @ H.T) / (W @ H @ H.T).clamp_min(1e-16)
                        H *= (W.T @ A) / (W.T @ W @ H).clamp_min(1e-16)
                        return W, H
                """),
                "The numbers are right, but `*=` writes into the caller's tensors: their start is lost.",
            ),
            Wrong(
                "zeros filled first",
                code("""
                    def multiplicative_step(A, W, H):
                        W, H = W.clamp_min(1e-16), H.clamp_min(1e-16)
                        W = W * (A @ H.T) / (W @ H @ H.T)
                        return W, H * (W.T @ A) / (W.T @ W @ H)
                """),
                "Zeros were replaced by tiny numbers before the step. A ratio does not see how small they are, so "
                "a whole row "
                "of them jumps to an ordinary size. That can help, but here a zero is to stay 0.",
            ),
            Wrong(
                "division by zero",
                code("""
                    def multiplicative_step(A, W, H):
                        W = W * (A @ H.T) / (W @ H @ H.T)
                        H = H * (W.T @ A) / (W.T @ W @ H)
                        return W, H
                """),
                "Some entries are not finite: where a whole row or column is 0, something is divided by 0.",
                shows=_not_finite,
            ),
        ),
        further=(
            "The step is gradient descent with an η of its own for each entry, W / (2 W H Hᵀ); an entry that is 0 "
            "has η = 0, "
            "so the package keeps a tiny number in its place."
        ),
    ),
    Exercise(
        id="07.2",
        title="Step, then cut off",
        statement=(
            "Write `projected_step(A, W, H)`: the new `W` after one step of projected gradient descent on "
            "$\\|A - WH\\|_F^2$ with `H` fixed.\n"
            "The learning rate is that of section 3, $\\eta = 1 / (2 \\|H H^\\top\\|_2)$; this norm is the largest "
            "eigenvalue of $H H^\\top$."
        ),
        stub=code("""
            def projected_step(A, W, H):
                W = ...
                return W
        """),
        solution=code("""
            import torch

            def projected_step(A, W, H):
                Q = H @ H.T
                slope = 2 * (W @ Q - A @ H.T)
                eta = 1 / (2 * torch.linalg.matrix_norm(Q, 2))
                return (W - eta * slope).clamp_min(0)
        """),
        cases=_with_holes,
        hints=(
            "Three lines: the gradient for `W`, the learning rate, the step. Then a cut.",
            "The gradient is $2\\,(W H H^\\top - A H^\\top)$; `torch.linalg.matrix_norm(Q, 2)` is the spectral norm.",
            "The allowed point that is nearest to a matrix has 0 wherever the matrix is below 0: `clamp_min(0)`.",
        ),
        wrong=(
            Wrong(
                "no cut",
                code("""
                    import torch

                    def projected_step(A, W, H):
                        Q = H @ H.T
                        return W - (W @ Q - A @ H.T) / torch.linalg.matrix_norm(Q, 2)
                """),
                "The step is right, but it ends below 0 in some entries, and nothing brings them back.",
            ),
            Wrong(
                "the gradient is cut from below",
                code("""
                    import torch

                    def projected_step(A, W, H):
                        Q = H @ H.T
                        slope = (W @ Q - A @ H.T).clamp_min(0)
                        return W - slope / torch.linalg.matrix_norm(Q, 2)
                """),
                "The gradient is cut, not the result: so no entry can grow, and some still fall below 0.",
            ),
            Wrong(
                "a penalty in place of the cut",
                code("""
                    import torch

                    def projected_step(A, W, H, lam=0.1):
                        Q = H @ H.T
                        slope = 2 * (W @ Q - A @ H.T) + 2 * lam * W
                        return W - slope / (2 * torch.linalg.matrix_norm(Q, 2))
                """),
                "Some entries are below 0. Only a rule that lets nothing pass 0 forbids that; a penalty or a shorter "
                "step makes them small, on both sides of 0.",
                shows=_negative,
            ),
            Wrong(
                "absolute values",
                code("""
                    import torch

                    def projected_step(A, W, H):
                        Q = H @ H.T
                        return (W - (W @ Q - A @ H.T) / torch.linalg.matrix_norm(Q, 2)).abs()
                """),
                "This turns −3 into 3. Of all allowed numbers, which is the nearest to −3?",
            ),
            Wrong(
                "entries that would pass 0 stay",
                code("""
                    import torch

                    def projected_step(A, W, H):
                        Q = H @ H.T
                        new = W - (W @ Q - A @ H.T) / torch.linalg.matrix_norm(Q, 2)
                        return torch.where(new < 0, W, new)
                """),
                "An entry that would pass 0 does not move at all here. It may go down as far as 0.",
            ),
            Wrong(
                "the gradient is cut",
                code("""
                    import torch

                    def projected_step(A, W, H):
                        Q = H @ H.T
                        slope = (W @ Q - A @ H.T).clamp_max(0)
                        return W - slope / torch.linalg.matrix_norm(Q, 2)
                """),
                "Here entries can only grow: the gradient is cut, not the result. They may shrink, down to 0.",
            ),
            Wrong(
                "η = 1 / ‖Q‖",
                code("""
                    import torch

                    def projected_step(A, W, H):
                        Q = H @ H.T
                        slope = 2 * (W @ Q - A @ H.T)
                        return (W - slope / torch.linalg.matrix_norm(Q, 2)).clamp_min(0)
                """),
                "The step is twice as long as the proof allows. Without a ½ the Hessian of the loss is 2 H Hᵀ.",
            ),
            Wrong(
                "no 2 in the gradient",
                code("""
                    import torch

                    def projected_step(A, W, H):
                        Q = H @ H.T
                        slope = W @ Q - A @ H.T
                        return (W - slope / (2 * torch.linalg.matrix_norm(Q, 2))).clamp_min(0)
                """),
                "The step is half as long as it may be. Is the 2 in both places, in the gradient and in η?",
            ),
            Wrong(
                "Frobenius norm",
                code("""
                    import torch

                    def projected_step(A, W, H):
                        Q = H @ H.T
                        return (W - (W @ Q - A @ H.T) / Q.norm()).clamp_min(0)
                """),
                "The step is shorter than it may be: ‖H Hᵀ‖ with index 2 is the spectral norm, not that of Frobenius.",
            ),
            Wrong(
                "norm of H",
                code("""
                    import torch

                    def projected_step(A, W, H):
                        slope = W @ H @ H.T - A @ H.T
                        return (W - slope / torch.linalg.matrix_norm(H, 2)).clamp_min(0)
                """),
                "This divides by σ₁ of H. The curvature is that of H Hᵀ, whose largest eigenvalue is another number.",
            ),
            Wrong(
                "uphill",
                code("""
                    import torch

                    def projected_step(A, W, H):
                        Q = H @ H.T
                        return (W + (W @ Q - A @ H.T) / torch.linalg.matrix_norm(Q, 2)).clamp_min(0)
                """),
                "This walks up: the gradient of the loss, 2 (W H − A) Hᵀ, is to be subtracted.",
            ),
        ),
        further="An entry that was cut to 0 can leave it in a later step; after a multiplication by 0 it never could.",
        misconceptions=(13,),
    ),
    Exercise(
        id="07.3",
        title="The parabola above the loss",
        statement=(
            "The loss never rises because of a parabola $g$ that lies above it (section 2, *Why the loss never "
            "rises*).\n"
            "Write `parabola(a, w, v, H)`: the number $g(v)$ for a row `a` (n) of A, the present `w` (k, all above 0), "
            "another `v` (k), and `H` (k×n)."
        ),
        stub=code("""
            def parabola(a, w, v, H):
                return ...
        """),
        solution=code("""
            import torch

            def parabola(a, w, v, H):
                Q, p = H @ H.T, a @ H.T
                loss = (a - w @ H).square().sum()
                slope = 2 * (w @ Q - p)
                D = torch.diag(w @ Q / w)
                return loss + slope @ (v - w) + (v - w) @ D @ (v - w)
        """),
        cases=_rows,
        hints=(
            "Three terms: the loss at `w`, a linear one, a quadratic one. All of them are in the formula for $g(v)$.",
            "The first two belong to `w`: $f(w) = \\|a - wH\\|^2$ and $\\nabla f(w) = 2\\,(wQ - p)$.",
            "`D` has $(wQ)_c / w_c$ on its diagonal, so the last term is `((w @ Q / w) * (v - w) ** 2).sum()`.",
        ),
        wrong=(
            Wrong(
                "the loss itself",
                code("""
                    def parabola(a, w, v, H):
                        return (a - v @ H).square().sum()
                """),
                "This is f(v) itself: its matrix Q couples the entries of v. In g the matrix is diagonal.",
            ),
            Wrong(
                "½ before the quadratic term",
                code("""
                    def parabola(a, w, v, H):
                        Q, p, d = H @ H.T, a @ H.T, v - w
                        return (a - w @ H).square().sum() + 2 * (w @ Q - p) @ d + (w @ Q / w * d * d).sum() / 2
                """),
                (
                    "The quadratic term is half of what it should be. The Hessian of f is 2 Q, so f has Q there, "
                    "without a ½, and D takes the place of Q."
                ),
            ),
            Wrong(
                "no 2 in the gradient",
                code("""
                    def parabola(a, w, v, H):
                        Q, p, d = H @ H.T, a @ H.T, v - w
                        return (a - w @ H).square().sum() + (w @ Q - p) @ d + (w @ Q / w * d * d).sum()
                """),
                "Without the 2 in the gradient g does not touch f at w with the same slope.",
            ),
            Wrong(
                "gradient downwards",
                code("""
                    def parabola(a, w, v, H):
                        Q, p, d = H @ H.T, a @ H.T, v - w
                        return (a - w @ H).square().sum() - 2 * (w @ Q - p) @ d + (w @ Q / w * d * d).sum()
                """),
                "The linear term has the wrong sign: g must have the slope of f at w, not its opposite.",
            ),
            Wrong(
                "not divided by w",
                code("""
                    def parabola(a, w, v, H):
                        Q, p, d = H @ H.T, a @ H.T, v - w
                        return (a - w @ H).square().sum() + 2 * (w @ Q - p) @ d + (w @ Q * d * d).sum()
                """),
                "D is here the row w Q alone. Each entry of it is still divided by one of w.",
            ),
            Wrong(
                "the loss at v",
                code("""
                    def parabola(a, w, v, H):
                        Q, p, d = H @ H.T, a @ H.T, v - w
                        return (a - v @ H).square().sum() + 2 * (w @ Q - p) @ d + (w @ Q / w * d * d).sum()
                """),
                "It begins with the loss at v. A parabola around w knows the loss and the slope at w only.",
            ),
            Wrong(
                "no linear term",
                code("""
                    def parabola(a, w, v, H):
                        d = v - w
                        return (a - w @ H).square().sum() + (w @ H @ H.T / w * d * d).sum()
                """),
                "Without the linear term the lowest point is w itself: such a parabola would never move.",
            ),
            Wrong(
                "one curvature for all",
                code("""
                    import torch

                    def parabola(a, w, v, H):
                        Q, p, d = H @ H.T, a @ H.T, v - w
                        slope = 2 * (w @ Q - p)
                        return (a - w @ H).square().sum() + slope @ d + torch.linalg.matrix_norm(Q, 2) * d @ d
                """),
                "This parabola also lies above the loss, but it is that of projected gradient: one curvature for "
                "all entries. "
                "Here each entry has its own.",
            ),
        ),
        further=(
            "Put v = w ⊙ p / (wQ) into it: the lowest point of g, so f(v) ≤ g(v) ≤ f(w). The proof holds H fixed; "
            "if both factors "
            "move from the same old pair, it says nothing, and the loss can rise."
        ),
    ),
    Exercise(
        id="07.4",
        title="Top words",
        statement=(
            "Write `top_words(H, words, c, n)`: the `n` heaviest words of topic `c`, the heaviest first, as a list.\n"
            "`H` has a row for each topic and a column for each word, `words` is the list of words; `c` counts from 0."
        ),
        stub=code("""
            def top_words(H, words, c, n):
                return ...
        """),
        solution=code("""
            def top_words(H, words, c, n):
                return [words[j] for j in H[c].topk(n).indices]
        """),
        cases=_topics,
        hints=(
            "`H[c]` is the row of topic `c`: it holds one weight for each word, in the order of `words`.",
            "`topk(n)` gives the largest values and their places (`.indices`).",
            "A place is a number `j`; the word there is `words[j]`.",
        ),
        wrong=(
            Wrong(
                "lightest words",
                code("""
                    def top_words(H, words, c, n):
                        return [words[j] for j in H[c].argsort()[:n]]
                """),
                "These are the lightest words of the topic: sorting begins with the smallest.",
            ),
            Wrong(
                "lightest first",
                code("""
                    def top_words(H, words, c, n):
                        return [words[j] for j in H[c].argsort()[-n:]]
                """),
                "The words are right, but the heaviest comes last.",
            ),
            Wrong(
                "a column for a row",
                code("""
                    def top_words(H, words, c, n):
                        return [words[j] for j in H[:, c].topk(n).indices]
                """),
                "A column of H says how much one word weighs in each topic. Its places are topics, not words.",
            ),
            Wrong(
                "topics counted from 1",
                code("""
                    def top_words(H, words, c, n):
                        return [words[j] for j in H[c - 1].topk(n).indices]
                """),
                "These are the words of the topic before: c counts from 0.",
            ),
            Wrong(
                "places",
                code("""
                    def top_words(H, words, c, n):
                        return H[c].topk(n).indices.tolist()
                """),
                "These are the places of the words. Which words stand there?",
            ),
            Wrong(
                "weights",
                code("""
                    def top_words(H, words, c, n):
                        return H[c].topk(n).values.tolist()
                """),
                "These are the weights of the heaviest words. A topic is read by the words themselves.",
            ),
            Wrong(
                "words of one topic alone",
                code("""
                    def top_words(H, words, c, n):
                        return [words[j] for j in (H[c] / H.sum(0)).topk(n).indices]
                """),
                "These words belong to this topic more than to others, which is a good question too. Asked are "
                "those with the "
                "largest weight within the topic.",
            ),
            Wrong(
                "one piece of text",
                code("""
                    def top_words(H, words, c, n):
                        return ", ".join(words[j] for j in H[c].topk(n).indices)
                """),
                "It gives one piece of text, where a list of words is expected.",
                shows=lambda arguments, value: isinstance(value, str),
            ),
        ),
        further=(
            "Any row of positive numbers has its heaviest words, and they look like a topic: those of shuffled "
            "texts, too."
        ),
    ),
    Exercise(
        id="07.5",
        title="Match two runs",
        statement=(
            "The rows of `H` and of `G` (both k×n) are the parts of two runs, in any order and of any scale.\n"
            "Write `pair_parts(H, G)`: k whole numbers; number `i` says which row of `G` goes with row `i` of `H`.\n"
            "Each row of `G` is taken once, and the sum of the cosines of the pairs is the largest possible."
        ),
        stub=code("""
            def pair_parts(H, G):
                order = ...
                return order
        """),
        solution=code("""
            from scipy.optimize import linear_sum_assignment

            def pair_parts(H, G):
                H = H / H.norm(dim=1, keepdim=True)
                G = G / G.norm(dim=1, keepdim=True)
                return linear_sum_assignment(H @ G.T, maximize=True)[1]
        """),
        cases=_two_runs,
        hints=(
            "A cosine does not see the scale: first give each row the length 1.",
            "All cosines at once are one product, `H @ G.T`: rows belong to `H`, columns to `G`.",
            "`linear_sum_assignment`, as in section 7, gives rows and columns of the pairs. Mind `maximize`.",
        ),
        wrong=(
            Wrong(
                "each takes its nearest",
                code("""
                    import torch

                    def pair_parts(H, G):
                        return torch.cosine_similarity(H[:, None], G[None], dim=2).argmax(1)
                """),
                "Each part takes its nearest by itself, so two can take the same. In a pairing each is taken once.",
            ),
            Wrong(
                "largest cosine first",
                code("""
                    import torch

                    def pair_parts(H, G):
                        cosines = torch.cosine_similarity(H[:, None], G[None], dim=2)
                        order = [0] * len(H)
                        for _ in range(len(H)):
                            i, j = divmod(int(cosines.argmax()), len(H))
                            order[i], cosines[i], cosines[:, j] = j, -1, -1
                        return order
                """),
                "The best pair first, then the best of the rest: that is quick, but what is left at the end can be "
                "so bad that "
                "another pairing has a larger sum.",
            ),
            Wrong(
                "the other way round",
                code("""
                    from scipy.optimize import linear_sum_assignment

                    def pair_parts(H, G):
                        H = H / H.norm(dim=1, keepdim=True)
                        G = G / G.norm(dim=1, keepdim=True)
                        return linear_sum_assignment(G @ H.T, maximize=True)[1]
                """),
                "This says for each row of G which row of H goes with it. Asked is the reverse.",
            ),
            Wrong(
                "both ends of the pairs",
                code("""
                    from scipy.optimize import linear_sum_assignment

                    def pair_parts(H, G):
                        H = H / H.norm(dim=1, keepdim=True)
                        G = G / G.norm(dim=1, keepdim=True)
                        return linear_sum_assignment(H @ G.T, maximize=True)
                """),
                "These are both ends of each pair, in H and in G. Asked are those in G alone.",
            ),
            Wrong(
                "no lengths",
                code("""
                    from scipy.optimize import linear_sum_assignment

                    def pair_parts(H, G):
                        return linear_sum_assignment(H @ G.T, maximize=True)[1]
                """),
                "These are products of rows, not cosines: a row that is stretched by 7 counts seven times as much, "
                "though it is "
                "the same part.",
            ),
            Wrong(
                "lengths of columns",
                code("""
                    from scipy.optimize import linear_sum_assignment

                    def pair_parts(H, G):
                        return linear_sum_assignment((H / H.norm(dim=0)) @ (G / G.norm(dim=0)).T, maximize=True)[1]
                """),
                "Here columns have length 1. The scale that is free belongs to a part, so to a row.",
            ),
            Wrong(
                "worst pairing",
                code("""
                    import torch
                    from scipy.optimize import linear_sum_assignment

                    def pair_parts(H, G):
                        return linear_sum_assignment(torch.cosine_similarity(H[:, None], G[None], dim=2))[1]
                """),
                "This pairing has the smallest sum: unless told otherwise, the function takes its numbers for costs.",
            ),
            Wrong(
                "as they came",
                code("""
                    def pair_parts(H, G):
                        return list(range(len(H)))
                """),
                "This pairs the first with the first. Parts have no order: another run gives them in another one.",
            ),
        ),
        further=(
            "Two runs can look different and have the same product: pair their parts first, then compare, with chance "
            "beside it."
        ),
        misconceptions=(2, 12),
    ),
)

QUIZ: tuple[QuizQuestion, ...] = (
    QuizQuestion(
        (
            "You have a non-negative factorization of the digits, k = 16, and need the best one with k = 8. What do "
            "you do?"
        ),
        (
            Choice(
                "Keep the first 8 parts.",
                "That works for the SVD, whose terms are ordered. Parts come in any order: the first 8 are any 8.",
            ),
            Choice(
                "Keep the 8 parts that give the most ink.",
                "They were made to work with the other 8. Alone, each has to do more, and looks different.",
            ),
            Choice(
                "Factorize again, with k = 8.",
                "Yes: parts are not nested. Another part does not join the others, it changes them.",
                right=True,
            ),
            Choice(
                "Make the parts orthogonal, then keep the 8 longest.",
                "Parts overlap; made orthogonal, they have minus signs again, and are no longer parts.",
            ),
        ),
        misconceptions=(12,),
    ),
    QuizQuestion(
        (
            "Gradient descent starts from positive W and H, with a penalty λ (‖W‖² + ‖H‖²) and no cut. What does the "
            "penalty do about negative entries?"
        ),
        (
            Choice(
                "It pulls all entries towards 0, from both sides alike.",
                "Yes: the square of −1 is that of 1, so nothing in it prefers plus to minus.",
                right=True,
            ),
            Choice(
                "It forbids them, if λ is large enough.",
                "A large λ makes everything small, in the end 0. But a small negative entry is cheap, and stays.",
            ),
            Choice(
                "It forbids them, because the start is positive.",
                "The start does not stay: a gradient step subtracts, and can carry an entry below 0.",
            ),
            Choice(
                "It turns them into positive ones of the same size.",
                "Both have the same square, so the penalty does not change by that; and the product W H would.",
            ),
        ),
        misconceptions=(13,),
    ),
    QuizQuestion(
        "Two seeds end with nearly the same loss, but topic 3 of one is unlike topic 3 of the other. What follows?",
        (
            Choice(
                "One of the two has not converged.",
                "It may have. The same W H can be written with its topics in any order, at the same loss.",
            ),
            Choice(
                "There are no topics in these texts.",
                "That cannot be seen from here: perhaps topic 3 of one is topic 7 of the other, word for word.",
            ),
            Choice(
                "The mean of both H is better than each.",
                "The mean of row 3 and row 3 mixes two different topics, and is neither.",
            ),
            Choice(
                "Nothing yet: pair the topics first, then compare.",
                "Yes: order and scale are free. Only what differs after pairing is a difference.",
                right=True,
            ),
        ),
        misconceptions=(2,),
    ),
    QuizQuestion(
        (
            "In the multiplicative update one entry of W starts at exactly 0, all others above 0, and no tiny number "
            "is put in its place. What becomes of it?"
        ),
        (
            Choice(
                "It grows where the gradient asks for it.",
                "So it would with projected gradient. Here it is multiplied, and 0 times any number is 0.",
            ),
            Choice(
                "It stays 0, wanted or not.",
                "Yes: its own learning rate, w / (2 (wQ)), is 0. That is why the package keeps a tiny number instead.",
                right=True,
            ),
            Choice(
                "It becomes negative first.",
                "A product of numbers that are not negative is not negative.",
            ),
        ),
        misconceptions=(9,),
    ),
    QuizQuestion(
        "Ten topics come back from eight seeds with a stability score of 0.9. What does this show?",
        (
            Choice(
                "The texts are about these ten subjects.",
                "Shuffled texts, with no subjects left, scored 0.87 in section 8.",
            ),
            Choice(
                "Ten is the right number of topics.",
                "k is your choice. Two topics of the same texts were more stable, 1.00, and are no truer for it.",
            ),
            Choice(
                "The algorithm comes to similar factors from these starts.",
                "Yes, and no more. Meaning needs another test, on something that the factorization never saw.",
                right=True,
            ),
            Choice(
                "The minimum that was found is the global one.",
                "Many starts can lead to one point that is only a local minimum. Nothing here tells the difference.",
            ),
        ),
        misconceptions=(2,),
    ),
)
