"""Explorer of notebook 06: how far W H of rank k is from the noisy matrix, from hidden entries, and from the truth."""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.fft import idct
from torch import Tensor

from ..descent import Factors, Momentum, factorize
from ..exact import noise_threshold, singular_values, stable_eta, truncated_svd
from ..objectives import Frobenius
from ..plots import BLUE, GHOST, GREEN, GREY, VALUES, VERMILLION
from .explorer import Explorer, Question, Update, choice, slider

M, N, MOST = 40, 30, 10  # the shape of the matrix, and the largest k
SHARE = 0.1  # of the entries are hidden
STEPS = 100  # of momentum on the others
RANDOM = np.random.default_rng(0)  # torch.randn differs between CPUs
NOISE = torch.from_numpy(RANDOM.standard_normal((M, N)))  # the same at each size
SEEN = torch.from_numpy(RANDOM.random((M, N)) >= SHARE)  # False where an entry is hidden
ERRORS = ("noisy", "noisy and held-out", "noisy, held-out and clean")
FAINTEST, HIGHEST = 0.02, 10.0  # the ends of the axis of errors


@dataclass(frozen=True)
class Denoising:
    """A noisy matrix of known truth, its best approximation of rank k, and three errors at every k up to MOST."""

    k: int
    noise: float
    rank: int
    errors: str  # which of the three are shown
    A: Tensor  # (M, N), with noise
    X: Tensor  # (M, N), the truth
    WH: Tensor  # (M, N), of rank k
    to_noisy: Tensor  # (MOST,), the RMSE of W H at k, at [k − 1]
    to_held: Tensor  # (MOST,), on hidden entries, of a descent that did not see them
    to_clean: Tensor  # (MOST,)

    @property
    def tells_held(self) -> bool:
        """Whether the error on hidden entries is shown, which one can know without the truth."""
        return self.errors != ERRORS[0]

    @property
    def tells_clean(self) -> bool:
        """Whether the truth is shown."""
        return self.errors == ERRORS[2]


def clean(rank: int) -> Tensor:
    """X (M, N) with singular values √(M N) · 1, 0.8, 0.64, … and cosine waves as singular vectors, for the eye."""
    rows, columns = (torch.from_numpy(idct(np.eye(size)[:, 1 : rank + 1], axis=0, norm="ortho")) for size in (M, N))
    return rows * ((M * N) ** 0.5 * 0.8 ** torch.arange(rank, dtype=torch.float64)) @ columns.T


@functools.cache
def _curves(noise: float, rank: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Factors]:
    """A, X, the three errors, and the factors of A of rank MOST: all that does not depend on k."""
    X = clean(rank)
    A = X + noise * NOISE
    best = truncated_svd(A, MOST)
    WH = _each_rank(best).W @ best.H
    seen = _each_rank(truncated_svd(A * SEEN / (1 - SHARE), MOST))  # a start near the end
    run = factorize(Frobenius(A, SEEN), start=seen, eta=0.25 * stable_eta(A), steps=STEPS, rule=Momentum)
    return A, X, _rmse(WH - A), _rmse((run.WH - A)[:, ~SEEN][:, None]), _rmse(WH - X), best


def _each_rank(factors: Factors) -> Factors:
    """A batch: the first column of W and row of H, the first two, … up to all; the others are zero."""
    k = factors.Z.shape[-1]
    return Factors(factors.Z * torch.ones(k, k, dtype=torch.float64).tril()[:, None], factors.m)


def _rmse(E: Tensor) -> Tensor:
    return E.square().mean((-2, -1)).sqrt()


def compute(k: int, noise: float, rank: int, errors: str) -> Denoising:
    """The best approximation of rank k to a clean matrix of this rank plus this much noise, and its errors."""
    A, X, to_noisy, to_held, to_clean, best = _curves(noise, rank)
    return Denoising(k, noise, rank, errors, A, X, best.W[:, :k] @ best.H[:k], to_noisy, to_held, to_clean)


