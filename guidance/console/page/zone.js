// The zone's page and the touch check's: buttons and drags for gloves. Everything is sent; nothing is decided here.

import { el, evidence } from "/pages.js";

const STEP_MM = 5, TURN_DEG = 5, GROW = 1.1, RADIUS_MM = 10, RADIUS_STEP_MM = 3, RADIUS_LEAST_MM = 4, RADIUS_MOST_MM = 58;
const POINTS_MOST = 64, DRAG_PX = 6, NEAR_PX = 28;
const REASONS = ["No tag or mark that can be touched", "The skin must not be touched"], PLAYED = "A recording is played";
const number = (value, digits = 0) => (value === null || value === undefined ? "?" : value.toFixed(digits).replace(/^-(0(\.0+)?)$/, "$1").replace("-", "−"));

export class ZoneTools {
  constructor({ picture, marks, page, changed, toast }) {
    Object.assign(this, { picture, marks, page, changed, toast });
    this.state = null;
    this.head = null;
    this.mode = "move";
    this.shape = "circle"; // of an area to leave out
    this.points = [];
    this.drag = null;
    this.edits = null;
    marks.addEventListener("pointerdown", (event) => this.#down(event));
    marks.addEventListener("pointermove", (event) => this.#move(event));
    marks.addEventListener("pointerup", (event) => this.#up(event));
    marks.addEventListener("pointercancel", () => { this.drag = null; this.draw(); });
    new ResizeObserver(() => this.draw()).observe(picture);
  }

  get active() {
    return Boolean(this.state?.controls) && ["zone", "touch"].includes(this.state.phase);
  }

  // What a step says of the zone; an edit that was not followed is said once.
  told(state) {
    const count = state.edited?.count ?? 0;
    if (this.edits !== null && count > this.edits && state.edited.refused) this.toast(state.edited.refused);
    if (state.phase !== this.state?.phase) { this.points = []; this.mode = "move"; this.drag = null; }
    this.edits = count;
    this.marks.dataset.edits = String(count);
    this.state = state;
    this.draw();
  }

  sawPicture(head) {
    this.head = head;
    this.draw();
  }

  // --- the picture ---

  #at(event) {
    const box = this.picture.getBoundingClientRect();
    const clip = (value, most) => Math.round(10 * Math.max(0, Math.min(value, most - 1))) / 10;
    return [clip(((event.clientX - box.left) * this.picture.width) / box.width, this.picture.width),
      clip(((event.clientY - box.top) * this.picture.height) / box.height, this.picture.height)];
  }

  get #drawing() {
    return this.mode === "outline" || (this.mode === "leave" && this.shape === "outline");
  }

  #down(event) {
    if (!this.active) return;
    const at = this.#at(event);
    this.marks.setPointerCapture(event.pointerId);
    if (this.state.phase === "touch") this.page.send({ do: "mark_spot", at });
    else if (this.#drawing) this.#point(at);
    else if (this.mode === "leave") this.page.send({ do: "leave_out_circle", at, radius_mm: RADIUS_MM });
    else this.drag = { from: at, to: at };
  }

  #move(event) {
    if (!this.drag) return;
    this.drag.to = this.#at(event);
    this.draw();
  }

