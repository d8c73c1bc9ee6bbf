// The console's page: it shows what the server says, sends what the operator taps, and alarms when the server is silent.

import { Drawing, unpack } from "/drawing.js";
import { Sound } from "/sound.js";
import { afterStop, alarmRows, bar, checklist, details, donePage, el, inPlace, preflight, readyPage, tiles, toAcknowledge, unheard } from "/pages.js";
import { ZoneTools } from "/zone.js";
import { Awake } from "/awake.js";
import { isChecking, rigCheck, rigCheckInPlace, rigCheckKey } from "/rig_check.js";

const SILENT_MS = 500;
const AGAIN_MS = 300;
const HERE_MS = 1000; // so often at least the server hears that this page hears it
const SAME_NAME = 4001; // this tab was duplicated, and its name with it
const DEAD_MS = 3000; // a line on which nothing came for so long is given up, and another one made
const ALL_MS = 6000;
const SETTLE_MS = 500; // a second tap that was meant for the buttons before hits none of the new ones

const $ = (id) => document.getElementById(id);
const drawing = new Drawing($("picture"));
const sound = new Sound();
const awake = new Awake();

let hello = null, state = null, socket = null, heardAt = performance.now(), everHeard = false, pending = null, silent = "";
let soundTested = false, hereAt = 0;
let allUntil = 0; // till when all alarms are shown, over the picture
let turn = "", turnedAt = 0, begunAt = 0;
const made = new Map();

function pageName(anew = false) {
  let name = sessionStorage.getItem("page");
  if (!name || anew) {
    name = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("page", name);
  }
  return name;
}

const page = {
  get soundReady() { return sound.ready; },
  get soundTested() { return soundTested; },
  get settling() { return performance.now() - turnedAt < SETTLE_MS; },
  send(message) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    else toast("Not connected.");
  },
  // STOP is never lost: it goes out when the line is back.
  stop(what) {
    const open = socket?.readyState === WebSocket.OPEN;
    if (open) socket.send(JSON.stringify({ do: what }));
    if (open && !silent) return;
    if (pending?.what !== "pain") pending = { what, sent: open }; // a line that is silent may be dead
    toast("Not connected. STOP: close the valve, take the nozzle away.");
  },
  async testSound() {
    await sound.unlock(hello.tones);
    sound.test();
    soundTested = true;
    show();
  },
};

