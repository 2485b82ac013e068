"""Explorer of notebook 08: k, λ, the share observed, and η of descent, on invented ratings, with a locked test set."""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from ipywidgets import dlink
from matplotlib.figure import Figure
from torch import Tensor

from ..descent import GradientDescent, descend, random_factors, with_biases
from ..festival import invent
from ..model import Model
from ..objectives import Observed
from ..plots import BLUE, GHOST, GREY, VERMILLION, Heatmap, drawable
from ..ratings import Ratings
from ..recommend import Sweep, als
from ..scores import biases, rmse
from .explorer import Explorer, Question, Update, choice, log_slider, slider
from .locked_test import LockedTest

SWEEPS, MOST = 12, 10  # how far each descent goes, and the largest k
LOW, HIGH = -3, 0  # powers of ten of λ
SOLVERS = "ALS", "stochastic descent"
COUNT = 500  # ratings in a step of stochastic descent
BOTTOM, TOP = 0.0, 1.3  # of the axes of RMSE
ROWS, COLUMNS = 7, 6  # of the block


@dataclass(frozen=True, eq=False)
class Split:
    """The ratings in three, and what is known of them."""

    train: Ratings
    validation: Ratings
    test: Ratings
    lowest: float  # RMSE on validation of who knows the truth
    viewers: Tensor  # (ROWS,) of the block
    films: Tensor  # (COLUMNS,)
    truth: Tensor  # (ROWS, COLUMNS), the mean rating of each pair of the block


@functools.cache
def split() -> Split:
    """The festival, 15 % of it for the test and 15 % for validation, and a block of viewers and films seen often."""
    ratings, truth, _ = invent()
    rest, test = ratings.split(0.15, seed=1)
    train, validation = rest.split(0.15 / 0.85, seed=2)
    films = torch.bincount(train.item).argsort(descending=True, stable=True)[: 2 * COLUMNS : 2]
    _, seen = train.to_dense()
    half = (seen[:, films].sum(1) - COLUMNS / 2).abs() + 1 / (1 + seen.sum(1))
    viewers = half.argsort(stable=True)[:ROWS]  # they saw about half of these films
    mean = truth.moments()[0][viewers][:, films]
    return Split(train, validation, test, truth.lowest_rmse(validation), viewers, films, mean)


@dataclass(frozen=True, eq=False)
class Tuning:
    """One training run, and its model with the lowest validation error. An error of inf means that the run diverged."""

    k: int
    lam: float
    share: float
    seen: Ratings
    train: Tensor  # (SWEEPS,) RMSE on the ratings that were seen
    validation: Tensor  # (SWEEPS,)
    best: int  # the sweep with the lowest validation RMSE, from 0
    model: Model
    biases: float  # validation RMSE of that baseline, on the same ratings
    eta: float | None  # of stochastic descent; ALS has none
    tried: tuple[tuple[int, float, float], ...] = ()  # k, λ, lowest validation RMSE, at this share

    @property
    def lowest(self) -> float:
        """The validation RMSE of the model."""
        return float(self.validation[self.best])


@functools.lru_cache(maxsize=200)
def compute(k: int, lam: float, share: float, solver: str = SOLVERS[0], eta: float = 5e-4) -> Tuning:
    """Factorize this share of the training ratings, and look at each sweep on the validation ratings."""
    known = split()
    seen = known.train.sample(round(share * len(known.train)))
    walk = als(seen, k, lam=lam) if solver == SOLVERS[0] else stochastic(seen, k, lam, eta)
    sweeps = itertools.takewhile(lambda sweep: sweep.Z.isfinite().all(), itertools.islice(walk, SWEEPS))
    models = [Model.of(seen, sweep) for sweep in sweeps]
    train, validation = torch.full((2, SWEEPS), torch.inf, dtype=torch.float64)
    for part, errors in ((seen, train), (known.validation, validation)):
        for i, model in enumerate(models):
            errors[i] = rmse(model.predict_all(part), part.value)
    best, only_biases = int(validation.argmin()), biases(seen)
    baseline = rmse(only_biases.predict_all(known.validation), known.validation.value)
    model = models[best] if models else only_biases
    own_eta = None if solver == SOLVERS[0] else eta
    return Tuning(k, lam, share, seen, train, validation, best, model, baseline, own_eta)


