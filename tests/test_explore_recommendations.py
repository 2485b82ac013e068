"""The explorer of recommendations, on the invented festival: what it lists, how sure it is, and what it says of it."""

import itertools

import pytest
import torch
from traitlets import TraitError

from mflearn import recommend, widgets
from mflearn.festival import invent
from mflearn.plots import canvas
from mflearn.ratings import Ratings
from mflearn.widgets.recommendations import LONG, RANKINGS, SOLVERS, Recommender, Stars, describe

NOTHING = {f"rate{i}": 0 for i in range(1, LONG + 1)}
TASTE = NOTHING | {f"rate{i}": 1 + i % 5 for i in range(1, LONG + 1)}
FIRST = {"solver": "Bayes", "k": "16", "cut": 50, "by": "predicted rating"}


@pytest.fixture(scope="module")
def recommender():
    return Recommender(invent()[0])


def test_the_list_is_that_of_fold_in(recommender):
    model = recommend.fit(recommender.ratings, 16)
    given = {label: TASTE[f"rate{i}"] for i, label in enumerate(recommender.ten, 1)}
    taste = model.fold_in([*given], [*given.values()])
    result = recommender.compute(**FIRST | {"cut": 1}, **TASTE)
    labels = [label for label, _ in taste.top(LONG)]
    assert [recommender.ratings.items[i] for i in result.at.tolist()] == labels
    assert result.titles == tuple(map(recommender.title, labels))
    assert torch.allclose(result.predicted, taste.predict())
    assert torch.allclose(result.deviation, taste.deviation(labels))


@pytest.mark.parametrize(("solver", "k", "by"), [*itertools.product(SOLVERS, ("2", "16"), RANKINGS)])
@pytest.mark.parametrize("stars", [NOTHING, TASTE, TASTE | {"rate3": 0}], ids=["nothing", "ten", "nine"])
def test_a_list_has_ten_films_none_of_them_rated_all_above_the_cut(recommender, solver, k, by, stars):
    for cut in (1, recommender.most):
        result = recommender.compute(solver=solver, k=k, cut=cut, by=by, **stars)
        rated = {recommender.ratings.column[label] for i, label in enumerate(recommender.ten, 1) if stars[f"rate{i}"]}
        assert len({*result.at.tolist()} - rated) == LONG
        assert int(recommender.count[result.at].min()) >= cut
        assert float(result.deviation.min()) > 0.3 and result.predicted.isfinite().all()
        assert 0 <= result.common <= LONG and (result.common < LONG or cut > 1 or not rated or by != "cosine")
        if by == "predicted rating":
            assert result.predicted[result.at].diff().max() <= 1e-9


def test_who_rates_nothing_gets_the_list_for_anybody(recommender):
    for by in RANKINGS:
        assert recommender.compute(**FIRST | {"by": by}, **NOTHING).common == LONG


def test_the_question_is_answered_by_the_list(recommender):
    settings = FIRST | NOTHING, FIRST | NOTHING | {"rate4": 1}, FIRST | TASTE | {"solver": "ALS, λ = 0.03", "cut": 1}
    question = widgets.explore_recommendations().prediction.question
    answers = {question.answer(recommender.compute(**one)) for one in settings}
    assert answers == {*question.options}, "three settings, three answers"


def test_better_lists_for_true_tastes(recommender):
    """Outside reference: viewers of known taste rate the ten titles; what is listed for them suits them in truth."""
    truth = invent()[1].scores()
    at = [recommender.ratings.column[label] for label in recommender.ten]
    mine, anybody = [], []
    for u in range(0, 600, 20):
        stars = {f"rate{i}": float(truth[u, j].clamp(0.5, 5)) for i, j in enumerate(at, 1)}
        for which, settings in ((mine, stars), (anybody, NOTHING)):
            which.append(float(truth[u, recommender.compute(**FIRST | {"cut": 1}, **settings).at].mean()))
    gain = torch.tensor(mine) - torch.tensor(anybody)
    assert gain.mean() > 0.4 and gain.mean() > 6 * gain.std() / len(gain) ** 0.5


def test_work_that_is_told_to_end_gives_what_there_is_and_is_not_kept():
    recommender = Recommender(invent(100, 60)[0])
    seen = []

    def watch(done):
        seen.append(done)
        return len(seen) < 3

    result = recommender.compute(**FIRST | {"solver": "ALS, λ = 0.1", "cut": 1}, **TASTE, watch=watch)
    assert len(result.titles) == LONG and len(seen) == 3
    assert ("ALS, λ = 0.1", 16) not in recommender.models
    recommender.compute(**FIRST | {"solver": "ALS, λ = 0.1", "cut": 1}, **TASTE)
    model = recommender.models["ALS, λ = 0.1", 16]
    assert torch.equal(model.W, recommend.fit(recommender.ratings, 16, solver=SOLVERS["ALS, λ = 0.1"]).W)


