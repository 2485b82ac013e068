// The slides of a lecture: what jupyterlab-slideshow leaves to do. It shows the cells of one slide on the whole screen.
//
// No setting of JupyterLab runs the cells of a notebook that opens, and its shortcuts never reach a slider that has the
// focus. So this is a small extension, written as JupyterLab loads it: nothing is built. `mflearn slides` alone loads it.

const SCRIPT = document.currentScript.src;
const WIDTH = 828, HEIGHT = 466;  // of a slide, before it is magnified: 14 pixels are 3 % of the height
const KEYS = { PageDown: 1, PageUp: -1, ArrowRight: 1, ArrowLeft: -1, " ": 1 };
const CONTROL = "input, textarea, select, button, [role=slider], [role=radio], [contenteditable=true]";
let question = 0;  // of a quiz, the one that is shown

const questions = (cell) => [...cell.node.querySelectorAll(".mflearn-quiz > fieldset")];

// Where to stop: at each cell that begins a slide, and there at each question of a quiz.
function places(content) {
  const begins = (cell) => ["slide", "subslide"].includes(cell.model.getMetadata("slideshow")?.slide_type);
  return content.widgets.flatMap((cell, i) => {
    if (i && !begins(cell)) return [];
    return Array.from({ length: questions(cell).length || 1 }, (_, asked) => ({ i, asked }));
  });
}

function here(content, all) {
  const active = content.activeCellIndex;
  return all.findLastIndex(({ i, asked }) => i < active || (i === active && asked <= question));
}

function turn(content, by) {
  const all = places(content), next = all[here(content, all) + by];
  if (!next) return;
  question = next.asked;
  content.activeCellIndex = next.i;
  show(content);
}

// One question of a quiz at a time, and the number of the slide.
function show(content) {
  const all = places(content), cell = content.activeCell;
  if (cell) questions(cell).forEach((one, i) => one.toggleAttribute("data-waits", i !== question));
  document.body.dataset.slide = `${here(content, all) + 1} / ${all.length}`;
}

function magnify() {
  document.body.style.setProperty("--slide-zoom", Math.min(innerWidth / WIDTH, innerHeight / HEIGHT));
}

// The notebook on the screen, once it has a kernel.
async function opened(app) {
  for (;;) {
    const panel = app.shell.currentWidget;
    if (panel?.sessionContext) {
      await Promise.all([panel.context.ready, panel.sessionContext.ready]);
      if (panel.sessionContext.session?.kernel) return panel;
    }
    await new Promise((later) => setTimeout(later, 100));
  }
}

async function present(app, run) {
  const { content } = await opened(app);
  for (const { model, node } of content.widgets) {  // the code of some cells is too long for a slide
    node.classList.toggle("mflearn-output-alone", !!model.getMetadata("tags")?.includes("output-alone"));
  }
  content.activeCellIndex = question = 0;
  await app.commands.execute("deck:start");
  content.activeCellChanged.connect(show);
  show(content);
  if (run) await app.commands.execute("notebook:run-all-cells");
}

function press(app, event) {
  const plain = !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey);
  const meant = event.key.startsWith("Page") || !event.target.closest?.(CONTROL);
  if (document.body.dataset.jpDeckMode !== "presenting" || !(event.key in KEYS) || !plain || !meant) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  turn(app.shell.currentWidget.content, KEYS[event.key]);
}

function activate(app) {
  const address = new URL("slides.css", SCRIPT);
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: address }));
  addEventListener("resize", magnify);
  magnify();
  addEventListener("keydown", (event) => press(app, event), true);  // before the slider, which moves by PageDown itself
  const label = "Present this notebook";
  app.commands.addCommand("mflearn:present", { label, execute: ({ run }) => present(app, run) });
  if (new URLSearchParams(location.search).has("slides")) app.restored.then(() => present(app, true));
}

const plugin = { id: "mflearn-slides:plugin", autoStart: true, activate };
(window._JUPYTERLAB ??= {})["mflearn-slides"] = { init: async () => {}, get: async () => () => plugin };
