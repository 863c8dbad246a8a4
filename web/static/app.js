// The live page: the columns that the reader has chosen, and the one connection
// that feeds them.

import { MOST, PACE, named, read, write } from "/address.js";
import { Column } from "/column.js";
import { remember } from "/gone.js";
import { copy, keep, recall } from "/keep.js";
import { Search } from "/search.js";
import { Shared } from "/shared.js";
import { connection, gap, many, number, upstream } from "/words.js";

const el = (id) => document.getElementById(id);
const QUIET = 15000; // ms between announcements to screen readers
const RECENT = 20000; // ms for which "live again" is news
const UNSEEN = 60000; // ms a page may be hidden before it lets go of its stream
const FRESH = 5 * 60 * 1000; // ms; after a longer rest the page begins anew

const search = new Search({
  section: el("search"), form: el("find"), bar: el("progress"), words: el("found"),
  problem: el("find-problem"), results: el("results"), stop: el("stop"), curl: el("find-curl"),
});

let columns = [];
let tabs = 1; // that share the connection
let arrived = 0; // posts since the last announcement
let lost = false; // hello has told of a gap, and the gap event that says the same is to come
let first = true; // nothing was promised to a page that has just begun
let covered = []; // the rules of the connection
let left = 0; // posts that no column could be told of

// ---- columns and their address -------------------------------------------------

const pace = () => (el("pace").value === "off" ? 0 : Number(el("pace").value));
const shown = () => columns.filter((column) => column.rule !== null);
const permalink = () => write({ columns: shown(), pace: el("pace").value });

const on = {
  changed(column, wish) {
    const others = shown().filter((c) => c !== column);
    column.show(named(wish.rule, others, wish.name), wish.rule);
    settle(true);
  },
  removed(column) {
    const at = columns.indexOf(column);
    columns.splice(at, 1);
    column.node.remove();
    (columns[at] ?? columns[at - 1])?.leave();
    settle(true);
  },
  earlier(rule) {
    el("search").scrollIntoView();
    search.about(rule);
  },
  counted,
};

function add(column) {
  column.pace(pace());
  columns.push(column);
  el("columns").append(column.node);
  return column;
}

// settle brings address and connection to what the columns say now.
function settle(push) {
  const there = permalink();
  if (push && there !== location.pathname + location.search) history.pushState(null, "", there);
  for (const column of columns) column.pace(pace());
  shared.want([...new Set(shown().map((column) => column.rule))], pace());
  el("columns").dataset.count = Math.min(columns.length, 9);
  el("add").disabled = columns.length >= MOST;
  counted();
}

// fill shows the columns of an address; those that are there already stay.
function fill(address) {
  const { columns: wanted, pace: speed } = read(address);
  el("pace").value = speed;
  if (el("pace").selectedIndex < 0) el("pace").value = PACE;
  const old = columns;
  columns = [];
  for (const { name, rule } of wanted) {
    const same = old.find((column) => column.name === name && column.rule === rule);
    add(same ?? new Column({ name, rule }, on));
  }
  for (const column of old) if (!columns.includes(column)) column.node.remove();
  const words = new URL(address).searchParams.get("search");
  if (words !== null) el("find").elements.q.value = words;
}

// ---- what comes --------------------------------------------------------------

function hear(message) {
  switch (message.is) {
    case "post":
      arrived++;
      for (const column of columns) if (message.rules.includes(column.rule)) column.add(message.post);
      break;
    case "hello":
      greet(message);
      break;
    case "state":
      say("connection", connection(message.name, message.facts));
      break;
    case "gap":
      missed(message.gap);
      break;
    case "upstream":
      say("upstream", upstream(message.upstream));
      break;
    case "gone":
      remember(message.what);
      for (const list of [...columns, search]) list.sweep();
      break;
    case "refused":
      for (const column of columns) if (column.rule === message.rule) column.refused(message.problem);
      if (shown().every((column) => !column.live)) say("connection", connection("refused"));
      break;
    case "tabs":
      tabs = message.n;
      if (el("connection").textContent.startsWith(LIVE)) say("connection", live());
      break;
    case "crowded":
      el("crowded").textContent = message.n + " tabs of this browser show this page, each with a connection of its own, and over HTTP/1.1 a browser opens six to one place. " +
        "Close some, or come by HTTPS, where tabs share one connection.";
      el("crowded").hidden = false;
  }
}

const [, LIVE] = connection("live");
const live = () => ["good", LIVE + (tabs > 1 ? ", one connection for " + many(tabs, "tab") : "")];

// greet: a stream has begun, or this tab is told of one that runs.
function greet(message) {
  const { hello, back, from } = message;
  const goes = back || (from !== "" && from !== "?"); // on, from where it was
  covered = message.rules;
  first = !goes;
  lost = goes && (hello.resumed === "none" || hello.resumed === "partial");
  if (lost) for (const column of columns) if (column.live || column.mark !== "") column.note(gap({ reason: hello.resumed === "none" ? "restart" : "history", missed: hello.missed }));
  for (const column of columns) column.covered(message);
  const words = back ? connection("resumed", { whole: !lost }) : live();
  say("connection", words);
  if (back) setTimeout(() => el("connection").textContent === words[1] && say("connection", live()), RECENT);
  el("simulated").hidden = hello.source !== "sim";
}

