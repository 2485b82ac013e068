"""The festival is what it says of itself; real ratings come out of their files as they were published."""

import csv
import gzip
import hashlib
import re
from pathlib import Path

import pytest
import torch

from mflearn import datasets
from mflearn.datasets import load
from mflearn.festival import STARS, Truth, invent

DATA = load()


# The festival


def test_the_festival_is_the_same_everywhere():
    """Ratings are halves, so the last bits of a processor do not reach them."""
    ratings = DATA.ratings
    halves = (2 * ratings.value).to(torch.int64)
    table = torch.stack((ratings.user, ratings.item, halves), 1)
    assert len(ratings) == 15_285 and ratings.shape == (600, 152)
    assert hashlib.sha256(table.numpy().astype("<i8").tobytes()).hexdigest()[:16] == "b3dbb262bcd0ace5"


def test_the_festival_does_not_touch_the_global_seed():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    invent(10, 5)
    assert torch.equal(torch.get_rng_state(), before)


def test_another_seed_is_another_festival():
    one, same, other = (invent(20, 10, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(one.value, same.value) and not torch.equal(one.item, other.item)


def test_titles_and_viewers_are_all_different():
    users, items = DATA.ratings.users, DATA.ratings.items
    assert len(set(users)) == 600 and len(set(items)) == 152
    assert set(items) == DATA.titles.keys() == DATA.genres.keys() == DATA.years.keys()
    assert len(set(invent(1024)[0].users)) == 1024
    for viewers, films in ((1025, 152), (600, 153)):
        with pytest.raises(ValueError, match=f"viewers, films are {viewers}, {films}; they must be at most 1024, 152"):
            invent(viewers, films)


def test_ratings_are_half_stars_and_no_pair_occurs_twice():
    ratings = DATA.ratings
    assert set(ratings.value.tolist()) == set(STARS.tolist())
    assert len(torch.unique(ratings.user * 152 + ratings.item)) == len(ratings)
    assert torch.bincount(ratings.user, minlength=600).min() == 15
    assert torch.bincount(ratings.item, minlength=152).min() > 0


def test_no_prediction_is_better_than_the_known_one():
    """The squared error of the true mean is the true variance, over a hundred festivals; the score itself is worse."""
    known, unrounded, expected = [], [], []
    for seed in range(100):
        ratings, truth, _ = invent(60, 152, seed=seed)
        mean = truth.moments()[0][ratings.user, ratings.item]
        known.append((ratings.value - mean).square().mean())
        unrounded.append((ratings.value - truth.scores()[ratings.user, ratings.item]).square().mean())
        expected.append(truth.lowest_rmse(ratings) ** 2)
    known, expected = torch.stack(known).mean(), torch.tensor(expected).mean()
    assert known == pytest.approx(float(expected), rel=0.01)  # of 150,000 ratings: standard error 0.4 %
    assert torch.stack(unrounded).mean() > 1.03 * known


def test_the_known_error_is_that_of_a_fine_sum():
    """Mean and variance of one rating, by 200,001 values of the noise instead of the normal distribution."""
    z = torch.linspace(-8, 8, 200_001, dtype=torch.float64)
    weight = (-(z**2) / 2).exp()
    weight /= weight.sum()
    for score in (0.1, 2.6, 3.31, 5.4):
        zero = torch.zeros(1, dtype=torch.float64)
        truth = Truth(score, zero, zero, zero[:, None], zero[None], sigma=0.5)
        value = (2 * (score + 0.5 * z)).round().div(2).clamp(0.5, 5)
        mean, variance = (float(moment) for moment in truth.moments())
        assert mean == pytest.approx(float(weight @ value), abs=1e-4)
        assert variance == pytest.approx(float(weight @ value**2 - (weight @ value) ** 2), abs=1e-4)


def test_biases_and_tastes_each_explain_a_part():
    ratings, truth = DATA.ratings, DATA.truth
    at = ratings.user, ratings.item

    def rmse(prediction):
        return float((ratings.value - prediction[at]).square().mean().sqrt())

    biases = (truth.mu + truth.b[:, None] + truth.c).expand(600, 152)
    constant = torch.full((600, 152), ratings.mean, dtype=torch.float64)
    assert rmse(constant) > 0.9 > 0.85 > rmse(biases) > 0.75 > 0.5 > rmse(truth.moments()[0])


def test_a_positive_taste_is_what_it_is_called():
    """The quietest film of the programme is not liked for its noise."""
    loud, odd, far = DATA.truth.H[:, [DATA.ratings.column["Full Throttle Nun"]]].squeeze(1).tolist()
    assert loud > 0.5 and odd > 0.5 and far < 0
    assert DATA.truth.H[0, DATA.ratings.column["Bread"]] < -0.5


def test_popularity_falls_as_a_power():
    """On log axes a line: among the middle films the slope is between −0.5 and −1.2."""
    seen = torch.bincount(DATA.ratings.item).sort(descending=True).values.double()
    assert seen[0] > 10 * seen[-1]
    slope = (seen[99] / seen[9]).log() / (torch.tensor(100 / 10).log())
    assert -1.2 < slope < -0.5


def test_viewers_go_to_what_suits_them():
    A = DATA.truth.W @ DATA.truth.H
    ratings = DATA.ratings
    popular = torch.bincount(ratings.item).double()
    by_chance = (A @ popular) / popular.sum()  # what the viewer would meet, choosing as all do
    assert A[ratings.user, ratings.item].mean() > by_chance[ratings.user].mean() + 0.2


# By name


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """A machine with nothing downloaded; the folder that MFLEARN_DATA names."""
    monkeypatch.setattr(datasets, "cache", lambda: tmp_path / "cache")
    monkeypatch.setenv("MFLEARN_DATA", str(tmp_path))
    return tmp_path


def one_line(kind, words, name):
    with pytest.raises(kind, match=words) as caught:
        load(name)
    assert "\n" not in str(caught.value).strip() and len(str(caught.value)) <= 160


@pytest.mark.parametrize("name", datasets.SOURCES)
def test_what_is_missing_says_how_to_get_it(name, alone):
    one_line(FileNotFoundError, f"^{name} is not on this machine; to get it: mflearn data {name}$", name)


def test_a_name_that_is_none(alone):
    one_line(FileNotFoundError, "^movies is no CSV file, no folder with ratings.csv, and none of festival, ", "movies")
    one_line(FileNotFoundError, "^…x+ is no CSV", "x" * 5000)
    one_line(TypeError, "^name is 3; it must be one of festival, ", 3)


def test_a_csv_file_by_its_columns(alone):
    (alone / "mine.csv").write_text("when,value,item,user\n1,4,Bread,Ann\n2,2.5,NA,Bo\n")
    for path in ("mine.csv", alone / "mine.csv"):
        data = load(path)
        assert data.name == "mine" and data.ratings.users == ("Ann", "Bo") and data.ratings.items == ("Bread", "NA")
        assert data.ratings.value.tolist() == [4, 2.5] and data.titles == {"Bread": "Bread", "NA": "NA"}


def test_a_csv_file_written_by_hand(alone):
    """With a space after each comma, and with a comma at the end of each line."""
    (alone / "mine.csv").write_text('user, item, value\nAnn, "Bread, white", 4,\nBo, Bread, 2,\n')
    ratings = load("mine.csv").ratings
    assert ratings.users == ("Ann", "Bo") and ratings.items == ("Bread, white", "Bread")
    assert ratings.value.tolist() == [4, 2]


@pytest.mark.filterwarnings("ignore:Length of header")
def test_a_field_beyond_the_names_does_not_move_the_columns(alone):
    (alone / "mine.csv").write_text("user,item,value\n1,2,3,4\n5,6,7,8\n")
    ratings = load("mine.csv").ratings
    assert (ratings.users, ratings.items, ratings.value.tolist()) == ((1, 5), (2, 6), [3, 7])


def test_a_folder_by_its_first_three_columns(alone):
    (alone / "club").mkdir()
    (alone / "club/ratings.csv").write_text("who,what,stars\nAnn,7,4\nBo,7,2\nBo,8,1\n")
    (alone / "club/books.csv").write_text('id,authors,title,year\n7,A,"Bread, and ""Salt""",1999\n8,B,Null,\n')
    data = load("club")
    assert data.name == "club" and data.ratings.items == (7, 8)
    assert data.titles == {7: 'Bread, and "Salt"', 8: "Null"} and data.years == {7: 1999}


def test_a_folder_without_its_ratings_says_so(alone):
    (alone / "ml-latest-small").mkdir()
    one_line(FileNotFoundError, "ml-latest-small/ratings.csv", "movielens-small")


@pytest.mark.parametrize("content", ["item,name\n7,Bread\n", "item,title\n7,\n", "item,title\n7\n"])
def test_an_item_without_a_title_is_called_by_its_label(content, alone):
    (alone / "club").mkdir()
    (alone / "club/ratings.csv").write_text("user,item,value\nAnn,7,4\n")
    (alone / "club/items.csv").write_text(content)
    assert load("club").title(7) == "7"


BROKEN = {
    "empty": ("", "^No columns to parse from file"),
    "two columns": ("a,b\n1,2\n", "have 2 columns; user, item and value are needed"),
    "no names": ("1,2,3\n4,5,6\n", "^the third column is called 3; give a first line of names, user,item,value$"),
    "no names, the same numbers": ("4,4.5,4.5\n4,5,5\n", "^the third column is called 4.5; give"),
    "no names, a sign": ("a,x,+5\nb,x,3\n", r"^the third column is called \+5; give"),
    "no names, a power": ("a,x,5e0\nb,x,3\n", "^the third column is called 5e0; give"),
    "no names, a fraction": ("a,x,½\nb,x,3\n", "^the third column is called ½; give"),
    "no third name": ("a,x,\nb,x,3\n", "^the third column has no name; give"),
    "another order": ("points,user,item\n5,a,x\n", "^the columns are points, user, item; call three of them"),
    "a name elsewhere": ("user,dish,date,stars\na,x,1,2\n", "^the columns are user, dish, date, stars; call three"),
    "a wide table": ("name,Alien,Brazil,Salt\nAnn,5,3,4\n", "^the columns are name, Alien, Brazil, Salt; call three"),
    "a wide table, first without a name": (
        ",Alien,Brazil,Salt\nAnn,5,3,4\n",
        "^the columns are , Alien, Brazil, Salt;",
    ),
    "one bad value": ("user,item,value\n1,2,4\n1,3,-\n", "^values holds '-'; it must hold real numbers$"),
    "no names, titles": ("Ann,Bread,-2.5\nBo,Bread,3\n", "^the third column is called -2.5; give"),
    "no rows": ("user,item,value\n", "has shape"),
    "words": ("user,item,value\n1,2,good\n", "^values holds 'good'"),
    "holes": ("user,item,value\n1,2,\n", "^values holds nan"),
    "twice": ("user,item,value\n1,2,3\n1,2,4\n", "1 ratings are duplicates"),
    "no label": ("user,item,value\n,2,3\nAnn,2,4\n", "^users has no label at 0"),
    "ragged": ("user,item,value\n1,2,3\n1,3,3,4,5\n", "Expected 3 fields in line 3, saw 5"),
    "bytes": (b"\xff\xfe\x00\x01", "^x.csv is no text in UTF-8"),
}


@pytest.mark.parametrize(
    "head",
    [
        "user,item,value",
        ",user,item,value",
        "Value , User,item",
        "userId,movieId,rating",
        ",userId,movieId,rating",
        "movieId,user_id,stars",
        "userId,movieId,timestamp,rating",
        "film,viewer,stars",
        "userId,itemId,timestamp,score",
    ],
)
def test_columns_are_found_by_their_names_or_by_their_order(head, alone):
    values = {"user": "ann", "userid": "ann", "item": "007", "movieid": "007", "value": "4", "rating": "4", "": "17"}
    values |= {"user_id": "ann", "stars": "4", "timestamp": "964982703", "film": "007", "viewer": "ann", "score": "4"}
    values["itemid"] = "007"
    row = ",".join(values[name.strip().casefold()] for name in head.split(","))
    (alone / "x.csv").write_text(f"{head}\n{row}\n")
    ratings = load("x.csv").ratings
    assert (ratings.users, ratings.items, ratings.value.tolist()) == (("ann",), ("007",), [4.0])


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (["17", "2"], [2, 17]),
        (["0195153448", "17"], ["0195153448", "17"]),
        (["01", "1"], ["01", "1"]),
        (["1e3", "2"], ["1e3", "2"]),
        (["Infinity", "1984"], ["Infinity", "1984"]),
        (["12345678901234567", "0.5"], ["12345678901234567", "0.5"]),
    ],
)
def test_labels_are_whole_numbers_or_stay_as_they_are_written(labels, wanted, alone):
    (alone / "x.csv").write_text("user,item,value\n" + "".join(f"{label},x,{i}\n" for i, label in enumerate(labels)))
    assert sorted(load("x.csv").ratings.users, key=str) == sorted(wanted, key=str)


