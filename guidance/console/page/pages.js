// What stands beside the picture and below it, made from the server's state. Nothing is decided here.

const ROWS = 2; // of alarms: the place for them never grows, so that the picture does not jump
const SIGNS = { ok: "OK", look: "!", warn: "!!", stop: "!!!", unknown: "?", calm: "" };

export function el(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key === "value" && name === "input") node.defaultValue = value; // what differs from it was typed and not sent yet
    else if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// A button that acts only after it was held for a second: nothing dangerous is one accidental tap.
export function holdButton(words, act, properties = {}) {
  const button = el("button", { ...properties, class: `hold ${properties.class ?? ""}` }, el("span", { class: "fill" }),
    words, el("small", {}, "hold for 1 s"));
  let timer = 0;
  const begin = () => {
    if (button.disabled || timer) return;
    button.classList.add("holding");
    // A finger that is lifted counts wherever it is: this button may have been taken off the page meanwhile.
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, end);
    timer = setTimeout(() => { end(); if (button.isConnected) act(); }, 1000);
  };
  const end = () => {
    clearTimeout(timer);
    timer = 0;
    button.classList.remove("holding");
    for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, end);
  };
  button.addEventListener("pointerdown", begin);
  for (const name of ["pointerleave", "blur"]) button.addEventListener(name, end);
  button.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.repeat) begin(); });
  button.addEventListener("keyup", end);
  return button;
}

const number = (value, digits) => (value === null || value === undefined ? "?" : value.toFixed(digits).replace("-", "−"));

function tile(label, figure, value, unit, { wide = false, id = "", extra = null } = {}) {
  const known = value !== null && value !== undefined;
  // What is longer than usual is written smaller: nothing is cut off, and nothing moves.
  const narrow = known && `${value} ${unit}`.length > 12 ? " narrow" : "";
  const big = el("div", { class: known ? `value${narrow}` : "value text" }, known ? value : figure.words);
  if (known && unit) big.append(el("small", {}, unit));
  const sign = SIGNS[figure.state];
  return el("div", { class: `tile state-${figure.state} ${wide ? "wide" : ""}`, id, data: { state: figure.state } },
    el("div", { class: "label" }, label), big,
    known ? el("div", { class: `words${figure.words.length + sign.length > 15 ? " tight" : ""}` }, el("b", {}, sign && sign !== "OK" ? `${sign} ` : "", figure.words)) : null, extra);
}

function distanceTile(figure) {
  const [stop, low, high] = figure.limits_mm, full = figure.full_mm;
  const at = (mm) => `${Math.max(0, Math.min(100, (100 * mm) / full))}%`;
  const part = (name, from, to) => {
    const node = el("i", { class: name });
    node.style.left = at(from);
    node.style.right = `calc(100% - ${at(to)})`;
    return node;
  };
  const band = el("div", { class: "band" }, part("near", 0, stop), part("mid", stop, low), part("good", low, high), part("mid", high, full));
  const known = figure.mm !== null;
  if (known) {
    band.append(part("bound", figure.mm - figure.u95_mm, figure.mm + figure.u95_mm));
    const mark = el("i", { class: "mark" });
    mark.style.left = at(figure.mm);
    band.append(mark);
  }
  const sign = SIGNS[figure.state];
  const words = el("div", { class: `words${figure.words.length > 20 ? " tight" : ""}` }, el("b", {}, sign === "OK" ? "" : `${sign} `, figure.words));
  const value = known ? el("div", { class: "value" }, number(figure.mm, 0), el("small", {}, `±${number(figure.u95_mm, 0)} mm`))
    : el("div", { class: "value text" }, "not known");
  return el("div", { class: `tile wide state-${figure.state}`, id: "tile-distance", data: { state: figure.state } },
    el("div", { class: "label" }, "Distance to the skin"), el("div", { class: "row" }, value, words), band);
}

function progress(share) {
  const filled = el("i");
  filled.style.width = `${Math.max(0, Math.min(100, 100 * share))}%`;
  return el("div", { class: "progress" }, filled);
}

