// What this tab has to do with the browser's one connection. In a secure context
// (HTTPS, or this machine) the tabs of a browser choose a leader: whoever holds
// a lock. The next in line takes over when its tab closes, and a leader that does
// not answer any more (a phone puts tabs to sleep) is replaced. Elsewhere there are
// no locks, and each tab has a connection of its own, of which HTTP/1.1 allows six.

import { Leader } from "/leader.js";

const LOCK = "aviary-stream";
const QUIET = 20000; // ms without a word from the leader before it is asked
const PATIENCE = 3000; // ms that it has for an answer
const SIX = 6;

// A Shared calls hear(message) with what a Leader tells, and {is: "crowded", n}
// when n tabs of this browser hold a connection each and no more are to be had, and
// {is: "behind", last} when what came behind the event last may have been told to
// others only: this tab led, fell silent, and another took over; or a new leader heard
// of this tab late. While a message is heard, head is still that of before.
export class Shared {
  #hear;
  #me = crypto.getRandomValues(new Uint32Array(2)).join("-");
  #together = isSecureContext && navigator.locks !== undefined;
  #channel = null;
  #leader = null;
  #rules = []; // that this tab shows
  #rate = 0; // its pace
  #head = ""; // id of the last event that was told
  #heard = -Infinity; // when the leader spoke last, ms; like all times here of a clock that nobody puts back
  #asked = 0; // when it was asked whether it is there; 0: not since
  #watch = 0;
  #line = null; // ends the waiting for the lock
  #lives = false; // holds the lock that says so
  #resign = () => {};
  #near = 0; // other tabs that have a connection of their own

  constructor(hear) {
    this.#hear = hear;
    this.wake();
  }

  // head is the id of the last event of the connection.
  get head() {
    return this.#head;
  }

  // leads says whether this tab has the connection.
  get leads() {
    return this.#leader !== null;
  }

  // want says what this tab shows: rules, and its pace (0: all).
  want(rules, rate) {
    this.#rules = rules;
    this.#rate = rate;
    this.#say(this.#wish());
  }

  #wish() {
    return { is: "want", rules: this.#rules, rate: this.#rate, last: this.#head };
  }

  // forget makes this tab one that has not had anything.
  forget() {
    this.#head = "";
  }

