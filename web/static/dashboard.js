// The dashboard draws what /status tells: the last hour when it is opened, then what
// is new, every step. It asks for nothing else, and not while nobody looks.

import { band, clock, lines } from "/chart.js";

const el = (id) => document.getElementById(id);
const HOUR = 3600000;

let rows = []; // samples, the oldest first
let states = []; // of the upstream: {state, from}, ms
let status = null; // the last answer
let step = 5; // seconds between samples
let asking = 0;

// ---- numbers in words --------------------------------------------------------

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const none = "–";

const amount = (v) => (v === null || v === undefined ? none : v >= 100000 ? short.format(v) : v >= 100 ? whole.format(v) : plain.format(v));
const bytes = (v) => {
  if (v === null || v === undefined) return none;
  const power = v < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(v) / 3));
  return plain.format(v / 1000 ** power) + " " + ["B", "kB", "MB", "GB", "TB"][power];
};
const millis = (v) => {
  if (v === null || v === undefined) return none;
  if (v >= 1000) return plain.format(v / 1000) + " s";
  return (v < 10 ? Math.round(v * 100) / 100 : Math.round(v)) + " ms";
};
const span = (seconds) => {
  const [d, h, m] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  return d > 0 ? d + " d " + h + " h" : h > 0 ? h + " h " + m + " min" : m > 0 ? m + " min" : Math.floor(seconds) + " s";
};

const STATES = { connecting: "connecting", streaming: "streaming", backing_off: "waiting to try again", switching: "changing over", halted: "halted" };
const MOODS = { streaming: "good", halted: "bad" };
const words = (state) => STATES[state] ?? state;

// ---- what is charted ---------------------------------------------------------

const CHARTS = [
  { name: "Posts a second", unit: "posts a second", format: amount, series: [["posts", (r) => r.posts]] },
  { name: "Clients", unit: "clients", format: amount, series: [["clients", (r) => r.clients]] },
  { name: "Deliveries a second", unit: "deliveries a second", format: amount, series: [["deliveries", (r) => r.deliveries]] },
  { name: "Bytes a second", unit: "a second", format: bytes, series: [["bytes", (r) => r.bytes]] },
  { name: "Delivery time", unit: "from arrival to the kernel", format: millis, series: [["half within", (r) => r.p50], ["95 % within", (r) => r.p95], ["99 % within", (r) => r.p99]] },
  { name: "Lag of the source", unit: "behind its own time stamp", format: millis, series: [["lag", (r) => r.lag]] },
  { name: "Search budget", unit: "requests left", format: amount, series: [["left", (r) => r.remaining]], when: () => rows.some((r) => r.remaining !== null) },
];

const GAPS = {
  slow: "read too slowly", history: "came back too late", upstream: "the source was lost", restart: "the gateway was restarted",
  oversize: "a post was too large", max_rate: "asked for fewer",
};
const DROPS = { malformed: "could not be read", panic: "broke the decoder (a bug)", oversize: "too large", duplicate: "were here before" };

// ---- asking ------------------------------------------------------------------

async function ask() {
  clearTimeout(asking);
  const since = rows.length === 0 ? HOUR : Math.min(HOUR, Date.now() - rows.at(-1).at + 15000);
  try {
    const answer = await fetch("/status?history=" + Math.max(1, Math.ceil(since / 1000)) + "s", { signal: AbortSignal.timeout(8000) });
    if (!answer.ok) throw new Error("the gateway answers " + answer.status);
    take(await answer.json());
  } catch {
    status = null;
  }
  show();
  clearTimeout(asking);
  if (!document.hidden) asking = setTimeout(ask, 1000 * step);
}

function take(said) {
  status = said;
  const s = said.samples;
  step = s.step_s;
  const last = rows.at(-1)?.at ?? 0;
  const reasons = (columns, i) => Object.fromEntries(Object.entries(columns).map(([reason, column]) => [reason, column[i]]).filter(([, n]) => n > 0));
  s.at.forEach((at, i) => {
    if (at <= last) return;
    rows.push({
      at, posts: s.posts_per_s[i], clients: s.clients[i], deliveries: s.deliveries_per_s[i], bytes: s.bytes_per_s[i],
      p50: s.delivery_ms.p50[i], p95: s.delivery_ms.p95[i], p99: s.delivery_ms.p99[i], lag: s.upstream_lag_ms[i], remaining: s.search_remaining[i],
      dropped: reasons(s.dropped, i), gaps: reasons(s.gaps, i),
    });
  });
  rows = rows.filter((r) => r.at > Date.now() - HOUR - 10000);
  const fresh = s.upstream.map(({ state, since }) => ({ state, from: Date.parse(since) }));
  states = [...states.filter((old) => old.from < fresh[0].from), ...fresh].slice(-2000);
}

// ---- showing -----------------------------------------------------------------

function make(tag, className, ...content) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...content);
  return e;
}

const put = (e, text) => e.textContent === text || (e.textContent = text);

