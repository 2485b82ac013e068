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
