"""Explorer of notebook 09: rate ten titles, and a model that is never trained on them makes you a list of ten."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anywidget
import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from .. import recommend
from ..festival import invent
from ..model import Model
from ..plots import BLUE, GHOST, GREY, VERMILLION, drawable
from ..ratings import Ratings, given
from ..titles import plain
from .explorer import Explorer, Question, Update, Watch, choice, slider

LONG, KNOWN, SWEEPS = 10, 60, 10  # titles of a list and to rate; of the most rated to choose these from; of a solver
STARS, WIDTH = 5, 92  # to give at most; letters of a title
SOLVERS = {"Bayes": recommend.bayes} | {f"ALS, λ = {lam}": partial(recommend.als, lam=lam) for lam in (0.03, 0.1, 0.3)}
RANKINGS = {"predicted rating": None, "dot product": "dot", "cosine": "cosine"}


class Stars(anywidget.AnyWidget):
    """A title with a row of buttons, one for each number of stars to give it; 0 stars mean not seen."""

    _esm = Path(__file__).with_name("stars.js")
    description = traitlets.Unicode().tag(sync=True)
    min, max = 0, STARS
    value = traitlets.CInt(0, min=0, max=STARS).tag(sync=True)


@dataclass(frozen=True, eq=False)
class Recommendation:
    """A list for somebody new, and what it was made of."""

    rated: int  # how many ratings they have given
    solver: str
    k: int
    cut: int  # so many ratings a film must have
    by: str
    titles: tuple[str, ...]  # best first
    at: Tensor  # (10,) their columns
    deviation: Tensor  # (10,) of their predicted ratings
    predicted: Tensor  # (n,) of all films
    count: Tensor  # (n,) ratings of each film
    common: int  # of these ten, how many are on the list of somebody who has rated nothing


class Recommender:
    """Ratings, models that are trained on them when first asked for, and ten titles for a newcomer to rate."""

    def __init__(self, ratings: Ratings, title: Callable[[object], str] = str) -> None:
        self.ratings, self.title, self.models = given(ratings), title, {}
        rated = len(ratings.item.unique())
        if rated < 2 * LONG or ratings.value.max() <= 0:
            came = f"are of {rated} items and have {ratings.value.max():g} as highest value"
            raise ValueError(f"ratings {came}; there must be {2 * LONG} rated items or more, and a value above 0")
        self.count = torch.bincount(self.ratings.item, minlength=self.ratings.shape[1])
        known = self.count.argsort(descending=True, stable=True)[:KNOWN]
        self.ten = self.model("Bayes", 16).most_informative([self.ratings.items[i] for i in known.tolist()], LONG)
        self.highest = float(self.ratings.value.max())
        self.most = int(self.count.sort().values[-2 * LONG])  # a cut that leaves enough to list

    def model(self, solver: str, k: int, watch: Watch = lambda _done: True) -> Model:
        """The model of this solver and rank. It is trained when first asked for; `watch` may end the training early."""
        if (solver, k) not in self.models:
            for number, sweep in enumerate(SOLVERS[solver](self.ratings, k), 1):
                if number == SWEEPS:
                    break
                if not watch(number / SWEEPS):
                    return Model.of(self.ratings, sweep)
            self.models[solver, k] = Model.of(self.ratings, sweep)
        return self.models[solver, k]

    def compute(
        self, *, solver: str, k: str, cut: int, by: str, watch: Watch = lambda _done: True, **stars: int
    ) -> Recommendation:
        """The list for somebody who gives the ten titles rate1, rate2, … stars of five; 0 means not seen."""
        model, star = self.model(solver, int(k), watch), self.highest / STARS
        rated = {label: stars[f"rate{i}"] * star for i, label in enumerate(self.ten, 1) if stars[f"rate{i}"]}
        allowed = self.count >= cut
        lists = []
        for taste in (model.fold_in([], []), model.fold_in([*rated], [*rated.values()])):
            free = allowed.clone()
            free[[self.ratings.column[label] for label in rated]] = False
            rating = taste.w.double() @ model.H.double()  # less μ, and not limited to the scale
            score = taste.preference(by=RANKINGS[by]) if RANKINGS[by] else rating
            score = torch.where(free, score, -torch.inf)
            lists.append(score.argsort(descending=True, stable=True)[:LONG].clone())
        anybody, at = lists
        labels = [self.ratings.items[i] for i in at.tolist()]
        titles = tuple(map(self.title, labels))
        common = len({*anybody.tolist()} & {*at.tolist()})
        sure, predicted = taste.deviation(labels), taste.predict()
        return Recommendation(len(rated), solver, int(k), cut, by, titles, at, sure, predicted, self.count, common)

    def draw(self, figure: Figure) -> Update:
        """The list with its deviations, and all films: predicted rating against number of ratings."""
        figure.set_layout_engine("none")
        ends, rows = (float(self.ratings.value.min()) - 0.2, self.highest + 1.0), torch.arange(LONG)
        ax, field = figure.add_axes((0.31, 0.12, 0.27, 0.79)), figure.add_axes((0.65, 0.12, 0.33, 0.79))
        ax.set(xlim=ends, ylim=(LONG - 0.4, -0.6), yticks=[], xlabel="predicted rating ± one standard deviation")
        ax.set_title("your list (grey: before the move)")
        ax.grid(alpha=0.3)
        style = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "center", "fontsize": 8}
        titles = [ax.text(-0.02, row, "", parse_math=False, **style) for row in rows]
        (bars,) = ax.plot([], [], color=BLUE, linewidth=1.5)
        (ghost,) = ax.plot([], [], color=GHOST, marker="o", markersize=9, linestyle="", clip_on=True)
        (points,) = ax.plot([], [], color=BLUE, marker="o", markersize=6, linestyle="")
        field.set(xscale="log", xlim=(0.8, 1.3 * int(self.count.max())), ylim=ends)
        field.set(xlabel="ratings of the film (dashed: the popularity cut)", ylabel="predicted rating")
        field.set_title("every film (squares: your list)")
        field.grid(alpha=0.3)
        (cloud,) = field.plot([], [], color=GREY, marker=".", markersize=2, linestyle="", rasterized=True)
        (listed,) = field.plot([], [], color=VERMILLION, marker="s", markersize=6, linestyle="")
        (edge,) = field.plot([], [], color=BLUE, linestyle="--", linewidth=2)

        def update(result: Recommendation):
            now, past = result.predicted[result.at], cloud.get_ydata()
            for text, title in zip(titles, result.titles, strict=True):
                text.set_text(textwrap.fill(drawable(title, WIDTH), 50))
            ghost.set_data((past[result.at.numpy()], rows) if len(past) else ([], []))
            points.set_data(now, rows)
            gap = torch.full_like(now, torch.nan)  # between two bars
            ends = torch.stack((now - result.deviation, now + result.deviation, gap), 1).flatten()
            bars.set_data(ends, rows.repeat_interleave(3))
            cloud.set_data(result.count.numpy(), result.predicted.numpy())  # from a tensor it takes 50 ms
            listed.set_data(result.count[result.at], now)
            edge.set_data([result.cut] * 2, field.get_ylim())
            return [cloud, edge, listed, ghost, bars, points, *titles]

        return update


def describe(result: Recommendation) -> str:
    """The first title of the list, how many of its titles everybody would get, and how popular they are."""
    first, sure = float(result.predicted[result.at[0]]), float(result.deviation[0])
    middle = int(result.count[result.at].median())
    given = f"{result.rated} rating{'s' * (result.rated != 1)} given" + ("" if result.rated else ": a list for anybody")
    return (
        f"{given}; {result.solver}, k = {result.k}, popularity cut {result.cut}, by {result.by}. "
        f"First: {plain(result.titles[0], WIDTH)}, {first:.2f} ± {sure:.2f}. Someone who has rated "
        f"nothing also gets {result.common} of these {LONG}. The median film of the list has {middle} ratings."
    )


def explore_recommendations(ratings: Ratings | None = None, title: Callable[[object], str] = str) -> Explorer:
    """What would be recommended to you? Of these ratings; without any, of the invented festival.

    `title` gives the title of a label, such as that of a `Dataset`.
    """
    recommender = Recommender(invent()[0] if ratings is None else ratings, title)
    controls = {
        "cut": slider("popularity cut", min(50, recommender.most), 1, recommender.most),
        "solver": choice("solver", *SOLVERS),
        "k": choice("rank k", "16", "8", "2"),
        "by": choice("rank by", *RANKINGS),
    }
    for i, label in enumerate(recommender.ten, 1):
        controls[f"rate{i}"] = Stars(description=plain(recommender.title(label), WIDTH))
        controls[f"rate{i}"].layout.width = "100%"  # a row of its own
    question = Question(
        "You give the ten titles 5 stars and 1 star in turn. The model is not trained again. How many of the ten "
        "films on your list are also on the list of somebody who has rated nothing?",
        {
            "all 10: it must be trained first": lambda result: result.common == 10,
            "4 to 9": lambda result: 4 <= result.common <= 9,
            "none to 3": lambda result: result.common <= 3,
        },
        lambda _: {f"rate{i}": STARS if i % 2 else 1 for i in range(1, LONG + 1)},
        "One solve of k + 1 equations finds your bias and your factors from your ratings; W and H of the others stay.",
    )
    compute, draw = recommender.compute, recommender.draw
    return Explorer(compute, draw, describe, controls, question, title="recommendations for you", size=(10.5, 4.6))