function missed(g) {
  if (g.reason === "max_rate") {
    // Of several rules together nobody knows whose posts they were.
    if (covered.length === 1) for (const column of columns) column.rule === covered[0] && column.left(g.missed);
    else el("left").textContent = many((left += g.missed), "post") + " left out, of all columns together";
    return;
  }
  const known = g.reason === "restart" || g.reason === "history";
  if (known && (lost || first)) return;
  for (const column of columns) if (column.live) column.note(gap(g));
}

function say(id, [mood, words]) {
  if (el(id).textContent === words) return;
  el(id).dataset.mood = mood;
  el(id).textContent = words;
}

function counted() {
  const waiting = columns.reduce((sum, column) => sum + column.waiting, 0);
  const title = (waiting > 0 ? "(" + number(waiting) + ") " : "") + "aviary · live";
  if (document.title !== title) document.title = title;
  const paused = columns.length > 0 && columns.every((column) => column.paused);
  if ((el("pause").getAttribute("aria-pressed") === "true") === paused) return;
  el("pause").setAttribute("aria-pressed", String(paused));
  el("pause").querySelector("span").textContent = paused ? "Resume" : "Pause";
  el("pause").querySelector("use").setAttribute("href", paused ? "#i-play" : "#i-pause");
}

// One polite sentence with numbers, never the posts: a stream read aloud would
// drown everything else.
setInterval(() => {
  if (arrived === 0 || columns.every((column) => column.paused)) return;
  const waiting = columns.reduce((sum, column) => sum + column.waiting, 0);
  el("told").textContent = waiting > 0 ? many(waiting, "new post") + " waiting." : many(arrived, "new post") + ".";
  arrived = 0;
}, QUIET);

// ---- what the reader does ----------------------------------------------------

el("pace").addEventListener("change", () => settle(true));
el("pause").addEventListener("click", pauseAll);
el("add").addEventListener("click", another);
addEventListener("popstate", () => {
  fill(location.href);
  settle(false);
});

function pauseAll() {
  const on = !columns.every((column) => column.paused);
  for (const column of columns) column.pause(on);
  counted();
}

function another() {
  if (columns.length >= MOST) return;
  const column = columns.find((c) => c.rule === null) ?? add(new Column({ name: "", rule: null }, on));
  column.node.scrollIntoView({ inline: "nearest", block: "nearest" });
  column.edit(true);
  settle(false);
}

// at is the column that has the focus, or the first.
const at = () => Math.max(0, columns.findIndex((column) => column.node.contains(document.activeElement)));

// Single keys act outside of fields, and can be switched off (WCAG 2.1.4).
const keys = {
  j: () => columns[at()]?.move(1),
  k: () => columns[at()]?.move(-1),
  h: () => columns[at() - 1]?.enter(),
  l: () => columns[at() + 1]?.enter(),
  p: pauseAll,
  n: () => (columns.find((c) => c.waiting > 0 && c.node.contains(document.activeElement)) ?? columns.find((c) => c.waiting > 0))?.flush(true),
  c: another,
};
el("keys").checked = recall("keys") !== "off";
el("keys").addEventListener("change", () => keep("keys", el("keys").checked ? "on" : "off"));
addEventListener("keydown", (e) => {
  const typing = e.target.closest?.("input, select, textarea");
  const inside = e.target.closest?.(".feed");
  if (e.key === "Escape" && inside) e.target.blur();
  if (e.ctrlKey && inside && (e.key === "End" || e.key === "Home")) {
    e.preventDefault(); // the feed pattern's way out of a list that has no end
    if (e.key === "End") el("find").elements.q.focus();
    else columns[at()].leave();
  }
  if (typing || e.ctrlKey || e.altKey || e.metaKey || !el("keys").checked) return;
  const act = keys[e.key.toLowerCase()];
  if (!act) return;
  e.preventDefault();
  act();
});

el("find-copy").addEventListener("click", async () => {
  el("find-copy").textContent = await copy(el("find-curl").textContent, () => el("find-curl"));
  setTimeout(() => (el("find-copy").textContent = "Copy as curl"), 2000);
});

// Portraits are drawn with the cards that come from now on.
function portraits(wanted) {
  el("pictures").checked = wanted;
  document.documentElement.dataset.pictures = wanted ? "on" : "off";
}
portraits(recall("pictures") === "on");
el("pictures").addEventListener("change", () => {
  portraits(el("pictures").checked);
  keep("pictures", el("pictures").checked ? "on" : "off");
});

// ---- when nobody looks -------------------------------------------------------

let hidden = 0;
let rested = 0; // since when, ms; 0: at work

function rest() {
  if (rested !== 0) return;
  rested = Date.now();
  for (const column of columns) if (column.live) column.wait(shared.head);
  shared.rest();
  say("connection", connection("resting"));
}

function wake() {
  if (rested === 0) return;
  const away = Date.now() - rested;
  rested = 0;
  if (away > FRESH) {
    shared.forget();
    for (const column of columns) {
      column.wait("");
      column.note("This page rested for " + many(Math.round(away / 60000), "minute") + " while it was hidden; posts of that time are not shown.");
    }
  }
  say("connection", connection("reconnecting"));
  shared.wake();
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hidden);
  if (document.hidden) hidden = setTimeout(rest, UNSEEN);
  else wake();
});
addEventListener("pagehide", rest);
addEventListener("pageshow", (e) => e.persisted && wake());

fill(location.href);
const shared = new Shared(hear);
settle(false);
