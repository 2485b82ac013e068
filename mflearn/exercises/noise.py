"""Exercises of notebook 06."""

import torch
from torch import Tensor

from ..exact import threshold_factor
from ..matrices import low_rank_matrix, matrix_with_singular_values
from .exercise import Choice, Exercise, QuizQuestion, Wrong, code


def _random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _noisy_and_true(seed: int) -> list[tuple]:
    """A, X and a rank below the full one; the noise is the same draw with which A is made."""
    plans = ((7, 5, 2, 2), (5, 8, 3, 1), (6, 6, 2, 4), (12, 4, 1, 3), (9, 10, 3, 3))
    return [
        (low_rank_matrix(m, n, k=rank, noise=0.5, seed=seed), low_rank_matrix(m, n, k=rank, seed=seed), k)
        for m, n, rank, k in plans
    ]


def fit(A: Tensor, mask: Tensor, k: int) -> Tensor:
    """W H of rank k, fitted by alternating least squares to the entries of A where the mask is true."""
    mask = torch.as_tensor(mask).bool()
    A, seen, little = torch.where(mask, A, 0.0), mask.to(A.dtype), 0.01 * torch.eye(k, dtype=A.dtype)

    def side(A: Tensor, seen: Tensor, H: Tensor) -> Tensor:
        pairs = (H.T[:, :, None] * H.T[:, None, :]).flatten(1)  # (n, k²)
        return torch.linalg.solve((seen @ pairs).view(-1, k, k) + little, A @ H.T)

    H = torch.rand(k, A.shape[1], generator=_random(0), dtype=A.dtype) - 0.5
    for _ in range(4):
        W = side(A, seen, H)
        H = side(A.T, seen.T, W.T).T
    return W @ H


def _in_three_parts(seed: int) -> list[tuple]:
    """Noisy matrices, the part of each entry, `fit`, and the largest k; where some wrong ways choose another k."""
    generator, cases = _random(seed), []
    plans = (  # m, n, the rank of X, the noise, the largest k, the right k, and who must choose another
        (12, 9, 2, 1.0, 3, 1, ("part 2", "parts 1 and 2", "all entries")),
        (8, 11, 2, 0.7, 3, 2, ("parts 1 and 2", "all entries")),
        (9, 12, 3, 0.3, 2, 2, ("beyond the largest",)),
        (10, 10, 2, 0.5, 3, 2, ("the worst entry",)),
        (14, 8, 1, 0.8, 2, 1, ()),
    )
    for m, n, rank, noise, largest, right, others in plans:
        found = False
        while not found:
            at = int(torch.randint(2**31, (), generator=generator))
            A = low_rank_matrix(m, n, k=rank, noise=noise, seed=at)
            part = (torch.rand(m, n, generator=generator) - 0.7).div(0.15).ceil().clamp(min=0).long()  # 70, 15, 15 %
            more = torch.stack([(fit(A, part == 0, k) - A).square() for k in range(1, largest + 2)])
            squares = more[:largest]
            errors = {
                "part 1": squares[:, part == 1].mean(1),
                "part 2": squares[:, part == 2].mean(1),
                "parts 1 and 2": squares[:, part > 0].mean(1),
                "all entries": squares.mean((1, 2)),
                "the worst entry": squares[:, part == 1].amax(1),
                "beyond the largest": more[:, part == 1].mean(1),
            }
            chosen = {way: 1 + int(error.argmin()) for way, error in errors.items()}
            found = chosen["part 1"] == right and right not in [chosen[way] for way in others]
        cases.append((A, part, fit, largest))
    return cases


def _at_the_threshold(seed: int) -> list[tuple]:
    """Matrices whose singular values lie just above the threshold and just below it; in one all are below."""
    generator, cases = _random(seed), []
    plans = (  # m, n, the size of the noise, the values above the threshold in units of it
        (12, 8, 0.5, (2.2, 1.02)),
        (9, 9, 2.0, (1.02,)),
        (7, 14, 0.2, (6.0, 1.5, 1.02)),
        (20, 8, 3.0, (2.2, 1.02)),
        (10, 12, 0.7, ()),
    )
    for m, n, sigma, above in plans:
        short, long = sorted((m, n))
        beta = short / long
        limit, edge = threshold_factor(beta), 1 + beta**0.5  # of what to keep, and of noise
        below = torch.linspace(0.95, 0.5, short - len(above) - 1) * edge
        values = torch.tensor([*(x * limit for x in above), (limit + edge) / 2, *below], dtype=torch.float64)
        values *= 1 + 0.01 * torch.rand(short, generator=generator, dtype=torch.float64)
        cases.append((matrix_with_singular_values((values * long**0.5 * sigma).tolist(), m=m, n=n, seed=seed), sigma))
    return cases


