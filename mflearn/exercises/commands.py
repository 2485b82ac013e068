"""What a learner calls: `check`, `hint`, `solution`, `quiz`, `progress`. Each gives back one thing to look at."""

import functools
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import content, logbook, running
from .exercise import ALMOST, CORRECT, ERROR, NOT_ANSWERED, NOT_YET
from .questions import Quiz

REFUSED = "not understood"
DONE = "✓"
MARKS = {  # a sign, and the colour of the theme that it has in JupyterLab
    CORRECT: ("✓", "success", "#388e3c"),
    ALMOST: ("≈", "warn", "#b26a00"),
    NOT_YET: ("✗", "warn", "#b26a00"),
    ERROR: ("!", "error", "#d32f2f"),
    NOT_ANSWERED: ("…", "info", "#0b7285"),
    REFUSED: ("!", "error", "#d32f2f"),
}


@dataclass(frozen=True)
class Reply:
    """A verdict, as it is shown: in a line, and another if there is something to say about the progress file."""

    id: str
    state: str
    words: str
    note: str = ""

    def __repr__(self) -> str:
        return f"{f'{self.id} {self.state}'.strip()}: {self.words}" + f"\n({self.note})" * bool(self.note)

    def _repr_html_(self) -> str:
        sign, name, colour = MARKS[self.state]
        said, note = (re.sub("`(.+?)`", r"<code>\1</code>", html.escape(text)) for text in (self.words, self.note))
        return (
            f'<div style="line-height: 1.5"><span aria-hidden="true" style="color: var(--jp-{name}-color1, {colour}); '
            f'font-weight: bold">{sign}</span> <b>{html.escape(self.id)} {self.state}</b>: {said}'
            + f"<br><small>{note}</small>" * bool(note)
            + "</div>"
        )


@dataclass(frozen=True)
class Page:
    """A text in Markdown, to be read."""

    text: str
    plain: str = ""

    def __repr__(self) -> str:
        return self.plain or self.text

    def _repr_markdown_(self) -> str:
        return self.text


def _in_one_line(ask: Callable) -> Callable:
    """A call that cannot be understood is answered in a line, without a traceback."""

    @functools.wraps(ask)
    def answered(*arguments: Any, **named: Any) -> Any:
        try:
            return ask(*arguments, **named)
        except ValueError as error:
            return Reply("", REFUSED, f"{error}.")

    return answered


@_in_one_line
def check(id: str, answer: Any, *, note: bool = True) -> Reply:
    """What the judge says of an answer to an exercise, such as `check("02.1", slope)`; noted as an attempt."""
    if isinstance(answer, str) and re.fullmatch(r"\d\d\.\d+", answer) and not isinstance(id, str):
        raise ValueError(f"the id comes first: check({answer!r}, …)")
    verdict = running.verdict(content.find(id), answer)
    counts = note and verdict.state != NOT_ANSWERED
    return Reply(id, verdict.state, verdict.words, logbook.attempted(id, verdict.state) if counts else "")


@_in_one_line
def hint(id: str) -> Page:
    """The next hint for an exercise; after the last, the first again."""
    hints = content.find(id).hints
    i = logbook.next_hint(id, len(hints))
    after = f'After this one `hint("{id}")` starts over.' if i + 1 == len(hints) else ""
    return Page(f"**Hint {i + 1} of {len(hints)}.** {hints[i]} {after}".strip())


@_in_one_line
def solution(id: str, *, insist: bool = False) -> Page:
    """The solution of an exercise, to those who have tried, or insist."""
    exercise = content.find(id)
    if not (insist or logbook.pages("exercises").get(id, {}).get("attempts")):
        return Page(f'Try it once; `hint("{id}")` helps. Or insist: `solution("{id}", insist=True)`')
    return Page(f"```python\n{exercise.solution}\n```", exercise.solution)


@_in_one_line
def quiz(number: str) -> Quiz:
    """The questions of a notebook, such as `quiz("02")`."""
    return Quiz(number, content.lesson(number).quiz)


def progress() -> Page:
    """What is done so far: a row for each notebook, with a mark for each exercise and each question."""
    tried, answered = logbook.pages("exercises"), logbook.pages("quizzes")
    rows, every_exercise, every_question, following = "", [], [], ""
    for number, lesson in content.lessons().items():
        exercises = [_mark(tried.get(one.id), "done") for one in lesson.exercises]
        questions = [_mark(answered.get(number, {}).get(str(i)), "right") for i in range(1, len(lesson.quiz) + 1)]
        rows += (
            f"| {number} | {' '.join(exercises)} {_count(exercises)} | {' '.join(questions)} {_count(questions)} |\n"
        )
        every_exercise += exercises
        every_question += questions
        if not following and set(exercises) != {DONE}:
            following = f" Next: notebook {number}."
    said = f"{_count(every_exercise)} exercises done, {_count(every_question)} questions answered correctly.{following}"
    return Page(f"{said}\n\n| notebook | exercises | questions |\n|---|---|---|\n{rows}", said)


def _mark(page: Any, name: str) -> str:
    """Whether an exercise or a question is done, was tried, or neither, from its page in the logbook."""
    if not isinstance(page, dict):
        return "·"
    return DONE if page.get(name) is True else "✗"


def _count(marks: list[str]) -> str:
    return f"{marks.count(DONE)} of {len(marks)}"