TABLE = "user,item,value\nZoé,Amélie,3\n"


NO_TEXT = {"UTF-16": TABLE.encode("utf-16"), "Latin-1": TABLE.encode("latin-1"), "gzip": gzip.compress(TABLE.encode())}


@pytest.mark.parametrize("kind", NO_TEXT)
@pytest.mark.parametrize("name", ["x.csv", "club/ratings.csv", "club/items.csv"])
def test_what_is_no_text_in_utf_8_is_named(kind, name, alone):
    (alone / "club").mkdir()
    (alone / "club/ratings.csv").write_text(TABLE, encoding="utf-8")
    (alone / name).write_bytes(NO_TEXT[kind])
    words = f"^{Path(name).name} is no text in UTF-8; save it again as CSV UTF-8, not compressed$"
    one_line(ValueError, words, name.removesuffix("/items.csv").removesuffix("/ratings.csv"))


TITLES = {
    "semicolons": (
        "item;title\n1;Bread\n2;Salt\n",
        "the labels of the titles, such as '1;Bread', are none of the ratings",
    ),
    "other labels": (
        "item,title\n1.0,Bread\n2.0,Salt\n",
        "such as '1.0', are none of the ratings, such as 1; part columns",
    ),
    "a comma": ("item,title,year\n1,Bread,1990\n2,Good, the Bad,1966\n", "^line 3 of the titles has too many fields"),
    "an open quote": ('item,title\n1,"Bread\n2,Salt\n', "unexpected end of data"),
}