  #up(event) {
    if (!this.drag) return;
    const { from } = this.drag, to = this.#at(event);
    this.drag = null;
    if (Math.hypot(to[0] - from[0], to[1] - from[1]) > DRAG_PX) this.page.send({ do: "drag_zone", from, to });
    this.draw();
  }

  #point(at) {
    const scale = this.picture.width / Math.max(this.picture.getBoundingClientRect().width, 1);
    const [first] = this.points;
    if (this.points.length >= 3 && Math.hypot(at[0] - first[0], at[1] - first[1]) < NEAR_PX * scale) { this.#close(); return; }
    if (this.points.length < POINTS_MOST) this.points.push(at);
    this.changed();
    this.draw();
  }

  #close() {
    this.page.send({ do: this.mode === "outline" ? "outline_zone" : "leave_out_outline", points: this.points });
    this.points = [];
    if (this.mode === "outline") this.mode = "move";
    this.changed();
    this.draw();
  }

  draw() {
    const { picture, marks } = this, box = picture.getBoundingClientRect(), around = marks.parentElement.getBoundingClientRect();
    marks.hidden = !this.active;
    if (marks.hidden) return;
    const drawn = around.width / (marks.parentElement.offsetWidth || 1); // less than 1 in a small window
    for (const [name, value] of [["left", box.left - around.left], ["top", box.top - around.top], ["width", box.width], ["height", box.height]]) marks.style[name] = `${value / drawn}px`;
    if (marks.width !== picture.width || marks.height !== picture.height) { marks.width = picture.width; marks.height = picture.height; }
    const c = marks.getContext("2d"), scale = picture.width / Math.max(box.width, 1);
    c.clearRect(0, 0, marks.width, marks.height);
    const line = (points, closed, dash = []) => {
      if (!points.length) return;
      c.beginPath();
      points.forEach(([x, y], k) => (k ? c.lineTo(x, y) : c.moveTo(x, y)));
      if (closed) c.closePath();
      c.setLineDash(dash);
      for (const [colour, wide] of [["#0b0f14", 7], ["#46dceb", 3.5]]) { c.strokeStyle = colour; c.lineWidth = wide * scale; c.stroke(); }
      c.setLineDash([]);
    };
    if (this.drag) {
      const [dx, dy] = [this.drag.to[0] - this.drag.from[0], this.drag.to[1] - this.drag.from[1]];
      for (const loop of this.head?.outline ?? []) line(loop.px.map(([x, y]) => [x + dx, y + dy]), loop.closed, [12 * scale, 8 * scale]);
    }
    line(this.points, false);
    this.points.forEach(([x, y], k) => {
      c.beginPath();
      c.arc(x, y, (k ? 8 : 14) * scale, 0, 2 * Math.PI);
      c.fillStyle = "#46dceb"; c.strokeStyle = "#0b0f14"; c.lineWidth = 3 * scale;
      c.fill(); c.stroke();
    });
    const spot = this.head?.spot;
    if (spot && this.state.phase === "touch") {
      const [x, y] = spot;
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) line([5, 15].map((r) => [x + dx * r * scale, y + dy * r * scale]), false);
    }
  }

  // --- beside it: the zone ---

  zoneKey() {
    const { state } = this;
    return [this.mode, this.shape, this.points.length, state.controls, state.edited, state.figures ? 1 : 0];
  }

  #choose(mode) {
    Object.assign(this, { mode, points: [], drag: null });
    this.changed();
    this.draw();
  }

  zone(hello) {
    const { state } = this;
    const choice = (mode, words) => el("button", { id: `mode-${mode}`, "aria-pressed": String(this.mode === mode), onclick: () => this.#choose(mode) }, words);
    const side = /, (left|right)$/.exec(hello.title)?.[1];
    const tools = { move: () => this.#moveTools(), outline: () => this.#outlineTools(), leave: () => this.#leaveTools() }[this.mode];
    return [el("div", { class: "card scroll", id: "card-zone" },
      el("h1", {}, "Is this the zone?"),
      this.mode === "move" || !state.controls ? el("p", { class: "quiet" }, `Does the outline lie where you want to treat?${side ? ` On the subject's own ${side}?` : ""}`) : null,
      ...(state.controls ? [el("div", { class: "tools three" }, choice("move", "Move"), choice("outline", "Outline"), choice("leave", "Leave out")), ...tools()] : []),
      el("dl", {}, el("dt", {}, "Zone"), el("dd", {}, hello.title),
        ...(hello.leave_out.length ? [el("dt", {}, "Left out"), el("dd", {}, hello.leave_out.join(", "))] : [])),
      ...hello.cautions.map((caution) => el("p", { class: "quiet" }, `! ${caution}`))),
    el("div", { id: "zone-evidence" })];
  }

  #moveTools() {
    const adjust = (id, words, hint, change) => el("button", { id, title: hint, "aria-label": hint,
      onclick: () => this.page.send({ do: "adjust_zone", right_mm: 0, down_mm: 0, turn_deg: 0, scale: 1, ...change }) }, words);
    return [
      el("p", {}, "Drag it in the picture, or:"),
      el("div", { class: "tools four" },
        adjust("zone-left", "◀", "5 mm to the left", { right_mm: -STEP_MM }), adjust("zone-up", "▲", "5 mm up", { down_mm: -STEP_MM }),
        adjust("zone-down", "▼", "5 mm down", { down_mm: STEP_MM }), adjust("zone-right", "▶", "5 mm to the right", { right_mm: STEP_MM }),
        adjust("zone-ccw", "⟲", "turn to the left", { turn_deg: -TURN_DEG }), adjust("zone-cw", "⟳", "turn to the right", { turn_deg: TURN_DEG }),
        adjust("zone-smaller", "−", "smaller", { scale: 1 / GROW }), adjust("zone-larger", "+", "larger", { scale: GROW })),
      this.#asFound()];
  }

  #asFound() {
    const { edited } = this.state;
    const words = edited && edited.outline !== "found" ? `Back to what was found (now: ${edited.outline})` : "As it was found";
    return el("div", { class: "tools" }, el("button", { id: "zone-as-found", disabled: !edited || edited.outline === "found",
      onclick: () => this.page.send({ do: "zone_as_found" }) }, words));
  }

  #outlineTools() {
    const count = this.points.length;
    return [
      el("p", {}, count ? `${count} point${count === 1 ? "" : "s"}. Tap on, then close.` : "Tap points in the picture, in order round the area."),
      el("div", { class: "tools three" },
        el("button", { id: "outline-undo", disabled: !count, onclick: () => { this.points.pop(); this.changed(); this.draw(); } }, "Undo"),
        el("button", { id: "outline-close", class: "go", disabled: count < 3, onclick: () => this.#close() }, "Close it"),
        el("button", { id: "outline-cancel", onclick: () => this.#choose("move") }, "Cancel"))];
  }

  #leaveTools() {
    const shape = (name, words) => el("button", { id: `shape-${name}`, "aria-pressed": String(this.shape === name),
      onclick: () => { this.shape = name; this.points = []; this.changed(); this.draw(); } }, words);
    const areas = this.state.edited?.areas ?? [];
    return [
      el("div", { class: "tools two" }, shape("circle", "Circle"), shape("outline", "Outline")),
      ...(this.shape === "outline" ? this.#outlineTools() : [el("p", {}, "Tap on the mole or wound in the picture.")]),
      // The newest first: what was tapped just now is in sight.
      el("div", { class: "areas" }, ...[...areas].reverse().map((area) => this.#area(area)))];
  }

  #area(area) {
    const resize = (step) => this.page.send({ do: "resize_left_out", number: area.number,
      radius_mm: Math.max(RADIUS_LEAST_MM, Math.min(RADIUS_MOST_MM, area.radius_mm + step)) });
    const words = area.kind === "circle" ? `${area.number}: circle ${number(2 * area.radius_mm)} mm` : `${area.number}: outline`;
    return el("div", { class: "area", data: { area: String(area.number) } }, el("span", {}, words),
      ...(area.kind === "circle" ? [el("button", { class: "smaller", "aria-label": "smaller", onclick: () => resize(-RADIUS_STEP_MM) }, "−"),
        el("button", { class: "larger", "aria-label": "larger", onclick: () => resize(RADIUS_STEP_MM) }, "+")] : []),
      el("button", { class: "remove", onclick: () => this.page.send({ do: "keep_in", number: area.number }) }, "Remove"));
  }

  // --- beside it: the touch check ---

  touchKey() {
    const { state } = this, touch = state.touch;
    return [state.controls, touch?.state, touch?.done, touch?.taken, touch?.state === "cannot" ? touch.words : ""];
  }

  touch() {
    const { state, page } = this, touch = state.touch;
    if (!touch) return [el("div", { class: "card", id: "card-touch" }, el("h1", {}, "Touch check"), el("p", {}, "Nothing runs yet."))];
    const skip = (reason) => page.send({ do: "skip_touch", reason });
    const own = el("input", { id: "skip-reason", maxLength: 200, placeholder: "another reason", autocomplete: "off" });
    own.addEventListener("change", () => { if (own.value.trim()) skip(own.value); });
    const reasons = touch.state === "cannot" ? [touch.words] : state.played ? [PLAYED, ...REASONS] : REASONS;
    const done = { checked: () => el("p", { class: "done", id: "touch-done" }, el("b", { class: "sign-ok" }, "Checked. "),
      `${touch.taken.target}: ${number(touch.taken.across_mm, 1)} mm beside, ${number(touch.taken.along_mm, 1)} mm above.`),
    skipped: () => el("p", { class: "done", id: "touch-done" }, el("b", { class: "sign-look" }, "Left out: "), touch.taken.reason) }[touch.done];
    return [el("div", { class: "card scroll", id: "card-touch" },
      touch.state === "cannot" ? el("h1", {}, "Touch check") : null,
      touch.state === "cannot" ? el("p", { id: "touch-words" }, touch.words)
        : el("p", {}, el("b", {}, "Touch check. "), "Valve closed. Put the nozzle's tip on a skin tag, or tap a spot in the picture and put it there. Hold still."),
      ...(touch.state === "cannot" ? [] : [el("div", { id: "touch-figures" }),
        el("div", { class: "tools" }, el("button", { id: "take-touch", class: "go", disabled: !state.controls || touch.state !== "ok", onclick: () => page.send({ do: "take_touch" }) }, "Take it"))]),
      done ? done() : null,
      ...(state.controls ? [el("p", { class: "quiet" }, "Or say for the report why it is left out:"),
        el("div", { class: "tools" }, ...reasons.map((reason, k) => el("button", { id: `skip-${k}`, class: "long", onclick: () => skip(reason) }, touch.state === "cannot" ? "Go on without it" : reason)), own)] : []))];
  }

  // What changes all the time is written where it stands.
  inPlace() {
    const { state } = this;
    const place = document.querySelector("#zone-evidence");
    if (place && state.figures) place.replaceChildren(evidence(state.figures.zone));
    const figures = document.querySelector("#touch-figures"), touch = state.touch;
    if (!figures || !touch) return;
    const figure = (label, value, bound, limit) => el("div", { class: "tile" }, el("div", { class: "label" }, label),
      el("div", { class: "value" }, number(value, 1), el("small", {}, "mm")),
      el("div", { class: "words" }, limit === null ? "" : `±${number(bound, 1)}, at most ${number(limit)}`));
    const sign = { ok: "OK", refused: "!!", waiting: "", cannot: "?" }[touch.state];
    figures.replaceChildren(
      el("div", { class: `touch-words sign-${touch.state === "ok" ? "ok" : touch.state === "refused" ? "stop" : "look"}`, id: "touch-words" },
        `${sign} ${touch.words}${touch.state === "waiting" && touch.still_s > 0 ? ` ${number(touch.still_s, 1)} s` : ""}`),
      el("div", { class: "two-tiles" }, figure(`Beside ${touch.target.replace("marked", "the") || "it"}`, touch.across_mm, touch.across_u95_mm, touch.across_limit_mm),
        figure("Above the skin", touch.along_mm, touch.along_u95_mm, touch.along_limit_mm)));
  }
}
