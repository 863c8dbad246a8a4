// A column's list of posts: what is shown, and what waits. New posts wait in a queue
// while the reader is reading, and the queue is bounded: what does not fit is counted.

import { isGone } from "/gone.js";
import { FLOOD, Shown } from "/shown.js";
import { turn } from "/turns.js";
import { many } from "/words.js";

const QUEUE = 150; // entries that wait
const SEEN = 6000; // ids by which a repeated post is known
const LINGER = 700; // ms between the end of reading and the list's moving on
const EVERY = 150; // ms between two drawings: a list that flickers cannot be read
const FLOODED = 750; // the same, when each drawing brings more than is in sight

// A Feed draws into list, a role=feed element inside scroller, which scrolls.
// changed is called after every change with {waiting, held, cards}.
export class Feed {
  #list;
  #shown;
  #changed;
  #queue = []; // entries that came and are not shown, oldest first: {post} or {words}
  #lost = 0; // posts that fell out of the queue
  #seen = new Set();
  #busy = false; // a drawing is to come
  #last = 0; // when it was drawn, ms
  #every = EVERY;
  #later = 0;
  #paused = false;
  #over = false; // the pointer is on it
  #selected = false; // words in it are
  #settled = 0; // until then the list is being filled, and the pointer does not hold it

  constructor(list, scroller, changed) {
    this.#list = list;
    this.#shown = new Shown(list, scroller);
    this.#changed = changed;
    scroller.addEventListener("pointerenter", (e) => (this.#over = e.pointerType === "mouse"));
    scroller.addEventListener("pointerleave", () => {
      this.#over = false;
      this.#soon();
    });
    list.addEventListener("focusout", () => this.#soon());
    scroller.addEventListener("scroll", () => this.#soon(), { passive: true });
    list.addEventListener("keydown", (e) => this.#key(e));
  }

  // ---- what comes ----

  // add takes a post.
  add(post) {
    if (!isGone(post)) this.#put({ post });
  }

  // known says whether a post came before, and notes that it came.
  known(id) {
    if (!id) return false;
    if (this.#seen.has(id)) return true;
    this.#seen.add(id);
    if (this.#seen.size > SEEN) this.#seen.delete(this.#seen.values().next().value);
    return false;
  }

  // note puts words between the posts of before and those of after.
  note(words) {
    if (this.#queue.at(-1)?.words !== words) this.#put({ words });
  }

  #put(entry) {
    this.#queue.push(entry);
    const fell = this.#queue.length > QUEUE && this.#queue.shift().post;
    // Of a list that is being filled nobody was promised the whole.
    if (fell && (this.#paused || performance.now() > this.#settled)) this.#lost++;
    this.#schedule();
  }

  // settle lets what comes now fill the list even under the pointer.
  settle() {
    this.#settled = performance.now() + 1000;
  }

  clear() {
    this.#queue = [];
    this.#lost = 0;
    this.#seen.clear();
    this.#shown.clear();
    this.#tell();
  }

  // sweep takes away everything that must not be shown any more, also out of the queue.
  sweep() {
    const queued = this.#queue.length;
    this.#queue = this.#queue.filter((entry) => !isGone(entry.post));
    if (this.#shown.sweep() || this.#queue.length < queued) this.#tell();
  }

  // ---- when it is drawn ----

  #schedule() {
    if (this.#busy) return;
    this.#busy = true;
    this.#list.setAttribute("aria-busy", "true");
    const wait = this.#last + this.#every - performance.now();
    const draw = () => {
      this.#last = performance.now();
      this.#busy = false;
      if (this.held() === "") this.#draw();
      if (!this.#busy) this.#list.setAttribute("aria-busy", "false");
      this.#tell();
    };
    if (wait > 0) setTimeout(() => turn(draw), wait);
    else turn(draw);
  }

  #soon() {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => (this.#queue.length > 0 ? this.#schedule() : this.#tell()), LINGER);
  }

  // selects notes whether words of the list are selected: by a finger, or to be copied
  // by a pointer that is elsewhere by now.
  selects() {
    const selection = getSelection();
    const selected = !selection.isCollapsed && this.#list.contains(selection.anchorNode);
    if (selected === this.#selected) return;
    this.#selected = selected;
    this.#soon();
  }

  // flush shows what waits.
  flush() {
    this.#shown.toTop();
    this.#draw(true);
    this.#tell();
  }

  #draw(asked = false) {
    if (this.#lost > 0) {
      this.#queue.unshift({ words: many(this.#lost, "post") + " that came meanwhile " + (this.#lost === 1 ? "was" : "were") + " not kept." });
    }
    const fresh = this.#queue.reverse();
    this.#queue = [];
    this.#lost = 0;
    if (fresh.length === 0) return;
    this.#every = !asked && fresh.length > FLOOD ? FLOODED : EVERY;
    this.#shown.put(fresh, this.#every === FLOODED);
  }

  // ---- whether it may move ----

  get paused() {
    return this.#paused;
  }

  pause(on) {
    this.#paused = on;
    if (!on) this.#schedule();
    this.#tell();
  }

  // held says why new posts wait: a name in words.held, or "" if they do not.
  held() {
    if (this.#paused) return "paused";
    if (this.#shown.size === 0) return ""; // there is nothing to read yet
    if (this.#shown.away) return "scrolled";
    if (this.#list.contains(document.activeElement)) return "focus";
    if (this.#selected) return "selected";
    if (this.#over && performance.now() > this.#settled) return "pointer";
    return "";
  }

  #tell() {
    const held = this.held();
    // What is to be drawn a moment later does not wait for the reader.
    const waiting = held === "" ? 0 : this.#queue.filter((entry) => entry.post).length + this.#lost;
    this.#changed({ waiting, held, cards: this.#shown.size });
  }

  // ---- by keyboard: the feed pattern of ARIA ----

  #key(e) {
    const step = { PageDown: 1, PageUp: -1 }[e.key];
    if (step && !e.ctrlKey && !e.altKey && !e.metaKey) {
      e.preventDefault();
      this.move(step);
    }
  }

  // move puts the focus on the next card (1), the one before (-1), or the first in sight.
  move(step) {
    this.#shown.move(step);
  }
}
