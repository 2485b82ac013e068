"""Exercises that answer at once, and name the mistake: `check`, `hint`, `solution`, `quiz`, `progress`.

One folder for each notebook holds its exercises and its quiz, as Markdown.
"""

from .commands import check, hint, progress, quiz, solution

__all__ = ["check", "hint", "progress", "quiz", "solution"]