// An advice without a speed stands whole where the speed would.
function said(sweep) {
  return sweep.cm_s === null && sweep.keep && !/\d/.test(sweep.keep) ? { ...sweep, words: `${sweep.words}: ${sweep.keep.replace("let skin", "let it")}` } : sweep;
}

// Every figure as not known: nothing is heard of them any more.
export function unheard(figures) {
  const none = Object.fromEntries(["mm", "degc", "s", "cm_s", "share", "u95_mm", "u95_degc", "keep", "on"].map((name) => [name, null]));
  const lost = Object.entries(figures).map(([name, figure]) => [name, { ...figure, ...none, state: "unknown", words: "not known", by: "" }]);
  return { ...Object.fromEntries(lost), zone: { ...figures.zone, state: "unknown", words: "NOT KNOWN", by: "nothing is heard from the guidance", u95_mm: null } };
}

// What an interrupted session hands on to this one.
export function goesOn(carried) {
  const gap = `nobody watched for ${number(carried.gap_s, 0)} s`;
  const gas = carried.gap_gas_s > 0 ? `, of which ${number(carried.gap_gas_s, 0)} s count as gas that may have gone anywhere` : ", with the valve closed before and after";
  return `${number(carried.gas_s, 0)} s of gas before; ${gap}${gas}`;
}

// Once it has stopped nobody is told to come nearer or to stay longer, also while gas still flows.
export function afterStop(figures) {
  const calm = (figure) => (["MOVE CLOSER", "SLOWER"].includes(figure.words) ? { ...figure, state: "look", words: "close valve" } : figure);
  return { ...figures, distance: calm(figures.distance), sweep: calm(figures.sweep) };
}

export function tiles(f, carried = null) {
  const skin = f.skin.degc === null ? null : number(f.skin.degc, 1);
  const bound = f.skin.u95_degc === null ? "°C" : `±${number(f.skin.u95_degc, 1)} °C`;
  return el("div", { class: "tiles" },
    distanceTile(f.distance),
    tile("Lowest skin", f.skin, skin, bound, { id: "tile-skin" }),
    tile("Left here", f.left, f.left.s === null ? null : number(f.left.s, 1), "s", { id: "tile-left" }),
    tile(/\d/.test(f.sweep.keep ?? "") ? `Sweep, ${f.sweep.keep.replace("keep ", "").replace(" cm/s", "").replace("at least", "≥")}` : "Sweep", said(f.sweep), f.sweep.cm_s === null ? null : number(f.sweep.cm_s, 1), "cm/s", { id: "tile-sweep" }),
    tile("Coverage", f.coverage, f.coverage.share === null ? null : number(100 * f.coverage.share, 0), "%",
      { id: "tile-coverage", extra: f.coverage.share === null ? null : progress(f.coverage.share) }),
    tile(f.zone_time.tile ? `Zone, ${f.zone_time.tile}` : "Zone time", f.zone_time, f.zone_time.s === null ? null : number(f.zone_time.s, 0), "s",
      { id: "tile-zone-time", extra: f.zone_time.s === null ? null : progress(f.zone_time.s / f.zone_time.warn_s) }),
    tile(carried ? "Session, gone on" : "Session time", f.session_time, f.session_time.s === null ? null : number(f.session_time.s, 0), "s",
      { id: "tile-session-time", extra: f.session_time.s === null ? null : progress(f.session_time.s / f.session_time.stop_s) }),
    evidence(f.zone));
}

export function evidence(zone) {
  const bound = zone.u95_mm === null ? "" : `±${number(zone.u95_mm, 0)} mm`;
  return el("div", { class: `tile wide state-${zone.state}`, id: "tile-zone", data: { state: zone.state } },
    el("div", { class: "label" }, "Zone placed by"),
    el("div", { class: "words" }, el("b", {}, `${zone.words} ${bound}`), ` ${zone.by}`));
}

