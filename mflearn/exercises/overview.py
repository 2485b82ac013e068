"""Progress as a small picture, and in words."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from ..plots import BLUE, canvas
from .content import Lesson
from .logbook import Pages


@dataclass(frozen=True)
class Line:
    """One notebook: of each exercise and question whether it is done (True), was tried (False), or neither (None)."""

    number: str
    exercises: tuple[bool | None, ...]
    questions: tuple[bool | None, ...]


@dataclass(frozen=True)
class Overview:
    """What is done: a line of squares and dots for each notebook."""

    lines: tuple[Line, ...]

    @classmethod
    def of(cls, lessons: Mapping[str, Lesson], tried: Pages, answered: Pages) -> "Overview":
        """From the exercises that there are, and the pages of the logbook."""
        lines = []
        for number, lesson in lessons.items():
            exercises = tuple(_state(tried.get(one.id), "done") for one in lesson.exercises)
            pages = answered.get(number, {})
            questions = tuple(_state(pages.get(str(i + 1)), "right") for i in range(len(lesson.quiz)))
            lines.append(Line(number, exercises, questions))
        return cls(tuple(lines))

    def __repr__(self) -> str:
        exercises, questions = (sum((getattr(x, part) for x in self.lines), ()) for part in ("exercises", "questions"))
        left = next(
            (f" Next: notebook {x.number}." for x in self.lines if x.exercises.count(True) < len(x.exercises)), ""
        )
        return (
            f"{exercises.count(True)} of {len(exercises)} exercises done, "
            f"{questions.count(True)} of {len(questions)} questions answered correctly.{left}"
        )

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict, dict]:
        png = io.BytesIO()
        self.draw().savefig(png, format="png")
        alt = {"alt": "; ".join(f"notebook {x.number}: {_said(x)}" for x in self.lines)}
        return {"text/plain": repr(self), "image/png": png.getvalue()}, {"image/png": alt}

    def draw(self) -> Figure:
        """A square for each exercise, a dot for each question: filled if done, half if tried."""
        figure = canvas(6.0, 0.3 * len(self.lines) + 0.9)
        ax = figure.subplots()
        widest = max(len(line.exercises) for line in self.lines)
        most = max(len(line.questions) for line in self.lines)
        for row, line in enumerate(self.lines):
            for marker, start, states in (("s", 0, line.exercises), ("o", widest + 1, line.questions)):
                for i, state in enumerate(states):
                    style = {True: "full", False: "bottom", None: "none"}[state]
                    ax.plot(start + i, row, marker, ms=11, mec=BLUE, mfc=BLUE, fillstyle=style, mfcalt="white")
        ax.set_yticks(range(len(self.lines)), [line.number for line in self.lines])
        ax.set_xticks([(widest - 1) / 2, widest + (most + 1) / 2], ["exercises", "questions"])
        ax.set_title(repr(self), fontsize=9)
        ax.set_xlim(-1, widest + most + 1)
        ax.set_ylim(len(self.lines) - 0.5, -0.5)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        return figure


def _state(page: Any, name: str) -> bool | None:
    return page.get(name) is True if isinstance(page, dict) else None


def _said(line: Line) -> str:
    parts = ((name, getattr(line, name)) for name in ("exercises", "questions"))
    return ", ".join(f"{states.count(True)} of {len(states)} {name}" for name, states in parts)
