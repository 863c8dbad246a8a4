// A column: one rule, its posts, and what can be done with them.

import { named } from "/address.js";
import { icon, make } from "/card.js";
import { Editor } from "/editor.js";
import { Feed } from "/feed.js";
import { copy } from "/keep.js";
import { Replay } from "/replay.js";
import { curl, gap, held, many, number } from "/words.js";

const FILLING = 1500; // ms in which what comes may be of the last minutes
const EARLY = 300; // posts kept that come before the replay has been read
const TOLD = 400; // ms between two tellings of what was left out
const SHORT = 2000; // ms that a button says what it has done

// A Column calls on.changed(column, {rule, name}) when the reader wants another
// rule, on.moved(column, step) when they want it further left (-1) or right (1),
// on.removed(column), on.earlier(rule), and on.counted() after each change of what waits.
export class Column {
  node;
  name;
  rule; // null: none yet
  waiting = 0;
  mark = ""; // the last event that it has had when it began to wait for the stream
  #state = "waiting"; // for the stream; then "replaying", "live"; or "refused"
  #on;
  #feed;
  #editor;
  #rate = 0; // posts a second, 0: all
  #capped = false; // the gateway sees to that
  #second = 0; // the second that is counted, and what came in it
  #count = 0;
  #left = 0; // posts left out
  #later = 0; // when that is told
  #filling = 0; // until then the last minutes come
  #early = [];
  #replay = null; // that is being read
  #held = ""; // why they wait, if they do
  #fresh; // the words of the button that shows what waits
  #parts = new Map(); // of node, by selector

