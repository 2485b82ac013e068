"""Exercises that answer at once, and name the mistake: `check`, `hint`, `solution`, `quiz`, `progress`.

exercise    what an exercise is, and how an answer is judged
content     reads the exercises of each notebook from their Markdown files
cases       random arguments and predicates that several exercises share
comparable  what an answer gave, as values that can be compared
running     an answer is called, for no longer than 3 s
logbook     what a learner has done, in a file of their own
questions   the quiz at the end of a notebook
commands    what a learner calls
lecturer    all answers on one page

One folder for each notebook holds its exercises and its quiz, as Markdown.
"""

from .commands import check, hint, progress, quiz, solution

__all__ = ["check", "hint", "progress", "quiz", "solution"]
