// Tooltips of the report: cells under the pointer, and the values of the curves. The report is complete without it.
(() => {
  const source = document.getElementById("data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const tip = document.body.appendChild(Object.assign(document.createElement("div"), { id: "tip" }));
  const show = (event, lines) => {
    tip.replaceChildren(...lines.flatMap(([strong, text]) => {
      const row = document.createElement("div");
      if (strong) row.appendChild(document.createElement("b")).textContent = strong + " ";
      row.append(text);
      return [row];
    }));
    tip.style.display = "block";
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(6, Math.min(event.clientX + 16, innerWidth - box.width - 8)) + "px";
    tip.style.top = (event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18) + "px";
  };
  const hide = () => { tip.style.display = "none"; };
  const known = (value, unit, bound) => value === null ? "not known" : value + (bound === null || bound === undefined ? "" : " \u00b1 " + bound) + " " + unit;
  const cell = (k) => {
    const c = data.cells, lines = [];
    if (c.verdict) lines.push([c.words[c.verdict[k]], c.cause[k] ? "(" + data.causes[c.cause[k]] + ")" : ""]);
    lines.push(["", (c.unit === "cm" ? "u " + c.x[k] + " cm, v " + c.y[k] + " cm" : "pixel " + c.x[k] + ", " + c.y[k]) + (c.zone[k] ? "" : ", outside the zone")]);
    if (c.dwell) lines.push(["Dwell", known(c.dwell[k], "s") + ", at most " + known(c.upper[k], "s")]);
    lines.push(["Lowest", c.low[k] === null ? "never observed" : known(c.low[k], "\u00b0C", c.bound[k])]);
    lines.push(["Observed", known(c.seen[k], "s")]);
    return lines;
  };
  const pointer = (element, at) => {
    element.addEventListener("pointermove", (event) => { const lines = at(event); lines ? show(event, lines) : hide(); });
    element.addEventListener("pointerleave", hide);
  };
  if (data.cells) {
    const index = new Map(data.cells.row.map((row, k) => [row * 4096 + data.cells.col[k], k]));
    document.querySelectorAll("svg[data-map]").forEach((svg) => pointer(svg, (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const col = Math.floor((point.x - svg.dataset.left) / svg.dataset.step), row = Math.floor((point.y - svg.dataset.top) / svg.dataset.step);
      const k = index.get(row * 4096 + col);
      return k === undefined || col < 0 ? null : cell(k);
    }));
  }
  const curves = document.getElementById("curves");
  if (curves && data.curves) {
    const c = data.curves, cursor = curves.querySelector(".cursor"), d = curves.dataset;
    pointer(curves, (event) => {
      if (event.target.closest(".alarm")) { cursor.style.visibility = "hidden"; return null; }
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(curves.getScreenCTM().inverse());
      const t = +d.start + (point.x - d.left) / (d.right - d.left) * (d.end - d.start);
      if (t < +d.start || t > +d.end) { cursor.style.visibility = "hidden"; return null; }
      let low = 0, high = c.t.length - 1;
      while (high - low > 1) { const mid = (low + high) >> 1; if (c.t[mid] <= t) low = mid; else high = mid; }
      const k = t - c.t[low] < c.t[high] - t ? low : high;
      cursor.setAttribute("x1", point.x); cursor.setAttribute("x2", point.x); cursor.style.visibility = "visible";
      const lines = [["", c.t[k].toFixed(2) + " s"], ["Lowest skin", known(c.low[k], "\u00b0C", c.bound[k])], ["Zone mean", known(c.mean[k], "\u00b0C")]];
      if (c.distance) lines.push(["Distance", known(c.distance[k], "mm", c.spread[k])]);
      return lines;
    });
    curves.addEventListener("pointerleave", () => { cursor.style.visibility = "hidden"; });
  }
})();