const zone = new ZoneTools({ picture: $("picture"), marks: $("marks"), page, changed: () => show(), toast: (words) => toast(words) });

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live?page=${pageName()}`);
  socket.binaryType = "arraybuffer";
  begunAt = performance.now();
  const line = socket;
  socket.onclose = (event) => { if (line !== socket) return; if (event.code === SAME_NAME) pageName(true); setTimeout(connect, AGAIN_MS); };
  socket.onmessage = (event) => {
    if (line !== socket) return;
    heardAt = performance.now();
    everHeard = true;
    if (heardAt - hereAt > HERE_MS && socket.readyState === WebSocket.OPEN) { hereAt = heardAt; socket.send('{"do":"here"}'); }
    if (typeof event.data === "string") told(JSON.parse(event.data));
    else drawn(event.data);
  };
}

async function drawn(buffer) {
  const { head, parts } = unpack(buffer);
  try {
    await drawing.draw({ head, parts });
    zone.sawPicture(head);
  } finally {
    const line = socket;
    const answer = () => { if (line.readyState === WebSocket.OPEN) line.send(JSON.stringify({ do: "drawn", number: head.number })); };
    // The word goes out with the frame that shows the picture; a hidden page has no frames.
    if (document.hidden) answer(); else requestAnimationFrame(answer);
  }
}

function told(message) {
  if (message.kind === "hello") {
    hello = message;
    drawing.setLook(hello.look);
    for (const name of ["ok", "look", "warn", "stop", "low", "unknown", "dim"]) document.documentElement.style.setProperty(`--${name}`, hello.look[name]);
    made.clear();
    return;
  }
  if (message.kind === "word") {
    if (state === null) return;
    Object.assign(state, { sound: message.sound, trouble: message.trouble, alarms: message.alarms });
    alarmsNow();
    return;
  }
  if (state?.phase !== message.phase && message.phase !== "stopped") $("toast").classList.remove("show");
  state = message;
  if (pending) stopAtLast();
  if (state.refused) { toast(state.refused); asItCounts(); }
  if (state.stalled || ended()) drawing.stale();
  zone.told(state);
  show();
}

// A code that was refused does not stay in its field: what stands there is what counts.
function asItCounts() {
  for (const name of ["operator", "subject"]) {
    const field = $(name);
    if (field && field !== document.activeElement) field.value = state[name];
  }
}

// What was tapped while nothing was heard, once it is known whether it is still needed.
function stopAtLast() {
  const { what, sent } = pending;
  if (silent) return;
  pending = null;
  if (["running", "paused"].includes(state.phase) || (what === "pain" && !sent)) page.send({ do: what });
}

function show() {
  if (!hello || !state) return;
  document.body.dataset.phase = state.phase;
  turned();
  document.title = title();
  put("title", [hello.title], () => [hello.title]);
  put("flags", [state.played, hello.approved], () => [state.played ? el("span", {}, "REPLAY") : null, hello.approved ? null : el("span", {}, "NOT APPROVED")]);
  put("source", [hello.source, hello.protocol, state.held], () => [`${hello.source}${state.held ? ", held" : ""}${hello.protocol ? ` | ${hello.protocol}` : ""}`]);
  put("clock", [clock(state.t_s)], () => [clock(state.t_s)]);
  chips();
  legend();
  alarmsNow();
  side();
  put("bar", [state.phase, state.controls, !state.controls && state.control_free, state.gas_counts, state.gas_input?.ok, state.missing, state.open, state.pause_left_s === null ? null : Math.ceil(state.pause_left_s ?? 0), state.over, state.pain, Math.floor(state.rewarming_s ?? -1),
    toAcknowledge(state), sound.ready, soundTested, page.settling], () => bar(state, page));
}

// Other buttons come: for a moment they take no tap (STOP does), and nobody hits one that he has not seen.
function turned() {
  const now = `${state.phase} ${state.controls}`;
  if (now === turn) return;
  turn = now;
  turnedAt = performance.now();
  setTimeout(show, SETTLE_MS + 10);
  awake.want(["running", "paused", "stopped"].includes(state.phase));
}

function title() {
  const runs = ["running", "paused", "stopped"].includes(state.phase), loud = runs && (silent || (state.alarms ?? []).some((one) => one.stop && one.standing));
  return `${loud ? "STOP | " : runs ? `${state.phase.toUpperCase()} | ` : ""}${hello.title} | cryoguide`.replace("cryoguide | ", "");
}

// What sounds, first, and which alarms stand: all of a word that comes ahead of the rest.
function alarmsNow() {
  if (!hello || !state) return;
  if (!silent) sound.set(state.sound);
  const shown = { ...state, silent, mute: !sound.ready };
  const all = performance.now() < allUntil;
  $("alarms").classList.toggle("all", all);
  put("alarms", [all, state.phase, silent, sound.ready, state.trouble, state.notice, state.unrecorded, state.unrecorded_heard, state.alarms], () => alarmRows(shown, all));
}

// Figures change three times a second at most, which can be read and does not flash; what gets worse shows at once.
const STEADY_MS = 350, RANK = { calm: 0, ok: 0, look: 1, warn: 2, unknown: 2, stop: 3 };
const steady = { figures: null, at: 0 };

function steadily(figures) {
  const now = performance.now(), before = steady.figures;
  const worse = !before || !figures || Object.keys(figures).some((name) => (RANK[figures[name]?.state] ?? 0) > (RANK[before[name]?.state] ?? 0));
  if (worse || now - steady.at >= STEADY_MS) { steady.figures = figures ?? null; steady.at = now; }
  return steady.figures;
}

// The figures that are told, or that none is known: what was told before the server fell silent, or its steps stood still, is old.
function known() {
  return (silent || state.stalled) && state.figures ? unheard(state.figures) : state.figures;
}

function side() {
  const sounds = [sound.ready, soundTested];
  const what = {
    preflight: [[hello.checks, state.sound_confirmed, Boolean(state.preparing), state.cameras.map((one) => one.state), state.gas_input?.words, state.controls, rigCheckKey(state), sounds], () => (isChecking(state) ? rigCheck(state, page) : preflight(hello, state, page))],
    details: [[state.operator, state.subject, state.choice, state.history, state.history_confirmed], () => details(hello, state, page)],
    checklist: [[state.answers, state.reasons, state.open], () => checklist(hello, state, page)],
    zone: [zone.zoneKey(), () => zone.zone(hello)],
    touch: [[zone.touchKey(), state.played], () => zone.touch()],
    ready: [[known()?.zone, known()?.nozzle, state.edited], () => readyPage(hello, { ...state, figures: known() })],
    reporting: [[state.report], () => donePage(state)],
    done: [[state.report, state.trouble, state.unrecorded], () => donePage(state)],
  }[state.phase] ?? [[steadily(known())], () => (steady.figures ? [tiles(state.phase === "stopped" ? afterStop(steady.figures) : steady.figures, state.carried)] : [])];
  put("side", [state.phase, silent !== "", state.stalled ?? false, state.carried ?? null, ...what[0]], what[1]);
  if (state.phase === "preflight") { inPlace(state); rigCheckInPlace(state); }
  if (["zone", "touch"].includes(state.phase)) zone.inPlace();
}

// Nobody watches any more: what was seen last is no state of now.
function ended() {
  return ["reporting", "done"].includes(state.phase);
}

function chips() {
  const f = known();
  if (ended()) {
    for (const name of ["gas", "nozzle", "zone", "reference"]) put(`chip-${name}`, [], () => []);
    put("chip-sound", [], () => []);
    return;
  }
  const sign = { ok: "●", gas: "●", look: "▲", unknown: "?", calm: "○" };
  const chip = (name, figure, words) => [el("small", {}, `${name} `), el("span", { class: `sign-${figure.state}` }, `${sign[figure.state] ?? ""} ${words}`)];
  if (f) {
    // What counts as flowing is said to flow at once, before the step that takes it up.
    const gas = state.gas_counts === true && f.gas.on === false ? { ...f.gas, on: true, words: "ON" } : f.gas;
    put("chip-gas", [gas.words, gas.by], () => chip("GAS", { state: gas.on === null ? "unknown" : gas.on ? "gas" : "calm" }, `${gas.words}${gas.by ? `, ${gas.by}` : ""}`));
    put("chip-nozzle", [f.nozzle.words], () => chip("NOZZLE", f.nozzle, f.nozzle.words));
    put("chip-zone", [f.zone.words], () => chip("ZONE", f.zone, f.zone.words));
  }
  if (f?.reference) put("chip-reference", [f.reference.words], () => chip("REFERENCE", f.reference, f.reference.words));
  const quiet = state.pause_left_s !== null && state.pause_left_s !== undefined;
  const words = !sound.ready ? "OFF: tap here" : quiet ? `paused ${Math.ceil(state.pause_left_s)} s` : "on";
  put("chip-sound", [words], () => chip("SOUND", { state: !sound.ready ? "unknown" : quiet ? "look" : "ok" }, words));
}

function legend() {
  if (!hello.dwell) return;
  put("legend", [hello.dwell], () => [
    el("span", {}, drawing.swatch("ramp"), `0 to ${hello.dwell.stop_s} s`),
    el("span", {}, drawing.swatch("predicted"), "predicted"), el("span", {}, drawing.swatch("over"), "limit reached"), el("span", {}, drawing.swatch("unknown"), "unknown"),
    el("span", {}, drawing.swatch("unseen"), "not seen"), el("span", {}, drawing.swatch("left_out"), "leave out")]);
}

// Fill a place anew only when what it is made from has changed: a field in use keeps its focus, a list its place.
function put(id, key, make) {
  const text = JSON.stringify(key);
  if (made.get(id) === text) return;
  const place = $(id), phase = state?.phase ?? "";
  const same = place.dataset.phase === phase; // another page begins at its top
  if (same && inUse(place)) return; // the next state comes within 0.2 s
  place.dataset.phase = phase;
  made.set(id, text);
  const scrolled = same ? place.querySelector(".scroll")?.scrollTop ?? 0 : 0;
  const focused = document.activeElement, inside = place.contains(focused) ? focused.id : "";
  place.replaceChildren(...make().filter((node) => node !== null));
  const scroll = place.querySelector(".scroll");
  if (scroll) scroll.scrollTop = scrolled;
  if (inside) $(inside)?.focus();
}

// A button that is being pressed or held, or a field with words that were not sent yet: made anew, it would lose them.
function inUse(place) {
  const focused = document.activeElement;
  const typing = focused instanceof HTMLInputElement && place.contains(focused) && focused.value !== focused.defaultValue;
  return typing || place.querySelector(".holding, button:active") !== null;
}

function clock(t_s) {
  if (t_s === undefined) return "-:--";
  const tenths = Math.max(0, Math.floor(t_s * 10 + 1e-6));
  return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

let toasting = 0;
function toast(words) {
  $("toast").textContent = words;
  $("toast").classList.add("show");
  clearTimeout(toasting);
  toasting = setTimeout(() => $("toast").classList.remove("show"), 3500);
}

// The server speaks at least each 0.2 s: silence means that nobody watches the skin.
setInterval(() => {
  const quiet = performance.now() - heardAt;
  const over = state?.phase === "done"; // nothing is guided any more
  const now = everHeard && !over && quiet > SILENT_MS ? `No connection to the guidance. Close the valve.${quiet < 2000 ? "" : ` (${Math.floor(quiet / 1000)} s)`}` : "";
  if (now) sound.alarmOfItsOwn();
  // A network that has failed tells the browser nothing for minutes.
  if (everHeard && !over && quiet > DEAD_MS && performance.now() - begunAt > DEAD_MS) { const dead = socket; socket = null; dead?.close(); connect(); }
  if (now !== silent) { silent = now; document.body.dataset.silent = silent ? "yes" : ""; if (silent) drawing.stale(); show(); }
}, 100);

document.addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement || !state) return;
  if (event.ctrlKey || event.altKey || event.metaKey) return; // the browser's own
  const runs = ["running", "paused"].includes(state.phase);
  if (runs && (event.code === "Space" || event.key === "Escape")) { event.preventDefault(); if (!event.repeat) page.stop("stop"); }
  else if (event.repeat) return; // a key that is held says it once
  else if (event.key.toLowerCase() === "a" && state.controls) page.send({ do: "acknowledge" });
  else if (event.key.toLowerCase() === "g" && state.controls && typeof state.gas_counts === "boolean") page.send({ do: state.gas_counts ? "gas_off" : "gas_on" });
  else if (event.key.toLowerCase() === "q" && state.controls) page.send({ do: "quiet" });
}, { capture: true });

async function soundOn() {
  if (!hello || sound.ready) return;
  await sound.unlock(hello.tones);
  show();
  sound.set(null);
  sound.set(state?.sound ?? null);
}
// A window smaller than the smallest tablet, or a page that was zoomed: all of it is drawn smaller, nothing is cut off.
const SMALLEST = { landscape: [1024, 720], portrait: [800, 1180] };
function fit() {
  const [width, height] = SMALLEST[innerHeight > innerWidth ? "portrait" : "landscape"];
  const share = Math.min(1, innerWidth / width, innerHeight / height);
  const { style } = document.body;
  style.width = share < 1 ? `${innerWidth / share}px` : "";
  style.height = share < 1 ? `${innerHeight / share}px` : "";
  style.transform = share < 1 ? `scale(${share})` : "";
}
addEventListener("resize", fit);
fit();

// A tap on the alarms shows those for which there is no room, over the picture, for as long as they take to read.
$("alarms").addEventListener("click", () => {
  const now = performance.now(), more = document.querySelector("#alarms .more") !== null;
  allUntil = now >= allUntil && more ? now + ALL_MS : 0;
  alarmsNow();
});

document.addEventListener("contextmenu", (event) => { if (!(event.target instanceof HTMLInputElement)) event.preventDefault(); }); // of a finger that holds
$("chip-sound").addEventListener("click", soundOn);
$("chip-sound").addEventListener("keydown", (event) => { if (event.key === "Enter") soundOn(); });

connect();