export function alarmRows(state, all = false) {
  const rows = [];
  if (state.silent) rows.push(row("high", "STOP", state.silent, "first stop loud"));
  if (state.trouble) rows.push(row("high", "!!!", state.trouble.charAt(0).toUpperCase() + state.trouble.slice(1), "loud"));
  const { notice } = state;
  if (notice?.state === "stop") rows.push(row("high", "STOP", notice.words, "notice first stop"));
  // What the course says beside it never hides a STOP that nobody took note of: it stands after the first of those.
  let calm = notice && notice.state !== "stop" ? row("medium", "!!", notice.words, "notice") : null;
  const note = () => { if (calm) rows.push(calm); calm = null; };
  const told = [];
  if (["reporting", "done"].includes(state.phase)) { note(); return rows; }
  for (const alarm of state.alarms ?? []) {
    if (!told.some((one) => one.cause === alarm.cause && one.standing >= alarm.standing)) told.push(alarm);
  }
  // First what sounds and was not taken note of: no other alarm, and no notice, takes its place.
  const fresh = (alarm) => alarm.stop && alarm.standing && !alarm.acknowledged;
  told.sort((a, b) => Number(fresh(b)) - Number(fresh(a)));
  told.forEach((alarm, k) => {
    if (k > 0 || !fresh(alarm)) note();
    const sign = alarm.mended ? "✓" : alarm.stop ? "STOP" : { high: "!!!", medium: "!!", low: "!" }[alarm.priority];
    const words = alarm.message.replace(/^STOP:? */, "");
    const more = !alarm.standing ? "past" : alarm.mended ? "mended" : alarm.acknowledged ? "heard" : "loud";
    const tail = alarm.mended ? " (good again)" : !alarm.standing ? " (over; acknowledge)" : alarm.acknowledged ? " (acknowledged)" : "";
    rows.push(row(alarm.priority, sign, words.charAt(0).toUpperCase() + words.slice(1) + tail,
      `${k === 0 && alarm.standing && !rows.length ? "first " : ""}${alarm.stop ? "stop " : ""}${more}`, alarm.cause));
  });
  note();
  if (state.mute && !["preflight", "details", "checklist"].includes(state.phase)) {
    rows.push(row("medium", "!!", "This screen cannot sound alarms: tap SOUND at the top.", "mute"));
  }
  if (state.unrecorded) {
    const tail = state.unrecorded_heard ? " (acknowledged)" : "";
    rows.push(row("medium", "!!", `RECORDING: ${state.unrecorded} Guidance goes on.${tail}`, state.unrecorded_heard ? "heard" : "unrecorded", "unrecorded"));
  }
  const shown = all ? rows : rows.slice(0, ROWS);
  if (!all && rows.length > ROWS) {
    const last = shown[ROWS - 1];
    if (last.textContent.length > 48) last.classList.add("lengthy"); // beside "+2 more" there is less room
    last.append(el("span", { class: "more" }, `+${rows.length - ROWS} more`));
  }
  return shown;
}

function row(priority, sign, words, more, cause = "") {
  const lengthy = words.length > (more.includes("first stop") ? 64 : 84) ? "lengthy" : "";
  const node = el("div", { class: `alarm ${priority} ${more} ${lengthy}`, data: { cause } },
    el("span", { class: "sign" }, sign), el("span", {}, words));
  // All rows blink in step, also one made anew in mid-blink: otherwise what changes often would flash faster.
  node.style.animationDelay = `-${performance.now() % 500}ms`;
  return node;
}

// Whether anything displayed waits for the operator's word.
export function toAcknowledge(state) {
  return (state.alarms ?? []).some((alarm) => !alarm.acknowledged) || Boolean(state.unrecorded && !state.unrecorded_heard);
}

function preparing(steps) {
  if (!steps) return null;
  const [done, all] = steps;
  return el("div", { id: "preparing" }, el("p", {}, el("b", {}, "Getting ready ..."), " Guidance begins after that."), progress(all ? done / all : 0));
}

function cameraWords(camera) {
  const rate = camera.hz ? `, ${camera.hz.toFixed(0)} pictures a second` : "";
  return camera.ok ? `${camera.name}${rate}` : camera.words;
}

// What changes all the time is written where it stands: a button that is being tapped must not be made anew.
export function inPlace(state) {
  const bar = document.querySelector("#preparing .progress i");
  if (bar && state.preparing) bar.style.width = `${state.preparing[1] ? (100 * state.preparing[0]) / state.preparing[1] : 0}%`;
  for (const camera of state.cameras) {
    const words = document.querySelector(`[data-camera="${camera.kind}"] .rate`);
    if (words && words.textContent !== cameraWords(camera)) words.textContent = cameraWords(camera);
  }
}

