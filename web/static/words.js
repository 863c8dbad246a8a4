// What the page says, in words. Nothing here touches the document.

const numbers = new Intl.NumberFormat("en");

export const number = (n) => numbers.format(n);
export const many = (n, one, more = one + "s") => number(n) + " " + (n === 1 ? one : more);

// Formats are made once: to make one takes longer than the rest of a card.
const format = (options) => new Intl.DateTimeFormat([], options);
const day = { day: "numeric", month: "short" };
const minute = { hour: "2-digit", minute: "2-digit" };
const second = { ...minute, second: "2-digit" };
const seconds = format(second);
const datedSeconds = format({ ...second, ...day, year: "numeric" });
const minutes = format(minute);
const days = format(day);
const whole = format({ dateStyle: "medium", timeStyle: "medium" });

const today = (at) => at.toDateString() === new Date().toDateString();

// clock is a time of day; of another day, with its date.
export function clock(time) {
  const at = new Date(time);
  if (Number.isNaN(at.valueOf())) return "";
  return (today(at) ? seconds : datedSeconds).format(at);
}

// brief is the time of day to the minute, or the day.
export const brief = (at) => (today(at) ? minutes : days).format(at);

// full is the date and the time of day.
export const full = (at) => whole.format(at);

// connection says how the page stands with the gateway: a mood (good, busy,
// bad) and words.
export function connection(state, facts = {}) {
  const seconds = facts.seconds ? " in " + many(Math.max(1, Math.round(facts.seconds)), "second") : "";
  switch (state) {
    case "connecting":
      return ["busy", "Connecting to the gateway…"];
    case "live":
      return ["good", "Live"];
    case "resumed":
      return ["good", facts.whole ? "Live again, nothing was missed" : "Live again, some posts were missed"];
    case "silent":
      return ["busy", "The connection fell silent; opening another…"];
    case "reconnecting":
      return ["busy", facts.bye ? byes[facts.bye] ?? "The gateway ended the connection; reconnecting…" : "Connection lost; reconnecting…"];
    case "gone":
      return ["bad", "The gateway cannot be reached; trying again" + seconds + "…"];
    case "refused":
      return ["bad", "Not connected: the gateway took none of these filters"];
    case "denied":
      return ["bad", "Not connected: " + facts.detail + (seconds && "; trying again" + seconds)];
    case "resting":
      return ["busy", "Resting while this page is hidden"];
  }
  return ["busy", state];
}

const byes = {
  draining: "The gateway is shutting down or restarting; reconnecting soon…",
  max_age: "The gateway renews its connections; reconnecting…",
  too_slow: "This page took too long to read; reconnecting…",
  auth_expired: "Access has run out; reconnecting…",
  overloaded: "The gateway is full; trying again later…",
  evicted: "The operator ended this connection; reconnecting…",
};

// upstream says how the gateway stands with its own source.
export function upstream(u) {
  const next = u.next_attempt ? ", next attempt at " + clock(u.next_attempt) : "";
  const why = [u.error, u.hint].filter(Boolean).map((words) => words.replace(/\.$/, "")).join("; ");
  switch (u.state) {
    case "connecting":
      return ["busy", "Upstream: connecting" + (why && " again (" + why + ")")];
    case "streaming":
      return ["good", "Upstream: streaming"]; // not posts_per_s, which is old a moment later
    case "backing_off":
      return ["busy", "Upstream: waiting" + next + (why && " (" + why + ")")];
    case "switching":
      return ["busy", "Upstream: changing over to another stream"];
    case "halted":
      return ["bad", "Upstream: halted" + (why ? ": " + why : " until somebody acts")];
  }
  return ["busy", "Upstream: " + u.state];
}

// gap says what is missing in the list, and why.
export function gap(g) {
  const some = g.missed === null || g.missed === undefined ? "Some posts" : many(g.missed, "post");
  const are = g.missed === 1 ? " is" : " are";
  const when = g.from && g.to ? " between " + clock(g.from) + " and " + clock(g.to) : "";
  switch (g.reason) {
    case "slow":
      return "This page fell behind: " + some.toLowerCase() + are + " missing here.";
    case "history":
      return some + are + " missing here: the gateway no longer holds them.";
    case "upstream":
      return "The gateway lost its source" + when + ": posts of that time are missing here.";
    case "restart":
      return "The gateway was restarted: posts may be missing here.";
    case "oversize":
      return some + (g.missed === 1 ? " was" : " were") + " too large for the gateway.";
  }
  return some + are + " missing here (" + g.reason + ").";
}

// held says why new posts wait.
export const held = {
  paused: "Paused.",
  scrolled: "Holding still: you read further down.",
  pointer: "Holding still under the pointer.",
  focus: "Holding still: you are in this list.",
  selected: "Holding still: you have selected words here.",
};

// curl is a command that a shell understands, whatever is in the address.
export const curl = (address) => "curl -N '" + address.replaceAll("'", "%27") + "'";

// mark cuts a value at the code point where it is wrong: what is before, the
// wrong word, what is after. The word goes to the next comma or space, that of a
// rule (as: "q") to the next parenthesis or space. null: no such place.
export function mark(value, position, as = "track") {
  const points = [...value];
  if (!Number.isInteger(position) || position < 0 || position > points.length || value === "") return null;
  const rest = points.slice(position).join("");
  const wrong = (as === "q" ? /^[^()\s]+/ : /^[^,\s]+/).exec(rest)?.[0] ?? [...rest][0] ?? "";
  return [points.slice(0, position).join(""), wrong, rest.slice(wrong.length)];
}
