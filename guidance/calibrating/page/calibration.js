// The page of a guided calibration: it shows what the server says, beeps and speaks, and sends what is tapped.

import { besideCard, makeStrip } from "/beside.js";
import { chipOf, isRecorded, listCard, makePanel, outcomeCard, sayOf } from "/recorded.js";

const $ = (id) => document.getElementById(id);
const canvas = $("picture"), ink = canvas.getContext("2d");
let refusedPage = false;
let state = null, socket = null, heardAt = performance.now(), mirrored = true, voice = true, audio = null;
let takenSeen = 0, partSeen = "", typed = { a: "", b: "" }, besideOpen = "", stepSeen = "", spoken = "", spokenAt = 0, insist = false, begunAt = 0;

function el(tag, about = {}, ...inside) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...inside);
  return node;
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/live`);
  socket.binaryType = "arraybuffer";
  socket.onclose = (event) => { refusedPage = event.code === 1008; setTimeout(connect, refusedPage ? 3000 : 500); };
  socket.onmessage = async (event) => {
    heardAt = performance.now();
    const { head, parts } = unpack(event.data);
    state = head;
    await show(parts);
    send({ do: "drawn", number: head.number });
  };
}

function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const parts = {};
  let at = 4 + length;
  for (const [name, size] of head.parts) { parts[name] = new Uint8Array(buffer, at, size); at += size; }
  return { head, parts };
}

async function show(parts) {
  await draw(parts);
  $("steps").replaceChildren(...state.steps.map((one) => el("li", { class: `${chipOf(one)[1]}${one.name === state.step ? " now" : ""}`, title: `${one.title}: ${chipOf(one)[0]}` },
    `${one.short}${MARKS[chipOf(one)[1]] ?? ""}`)));
  panel(state);
  if (["running", "recording"].includes(state.phase) && !begunAt) begunAt = performance.now();
  const seconds = begunAt ? Math.floor((performance.now() - begunAt) / 1000) : 0;
  $("clock").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const advice = state.advice;
  $("say").textContent = sayNow();
  $("say").className = sayNow().length > 84 || (isRecorded(state) && sayNow().length > 58) ? "longer" : sayNow().length > 58 ? "long" : "";
  const flash = advice?.taken || performance.now() < takenUntil;
  $("why").className = flash ? "taken" : "";
  $("why").textContent = state.phase !== "running" ? "" : flash ? `Taken: ${advice?.count ?? ""}` : advice?.warnings?.[0] ?? advice?.why ?? "";
  strip(state);
  figures(advice);
  keys();
  sounds();
  over();
  document.body.dataset.phase = state.phase;  // last: what it lets be pressed stands where it will stay
  document.body.dataset.step = state.step ?? "";
}

const MARKS = { ok: " ✓", stop: " ✗", look: " !" };
let takenUntil = 0;

function sayNow() {
  if (isRecorded(state)) return sayOf(state);
  if (state.phase === "solving") return "One moment: working it out. You may put it down.";
  if (state.phase === "print" || state.phase === "choose") return "";
  if (state.phase === "over") return "Done.";
  if (!state.advice) return `Show ${state.thing} to the camera`;
  return mirrored ? state.advice.say : state.advice.say_plain;
}

function figures(advice) {
  const error = advice?.error_mm;
  $("error-value").replaceChildren(...(error === null || error === undefined
    ? ["not known yet"] : [`${error.toFixed(1)} mm `, el("small", {}, `→ ${advice.asked_mm.toFixed(1)} mm asked`)]));
  const most = advice ? 2 * advice.limit_mm : 1, bar = $("error-bar");
  bar.style.width = error === null || error === undefined ? "0" : `${Math.min(100, (100 * error) / most)}%`;
  bar.className = advice && error !== null && error <= advice.asked_mm ? "good" : "";
  $("error-asked").style.left = advice ? `${(100 * advice.asked_mm) / most}%` : "0";
  const words = [];
  if (advice && (error === null || error === undefined)) words.push(`told after ${advice.least} pictures`);
  if (advice?.foretold_mm) words.push(`the next picture: about ${advice.foretold_mm.toFixed(1)} mm`);
  if (advice) words.push(`refused above ${advice.limit_mm.toFixed(1)} mm`);
  $("error-words").textContent = words.join("; ");
  $("count").textContent = advice ? `${advice.count} ${advice.count === 1 ? "picture" : "pictures"}` : "";
  const covered = advice?.coverage, cells = $("cells");
  cells.replaceChildren();
  if (covered) {
    cells.style.gridTemplateColumns = `repeat(${covered.cells[0].length}, 1fr)`;
    for (const row of covered.cells) for (const n of mirrored ? [...row].reverse() : row) cells.append(el("i", { class: n > 2 ? "often" : n ? "once" : "" }));
  }
  const side = (name) => (mirrored ? { left: "right", right: "left" }[name] ?? name : name);
  $("marks").replaceChildren(...(covered ? [...covered.leans.map(([name, n]) => [side(name), n]), ...covered.distances] : [])
    .map(([name, n]) => el("span", { class: n ? "has" : "" }, `${n ? "✓ " : ""}${name}`)));
  if (covered) {
    $("marks").prepend(el("b", {}, "Side towards the camera"));
    $("marks").insertBefore(el("b", {}, "Distance"), $("marks").children[covered.leans.length + 1]);
  }
  $("missing").textContent = advice && !covered && advice.missing.length ? `Missing: ${advice.missing.join(", ")}` : "";
}

async function draw(parts) {
  if (!parts.jpeg) return;
  const picture = await createImageBitmap(new Blob([parts.jpeg], { type: "image/jpeg" }));
  const warm = parts.warm ? await createImageBitmap(new Blob([parts.warm], { type: "image/jpeg" })) : null;
  canvas.width = picture.width;
  canvas.height = picture.height;
  ink.save();
  if (mirrored) { ink.translate(canvas.width, 0); ink.scale(-1, 1); }
  ink.drawImage(picture, 0, 0);
  const scale = state.scale, advice = state.advice;
  if (advice && state.phase === "running") {
    ink.lineWidth = 5;
    for (const outline of advice.ghost) {
      ink.strokeStyle = "#46dceb";
      ink.fillStyle = "rgba(70, 220, 235, .16)";
      path(outline, scale);
      ink.fill();
      ink.setLineDash([18, 10]);
      ink.stroke();
      ink.setLineDash([]);
      nearSide(outline, scale);
    }
    ink.fillStyle = advice.taken ? "#ffffff" : "#3cdc96";
    for (const [x, y] of advice.seen) { ink.beginPath(); ink.arc(x * scale, y * scale, 4, 0, 7); ink.fill(); }
  }
  if (advice?.taken) { ink.lineWidth = 24; ink.strokeStyle = "#3cdc96"; ink.strokeRect(0, 0, canvas.width, canvas.height); }
  if (warm) { const w = canvas.width / 4, h = (w * warm.height) / warm.width; ink.drawImage(warm, canvas.width - w - 8, canvas.height - h - 8, w, h); }
  ink.restore();
}

// The side of an outline that is to come nearer, where one is: it looks longer than the one opposite.
function nearSide(outline, scale) {
  if (state.advice.ghost.length !== 1 || outline.length !== 4) return;
  const long = outline.map(([x, y], k) => Math.hypot(x - outline[(k + 1) % 4][0], y - outline[(k + 1) % 4][1]));
  const more = long.map((one, k) => one / long[(k + 2) % 4]), k = more.indexOf(Math.max(...more));
  if (more[k] < 1.06) return;
  ink.lineWidth = 14;
  path([outline[k], outline[(k + 1) % 4]], scale);
  ink.stroke();
}

function path(points, scale) {
  ink.beginPath();
  points.forEach(([x, y], k) => (k ? ink.lineTo(x * scale, y * scale) : ink.moveTo(x * scale, y * scale)));
  ink.closePath();
}

function tone(hz, at, lasts) {
  const source = audio.createOscillator(), level = audio.createGain();
  source.frequency.value = hz;
  level.gain.setValueAtTime(0, audio.currentTime + at);
  level.gain.linearRampToValueAtTime(0.4, audio.currentTime + at + 0.01);
  level.gain.linearRampToValueAtTime(0, audio.currentTime + at + lasts);
  source.connect(level).connect(audio.destination);
  source.start(audio.currentTime + at);
  source.stop(audio.currentTime + at + lasts + 0.02);
}

function sounds() {
  if (state.taken_total > takenSeen) {
    takenUntil = performance.now() + 900;
    if (audio) tone(880, 0, 0.12);
    document.body.dataset.beeps = String(Number(document.body.dataset.beeps ?? 0) + 1);
  }
  takenSeen = state.taken_total;
  const done = state.steps.filter((one) => one.state === "accepted").map((one) => one.name).join();
  if (done !== stepSeen && audio) { tone(660, 0, 0.12); tone(880, 0.14, 0.12); tone(1320, 0.28, 0.25); }
  stepSeen = done;
  const step = state.recorded, part = step && state.phase === "recording" ? step.now?.say : step ? `${state.phase}${step.take}` : "";
  if (part !== partSeen && partSeen && part && audio) tone(state.phase === "recording" ? 880 : 660, 0, 0.15);
  partSeen = part;
  const words = $("say").textContent, now = performance.now();
  if (voice && audio && words && words !== spoken && now - spokenAt > 1500 && "speechSynthesis" in window) {
    speechSynthesis.cancel();
    speechSynthesis.speak(new SpeechSynthesisUtterance(words));
    spoken = words;
    spokenAt = now;
  }
}

let overShown = "";
function over() {
  const key = JSON.stringify([state.phase, besideOpen, state.trouble, state.print_trouble, state.choose_trouble, state.refused?.lines, state.outcome?.lines, ["choose", "over"].includes(state.phase) && state.steps]);
  if (key === overShown) return;
  overShown = key;
  const card = state.trouble ? troubleCard() : besideOpen ? besideCard(el, state.steps.find((one) => one.name === besideOpen), () => showBeside("")) : CARDS[state.phase]?.() ?? null;
  $("over").hidden = card === null;
  $("over").replaceChildren(...(card ? [card] : []));
  $("over").querySelector("input, button.first")?.focus();
}

async function begin(message) {
  await sound();
  send(message);
}

function printCard() {
  const rulers = [["a", "Ruler A, along the short side of the paper"], ["b", "Ruler B, along its long side"]].map(([name, words]) => {
    const field = el("input", { id: `measured-${name}`, inputmode: "decimal", autocomplete: "off", maxlength: "12", "aria-label": `${words}, mm` });
    field.value = typed[name];
    field.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
    field.addEventListener("input", () => { typed[name] = field.value; });
    return { words, field };
  });
  // One alone is taken for both; what is typed and is no length is told, never left out.
  const go = () => {
    const said = rulers.map((one) => one.field.value.trim()).filter(Boolean), mm = said.map((one) => Number(one.replace(",", ".")));
    if (mm.length && mm.every((one) => one > 0)) begin({ do: "measured", mm, insist });
    else $("over").querySelector(".bad").textContent = mm.length ? "Tell lengths in mm, such as 99.8." : "Tell the lengths, or tap Not measured.";
  };
  const buttons = [el("button", { class: "first", id: "go", onclick: () => { insist = false; go(); } }, "Begin")];
  if (state.print_trouble) buttons.push(el("button", { id: "insist", onclick: () => { insist = true; go(); } }, "Insist on this scale"));
  buttons.push(el("button", { id: "unmeasured", onclick: () => begin({ do: "measured", mm: null, insist: false }) }, "Not measured"));
  return el("div", { class: "card" }, el("h1", {}, "How long are the printed rulers?"),
    el("p", {}, "Measure both rulers of 100 mm on a sheet with a steel rule, to 0.2 mm. What is calibrated with the sheet is off by as much as the sheet is. A direction that is not measured stays in doubt by 0.5 %."),
    ...rulers.map((one) => el("p", {}, el("label", { class: "ruler" }, el("span", {}, one.words), el("span", { class: "number" }, one.field, " mm")))),
    el("p", { class: "bad" }, state.print_trouble ?? ""), el("div", {}, ...buttons),
    el("p", { class: "words" }, "Then stand before the camera. A tone says that a picture was taken; the words at the foot say what to do next, and are spoken. Keys: M mirrors the picture, V switches the voice, E ends a step that is within its limit, S leaves a step out."));
}

function toldCard(outcome, again) {
  const good = outcome.state === "accepted" || outcome.state.startsWith("older"), stands = state.steps.find((one) => one.name === outcome.name);
  const leave = el("button", { id: "leave", onclick: () => send({ do: "skip" }) }, "Leave this step out");
  // Of several recordings one may be at fault: the others stay.
  const takes = state.recorded?.takes ?? [];
  const ones = state.phase !== "told" || takes.length < 2 || state.ended ? [] : takes.map((one, k) => el("button", { class: "first", "data-again": k, onclick: () => send({ do: "again", take: k }) }, `Only ${one} again`));
  const all = state.ended ? "" : el("button", { id: "all", onclick: () => send({ do: "overview" }) }, "All steps");
  const buttons = good
    ? [el("button", { class: "first", id: "next", onclick: () => send({ do: "skip" }) }, state.left ? "Next step" : "Done"), ...(state.left ? [all] : [])]
    : [...ones, el("button", { class: ones.length ? "" : "first", id: "again", onclick: () => send({ do: "again" }) }, ones.length ? "Record all again" : again), leave, all];
  return outcomeCard(el, outcome, stands?.words ?? "", buttons, stands?.beside ?? null);
}

function troubleCard() {
  return el("div", { class: "card" }, el("h1", {}, "It cannot go on"), el("p", { class: "bad" }, state.trouble),
    state.phase === "stuck" ? el("button", { class: "first", id: "all", onclick: () => send({ do: "overview" }) }, "All steps") : "");
}

function showBeside(name) {
  besideOpen = name;
  over();
}

const list = () => listCard(el, state, send, begin, showBeside);
const CARDS = {
  print: printCard, choose: list, over: list,
  refused: () => toldCard(state.refused, "Take them again"),
  told: () => toldCard(state.outcome, state.outcome.name === "check" ? "Check again" : "Record again"),
};
const panel = makePanel(el, send, begin), strip = makeStrip(el, showBeside);

function act(key) {
  if (key === "m") mirrored = !mirrored;
  else if (key === "v") { voice = !voice; if ("speechSynthesis" in window) speechSynthesis.cancel(); }
  else if (key === "e" && mayEnd()) send({ do: "enough" });
  else if (key === "s" && state.phase === "running") send({ do: "skip" });
  keys();
}

const mayEnd = () => state?.phase === "running" && state.may_end;

// A browser is silent until it is touched: after the page was loaded anew that has to be said.
async function sound() {
  audio ??= new AudioContext();
  await audio.resume();
  keys();
}

const button = (name, press) => el("button", { id: `key-${name}`, onclick: press });
const buttons = { sound: button("sound", sound), ...Object.fromEntries(["m", "v", "e", "s"].map((name) => [name, button(name, () => act(name))])) };
buttons.sound.className = "sound";
$("keys").append(...Object.values(buttons));

// Changed, never made anew: one that is made anew under a finger is not pressed.
function keys() {
  const words = { sound: "Tap for tone and voice", m: mirrored ? "Not mirrored (M)" : "Mirrored (M)", v: voice ? "Voice off (V)" : "Voice on (V)", e: "End this step (E)", s: "Leave it out (S)" };
  for (const [name, node] of Object.entries(buttons)) if (node.textContent !== words[name]) node.textContent = words[name];
  buttons.sound.hidden = audio?.state === "running";
  buttons.e.disabled = !mayEnd();
  buttons.e.title = mayEnd() ? "" : "not within its limit yet";
}

keys();
document.addEventListener("pointerdown", sound);
document.addEventListener("keydown", (event) => {
  if (!state) return;
  sound();
  if (!(event.target instanceof HTMLInputElement)) act(event.key.toLowerCase());
});

setInterval(() => {
  const away = socket?.readyState !== WebSocket.OPEN, silentMs = performance.now() - heardAt;
  $("gone").hidden = !(refusedPage || (away && silentMs > 1500));
  if (refusedPage) $("gone").textContent = "Too many of these pages are open: close the others.";
  else if (!$("gone").hidden) $("gone").textContent = "The calibration program has ended or cannot be reached: what stands here is old. Start it again; pictures that were taken are kept.";
  if (!away && silentMs > 3000 && state?.phase === "running") {
    $("why").className = "";
    $("why").textContent = silentMs > 15000 ? "No picture comes: look after the camera." : "One moment ...";
  }
}, 500);

connect();
