"""Ratings, solvers, models and scores refuse at the door what they cannot use, in one line that names it."""

import inspect
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from mflearn import datasets, festival, model, objectives, ratings, recommend, scores
from mflearn.descent import with_biases
from mflearn.model import Model
from mflearn.objectives import Observed
from mflearn.ratings import Ratings
from mflearn.recommend import als, bayes, fit, gibbs, implicit
from mflearn.widgets import explore_recommendations
from mflearn.widgets.locked_test import LockedTest

nan, inf = float("nan"), float("inf")
R = Ratings.of([1, 1, 2, 2, 3, 3], ["a", "b", "b", "c", "c", "a"], [1, 2, 3, 4, 5, 5])
OTHERS = Ratings.of([7, 8], ["x", "y"], [1, 2])
TRAINED = fit(R, 1, sweeps=2)
NO_COUNT = [0, -1, 2.5, "3", True, None, nan]
NO_SEED = [-1, 1.5, "x", None, True]
NO_POSITIVE = [0, -1, nan, inf, "1", None, True]
NO_FLAG = [1, "yes", None]
MASKED = np.ma.array([1, 2], mask=[0, 1])
FRAME = R.to_frame()[:1]
ALL = Ratings.of([1, 1, 2, 2], ["a", "b", "a", "b"], [4, 5, 5, 4])
TRAINED_ON_ALL = fit(ALL, 1, sweeps=2)
NO_RATINGS = [None, [[1, 2], [3, 4]], torch.ones(2, 2), R.to_frame(), "ratings"]


def never(*_, **__):
    raise AssertionError("work was done before the refusal")


def each(title, call, name, values):
    return [pytest.param(partial(call, **{name: v}), name, v, id=f"{title}: {name}={v!r:.20}") for v in values]


def first(title, call, name, values):
    return [pytest.param(partial(call, v), name, v, id=f"{title}: {v!r:.20}".replace("\n", " ")) for v in values]


