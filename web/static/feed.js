// The list of live posts, newest first. New posts wait in a queue while the
// reader is reading, and the queue is bounded: what does not fit is counted.

import { card, make } from "/card.js";
import { isGone } from "/gone.js";
import { ids } from "/post.js";
import { many } from "/words.js";

const MOST = 200; // cards in the list
const QUEUE = 150; // entries that wait: fewer, so that the list still shows where they begin
const SEEN = 4000; // ids by which a repeated post is known
const LINGER = 700; // ms between the end of reading and the list's moving on

// A Feed draws into list, a role=feed element. bar is what sticks above it;
// beside are other elements that must not move while somebody is in them.
// changed is called after every change with {waiting, held, cards}.
export class Feed {
  #list;
  #bar;
  #changed;
  #shown = new Map(); // article → the post's ids and authors, and no text
  #queue = []; // entries that came and are not drawn, oldest first
  #lost = 0; // posts that fell out of the queue
  #seen = new Set();
  #frame = 0;
  #later = 0;
  #paused = false;
  #over = new Set(); // elements with the pointer on them
  #inside = new Set(); // elements with the focus in them
  #settled = 0; // until then the list is being filled, and the pointer does not hold it

  constructor(list, bar, beside, changed) {
    this.#list = list;
    this.#bar = bar;
    this.#changed = changed;
    for (const place of [list, ...beside]) this.#watch(place);
    addEventListener("scroll", () => this.#soon(), { passive: true });
    this.#steady();
    list.addEventListener("keydown", (e) => this.#key(e));
  }

  #watch(place) {
    place.addEventListener("pointerenter", (e) => e.pointerType === "mouse" && this.#over.add(place));
    place.addEventListener("pointerleave", () => this.#over.delete(place) && this.#soon());
    place.addEventListener("focusin", () => this.#inside.add(place));
    place.addEventListener("focusout", () => this.#inside.delete(place) && this.#soon());
  }

  // The words in the bar may need another line: what is being read stays.
  #steady() {
    let height = this.#bar.offsetHeight;
    new ResizeObserver(() => {
      const grown = this.#bar.offsetHeight - height;
      height += grown;
      if (grown !== 0 && this.held() !== "") scrollBy({ top: grown, behavior: "instant" });
    }).observe(this.#bar);
  }

  // ---- what comes ----

  add(post) {
    if (isGone(post) || this.#known(post.id_str)) return;
    this.#put({ post });
  }

  // note puts words between the posts of before and those of after.
  note(words) {
    this.#put({ words });
  }

  #known(id) {
    if (!id) return false;
    if (this.#seen.has(id)) return true;
    this.#seen.add(id);
    if (this.#seen.size > SEEN) this.#seen.delete(this.#seen.values().next().value);
    return false;
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
    this.#list.replaceChildren();
    this.#tell();
  }

  // sweep takes away everything that must not be shown any more, also out of
  // the queue, and leaves what is being read where it is.
  sweep() {
    const queued = this.#queue.length;
    this.#queue = this.#queue.filter((entry) => !entry.post || !isGone(entry.post));
    const gone = [...this.#shown].filter(([, post]) => isGone(post)).map(([article]) => article);
    if (gone.length > 0) {
      this.#still(() => gone.forEach((article) => this.#remove(article)));
      this.#number();
    }
    if (gone.length > 0 || this.#queue.length < queued) this.#tell();
  }

  #remove(article) {
    if (article.contains(document.activeElement)) {
      (article.nextElementSibling ?? article.previousElementSibling)?.focus({ preventScroll: true });
    }
    this.#shown.delete(article);
    article.remove();
  }

  // still runs a change above or below what is being read without moving it: the
  // card with the focus, under the pointer, or the first one in sight.
  #still(change) {
    const top = this.#top();
    const cards = [...this.#list.children];
    const reading = [document.activeElement?.closest("article"), ...cards.filter((c) => c.matches(":hover")), ...cards.filter((c) => c.getBoundingClientRect().bottom > top)];
    const places = reading.filter((c) => c && this.#list.contains(c)).map((c) => [c, c.getBoundingClientRect().top]);
    change();
    const [anchor, before] = places.find(([c]) => c.isConnected) ?? [];
    if (anchor && this.#away()) scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: "instant" });
  }

  // ---- what is drawn ----

  #schedule() {
    if (this.#frame !== 0) return;
    this.#list.setAttribute("aria-busy", "true");
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.held() === "") this.#draw();
      this.#list.setAttribute("aria-busy", "false");
      this.#tell();
    });
  }

  #soon() {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => (this.#queue.length > 0 ? this.#schedule() : this.#tell()), LINGER);
  }

  // flush draws what waits, and shows it.
  flush() {
    this.#draw();
    this.#tell();
    if (this.#away()) this.#list.scrollIntoView({ block: "start", behavior: "instant" });
  }

  #draw() {
    if (this.#lost > 0) {
      this.#queue.unshift({ words: many(this.#lost, "post") + " that came meanwhile " + (this.#lost === 1 ? "was" : "were") + " not kept." });
    }
    const articles = this.#queue.map((entry) => this.#article(entry)).reverse();
    this.#queue = [];
    this.#lost = 0;
    if (articles.length === 0) return;
    const batch = document.createDocumentFragment();
    batch.append(...articles);
    this.#list.prepend(batch);
    while (this.#list.childElementCount > MOST) this.#remove(this.#list.lastElementChild);
    this.#number();
  }

  #article(entry) {
    if (entry.post) {
      const article = card(entry.post);
      this.#shown.set(article, bones(entry.post));
      return article;
    }
    const article = make("article", "notice", make("p", "", entry.words));
    article.tabIndex = 0;
    article.setAttribute("aria-label", "Notice");
    return article;
  }

  #number() {
    let place = 0;
    for (const article of this.#list.children) {
      article.setAttribute("aria-posinset", String(++place));
      article.setAttribute("aria-setsize", "-1");
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
    if (this.#list.childElementCount === 0) return ""; // there is nothing to read yet
    if (this.#away()) return "scrolled";
    if (this.#inside.size > 0) return "focus";
    if (this.#over.size > 0 && performance.now() > this.#settled) return "pointer";
    return "";
  }

  #top() {
    return this.#bar.getBoundingClientRect().bottom;
  }

  // away: the head of the list lies under the bar, or above the window.
  #away() {
    return this.#list.getBoundingClientRect().top < this.#top() - 8;
  }

  #tell() {
    const waiting = this.#queue.filter((entry) => entry.post).length + this.#lost;
    this.#changed({ waiting, held: this.held(), cards: this.#list.childElementCount });
  }

  // ---- by keyboard: the feed pattern of ARIA, and j and k ----

  #key(e) {
    const step = { PageDown: 1, PageUp: -1 }[e.key];
    if (step && !e.ctrlKey && !e.altKey && !e.metaKey) {
      e.preventDefault();
      this.move(step);
    }
  }

  // move puts the focus on the next card (1) or the one before (-1).
  move(step) {
    const cards = [...this.#list.children];
    const at = cards.indexOf(document.activeElement?.closest("article"));
    const top = this.#top();
    const to = at < 0 ? cards.find((c) => c.getBoundingClientRect().bottom > top) : cards[at + step];
    to?.focus();
  }
}

// bones are what is needed to know that a card must go.
function bones(post) {
  const inner = (p) => p && { id_str: p.id_str, author: { id_str: p.author?.id_str }, repost_of: inner(p.repost_of), quote_of: inner(p.quote_of) };
  return inner(post);
}
