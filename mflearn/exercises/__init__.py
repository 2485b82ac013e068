"""Exercises that answer at once, and name the mistake: `check`, `hint`, `solution`, `quiz`, `progress`.

exercise   what an exercise is, and how an answer is judged
content    reads the exercises of each notebook from its Markdown files
cases      what the random cases of several exercises share
plain      values as JSON, and back
child      a process for one answer
worker     what the judge and such a process do
fence      the kernel's side of it, and what holds on which system
logbook    what a learner has done, in a file of their own
questions  the quiz at the end of a notebook
overview   progress as a small picture
desk       what a learner calls
cells      the section "Exercises" of a notebook
lecturer   all answers on one page

One folder for each notebook holds its exercises and its quiz, as Markdown.
"""

import importlib
from typing import Any

__all__ = ["check", "hint", "progress", "quiz", "solution"]


def __getattr__(name: str) -> Any:
    """What a learner calls, loaded when it is asked for: the processes in which answers run do without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".desk", __package__), name)