  constructor({ name, rule }, on) {
    this.#on = on;
    this.node = document.getElementById("column").content.cloneNode(true).firstElementChild;
    this.#fresh = document.createTextNode("");
    this.#at(".new").append(icon("up"), this.#fresh);
    this.#feed = new Feed(this.#at(".feed"), this.#at(".scroller"), (now) => this.#changed(now));
    this.#editor = new Editor(this.#at(".editor"), {
      taken: (wish) => this.#on.changed(this, wish),
      cancelled: () => (this.rule === null ? this.#on.removed(this) : this.edit(false)),
    });
    this.#at(".edit").addEventListener("click", () => this.edit(this.#at(".editor").hidden));
    this.#at(".halt").addEventListener("click", () => this.pause(!this.#feed.paused));
    this.#at(".remove").addEventListener("click", () => this.#on.removed(this));
    this.#at(".left").addEventListener("click", () => this.#on.moved(this, -1));
    this.#at(".right").addEventListener("click", () => this.#on.moved(this, 1));
    this.#at(".copy").addEventListener("click", () => this.#copy());
    this.#at(".earlier").addEventListener("click", () => this.#on.earlier(this.rule));
    // Whoever comes by keyboard is put on the first of the new cards.
    this.#at(".new").addEventListener("click", (e) => this.flush(e.detail === 0));
    this.show(name, rule);
  }

  #at(selector) {
    if (!this.#parts.has(selector)) this.#parts.set(selector, this.node.querySelector(selector));
    return this.#parts.get(selector);
  }

  // show gives it another rule, and begins anew.
  show(name, rule) {
    const other = rule !== this.rule;
    this.name = name;
    this.rule = rule;
    this.#at(".named").textContent = rule === null ? "New column" : name;
    this.#at(".rule").textContent = rule || (rule === null ? "" : "every post");
    this.#at(".rule").title = rule ?? "";
    this.#at(".feed").setAttribute("aria-label", name + ": posts, newest first");
    this.node.setAttribute("aria-label", "Column " + name);
    this.#at(".earlier").hidden = !rule;
    if (rule === null) this.edit(true);
    else this.edit(false);
    if (!other) {
      if (this.#state === "refused") this.wait(""); // asked for again, it is answered again
      return;
    }
    this.#feed.clear();
    this.#left = 0;
    this.wait("");
    this.#aside();
  }

  // ---- from the stream ----

  // pace: at most so many posts a second are shown (0: all).
  pace(rate) {
    if (rate !== this.#rate) this.#left = 0;
    this.#rate = rate;
    this.#aside();
  }

  // wait: what comes now is not known to go on behind mark.
  wait(mark) {
    this.mark = mark;
    this.#state = "waiting";
    this.#replay?.stop();
    this.#replay = null;
  }

  // doubt: what came behind the event last may not have been told here.
  doubt(last) {
    if (this.live) this.wait(last);
    else if (this.#state === "replaying") this.wait(this.mark);
  }

  get live() {
    return this.#state === "live";
  }

  // covered: a stream has begun, as Leader tells it.
  async covered({ rules, rate, from }) {
    if (!rules.includes(this.rule)) return;
    this.#capped = rules.length === 1 && rate === this.#rate;
    if (this.#state === "refused") {
      this.wait(""); // there is room for it now, or another gateway takes it
      this.#editor.problem(null);
    }
    if (this.#state !== "waiting") return;
    this.#fills();
    if (from === this.mark) {
      this.#state = "live";
      return;
    }
    this.#state = "replaying";
    this.#early = [];
    const replay = (this.#replay = new Replay(this.rule, { id: this.mark, since: this.rule === "" ? "30s" : "5m", rate: this.#rate || rate }));
    const { posts, lost } = await replay.read();
    if (replay !== this.#replay) return; // it shows something else by now
    this.#replay = null;
    if (lost !== "" && this.mark !== "") this.note(gap({ reason: lost }));
    this.#fills();
    for (const post of posts) if (!this.#feed.known(post.id_str)) this.#feed.add(post);
    this.#state = "live";
    for (const post of this.#early) this.add(post);
    this.#early = [];
  }

  // fills: what comes in the next moment may be of the last minutes.
  #fills() {
    this.#feed.settle();
    this.#filling = performance.now() + FILLING;
  }

  add(post) {
    if (this.#state === "replaying") {
      if (this.#early.push(post) > EARLY) this.#early.shift();
      this.#replay.meet(post.id_str);
      return;
    }
    if (this.#state !== "live" || this.#feed.known(post.id_str)) return;
    if (this.#fits(post)) this.#feed.add(post);
    else this.left(1);
  }

  // fits keeps to the pace: the first posts of each second. Of a replay the
  // seconds are those of the posts.
  #fits(post) {
    if (this.#rate === 0 || this.#capped) return true;
    const written = Date.parse(post.created_at);
    const second = Math.floor((performance.now() < this.#filling && written ? written : Date.now()) / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    return ++this.#count <= this.#rate;
  }

  // left counts posts that were left out.
  left(n) {
    this.#left += n;
    this.#later ||= setTimeout(() => this.#aside(), TOLD);
  }

  note(words) {
    this.#feed.note(words);
  }

  sweep() {
    this.#feed.sweep();
  }

  selects() {
    this.#feed.selects();
  }

  // refused: the gateway did not take the rule.
  refused(problem) {
    if (this.#state === "refused") return;
    this.wait("");
    this.#state = "refused";
    // What is being written stays, here and elsewhere, and so does the focus.
    const elsewhere = document.activeElement !== document.body && !this.node.contains(document.activeElement);
    if (this.#at(".editor").hidden) this.edit(true, !elsewhere);
    this.#editor.problem(problem);
  }

  // ---- for the reader ----

  edit(on, focus = true) {
    const within = this.#at(".editor").contains(document.activeElement);
    if (on) this.#editor.open({ rule: this.rule ?? "", name: this.rule === null || derived(this) ? "" : this.name }, focus);
    else this.#editor.close();
    this.#at(".edit").setAttribute("aria-expanded", String(on));
    if (!on && within) this.#at(".edit").focus(); // it would be lost with the form
  }

  get paused() {
    return this.#feed.paused;
  }

  pause(on) {
    const button = this.#at(".halt");
    button.setAttribute("aria-pressed", String(on));
    button.replaceChildren(icon(on ? "play" : "pause"), make("span", "unseen", on ? "Resume this column" : "Pause this column"));
    this.#feed.pause(on);
  }

  flush(focus) {
    this.#feed.flush();
    if (focus) this.#at(".feed").firstElementChild?.focus({ preventScroll: true });
  }

  move(step) {
    this.#feed.move(step);
  }

  // enter puts the focus on its first post in sight, or on its head.
  enter() {
    if (this.#at(".feed").childElementCount > 0) this.#feed.move(0);
    else this.#at(".edit").focus();
  }

  leave() {
    this.#at(".halt").focus();
  }

  async #copy() {
    const command = curl(location.origin + "/stream" + (this.rule ? "?" + new URLSearchParams({ q: this.rule }) : ""));
    const done = await copy(command, () => {
      const shown = make("code", "", command);
      this.#at(".aside").replaceChildren(shown);
      return shown;
    });
    const button = this.#at(".copy");
    button.dataset.done = done;
    button.querySelector(".unseen").textContent = done;
    setTimeout(() => {
      delete button.dataset.done;
      button.querySelector(".unseen").textContent = "Copy as curl";
    }, SHORT);
  }

  // moves says where it stands: whether there is a column to the left of it, to the right.
  moves(left, right) {
    this.#at(".left").disabled = !left;
    this.#at(".right").disabled = !right;
  }

  #changed({ waiting, held: why, cards }) {
    this.#held = why === "paused" || waiting > 0 ? why : "";
    const button = this.#at(".new");
    if (waiting !== this.waiting && waiting > 0) {
      this.#fresh.data = number(waiting) + " new";
      button.setAttribute("aria-label", "Show " + many(waiting, "new post"));
    }
    this.waiting = waiting;
    button.hidden = waiting === 0;
    this.#at(".empty").hidden = cards > 0;
    this.#at(".feed").hidden = cards === 0; // a feed of nothing is none
    this.#aside();
    this.#on.counted();
  }

  #aside() {
    if (this.#later !== 0) clearTimeout(this.#later);
    this.#later = 0;
    const left = this.#left === 0 ? "" : many(this.#left, "post") + " left out to keep this readable";
    const words = held[this.#held] ?? left;
    if (this.#at(".aside").textContent !== words) this.#at(".aside").textContent = words;
  }
}

// derived: the column is called after its rule, and will be after the next one.
const derived = ({ name, rule }) => name.replace(/-\d+$/, "") === named(rule, []).replace(/-\d+$/, "");
