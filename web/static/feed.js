// A column's list of posts, newest first. New posts wait in a queue while the
// reader is reading, and the queue is bounded: what does not fit is counted. Of
// the posts that are kept only those near the reader are elements: a slice that
// begins at the newest, and grows as the reader goes down.

import { card, make } from "/card.js";
import { isGone } from "/gone.js";
import { many } from "/words.js";

const MOST = 400; // posts kept
const SLICE = 24; // elements at least, if there are so many posts
const STEP = 6; // elements made in one go: a long task would hold up scrolling and typing
const QUEUE = 150; // entries that wait
const SEEN = 6000; // ids by which a repeated post is known
const LINGER = 700; // ms between the end of reading and the list's moving on
const EVERY = 150; // ms between two drawings: a list that flickers cannot be read
const FLOODED = 600; // the same, when each drawing brings more than is in sight
const FLOOD = 10;

// turns are what waits to be drawn, of all lists: one each frame.
const turns = [];

function turn(draw) {
  turns.push(draw);
  if (turns.length === 1) requestAnimationFrame(next);
}

function next() {
  const draw = turns.shift();
  if (turns.length > 0) requestAnimationFrame(next);
  draw();
}

// A Feed draws into list, a role=feed element inside scroller, which scrolls.
// changed is called after every change with {waiting, held, cards}.
export class Feed {
  #list;
  #scroller;
  #changed;
  #entries = []; // what is shown, newest first: {post or words, node}; nodes are a prefix
  #drawn = 0; // entries that have a node
  #goal = 0; // entries that are to have one
  #queue = []; // entries that came and are not shown, oldest first
  #lost = 0; // posts that fell out of the queue
  #seen = new Set();
  #busy = false; // a drawing is to come
  #filling = false; // more elements are
  #last = 0; // when it was drawn, ms
  #every = EVERY;
  #later = 0;
  #paused = false;
  #over = false; // the pointer is on it
  #settled = 0; // until then the list is being filled, and the pointer does not hold it