@pytest.mark.parametrize("kind", TITLES)
def test_titles_that_would_be_lost_are_refused(kind, alone):
    content, words = TITLES[kind]
    (alone / "club").mkdir()
    (alone / "club/ratings.csv").write_text("user,item,value\nAnn,1,3\nAnn,2,4\n")
    (alone / "club/items.csv").write_text(content)
    one_line((ValueError, csv.Error), words, "club")


def test_titles_with_the_numbers_of_the_rows_go_to_their_items(alone):
    (alone / "club").mkdir()
    (alone / "club/ratings.csv").write_text("user,item,value\nAnn,1,3\nAnn,2,4\n")
    (alone / "club/items.csv").write_text(",item,title\n1,2,Salt\n2,1,Bread\n")
    assert load("club").titles == {1: "Bread", 2: "Salt"}


def test_a_damaged_file_of_a_published_set_is_named(alone):
    (alone / "ml-1m").mkdir()
    (alone / "ml-1m/ratings.dat").write_text("1::1193::5::978300760\n")
    (alone / "ml-1m/movies.dat").write_text("1193::Bread\n")
    one_line(ValueError, "^movielens-1m is damaged: not enough values to unpack", "movielens-1m")


def test_a_year_that_nobody_lived_in_is_none(alone):
    (alone / "club").mkdir()
    (alone / "club/ratings.csv").write_text("user,item,value\nAnn,1,3\nAnn,2,4\n")
    (alone / "club/items.csv").write_text(f"item,title,year\n1,Bread,{'1' * 5000}\n2,Salt,1984.0\n")
    assert load("club").years == {2: 1984}


