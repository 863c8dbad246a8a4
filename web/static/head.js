// The head of the page: how things stand, in words, for those who look and those who
// listen.

import { connection, many, number, upstream } from "/words.js";

const el = (id) => document.getElementById(id);
const QUIET = 15000; // ms between announcements to screen readers
const RECENT = 20000; // ms for which "live again" is news
const [, LIVE] = connection("live");

let tabs = 1; // that share the connection
let arrived = 0; // posts since the last announcement
let waiting = 0; // posts that wait in columns
let paused = false; // all columns are

function say(id, [mood, words]) {
  if (el(id).textContent === words) return;
  el(id).dataset.mood = mood;
  el(id).textContent = words;
}

// state says how the page stands with the gateway, as words.connection has it.
export const state = (name, facts) => say("connection", connection(name, facts));

// source says how the gateway stands with its own source, and whether it is simulated.
export const source = (u) => say("upstream", upstream(u));
export const simulated = (is) => (el("simulated").hidden = !is);

const live = () => ["good", LIVE + (tabs > 1 ? ", one connection for " + many(tabs, "tab") : "")];

// begun: a stream has; again and whether nothing was lost, if there was one before.
export function begun(again, whole) {
  const words = again ? connection("resumed", { whole }) : live();
  say("connection", words);
  if (again) setTimeout(() => el("connection").textContent === words[1] && say("connection", live()), RECENT);
}

// shared: so many tabs share the connection.
export function shared(n) {
  tabs = n;
  if (el("connection").textContent.startsWith(LIVE)) say("connection", live());
}

// crowded: so many tabs have a connection of their own.
export function crowded(n) {
  el("crowded").textContent = n + " tabs of this browser show this page, each with a connection of its own, and over HTTP/1.1 a browser opens six to one place. " +
    "Close some, or come by HTTPS, where tabs share one connection.";
  el("crowded").hidden = false;
}

// beyond: so many columns of the address are not shown, where most are at most.
export function beyond(n, most) {
  el("beyond").hidden = n === 0;
  el("beyond").textContent = n === 0 ? "" : many(n, "column") + " of this address " + (n === 1 ? "is" : "are") + " not shown: a page has at most " + most +
    ", each with a name of its own, made of letters from a to z, digits, - and _.";
}

// left: so many posts were left out that no column can be told of.
export const left = (n) => (el("left").textContent = many(n, "post") + " left out, of all columns together");

// came counts a post for the announcement.
export const came = () => arrived++;

// count says what waits in all columns together.
export function count(columns) {
  const sum = columns.reduce((n, column) => n + column.waiting, 0);
  const all = columns.length > 0 && columns.every((column) => column.paused);
  if (sum !== waiting) {
    waiting = sum;
    document.title = (waiting > 0 ? "(" + number(waiting) + ") " : "") + "aviary · live";
  }
  if (all === paused) return;
  paused = all;
  el("pause").setAttribute("aria-pressed", String(paused));
  el("pause").querySelector("span").textContent = paused ? "Resume" : "Pause";
  el("pause").querySelector("use").setAttribute("href", paused ? "#i-play" : "#i-pause");
}

// tell has a sentence read aloud.
export const tell = (words) => (el("told").textContent = words);

// One polite sentence with numbers, never the posts: a stream read aloud would
// drown everything else.
setInterval(() => {
  if (arrived === 0 || paused) return;
  tell(waiting > 0 ? many(waiting, "new post") + " waiting." : many(arrived, "new post") + ".");
  arrived = 0;
}, QUIET);