SOLVERS = {"als": als, "bayes": bayes, "gibbs": gibbs, "implicit": implicit}
REFUSED = [
    *first("of", lambda v: Ratings.of(v, [1], [1]), "user_labels", ["ab", 5, None, {"a": 1}, [[1]], [None], [nan]]),
    *first("of", lambda v: Ratings.of([1], v, [1]), "item_labels", [b"ab", 5, None, [[1]], [None]]),
    *first("of", lambda v: Ratings.of([1], [1], v), "values", [None, "1", [nan], [inf], [], [[1]], [1j], ["1"], 3]),
    *each("of", partial(Ratings.of, [1], [1], [1]), "duplicates", ["first", True, 0, ""]),
    *first("from_frame", Ratings.from_frame, "frame", [None, {}, [[1, 2, 3]], np.ones((2, 3))]),
    *each("from_frame", partial(Ratings.from_frame, R.to_frame()), "value", ["stars", None, 3]),
    *each("split", R.split, "share", [0, 1, -0.1, 1.5, nan, "0.1", None, True]),
    *each("split", R.split, "seed", NO_SEED),
    *each("split", R.split, "cold", NO_FLAG),
    *each("folds", R.folds, "count", [1, *NO_COUNT]),
    *each("folds", R.folds, "seed", NO_SEED),
    *each("sample", R.sample, "count", [7, *NO_COUNT]),
    *first("Observed", Observed, "ratings", NO_RATINGS),
    *each("Observed", partial(Observed, R), "lam", [-1, nan, inf, "1", None]),
    *each("Observed", partial(Observed, R), "scale", NO_POSITIVE),
    *each("Observed", partial(Observed, R), "mean", [nan, inf, "1", None]),
    *each("Observed", partial(Observed, R), "weighted", NO_FLAG),
    *each("Observed", partial(Observed, R), "biases", NO_FLAG),
    *each("sampled", Observed(R).sampled, "count", NO_COUNT),
    *each("sampled", partial(Observed(R).sampled, 2), "seed", NO_SEED),
    *first("with_biases", with_biases, "start", [None, 5]),
    *(case for name, solver in SOLVERS.items() for case in first(name, solver, "ratings", NO_RATINGS)),
    *(case for name, solver in SOLVERS.items() for case in each(name, partial(solver, R), "k", NO_COUNT)),
    *(case for name, solver in SOLVERS.items() for case in each(name, partial(solver, R), "seed", NO_SEED)),
    *(
        case
        for name, solver in SOLVERS.items()
        for case in each(name, partial(solver, R), "dtype", [torch.float16, "float32", None])
    ),
    *each("als", partial(als, R), "lam", NO_POSITIVE),
    *each("als", partial(als, R), "weighted", NO_FLAG),
    *each("als", partial(als, R), "biases", NO_FLAG),
    *each("implicit", partial(implicit, R), "lam", NO_POSITIVE),
    *each("implicit", partial(implicit, R), "alpha", NO_POSITIVE),
    *first("fit", fit, "ratings", NO_RATINGS),
    *each("fit", partial(fit, R), "k", NO_COUNT),
    *each("fit", partial(fit, R), "solver", ["bayes", None, 3]),
    *each("fit", partial(fit, R, solver=never), "sweeps", NO_COUNT),
    *each("fit", partial(fit, R, solver=never), "average", [11, *NO_COUNT]),
    *each("fit", partial(fit, R, solver=never), "patience", NO_COUNT),
    *each("fit", partial(fit, R, solver=never), "progress", NO_FLAG),
    *each("fit", partial(fit, R, solver=never), "validation", [OTHERS, [1], "R"]),
    *each("fit", partial(fit, R), "seed", NO_SEED),
    *first("predict", lambda v: TRAINED.predict(v, ["a"]), "users", ["x", 5, None, [9], [[1]]]),
    *first("predict", lambda v: TRAINED.predict([1], v), "items", ["a", 5, None, ["z"], [["a"]]]),
    *first("predict_all", TRAINED.predict_all, "ratings", NO_RATINGS),
    *first("predict_all", TRAINED.predict_all, "users", [OTHERS]),
    *first("user", TRAINED.user, "label", [9, None, "1", [1]]),
    *first("fold_in", lambda v: TRAINED.fold_in(v, [3]), "items", ["a", 5, ["z"], ["a", "b"], ["a", "a"]]),
    *first("fold_in", lambda v: TRAINED.fold_in(["a"], v), "values", ["x", [nan], [1, 2]]),
    *first("similar", TRAINED.similar, "item", ["z", None, ["a"]]),
    *each("similar", partial(TRAINED.similar, "a"), "count", NO_COUNT),
    *each("similar", partial(TRAINED.similar, "a"), "by", ["euclid", None, 3]),
    *first("telling", TRAINED.telling, "items", [["z"], 5, "a"]),
    *each("telling", partial(TRAINED.telling, ["a", "b"]), "count", [*NO_COUNT, 3]),
    *each("liking", TRAINED.user(1).liking, "by", ["euclid", None, 3]),
    *each("top", TRAINED.user(1).top, "count", NO_COUNT),
    *each("top", TRAINED.user(1).top, "seen", NO_FLAG),
    *first("predict", TRAINED.user(1).predict, "items", ["a", 5, ["z"]]),
    *first("deviation", TRAINED.user(1).deviation, "items", ["a", 5, ["z"]]),
    *first("rmse", lambda v: scores.rmse(v, [1]), "predicted", [None, [nan], [], [[1]], ["a"], [1, 2]]),
    *first("mae", lambda v: scores.mae([1], v), "actual", [None, [nan], [], [[1]], ["a"], [1, 2]]),
    *(
        case
        for score in scores.SCORES
        for case in [
            *first(score.__name__, lambda v, score=score: score(v, ["a"]), "listed", [5, None, [], ["a", "a"]]),
            *first(score.__name__, lambda v, score=score: score(["a"], v), "relevant", [5, None, []]),
        ]
    ),
    *first("ndcg", lambda v: scores.ndcg(["a"], {"a": v}), "gain", [-1, nan, "1", None, 0]),
    *first("coverage", lambda v: scores.coverage(v, "ab"), "list", [5, None, [5]]),
    *first("coverage", lambda v: scores.coverage([["a"]], v), "items", [5, None, []]),
    *first("novelty", lambda v: scores.novelty(v, R), "lists", [5, None, [], ["z"], [["z"]]]),
    *first("novelty", lambda v: scores.novelty([["a"]], v), "ratings", NO_RATINGS),
    *each("ranking", partial(scores.ranking, TRAINED, R, R), "n", NO_COUNT),
    *each("ranking", partial(scores.ranking, TRAINED, R, R), "relevant", [nan, "4", None, 6]),
    *first("ranking", lambda v: scores.ranking(TRAINED, R, v), "test", [OTHERS, *NO_RATINGS]),
    *first("ranking", lambda v: scores.ranking(TRAINED, v, R), "train", [OTHERS, *NO_RATINGS]),
    *first("ranking", lambda v: scores.ranking(v, R, R), "model", [None, R, "model"]),
    *(
        case
        for make in (scores.mean, scores.biases, scores.popularity)
        for case in first("baseline", make, "ratings", NO_RATINGS)
    ),
    *each("biases", partial(scores.biases, R), "shrink", [-1, nan, inf, "1", None]),
    *first("ranking", lambda v: scores.ranking(TRAINED_ON_ALL, v, v), "train", [ALL]),
    *first("fold_in", lambda v: TRAINED.fold_in([], v), "values", [[5.0], "junk", 5, None]),
    *first("of", lambda v: Ratings.of(v, [1, 2], [1, 2]), "user_labels", [MASKED, FRAME[["user"]], np.array("a")]),
    *first("of", lambda v: Ratings.of([1, 2], [1, 2], v), "values", [MASKED]),
    *first("predict", lambda v: TRAINED.predict(v, ["a"]), "users", [MASKED, FRAME[["user"]], np.array(1)]),
    *first(
        "from_frame", Ratings.from_frame, "user", [pd.DataFrame(np.eye(4), columns=["user", "user", "item", "value"])]
    ),
    *first("from_csv", Ratings.from_csv, "path", [5, None, b"x"]),
    *first("where", R.where, "chosen", [torch.ones(1, dtype=bool), [99], [-1], [0, 0], [0.5], "all", None, [[0]]]),
    *each("to_dense", R.to_dense, "hidden", ["x", None, True]),
    *first("fit", lambda v: fit(R, 1, solver=lambda *_, **__: v), "solver", [None, iter([]), [1]]),
    *first("save", TRAINED.save, "path", [None, 5]),
    *first("load", Model.load, "path", [None, 3.5, 10**6]),
    *(case for score in scores.SCORES for case in first(score.__name__, partial(score, [["a"]]), "listed", [["a"]])),
    *(case for score in scores.SCORES for case in first(score.__name__, partial(score, ["a"]), "relevant", [[["a"]]])),
    *first("coverage", lambda v: scores.coverage(v, "ab"), "list", [[[["a"]]]]),
    *first("lowest_rmse", festival.invent(9, 9)[1].lowest_rmse, "ratings", [R, *NO_RATINGS]),
    *first("get", lambda v: datasets.get("movielens-small", v), "folder", [5]),
    *first("load", datasets.load, "name", [R.to_frame(), 5]),
    *first("LockedTest", lambda v: LockedTest(v, never), "test", NO_RATINGS),
    *first("LockedTest", lambda v: LockedTest(R, v), "present", [None, lambda model: model]),
    *first("explore_recommendations", explore_recommendations, "ratings", ["R", R, *NO_RATINGS[1:]]),
    *each("explore_recommendations", partial(explore_recommendations, R), "title", [{}, lambda: ""]),
]