def test_a_folder_of_nobody_is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("MFLEARN_DATA", "~nobody-has-this-name/x")
    with pytest.raises(FileNotFoundError, match="^none-of-this is no CSV file, no folder"):
        load("none-of-this")


def test_a_place_is_known_by_its_name_alone():
    with pytest.raises(ValueError, match="^name is 'festival'; it must be one of 'movielens-small', "):
        datasets.where("festival")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_csv_file_is_refused_in_one_line(kind, alone):
    content, words = BROKEN[kind]
    (alone / "x.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    one_line((TypeError, ValueError), words, "x.csv")


# As others publish them


def test_the_old_formats_of_movielens(alone):
    """ISO-8859-1, fields apart by | or ::, genres as flags; u.item and movies.dat as their READMEs describe them."""
    (alone / "ml-100k").mkdir()
    (alone / "ml-100k/u.data").write_text("196\t242\t3\t881250949\n22\t377\t1\t878887116\n")
    (alone / "ml-100k/u.genre").write_text("unknown|0\nAction|1\nComedy|2\n\n")
    (alone / "ml-100k/u.item").write_bytes(
        "242|Misérables, Les (1995)|01-Jan-1995||http://x/?a|0|1|1\n377|unknown||||1|0|0\n".encode("latin-1")
    )
    data = load("movielens-100k")
    assert data.titles == {242: "Misérables, Les (1995)", 377: "unknown"} and data.years == {242: 1995}
    assert data.genres == {242: ("Action", "Comedy"), 377: ("unknown",)} and data.ratings.value.tolist() == [3, 1]
    (alone / "ml-1m").mkdir()
    (alone / "ml-1m/ratings.dat").write_text("1::1193::5::978300760\n2::1193::4::978302109\n")
    (alone / "ml-1m/movies.dat").write_bytes("1193::Città: Part 2 (1975)::Drama|War\n".encode("latin-1"))
    data = load("movielens-1m")
    assert data.titles == {1193: "Città: Part 2 (1975)"} and data.genres == {1193: ("Drama", "War")}
    assert data.ratings.users == (1, 2) and data.ratings.value.tolist() == [5, 4]


def test_goodbooks_by_the_columns_of_its_repository(alone):
    (alone / "goodbooks-10k").mkdir()
    (alone / "goodbooks-10k/ratings.csv").write_text("user_id,book_id,rating\n1,258,5\n2,4081,4\n")
    (alone / "goodbooks-10k/books.csv").write_text(
        "book_id,goodreads_book_id,authors,original_publication_year,original_title,title\n"
        '258,1,X,2001.0,La sombra,"The Shadow, #1"\n4081,2,Y,,,None\n'
    )
    data = load("goodbooks")
    assert data.titles == {258: "The Shadow, #1", 4081: "None"} and data.years == {258: 2001}
    assert data.licence == "CC BY-SA 4.0"


def real(name):
    if datasets.where(name) is None:
        pytest.skip(f"{name} is neither in MFLEARN_DATA nor downloaded")
    return load(name)


FACTS = {  # as their READMEs give them: ratings, users, rated items, items
    "movielens-small": (100_836, 610, 9_724, 9_742),
    "movielens-100k": (100_000, 943, 1_682, 1_682),
    "movielens-1m": (1_000_209, 6_040, 3_706, 3_883),
    "goodbooks": (5_976_479, 53_424, 10_000, 10_000),
}


@pytest.mark.parametrize("name", FACTS)
def test_real_ratings_are_as_many_as_published(name):
    data = real(name)
    assert (len(data.ratings), *data.ratings.shape, len(data.titles)) == FACTS[name]
    assert len(data.ratings) == datasets.SOURCES[name].ratings
    assert data.licence and data.citation


def test_the_small_movielens_knows_its_films():
    data = real("movielens-small")
    assert data.title(1) == "Toy Story (1995)" and data.years[1] == 1995
    assert data.genres[1] == ("Adventure", "Animation", "Children", "Comedy", "Fantasy")
    assert data.ratings.value.unique().tolist() == STARS.tolist()
    assert data.ratings.mean == pytest.approx(3.5016, abs=5e-5)
    assert data.years.get(162414) is None and data.title(162414) == "Moonlight"  # which has no year


def test_the_readme_lists_what_there_is():
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d,]+) of ([\d,]+) \w+ \| (none|(\d+) MB) \|", text, re.M)
    found = {
        name: (int(ratings.replace(",", "")), int(items.replace(",", "")), int(mb or 0))
        for name, ratings, items, _, mb in rows
    }
    expected = {"festival": (len(DATA.ratings), DATA.ratings.shape[1], 0)}
    for name, source in datasets.SOURCES.items():
        expected[name] = (source.ratings, FACTS[name][2], round(sum(remote.size for remote in source.remotes) / 1e6))
    assert found == expected
    listed = repr(datasets.listing())
    assert all(f"{name} " in listed and f" {numbers[0]:,} " in listed for name, numbers in expected.items())


def test_titles_are_found_whatever_the_labels_look_like(alone):
    (alone / "club").mkdir()
    for labels, lines in (
        (("1.5", "2"), "item,title\n 1.5,Bread\n2,Salt\n"),
        (("1", "2"), "item,title\n1, Bread\n 2,Salt\nx,Nobody rated it\n3.0,nor this\n"),
        (("x1", "007"), "item,title\n x1,Bread\n007,Salt\n"),
    ):
        (alone / "club/ratings.csv").write_text("".join(["user,item,value\n", *(f"u,{label},3\n" for label in labels)]))
        (alone / "club/items.csv").write_text(lines)
        data = load("club")
        assert [data.title(label) for label in data.ratings.items] == ["Bread", "Salt"]