// A switch or valve that says whether gas flows: it is tried before the treatment.
function gasRow(gas) {
  if (!gas) return null;
  const sign = gas.tried ? "ok" : "look";
  return el("li", { data: { state: sign, gas: gas.state } }, el("span", { class: `sign sign-${sign}` }, SIGNS[sign]), el("span", {}, "Gas switch"), el("span", {}, gas.words));
}

export function preflight(hello, state, page) {
  const heard = state.sound_confirmed && page.soundReady;
  // What is to be looked at comes first, whatever it is; the sound gate stays in sight below the list.
  const cameras = state.cameras.map((camera) => {
    const sign = camera.ok ? "ok" : "look";
    return el("li", { data: { state: sign, camera: camera.kind } }, el("span", { class: `sign sign-${sign}` }, SIGNS[sign]),
      el("span", {}, `${camera.kind.charAt(0).toUpperCase()}${camera.kind.slice(1)} camera`), el("span", { class: "rate" }, cameraWords(camera)));
  });
  const checks = hello.checks.map((check) => el("li", { data: { state: check.state } },
    el("span", { class: `sign sign-${check.state}` }, SIGNS[check.state]), el("span", {}, check.name), el("span", {}, check.words)));
  const rows = [...cameras, gasRow(state.gas_input), ...checks].filter((row) => row !== null);
  rows.sort((a, b) => Number(a.dataset.state === "ok") - Number(b.dataset.state === "ok"));
  return [el("div", { class: "card", id: "card-preflight" },
    el("h1", {}, "Before the treatment"),
    preparing(state.preparing),
    el("ul", { class: "checks scroll" }, ...rows),
    el("p", {}, "Test the alarm sound, and confirm that you hear it from where you will stand."),
    el("div", { class: "answers" },
      el("button", { id: "test-sound", onclick: () => page.testSound() }, "Test alarm sound"),
      el("button", { id: "hear-sound", class: heard ? "go" : "", disabled: !page.soundTested, onclick: () => page.send({ do: "confirm_sound" }) },
        heard ? "Heard" : "I hear it"),
      state.rig_check ? el("button", { id: "check_rig", disabled: !state.controls || Boolean(state.preparing), onclick: () => page.send({ do: "check_rig" }) }, "Check the rig")
        : el("span", { class: "quiet" }, page.soundTested ? "" : "First test it.")),
    el("p", { class: "quiet" }, "cryoguide closes no valve. STOP on this page is an instruction to you: close the valve and take the nozzle away."))];
}

// What is treated with what. Another zone or device empties what no longer goes with it.
function chooser(choices, choice, page) {
  const zone = choices.zones.find((one) => one.name === choice.zone);
  const protocols = choices.protocols.filter((one) => one.device === choice.device && !one.not_for.includes(choice.zone));
  const choose = (change) => {
    const next = { ...choice, ...change };
    const there = choices.zones.find((one) => one.name === next.zone);
    if (there && there.sides.length === 1) next.side = there.sides[0];
    if (there && !there.sides.includes(next.side)) next.side = "";
    const fits = choices.protocols.find((one) => one.name === next.protocol);
    if (!fits || fits.device !== next.device || fits.not_for.includes(next.zone)) next.protocol = "";
    page.send({ do: "choose", ...next });
  };
  const select = (name, words, options, value, wide = "") => {
    const field = el("select", { id: `choose-${name}`, disabled: !options.length }, el("option", { value: "" }, "choose"),
      ...options.map((one) => el("option", { value: one.name, selected: one.name === value }, one.title)));
    field.addEventListener("change", () => choose({ [name]: field.value }));
    return el("label", { class: `field ${wide}` }, el("span", {}, words), field);
  };
  return el("div", { class: "fields" },
    select("zone", "Zone", choices.zones, choice.zone),
    select("side", "Side (the subject's own)", (zone?.sides ?? []).map((side) => ({ name: side, title: side })), choice.side),
    select("device", "Device", choices.devices, choice.device, "wide"),
    select("protocol", "Protocol", protocols, choice.protocol, "wide"),
    el("p", { class: "quiet wide", id: "protocol-approval" }, protocols.find((one) => one.name === choice.protocol)?.approval ?? ""));
}

