// The questions of a page, shown by `quiz.render` of JupyterLab's questions.js; the answers are in the page.
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".quiz").forEach((el) => {
  const { questions, said } = JSON.parse(el.dataset.quiz);
  const state = { questions, chosen: questions.map(() => -1), said: questions.map(() => "") };
  let show;
  const model = {
    get: (name) => state[name],
    on: (_event, listener) => { show = listener; },
    send: ({ question, choice }) => {
      state.chosen[question] = choice;
      state.said[question] = said[question][choice];
      show();
    },
  };
  quiz.render({ model, el });
}));
