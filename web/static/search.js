// The search: one EventSource on /search/pages, which walks the upstream's
// search page by page. It ends at done, at the stop button, from where it can go
// on, or at a problem that the gateway explains.

import { card } from "/card.js";
import { isGone } from "/gone.js";
import { compact } from "/post.js";
import { clock, curl, many, number } from "/words.js";

const QUIET = 10000; // ms without an event, after which the reader is told why

// A Search lives in the elements of the page's search section: form, bar (a
// progress element), words, problem, results, stop (a button), curl.
export class Search {
  #at;
  #source = null;
  #address = ""; // of the search that is shown
  #id = ""; // of the last event: where to go on
  #shown = new Map(); // article → its post
  #most = 0;
  #posts = 0;
  #page = null; // what the last page event said
  #paged = 0; // when it came, ms
  #pace = 0; // ms from the page before to the last one
  #heard = 0; // when the last event came, ms; like the others of a clock that nobody puts back
  #inquired = -Infinity; // when the gateway was asked why, ms
  #clock = 0;

  constructor(elements) {
    this.#at = elements;
    elements.form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.#begin();
    });
    elements.form.addEventListener("input", () => this.#command());
    elements.stop.addEventListener("click", () => (this.#source ? this.#end("Stopped", true) : this.#open()));
    this.#command();
  }

  // about searches for words that are given.
  about(words) {
    this.#at.form.elements.q.value = words;
    this.#at.form.requestSubmit();
  }

  #asked() {
    const { q, max } = this.#at.form.elements;
    return "/search/pages?" + new URLSearchParams({ q: q.value.trim(), max: max.value });
  }

  #command() {
    this.#at.curl.textContent = curl(location.origin + this.#asked());
  }

  #begin() {
    this.#source?.close();
    this.#address = this.#asked();
    this.#id = "";
    this.#shown.clear();
    this.#at.results.replaceChildren();
    this.#most = Number(this.#at.form.elements.max.value);
    this.#posts = 0;
    this.#page = null;
    this.#pace = 0;
    this.#at.bar.max = this.#most;
    this.#at.bar.removeAttribute("value"); // at work, and how far is not known
    this.#open();
  }

  // open begins, or goes on behind the last event.
  #open() {
    this.#at.section.dataset.state = "running";
    this.#at.problem.hidden = true;
    this.#at.stop.hidden = false;
    this.#at.stop.textContent = "Stop";
    this.#say(this.#page ? "Going on…" : "Asking for the first page…");
    this.#heard = performance.now();
    this.#inquired = -Infinity;
    clearInterval(this.#clock);
    this.#clock = setInterval(() => this.#progress(), 1000);

    const address = this.#address + (this.#id === "" ? "" : "&last_event_id=" + encodeURIComponent(this.#id));
    const source = new EventSource(address);
    this.#source = source;
    const listen = (name, use) =>
      source.addEventListener(name, (e) => {
        if (source !== this.#source) return;
        this.#id = e.lastEventId;
        this.#heard = performance.now();
        use(JSON.parse(e.data));
      });
    listen("message", (post) => this.#post(post));
    listen("page", (e) => this.#turn(e.page));
    listen("done", () => this.#end("Done", false));
    listen("problem", (e) => {
      this.#end("Ended", false);
      this.#problem(explained(e.problem.status, e.problem, 0));
    });
    listen("bye", (e) => this.#say("The gateway ends the connection (" + e.bye.reason.replaceAll("_", " ") + "); it is taken up again…"));
    source.onerror = () => {
      if (source !== this.#source) return;
      if (source.readyState === EventSource.CLOSED) this.#explain(source, address);
      else this.#say("Connection lost; the search goes on where it was as soon as the gateway is back…");
    };
  }

  #post(raw) {
    this.#posts++;
    let post, article;
    try {
      post = compact(raw);
      if (isGone(post)) return;
      article = card(post);
    } catch {
      return; // the upstream's own form, as it came: one that is malformed is only counted
    }
    this.#shown.set(article, post);
    this.#at.results.append(article);
  }

  #turn(page) {
    const now = performance.now();
    if (this.#page) this.#pace = now - this.#paged;
    this.#paged = now;
    this.#page = page;
    this.#posts = page.posts;
    this.#progress();
  }

  // progress says how far the search is. The time of the next request is a guess
  // from the pages so far: the gateway keeps its distance from start to start.
  #progress() {
    if (this.#source?.readyState !== EventSource.OPEN) return; // other words stand there
    if (performance.now() - this.#heard > QUIET) return void this.#explainQuiet();
    if (!this.#page) return;
    this.#at.bar.value = Math.min(this.#posts, this.#most);
    const left = Math.ceil((this.#paged + this.#pace - performance.now()) / 1000);
    const next = left > 0 ? "next request in " + many(left, "second") : "next request soon";
    this.#say(["Page " + number(this.#page.page), number(this.#posts) + " of at most " + many(this.#most, "post"), this.#budget(), next].filter(Boolean).join(" · "));
  }

  // explainQuiet says why nothing comes: a walk waits in silence for its turn, for the
  // allowance, and for an upstream that fails.
  async #explainQuiet() {
    const now = performance.now();
    if (now - this.#inquired < QUIET) return;
    this.#inquired = now;
    const source = this.#source;
    let left = null;
    try {
      const answer = await fetch("/status?history=1s", { signal: AbortSignal.timeout(QUIET) });
      left = (await answer.json()).search;
    } catch {
      // then it is not known
    }
    if (source !== this.#source || this.#heard > now) return;
    const found = this.#posts === 0 ? "" : many(this.#posts, "post") + " so far. ";
    if (left?.remaining === 0) this.#say(found + "The upstream’s allowance is used up; the search goes on by itself" + (left.reset ? " at " + clock(left.reset) : "") + ".");
    else this.#say(found + "Waiting for the upstream; the search goes on by itself as soon as there is an answer.");
  }

  #budget() {
    const { remaining, reset } = this.#page ?? {};
    if (typeof remaining !== "number") return "";
    return many(remaining, "request") + " left" + (reset ? " until " + clock(reset) : "");
  }

  // end closes the connection; further says whether the search can go on.
  #end(lead, further) {
    this.#source?.close();
    this.#source = null;
    clearInterval(this.#clock);
    this.#at.section.dataset.state = "over";
    this.#at.stop.hidden = !further;
    this.#at.stop.textContent = "Go on";
    this.#at.bar.max = lead === "Done" ? Math.max(this.#posts, 1) : this.#most;
    this.#at.bar.value = lead === "Done" ? this.#at.bar.max : Math.min(this.#posts, this.#most);
    const found = this.#posts === 0 ? "nothing found" : many(this.#posts, "post") + (this.#page ? " on " + many(this.#page.page, "page") : "");
    this.#say([lead + ": " + found, this.#budget()].filter(Boolean).join(" · "));
  }

  // explain asks why EventSource gave up: it shows scripts no answer.
  async #explain(source, address) {
    const stop = new AbortController();
    let words = "The gateway cannot be reached.";
    try {
      const answer = await fetch(address, { headers: { Accept: "text/event-stream" }, signal: stop.signal });
      if (answer.status === 204) words = "";
      else if (answer.ok) words = "The connection was lost.";
      else words = explained(answer.status, await answer.json().catch(() => ({})), Number(answer.headers.get("Retry-After")));
    } catch {
      // words say it
    }
    stop.abort();
    if (source !== this.#source) return;
    if (words === "") this.#end("Done", false);
    else {
      this.#end("Ended", this.#id !== "");
      this.#problem(words);
    }
  }

  #problem(words) {
    this.#at.problem.textContent = words;
    this.#at.problem.hidden = false;
  }

  #say(words) {
    this.#at.words.textContent = words;
  }

  // sweep takes away what must not be shown any more.
  sweep() {
    for (const [article, post] of this.#shown) {
      if (!isGone(post)) continue;
      this.#shown.delete(article);
      article.remove();
    }
  }
}

// explained is why the gateway does not search, retry seconds from now (0: not
// known) being a better time.
function explained(status, problem, retry) {
  const detail = problem.detail ?? "the gateway answered " + status;
  switch (status) {
    case 501:
      return "This gateway cannot search: " + detail + ".";
    case 404:
      return "This gateway has no search.";
    case 429:
      return "The upstream's allowance is used up" + (retry > 0 ? "; it is renewed in " + many(Math.ceil(retry / 60), "minute") : "") + " (" + detail + ").";
  }
  return detail;
}
