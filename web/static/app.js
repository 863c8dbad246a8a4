// The live page: the columns that the reader has chosen, and the one connection
// that feeds them.

import { MOST, PACE, named, read, write } from "/address.js";
import { Column } from "/column.js";
import { remember } from "/gone.js";
import * as head from "/head.js";
import { whenHidden } from "/hidden.js";
import { copy, keep, recall } from "/keep.js";
import { keyboard } from "/keys.js";
import { Search } from "/search.js";
import { Shared } from "/shared.js";
import { gap, many } from "/words.js";

const el = (id) => document.getElementById(id);
const FRESH = 5 * 60 * 1000; // ms; after a longer rest the page begins anew

const search = new Search({
  section: el("search"), form: el("find"), bar: el("progress"), words: el("found"),
  problem: el("find-problem"), results: el("results"), stop: el("stop"), curl: el("find-curl"),
});

let columns = [];
let lost = false; // hello has told of a gap, and the gap event that says the same is to come
let first = true; // nothing was promised to a page that has just begun
let covered = []; // the rules of the connection
let left = 0; // posts that no column could be told of

// ---- columns and their address -------------------------------------------------

const pace = () => (el("pace").value === "off" ? 0 : Number(el("pace").value));
const shown = () => columns.filter((column) => column.rule !== null);
const permalink = () => write({ columns: shown(), pace: el("pace").value });
const count = () => head.count(columns);

const on = {
  changed(column, wish) {
    const others = shown().filter((c) => c !== column);
    column.show(named(wish.rule, others, wish.name), wish.rule);
    settle(true);
  },
  moved: move,
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
  counted: count,
};

// move puts a column further left (-1) or right (1).
function move(column, step) {
  const from = columns.indexOf(column);
  const to = from + step;
  if (!columns[to]) return;
  [columns[from], columns[to]] = [columns[to], columns[from]];
  settle(true);
  column.node.scrollIntoView({ inline: "nearest", block: "nearest" });
  head.tell("Column " + column.name + " is now " + (to + 1) + " of " + columns.length + ".");
}

// arrange puts the columns where they belong, and touches no other: one that is taken
// out of the document loses its place and the focus in it.
function arrange() {
  const box = el("columns");
  columns.forEach(({ node }, i) => {
    const there = box.children[i];
    if (there === node) return;
    // Of two that change places the one with the focus stays in the document.
    const other = there && box.children[i + 1] === node && node.contains(document.activeElement);
    const [moved, before] = other ? [there, node.nextElementSibling] : [node, there ?? null];
    const { scrollTop } = moved.querySelector(".scroller");
    box.insertBefore(moved, before);
    moved.querySelector(".scroller").scrollTop = scrollTop;
  });
}

// settle brings document, address and connection to what the columns are now.
function settle(push) {
  arrange();
  const there = permalink();
  if (push && there !== location.pathname + location.search) {
    history.pushState(null, "", there);
    head.beyond(0, MOST);
  }
  columns.forEach((column, i) => {
    column.pace(pace());
    column.moves(i > 0, i < columns.length - 1);
  });
  shared.want([...new Set(shown().map((column) => column.rule))], pace());
  el("columns").dataset.count = Math.min(columns.length, 9);
  el("add").disabled = columns.length >= MOST;
  count();
}

// fill shows the columns of an address; those that are there already stay.
function fill(address) {
  const { columns: wanted, pace: speed, beyond } = read(address);
  head.beyond(beyond, MOST);
  el("pace").value = speed;
  if (el("pace").selectedIndex < 0) el("pace").value = PACE;
  const old = columns;
  columns = wanted.map(({ name, rule }) => old.find((column) => column.name === name && column.rule === rule) ?? new Column({ name, rule }, on));
  for (const column of old) if (!columns.includes(column)) column.node.remove();
  const words = new URL(address).searchParams.get("search");
  if (words !== null) el("find").elements.q.value = words;
}

// ---- what comes --------------------------------------------------------------

