"""Ratings are what was given, once; a split hides what it says and leaves nobody untaught."""

import numpy as np
import pandas as pd
import pytest
import torch

from mflearn import datasets
from mflearn.checked import MOST_ENTRIES
from mflearn.ratings import Ratings
from mflearn.recommend import fit


def some(size=200, m=20, n=15, seed=0):
    """Random ratings of distinct pairs, with a rare user and a rare item."""
    rng = np.random.default_rng(seed)
    pairs = rng.choice(m * n, size, replace=False)
    user, item = np.append(pairs // n, [m, 0]), np.append(pairs % n, [0, n])
    return Ratings.of([f"u{u}" for u in user], [f"i{i}" for i in item], rng.integers(1, 11, size + 2) / 2)


def triples(ratings):
    return set(ratings.to_frame().itertuples(index=False, name=None))


def test_labels_of_any_hashable_kind_come_back_in_the_order_of_their_appearance():
    users, items = ["Bo", ("Ann", 2), "Bo", 7, ("Ann", 2)], [2.5, None.__class__, "x", 2.5, "x"]
    ratings = Ratings.of(users, items, [1, 2, 3, 4, 5])
    assert ratings.users == ("Bo", ("Ann", 2), 7) and ratings.items == (2.5, None.__class__, "x")
    assert ratings.user.tolist() == [0, 1, 0, 2, 1] and ratings.item.tolist() == [0, 1, 2, 0, 2]
    assert [*ratings.to_frame()["user"]] == users and [*ratings.to_frame()["item"]] == items
    assert len(ratings) == 5 and ratings.shape == (3, 3) and ratings.mean == 3
    assert ratings.column["x"] == 2
    assert repr(ratings) == "Ratings(5 values, 3 users × 3 items)"


def test_labels_that_are_equal_in_python_are_one_label():
    ratings = Ratings.of([1, True, 1.0, "1"], ["a", "b", "c", "c"], [5, 3, 4, 2])
    assert ratings.users == (1, "1") and ratings.user.tolist() == [0, 0, 0, 1]
    assert "such as 1, 1.0 and True" in Ratings.of.__doc__


NO_LABELS = {"a", "b"}, frozenset("ab"), "ab", b"ab", np.array("ab"), torch.tensor(7)
MASKED = np.ma.array(["a", "b"], mask=[False, True])


@pytest.mark.parametrize("given", [*NO_LABELS, MASKED])
def test_what_has_no_order_or_is_one_text_is_no_list_of_labels(given):
    """A set, whose order is another one in each kernel; a text, whose letters would each be a label; hidden labels."""
    for call in (
        lambda: Ratings.of(given, ["x", "y"], [1, 2]),
        lambda: Ratings.of(["x", "y"], given, [1, 2]),
        lambda: fit(some(), 1, sweeps=1).fold_in(given, [1, 2]),
    ):
        with pytest.raises(TypeError, match=r"^(users|items) is .*; it must be a list of labels$"):
            call()


def test_every_way_in_gives_the_same_ratings(tmp_path):
    frame = some().to_frame()
    frame.assign(when=1).to_csv(tmp_path / "some.csv", index=False)
    of = Ratings.of(frame.user, frame.item, frame.value)
    read = datasets.load(tmp_path / "some.csv").ratings
    assert triples(of) == triples(read)
    assert read.users == of.users and read.items == of.items and torch.equal(read.value, of.value)


def test_duplicates_are_counted_and_the_first_is_named():
    who, what, value = [1, 2, 1, 1, 2, 3], ["a", "b", "a", "a", "b", "a"], [1, 2, 3, 8, 4, 5]
    with pytest.raises(ValueError, match="^3 ratings are duplicates, the first of user 1 and item 'a'; give one"):
        Ratings.of(who, what, value)
    with pytest.raises(ValueError, match="^1 ratings are duplicates") as caught:
        Ratings.of(["u" * 500] * 2, ["i" * 500] * 2, [1, 2])
    assert len(str(caught.value)) <= 160


def test_nothing_of_the_caller_is_kept_and_nothing_can_be_set():
    value, labels = np.array([1.0, 2.0]), ["a", "b"]
    ratings = Ratings.of(labels, labels, value)
    value[0], labels[0] = 99, "z"
    assert ratings.value.tolist() == [1, 2] and ratings.users == ("a", "b")
    with pytest.raises(AttributeError):
        ratings.value = None


@pytest.mark.parametrize("kind", ["float16", "float32", "int8", "uint64", "bool", "read-only", "strided", "tensor"])
def test_values_of_any_kind_are_taken(kind):
    value = np.array([1, 0, 1, 1])
    given = {
        "read-only": np.broadcast_to(np.ones(1), 4) * value,
        "strided": np.repeat(value, 3)[::3],
        "tensor": torch.tensor(value, dtype=torch.float32, requires_grad=True),
    }.get(kind)
    given = value.astype(kind) if given is None else given
    if kind == "read-only":
        given.flags.writeable = False
    ratings = Ratings.of([0, 1, 2, 3], [0, 0, 0, 0], given)
    assert ratings.value.dtype == torch.float64 and ratings.value.tolist() == [1, 0, 1, 1]


def test_a_dense_matrix_that_would_not_fit_is_refused():
    side = int(MOST_ENTRIES**0.5) + 1
    ratings = Ratings(torch.tensor([0]), torch.tensor([0]), torch.ones(1).double(), (*range(side),), (*range(side),))
    with pytest.raises(ValueError, match="^the dense matrix would hold 100020001 entries; at most 100,000,000 fit$"):
        ratings.to_dense()


SPLITS = {
    "split": lambda ratings, **options: [ratings.split(0.3, **options)],
    "folds": lambda ratings, **options: [*ratings.folds(4, **options)],
}


@pytest.mark.parametrize("how", SPLITS)
@pytest.mark.parametrize("seed", range(5))
def test_a_split_parts_all_ratings_and_tests_nobody_untaught(how, seed):
    ratings = some(seed=seed)
    for train, test in SPLITS[how](ratings, seed=seed):
        assert triples(train) | triples(test) == triples(ratings) and not triples(train) & triples(test)
        assert train.users == test.users == ratings.users and train.items == test.items == ratings.items
        assert {*test.user.tolist()} <= {*train.user.tolist()} and {*test.item.tolist()} <= {*train.item.tolist()}


@pytest.mark.parametrize("how", SPLITS)
def test_cold_users_and_items_are_tested_where_that_is_asked(how):
    ratings = some()
    cold = sum(
        len({*test.user.tolist()} - {*train.user.tolist()}) + len({*test.item.tolist()} - {*train.item.tolist()})
        for train, test in SPLITS[how](ratings, cold=True)
    )
    assert cold > 0


def test_a_split_is_of_its_seed():
    ratings = some()
    one, same, other = (ratings.split(0.2, seed=seed)[1] for seed in (1, 1, 2))
    assert triples(one) == triples(same) != triples(other)
    assert triples(ratings.sample(50, seed=1)) == triples(ratings.sample(50, seed=1)) != triples(ratings.sample(50))


def test_the_sizes_of_splits_are_what_was_asked():
    ratings = some(290)
    train, test = ratings.split(0.25, seed=3, cold=True)
    assert len(test) == round(0.25 * len(ratings)) and len(train) + len(test) == len(ratings)
    tested = [triples(test) for _, test in ratings.folds(5, cold=True)]
    assert set.union(*tested) == triples(ratings) and sum(map(len, tested)) == len(ratings)
    assert max(map(len, tested)) - min(map(len, tested)) <= 1
    sample = ratings.sample(30)
    assert len(sample) == 30 and triples(sample) <= triples(ratings) and sample.shape == ratings.shape


def test_a_split_that_leaves_nothing_says_so():
    one = Ratings.of(["a"], ["b"], [1])
    for split in (lambda: one.split(0.9), lambda: one.split(0.9, cold=True), one.split):
        with pytest.raises(ValueError, match=r"leaves no (test|training) ratings of 1"):
            split()


def test_a_table_of_another_kind_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match=r"^values holds nan at \[1\]; all entries must be finite"):
        Ratings.of(pd.Series([1, 2]), pd.Series([1, 2]), pd.Series([1, np.nan]))
    with pytest.raises(ValueError, match="^users has no label at 1; every rating needs one"):
        Ratings.of(pd.Series([1, None]), pd.Series([1, 2]), pd.Series([1, 2]))
    with pytest.raises(FileNotFoundError):
        datasets.load(tmp_path / "none.csv")
    for text in (b"", b"\xff\xfe\x00user", b'user,item,value\n"1,2,3\n'):
        (tmp_path / "odd.csv").write_bytes(text)
        with pytest.raises(ValueError, match="No columns to parse|is no text in UTF-8|EOF inside string"):
            datasets.load(tmp_path / "odd.csv")