export function details(hello, state, page) {
  const operator = el("input", { id: "operator", value: state.operator, autocomplete: "off", maxLength: 32, placeholder: "such as OP-1" });
  const subject = el("input", { id: "subject", value: state.subject, autocomplete: "off", maxLength: 32, placeholder: "such as A-017" });
  const say = () => page.send({ do: "identify", operator: operator.value, subject: subject.value });
  for (const field of [operator, subject]) {
    field.addEventListener("change", say);
    field.addEventListener("keydown", (event) => { if (event.key === "Enter") field.blur(); });
  }
  return [el("div", { class: "card scroll", id: "card-details" },
    el("h1", {}, "Who, what, with what"),
    el("div", { class: "fields" },
      el("label", { class: "field" }, el("span", {}, "Your own code, never a name"), operator),
      el("label", { class: "field" }, el("span", {}, "Code of the subject"), subject)),
    ...(hello.choices ? [chooser(hello.choices, state.choice, page)] : []),
    ...hello.cautions.map((caution) => el("p", { class: "caution" }, `! ${caution}`)),
    ...(hello.choices ? [] : [
      el("dl", {}, ...hello.rows.flatMap(([what, words]) => [el("dt", {}, what), el("dd", {}, words)])),
      el("p", { class: "quiet" }, "Taken from the recording. If it is not what you want to treat, end here.")]),
    ...earlier(state, page))];
}

// What the history says of this subject and this zone: refused, to be confirmed, or nothing against it.
function earlier(state, page) {
  if (!state.history) return [];
  const { verdict, last, reasons } = state.history;
  const confirm = verdict !== "warned" ? [] : [el("button", { id: "confirm-history", class: state.history_confirmed ? "" : "go",
    disabled: state.history_confirmed, onclick: () => page.send({ do: "confirm_history" }) }, state.history_confirmed ? "Known and confirmed" : "I know, and go on")];
  return [el("h2", {}, "Treated before"), el("p", { id: "history" }, `Last here: ${last}.`),
    ...reasons.map(({ refuses, words }) => el("p", {}, `${refuses ? "!!! Refused: " : "! "}${words}`)),
    ...(reasons.length ? [] : [el("p", { class: "quiet" }, "Nothing in the history speaks against it.")]), ...confirm];
}

export function checklist(hello, state, page) {
  const says = (question, answer) => {
    if (answer === undefined) return question.optional ? "may be left out" : "? Not answered yet.";
    if (answer === "no") return "";
    if (question.kind === "absolute") return "!!! Do not treat.";
    return "!! Needs a reason.";
  };
  return [el("div", { class: "card scroll", id: "card-checklist" },
    el("h1", {}, "What speaks against it?"),
    el("p", { class: "quiet" }, `Questions ${hello.questions_approval}. Yes speaks against the gas; what is not known does too.`),
    ...hello.questions.map((question) => {
      const answer = state.answers[question.name];
      const reason = el("input", { value: state.reasons[question.name] ?? "", maxLength: 200, placeholder: "Why is it treated all the same?" });
      reason.addEventListener("change", () => page.send({ do: "answer", question: question.name, answer, reason: reason.value }));
      const asks = answer !== undefined && answer !== "no" && question.kind === "relative";
      const open = (state.open ?? []).includes(question.name);
      return el("div", { class: `question ${open ? "open" : ""}`, data: { question: question.name } },
        el("div", { class: "text" }, question.text), question.note ? el("div", { class: "note" }, question.note) : null,
        el("div", { class: "answers" }, ...[["no", "No"], ["yes", "Yes"], ["unknown", "Not known"]].map(([value, words]) =>
          el("button", { "aria-pressed": String(answer === value), data: { answer: value },
            onclick: () => page.send({ do: "answer", question: question.name, answer: value, reason: value === "no" ? "" : reason.value }) }, words))),
        says(question, answer) ? el("div", { class: `says ${answer !== undefined && question.kind === "absolute" ? "sign-stop" : "sign-look"}` }, says(question, answer)) : null,
        asks ? el("label", { class: "field" }, reason) : null);
    }))];
}

