// Charts in SVG: lines over time and a band of states. They know nothing of what
// they show, and say it in words to whoever cannot see them.

const HIGH = 150; // px
const ROOM = { left: 46, right: 10, top: 10, bottom: 22 };

const clock = (ms, seconds) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(seconds && { second: "2-digit" }) });
export { clock };

// draw makes an element inside an svg; the parent knows the namespace.
function draw(parent, tag, attributes, words) {
  const e = document.createElementNS(parent.namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  if (words !== undefined) e.textContent = words;
  return parent.appendChild(e);
}

// ceiling is a round number that nothing lies above, and the distance of its marks.
export function ceiling(most) {
  if (!(most > 0)) return [1, 1];
  const unit = 10 ** Math.floor(Math.log10(most));
  const step = [0.25, 0.5, 1, 2, 2.5, 5].map((n) => n * unit).find((s) => most / s <= 4);
  return [Math.ceil(most / step) * step, step];
}

// grid clears an svg and draws what lines and bands have in common: a scale from
// time to place, and marks of the time below.
function grid(svg, from, to, high) {
  const wide = Math.max(svg.clientWidth, 160);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  svg.setAttribute("height", high);
  const x = (at) => ROOM.left + ((at - from) / (to - from)) * (wide - ROOM.left - ROOM.right);
  const minutes = [1, 2, 5, 10, 15, 20].find((m) => (wide - ROOM.left) / ((to - from) / 60000 / m) > 62) ?? 30;
  const mark = minutes * 60000;
  for (let at = Math.ceil(from / mark) * mark; at <= to; at += mark) {
    if (x(at) > wide - 22) break;
    draw(svg, "line", { class: "tick", x1: x(at), x2: x(at), y1: high - ROOM.bottom, y2: high - ROOM.bottom + 4 });
    draw(svg, "text", { class: "axis", x: x(at), y: high - 5, "text-anchor": "middle" }, clock(at));
  }
  return { wide, x };
}

// lines draws series {name, values} over the times at, ms; null is nothing. Times
// further apart than hole are not joined. It returns at which index a place lies.
export function lines(svg, { from, to, at, series, format, hole }) {
  const { wide, x } = grid(svg, from, to, HIGH);
  const [top, step] = ceiling(Math.max(0, ...series.flatMap((s) => s.values)));
  const y = (v) => HIGH - ROOM.bottom - (v / top) * (HIGH - ROOM.top - ROOM.bottom);
  for (let v = 0; v <= top * 1.001; v += step) {
    draw(svg, "line", { class: "rule", x1: ROOM.left, x2: wide - ROOM.right, y1: y(v), y2: y(v) });
    draw(svg, "text", { class: "axis", x: ROOM.left - 6, y: y(v) + 4, "text-anchor": "end" }, format(v, true));
  }
  series.forEach(({ values }, n) => {
    for (const run of runs(at, values, hole)) {
      const points = run.map((i) => `${x(at[i]).toFixed(1)} ${y(values[i]).toFixed(1)}`);
      if (series.length === 1) {
        draw(svg, "path", { class: "area", d: `M${points.join("L")}L${x(at[run.at(-1)]).toFixed(1)} ${y(0)}L${x(at[run[0]]).toFixed(1)} ${y(0)}Z` });
      }
      draw(svg, "path", { class: "line s" + n, d: `M${points.join("L")}${points.length === 1 ? "h.01" : ""}` });
    }
  });
  const cross = draw(svg, "line", { class: "cross", y1: ROOM.top, y2: HIGH - ROOM.bottom, visibility: "hidden" });
  return {
    // nearest is the index of the sample nearest to a place in the svg, and marks it; -1: none.
    nearest(place) {
      let best = -1;
      at.forEach((t, i) => {
        if (best < 0 || Math.abs(x(t) - place) < Math.abs(x(at[best]) - place)) best = i;
      });
      if (best >= 0) {
        for (const end of ["x1", "x2"]) cross.setAttribute(end, x(at[best]));
        cross.setAttribute("visibility", "visible");
      }
      return best;
    },
    leave: () => cross.setAttribute("visibility", "hidden"),
  };
}

// runs are the indexes of values that belong together.
function runs(at, values, hole) {
  const all = [];
  let last = -1;
  values.forEach((v, i) => {
    if (v === null) return;
    if (last >= 0 && i - last === 1 && at[i] - at[last] <= hole) all.at(-1).push(i);
    else all.push([i]);
    last = i;
  });
  return all;
}

// band draws states {state, from, to} as one bar.
export function band(svg, { from, to, states, words }) {
  const high = 64;
  const { x } = grid(svg, from, to, high);
  for (const s of states) {
    const left = x(Math.max(s.from, from));
    const size = Math.max(x(Math.min(s.to, to)) - left, 1.5);
    draw(svg, "rect", { class: "state-" + s.state, x: left, y: 8, width: size, height: 28, rx: Math.min(4, size / 2) });
    if (size > 8 * words(s.state).length) draw(svg, "text", { class: "label", x: left + 8, y: 27 }, words(s.state));
  }
}