def draw(figure: Figure) -> Update:
    """The errors against k; A, W H and, once it may be seen, the truth; the singular values of A."""
    axes = figure.subplot_mosaic([["errors", "A", "WH", "X"], ["errors", *["sigma"] * 3]], width_ratios=(2.7, 1, 1, 1))
    ax, ks = axes["errors"], range(1, MOST + 1)
    ax.set(yscale="log", xlim=(0.6, MOST + 0.4), ylim=(FAINTEST, HIGHEST), xticks=ks, xlabel="rank k", ylabel="RMSE")
    ax.set_yticks([0.03, 0.1, 0.3, 1, 3], ["0.03", "0.1", "0.3", "1", "3"], minor=False)
    ax.grid(alpha=0.3)
    ghosts = [ax.plot([], [], color=GHOST, linewidth=1.2)[0] for _ in range(3)]
    (here,) = ax.plot([], [], color=GREY, linewidth=3, alpha=0.6)
    (level,) = ax.plot([], [], color=GREY, linestyle=(0, (1, 2)), linewidth=2, label="size of the noise")
    styles = {
        "to the noisy matrix": (BLUE, "-", "o"),
        "to held-out entries": (GREEN, "-.", "^"),
        "to the clean matrix": (VERMILLION, "--", "s"),
    }
    curves = [
        ax.plot([], [], color=colour, linestyle=dash, marker=marker, markersize=5, linewidth=2, label=name)[0]
        for name, (colour, dash, marker) in styles.items()
    ]
    ax.legend(loc="lower right", fontsize=8.5, ncols=2)
    pictures = {}
    for name, title in (("A", "A, noisy"), ("WH", "W H"), ("X", "clean")):
        pictures[name] = axes[name].imshow(np.full((M, N), np.nan), cmap=VALUES, vmin=-4, vmax=4, aspect="auto")
        axes[name].set(title=title, xticks=[], yticks=[])
    unseen = axes["X"].text(0.5, 0.5, "predict\nfirst", transform=axes["X"].transAxes, ha="center", va="center")
    spectrum = axes["sigma"]
    spectrum.set(xlim=(0, N + 1), ylim=(0, 60), xlabel="number of the singular value of A")
    spectrum.grid(alpha=0.3)
    (dropped,) = spectrum.plot([], [], color=GREY, marker="o", markersize=4, markerfacecolor="none", linestyle="")
    (kept,) = spectrum.plot([], [], color=BLUE, marker="o", markersize=5, linestyle="")
    (cut,) = spectrum.plot([], [], color=VERMILLION, linestyle="--", linewidth=1.5)
    note = spectrum.text(0.98, 0.93, "", transform=spectrum.transAxes, ha="right", va="top", fontsize=9)

    def update(result: Denoising):
        told = (True, result.tells_held, result.tells_clean)
        values = (result.to_noisy, result.to_held, result.to_clean)
        for curve, ghost, shown, errors in zip(curves, ghosts, told, values, strict=True):
            ghost.set_data(*(curve.get_data() if shown else ([], [])))  # a ghost must not tell what is hidden
            curve.set_data(ks if shown else [], errors.clamp(FAINTEST, HIGHEST) if shown else [])
        here.set_data([result.k] * 2, [FAINTEST, HIGHEST])
        level.set_data([0, MOST + 1], [result.noise] * 2)
        for name, table in (("A", result.A), ("WH", result.WH), ("X", result.X)):
            hidden = name == "X" and not result.tells_clean
            pictures[name].set_data(np.full((M, N), np.nan) if hidden else table.numpy())
        unseen.set_visible(not result.tells_clean)
        sigma = singular_values(result.A)
        kept.set_data(range(1, result.k + 1), sigma[: result.k])
        dropped.set_data(range(result.k + 1, N + 1), sigma[result.k :])
        tau = float(noise_threshold(result.A, sigma=result.noise))
        cut.set_data([0, N + 1] if result.tells_held else [], [tau] * 2 if result.tells_held else [])
        note.set_text("filled: kept in W H" + ("\ndashed: threshold τ" if result.tells_held else ""))
        return [*ghosts, here, level, *curves, *pictures.values(), unseen, dropped, kept, cut, note]

    return update


def lowest(errors: Tensor) -> int:
    """The k of the lowest error; of equal ones the smallest."""
    return int(errors.argmin()) + 1


def describe(result: Denoising) -> str:
    """The errors at this k that the learner may see, and where each is lowest."""
    at = result.k - 1
    words = f"k = {result.k}, noise {result.noise:g}, true rank {result.rank}: RMSE to A {result.to_noisy[at]:.2f}"
    if result.tells_held:
        words += f"; to held-out entries {result.to_held[at]:.2f}, lowest at k = {lowest(result.to_held)}"
    if result.tells_clean:
        words += f"; to the clean matrix {result.to_clean[at]:.2f}, lowest at k = {lowest(result.to_clean)}"
    return words + "."


def explore_noise() -> Explorer:
    """Which k is closest to a truth that you do not see?"""
    controls = {
        "k": slider("rank k", 1, 1, MOST),
        "noise": slider("noise σ", 1.0, 0.1, 2.5, step=0.1),
        "rank": slider("true rank", 3, 1, 6),
        "errors": choice("errors to", *ERRORS),
    }
    question = Question(
        "The clean matrix has rank 3. The more columns W has, the better W H fits the noisy matrix. Which k comes "
        "closest to the clean one?",
        {
            "a k below its rank": lambda result: lowest(result.to_clean) < result.rank,
            "k = its rank": lambda result: lowest(result.to_clean) == result.rank,
            "a k between its rank and 10": lambda result: result.rank < lowest(result.to_clean) < MOST,
            "k = 10, the best fit": lambda result: lowest(result.to_clean) == MOST,
        },
        lambda _: {"k": 3, "noise": 1.0, "rank": 3, "errors": ERRORS[2]},
        "From there on W H has nothing left to learn but the noise. (Now you may also choose which errors to show.)",
    )
    return Explorer(compute, draw, describe, controls, question, title="fit and truth", size=(10.5, 4.0))
