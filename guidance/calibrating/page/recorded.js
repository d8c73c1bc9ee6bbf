// Steps that are recorded and then worked out: what to set up, the recording under way, what came of it; and all steps as a list.

import { besideTable } from "/beside.js";

const RECORDED = ["ready", "recording"];

export const isRecorded = (state) => state.recorded !== null && [...RECORDED, "solving", "told"].includes(state.phase);

// What stands largest at the foot.
export function sayOf(state) {
  const step = state.recorded;
  if (state.phase === "recording") return step.now?.say ?? "";
  if (state.phase !== "ready") return "One moment: working it out. You may put it down.";
  if (step.again !== null) return `Now ${step.take_title} again.`;
  if (step.may_solve) return `${step.takes.length} recorded. Work it out, or record ${step.more.toLowerCase()}.`;
  return step.take ? `Now ${step.take_title}.` : step.say;
}

// The panel beside the picture; built anew only where what is asked has changed, so that no field goes under a finger.
export function makePanel(el, send, begin) {
  const node = document.getElementById("recorded"), acts = document.getElementById("acts"), left = document.getElementById("left");
  let shown = "", fields = {}, gasTimer = null;

  const entries = () => Object.fromEntries(Object.entries(fields).map(([key, read]) => [key, read()]));
  const start = () => begin({ do: "begin", entries: entries() });
  const changed = () => send({ do: "entered", entries: entries() });

  function field(one) {
    if (one.choices.length) {
      let value = one.value;
      const row = el("div", { class: "choices", role: "group", "aria-label": one.label });
      row.append(...one.choices.map((choice) => el("button", {
        type: "button", class: choice === value ? "on" : "", "aria-pressed": String(choice === value), "data-choice": choice,
        onclick: () => {
          value = choice;
          for (const other of row.children) {
            other.className = other.dataset.choice === value ? "on" : "";
            other.setAttribute("aria-pressed", String(other.dataset.choice === value));
          }
          changed();
        },
      }, choice)));
      fields[one.key] = () => value;
      return el("div", { class: "entry" }, el("span", {}, one.label), row);
    }
    const input = el("input", { id: `entry-${one.key}`, inputmode: "decimal", "aria-label": one.label, autocomplete: "off", maxlength: "12", oninput: changed });
    input.value = one.value;
    if (one.unknown) input.placeholder = one.unknown;
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") start(); });
    fields[one.key] = () => input.value;
    const number = el("span", { class: "number" }, input, ` ${one.unit}`);
    if (one.joined) return number;
    return el("label", { class: "entry" }, el("span", {}, one.label), number);
  }

  // A bound stands behind its figure: a small screen then shows what is seen, too.
  function rows(entries) {
    const made = [];
    for (const one of entries) {
      const node = field(one);
      if (!one.joined) { made.push(node); continue; }
      const figure = made.at(-1).querySelector(".number");
      figure.classList.add("pair");
      figure.lastChild.textContent = " ± ";
      figure.append(...node.childNodes);
      figure.append(", 95 %");
    }
    return made;
  }

  function build(state) {
    const step = state.recorded, ready = state.phase === "ready";
    fields = {};
    const parts = [el("h2", {}, step.title, ...(step.least > 1 || step.more ? [el("small", {}, ` recording ${step.take + 1}${step.take < step.least ? ` of ${step.least}` : ""}`)] : []))];
    if (step.takes.some(Boolean)) parts.push(el("p", { class: "takes" }, ...step.takes.map((one, k) => (!ready || step.again !== null
      ? el("span", { class: k === step.again ? "again" : "" }, `${k === step.again ? "↻" : "✓"} ${one}`)
      : el("button", { "data-again": k, title: "Record this one again", onclick: () => send({ do: "again", take: k }) }, `✓ ${one} `, el("b", {}, "again"))))));
    // What is told and what is seen stays above the edge of a small screen; what to set up may be scrolled to.
    if (ready && step.entries.length) parts.push(el("p", { class: "ask" }, step.take_title ? `Tell of ${step.take_title}:` : "Tell:"), ...rows(step.entries));
    const seen = [el("p", { class: "bad", id: "trouble" }, ready ? step.trouble : ""), el("div", { id: "hints", role: "status" })];
    const list = ready ? [el("ul", {}, ...step.set_up.map((one) => el("li", {}, one)))] : [];
    parts.push(...(step.entries.length ? [...seen, ...list] : [...list, ...seen]));
    node.replaceChildren(...parts);
    acts.replaceChildren(...buttons(state));
  }

  function buttons(state) {
    const step = state.recorded;
    if (state.phase === "recording") {
      const gas = step.name === "jet" && state.gas_by_hand ? [gasButton()] : [];
      return [...gas, el("button", { id: "stop", onclick: () => send({ do: "cancel" }) }, "Stop, begin anew")];
    }
    if (state.phase !== "ready") return [];
    const keep = step.again === null ? [] : [el("button", { id: "keep", onclick: () => send({ do: "keep" }) }, "Keep the older one")];
    const first = step.may_solve
      ? [el("button", { class: "first", id: "work", onclick: () => send({ do: "enough" }) }, "Work it out"), el("button", { id: "begin", onclick: start }, step.more)]
      : [el("button", { class: "first", id: "begin", onclick: start }, `Begin (${step.least_s < step.lasts_s ? `${Math.round(step.least_s)} to ` : ""}${Math.round(step.lasts_s)} s)`)];
    return [...first, ...keep, el("button", { id: "leave", onclick: () => send({ do: "skip" }) }, "Leave it out"), el("button", { id: "all", onclick: () => send({ do: "overview" }) }, "All steps")];
  }

  // Said again and again while it is held: a page that is gone holds no gas.
  function gasButton() {
    const say = (flows) => send({ do: "gas", flows });
    const off = () => { if (gasTimer !== null) { clearInterval(gasTimer); gasTimer = null; say(false); } };
    const on = (event) => { event.preventDefault(); if (gasTimer === null) { say(true); gasTimer = setInterval(() => say(true), 300); } };
    return el("button", { id: "gas", class: "gas", onpointerdown: on, onpointerup: off, onpointercancel: off, onpointerleave: off }, "Hold while gas flows");
  }

  return (state) => {
    const on = isRecorded(state);
    document.body.classList.toggle("records", on);
    if (!on) { shown = ""; left.hidden = true; return; }
    const step = state.recorded, key = JSON.stringify([step.name, state.phase, step.take, step.may_solve, step.again, step.takes]);
    if (key !== shown) { shown = key; build(state); }
    const trouble = document.getElementById("trouble");
    if (trouble && state.phase === "ready") trouble.textContent = step.trouble;
    hints(step);
    const now = step.now;
    left.hidden = now === null;
    if (now === null) return;
    document.getElementById("left-s").textContent = String(Math.ceil(now.left_s));
    document.getElementById("left-all").textContent = `${step.least_s < step.lasts_s ? "at most " : ""}${Math.ceil(now.all_left_s)} s left in all${now.kept ? "" : "; not recorded now"}${now.anew ? "; the shutter closed, this look began anew" : ""}`;
    document.getElementById("left-bar").style.width = `${100 * now.share}%`;
    left.dataset.kept = String(now.kept);
  };

  function hints(step) {
    const at = document.getElementById("hints");
    const words = step.hints.map((one) => `${one.state}${one.words}`).join("|");
    if (!at || at.dataset.said === words) return;
    at.dataset.said = words;
    const marks = { good: "✓", bad: "!", waits: "…" };
    at.replaceChildren(...step.hints.map((one) => el("p", { class: one.state }, el("b", {}, marks[one.state]), one.words)));
  }
}