  constructor(list, scroller, changed) {
    this.#list = list;
    this.#scroller = scroller;
    this.#changed = changed;
    scroller.addEventListener("pointerenter", (e) => (this.#over = e.pointerType === "mouse"));
    scroller.addEventListener("pointerleave", () => {
      this.#over = false;
      this.#soon();
    });
    list.addEventListener("focusout", () => this.#soon());
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
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
    this.#entries = [];
    this.#queue = [];
    this.#drawn = 0;
    this.#lost = 0;
    this.#seen.clear();
    this.#list.replaceChildren();
    this.#tell();
  }

  // sweep takes away everything that must not be shown any more, also out of
  // the queue, and leaves what is being read where it is.
  sweep() {
    const gone = (entry) => entry.post && isGone(entry.post);
    const queued = this.#queue.length;
    this.#queue = this.#queue.filter((entry) => !gone(entry));
    const dead = this.#entries.filter(gone);
    if (dead.length > 0) {
      this.#entries = this.#entries.filter((entry) => !gone(entry));
      this.#still(() => dead.forEach((entry) => this.#remove(entry)));
      this.#fill();
      this.#number();
    }
    if (dead.length > 0 || this.#queue.length < queued) this.#tell();
  }

  #remove(entry) {
    if (!entry.node) return;
    if (entry.node.contains(document.activeElement)) {
      (entry.node.nextElementSibling ?? entry.node.previousElementSibling)?.focus({ preventScroll: true });
    }
    entry.node.remove();
    entry.node = null;
    this.#drawn--;
  }

  // still runs a change above or below what is being read without moving it: the
  // card with the focus, under the pointer, or the first one in sight.
  #still(change) {
    const top = this.#scroller.getBoundingClientRect().top;
    const cards = [...this.#list.children];
    const reading = [document.activeElement?.closest("article"), cards.find((c) => c.matches(":hover")), ...cards.filter((c) => c.getBoundingClientRect().bottom > top)];
    const places = reading.filter((c) => c && this.#list.contains(c)).map((c) => [c, c.getBoundingClientRect().top]);
    change();
    const [anchor, before] = places.find(([c]) => c.isConnected) ?? [];
    if (anchor && this.#away()) this.#scroller.scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: "instant" });
  }

  // ---- what is drawn ----

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

  #scrolled() {
    const s = this.#scroller;
    if (s.scrollTop + 2 * s.clientHeight > s.scrollHeight) this.#fill(this.#drawn + SLICE);
    this.#soon();
  }

  // flush shows what waits.
  flush() {
    this.#scroller.scrollTo({ top: 0, behavior: "instant" });
    this.#draw();
    this.#tell();
  }

  #draw() {
    if (this.#lost > 0) {
      this.#queue.unshift({ words: many(this.#lost, "post") + " that came meanwhile " + (this.#lost === 1 ? "was" : "were") + " not kept." });
    }
    const fresh = this.#queue.reverse();
    this.#queue = [];
    this.#lost = 0;
    if (fresh.length === 0) return;
    this.#every = fresh.length > FLOOD ? FLOODED : EVERY;
    // Of many new ones only the first come into sight; the others below them, and
    // all that was there, are drawn again, step by step.
    if (fresh.length > FLOOD) this.#shorten(0);
    const batch = document.createDocumentFragment();
    for (const entry of fresh.slice(0, FLOOD)) batch.append(this.#node(entry));
    if (fresh.length < 4) for (const node of batch.children) node.classList.add("arriving");
    this.#list.prepend(batch);
    this.#entries.unshift(...fresh);
    this.#shorten(SLICE + STEP);
    this.#entries.length = Math.min(this.#entries.length, MOST);
    this.#number();
    this.#fill();
  }

  // shorten leaves elements to the newest n entries only.
  #shorten(n) {
    for (let i = Math.min(this.#entries.length, this.#drawn) - 1; i >= n; i--) this.#remove(this.#entries[i]);
  }

  // fill gives elements to the newest n entries, some in each frame.
  #fill(n = SLICE) {
    this.#goal = Math.max(SLICE, Math.min(n, this.#entries.length));
    if (this.#filling || this.#drawn >= Math.min(this.#goal, this.#entries.length)) return;
    this.#filling = true;
    turn(() => {
      this.#filling = false;
      this.#grow(Math.min(this.#drawn + STEP, this.#goal));
      this.#fill(this.#goal);
    });
  }

  #grow(n) {
    const before = this.#drawn;
    const until = Math.min(n, this.#entries.length);
    for (let i = before; i < until; i++) this.#list.append(this.#node(this.#entries[i]));
    this.#number(before);
  }

  #node(entry) {
    entry.node = entry.post ? card(entry.post) : notice(entry.words);
    this.#drawn++;
    return entry.node;
  }

  #number(from = 0) {
    for (let i = from; i < this.#drawn; i++) {
      this.#entries[i].node.setAttribute("aria-posinset", String(i + 1));
      this.#entries[i].node.setAttribute("aria-setsize", "-1");
    }
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
    if (this.#entries.length === 0) return ""; // there is nothing to read yet
    if (this.#away()) return "scrolled";
    if (this.#list.contains(document.activeElement)) return "focus";
    if (this.#over && performance.now() > this.#settled) return "pointer";
    return "";
  }

  #away() {
    return this.#scroller.scrollTop > 8;
  }

  #tell() {
    const waiting = this.#queue.filter((entry) => entry.post).length + this.#lost;
    this.#changed({ waiting, held: this.held(), cards: this.#entries.length });
  }

  // ---- by keyboard: the feed pattern of ARIA ----

  #key(e) {
    const step = { PageDown: 1, PageUp: -1 }[e.key];
    if (step && !e.ctrlKey && !e.altKey && !e.metaKey) {
      e.preventDefault();
      this.move(step);
    }
  }

  // move puts the focus on the next card (1), the one before (-1), or, from
  // elsewhere, the first in sight.
  move(step) {
    const at = this.#entries.findIndex((entry) => entry.node?.contains(document.activeElement));
    if (at + step >= this.#drawn) this.#grow(this.#drawn + STEP);
    const top = this.#scroller.getBoundingClientRect().top;
    const to = at < 0 ? this.#entries.find(({ node }) => node && node.getBoundingClientRect().bottom > top) : this.#entries[at + step];
    to?.node?.focus();
  }
}

function notice(words) {
  const article = make("article", "notice", make("p", "", words));
  article.tabIndex = 0;
  article.setAttribute("aria-label", "Notice");
  return article;
}