def stochastic(seen: Ratings, k: int, lam: float, eta: float) -> Iterator[Sweep]:
    """Descent on the objective of ALS, `COUNT` ratings at a time; two passes over them are as much work as a sweep."""
    f = Observed(seen, lam=lam, mean=seen.mean, weighted=True, biases=True)
    start = with_biases(random_factors(*seen.shape, k, seed=0, scale=0.5))
    steps = 2 * -(-len(seen) // COUNT)
    walk = descend(f.sampled(COUNT, seed=0), start, partial(GradientDescent, eta=eta))
    penalty = next(als(seen, k, lam=lam))  # what a model says of new users is in there
    for point in itertools.islice(walk, steps, None, steps):
        yield replace(penalty, Z=point.Z)


def draw(figure: Figure) -> Update:
    """RMSE by sweep, the settings tried so far, and a block of ratings: seen, predicted, true."""
    known = split()
    left, right = figure.subfigures(1, 2, width_ratios=(1.15, 1))
    (ax, board), maps = left.subplots(1, 2, width_ratios=(1.75, 1)), right.subplots(1, 3)
    ax.set(xlim=(0.5, SWEEPS + 0.5), xticks=range(0, SWEEPS + 1, 3), xlabel="sweep, or two passes", title="RMSE")
    board.set(xscale="log", xlim=(10**LOW / 1.5, 1.5 * 10**HIGH), xlabel="λ", title="ALS tried: validation")
    for each in (ax, board):
        each.set_ylim(BOTTOM, TOP)
        each.grid(alpha=0.3)
        each.axhline(known.lowest, color=GREY, linestyle=(0, (1, 2)), linewidth=2)
    board.text(10**HIGH, known.lowest - 0.02, "lowest possible", ha="right", va="top", fontsize=8.5)
    sweeps = range(1, SWEEPS + 1)
    (ghost,) = ax.plot([], [], color=GHOST, linewidth=1.5)
    (train,) = ax.plot([], [], color=BLUE, linestyle="--", marker="s", markersize=4, linewidth=1.5, label="train")
    (validation,) = ax.plot([], [], color=VERMILLION, marker="o", markersize=4, linewidth=2, label="validation")
    (baseline,) = ax.plot([], [], color=GREY, linestyle="-.", linewidth=1.5, label="only biases")
    (ring,) = ax.plot([], [], color=VERMILLION, marker="o", markersize=12, markerfacecolor="none", markeredgewidth=2)
    ax.legend(loc="upper right", fontsize=8.5, ncols=3, handlelength=1.4, columnspacing=0.8, framealpha=0.9)
    (others,) = board.plot([], [], color=GHOST, marker="s", markersize=4, linestyle="")
    (same,) = board.plot([], [], color=BLUE, marker="o", markersize=5, linestyle="")
    (now,) = board.plot([], [], color=VERMILLION, marker="o", markersize=12, markerfacecolor="none", markeredgewidth=2)
    note = board.text(0.03, 0.97, "", transform=board.transAxes, va="top", fontsize=8.5)
    seen, predicted, truth = (
        Heatmap(each, (ROWS, COLUMNS), title, limits=(0.5, 5), digits=1)
        for each, title in zip(maps, ("seen", "predicted", "the truth"), strict=True)
    )
    for each in maps:
        each.set_xticks(range(COLUMNS), range(1, COLUMNS + 1))
        each.set_xlabel("film")
        each.tick_params(length=0)
    names = [drawable(known.train.users[u].split()[0]) for u in known.viewers.tolist()]
    maps[0].set_yticks(range(ROWS), names, parse_math=False)
    truth.show(known.truth)

    def update(result: Tuning):
        ghost.set_data(*validation.get_data())
        train.set_data(sweeps, result.train)
        validation.set_data(sweeps, result.validation)
        ring.set_data([result.best + 1], [result.lowest])
        baseline.set_data([0, SWEEPS + 1], [result.biases] * 2)
        by_k = [[(lam, low) for k, lam, low in result.tried if (k == result.k) is own] for own in (False, True)]
        for dots, points in zip((others, same), by_k, strict=True):
            dots.set_data(*(zip(*points, strict=True) if points else ([], [])))
        now.set_data([result.lam], [result.lowest])
        note.set_text(f"blue: k = {result.k}, grey: others")
        rows, columns, model = known.viewers, known.films, result.model
        A, _ = result.seen.to_dense()
        WH = ((model.W[rows] @ model.H[:, columns]).double() + model.mean).clamp(*model.limits)
        block = (*seen.show(A[rows][:, columns]), *predicted.show(WH))
        return [ghost, train, validation, baseline, ring, others, same, now, note, *block]

    return update


def describe(result: Tuning) -> str:
    """The errors on training and validation ratings, and the errors to compare them with."""
    by = "" if result.eta is None else f", stochastic descent with η = {result.eta:.4g}"
    begin = f"k = {result.k}, λ = {result.lam:.4g}{by}, {len(result.seen):,} ratings seen ({result.share:.0%}): "
    if result.lowest == float("inf"):
        return f"{begin}diverged within two passes. Predicted is by biases only: {result.biases:.3f}."
    gone = result.validation.isinf()
    left = f"Diverged after sweep {int(gone.int().argmax())}. " if gone.any() else ""
    return (
        f"{begin}validation RMSE {result.lowest:.3f} at sweep {result.best + 1}, "
        f"training {float(result.train[result.best]):.3f}. "
        f"{left}Only biases: {result.biases:.3f}; lowest possible: {split().lowest:.3f}."
    )


class RatingsExplorer(Explorer):
    """The explorer, with what was tried so far, and the test set behind its button: `locked`."""

    def __init__(self) -> None:
        self.tried: dict[tuple[int, float, float], float] = {}
        self.locked = LockedTest(split().test, self._present)
        controls = {
            "k": slider("rank k", 3, 1, MOST),
            "lam": log_slider("penalty λ", 0.01, LOW, HIGH, step=0.1),
            "share": slider("share observed", 1.0, 0.1, 1.0, step=0.1),
            "solver": choice("solver", *SOLVERS),
            "eta": log_slider("η of descent", 5e-4, -5, -2, step=0.1),
        }
        question = Question(
            f"At k = {MOST} and λ = 0.001 the training RMSE falls below 0.3. Where is the lowest validation RMSE?",
            {
                "below 0.6": lambda result: result.lowest < 0.6,
                "between 0.6 and the biases": lambda result: 0.6 <= result.lowest < result.biases,
                "above the biases": lambda result: result.lowest >= result.biases,
            },
            lambda _: {"k": MOST, "lam": 0.001, "share": 1.0, "solver": SOLVERS[0]},
            "Ten free numbers for each viewer, and many rated fewer films than that: they learn the noise by heart.",
        )
        title = "k, λ, η and the share observed"
        extra = (self.locked,)
        super().__init__(self._try, draw, describe, controls, question, title=title, size=(11.0, 3.7), extra=extra)
        display = {SOLVERS[0]: "none", SOLVERS[1]: None}.get  # of η, which ALS does not have
        for part in (self.controls["eta"], controls["eta"]):  # the box, and the slider behind it
            dlink((self.controls["solver"], "value"), (part.layout, "display"), display)

    def _try(self, k: int, lam: float, share: float, solver: str, eta: float) -> Tuning:
        result = compute(k, lam, share, solver, eta)
        if solver == SOLVERS[0]:
            self.tried[k, lam, share] = result.lowest
        tried = tuple((k, lam, low) for (k, lam, own), low in self.tried.items() if own == share)
        return replace(result, tried=tried)

    def _present(self) -> tuple[str, Model]:
        result = self.result
        by = "" if result.eta is None else f", η = {result.eta:.4g}"
        return f"k = {result.k}, λ = {result.lam:.4g}{by}", result.model


def explore_ratings() -> RatingsExplorer:
    """Which k and λ predict ratings that were not seen, and what if fewer are seen?"""
    return RatingsExplorer()