function show() {
  now();
  tiles();
  const length = 1000 * Number(document.querySelector("input[name=range]:checked").value);
  const to = rows.at(-1)?.at ?? Date.now();
  const seen = rows.filter((r) => r.at > to - length);
  for (const chart of charts) chart.show(seen, to - length, to);
  bars(el("gaps"), counted(seen, "gaps"), (reason) => [reason, GAPS[reason] ?? ""]);
  bars(el("dropped"), counted(seen, "dropped"), (reason) => [reason, DROPS[reason] ?? ""]);
  bars(el("top"), (status?.top_filters ?? []).map((n, i) => [i + 1, n]), (n) => ["Filter " + n, ""], "No client yet.");
}

function now() {
  const up = status?.upstream;
  el("upstream").dataset.mood = up ? MOODS[up.state] ?? "busy" : "bad";
  put(el("upstream"), up ? "Upstream " + words(up.state) + " since " + moment(up.since) : "The gateway does not answer; asking again");
  const why = up ? [up.error, up.hint, up.next_attempt && "next attempt at " + clock(up.next_attempt, true)].filter(Boolean).join(" · ") : "";
  put(el("why"), why);
  el("why").hidden = why === "";
  if (status) {
    const c = status.cluster;
    put(el("about"), ["aviary " + status.version, "source " + status.source, "up " + span(status.uptime_s), "node " + c.node + (c.leader === c.node ? "" : ", led by " + c.leader)].join(" · "));
  }
}

function moment(time) {
  const at = new Date(time);
  return (at.toDateString() === new Date().toDateString() ? "" : at.toLocaleDateString([], { day: "numeric", month: "short" }) + ", ") + clock(at, true);
}

function tiles() {
  const r = rows.at(-1) ?? {};
  const s = status ?? { history: {} };
  const search = s.search && [whole.format(s.search.remaining) + " of " + whole.format(s.search.limit), s.search.reset ? "searches left until " + clock(s.search.reset) : "searches left"];
  const facts = [
    ["Posts a second", amount(r.posts)], ["Clients", amount(s.clients)], ["Deliveries a second", amount(r.deliveries)], ["Bytes a second", bytes(r.bytes)],
    ["Delivered within", millis(r.p99), "99 % of posts"], ["Filters", amount(s.filters)],
    ["History", amount(s.history.events), bytes(s.history.bytes) + (s.history.from ? ", since " + moment(s.history.from) : "")],
    ...(search ? [["Search budget", ...search]] : []),
  ];
  el("tiles").replaceChildren(...facts.map(([name, value, more]) => make("div", "", make("dt", "", name), make("dd", "", value), ...(more ? [make("dd", "more", more)] : []))));
}

const counted = (seen, kind) => {
  const sums = {};
  for (const r of seen) for (const [reason, n] of Object.entries(r[kind])) sums[reason] = (sums[reason] ?? 0) + n;
  return Object.entries(sums).sort(([, a], [, b]) => b - a);
};

// bars draws a list of counts: the bar is for the eye, the words are for all.
function bars(list, counts, name, empty = "None in this time.") {
  const most = Math.max(...counts.map(([, n]) => n));
  list.replaceChildren(...counts.map(([what, n]) => {
    const [title, more] = name(what);
    const bar = make("meter", "");
    Object.assign(bar, { min: 0, max: most, value: n, ariaHidden: "true" });
    return make("li", "", make("span", "what", title, ...(more ? [make("span", "more", " " + more)] : [])), make("span", "count", whole.format(n)), bar);
  }));
  if (counts.length === 0) list.append(make("li", "empty", empty));
}

// A card holds one chart, its words and its table.
class Card {
  #chart;
  #at = []; // what is drawn
  #rows = [];
  #drawn = null;
  #frame = [0, 1];

  constructor(chart) {
    this.#chart = chart;
    this.root = el("chart").content.cloneNode(true).firstElementChild;
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

  show(seen, from, to) {
    this.root.hidden = this.#chart.when?.() === false;
    this.#rows = seen;
    this.#frame = [from, to];
    this.#draw();
    this.table();
  }

  #draw() {
    const [from, to] = this.#frame;
    const svg = this.part("svg");
    if (svg.clientWidth === 0 || to <= 1) return;
    const { format, name, series, unit } = this.#chart;
    this.#at = this.#rows.map((r) => r.at);
    const columns = series.map(([title, value]) => ({ name: title, values: this.#rows.map(value) }));
    this.#drawn = lines(svg, { from, to, at: this.#at, series: columns, format, hole: 2500 * step });
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
class Band extends Card {
  constructor() {
    super({ name: "Upstream", unit: "", format: String, series: [] });
    this.root.classList.add("wide");
    this.part(".legend").append(...Object.keys(STATES).filter((s) => s !== "switching").map((s) => make("li", "state-" + s, words(s))));
  }

  show(seen, from, to) {
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

const charts = [new Band(), ...CHARTS.map((c) => new Card(c))];
el("charts").append(...charts.map((c) => c.root));
el("range").addEventListener("change", show);
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(asking) : ask()));
ask();
