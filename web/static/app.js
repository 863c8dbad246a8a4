// The live page: what the reader asks for goes to a Stream and a Search, what
// they say goes to a Feed and into words.

import { Check, explained } from "/check.js";
import { Feed } from "/feed.js";
import { remember } from "/gone.js";
import { Search } from "/search.js";
import { Stream } from "/stream.js";
import { connection, curl, gap, held, many, number, upstream } from "/words.js";
import { make } from "/card.js";

const el = (id) => document.getElementById(id);
const PACE = "2"; // posts a second, unless the reader wants another
const QUIET = 15000; // ms between announcements to screen readers
const RECENT = 20000; // ms for which "live again" is news
const UNSEEN = 60000; // ms a page may be hidden before it lets go of its stream

const feed = new Feed(el("posts"), el("bar"), [el("search")], changed);
const search = new Search({
  section: el("search"), form: el("find"), bar: el("progress"), words: el("found"),
  problem: el("find-problem"), results: el("results"), stop: el("stop"), curl: el("find-curl"),
});

const check = new Check(checked);

let stream = null; // feeds the list
let trial = null; // asks for a filter that the gateway has not taken yet
let left = 0; // posts that max_rate left out
let arrived = 0; // posts since the last announcement
let waiting = 0;

// ---- the filter and its address ----------------------------------------------

// fields are the form's fields by the parameter of /stream that they are: the
// first box is track or, when a rule stands in it, q.
const fields = () => ({ [el("as").value]: el("track"), language: el("language") });

// wanted is what the form says, as parameters of /stream.
function wanted() {
  const query = new URLSearchParams();
  for (const [name, field] of Object.entries(fields())) {
    const value = field.value.trim();
    if (value !== "") query.set(name, value);
  }
  return query;
}

// write says how the first box is written: as "track", words, or as "q", a rule.
function write(as) {
  el("as").value = as;
  el("ask").textContent = as === "q" ? "Show posts that match" : "Show posts about";
  for (const hint of el("track-hint").children) hint.hidden = hint.dataset.as !== as;
}

// permalink is the page's own address for what the form says.
function permalink() {
  const query = wanted();
  if (el("pace").value !== PACE) query.set("max_rate", el("pace").value);
  const text = query.toString();
  return "/" + (text === "" ? "" : "?" + text);
}

function fill(address) {
  const query = new URL(address).searchParams;
  write(query.has("q") ? "q" : "track");
  el("track").value = query.get(el("as").value) ?? "";
  el("language").value = query.get("language") ?? "";
  el("pace").value = query.get("max_rate") ?? PACE;
  if (el("pace").selectedIndex < 0) el("pace").value = PACE;
  if (query.has("search")) el("find").elements.q.value = query.get("search");
}

// apply tries the form's filter. The list stays as it is until the gateway has
// taken it: a typing error costs the reader nothing.
function apply(push) {
  trial?.stop();
  check.stop();
  checked({});
  problem(null);
  const filter = wanted();
  const query = new URLSearchParams(filter);
  if (el("pace").value !== "off") query.set("max_rate", el("pace").value);
  const there = permalink();
  const since = filter.size === 0 ? "30s" : "5m"; // so that the page does not begin empty

  const mine = new Stream(query, since, {
    state: (name, facts) => (mine === stream || stream === null) && say("connection", connection(name, facts)),
    refused: (p) => {
      problem(p);
      if (mine === trial) trial = null;
      if (mine === stream || stream === null) say("connection", connection("refused"));
    },
    hello: (h, back) => {
      if (mine === trial) adopt(mine, filter, there, push);
      greet(h, back);
    },
    post: (post) => {
      arrived++;
      feed.add(post);
    },
    gap: missed,
    upstream: (u) => say("upstream", upstream(u)),
    gone: (what) => {
      remember(what);
      feed.sweep();
      search.sweep();
    },
    rested: (away) => feed.note("This page rested for " + many(Math.round(away / 60000), "minute") + " while it was hidden; posts of that time are not shown."),
  });
  trial = mine;
  mine.start();
}

function adopt(mine, filter, there, push) {
  stream?.stop();
  stream = mine;
  trial = null;
  if (push && there !== location.pathname + location.search) history.pushState(null, "", there);
  el("curl").textContent = curl(location.origin + "/stream" + (filter.size === 0 ? "" : "?" + filter));
  left = 0;
  leftOut();
  feed.clear();
  feed.settle();
}

let lost = false; // hello has told of a gap, and the gap event that says the same is to come
let first = true; // nothing was promised to a page that has just begun

function greet(hello, back) {
  first = !back;
  lost = back && (hello.resumed === "none" || hello.resumed === "partial");
  if (lost) feed.note(gap({ reason: hello.resumed === "none" ? "restart" : "history", missed: hello.missed }));
  const live = connection("live", hello);
  const words = back ? connection("resumed", { whole: !lost }) : live;
  say("connection", words);
  if (back) setTimeout(() => el("connection").textContent === words[1] && say("connection", live), RECENT);
  el("filtered").textContent = hello.filter;
  el("warnings").textContent = hello.warnings.join(" ");
  el("simulated").hidden = hello.source !== "sim";
}

