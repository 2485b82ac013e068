"""Ratings to learn from: an invented festival whose truth is known, and real ones with their licences. No models."""

import csv
import io
import os
import re
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import pandas as pd
import pooch

from . import checked, downloads
from .downloads import Remote
from .festival import Truth, invent
from .ratings import Ratings
from .titles import Table

Item = tuple[int | str, str, tuple[str, ...], int | None]  # label, title, genres, year
WHOLE = re.compile(r"0|-?[1-9]\d{0,17}")  # a label that is a whole number, and nothing but that
COLUMNS = {  # names in published files, without capitals and underscores
    "user": ("user", "userid", "viewer", "reviewer", "customer", "customerid"),
    "item": ("item", "itemid", "film", "filmid", "movie", "movieid", "book", "bookid", "product", "productid"),
    "value": ("value", "rating", "stars", "score"),
}
Folder = Path | zipfile.Path  # on the disk or in an archive, which is never unpacked


@dataclass(frozen=True, eq=False)
class Dataset:
    """Ratings, and what is known of their items, by label."""

    name: str
    ratings: Ratings
    titles: Mapping  # of all items
    genres: Mapping = field(default_factory=dict)  # label → tuple of words
    years: Mapping = field(default_factory=dict)  # label → year, where known
    licence: str = ""
    citation: str = ""
    truth: Truth | None = None  # of invented ratings

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {self.ratings!r})"

    def title(self, label: object) -> str:
        """The title of an item, its label where it has none."""
        return self.titles.get(label, str(label))


@dataclass(frozen=True)
class Source:
    """Published ratings: which files, how they are read, and on what terms."""

    name: str
    about: str
    ratings: int
    folder: str  # in the archive, and in MFLEARN_DATA
    remotes: tuple[Remote, ...]
    read: Callable[[Folder], tuple[pd.DataFrame, Iterable[Item]]]  # the ratings, and what is known of their items
    licence: str
    citation: str


def load(name: str | os.PathLike = "festival") -> Dataset:
    """Ratings by name: "festival", invented, always there; one of SOURCES; or the path of a CSV file or its folder.

    Real ones are looked for in the folder that MFLEARN_DATA names, then among what `mflearn data NAME` has downloaded.
    Nothing is downloaded here: where they are missing, FileNotFoundError says how to get them.

    User, item and value are the columns of a CSV file with these names, or such as userId, movieId and rating; if it
    has only three columns, in this order, they may have other names. A folder has a ratings.csv, and perhaps
    movies.csv, books.csv or items.csv: first the label, then a column title, and others.
    """
    checked.computing_on_the_cpu()
    names = ", ".join(["festival", *SOURCES])
    if not isinstance(name, str | os.PathLike):
        raise TypeError(f"name is {' '.join(str(name).split()):.40}; it must be one of {names}, or a path")
    name = os.fspath(name)
    if name == "festival":
        return festival()
    if name in SOURCES:
        return _published(SOURCES[name])
    for folder in (Path(), *_own()):
        path = folder / name if name.lower().endswith(".csv") else folder / name / "ratings.csv"
        if os.path.isfile(path):  # False for a name that no file can have, where `Path.is_file` raises an error
            return _from_csv(path)
    came = " ".join(name.split())
    came = came if len(came) <= 30 else "…" + came[-29:]
    raise FileNotFoundError(f"{came} is no CSV file, no folder with ratings.csv, and none of {names}")


def festival() -> Dataset:
    """The invented ratings of `festival.invent`, by titles and names, with their `truth`."""
    ratings, truth, programme = invent()
    return Dataset(
        name="festival",
        ratings=ratings,
        titles={film.title: film.title for film in programme.itertuples()},
        genres={film.title: (film.genre,) for film in programme.itertuples()},
        years={film.title: film.year for film in programme.itertuples()},
        licence="MIT, as the code of this course",
        citation="invented: any likeness to real films or viewers is an accident",
        truth=truth,
    )


def get(name: str, folder: str | os.PathLike | None = None, *, progress: bool = False) -> Dataset:
    """Download a set of ratings, unless it is there, and load it; `folder` instead of the usual place."""
    source = SOURCES[checked.choice(name, "name", list(SOURCES))]
    folder = cache() if folder is None else Path(folder)
    for remote in source.remotes:
        downloads.fetch(remote, folder, progress=progress)
    return _dataset(source, _inside(source, folder))


def cache() -> Path:
    """Where downloads are kept on this machine."""
    return Path(pooch.os_cache("mflearn"))


