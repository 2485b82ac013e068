"""Exercises that answer at once, and name the mistake: `check`, `hint`, `solution`, `quiz`, `progress`.

exercise   what an exercise is, and how an answer is judged
shelf      where the exercises of each notebook lie
plain      values as JSON, and back
worker     the judge, and the children in which answers run
fence      the kernel's side of it, and what holds on which system
logbook    what a learner has done, in a file of their own
questions  the quiz at the end of a notebook
overview   progress as a small picture
desk       what a learner calls
cells      the section "Exercises" of a notebook
lecturer   all answers on one page

One module for each notebook holds its exercises and its quiz.
"""

import sys

from .desk import check, hint, progress, quiz, solution
from .fence import FENCE

__all__ = ["check", "hint", "progress", "quiz", "solution"]

if getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)():
    FENCE.start()  # in a notebook: the judge is ready when the first answer comes