@pytest.mark.parametrize(("call", "name", "value"), REFUSED)
def test_bad_input_is_refused_at_the_door_in_one_line(call, name, value):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    line = str(caught.value)
    assert name in line and "\n" not in line and 0 < len(line) <= 160, line


@pytest.mark.parametrize(
    "call",
    [
        R.split,
        R.sample,
        R.to_dense,
        Ratings.of,
        Ratings.from_csv,
        Observed,
        fit,
        als,
        bayes,
        gibbs,
        implicit,
    ]
    + [TRAINED.predict, TRAINED.similar, TRAINED.user(1).top, scores.ranking, scores.biases],
)
def test_an_unknown_option_is_named_with_those_there_are(call):
    with pytest.raises(TypeError, match="has no option 'lambda_'; it has ") as caught:
        call(lambda_=1)
    assert "self" not in str(caught.value) and "cls" not in str(caught.value)


@pytest.mark.parametrize(
    "change", ["float32 values", "a list", "two axes", "lengths", "beyond", "below", "nan", "none"]
)
def test_ratings_made_by_hand_are_checked_too(change):
    given = [
        torch.tensor([0, 1]),
        torch.tensor([0, 0]),
        torch.tensor([1.0, 2.0], dtype=torch.float64),
        ("a", "b"),
        ("x",),
    ]
    place, value = {
        "float32 values": (2, torch.ones(2)),
        "a list": (0, [0, 1]),
        "two axes": (0, torch.zeros(2, 1, dtype=torch.int64)),
        "lengths": (0, torch.tensor([0])),
        "beyond": (1, torch.tensor([0, 1])),
        "below": (0, torch.tensor([0, -1])),
        "nan": (2, torch.tensor([nan, 1.0], dtype=torch.float64)),
        "none": (2, torch.ones(0, dtype=torch.float64)),
    }[change]
    Ratings(*given)
    given[place] = value
    with pytest.raises((TypeError, ValueError)) as caught:
        Ratings(*given)
    assert len(str(caught.value)) <= 160


def test_arrays_and_the_state_of_torch_stay_as_they_are():
    frame = pd.DataFrame({"user": [1, 2, 1], "item": [5, 5, 6], "value": [1.0, 2.0, 3.0]})
    kept, state, threads = frame.copy(), torch.get_rng_state(), torch.get_num_threads()
    mine = Ratings.from_frame(frame)
    before = [x.clone() for x in (mine.user, mine.item, mine.value)]
    for solver in SOLVERS.values():
        trained = fit(mine, 2, solver=solver, sweeps=3)
        trained.fold_in([5], torch.tensor([2.0])).top()
        trained.similar(5)
    mine.split(0.4, cold=True)
    assert frame.equals(kept) and all(map(torch.equal, before, (mine.user, mine.item, mine.value)))
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads
    assert torch.get_default_dtype() == torch.float32


def test_all_public_functions_are_tried_with_bad_input():
    tried = {param.id.split(":")[0] for param in REFUSED} | {"baseline"}
    tried |= {"mean", "biases", "popularity"}
    for module in (recommend, scores):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                assert name in tried, name
    for kind in (Ratings, Model, model.Taste, objectives.Observed):
        for name, function in inspect.getmembers(kind, callable):
            if not name.startswith("_") and name not in ("row", "column", "where", "to_frame", "to_dense", "from_csv"):
                assert name in tried | {"gradient", "residual", "save", "load"} or name == "of", (kind, name, function)
    assert ratings.Ratings is Ratings
