// The plain least-squares solution beside ours: a strip over the picture once a step is done, and its figures.

const SHOWN_S = 30;

// Both solutions as a table, the sentence below it.
export function besideTable(el, told) {
  const row = (words, kind) => el("tr", {}, ...words.map((one) => el(kind, {}, one)));
  return el("div", { class: "beside" }, el("table", {}, row(told.head, "th"), ...told.rows.map((one) => row(one, "td"))),
    el("p", { class: told.differs ? "differs" : "agrees" }, told.verdict));
}

export function besideCard(el, one, close) {
  return el("div", { class: "card outcome" }, el("h1", {}, `${one.title}: the plain solution beside ours`), besideTable(el, one.beside),
    el("p", { class: "words" }, "Plain least squares is how it is usually done: every corner or pose counts alike, and a small residual is no bound. What the rig holds is ours."),
    el("div", { class: "row" }, el("button", { class: "first", id: "beside-close", onclick: close }, "Back")));
}

// It goes by itself: whoever stands before the camera goes on with the next step.
export function makeStrip(el, open) {
  const node = document.getElementById("beside");
  let shown = null, until = 0;
  return (state) => {
    for (const one of state.steps) {
      if (!one.beside || one.state === "refused") continue;
      const key = `${one.name} ${JSON.stringify(one.beside)}`;
      if (shown?.has(key)) continue;
      shown?.add(key);
      if (shown === null) continue;
      until = performance.now() + 1000 * SHOWN_S;
      node.className = one.beside.differs ? "differs" : "agrees";
      node.replaceChildren(el("span", {}, el("b", {}, `${one.title}. `), one.beside.verdict),
        el("button", { id: "beside-open", onclick: () => open(one.name) }, "Figures"), el("button", { id: "beside-hide", "aria-label": "hide", onclick: () => { until = 0; node.hidden = true; } }, "×"));
    }
    // What was told before the page was opened stands in the list.
    shown ??= new Set(state.steps.filter((one) => one.beside).map((one) => `${one.name} ${JSON.stringify(one.beside)}`));
    node.hidden = state.phase !== "running" || performance.now() > until;
  };
}