@pytest.mark.filterwarnings("error")
def test_the_labels_of_a_long_table_are_all_of_one_kind(tmp_path):
    """Read in pieces, 7 would be a number in one and text in the next, and so two users."""
    rows = "".join(f"{i % 1000},{i // 1000},3\n" for i in range(300_000))
    (tmp_path / "long.csv").write_text(f"user,item,value\n{rows}x7,1,4\n")
    ratings = datasets.load(tmp_path / "long.csv").ratings
    assert ratings.shape == (1001, 300) and {*map(type, ratings.users)} == {str}


def test_what_looks_like_nothing_is_a_label(tmp_path):
    (tmp_path / "few.csv").write_text("user,item,value\nBo,NA,2\nNone,null,3\n")
    ratings = datasets.load(tmp_path / "few.csv").ratings
    assert (ratings.users, ratings.items) == (("Bo", "None"), ("NA", "null"))


def test_labels_of_numpy_become_those_of_python():
    ratings = Ratings.of(np.array(["Ann", "Bo"]), [np.int64(3), np.float32(0.5)], [1, 2])
    assert [*map(type, ratings.users + ratings.items)] == [str, str, int, float]


@pytest.mark.parametrize("scalar", [np.int64, torch.tensor, np.array])
def test_scalars_are_the_labels_that_they_hold(scalar):
    ratings = Ratings.of([scalar(3), scalar(4), scalar(3)], ["x", "y", "y"], [1, 2, 3])
    assert ratings.users == (3, 4) and ratings.user.tolist() == [0, 1, 0]
    assert fit(ratings, 1, sweeps=1).user(scalar(3)).seen.tolist() == [0, 1]
    with pytest.raises(TypeError, match="^users is a table, or holds lists; it must be a list of labels$"):
        Ratings.of([scalar([3, 4]), scalar([3, 4])], ["x", "y"], [1, 2])