// What came of a step: reason and remedy where it was refused, figures and bound where it was taken.
export function outcomeCard(el, outcome, stands, buttons, beside) {
  const good = outcome.state === "accepted" || outcome.state.startsWith("older");
  const isCheck = outcome.name === "check";
  const parts = isCheck ? outcome.lines.map((line) => PART.exec(line)).filter(Boolean) : [];
  const untold = parts.filter((one) => ["unknown", "not looked at"].includes(one[2])).map((one) => one[1]);
  const moved = parts.some((one) => one[2] === "moved");
  const verdict = !isCheck ? outcome.state : moved ? "something moved" : !good ? "not checked" : untold.length ? "what was looked at holds" : "the rig holds";
  const refusals = outcome.lines.filter((line) => /^\s*(REFUSED|NOT WRITTEN)/.test(line)).map((line) => line.trim().replace(/^REFUSED\.\s*/, ""));
  const first = isCheck ? refusals : good && !refusals.length ? [stands] : refusals;
  const rest = outcome.lines.filter((line) => line.trim() && !/^(Rig|Page|Before|Written) {2,}/.test(line) && !/^\s*REFUSED/.test(line) && !first.includes(line) && !(isCheck && (PART.test(line) || /^[A-Z ]+\.$/.test(line))));
  return el("div", { class: `card outcome ${good ? "good" : "refused"}` },
    el("h1", {}, el("b", {}, good ? "✓ " : "✗ "), `${outcome.title}: ${verdict}`),
    ...first.filter(Boolean).map((line) => el("p", { class: good ? "found" : "bad" }, line)),
    ...(good && untold.length ? [el("p", { class: "untold" }, `Not told: ${untold.join(", ")}.`)] : []),
    ...(parts.length ? [el("div", { class: "parts" }, ...parts.flatMap(([, name, state, words]) => [el("b", {}, name), el("span", { class: `chip ${PART_KIND[state]}` }, state), el("span", {}, words)]))] : []),
    ...(beside ? [besideTable(el, beside)] : []),
    el("div", { class: "row" }, ...buttons),
    rest.length ? el("details", { ...(good || rest.length <= 14 ? { open: "" } : {}) }, el("summary", {}, "Figures"), el("pre", {}, rest.join("\n"))) : "");
}

