"""A question above an explorer: the learner predicts first, then sees, and is told whether it was so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anywidget
import traitlets

from .. import checked


@dataclass(frozen=True)
class Question:
    """What will the explorer show at certain settings? The answer is read off what it then shows."""

    text: str
    options: tuple[str, ...]
    settings: Callable[[dict[str, Any]], dict[str, Any]]  # made of those before
    answer: Callable[[Any], str]  # of the result at these settings, one of the options
    why: str


class Prediction(anywidget.AnyWidget):
    """A question with radio buttons; the button after them asks the explorer to move there and to compare."""

    _esm = """
    function render({ model, el }) {
      const make = (name, parent, properties) => parent.appendChild(
        Object.assign(document.createElement(name), properties));
      const group = make("fieldset", el, {}), legend = make("legend", group, {});
      const own = `prediction-${Math.random()}`;  // the radio buttons of this view
      const row = make("div", group, {}), line = make("p", group, {});
      group.style.cssText = "border: 0; margin: 0; padding: 2px; font-family: var(--jp-content-font-family);" +
        "font-size: var(--jp-content-font-size1, 14px); color: var(--jp-content-font-color1, inherit)";
      row.style.cssText = "display: flex; flex-wrap: wrap; gap: 4px 20px; align-items: center; margin: 6px 0";
      line.style.cssText = "margin: 0 0 6px; min-height: 3em; line-height: 1.5";
      legend.style.padding = "0";
      make("b", legend, { textContent: "Predict first. " });
      legend.append(model.get("text"));
      line.setAttribute("role", "status");
      const radios = model.get("options").map((text, i) => {
        const label = make("label", row, {});
        const radio = make("input", label, { type: "radio", name: own });
        label.append(" " + text);
        radio.onchange = () => { model.set("chosen", i); model.save_changes(); };
        return radio;
      });
      const button = make("button", row, { type: "button", textContent: "Show me", className: "jupyter-button" });
      button.onclick = () => { model.set("asked", model.get("asked") + 1); model.save_changes(); };
      const show = () => {
        radios.forEach((radio, i) => { radio.checked = i === model.get("chosen"); });
        button.disabled = model.get("chosen") < 0;
        line.textContent = model.get("verdict") || "Choose one, then press the button.";
      };
      model.on("change", show);
      for (const one of [...radios, button]) {
        one.setAttribute("data-lm-suppress-shortcuts", "true");  // the notebook would take the arrows, and leave
      }
      requestAnimationFrame(show);
    }
    export default { render };
    """
    text = traitlets.Unicode().tag(sync=True)
    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    asked = traitlets.Int(0).tag(sync=True)  # how often the button was pressed
    verdict = traitlets.Unicode("").tag(sync=True)

    def __init__(self, question: Question, reveal: Callable[[], None]) -> None:
        self.question = question
        super().__init__(text=question.text, options=list(question.options))
        self.observe(lambda _: reveal(), names="asked")

    def choose(self, answer: str) -> None:
        """Choose an answer, as a click on it does."""
        checked.choice(answer, "answer", self.options)
        self.chosen = self.options.index(answer)

    def judge(self, result: Any) -> str:
        """Say whether the prediction agrees with what is shown."""
        seen, said = self.question.answer(result), self.options[self.chosen]
        how = f"It was so: {seen}." if said == seen else f"You predicted: {said}. What happens: {seen}."
        self.verdict = f"{how} {self.question.why}"
        return self.verdict

    def __repr__(self) -> str:
        return f"Predict first. {self.question.text}"