def test_the_picture_shows_the_list_and_the_setting_before_as_a_ghost(recommender):
    figure = canvas(10, 4)
    update = recommender.draw(figure)
    before, after = recommender.compute(**FIRST, **NOTHING), recommender.compute(**FIRST, **TASTE)
    update(before)
    update(after)
    ax, field = figure.axes
    bars, ghost, points = ax.lines
    assert points.get_xdata().tolist() == pytest.approx(after.predicted[after.at].tolist())
    assert ghost.get_xdata().tolist() == pytest.approx(before.predicted[after.at].tolist())
    ends = torch.as_tensor(bars.get_xdata()).view(LONG, 3)
    assert torch.allclose((ends[:, 1] - ends[:, 0]) / 2, after.deviation)
    assert [text.get_text() for text in ax.texts][0].startswith(after.titles[0][:20])
    cloud, listed, edge = field.lines
    assert len(cloud.get_xdata()) == recommender.ratings.shape[1] and edge.get_xdata() == [50, 50]
    assert listed.get_xdata().tolist() == recommender.count[after.at].tolist()


def test_titles_are_text_whatever_they_hold():
    """Markup, mathematics, braces, line ends, NUL and 10 kB, as labels, in the picture and in words."""
    small = invent(80, 60)[0]
    bad = ["<b>x</b>", "$\\frac$", "{0}", "a\nb", "nul\0", "x" * 10_000, "%s", "\u202eright", "🎬 film", "$100 & more$"]
    renamed = dict(zip(small.items, [f"{bad[i % 10]} {i}" for i in range(60)], strict=True))
    explorer = widgets.explore_recommendations(small, renamed.get)
    explorer.set(**{f"rate{i}": i % 5 + 1 for i in range(1, 11)})
    assert (
        "\n" not in explorer.snapshot.words
        and "\0" not in explorer.snapshot.words
        and len(explorer.snapshot.words) < 300
    )
    for control in explorer.controls.values():
        assert len(control.description) <= 92 and "\n" not in control.description


def test_a_long_title_is_shown_whole_beside_its_stars_in_the_picture_and_in_words(recommender):
    long = "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb"
    whole = Recommender(recommender.ratings, lambda label: f"{long} ({label})"[:90])
    figure = canvas(10.5, 4.6)
    result = whole.compute(**FIRST, **TASTE)
    whole.draw(figure)(result)
    shown = figure.axes[0].texts
    assert [text.get_text().replace("\n", " ") for text in shown] == [*result.titles]
    assert min(map(len, result.titles)) > 70
    boxes = [text.get_window_extent(figure.canvas.get_renderer()) for text in shown]
    assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(boxes)) and min(box.x0 for box in boxes) >= 0
    assert result.titles[0] in describe(result)
    explorer = widgets.explore_recommendations(recommender.ratings, whole.title)
    assert long in explorer.controls["rate1"].description


def test_only_whole_stars_can_be_given():
    explorer = widgets.explore_recommendations(invent(80, 60)[0])
    with pytest.raises(TypeError, match="rate2 is 2.5; it must be a whole number"):
        explorer.set(rate2=2.5)
    with pytest.raises(ValueError, match="rate1 is 6; it must be between 0 and 5"):
        explorer.set(rate1=6)


@pytest.mark.parametrize("sent", [99, -7, "many"])
def test_a_page_cannot_give_more_stars_than_there_are(sent):
    stars = Stars(value=3)
    with pytest.raises(TraitError):
        stars.set_state({"value": sent})
    assert stars.value == 3


def test_films_that_nobody_rated_are_not_counted():
    of_five = Ratings(torch.arange(30), torch.arange(30) % 5, torch.ones(30), (*range(30),), (*range(152),))
    with pytest.raises(ValueError, match="^ratings are of 5 items .*; there must be 20 rated items or more"):
        Recommender(of_five)


def test_other_ratings_will_do_too():
    """Few items, whole numbers as labels, another scale."""
    generator = torch.Generator().manual_seed(0)
    user, item = (torch.rand(40, 30, generator=generator) < 0.6).nonzero().T
    value = (10 * torch.rand(len(user), dtype=torch.float64, generator=generator)).round()
    ratings = Ratings(user, item, value, tuple(range(40)), tuple(range(30)))
    explorer = widgets.explore_recommendations(ratings)
    explorer.set(rate1=5, rate2=1)
    assert "2 ratings given" in explorer.snapshot.words
    model, first = recommend.fit(ratings, 16), Recommender(ratings).ten[:2]
    assert torch.allclose(explorer.result.predicted, model.fold_in(first, [10.0, 2.0]).predict())


def test_what_is_said_is_what_is_shown(recommender):
    result = recommender.compute(**FIRST | {"by": "cosine"}, **TASTE)
    words = describe(result)
    assert "10 ratings given; Bayes, k = 16, popularity cut 50, by cosine." in words
    assert f"{float(result.predicted[result.at[0]]):.2f} ± {float(result.deviation[0]):.2f}" in words
    assert f"gets {result.common} of these 10" in words
    assert f"has {int(result.count[result.at].sort().values[4])} ratings." in words


def test_popularity_is_what_a_high_cut_makes_of_every_list(recommender):
    """At the highest cut two tastes share most of their lists; at the lowest, less."""
    other = NOTHING | {f"rate{i}": 5 - i % 5 for i in range(1, LONG + 1)}
    alike = []
    for cut in (1, recommender.most):
        one, two = ({*recommender.compute(**FIRST | {"cut": cut}, **stars).titles} for stars in (TASTE, other))
        alike.append(len(one & two))
    assert alike[1] > alike[0]
    most = torch.bincount(recommender.ratings.item).argsort(descending=True, stable=True)[: 2 * LONG]
    popular = {recommender.ratings.items[i] for i in most.tolist()}
    assert one <= popular | {*recommender.ten}
