// The dashboard's cards: a chart with its words and its table.

import { band, clock, lines } from "/chart.js";
import { moment, none, plain, span } from "/figures.js";

const STATES = { connecting: "connecting", streaming: "streaming", backing_off: "waiting to try again", switching: "changing over", halted: "halted" };

// words is a state of the upstream in words.
export const words = (state) => STATES[state] ?? state;

export function make(tag, className, ...content) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...content);
  return e;
}

// put gives an element other words, and leaves it alone if it has them.
export const put = (e, text) => e.textContent === text || (e.textContent = text);

// A Card holds one chart {name, unit, format, series, when}: series are [name, value of a
// row], and when says whether there is anything to show.
export class Card {
  #chart;
  #at = []; // what is drawn
  #rows = [];
  #drawn = null;
  #frame = [0, 1, 1];

  constructor(chart) {
    this.#chart = chart;
    this.root = document.getElementById("chart").content.cloneNode(true).firstElementChild;
    this.part = (selector) => this.root.querySelector(selector);
    this.part("h2").textContent = chart.name;
    this.part(".scroll").ariaLabel = chart.name + ", as a table";
    if (chart.series.length > 1) this.part(".legend").append(...chart.series.map(([name], n) => make("li", "s" + n, name)));
    const svg = this.part("svg");
    svg.addEventListener("pointermove", (e) => this.#point(e.clientX - svg.getBoundingClientRect().left));
    svg.addEventListener("pointerleave", () => this.#leave());
    this.part("details").addEventListener("toggle", () => this.table());
    new ResizeObserver(() => this.#draw()).observe(svg);
  }

  // show draws rows between two times, ms; times further apart than hole are not joined.
  show(seen, { from, to, hole }) {
    this.root.hidden = this.#chart.when?.() === false;
    this.#rows = seen;
    this.#frame = [from, to, hole];
    this.#draw();
    this.table();
  }

  #draw() {
    const [from, to, hole] = this.#frame;
    const svg = this.part("svg");
    if (svg.clientWidth === 0 || to <= 1) return;
    const { format, name, series, unit } = this.#chart;
    this.#at = this.#rows.map((r) => r.at);
    const columns = series.map(([title, value]) => ({ name: title, values: this.#rows.map(value) }));
    this.#drawn = lines(svg, { from, to, at: this.#at, series: columns, format, hole });
    this.#leave();
    svg.ariaLabel = name + ", " + span((to - from) / 1000) + ": " + columns.map((c) => {
      const known = c.values.filter((v) => v !== null);
      const said = known.length === 0 ? "nothing measured" : "now " + format(c.values.at(-1)) + ", lowest " + format(Math.min(...known)) + ", highest " + format(Math.max(...known));
      return (columns.length > 1 ? c.name + " " : "") + said;
    }).join("; ") + " (" + unit + ")";
  }

  #values(row) {
    const { format, series } = this.#chart;
    return row ? series.map(([, value]) => format(value(row))).join(" / ") : none;
  }

  #point(place) {
    const i = this.#drawn?.nearest(place) ?? -1;
    if (i >= 0) put(this.part(".value"), clock(this.#at[i], true) + "  " + this.#values(this.#rows[i]));
  }

  #leave() {
    this.#drawn?.leave();
    put(this.part(".value"), this.#values(this.#rows.at(-1)));
  }

  // table has twelve rows: the mean and the highest of each twelfth.
  table() {
    if (!this.part("details").open) return;
    const { format, series } = this.#chart;
    const [from, to] = this.#frame;
    const head = make("tr", "", header("Until", "col"), ...series.flatMap(([name]) => [header(name + ", mean", "col"), header("highest", "col")]));
    const body = [];
    for (let n = 12; n > 0; n--) {
      const until = from + ((to - from) / 12) * n;
      const part = this.#rows.filter((r) => r.at <= until && r.at > until - (to - from) / 12);
      body.push(make("tr", "", header(clock(until, true), "row"), ...series.flatMap(([, value]) => {
        const known = part.map(value).filter((v) => v !== null);
        const mean = known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
        return [make("td", "", format(mean)), make("td", "", format(known.length === 0 ? null : Math.max(...known)))];
      })));
    }
    this.part("table").replaceChildren(make("thead", "", head), make("tbody", "", ...body));
  }
}

function header(text, scope) {
  const th = make("th", "", text);
  th.scope = scope;
  return th;
}

// The band of the upstream's states has a table of its own kind: its changes.
export class Band extends Card {
  constructor() {
    super({ name: "Upstream", unit: "", format: String, series: [] });
    this.root.classList.add("wide");
    this.part(".legend").append(...Object.keys(STATES).filter((s) => s !== "switching").map((s) => make("li", "state-" + s, words(s))));
  }

  // show draws the states {state, from} between two times.
  show(states, { from, to }) {
    this.frame = [from, to];
    this.spans = states.map((s, i) => ({ ...s, to: states[i + 1]?.from ?? to })).filter((s) => s.to > from && s.from < to);
    const svg = this.part("svg");
    const paint = () => svg.clientWidth > 0 && band(svg, { from, to, states: this.spans, words });
    paint();
    this.observer?.disconnect();
    this.observer = new ResizeObserver(paint);
    this.observer.observe(svg);
    const up = this.spans.filter((s) => s.state === "streaming").reduce((sum, s) => sum + Math.min(s.to, to) - Math.max(s.from, from), 0);
    const share = this.spans.length === 0 ? none : plain.format((100 * up) / (to - Math.max(from, this.spans[0].from))) + " %";
    put(this.part(".value"), "streaming " + share + " of the time");
    svg.ariaLabel = "States of the upstream: streaming " + share + " of the time, " + this.spans.length + (this.spans.length === 1 ? " state" : " states");
    this.table();
  }

  table() {
    const to = this.frame[1];
    const head = make("tr", "", header("From", "col"), header("State", "col"), header("For", "col"));
    const line = (s) => make("tr", "", header(moment(s.from), "row"), make("td", "", words(s.state)), make("td", "", span((Math.min(s.to, to) - s.from) / 1000)));
    this.part("table").replaceChildren(make("thead", "", head), make("tbody", "", ...this.spans.slice(-100).reverse().map(line)));
  }
}