function missed(g) {
  if (g.reason === "max_rate") {
    left += g.missed;
    leftOut();
    return;
  }
  const known = g.reason === "restart" || g.reason === "history";
  if (known && (lost || first)) return;
  feed.note(gap(g));
}

// ---- words -------------------------------------------------------------------

function say(id, [mood, words]) {
  if (el(id).textContent === words) return;
  el(id).dataset.mood = mood;
  el(id).textContent = words;
}

// problem shows why the gateway did not take the filter. It interrupts the
// reader, who has asked for it.
function problem(p) {
  el("problem").replaceChildren(...explained(p, fields()));
  el("problem").hidden = !p;
}

// checked says what the gateway makes of what stands in the form; politely, for
// the reader is still writing.
function checked({ understood, problem: wrong }) {
  if (!el("problem").hidden) problem(null);
  const parts = explained(wrong, fields());
  if (parts.length > 0) parts.splice(0, parts.length, make("div", "problem", ...parts));
  if (understood) {
    const filter = make("code", "", understood.filter);
    filter.dir = "auto";
    parts.push(make("p", "", "Understood as ", filter), ...understood.warnings.map((words) => make("p", "", words)));
  }
  el("checked").replaceChildren(...parts);
}

function leftOut() {
  el("left").textContent = left === 0 ? "" : many(left, "post") + " left out to keep this readable";
}

function changed({ waiting: n, held: why, cards }) {
  waiting = n;
  el("new").hidden = n === 0;
  el("new").textContent = number(n) + " new";
  el("new").setAttribute("aria-label", "Show " + many(n, "new post"));
  el("held").textContent = why === "paused" || n > 0 ? held[why] ?? "" : "";
  el("empty").hidden = cards > 0;
  document.title = (n > 0 ? "(" + number(n) + ") " : "") + "aviary · live";
}

// One polite sentence with numbers, never the posts: a stream read aloud would
// drown everything else.
setInterval(() => {
  if (arrived === 0 || feed.paused) return;
  el("told").textContent = waiting > 0 ? many(waiting, "new post") + " waiting." : many(arrived, "new post") + ".";
  arrived = 0;
}, QUIET);

// ---- what the reader does ----------------------------------------------------

el("filter").addEventListener("submit", (e) => {
  e.preventDefault();
  apply(true);
});
el("pace").addEventListener("change", () => apply(true));
for (const field of ["track", "language"]) el(field).addEventListener("input", () => check.about(wanted()));
el("as").addEventListener("change", () => {
  write(el("as").value);
  check.about(wanted());
});
el("clear").addEventListener("click", () => {
  el("track").value = el("language").value = "";
  apply(true);
  el("track").focus();
});
addEventListener("popstate", () => {
  fill(location.href);
  apply(false);
});

function pause(on) {
  el("pause").setAttribute("aria-pressed", String(on));
  el("pause").textContent = on ? "Resume" : "Pause";
  feed.pause(on);
}
el("pause").addEventListener("click", () => pause(!feed.paused));

// Whoever comes by keyboard is put on the first of the new cards.
el("new").addEventListener("click", (e) => {
  feed.flush();
  if (e.detail === 0) el("posts").firstElementChild?.focus({ preventScroll: true });
});

// Single keys act outside of fields, and can be switched off (WCAG 2.1.4).
const keys = {
  j: () => feed.move(1),
  k: () => feed.move(-1),
  p: () => pause(!feed.paused),
  n: () => !el("new").hidden && el("new").click(),
};
el("keys").checked = recall("keys") !== "off";
el("keys").addEventListener("change", () => keep("keys", el("keys").checked ? "on" : "off"));
addEventListener("keydown", (e) => {
  const typing = e.target.closest?.("input, select, textarea");
  if (e.key === "Escape" && el("posts").contains(e.target)) e.target.blur();
  if (typing || e.ctrlKey || e.altKey || e.metaKey || !el("keys").checked) return;
  const act = keys[e.key.toLowerCase()];
  if (!act) return;
  e.preventDefault();
  act();
});

// The feed pattern's way out of a list that has no end.
el("posts").addEventListener("keydown", (e) => {
  const out = e.ctrlKey ? { End: el("find").elements.q, Home: el("pause") }[e.key] : undefined;
  if (!out) return;
  e.preventDefault();
  out.focus();
});

function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // storage is switched off: the choice lasts as long as the page
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const words = button.textContent;
  button.addEventListener("click", async () => {
    const what = el(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(what.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(what); // not allowed here: ready for the reader's own copy
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = words), 2000);
  });
}

// ---- when nobody looks -------------------------------------------------------

let hidden = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hidden);
  if (document.hidden) hidden = setTimeout(() => stream?.rest(), UNSEEN);
  else stream?.wake();
});
addEventListener("pagehide", () => stream?.rest());
addEventListener("pageshow", (e) => e.persisted && stream?.wake());

fill(location.href);
apply(false);
