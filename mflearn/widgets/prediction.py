"""A question above an explorer: the learner predicts first, then sees, and is told whether it was so."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import traitlets


@dataclass(frozen=True)
class Question:
    """What will the explorer show at certain settings? The answer is read off what it then shows."""

    text: str
    options: dict[str, Callable[[Any], bool]]  # each with what holds of the result where it is right
    settings: Callable[[dict[str, Any]], dict[str, Any]]  # made of those before
    why: str

    def answer(self, result: Any) -> str:
        """The first option that is right for this result."""
        for option, holds in self.options.items():
            if holds(result):
                return option
        raise ValueError(f"no option is right for what is shown; the question is {self.text!r}")


class Prediction(anywidget.AnyWidget):
    """A question with radio buttons; the button after them asks the explorer to move there and to compare."""

    _esm = Path(__file__).with_suffix(".js")
    text = traitlets.Unicode().tag(sync=True)
    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    asked = traitlets.Int(0).tag(sync=True)  # how often the button was pressed
    verdict = traitlets.Unicode("").tag(sync=True)

    def __init__(self, question: Question, reveal: Callable[[], None]) -> None:
        self.question = question
        super().__init__(text=question.text, options=list(question.options))
        self.observe(lambda _: 0 <= self.chosen < len(self.options) and reveal(), names="asked")

    def judge(self, result: Any) -> str:
        """Say whether the prediction agrees with what is shown."""
        seen, said = self.question.answer(result), self.options[self.chosen]
        how = f"You were right: {seen}." if said == seen else f"You predicted: {said}. What happens: {seen}."
        self.verdict = f"{how} {self.question.why}"
        return self.verdict
