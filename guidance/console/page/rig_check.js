// The quick check of the rig before the treatment, made from the server's state. Nothing is decided here.

import { el } from "/pages.js";

const SIGNS = { ok: "OK", warn: "!!", unknown: "?" };
const SAY = {
  waiting: "Hold the warm or cold target before the cameras. The check begins by itself as soon as they see it.",
  looking: "Lean it once to each side. Better still: rest the nozzle's tip on a corner of it for half a second.",
  judging: "Working it out ...",
  told: "",
};

// Whether the first page shows the check in place of its list.
export function isChecking(state) {
  return Boolean(state.rig_check) && state.rig_check.state !== "idle";
}

// What the card is made anew by; all else is written where it stands.
export function rigCheckKey(state) {
  const check = state.rig_check;
  return check && [check.state, check.parts, check.trouble, state.controls];
}

function left(check) {
  return check.state === "waiting" ? "waiting for the target" : check.state === "looking" ? `${Math.ceil(check.left_s)} s` : "";
}

function share(check) {
  return check.state === "waiting" ? 0 : check.state === "looking" ? 1 - check.left_s / check.of_s : 1;
}

function seenRow(one) {
  const sign = one.good ? "ok" : "look";
  return el("li", { data: { state: sign } }, el("span", { class: `sign sign-${sign}` }, one.good ? "OK" : "!"), el("span", {}, one.words));
}

function partRow(part) {
  return el("li", { data: { part: part.name, state: part.state } }, el("span", { class: `sign sign-${part.state}` }, SIGNS[part.state]),
    el("span", { class: "part" }, part.title), el("b", { class: `sign-${part.state}` }, part.verdict), el("span", { class: "found" }, `${part.words}.`));
}

export function rigCheck(state, page) {
  const check = state.rig_check;
  const button = (what, words, more = {}) => el("button", { id: what, disabled: !state.controls, onclick: () => page.send({ do: what }), ...more }, words);
  const told = check.state === "told";
  return [el("div", { class: "card", id: "card-rig-check", data: { check: check.state } },
    el("h1", {}, told ? (check.trouble ? "The rig was not judged" : "The rig, as it was just seen") : "Check the rig"),
    SAY[check.state] ? el("p", { id: "rig-check-say" }, SAY[check.state]) : null,
    told ? null : el("div", { id: "rig-check-left" }, left(check)),
    told ? null : el("div", { class: "progress" }, el("i", {})),
    told ? null : el("ul", { class: "checks scroll", id: "rig-check-seen" }),
    told && check.trouble ? el("p", { class: "scroll", id: "rig-check-trouble" }, el("b", { class: "sign-unknown" }, "? "), check.trouble) : null,
    told && !check.trouble ? el("ul", { class: "parts scroll", id: "rig-check-parts" }, ...check.parts.map(partRow)) : null,
    el("div", { class: "answers" },
      told ? button("check_rig", "Check again") : check.state === "waiting" ? button("check_rig_now", "Look now") : el("span", {}),
      button("leave_rig_check", told ? "Done" : "End the check", told ? { class: "go" } : {})))];
}

export function rigCheckInPlace(state) {
  const check = state.rig_check, time = document.querySelector("#rig-check-left"), list = document.querySelector("#rig-check-seen");
  if (!check || !time || !list) return;
  if (time.textContent !== left(check)) time.textContent = left(check);
  document.querySelector("#card-rig-check .progress i").style.width = `${100 * Math.min(1, Math.max(0, share(check)))}%`;
  const now = JSON.stringify(check.seen);
  if (list.dataset.seen !== now) {
    list.dataset.seen = now;
    list.replaceChildren(...check.seen.map(seenRow));
  }
}