function hear(message) {
  switch (message.is) {
    case "post":
      head.came();
      for (const column of columns) if (message.rules.includes(column.rule)) column.add(message.post);
      break;
    case "hello":
      greet(message);
      break;
    case "state":
      head.state(message.name, message.facts);
      break;
    case "gap":
      missed(message.gap);
      break;
    case "upstream":
      head.source(message.upstream);
      break;
    case "gone":
      remember(message.what);
      for (const list of [...columns, search]) list.sweep();
      break;
    case "refused":
      for (const column of columns) if (column.rule === message.rule) column.refused(message.problem);
      if (shown().every((column) => !column.live)) head.state("refused");
      break;
    case "behind":
      for (const column of columns) column.doubt(message.last);
      break;
    case "tabs":
      head.shared(message.n);
      break;
    case "crowded":
      head.crowded(message.n);
  }
}

// greet: a stream has begun, or this tab is told of one that runs.
function greet(message) {
  const { hello, back, from } = message;
  const goes = back || (from !== "" && from !== "?"); // on, from where it was
  covered = message.rules;
  first = !goes;
  lost = goes && (hello.resumed === "none" || hello.resumed === "partial");
  if (lost) for (const column of columns) if (column.live || column.mark !== "") column.note(gap({ reason: hello.resumed === "none" ? "restart" : "history", missed: hello.missed }));
  for (const column of columns) {
    if (!covered.includes(column.rule)) column.doubt(shared.head); // its leader does not know of it yet
    column.covered(message);
  }
  head.begun(back, !lost);
  head.simulated(hello.source === "sim");
}

function missed(g) {
  if (g.reason === "max_rate") {
    // Of several rules together nobody knows whose posts they were.
    if (covered.length === 1) for (const column of columns) column.rule === covered[0] && column.left(g.missed);
    else head.left((left += g.missed));
    return;
  }
  const known = g.reason === "restart" || g.reason === "history";
  if (known && (lost || first)) return;
  for (const column of columns) if (column.live) column.note(gap(g));
}

// ---- what the reader does ----------------------------------------------------

el("pace").addEventListener("change", () => settle(true));
el("pause").addEventListener("click", pauseAll);
el("add").addEventListener("click", another);
document.addEventListener("selectionchange", () => columns.forEach((column) => column.selects()));
addEventListener("popstate", () => {
  fill(location.href);
  settle(false);
});

function pauseAll() {
  const on = !columns.every((column) => column.paused);
  for (const column of columns) column.pause(on);
  count();
}

function another() {
  if (columns.length >= MOST) return;
  const column = columns.find((c) => c.rule === null) ?? new Column({ name: "", rule: null }, on);
  if (!columns.includes(column)) columns.push(column);
  settle(false);
  column.node.scrollIntoView({ inline: "nearest", block: "nearest" });
  column.edit(true);
}

// at is the column that has the focus, or the first.
const at = () => Math.max(0, columns.findIndex((column) => column.node.contains(document.activeElement)));

keyboard({
  j: () => columns[at()]?.move(1),
  k: () => columns[at()]?.move(-1),
  h: () => columns[at() - 1]?.enter(),
  l: () => columns[at() + 1]?.enter(),
  "Shift+h": () => columns[at()] && move(columns[at()], -1),
  "Shift+l": () => columns[at()] && move(columns[at()], 1),
  p: pauseAll,
  n: () => (columns.find((c) => c.waiting > 0 && c.node.contains(document.activeElement)) ?? columns.find((c) => c.waiting > 0))?.flush(true),
  c: another,
}, el("keys"), (way) => (way > 0 ? el("find").elements.q.focus() : columns[at()].leave()));

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

function rest() {
  for (const column of columns) column.doubt(shared.head);
  shared.rest();
  head.state("resting");
}

function wake(away) {
  if (away > FRESH) {
    shared.forget();
    for (const column of columns) {
      column.wait("");
      column.note("This page rested for " + many(Math.round(away / 60000), "minute") + " while it was hidden; posts of that time are not shown.");
    }
  }
  head.state("reconnecting");
  shared.wake();
}

const shared = new Shared(hear); // the tabs agree on a leader while the columns are made
fill(location.href);
settle(false);
whenHidden(rest, wake);