// What the operator has made of the zone, to be read once more before the gas.
function made(edited) {
  if (!edited) return [];
  const count = edited.areas.length;
  return [...(edited.outline === "found" ? [] : [el("dt", {}, "Outline"), el("dd", {}, edited.outline)]),
    ...(count ? [el("dt", {}, "Left out"), el("dd", {}, `${count} area${count === 1 ? "" : "s"} marked by you`)] : [])];
}

// Before Start; the page on which the zone is changed is in zone.js.
export function readyPage(hello, state) {
  return [el("div", { class: "card", id: "card-ready" },
    el("h1", {}, "Ready to start"),
    el("p", {}, "Nozzle in hand, valve still closed. The time counts from Start."),
    state.carried ? el("p", { class: "caution", id: "goes-on" }, `! Goes on: ${goesOn(state.carried)}.`) : null,
    el("dl", {}, el("dt", {}, "Zone"), el("dd", {}, hello.title), el("dt", {}, "Protocol"), el("dd", {}, hello.protocol),
      ...made(state.edited),
      ...(hello.leave_out.length ? [el("dt", {}, "Leave out"), el("dd", {}, hello.leave_out.join(", "))] : []))),
    state.figures ? evidence(state.figures.zone) : null,
    state.figures ? tile("Nozzle", { ...state.figures.nozzle }, state.figures.nozzle.u95_mm === null ? null : `±${number(state.figures.nozzle.u95_mm, 1)}`, "mm") : null];
}

export function donePage(state) {
  const report = state.report;
  return [el("div", { class: "card", id: "card-done" },
    el("h1", {}, state.phase === "reporting" ? "Writing the report ..." : report ? "The report is written" : "There is no report"),
    el("p", {}, report ? "Read overexposed, unknown and the gas time not accounted for first, then the coverage. Look at the skin. For another treatment end the program at its own screen (Ctrl-C), and start it again."
      : state.phase === "reporting" ? "This takes a few seconds." : state.trouble ?? ""),
    // Nothing else on this page says so, and the recording may be all that there is of it.
    state.phase === "done" && state.unrecorded ? el("p", { class: "caution", id: "not-whole" }, `! RECORDING: ${state.unrecorded}`) : null,
    report ? el("a", { class: "button", id: "report-link", href: "/report", target: "_blank", rel: "noopener" }, "Open the report") : null)];
}

function rewarming(state) {
  if (state.rewarming_s === null || state.gas_counts === true) return state.over ? "The recording has ended." : "What is seen still counts.";
  const seconds = `Rewarming: ${Math.floor(state.rewarming_s)} of ${state.rewarming_wanted_s} s.`;
  return state.over ? `${seconds} The recording has ended.` : seconds;
}

// Where nothing is known of the valve, the operator says whether gas flows.
function gasButton(state, page) {
  if (state.gas_counts === null) return null;
  if (state.gas_input?.ok) return el("div", { class: "say", id: "gas_switch" }, state.gas_input.flows ? "Gas is on, says the switch." : "Gas is off, says the switch.");
  if (state.gas_counts) return el("button", { id: "gas_off", class: "gas", disabled: page.settling, onclick: () => page.send({ do: "gas_off" }) }, "GAS IS OFF", el("small", {}, "counts as on, key G"));
  if (state.phase !== "running") return el("div", { class: "say" }, "Gas is off.");
  return el("button", { id: "gas_on", disabled: page.settling, onclick: () => page.send({ do: "gas_on" }) }, "Gas is on", el("small", {}, "counts as off, key G"));
}

