// Makes a deck of the slides in a page of decks.py. The sizes are those of the slides in JupyterLab.
const paper = location.search.includes("print-pdf");
const dark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => { document.documentElement.dataset.theme = dark.matches && !paper ? "dark" : "light"; };
dark.addEventListener("change", dress);
dress();

window.MathJax = { tex: { inlineMath: [["$", "$"]] } };

// One question of a quiz a slide. quiz.js, which comes before, has shown them all on one.
document.addEventListener("DOMContentLoaded", () => {
  for (const question of document.querySelectorAll(".quiz > fieldset + fieldset")) {
    const quiz = question.parentElement.cloneNode(), slide = document.createElement("section");
    quiz.append(question);
    slide.append(quiz);
    [...document.querySelectorAll("section:has(.quiz)")].at(-1).after(slide);
  }
  Reveal.initialize({
    width: 828, height: 466, margin: 0, minScale: 0.1, maxScale: 20, center: false,
    controls: false, progress: false, slideNumber: "c/t", transition: "none", hash: true,
    keyboardCondition: event => !event.target?.closest?.("select, button"),  // reveal.js knows of inputs only
    plugins: [RevealNotes],
  });
});

// A remote control sends these keys; a slider that has the focus would take them.
addEventListener("keydown", event => {
  if (!["PageDown", "PageUp"].includes(event.key)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.key === "PageDown") Reveal.next(); else Reveal.prev();
}, true);