def _drifts(seed: int) -> list[tuple]:
    """One shift for each row, their mean far from 0, with a number of columns, and the size of the noise."""
    generator = _random(seed)
    plans = ((6, 9, 0.3), (12, 5, 2.0), (8, 8, 0.1), (4, 20, 0.7), (15, 6, 1.5))
    return [(torch.rand(m, generator=generator, dtype=torch.float64) - 0.2, n, sigma) for m, n, sigma in plans]


def _striped(seed: int) -> list[tuple]:
    """Pictures with air at the left, shifted row by row, with little noise; and how many columns are air."""
    generator, cases = _random(seed), []
    for m, n, air in ((5, 8, 2), (7, 7, 3), (9, 6, 2), (4, 12, 4), (6, 5, 3)):
        picture = torch.rand(m, n, generator=generator, dtype=torch.float64)
        picture[:, :air] = 0
        drift = 2 * torch.rand(m, 1, generator=generator, dtype=torch.float64) - 0.5
        cases.append((picture + drift + 0.1 * torch.rand(m, n, generator=generator, dtype=torch.float64), air))
    return cases


EXERCISES = (
    Exercise(
        id="06.1",
        title="Both errors",
        statement=(
            "Write `errors(A, X, k)`: for the best `W` and `H` of rank k for the noisy matrix `A`, it returns two "
            "numbers, the error to the data and the error to the truth `X`.\n\n"
            "Both are RMSE: the root of the mean squared entry, as in section 1."
        ),
        stub=code("""
            def errors(A, X, k):
                return ...
        """),
        solution=code("""
            from mflearn.exact import truncated_svd

            def errors(A, X, k):
                W, H = truncated_svd(A, k)
                return tuple((M - W @ H).square().mean().sqrt() for M in (A, X))
        """),
        cases=_noisy_and_true,
        hints=(
            "There is only one `W H`. Which of the two matrices may it see?",
            "`W, H = truncated_svd(A, k)`. Then compare the same `W @ H` twice: with `A`, and with `X`.",
            "The RMSE of a matrix `E` is `E.square().mean().sqrt()`. Return the two, `A` first.",
        ),
        wrong=(
            Wrong(
                "only the error to the data",
                code("""
                    from mflearn.exact import truncated_svd

                    def errors(A, X, k):
                        W, H = truncated_svd(A, k)
                        return (A - W @ H).square().mean().sqrt()
                """),
                "This is the error to the data only, the one that falls with every k. The other one tells how much "
                "noise "
                "is gone.",
            ),
            Wrong(
                "the data twice",
                code("""
                    from mflearn.exact import truncated_svd

                    def errors(A, X, k):
                        W, H = truncated_svd(A, k)
                        error = (A - W @ H).square().mean().sqrt()
                        return error, error
                """),
                "Both numbers are the error to the data. What is the second one to be compared with?",
            ),
            Wrong(
                "fitted to the truth",
                code("""
                    from mflearn.exact import truncated_svd

                    def errors(A, X, k):
                        (V, G), (W, H) = truncated_svd(A, k), truncated_svd(X, k)
                        return (A - V @ G).square().mean().sqrt(), (X - W @ H).square().mean().sqrt()
                """),
                "The second number is that of a fit to X. Nobody can fit to the truth: only A is measured.",
            ),
            Wrong(
                "both from a fit to the truth",
                code("""
                    from mflearn.exact import truncated_svd

                    def errors(A, X, k):
                        W, H = truncated_svd(X, k)
                        return (A - W @ H).square().mean().sqrt(), (X - W @ H).square().mean().sqrt()
                """),
                "Both numbers belong to a W H that was fitted to X. It is A that we are given.",
            ),
            Wrong(
                "exchanged",
                code("""
                    from mflearn.exact import truncated_svd

                    def errors(A, X, k):
                        W, H = truncated_svd(A, k)
                        return (X - W @ H).square().mean().sqrt(), (A - W @ H).square().mean().sqrt()
                """),
                "The two numbers are exchanged: the one to the data comes first.",
            ),
            Wrong(
                "no root",
                code("""
                    from mflearn.exact import truncated_svd

                    def errors(A, X, k):
                        W, H = truncated_svd(A, k)
                        return (A - W @ H).square().mean(), (X - W @ H).square().mean()
                """),
                "These are mean squares, MSE. Their roots have the unit of the entries.",
            ),
            Wrong(
                "no mean",
                code("""
                    from mflearn.exact import truncated_svd

                    def errors(A, X, k):
                        W, H = truncated_svd(A, k)
                        return (A - W @ H).norm(), (X - W @ H).norm()
                """),
                "These are Frobenius norms, sums over all entries. The RMSE does not grow with the size of the matrix.",
            ),
            Wrong(
                "relative errors",
                code("""
                    from mflearn.exact import truncated_svd

                    def errors(A, X, k):
                        W, H = truncated_svd(A, k)
                        return (A - W @ H).norm() / A.norm(), (X - W @ H).norm() / X.norm()
                """),
                "These are relative errors, shares of the length of A and of X. An RMSE has the unit of the entries.",
            ),
            Wrong(
                "the noise itself",
                code("""
                    from mflearn.exact import truncated_svd

                    def errors(A, X, k):
                        W, H = truncated_svd(A, k)
                        return (A - W @ H).square().mean().sqrt(), (A - X).square().mean().sqrt()
                """),
                "The second number is the size of the noise, which is there before anything is fitted. Where is W H "
                "in it?",
            ),
        ),
        further="At the largest k the first one is 0, and the second one is the size of the noise: all of it is back.",
        misconceptions=(6, 7, 16),
    ),
    Exercise(
        id="06.2",
        title="Choose k, and measure with other entries",
        statement=(
            "The m×n matrix `part` says what each entry of `A` is for: 0, to fit `W H`; 1, to choose k; 2, to "
            "measure at "
            "the end. `fit(A, mask, k)` is given: it returns the `W H` of rank k fitted to the entries where `mask` is "
            "true, and looks at no others.\n\n"
            "Write `choose(A, part, fit, largest)`: fit to part 0 with k = 1, 2, …, `largest`. Return two numbers: "
            "the k "
            "with the lowest error on part 1, and the RMSE on part 2 of this same `W H`, without another fit."
        ),
        stub=code("""
            def choose(A, part, fit, largest):
                return ...
        """),
        solution=code("""
            import torch

            def choose(A, part, fit, largest):
                fits = torch.stack([fit(A, part == 0, k) for k in range(1, largest + 1)])
                squares = (fits - A).square()
                k = 1 + int(squares[:, part == 1].mean(1).argmin())
                return k, squares[k - 1][part == 2].mean().sqrt()
        """),
        cases=_in_three_parts,
        hints=(
            "Each part has one task. Which of them may the fit see, and which the choice?",
            "The mask of the fit is `part == 0`. Make a list of all `W H`, from k = 1 on.",
            "`(WH - A)[part == 1]` are the residuals that choose. `argmin` counts from 0, k from 1.",
            "With the chosen `WH`, and only with it, look at `(WH - A)[part == 2]`.",
        ),
        wrong=(
            Wrong(
                "chosen by the fitted entries",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part == 0, k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 0].square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, (fits[k - 1] - A)[part == 2].square().mean().sqrt()
                """),
                "This chooses by the error on the entries of the fit. That one falls with k, whatever the truth is.",
            ),
            Wrong(
                "chosen by what is measured",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part == 0, k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 2].square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, (fits[k - 1] - A)[part == 2].square().mean().sqrt()
                """),
                "Here k is chosen by the entries that are to measure it. The lowest of several numbers, picked for "
                "being "
                "low, is too good to report.",
            ),
            Wrong(
                "reported what has chosen",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part == 0, k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 1].square().mean().sqrt()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, error[k - 1]
                """),
                "k is right, but the number was picked for being the lowest. An honest one comes from entries that "
                "had no "
                "part in the choice.",
            ),
            Wrong(
                "the fit sees what chooses",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part != 2, k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 1].square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, (fits[k - 1] - A)[part == 2].square().mean().sqrt()
                """),
                "The fit has seen the entries that choose. So they reward the k that fits them best, noise included.",
            ),
            Wrong(
                "the fit sees everything",
                code("""
                    import torch

                    def choose(A, part, fit, largest):
                        fits = [fit(A, torch.ones_like(part), k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 1].square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, (fits[k - 1] - A)[part == 2].square().mean().sqrt()
                """),
                "Nothing is held out here: the fit has seen all entries, also those that choose and those that "
                "measure.",
            ),
            Wrong(
                "holes filled with zeros",
                code("""
                    import torch

                    def choose(A, part, fit, largest):
                        seen = A * (part == 0)
                        fits = [fit(seen, torch.ones_like(part), k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 1].square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, (fits[k - 1] - A)[part == 2].square().mean().sqrt()
                """),
                "The held-out entries are hidden as zeros, and the fit learns these zeros. Hidden is not 0.",
            ),
            Wrong(
                "part as mask",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part, k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 1].square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, (fits[k - 1] - A)[part == 2].square().mean().sqrt()
                """),
                "The fit sees parts 1 and 2, and not part 0: `part` taken as a mask is true where it is not 0.",
            ),
            Wrong(
                "all other entries count as 0",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part == 0, k) for k in range(1, largest + 1)]
                        error = [float(((part == 1) * (WH - A)).square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, ((part == 2) * (fits[k - 1] - A)).square().mean().sqrt()
                """),
                "k is right, and the number is too small: this is a mean over all m·n entries, in which those outside "
                "part 2 count as 0.",
            ),
            Wrong(
                "k counted from 0",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part == 0, k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 1].square().mean()) for WH in fits]
                        k = error.index(min(error))
                        return k, (fits[k] - A)[part == 2].square().mean().sqrt()
                """),
                "The error is right, but k is its place in a list, which counts from 0.",
            ),
            Wrong(
                "the largest k left out",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part == 0, k) for k in range(1, largest)]
                        error = [float((WH - A)[part == 1].square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, (fits[k - 1] - A)[part == 2].square().mean().sqrt()
                """),
                "It never tries the largest k. Where does a range end?",
            ),
            Wrong(
                "no root",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part == 0, k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 1].square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, (fits[k - 1] - A)[part == 2].square().mean()
                """),
                "k is right, and the number is a mean square. The RMSE is in the unit of the entries.",
            ),
            Wrong(
                "measured on both held-out parts",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part == 0, k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 1].square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, (fits[k - 1] - A)[part != 0].square().mean().sqrt()
                """),
                "The entries that chose k are also in the final number, and pull it down. Only part 2 is still "
                "neutral.",
            ),
            Wrong(
                "fitted again",
                code("""
                    def choose(A, part, fit, largest):
                        fits = [fit(A, part == 0, k) for k in range(1, largest + 1)]
                        error = [float((WH - A)[part == 1].square().mean()) for WH in fits]
                        k = 1 + error.index(min(error))
                        return k, (fit(A, part != 2, k) - A)[part == 2].square().mean().sqrt()
                """),
                "A second fit with more entries is a good idea in practice. The task asks for the error of the W H "
                "that was chosen.",
            ),
        ),
        further="Once all is decided, fit again to all entries: the parts were only needed to choose and to measure.",
        misconceptions=(1, 7, 17),
    ),
    Exercise(
        id="06.3",
        title="Cut at the threshold",
        statement=(
            "`A` (m×n) is a matrix of low rank plus independent noise of known size `sigma`. Write `denoise(A, "
            "sigma)`: "
            r"the m×n matrix that keeps the layers of `A` with singular values above $\tau = \lambda(\beta) "
            r"\sqrt{\max(m, n)}\,\sigma$, just as they are, and drops the others. It may be that none is kept."
            "\n\nThe notebook has imported `threshold_factor(beta)`, which is λ(β), with β as in section 5."
        ),
        stub=code("""
            def denoise(A, sigma):
                return ...
        """),
        solution=code("""
            import torch

            from mflearn.exact import threshold_factor

            def denoise(A, sigma):
                short, long = sorted(A.shape)
                tau = threshold_factor(short / long) * long**0.5 * sigma
                U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                k = int((tau < S).sum())
                return U[:, :k] * S[:k] @ Vt[:k]
        """),
        cases=_at_the_threshold,
        hints=(
            "β is the short side over the long one; in a square matrix λ(1) is 4/√3.",
            "Take the SVD of `A`, and count the singular values above τ.",
            "If k of them are above, they are the first k: put these layers together again.",
        ),
        wrong=(
            Wrong(
                "where noise ends",
                code("""
                    import torch

                    def denoise(A, sigma):
                        U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U * S.where(S > 2 * max(A.shape) ** 0.5 * sigma, 0) @ Vt
                """),
                "2√n σ is where the noise ends in a square matrix. A direction just above it sticks out, but is too "
                "far off "
                "to be worth keeping.",
            ),
            Wrong(
                "4/√3 for every shape",
                code("""
                    import torch

                    def denoise(A, sigma):
                        U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U * S.where(S > 4 / 3**0.5 * max(A.shape) ** 0.5 * sigma, 0) @ Vt
                """),
                "4/√3 is right for square matrices only. Others have less noise in each direction: λ depends on β.",
            ),
            Wrong(
                "the short side",
                code("""
                    import torch
                    from mflearn.exact import threshold_factor

                    def denoise(A, sigma):
                        short, long = sorted(A.shape)
                        U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U * S.where(S > threshold_factor(short / long) * short**0.5 * sigma, 0) @ Vt
                """),
                "This takes the root of the short side. Noise adds up along the longer one.",
            ),
            Wrong(
                "σ forgotten",
                code("""
                    import torch
                    from mflearn.exact import threshold_factor

                    def denoise(A, sigma):
                        short, long = sorted(A.shape)
                        U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U * S.where(S > threshold_factor(short / long) * long**0.5, 0) @ Vt
                """),
                "The threshold is the same however large the noise is.",
            ),
            Wrong(
                "no root of n",
                code("""
                    import torch
                    from mflearn.exact import threshold_factor

                    def denoise(A, sigma):
                        short, long = sorted(A.shape)
                        U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U * S.where(S > threshold_factor(short / long) * long * sigma, 0) @ Vt
                """),
                "This threshold grows like n. Independent noise partly cancels: its singular values grow like √n.",
            ),
            Wrong(
                "one layer too few",
                code("""
                    import torch
                    from mflearn.exact import noise_threshold

                    def denoise(A, sigma):
                        U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                        last = max(int((S > noise_threshold(A, sigma=sigma)).sum()) - 1, 0)
                        return U[:, :last] * S[:last] @ Vt[:last]
                """),
                "One layer that is above the threshold is missing. A slice [:k] ends before place k, and has k "
                "entries.",
            ),
            Wrong(
                "one layer too many",
                code("""
                    import torch
                    from mflearn.exact import noise_threshold

                    def denoise(A, sigma):
                        U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                        k = int((S > noise_threshold(A, sigma=sigma)).sum()) + 1
                        return U[:, :k] * S[:k] @ Vt[:k]
                """),
                "One layer below the threshold is still there: the count of those above is k already.",
            ),
            Wrong(
                "kept and dropped exchanged",
                code("""
                    import torch
                    from mflearn.exact import noise_threshold

                    def denoise(A, sigma):
                        U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U * S.where(S <= noise_threshold(A, sigma=sigma), 0) @ Vt
                """),
                "This keeps what lies below: the noise. The truth is in the strong directions.",
            ),
            Wrong(
                "k = 0 refused",
                code("""
                    import torch
                    from mflearn.exact import noise_threshold, truncated_svd

                    def denoise(A, sigma):
                        k = int((torch.linalg.svdvals(A) > noise_threshold(A, sigma=sigma)).sum())
                        W, H = truncated_svd(A, k)
                        return W @ H
                """),
                "Right where something is kept. Where nothing is, k is 0, and `truncated_svd` refuses that. What is "
                "left of A then?",
            ),
            Wrong(
                "shrunk by the threshold",
                code("""
                    import torch
                    from mflearn.exact import noise_threshold

                    def denoise(A, sigma):
                        U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U * (S - noise_threshold(A, sigma=sigma)).clamp(min=0) @ Vt
                """),
                "This subtracts the threshold from all singular values (a soft threshold). The task is to keep a layer "
                "as it is, or to drop it.",
            ),
            Wrong(
                "σ from the median",
                code("""
                    import torch

                    def denoise(A, sigma):
                        beta = min(A.shape) / max(A.shape)
                        omega = 0.56 * beta**3 - 0.95 * beta**2 + 1.82 * beta + 1.43  # nearly median_factor(beta)
                        U, S, Vt = torch.linalg.svd(A, full_matrices=False)
                        return U * S.where(S > omega * S.quantile(0.5), 0) @ Vt
                """),
                "This guesses the size of the noise from the median singular value. Here σ is known.",
            ),
        ),
        further=(
            "Better still in a square matrix: shrink. In units of √n σ, replace y above 2 by √(y² − 4), and all "
            "others by 0."
        ),
        misconceptions=(6, 7),
    ),
    Exercise(
        id="06.4",
        title="Stripes that pass as signal",
        statement=(
            "A detector drifts: it adds `drift[i]` to all n entries of row i. So it adds an m×n matrix of stripes, "
            "of rank "
            "1. Write `stands_out(drift, n, sigma)`: the singular value of this matrix, divided by the threshold τ of "
            "exercise 06.3 for independent noise of size `sigma` in a matrix of this shape."
            "\n\n`drift` has m entries. No SVD is needed."
        ),
        stub=code("""
            def stands_out(drift, n, sigma):
                return ...
        """),
        solution=code("""
            from mflearn.exact import threshold_factor

            def stands_out(drift, n, sigma):
                short, long = sorted((len(drift), n))
                tau = threshold_factor(short / long) * long**0.5 * sigma
                return drift.norm() * n**0.5 / tau
        """),
        cases=_drifts,
        hints=(
            "The stripes are a column times a row: `drift` times a row of ones.",
            "The singular value of w h, a column times a row, is ‖w‖ ‖h‖. How long is a row of n ones?",
            "So it is ‖drift‖ √n. Divide by τ, with β from m = `len(drift)` and n.",
        ),
        wrong=(
            Wrong(
                "the row of ones forgotten",
                code("""
                    from mflearn.exact import threshold_factor

                    def stands_out(drift, n, sigma):
                        short, long = sorted((len(drift), n))
                        return drift.norm() / (threshold_factor(short / long) * long**0.5 * sigma)
                """),
                "This is the length of one column of stripes. There are n such columns.",
            ),
            Wrong(
                "n in place of √n",
                code("""
                    from mflearn.exact import threshold_factor

                    def stands_out(drift, n, sigma):
                        short, long = sorted((len(drift), n))
                        return drift.norm() * n / (threshold_factor(short / long) * long**0.5 * sigma)
                """),
                "A row of n ones has not the length n: lengths are roots of sums of squares.",
            ),
            Wrong(
                "m for n",
                code("""
                    from mflearn.exact import threshold_factor

                    def stands_out(drift, n, sigma):
                        short, long = sorted((len(drift), n))
                        return drift.norm() * len(drift) ** 0.5 / (threshold_factor(short / long) * long**0.5 * sigma)
                """),
                "The row of ones has an entry for each column, not for each row.",
            ),
            Wrong(
                "mean taken out",
                code("""
                    from mflearn.exact import threshold_factor

                    def stands_out(drift, n, sigma):
                        short, long = sorted((len(drift), n))
                        drift = drift - drift.mean()
                        return drift.norm() * n**0.5 / (threshold_factor(short / long) * long**0.5 * sigma)
                """),
                "The mean of the drift is taken out here. But a shift that all rows share is in the matrix, too.",
            ),
            Wrong(
                "sum of the shifts",
                code("""
                    from mflearn.exact import threshold_factor

                    def stands_out(drift, n, sigma):
                        short, long = sorted((len(drift), n))
                        return drift.abs().sum() * n**0.5 / (threshold_factor(short / long) * long**0.5 * sigma)
                """),
                "This adds up the sizes of the shifts. The length of a vector counts squares.",
            ),
            Wrong(
                "σ₁ squared",
                code("""
                    from mflearn.exact import threshold_factor

                    def stands_out(drift, n, sigma):
                        short, long = sorted((len(drift), n))
                        return drift.square().sum() * n / (threshold_factor(short / long) * long**0.5 * sigma)
                """),
                "This is the sum of all squared entries of the stripes, the square of their singular value.",
            ),
            Wrong(
                "not divided",
                code("""
                    def stands_out(drift, n, sigma):
                        return drift.norm() * n**0.5
                """),
                "This is the singular value of the stripes. Whether it is large, only the noise beside it can tell.",
            ),
            Wrong(
                "4/√3 for every shape",
                code("""
                    def stands_out(drift, n, sigma):
                        return drift.norm() * n**0.5 / (4 / 3**0.5 * max(len(drift), n) ** 0.5 * sigma)
                """),
                "The singular value is right. But 4/√3 is the factor for square matrices only.",
            ),
            Wrong(
                "threshold of the columns",
                code("""
                    from mflearn.exact import threshold_factor

                    def stands_out(drift, n, sigma):
                        short, long = sorted((len(drift), n))
                        return drift.norm() * n**0.5 / (threshold_factor(short / long) * n**0.5 * sigma)
                """),
                "The threshold is right only where n is the longer side. Where m is longer, noise adds up along m.",
            ),
        ),
        further=(
            "Above 1, a low rank keeps the stripes as if they were signal; and the larger the matrix, the weaker the "
            "drift that passes."
        ),
    ),
    Exercise(
        id="06.5",
        title="Take out what a low rank keeps",
        statement=(
            "Each row of the m×n picture `A` is shifted as a whole, by a drift of its own. The first `air` columns "
            "show "
            "air: there is no signal, only drift and a little noise. Write `without_drift(A, air)`: the m×n picture "
            "with "
            "the drift of each row subtracted, measured as the mean of its air.\n\n`A` itself must stay as it is."
        ),
        stub=code("""
            def without_drift(A, air):
                return ...
        """),
        solution=code("""
            def without_drift(A, air):
                return A - A[:, :air].mean(1, keepdim=True)
        """),
        cases=_striped,
        hints=(
            "One number for each row. Of which entries is it the mean, and over which axis?",
            "`A[:, :air]` is the air. With `keepdim=True` its means stay a column.",
            "Subtract this column from `A`: it is repeated for each of the n columns.",
        ),
        wrong=(
            Wrong(
                "mean of the whole row",
                code("""
                    def without_drift(A, air):
                        return A - A.mean(1, keepdim=True)
                """),
                "This subtracts the mean of the whole row, and with it the mean of the signal. Where is there only "
                "drift?",
            ),
            Wrong(
                "one number for all rows",
                code("""
                    def without_drift(A, air):
                        return A - A[:, :air].mean()
                """),
                "This subtracts one number from all rows. Each row has a drift of its own, so the stripes are still "
                "there.",
            ),
            Wrong(
                "means of the columns",
                code("""
                    def without_drift(A, air):
                        return A - A.mean(0)
                """),
                "These are means of columns. The drift belongs to the rows.",
            ),
            Wrong(
                "air at the top",
                code("""
                    def without_drift(A, air):
                        return A - A[:air].mean(0)
                """),
                "This takes the first rows for air. A[:air] are rows, and the air is in columns.",
            ),
            Wrong(
                "the right edge",
                code("""
                    def without_drift(A, air):
                        return A - A[:, -air:].mean(1, keepdim=True)
                """),
                "This measures at the right edge, where the signal is.",
            ),
            Wrong(
                "one column of air",
                code("""
                    def without_drift(A, air):
                        return A - A[:, :1]
                """),
                "This measures in one column only, and so adds its noise to the whole row. A mean has less noise.",
            ),
            Wrong(
                "added",
                code("""
                    def without_drift(A, air):
                        return A + A[:, :air].mean(1, keepdim=True)
                """),
                "This adds the drift once more.",
            ),
            Wrong(
                "no column",
                code("""
                    def without_drift(A, air):
                        return A - A[:, :air].mean(1)
                """),
                "The means have the shape of a row here, so they are lined up with the columns. They must stay a "
                "column.",
            ),
            Wrong(
                "A changed in place",
                code("""
                    def without_drift(A, air):
                        A -= A[:, :air].mean(1, keepdim=True)
                        return A
                """),
                "The picture is right, but the caller's A is changed as well: A -= … writes into the matrix itself.",
            ),
        ),
        further="A low rank keeps whatever is repeated: that stripes are no signal, the matrix alone could not tell.",
    ),
)