def listing() -> Table:
    """What `load` knows: how many ratings of what, how much to download, whether it is here, and on what terms."""
    invented = festival()
    rows = [("festival", f"{len(invented.ratings):,}", "invented films", "0", "here", invented.licence)]
    for source in SOURCES.values():
        size = f"{sum(remote.size for remote in source.remotes) / 1e6:.0f}"
        here = "here" if where(source.name) else "not here"
        rows.append((source.name, f"{source.ratings:,}", source.about, size, here, source.licence))
    columns = zip(*rows, strict=True)
    return Table(dict(zip(("name", "ratings", "of", "MB", "", "licence"), columns, strict=True)), width=120)


def where(name: str) -> Path | None:
    """The folder in which a set of ratings is: that of MFLEARN_DATA, then that of the downloads; None if in neither."""
    return next((place for place, _ in _places(SOURCES[checked.choice(name, "name", list(SOURCES))])), None)


def _published(source: Source) -> Dataset:
    found = next(_places(source), None)
    if found:
        return _dataset(source, found[1])
    damaged = any((place / source.remotes[0].path).is_file() for place in (*_own(), cache()))
    state = "damaged" if damaged else "not on this machine"
    raise FileNotFoundError(f"{source.name} is {state}; to get it: mflearn data {source.name}")


def _own() -> list[Path]:
    """The folder in MFLEARN_DATA, if there is one."""
    return [Path(os.path.expanduser(folder))] if (folder := os.environ.get("MFLEARN_DATA")) else []


def _places(source: Source) -> Iterator[tuple[Path, Folder]]:
    """Where these ratings are, and the folder there that holds their files."""
    for place in _own():
        if (unpacked := place / source.folder).is_dir():  # in the care of whoever put it there
            yield unpacked, unpacked
    for place in (*_own(), cache()):
        if all(downloads.intact(remote, place) for remote in source.remotes):
            yield place, _inside(source, place)


def _inside(source: Source, place: Path) -> Folder:
    """The folder with the files of a download."""
    first = place / source.remotes[0].path
    return zipfile.Path(first, f"{source.folder}/") if first.suffix == ".zip" else place / source.folder


def _dataset(source: Source, folder: Folder) -> Dataset:
    try:
        frame, items = source.read(folder)
        return _assembled(source.name, frame, items, source.licence, source.citation)
    except (ValueError, KeyError, csv.Error) as error:
        raise ValueError(f"{source.name} is damaged: {error}"[:160]) from None


def _assembled(name: str, frame: pd.DataFrame, items: Iterable[Item], licence: str = "", citation: str = "") -> Dataset:
    ratings = Ratings.of(frame["user"], frame["item"], frame["value"])
    items = list(items)
    if items and not {item[0] for item in items} & {*ratings.items}:
        came = f"the labels of the titles, such as {items[0][0]!r:.30}"
        raise ValueError(f"{came}, are none of the ratings, such as {ratings.items[0]!r:.30}; part columns by commas")
    return Dataset(
        name,
        ratings,
        {label: str(label) for label in ratings.items} | {item[0]: item[1] or str(item[0]) for item in items},
        {item[0]: item[2] for item in items if item[2]},
        {item[0]: item[3] for item in items if item[3] is not None},
        licence,
        citation,
    )


def _ratings(content: bytes, separator: str, header: int | None) -> pd.DataFrame:
    """User, item and value are the columns of these names, or the first three. Fields beyond the names are left out."""
    options = {"sep": separator, "index_col": False, "skipinitialspace": True}
    options |= {"keep_default_na": False, "na_values": [""]}  # "NA", "None" and "Null" are titles
    first = pd.read_csv(io.BytesIO(content), header=None, nrows=1, dtype=str, **options).fillna("")
    head = pd.read_csv(io.BytesIO(content), header=header, nrows=1, **options)
    numbered = not len(head) or str(head.iloc[0, 0]).isdecimal()
    at = [0, 1, 2] if header is None else _places_of_columns(first.iloc[0].tolist(), numbered)
    columns = head.columns[at]
    kinds = dict.fromkeys(columns[:2], str)
    frame = pd.read_csv(io.BytesIO(content), header=header, dtype=kinds, low_memory=False, **options)[columns]
    frame = frame.set_axis(["user", "item", "value"], axis=1)
    return frame.assign(user=_labels(frame["user"]), item=_labels(frame["item"]))