def test_some_of_the_ratings_by_place_or_by_mask():
    ratings = some()
    chosen = ratings.value > ratings.value.min()
    for way in (chosen, chosen.nonzero()[:, 0], chosen.tolist(), chosen.numpy()):
        assert torch.equal(ratings.where(way).value, ratings.value[chosen])


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ([0, 1, 0], "chosen names a place twice"),
        ((some().value > 2).int(), "chosen names a place twice"),  # ones and zeros are places, not a mask
        ([[0, 1]], r"chosen has int64 and shape \(1, 2\); it must be a mask of shape \(202,\), or a list of places"),
        ([True, False], r"chosen has bool and shape \(2,\)"),
        ([0.0, 1.0], "chosen has float64"),
        (True, r"chosen has bool and shape \(\)"),
    ],
)
def test_where_takes_a_mask_or_each_place_once(chosen, words):
    with pytest.raises(ValueError, match=words):
        some().where(chosen)


def test_where_takes_masks_and_places_of_any_kind():
    ratings = some()
    mask = ratings.value > 2
    for chosen in (mask, mask.numpy(), mask.tolist(), mask.nonzero()[:, 0], mask.nonzero()[:, 0].tolist()):
        assert triples(ratings.where(chosen)) == {triple for triple in triples(ratings) if triple[2] > 2}


def test_dates_and_tuples_stay_labels():
    dates = np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[ns]")
    ratings = Ratings.of(dates, [("a", 1), ("b",)], [1, 2])
    assert [f"{date:%Y-%m-%d}" for date in ratings.users] == ["2020-01-01", "2021-01-01"]
    assert Ratings.of([*dates], [1, 2], [1, 2]).users == ratings.users
    assert ratings.items == (("a", 1), ("b",))


@pytest.mark.parametrize("place", [-1, 2])
def test_a_place_without_a_label_is_refused(place):
    zero = torch.tensor([0])
    for user, item in ((torch.tensor([place]), zero), (zero, torch.tensor([place]))):
        with pytest.raises(ValueError, match=f"(user|item) holds {place} to {place}; it must be between 0 and 1"):
            Ratings(user, item, torch.tensor([3.0]), ("Ann", "Bo"), ("x", "y"))


def test_the_mean_is_that_of_the_values_that_are_there_now():
    ratings = Ratings.of([1, 2], [1, 1], [3, 5])
    assert ratings.mean == 4
    ratings.value.mul_(2)
    assert ratings.mean == 8


@pytest.mark.filterwarnings("error")
def test_ratings_are_chosen_by_a_column_that_pandas_keeps_read_only():
    frame = pd.DataFrame({"u": [1, 2, 3], "v": [3.0, 5.0, 4.0]})
    assert Ratings.of(frame.u, frame.u, frame.v).where(frame.v > 3).value.tolist() == [5, 4]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ([0], r"^user is \[0\]; make ratings by Ratings.of\(users, items, values\)$"),
        (np.array([0]), r"^user is array\(\[0\]\); make"),
        (torch.tensor([0.0]), r"^user is tensor\(\[0.\]\); make"),
    ],
)
def test_columns_of_another_kind_are_refused(column, words):
    place = torch.tensor([0])
    with pytest.raises(TypeError, match=words):
        Ratings(column, place, torch.tensor([5.0]), ("a",), ("b",))
    with pytest.raises(TypeError, match=r"^value is tensor\(\[5\]\); make"):
        Ratings(place, place, torch.tensor([5]), ("a",), ("b",))
