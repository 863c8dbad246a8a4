// What stands in a column's list: posts and notices, newest first. Those near the
// reader are elements: a slice that begins at the newest, and grows as the reader goes
// down. Elements are drawn step by step, and of a flood only those in sight: what will
// be gone before anybody gets there is not worth the time.

import { card, make } from "/card.js";
import { isGone } from "/gone.js";
import { turn } from "/turns.js";

const MOST = 400; // entries kept
const SLICE = 24; // elements at least, if there are so many entries
const LOW = 80; // px, a low card
const CALM = 1500; // ms after which a flood is over, and the slice is made whole
const STEP = 6; // elements made in one go: a long task would hold up scrolling and typing
export const FLOOD = 10; // new entries at once of which some are out of sight

// A Shown draws into list, a role=feed element inside scroller, which scrolls.
export class Shown {
  #list;
  #scroller;
  #entries = []; // {post or words, node}; nodes are a prefix
  #drawn = 0; // entries that have a node
  #goal = 0; // entries that are to have one
  #filling = false; // more elements are to come
  #calm = 0;
  #sight = STEP; // cards in sight at most
  #stale = []; // elements that go as soon as others are in their place
  #top = 0; // how far it is scrolled, px: to ask the scroller costs a layout

  constructor(list, scroller) {
    this.#list = list;
    this.#scroller = scroller;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(([{ contentRect }]) => (this.#sight = Math.max(STEP, Math.ceil(contentRect.height / LOW) + 1))).observe(scroller);
  }

  get size() {
    return this.#entries.length;
  }

  // away: the reader is further down.
  get away() {
    return this.#top > 8;
  }

  clear() {
    clearTimeout(this.#calm);
    this.#entries = [];
    this.#drawn = 0;
    this.#top = 0;
    this.#stale = [];
    this.#list.replaceChildren();
  }

  // put puts entries on top, the newest first; flood: as many are to come again in a moment.
  put(fresh, flood) {
    this.#dropStale();
    const many = fresh.length > FLOOD;
    // Of many new ones only the first are drawn at once. The others come below them step
    // by step, in place of what was there.
    if (many) this.#age();
    const batch = document.createDocumentFragment();
    for (const entry of fresh.slice(0, many ? STEP : FLOOD)) batch.append(this.#node(entry));
    if (fresh.length < 4) for (const node of batch.children) node.classList.add("arriving");
    this.#list.prepend(batch);
    this.#entries.unshift(...fresh);
    this.#shorten(Math.max(SLICE, this.#sight) + STEP);
    this.#entries.length = Math.min(this.#entries.length, MOST);
    this.#number();
    clearTimeout(this.#calm);
    if (flood) this.#calm = setTimeout(() => this.#fill(SLICE), CALM);
    this.#fill(flood ? this.#sight : SLICE);
  }

  // age leaves all elements where they are, but no entry has them any more.
  #age() {
    for (const entry of this.#entries.slice(0, this.#drawn)) {
      this.#stale.push(entry.node);
      entry.node = null;
    }
    this.#drawn = 0;
  }

  #dropStale() {
    for (const node of this.#stale) node.remove();
    this.#stale = [];
  }

  // sweep takes away what must not be shown any more, leaves what is being read where it
  // is, and says whether there was any.
  sweep() {
    const dead = this.#entries.filter((entry) => isGone(entry.post));
    this.#dropStale(); // they may be of those that go
    if (dead.length === 0) return false;
    this.#entries = this.#entries.filter((entry) => !dead.includes(entry));
    const remove = () => dead.forEach((entry) => this.#remove(entry));
    if (this.away && dead.some((entry) => entry.node)) this.#still(remove);
    else remove();
    this.#fill(this.#goal);
    this.#number();
    return true;
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
    if (anchor) this.#scroller.scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: "instant" });
  }

  // ---- elements ----

  #scrolled() {
    const s = this.#scroller;
    this.#top = s.scrollTop;
    if (this.#top + 2 * s.clientHeight > s.scrollHeight) this.#fill(this.#drawn + SLICE);
  }

  toTop() {
    this.#scroller.scrollTo({ top: 0, behavior: "instant" });
    this.#top = 0;
  }

  // shorten leaves elements to the newest n entries only.
  #shorten(n) {
    for (let i = Math.min(this.#entries.length, this.#drawn) - 1; i >= n; i--) this.#remove(this.#entries[i]);
  }

  // fill gives elements to the newest n entries, and to all that are in sight, some in
  // each frame.
  #fill(n) {
    this.#goal = Math.max(this.#sight, Math.min(n, this.#entries.length));
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
    const batch = document.createDocumentFragment();
    for (let i = before; i < until; i++) batch.append(this.#node(this.#entries[i]));
    this.#dropStale();
    this.#list.append(batch);
    this.#number(before);
  }

  #node(entry) {
    entry.node = entry.post ? drawn(entry.post) : notice(entry.words);
    entry.node.setAttribute("aria-setsize", "-1");
    this.#drawn++;
    return entry.node;
  }

  #number(from = 0) {
    for (let i = from; i < this.#drawn; i++) this.#entries[i].node.setAttribute("aria-posinset", String(i + 1));
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

// drawn is the card of a post. One that cannot be drawn must not keep those behind
// it from the reader.
function drawn(post) {
  try {
    return card(post);
  } catch {
    return notice("A post that this page cannot draw.");
  }
}

function notice(words) {
  const article = make("article", "notice", make("p", "", words));
  article.tabIndex = 0;
  article.setAttribute("aria-label", "Notice");
  return article;
}
