"""The quiz at the end of a notebook: choose, check, and read why. Every choice has an answer of its own."""

from collections.abc import Sequence

import anywidget
import traitlets

from . import logbook
from .exercise import QuizQuestion


class Quiz(anywidget.AnyWidget):
    """Questions with radio buttons; the button of each shows whether it was right, and why.

    The arrows move through the choices, so a choice alone says nothing yet.
    """

    _esm = """
    function render({ model, el }) {
      const make = (name, parent, properties = {}) => parent.appendChild(
        Object.assign(document.createElement(name), properties));
      const write = (parent, text) => text.split("`").forEach((part, i) => make(i % 2 ? "code" : "span", parent,
        { textContent: part }));  // between backticks stands code
      const own = `quiz-${Math.random()}`;  // the radio buttons of this view
      el.style.cssText = "font-family: var(--jp-content-font-family); line-height: 1.5; max-width: 52em;" +
        "font-size: var(--jp-content-font-size1, 14px); color: var(--jp-content-font-color1, inherit)";
      const questions = model.get("questions").map((question, i) => {
        const group = make("fieldset", el), legend = make("legend", group);
        group.style.cssText = "border: 0; margin: 0 0 14px; padding: 0 2px";
        legend.style.cssText = "padding: 0; font-weight: bold";
        write(legend, `${i + 1}. ${question.text}`);
        const radios = question.choices.map((text) => {
          const label = make("label", group), radio = make("input", label, { type: "radio", name: `${own}-${i}` });
          label.style.cssText = "display: block; margin: 3px 0 3px 1.6em; text-indent: -1.6em";
          write(label, " " + text);
          return radio;
        });
        const row = make("div", group), button = make("button", row, { type: "button", className: "jupyter-button" });
        const line = make("span", row);
        row.style.cssText = "display: flex; gap: 12px; align-items: center; min-height: 3em";
        button.style.cssText = "flex: none";
        write(button, "Check");
        button.setAttribute("aria-label", `Check question ${i + 1}`);
        line.setAttribute("role", "status");
        const chosen = () => radios.findIndex((radio) => radio.checked);
        const open = () => { button.disabled = chosen() < 0; line.replaceChildren(); };
        radios.forEach((radio) => { radio.onchange = open; });
        button.onclick = () => model.send({ question: i, choice: chosen() });
        for (const one of [...radios, button]) {
          one.setAttribute("data-lm-suppress-shortcuts", "true");  // the notebook would take the arrows, and leave
        }
        return { radios, button, line };
      });
      const show = () => questions.forEach(({ radios, button, line }, i) => {
        const choice = model.get("chosen")[i], said = model.get("said")[i];
        if (choice >= 0 && line.dataset.said !== said) {
          radios[choice].checked = true;
          line.dataset.said = said;
          line.replaceChildren();
          write(line, said);
        }
        button.disabled = !radios.some((radio) => radio.checked);
      });
      model.on("change:said", show);
      requestAnimationFrame(show);
      return () => model.off("change:said", show);
    }
    export default { render };
    """
    questions = traitlets.List().tag(sync=True)
    chosen = traitlets.List(traitlets.Int()).tag(sync=True)  # the place of the choice, -1 before there is one
    said = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, number: str, questions: Sequence[QuizQuestion]) -> None:
        self.number, self.content = number, tuple(questions)
        texts = [{"text": one.text, "choices": [choice.text for choice in one.choices]} for one in questions]
        super().__init__(questions=texts, chosen=[-1] * len(texts), said=[""] * len(texts))
        answered = logbook.quizzes().get(number, {})
        for i, one in enumerate(self.content):  # the question, or the choice, may have been another at that time
            page, choices = answered.get(str(i + 1)), [choice.text for choice in one.choices]
            if isinstance(page, dict) and page.get("choice") in choices:
                self._show(i, choices.index(page["choice"]))
        self.on_msg(lambda _, message, __: self.choose(message["question"], message["choice"]))

    def choose(self, i: int, place: int) -> None:
        """Take the choice at this place for question i, both counted from 0, and note it."""
        choice = self.content[i].choices[place]
        self._show(i, place, logbook.chosen(self.number, i + 1, choice.text, choice.right))

    def _show(self, i: int, place: int, note: str = "") -> None:
        choice = self.content[i].choices[place]
        said = f"{'✓ Right.' if choice.right else '✗ Not this one.'} {choice.feedback}" + f" ({note})" * bool(note)
        with self.hold_sync():
            self.chosen = [*self.chosen[:i], place, *self.chosen[i + 1 :]]
            self.said = [*self.said[:i], said, *self.said[i + 1 :]]

    def __repr__(self) -> str:
        return f"Quiz of notebook {self.number}, {len(self.content)} questions. Run this notebook to answer them."
