"""Explorer of notebook 09: films beside one on a map of two directions, and those most similar in all directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ipywidgets import Dropdown
from matplotlib.figure import Figure
from torch import Tensor

from .. import checked, recommend
from ..exact import truncated_svd
from ..festival import invent
from ..plots import BLUE, GREEN, GREY, VERMILLION, drawable
from ..titles import plain
from .explorer import Explorer, Question, Update, slider

MOST, WIDTH = 8, 92  # neighbours at most; letters of a title


@dataclass(frozen=True, eq=False)
class Neighbours:
    """A film and its neighbours in two senses, the nearest first."""

    film: int
    near: list[int]  # by the distance on the map
    alike: list[int]  # by the cosine in all directions

    @property
    def common(self) -> int:
        """How many films are neighbours in both senses."""
        return len({*self.near} & {*self.alike})


class FilmMap:
    """Films as points: the two directions in which the columns of a table (users, films) differ most."""

    def __init__(self, table: Any, titles: Sequence[str]) -> None:
        table = checked.array(table, "table", axes=2)
        if len(titles) != table.shape[1] or len(titles) <= MOST:
            came = f"{len(titles)} for {table.shape[1]} columns"
            raise ValueError(f"titles are {came}; there must be one for each column, {MOST + 1} or more")
        self.titles = _different(titles)
        W = truncated_svd(table, 2).W
        self.points = table.T @ (W / W.norm(dim=0).clamp_min(1e-300)) / len(table) ** 0.5  # (films, 2)
        columns = table / table.norm(dim=0).clamp_min(1e-300)
        self.cosine = columns.T @ columns
        self.middle = int(self.points.norm(dim=1).argmin())

    def compute(self, film: str, count: int) -> Neighbours:
        """The `count` films beside this one on the map, and the `count` most similar ones."""
        at = self.titles.index(film)
        distance, difference = (self.points - self.points[at]).norm(dim=1), 1 - self.cosine[at]
        near, alike = (_smallest(apart, at, count) for apart in (distance, difference))
        return Neighbours(at, near, alike)

    def draw(self, figure: Figure) -> Update:
        """The map, with both kinds of neighbours, and their titles beside it."""
        figure.set_layout_engine("none")
        ax = figure.add_axes((0.07, 0.12, 0.36, 0.8))
        ax.plot(*self.points.T, color=GREY, marker=".", markersize=3, linestyle="", alpha=0.6)
        ax.set(xlabel="first direction", ylabel="second direction")
        ax.grid(alpha=0.3)
        style = {"linestyle": "", "markerfacecolor": "none", "markeredgewidth": 1.8}
        (near,) = ax.plot([], [], color=BLUE, marker="s", markersize=10, **style)
        (alike,) = ax.plot([], [], color=GREEN, marker="^", markersize=10, **style)
        (film,) = ax.plot([], [], color=VERMILLION, marker="*", markersize=16, linestyle="")
        texts = []
        for top, colour, heading in (
            (0.94, BLUE, "□ nearest on the map"),
            (0.46, GREEN, "△ most similar in all directions, by the cosine"),
        ):
            figure.text(0.46, top, heading, color=colour, weight="bold", va="top")
            texts.append(figure.text(0.46, top - 0.055, "", fontsize=9.5, va="top", linespacing=1.35, parse_math=False))

        def update(result: Neighbours) -> list:
            film.set_data(*self.points[[result.film]].T)
            for squares, text, numbers in zip((near, alike), texts, (result.near, result.alike), strict=True):
                squares.set_data(*self.points[numbers].T)
                text.set_text("\n".join(drawable(self.titles[i], 78) for i in numbers))
            return [near, alike, film, *texts]

        return update

    def describe(self, result: Neighbours) -> str:
        """The film, how many neighbours both senses share, and the nearest of each."""
        near, alike = (self.titles[numbers[0]] for numbers in (result.near, result.alike))
        return (
            f"{self.titles[result.film]}: neighbours on the map and in all directions: {result.common} of "
            f"{len(result.near)}. Nearest on the map: {near}. Most similar: {alike}."
        )


def _different(titles: Sequence[str]) -> list[str]:
    """The titles as they are drawn; one that came before gets its number in the list."""
    found: list[str] = []
    for title in (plain(title, WIDTH) for title in titles):
        number, name = 1, title
        while name in found:
            number += 1
            name = f"{title} (no. {number})"
        found.append(name)
    return found


def _smallest(apart: Tensor, film: int, count: int) -> list[int]:
    """The numbers of the `count` other films with the smallest values; equal ones by their order."""
    order = apart.mul(1e9).round().argsort(stable=True).tolist()  # to nine decimals, the same on every processor
    return [i for i in order if i != film][:count]


def explore_map(table: Any = None, titles: Sequence[str] = ()) -> Explorer:
    """Do neighbours on a map of two directions go together in all directions?

    `table` (users, films) holds predicted ratings, without what the means explain; `titles` has one for each film.
    Without them, the films are those of the invented festival.
    """
    if table is None:
        ratings = invent()[0]
        model = recommend.fit(ratings, 16)
        table, titles = model.W[:, 1:-1] @ model.H[1:-1], ratings.items
        table = table - table.mean(0)
    films = FilmMap(table, titles)
    menu = Dropdown(options=sorted(films.titles), description="film", style={"description_width": "initial"})
    menu.layout.width = "min(100%, 40em)"
    question = Question(
        f"{films.titles[films.middle]} lies in the middle of the map. Of the {MOST} films nearest to it there, how "
        f"many are among the {MOST} most similar to it in all directions?",
        {
            "none or 1": lambda result: result.common <= 1,
            f"2 to {MOST // 2}": lambda result: 1 < result.common <= MOST // 2,
            f"more than {MOST // 2}": lambda result: result.common > MOST // 2,
        },
        lambda _: {"film": films.titles[films.middle], "count": MOST},
        "In the middle lie the films on which the two directions say little; what makes them alike or not lies in the "
        "directions that the map leaves out.",
    )
    controls = {"film": menu, "count": slider("neighbours", MOST, 1, MOST)}
    return Explorer(
        films.compute, films.draw, films.describe, controls, question, title="neighbours on the map", size=(10.5, 4.4)
    )
