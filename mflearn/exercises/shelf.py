"""Where the exercises lie: one module for each notebook, found by the first half of an id."""

import importlib
import re
from types import ModuleType

from .exercise import Exercise

MODULES = {
    "01": "frobenius_objective",
    "02": "gradients",
    "03": "learning_rate",
    "04": "toy_example",
    "05": "rank",
    "06": "noise",
    "07": "parts_and_topics",
    "08": "sparse_ratings",
    "09": "recommender",
}


def module(number: str) -> ModuleType:
    """EXERCISES and QUIZ of a notebook."""
    if not isinstance(number, str) or number not in MODULES:
        raise ValueError(f"notebook is {number!r}; it must be one of {', '.join(map(repr, MODULES))}")
    return importlib.import_module(f"{__package__}.{MODULES[number]}")


def find(id: str) -> Exercise:
    """The exercise with this id."""
    if not isinstance(id, str) or not re.fullmatch(r"\d\d\.\d+", id):
        raise ValueError(f"id is {_short(id)}; it must be a text such as '02.1', with the quotation marks")
    there = {one.id: one for one in module(id[:2]).EXERCISES}
    if id not in there:
        raise ValueError(f"id is {id!r}; notebook {id[:2]} has {', '.join(there)}")
    return there[id]


def everything() -> dict[str, ModuleType]:
    """All modules, by the number of their notebook."""
    return {number: module(number) for number in MODULES}


def _short(value: object) -> str:
    said = repr(value) if isinstance(value, (str, int, float)) else f"a {type(value).__name__}"
    return said if len(said) <= 40 else f"{said[:37]}…"