const PART = /^(\w+) +(valid|moved|unknown|not looked at) +(.*)$/;
const PART_KIND = { valid: "ok", moved: "stop", unknown: "look", "not looked at": "dim" };

const CHIPS = {
  done: ["done", "ok"], lapsed: ["no longer holds", "look"], open: ["to do", "todo"], "not yet": ["later", "dim"], "not possible": ["not possible", "dim"],
  accepted: ["accepted", "ok"], refused: ["refused", "stop"], missing: ["left out", "look"], "older one kept": ["older kept", "ok"],
};

export const chipOf = (one) => one.name === "check" && one.state === "open" && one.stands === "open" ? ["any time", "dim"] : CHIPS[one.state !== "open" ? one.state : one.stands] ?? CHIPS.open;

// All steps with how each stands; what to do first is the first and largest.
export function listCard(el, state, send, begin, showBeside) {
  const check = state.steps.find((one) => one.name === "check"), steps = state.steps.filter((one) => one !== check);
  const wanted = steps.filter((one) => one.wanted && one.offered), later = steps.filter((one) => one.stands === "not yet" && !state.ended);
  const here = steps.some((one) => one.state !== "open");
  const all = steps.every((one) => one.stands === "done" || one.state === "accepted" || one.state.startsWith("older"));
  const possible = steps.filter((one) => one.stands !== "not possible").every((one) => one.stands === "done");
  const head = all ? "Calibrated" : possible ? "All that these cameras allow is calibrated" : here ? "Not all is calibrated" : "What is to be done";
  const goOn = el("button", { id: "go-on", class: wanted.length ? "first" : "", onclick: () => begin({ do: "do", step: null }) },
    wanted.length ? `Go on: ${wanted.map((one) => one.title.toLowerCase()).slice(0, 2).join(", ")}${wanted.length + later.length > 2 ? ", ..." : ""}` : "");
  const quick = check?.offered ? el("button", { id: "quick", class: wanted.length ? "" : "first", onclick: () => begin({ do: "do", step: "check" }) }, "Check before a session (5 s)") : "";
  const row = (one) => {
    const [words, kind] = chipOf(one), figures = one.lines.filter((line) => /^\s*(REFUSED|NOT WRITTEN|What was played)/.test(line)).map((line) => line.trim());
    return el("div", { class: `step ${kind}`, "data-step": one.name }, el("span", { class: "name" }, one.title), el("span", { class: `chip ${kind}` }, words),
      el("span", { class: "about" }, figures.length && one.stands !== "done" ? figures.join(" ") : one.words, ...(one.beside ? [el("button", { "data-beside": one.name, onclick: () => showBeside(one.name) }, "Beside plain least squares")] : [])),
      one.offered && one !== check ? el("button", { class: "small", "data-do": one.name, onclick: () => begin({ do: "do", step: one.name }) }, one.stands === "done" ? "Do again" : "Do it") : el("span", {}));
  };
  return el("div", { class: "card list" }, el("h1", {}, head), el("p", { class: "bad" }, state.choose_trouble ?? ""),
    el("div", { class: "row" }, ...(wanted.length ? [goOn, quick] : [quick])),
    el("div", { class: "table" }, ...state.steps.map(row)),
    el("p", { class: "words" }, `Rig: ${state.rig}`, ...(state.certificate ? [" · ", el("a", { href: "/certificate", target: "_blank" }, "Certificate")] : [])));
}
