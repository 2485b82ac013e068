function render({ model, el }) {
  const picture = document.createElement("img"), line = document.createElement("p");
  picture.style.cssText = "max-width: 100%; height: auto; display: block";
  line.setAttribute("role", "status");
  line.style.cssText = "margin: 4px 0; min-height: 3em; line-height: 1.5;" +
    "font-family: var(--jp-content-font-family); font-size: var(--jp-content-font-size1, 14px)";
  el.append(picture, line);
  if (model.get("is_pointed_at")) {
    picture.style.cursor = "crosshair";
    picture.addEventListener("click", event =>
      model.send({ x: event.offsetX / picture.clientWidth, y: event.offsetY / picture.clientHeight }));
  }
  let address, turn = 0;
  const show = async () => {
    const mine = ++turn, png = model.get("png"), words = model.get("words"), failed = model.get("failed");
    const next = new Image(), fresh = URL.createObjectURL(new Blob([png], { type: "image/png" }));
    next.src = fresh;
    try { await next.decode(); } catch { URL.revokeObjectURL(fresh); return; }
    if (mine !== turn) { URL.revokeObjectURL(fresh); return; }
    picture.width = next.naturalWidth; picture.height = next.naturalHeight;
    picture.src = fresh; picture.alt = words;
    line.textContent = words;
    line.style.color = failed ? "var(--jp-error-color1, #c00)" : "var(--jp-content-font-color1, inherit)";
    if (address) URL.revokeObjectURL(address);
    address = fresh;
  };
  // noUiSlider's handles have no name: each takes that of the number box beside it; and its arrow keys are
  // its own: Notebook 7 would go on to another cell. The buttons of Play have no name either.
  const mend = () => {
    const explorer = el.closest(".mflearn-explorer");
    explorer?.querySelectorAll("select").forEach(menu => {  // the arrow of ipywidgets is black in the dark theme, too
      menu.style.backgroundImage = "none";
      menu.style.appearance = "auto";
    });
    explorer?.querySelectorAll(".noUi-handle:not([aria-label])").forEach(handle => {
      const label = handle.closest(".widget-hbox")?.querySelector("label")?.textContent || "slider";
      handle.setAttribute("aria-label", label);
      handle.setAttribute("data-lm-suppress-shortcuts", "true");
    });
    explorer?.querySelectorAll(".widget-play button:not([aria-label])").forEach((button, i) => {
      button.title = ["Play, or pause", "Back to the start"][i % 2];
      button.setAttribute("aria-label", button.title);
    });
  };
  // A number box takes any number and keeps it in its range without a word; emptied, it shows its value again.
  const refuse = event => {
    const box = event.target, wrong = box.validity;
    if (box.type !== "number" || !(wrong.badInput || wrong.rangeOverflow || wrong.rangeUnderflow)) return;
    line.textContent = `${box.value || "That"} is not taken: the box holds numbers from ${box.min} to ${box.max}.`;
    box.value = "";
  };
  const point = event => {  // 1,5 is 1.5
    if (event.target.type !== "number" || event.data !== ",") return;
    event.preventDefault();
    document.execCommand("insertText", false, ".");
  };
  const watch = new MutationObserver(mend);
  model.on("change:version", show);
  let gone = false;
  const begin = () => {
    if (gone) return;
    if (!el.isConnected) { requestAnimationFrame(begin); return; }  // a busy page may take some frames
    show(); mend();
    const explorer = el.closest(".mflearn-explorer");
    if (!explorer) return;
    watch.observe(explorer, { childList: true, subtree: true });
    explorer.addEventListener("change", refuse, true);
    explorer.addEventListener("beforeinput", point);
  };
  requestAnimationFrame(begin);
  return () => { gone = true; watch.disconnect(); if (address) URL.revokeObjectURL(address); };
}
export default { render };