def _places_of_columns(names: list[str], numbered: bool) -> list[int]:
    """Where user, item and value stand. A first column without a name is left out if the rows are `numbered` there."""
    begin = int(names[0] == "" and numbered)
    if len(names) < begin + 3:
        raise ValueError(f"the ratings have {len(names)} columns; user, item and value are needed")
    plain = [name.strip().casefold().replace("_", "") for name in names]
    found = [next((i for i, name in enumerate(plain) if name in known), None) for known in COLUMNS.values()]
    if None not in found:
        return found
    first = [begin, begin + 1, begin + 2]
    if len(names) > begin + 3 or any(place not in (None, usual) for place, usual in zip(found, first, strict=True)):
        raise ValueError(f"the columns are {', '.join(names):.60}; call three of them user, item and value")
    third = names[begin + 2]
    if not third or _is_number(third):
        came = f"is called {third:.9}" if third else "has no name"
        raise ValueError(f"the third column {came}; give a first line of names, user,item,value")
    return first


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.strip().isnumeric()  # such as ½
    return True


def _labels(column: pd.Series) -> pd.Series:
    """Whole numbers, if each label is written as one, such as 17; else text, so 007 and 1e3 stay what they are."""
    whole = all(WHOLE.fullmatch(str(label)) for label in column.unique())
    return column.astype("int64" if whole else object)


def _items(content: bytes, whole: bool) -> Iterator[Item]:
    """Label first; then a column title, and perhaps genres, parted by |, and a year. `whole`: labels are numbers."""
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    lines = csv.DictReader(text, skipinitialspace=True, strict=True)
    for row in lines:
        if None in row:
            raise ValueError(f"line {lines.line_num} of the titles has too many fields; write a comma in quotes")
        row.pop("", None)  # the numbers of the rows
        label, title = next(iter(row.values())), row.get("title") or ""
        year = re.match(r"-?\d{1,9}(?!\d)", row.get("year") or row.get("original_publication_year") or "")
        genres = tuple(filter(None, (row.get("genres") or "").split("|")))
        label = int(label) if whole and WHOLE.fullmatch(label) else label
        yield label, title, genres, int(year[0]) if year else _year(title)


def _year(title: str) -> int | None:
    """The year at the end of a title such as Brazil (1985)."""
    found = re.search(r"\((\d{4})\)\s*$", title)
    return int(found[1]) if found else None


def _from_csv(path: Path) -> Dataset:
    if path.name == "ratings.csv":
        return _assembled(path.resolve().parent.name, *_comma_separated(path.parent))
    return _assembled(path.stem, _ratings(_content(path), ",", 0), ())


def _content(file: Folder) -> bytes:
    """What a file of comma-separated values holds, which must be text in UTF-8."""
    content = file.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{file.name:.60} is no text in UTF-8; save it again as CSV UTF-8, not compressed") from None
    return content


def _comma_separated(folder: Folder) -> tuple[pd.DataFrame, Iterable[Item]]:
    frame = _ratings(_content(folder / "ratings.csv"), ",", 0)
    for name in ("movies.csv", "books.csv", "items.csv"):
        if (folder / name).is_file():
            return frame, _items(_content(folder / name), whole=frame["item"].dtype.kind == "i")
    return frame, ()


def _movielens_100k(folder: Folder) -> tuple[pd.DataFrame, Iterable[Item]]:
    genres = (folder / "u.genre").read_text(encoding="latin-1")
    kinds = [line.split("|")[0] for line in genres.split("\n") if "|" in line]
    items = []
    for line in filter(None, (folder / "u.item").read_text(encoding="latin-1").split("\n")):
        label, title, *_, flags = line.split("|", 5)
        genres = (kind for kind, flag in zip(kinds, flags.split("|"), strict=True) if flag == "1")
        items.append((int(label), title, tuple(genres), _year(title)))
    return _ratings((folder / "u.data").read_bytes(), "\t", None), items


def _movielens_1m(folder: Folder) -> tuple[pd.DataFrame, Iterable[Item]]:
    text = (folder / "movies.dat").read_text(encoding="latin-1")
    lines = (line.split("::") for line in text.split("\n") if line)
    items = [(int(label), title, tuple(genres.split("|")), _year(title)) for label, title, genres in lines]
    return _ratings((folder / "ratings.dat").read_bytes().replace(b"::", b"\t"), "\t", None), items


READERS = {
    "movielens-small": _comma_separated,
    "movielens-100k": _movielens_100k,
    "movielens-1m": _movielens_1m,
    "goodbooks": _comma_separated,
}


def _sources() -> dict[str, Source]:
    """The published ratings of sources.toml, by name."""
    table = tomllib.loads(resources.files("mflearn").joinpath("sources.toml").read_text(encoding="utf-8"))
    files = {name: tuple(Remote(**file) for file in entry.pop("files")) for name, entry in table.items()}
    return {name: Source(name, **entry, remotes=files[name], read=READERS[name]) for name, entry in table.items()}


SOURCES = _sources()
