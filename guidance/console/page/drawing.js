// Draws a picture and, from numbers, all that lies on it. Coordinates are the camera's pixels.

const OVER = 1, UNKNOWN = 2, UNSEEN = 4, LEFT_OUT = 8, PREDICTED = 16;
const NOWHERE = -32768, SUBPIXEL = 8;
const SMALL_PX = 240; // round an area: a mole's circle in dashes would be three marks that nobody takes for one

// How far it is round a loop, in the camera's pixels.
function round(points) {
  return points.reduce((sum, [x, y], k) => sum + (k ? Math.hypot(x - points[k - 1][0], y - points[k - 1][1]) : 0), 0);
}

// A message: length of its head, the head, then the parts that the head names.
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const parts = {};
  let at = 4 + length;
  for (const [name, size] of head.parts) {
    parts[name] = buffer.slice(at, at + size);
    at += size;
  }
  return { head, parts };
}

export class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.corner = new Uint16Array();
    this.bitmap = null;
    this.bitmapTime = 0;
    this.last = null; // what was drawn last, without its picture
    this.look = null;
    this.hatches = {};
  }

  setLook(look) {
    this.look = look;
    this.hatches = {
      over: hatch(look.over, 9, 2, true, null),
      unknown: hatch(look.unknown, 9, 3, false, "rgba(90, 90, 96, 0.5)"),
      unseen: hatch(look.unseen, 7, 2, false, null),
      left_out: hatch(look.left_out, 12, 1.4, false, null),
      predicted: dots(look.white, look.ink, 9),
    };
  }

  // Nothing new comes: what was drawn stays, marked as old, without a jet that may be anywhere by now.
  stale() {
    if (!this.last) return;
    const { head, parts, at } = this.last, age = (performance.now() - at) / 1000;
    this.draw({ head: { ...head, jet: null, t_s: Math.max(head.t_s, this.bitmapTime) + age }, parts }, true);
  }

  async draw({ head, parts }, again = false) {
    if (!again) this.last = { head, parts: { ...parts, jpeg: undefined, corner: undefined }, at: performance.now() };
    if (parts.corner) this.corner = new Uint16Array(parts.corner);
    if (parts.jpeg) {
      const bitmap = await createImageBitmap(new Blob([parts.jpeg], { type: "image/jpeg" }));
      this.bitmap?.close();
      this.bitmap = bitmap;
      this.bitmapTime = head.t_s;
      const [width, height] = head.size_px;
      if (this.canvas.width !== width || this.canvas.height !== height) {
        this.canvas.width = width;
        this.canvas.height = height;
      }
    }
    if (!this.bitmap || !this.look) return;
    const c = this.context;
    c.globalAlpha = 1;
    c.drawImage(this.bitmap, 0, 0, this.canvas.width, this.canvas.height);
    if (parts.vertex) this.#cells(parts);
    for (const loop of head.left_out ?? []) this.#line(loop.px, loop.closed, this.look.left_out, 2, round(loop.px) < SMALL_PX ? [] : [9, 7]);
    for (const loop of head.outline ?? []) this.#line(loop.px, loop.closed, this.look.white, 3, head.held ? [12, 9] : []);
    if (head.jet) this.#jet(head.jet, head.gas);
    const age = head.t_s - this.bitmapTime;
    if (age > 0.15) this.#old(age);
  }

  #cells(parts) {
    const vertex = new Int16Array(parts.vertex), level = new Uint8Array(parts.level), look = new Uint8Array(parts.look);
    const corner = this.corner;
    const paths = new Map();
    const add = (key, cell) => {
      let path = paths.get(key);
      if (!path) paths.set(key, path = new Path2D());
      for (let k = 0; k < 4; k++) {
        const v = 2 * corner[4 * cell + k];
        if (vertex[v] === NOWHERE) return;
        if (k === 0) path.moveTo(vertex[v] / SUBPIXEL, vertex[v + 1] / SUBPIXEL);
        else path.lineTo(vertex[v] / SUBPIXEL, vertex[v + 1] / SUBPIXEL);
      }
      path.closePath();
    };
    for (let cell = 0; cell < level.length; cell++) {
      if (level[cell]) add(level[cell], cell);
      const bits = look[cell];
      if (!bits) continue;
      if (bits & LEFT_OUT) add("left_out", cell);
      if (bits & OVER) add("over", cell);
      else if (bits & UNKNOWN) add("unknown", cell);
      else if (bits & UNSEEN) add("unseen", cell);
      else if (bits & PREDICTED) add("predicted", cell);
    }
    const c = this.context;
    for (let k = 1; k <= this.look.ramp.length; k++) {
      const path = paths.get(k);
      if (path) { c.fillStyle = this.look.ramp[k - 1]; c.fill(path); }
    }
    for (const name of ["left_out", "predicted", "unseen", "unknown", "over"]) {
      const path = paths.get(name);
      if (path) { c.fillStyle = this.hatches[name]; c.fill(path); }
    }
  }

  #line(points, closed, colour, width, dash) {
    if (points.length < 2) return;
    const c = this.context;
    c.beginPath();
    points.forEach(([x, y], k) => (k ? c.lineTo(x, y) : c.moveTo(x, y)));
    if (closed) c.closePath();
    c.lineJoin = "round";
    c.setLineDash(dash);
    for (const [stroke, wide] of [[this.look.ink, width + 3], [colour, width]]) {
      c.strokeStyle = stroke;
      c.lineWidth = wide;
      c.stroke();
    }
    c.setLineDash([]);
  }

  #jet(jet, gas) {
    const c = this.context;
    const colour = { ok: this.look.ok, look: this.look.look, stop: this.look.over }[jet.reach] ?? this.look.unknown;
    const to = jet.hit ?? jet.ahead;
    if (jet.ring) this.#line(jet.ring, true, gas ? this.look.white : this.look.unseen, 3, []);
    if (to) this.#line([jet.tip, to], false, colour, 3, jet.hit ? [] : [4, 8]);
    if (jet.hit) {
      const [x, y] = jet.hit;
      this.#line([[x - 9, y], [x + 9, y]], false, this.look.white, 3, []);
      this.#line([[x, y - 9], [x, y + 9]], false, this.look.white, 3, []);
    }
    c.beginPath();
    c.arc(jet.tip[0], jet.tip[1], 7, 0, 2 * Math.PI);
    c.fillStyle = colour;
    c.fill();
    c.lineWidth = 2;
    c.strokeStyle = this.look.ink;
    c.stroke();
    if (jet.words) this.#words(jet.words, jet.tip[0] + 18, jet.tip[1] + 8, 30, colour);
  }

  #old(age) {
    const c = this.context;
    c.lineWidth = 16;
    c.strokeStyle = this.look.unknown;
    c.strokeRect(8, 8, this.canvas.width - 16, this.canvas.height - 16);
    this.#words(`OLD PICTURE ${age.toFixed(1)} s`, 30, 60, 40, this.look.unknown);
  }

  #words(text, x, y, size, colour) {
    const c = this.context;
    c.font = `700 ${size}px system-ui, "DejaVu Sans", sans-serif`;
    x = Math.max(8, Math.min(x, this.canvas.width - c.measureText(text).width - 8));
    c.lineJoin = "round";
    c.lineWidth = 7;
    c.strokeStyle = this.look.ink;
    c.strokeText(text, x, y);
    c.fillStyle = colour;
    c.fillText(text, x, y);
  }

  // A swatch for the legend: one look, or the whole ramp.
  swatch(name) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = name === "ramp" ? [84, 22] : [32, 22];
    const c = canvas.getContext("2d");
    c.fillStyle = "#8d7a6e";
    c.fillRect(0, 0, canvas.width, canvas.height);
    if (name === "ramp") {
      const step = canvas.width / this.look.ramp.length;
      this.look.ramp.forEach((colour, k) => { c.fillStyle = colour; c.fillRect(k * step, 0, step + 0.5, 22); });
    } else {
      c.fillStyle = this.hatches[name];
      c.fillRect(0, 0, canvas.width, canvas.height);
    }
    return canvas;
  }
}

// A pattern of dots, each with a dark edge, so that it shows on pale and on dark skin.
function dots(colour, edge, period) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = period;
  const c = tile.getContext("2d");
  for (const [fill, shift] of [[edge, 1], [colour, 0]]) {
    c.fillStyle = fill;
    c.fillRect(3 + shift, 3 + shift, 2, 2);
  }
  return c.createPattern(tile, "repeat");
}

// A pattern of slanting lines that joins with itself.
function hatch(colour, period, line, both, ground) {
  const side = Math.round(period * Math.SQRT2);
  const tile = document.createElement("canvas");
  tile.width = tile.height = side;
  const c = tile.getContext("2d");
  if (ground) { c.fillStyle = ground; c.fillRect(0, 0, side, side); }
  c.strokeStyle = colour;
  c.lineWidth = line;
  for (const way of both ? [1, -1] : [1]) {
    for (const shift of [-side, 0, side]) {
      c.beginPath();
      if (way === 1) { c.moveTo(shift - 1, side + 1); c.lineTo(shift + side + 1, -1); }
      else { c.moveTo(shift - 1, -1); c.lineTo(shift + side + 1, side + 1); }
      c.stroke();
    }
  }
  return c.createPattern(tile, "repeat");
}
