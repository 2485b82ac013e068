function render({ model, el }) {
  const make = (name, parent, properties = {}) => parent.appendChild(
    Object.assign(document.createElement(name), properties));
  const write = (parent, text) => text.split("`").forEach((part, i) => make(i % 2 ? "code" : "span", parent,
    { textContent: part }));  // between backticks stands code
  el.classList.add("mflearn-quiz");
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
