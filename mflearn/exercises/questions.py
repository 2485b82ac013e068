"""The quiz at the end of a notebook: choose, check, and read why. Every choice has an answer of its own."""

from collections.abc import Sequence
from pathlib import Path

import anywidget
import traitlets

from . import logbook
from .exercise import Choice, QuizQuestion


class Quiz(anywidget.AnyWidget):
    """Questions with radio buttons; the button of each shows whether it was right, and why.

    The arrows move through the choices, so a choice alone says nothing yet.
    """

    _esm = Path(__file__).with_suffix(".js")
    questions = traitlets.List().tag(sync=True)
    chosen = traitlets.List(traitlets.Int()).tag(sync=True)  # the place of the choice, -1 before there is one
    said = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, number: str, questions: Sequence[QuizQuestion]) -> None:
        self.number, self.content = number, tuple(questions)
        texts = [{"text": one.text, "choices": [choice.text for choice in one.choices]} for one in questions]
        super().__init__(questions=texts, chosen=[-1] * len(texts), said=[""] * len(texts))
        answered = logbook.pages("quizzes").get(number, {})
        for i, one in enumerate(self.content):  # the question, or the choice, may have been another at that time
            page, choices = answered.get(str(i + 1)), [choice.text for choice in one.choices]
            if isinstance(page, dict) and page.get("choice") in choices:
                self._show(i, choices.index(page["choice"]))
        self.on_msg(lambda _, message, __: self.choose(message["question"], message["choice"]))

    def choose(self, i: int, place: int) -> None:
        """Take the choice at this place for question i, both counted from 0, and note it."""
        if not (0 <= i < len(self.content) and 0 <= place < len(self.content[i].choices)):
            return  # no page of this course asks for that
        choice = self.content[i].choices[place]
        self._show(i, place, logbook.chosen(self.number, i + 1, choice.text, choice.right))

    def _show(self, i: int, place: int, note: str = "") -> None:
        choice = self.content[i].choices[place]
        words = said(choice) + f" ({note})" * bool(note)
        with self.hold_sync():
            self.chosen = [*self.chosen[:i], place, *self.chosen[i + 1 :]]
            self.said = [*self.said[:i], words, *self.said[i + 1 :]]

    def __repr__(self) -> str:
        return f"Quiz of notebook {self.number}, {len(self.content)} questions. Run this notebook to answer them."


def said(choice: Choice) -> str:
    """What is said to those who choose it."""
    return f"{'✓ Right.' if choice.right else '✗ Not this one.'} {choice.feedback}"
