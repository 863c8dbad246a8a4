// The live page: what the reader asks for goes to a Stream and a Search, what
// they say goes to a Feed and into words.

import { Feed } from "/feed.js";
import { remember } from "/gone.js";
import { Search } from "/search.js";
import { Stream } from "/stream.js";
import { connection, curl, gap, held, many, mark, number, upstream } from "/words.js";
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

let stream = null; // feeds the list
let trial = null; // asks for a filter that the gateway has not taken yet
let left = 0; // posts that max_rate left out
let arrived = 0; // posts since the last announcement
let waiting = 0;

// ---- the filter and its address ----------------------------------------------

// wanted is what the form says, as parameters of /stream.
function wanted() {
  const query = new URLSearchParams();
  for (const name of ["track", "language"]) {
    const value = el(name).value.trim();
    if (value !== "") query.set(name, value);
  }
  return query;
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
  el("track").value = query.get("track") ?? "";
  el("language").value = query.get("language") ?? "";
  el("pace").value = query.get("max_rate") ?? PACE;
  if (el("pace").selectedIndex < 0) el("pace").value = PACE;
  if (query.has("q")) el("find").elements.q.value = query.get("q");
}

// apply tries the form's filter. The list stays as it is until the gateway has
// taken it: a typing error costs the reader nothing.
function apply(push) {
  trial?.stop();
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

// problem shows what the gateway does not like about the filter, in its own
// words, and marks the place.
function problem(p) {
  for (const input of [el("track"), el("language")]) {
    if (p?.param === input.name) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  const parts = p ? [make("span", "", p.detail)] : [];
  const cut = p && ["track", "language"].includes(p.param) ? mark(el(p.param).value.trim(), p.position) : null;
  if (cut) {
    const shown = make("code", "cut", cut[0], make("mark", "", cut[1]), cut[2]);
    shown.dir = "auto";
    parts.push(shown);
  }
  el("problem").replaceChildren(...parts);
  el("problem").hidden = parts.length === 0;
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
