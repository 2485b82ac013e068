function render({ model, el }) {
  const make = (name, parent, properties) => parent.appendChild(
    Object.assign(document.createElement(name), properties));
  const own = `stars-${Math.random()}`;  // the radio buttons of this view
  el.classList.add("mflearn-stars");
  el.setAttribute("role", "radiogroup");
  el.setAttribute("aria-label", model.get("description"));
  const row = make("div", el, {});
  row.style.cssText = "display: flex; gap: 0 16px; white-space: nowrap; line-height: 1.7;" +
    "font-family: var(--jp-content-font-family); color: var(--jp-content-font-color1, inherit);" +
    "font-size: var(--jp-widgets-font-size, 13px)";
  make("span", row, { textContent: model.get("description") }).style.cssText = "flex: 0 1 30em; white-space: normal";
  const radios = [];
  for (let stars = 0; stars <= 5; stars++) {
    const label = make("label", row, {});
    const radio = make("input", label, { type: "radio", name: own });
    label.append(stars ? ` ${stars}` : "");
    make("span", label, { textContent: stars ? " ★" : " not seen" });  // slides have no room for it
    radio.setAttribute("aria-label", stars ? `${stars} of 5 stars` : "not seen");
    radio.setAttribute("data-lm-suppress-shortcuts", "true");  // the notebook would take the arrows, and leave
    radio.onchange = () => { model.set("value", stars); model.save_changes(); };
    radios.push(radio);
  }
  const show = () => radios.forEach((radio, i) => { radio.checked = i === model.get("value"); });
  model.on("change:value", show);
  show();
}
export default { render };
