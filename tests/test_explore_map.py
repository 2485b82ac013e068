"""The explorer of the map of films: both kinds of neighbours are numpy's, and every film has a title of its own."""

import numpy as np
import pytest
import torch

from mflearn import widgets
from mflearn.plots import canvas
from mflearn.widgets.film_map import MOST, FilmMap, Neighbours

TABLE = torch.from_numpy(np.random.default_rng(0).standard_normal((40, 5)) @ np.random.default_rng(1).random((5, 30)))
TITLES = [f"Film {number}" for number in range(30)]


@pytest.mark.parametrize("count", [1, 3, MOST])
def test_neighbours_are_those_of_numpy(count):
    films, A = FilmMap(TABLE, TITLES), TABLE.numpy()
    U, sigma, Vt = np.linalg.svd(A, full_matrices=False)
    points = sigma[:2] * Vt[:2].T  # up to signs, which change no distance
    columns = A / np.linalg.norm(A, axis=0)
    for film, title in enumerate(TITLES):
        result, others = films.compute(title, count), [i for i in range(30) if i != film]
        apart = np.linalg.norm(points - points[film], axis=1)
        assert result.film == film
        assert result.near == sorted(others, key=lambda i: apart[i])[:count]
        assert result.alike == sorted(others, key=lambda i: -columns[:, i] @ columns[:, film])[:count]


def test_the_map_is_that_of_the_notebook():
    films = FilmMap(TABLE, TITLES)
    _, sigma, Vh = torch.linalg.svd(TABLE, full_matrices=False)
    X = (sigma[:2, None] * Vh[:2]).T / len(TABLE) ** 0.5
    X = X * X[X.abs().argmax(0), [0, 1]].sign()
    assert torch.allclose(films.points, X)
    assert films.middle == int(X.norm(dim=1).argmin())


def test_every_film_has_a_title_of_its_own_in_the_menu():
    titles = ["Twice", "Twice", "a\nb", "$x_1$", *TITLES[4:]]
    explorer = widgets.explore_map(TABLE, titles)
    options = explorer.controls["film"].options
    assert len({*options}) == 30 and {"Twice", "Twice (no. 2)", "a b", "$x_1$"} <= {*options}
    again = FilmMap(TABLE, ["A (no. 2)", "A", "A", *TITLES[3:]]).titles
    assert again[:3] == ["A (no. 2)", "A", "A (no. 3)"]
    explorer.set(film="Twice (no. 2)")
    assert explorer.result.film == 1 and explorer.facts.startswith("Twice (no. 2): ")


def test_a_film_without_any_taste_has_neighbours_too():
    table = TABLE.clone()
    table[:, 3] = 0  # everybody gives it the mean
    films = FilmMap(table, TITLES)
    assert films.middle == 3 and len(films.compute("Film 3", MOST).alike) == MOST
    assert films.points.isfinite().all() and films.cosine.isfinite().all()


@pytest.mark.parametrize(
    ("columns", "titles", "words"),
    [
        (30, TITLES[:29], "titles are 29 for 30 columns; there must be one for each column, 9 or more"),
        (8, TITLES[:8], "titles are 8 for 8 columns"),
        (30, (), "titles are 0 for 30 columns"),
    ],
)
def test_titles_must_fit_the_table(columns, titles, words):
    with pytest.raises(ValueError, match=words):
        widgets.explore_map(TABLE[:, :columns], titles)


def test_the_picture_shows_both_kinds_and_their_titles():
    films, figure = FilmMap(TABLE, TITLES), canvas(10, 4)
    update, result = films.draw(figure), films.compute("Film 7", 2)
    near, alike, film, *texts = update(result)
    assert np.allclose(near.get_xydata(), films.points[result.near])
    assert np.allclose(alike.get_xydata(), films.points[result.alike])
    assert np.allclose(film.get_xydata(), films.points[[7]])
    assert [text.get_text().split("\n") for text in texts] == [
        [TITLES[i] for i in numbers] for numbers in (result.near, result.alike)
    ]


def test_the_question_is_answered_by_what_both_kinds_share():
    question = widgets.explore_map().prediction.question
    answers = [question.answer(Neighbours(0, [*range(8)], [*range(8 - n, 16 - n)])) for n in range(9)]
    first, second, third = question.options
    assert answers == [first] * 2 + [second] * 3 + [third] * 4
