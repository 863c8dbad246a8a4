// The dashboard draws what /status tells: the last hour when it is opened, then what
// is new, every step. It asks for nothing else, and not while nobody looks.

import { clock } from "/chart.js";
import { amount, bytes, millis, moment, span, whole } from "/figures.js";
import { Band, Card, make, put, words } from "/panel.js";

const el = (id) => document.getElementById(id);
const HOUR = 3600000;

let rows = []; // samples, the oldest first
let states = []; // of the upstream: {state, from}, ms
let status = null; // the last answer
let step = 5; // seconds between samples
let asking = 0;
let trouble = ""; // why there is no answer that is worth anything
let answered = 0; // when the last answer came, by the reader's clock, which may be hours beside the gateway's

const MOODS = { streaming: "good", halted: "bad" };

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
  const away = Date.now() - answered;
  const since = rows.length === 0 || away < 0 ? HOUR : Math.min(HOUR, away + 15000);
  trouble = "The gateway does not answer; asking again";
  try {
    const answer = await fetch("/status?history=" + Math.max(1, Math.ceil(since / 1000)) + "s", { signal: AbortSignal.timeout(8000) });
    trouble = "What answers for /status is not the gateway (HTTP " + answer.status + "); asking again";
    if (!answer.ok) throw new Error(trouble);
    take(await answer.json());
    answered = Date.now();
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
  rows = rows.filter((r) => r.at > rows.at(-1).at - HOUR - 10000);
  const fresh = s.upstream.map(({ state, since }) => ({ state, from: Date.parse(since) }));
  states = [...states.filter((old) => old.from < fresh[0].from), ...fresh].slice(-2000);
}

// ---- showing -----------------------------------------------------------------

function show() {
  now();
  tiles();
  const length = 1000 * Number(document.querySelector("input[name=range]:checked").value);
  const to = rows.at(-1)?.at ?? Date.now();
  const seen = rows.filter((r) => r.at > to - length);
  const frame = { from: to - length, to, hole: 2500 * step };
  band.show(states, frame);
  for (const chart of charts) chart.show(seen, frame);
  bars(el("gaps"), counted(seen, "gaps"), (reason) => [reason, GAPS[reason] ?? ""]);
  bars(el("dropped"), counted(seen, "dropped"), (reason) => [reason, DROPS[reason] ?? ""]);
  bars(el("top"), (status?.top_filters ?? []).map((n, i) => [i + 1, n]), (n) => ["Filter " + n, ""], "No client yet.");
}

function now() {
  const up = status?.upstream;
  el("upstream").dataset.mood = up ? MOODS[up.state] ?? "busy" : "bad";
  put(el("upstream"), up ? "Upstream " + words(up.state) + " since " + moment(up.since) : trouble);
  const why = up ? [up.error, up.hint, up.next_attempt && "next attempt at " + clock(up.next_attempt, true)].filter(Boolean).join(" · ") : "";
  put(el("why"), why);
  el("why").hidden = why === "";
  if (status) {
    const c = status.cluster;
    put(el("about"), ["aviary " + status.version, "source " + status.source, "up " + span(status.uptime_s), "node " + c.node + (c.leader === c.node ? "" : ", led by " + c.leader)].join(" · "));
  }
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

const band = new Band();
const charts = CHARTS.map((c) => new Card(c));
el("charts").append(band.root, ...charts.map((c) => c.root));
el("range").addEventListener("change", show);
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(asking) : ask()));
ask();
