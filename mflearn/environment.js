function render({ model, el }) {
  const line = document.createElement("p");
  line.setAttribute("role", "status");
  line.style.cssText = "font-weight: bold; color: var(--jp-content-font-color1, inherit)";
  const show = () => { line.textContent = model.get("words"); };
  el.append(line);
  model.on("change:words", show);
  requestAnimationFrame(show);
  model.set("answer", model.get("question") * 2);
  model.save_changes();
}
export default { render };