  // rest takes this tab out of it all; wake brings it back to where it was.
  rest() {
    clearInterval(this.#watch);
    this.#say({ is: "leave" });
    this.#line?.abort();
    this.#lives = false;
    this.#resign();
    this.#leader?.stop();
    this.#leader = null;
    this.#channel?.close();
    this.#channel = null;
  }

  wake() {
    if (this.#channel || this.#leader) return;
    try {
      this.#channel = new BroadcastChannel(this.#together ? "aviary" : "aviary-alone");
      this.#channel.onmessage = (e) => this.#took(e.data);
    } catch {
      this.#together = false; // there is none, or it is denied with all storage
    }
    this.#heard = -Infinity;
    this.#asked = 0;
    if (!this.#together) return this.#alone();
    this.#lineUp();
    this.#queue(false);
    this.#watch = setInterval(() => this.#check(), 1000);
  }

  #alone() {
    this.#leader = new Leader((message) => this.#out(message), this.#head);
    this.#channel?.postMessage({ is: "here", from: this.#me });
    this.#say(this.#wish());
  }

  // Whoever holds the lock of a tab lives: the leader waits for it, to learn when
  // we do not any more. Before that there is nothing to say to it.
  #lineUp() {
    const { signal } = (this.#line = new AbortController());
    const life = () => {
      this.#lives = true;
      this.#say(this.#wish());
      return new Promise((done) => signal.addEventListener("abort", done));
    };
    navigator.locks.request("aviary-tab-" + this.#me, { signal }, life).catch(() => {});
  }

  // say is for the leader, which may be this tab.
  #say(message) {
    if (this.#leader) this.#obey({ ...message, from: this.#me });
    else if (this.#lives) this.#channel?.postMessage({ ...message, from: this.#me });
  }

  // out is for all tabs, if there are others that share.
  #out(message) {
    if (this.#together && this.#leader?.shared) this.#channel.postMessage(message);
    this.#in(message);
  }

  #in(message) {
    this.#heard = performance.now();
    this.#asked = 0;
    this.#hear(message);
    if (message.id) this.#head = message.id;
  }

  // took sorts what came from another tab.
  #took(message) {
    switch (message.is) {
      case "want":
      case "leave":
      case "ping":
        if (this.#together && this.#leader) this.#obey(message);
        break;
      case "who": // there is a new leader
        this.#heard = performance.now();
        this.#say(this.#wish());
        break;
      case "behind":
        if (message.to === this.#me) this.#hear(message);
        break;
      case "pong":
        this.#heard = performance.now();
        this.#asked = 0;
        break;
      case "here":
        this.#channel.postMessage({ is: "here-too", to: message.from });
        break;
      case "here-too":
        if (message.to === this.#me && ++this.#near + 1 >= SIX) this.#hear({ is: "crowded", n: this.#near + 1 });
        break;
      default:
        if (!this.#leader) this.#in(message);
    }
  }

  // obey is what the leader does for a tab.
  #obey({ is, from, rules, rate, last }) {
    if (is === "want") {
      const behind = this.#leader.want(from, { rules, rate, last });
      if (from === this.#me) return;
      if (behind) this.#channel.postMessage({ is: "behind", to: from, last });
      this.#mourn(from);
    } else if (is === "leave") this.#leader.leave(from);
    else this.#channel.postMessage({ is: "pong" });
  }

  // ---- the lock ----

  #mourned = new Set(); // tabs whose end is waited for

  // mourn waits for the end of a tab, which may not be able to tell of it.
  #mourn(tab) {
    if (this.#mourned.has(tab)) return;
    this.#mourned.add(tab);
    navigator.locks
      .request("aviary-tab-" + tab, { signal: this.#line.signal }, () => {
        this.#mourned.delete(tab);
        this.#leader?.leave(tab);
      })
      .catch(() => this.#mourned.delete(tab));
  }

  async #queue(steal) {
    const line = this.#line;
    try {
      await navigator.locks.request(LOCK, steal ? { steal: true } : { signal: line.signal }, () => (line.signal.aborted ? undefined : this.#lead()));
    } catch (e) {
      // Another tab took it, or this one rests; or a browser that keeps nothing for
      // this place gives no locks, and never will.
      if (e.name !== "AbortError" && !line.signal.aborted) {
        this.rest();
        this.#together = false;
        this.wake();
        return;
      }
    }
    const led = this.#leader !== null;
    this.#leader?.stop();
    this.#leader = null;
    if (line.signal.aborted) return;
    if (led) this.#hear({ is: "behind", last: this.#head });
    this.#say(this.#wish()); // to the one that took it
    this.#queue(false);
  }

  // lead holds the lock until this tab rests.
  #lead() {
    this.#leader = new Leader((message) => this.#out(message), this.#head);
    this.#channel.postMessage({ is: "who" });
    this.#leader.want(this.#me, this.#wish());
    return new Promise((done) => (this.#resign = done));
  }

  // check asks a leader that has not said anything for long, and takes over from
  // one that does not answer.
  #check() {
    const now = performance.now();
    if (this.#leader || document.hidden) return;
    if (this.#asked !== 0 && now - this.#asked > PATIENCE) {
      this.#asked = 0;
      this.#heard = now;
      this.#line.abort(); // a request that waits cannot be turned into one that takes
      this.#lineUp();
      this.#queue(true);
    } else if (this.#asked === 0 && now - this.#heard > QUIET) {
      this.#asked = now;
      this.#channel.postMessage({ is: "ping", from: this.#me });
    }
  }
}
