function render({ model, el }) {
  const row = el.appendChild(document.createElement("div"));
  const button = row.appendChild(document.createElement("button"));
  const line = row.appendChild(document.createElement("span"));
  row.style.cssText = "display: flex; gap: 12px; align-items: center; margin: 4px 2px; min-height: 3em;" +
    "line-height: 1.5; font-family: var(--jp-content-font-family);" +
    "font-size: var(--jp-content-font-size1, 14px); color: var(--jp-content-font-color1, inherit)";
  button.type = "button";
  button.className = "jupyter-button";
  button.style.cssText = "flex: none";
  line.setAttribute("role", "status");
  button.onclick = () => { model.set("asked", model.get("asked") + 1); model.save_changes(); };
  const show = () => {
    button.textContent = `Open the test set (opened ${model.get("count")}×)`;
    line.textContent = model.get("words");
  };
  model.on("change", show);
  requestAnimationFrame(show);
}
export default { render };