export function bar(state, page) {
  const early = page.settling; // see console.js
  const button = (name, words, { late = false, ...more } = {}) => el("button", { id: name, onclick: () => page.send({ do: name }), ...more, disabled: (early && !late) || more.disabled === true }, ...[words].flat());
  const phase = state.phase;
  const turns = (name) => ({ onclick: () => page.send({ do: name, at: phase }) }); // this page, and no other
  // A screen that has gone keeps nobody waiting: one tap takes its place. From one that is there it is held.
  const free = state.control_free, takes = () => page.send({ do: "take_control" });
  const take = free ? el("button", { id: "take_control", class: "go", disabled: early, onclick: takes }, "Take control") : holdButton("Take control", takes, { id: "take_control" });
  const whose = free ? "The screen that had control has gone: nobody has it." : "Another screen has control. This one watches.";
  // Pain that was tapped just as the gas ended by itself, or another screen stopped, is not lost; a second tap on it counts once.
  const pained = () => button("pain", ["Pain", el("small", {}, state.pain ? `recorded ${state.pain} ×` : "record it")], { class: "pain", late: state.pain === 0 });
  if (!state.controls && !["running", "paused"].includes(phase)) {
    if (["reporting", "done"].includes(phase)) return [el("div", { class: "grow" }, "")]; // nothing is left to be controlled
    return [el("div", { class: "grow say" }, whose), phase === "stopped" ? pained() : null, take];
  }
  if (["preflight", "details", "checklist", "zone", "touch"].includes(phase)) {
    const words = { preflight: "Next", details: "Next", checklist: "Nothing speaks against it", zone: "Confirm the zone", touch: "To the start" }[phase];
    const sound = phase === "preflight" && !page.soundReady ? "Test the alarm sound and confirm that you hear it." : "";
    const why = state.missing || sound;
    // The first question that keeps it from going on, wherever the list stands.
    const [open] = phase === "checklist" ? state.open ?? [] : [];
    const show = open ? el("button", { id: "show_open", onclick: () => document.querySelector(`[data-question="${open}"]`)?.scrollIntoView({ block: "center" }) }, "Show next") : null;
    return [phase === "preflight" ? null : button("back", "Back", turns("back")), el("div", { class: `grow ${why ? "say" : ""}` }, why), show, button("next", words, { class: "go", disabled: why !== "", ...turns("next") })];
  }
  const mute = page.soundReady ? "" : "This screen cannot sound alarms: tap SOUND at the top first.";
  if (phase === "ready") return [button("back", "Back", turns("back")), el("div", { class: `grow ${state.missing || mute ? "say" : ""}` }, state.missing || mute), holdButton("START", () => page.send({ do: "start" }), { class: "go", id: "start", disabled: !page.soundReady || state.missing !== "" })];
  if (["running", "paused"].includes(phase)) {
    // At once as a finger comes down; a click without one (its detail is 0) is the Enter key's.
    const stops = (what) => ({ onpointerdown: () => page.stop(what), onclick: (event) => { if (event.detail === 0) page.stop(what); } });
    const halt = el("button", { class: "halt", id: "stop", ...stops("stop") }, "STOP", el("small", {}, "or space bar"));
    const pain = el("button", { class: "pain", id: "pain", ...stops("pain") }, "Pain", el("small", {}, "stops too"));
    if (!state.controls) return [halt, pain, el("div", { class: "grow say" }, free ? "Nobody has control." : "Another screen has control."), take];
    const open = toAcknowledge(state);
    const quiet = state.pause_left_s !== null && state.pause_left_s !== undefined;
    return [halt, pain, gasButton(state, page),
      phase === "running" ? button("pause", "Pause") : holdButton("Resume", () => page.send({ do: "resume" }), { class: "go", id: "resume" }),
      button("acknowledge", ["Acknowledge", el("small", {}, "key A")], { disabled: !open }),
      quiet ? button("sound_on", ["Sound on", el("small", {}, `${Math.ceil(state.pause_left_s)} s`)]) : button("quiet", ["Quiet", el("small", {}, "2 min, key Q")])];
  }
  if (phase === "stopped") {
    // Where STOP was there is nothing to tap: a second tap on it must not say that gas is off.
    return [el("div", { class: "halted", id: "halted" }, "Stopped", el("small", {}, rewarming(state))),
      pained(), gasButton(state, page),
      button("acknowledge", "Acknowledge", { disabled: !toAcknowledge(state) }), button("finish", "Write the report", { class: "go", disabled: state.gas_counts === true })];
  }
  return [el("div", { class: "grow" }, "")];
}