QUIZ: tuple[QuizQuestion, ...] = (
    QuizQuestion(
        "A = X + noise, and with k large enough the loss ‖A − W H‖_F² has reached 0. How much noise is removed?",
        (
            Choice("All of it: no error is left.", "No error to A is left. But A is the noisy matrix."),
            Choice("None: W H is A.", "A perfect fit has fitted the noise, too. The goal is X, not A.", True),
            Choice(
                "A part: W and H have fewer numbers than A, so some noise has no room.",
                "With so large a k they have more. And W H = A, entry by entry: all the noise is in it.",
            ),
        ),
        misconceptions=(6, 7),
    ),
    QuizQuestion(
        "A = X + noise is 60×40, and X has rank 4. At k = 40 descent starts near 0, and its loss falls with every "
        "step, "
        "to nearly 0. What does the error to X do?",
        (
            Choice("It falls with every step, too.", "As long as X is being learned. After that, noise is."),
            Choice(
                "It falls and then rises: there is a best time to stop.",
                "The large singular values come first, and most of the noise is in the small ones, learned later.",
                True,
            ),
            Choice(
                "It rises from the first step on, since k is too large.",
                "Near 0 the large singular values grow first, and those are of X. It takes time until noise is "
                "learned.",
            ),
        ),
        misconceptions=(7,),
    ),
    QuizQuestion(
        "To choose k, someone fits H on 50 rows and tests it on 10 other rows: for each of these the best w is "
        "computed, "
        "and w H compared with the row. What will come out?",
        (
            Choice("The rank of X.", "The test has no U: it falls with every k. Where does w come from?"),
            Choice(
                "The largest k.",
                "Each w is fitted to the very row that it is compared with, so every further row of H helps.",
                True,
            ),
            Choice(
                "k = 1, since new rows are hard to predict.",
                "Nothing is predicted here: w is computed from the new row itself.",
            ),
        ),
        misconceptions=(7,),
    ),
    QuizQuestion(
        "Ten values of k were tried, and k = 4 had the lowest error on held-out entries, 1.13. Which error do you "
        "expect on "
        "further entries that nobody has looked at?",
        (
            Choice(
                "A little more than 1.13, on average.",
                "It was picked for being the lowest of ten, and so it is likely to have been lucky. Measure on "
                "entries that had no part in the choice.",
                True,
            ),
            Choice("Exactly 1.13.", "Other entries have other noise, and this number was picked for being low."),
            Choice(
                "A little less, since k = 4 was the best.",
                "The best on these entries: their luck helped to choose it. Others will not repeat it.",
            ),
        ),
        misconceptions=(17,),
    ),
    QuizQuestion(
        "Every row of a scan is shifted as a whole. On held-out entries W H of rank 26 has an error of 0.056, less "
        "than "
        "with any other k that was tried. What do we know?",
        (
            Choice(
                "W H is within 0.056 of the clean scan.",
                "In the notebook it is 0.108 away from it. Held-out entries of a striped row are striped, too.",
            ),
            Choice(
                "W H predicts the data, stripes included.",
                "Held-out entries test against the data. What all entries of a row share looks like signal to them.",
                True,
            ),
            Choice(
                "k is too small: 26 layers leave 0.056 of the stripes.",
                "The stripes have rank 1 and are strong: they are among the first layers. A larger k does not remove "
                "them.",
            ),
        ),
        misconceptions=(7,),
    ),
)
