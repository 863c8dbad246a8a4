// One connection to /stream that does not give up: it comes back after whatever
// EventSource gave up for, with the last event id, and does not trust a
// connection that has fallen silent.

import { exactID } from "/post.js";

const SOONEST = 1000; // ms to the first attempt of our own
const LATEST = 30000;

// With the dictionary at hand a stream takes less than half of the bytes. It is
// worth a moment's wait: a browser that has it once finds it in its cache. Others
// than those that can use it (over HTTPS or from this machine) do without.
const dictionary = fetchDictionary(document.querySelector("link[rel=compression-dictionary]"));

async function fetchDictionary(link) {
  if (!link?.relList.supports("compression-dictionary") || !isSecureContext) return;
  try {
    const answer = await fetch(link.href, { signal: AbortSignal.timeout(500) });
    await answer.arrayBuffer();
  } catch {
    // then the streams are larger
  }
}

// A Stream calls on.state(name, facts) and on.refused(problem), and with what the
// events hold, and their id: on.hello(hello, back, id), on.post(post, names, id),
// on.gap, on.upstream, on.gone; on.beat(id) for each sign of life. back is
// whether this object had a hello before.
export class Stream {
  #params; // the filters and max_rate
  #since; // where a connection without an id begins
  #on;
  #source = null;
  #begun = false; // start was called, and stop not since
  #id; // of the last event
  #met = false; // there was a hello
  #names = []; // what the next post matches
  #failures = 0; // since the last event
  #bye = "";
  #alive = 0; // when the last event came, ms
  #beat = 15000; // ms between heartbeats
  #watch = 0;
  #again = 0;

  // params are those of the filter; the stream goes on behind the event id, or,
  // if that is "", begins so long ago as since says.
  constructor(params, id, since, on) {
    this.#params = params;
    this.#id = id;
    this.#since = since;
    this.#on = on;
  }

  async start() {
    this.#begun = true;
    await dictionary;
    if (this.#begun) this.#open();
  }

  stop() {
    this.#begun = false;
    this.#close();
  }

  #close() {
    clearTimeout(this.#again);
    clearInterval(this.#watch);
    this.#source?.close();
    this.#source = null;
  }

  #address() {
    const query = new URLSearchParams(this.#params);
    query.set("payload", "compact");
    query.set("events", "all,heartbeat");
    if (this.#id !== "") query.set("last_event_id", this.#id);
    else if (this.#since !== "") query.set("since", this.#since);
    return "/stream?" + query;
  }

  #open() {
    this.#close();
    const source = new EventSource(this.#address());
    this.#source = source;
    this.#alive = Date.now();
    this.#watch = setInterval(() => this.#check(), this.#beat);
    const listen = (name, use) =>
      source.addEventListener(name, (e) => {
        if (source !== this.#source) return;
        this.#id = e.lastEventId || this.#id;
        this.#alive = Date.now();
        this.#failures = 0;
        use(JSON.parse(e.data), e.data);
      });
    listen("match", (e) => (this.#names = e.match));
    listen("message", (post) => {
      this.#on.post(post, this.#names, this.#id);
      this.#names = [];
    });
    listen("hello", (e) => this.#hello(e.hello));
    listen("gap", (e) => this.#on.gap(e.gap));
    listen("upstream", (e) => this.#on.upstream(e.upstream));
    listen("delete", (e, json) => this.#on.gone({ post: e.delete.status.id_str ?? exactID(json, "id") }));
    listen("status_withheld", (_, json) => this.#on.gone({ post: exactID(json, "id") }));
    listen("user_withheld", (_, json) => this.#on.gone({ author: exactID(json, "id") }));
    listen("heartbeat", () => this.#on.beat(this.#id));
    listen("bye", (e) => {
      this.#bye = e.bye.reason;
      this.#on.state("reconnecting", { bye: this.#bye });
    });
    source.onerror = () => source === this.#source && this.#failed(source);
  }

  #hello(hello) {
    const back = this.#met;
    this.#met = true;
    this.#bye = "";
    if (hello.heartbeat_ms > 0 && hello.heartbeat_ms !== this.#beat) {
      this.#beat = hello.heartbeat_ms;
      clearInterval(this.#watch);
      this.#watch = setInterval(() => this.#check(), this.#beat);
    }
    this.#on.hello(hello, back, this.#id);
    this.#on.upstream(hello.upstream);
  }

  // A phone that slept, a proxy that went away: the connection looks open, and
  // nothing comes.
  #check() {
    if (Date.now() - this.#alive < 3 * this.#beat) return;
    if (this.#source?.readyState === EventSource.OPEN) this.#on.state("silent");
    this.#open();
  }

  #failed(source) {
    this.#failures++;
    if (source.readyState === EventSource.CLOSED) this.#explain(source);
    else if (this.#failures > 1) this.#on.state("gone");
    else this.#on.state("reconnecting", { bye: this.#bye });
  }

  // explain asks why EventSource gave up for good: it shows scripts no answer.
  async #explain(source) {
    const stop = new AbortController();
    let answer = null;
    let problem = null;
    try {
      answer = await fetch(this.#address(), { headers: { Accept: "text/event-stream" }, signal: stop.signal });
      if (!answer.ok) problem = await answer.json();
    } catch {
      // no answer, or one that is not the gateway's: the status says enough
    }
    stop.abort();
    if (source !== this.#source) return;
    if (answer?.status === 400 && problem) {
      this.stop();
      this.#on.refused(problem);
      return;
    }
    const least = 1000 * Number(answer?.headers.get("Retry-After") ?? 0) || 0;
    const wait = Math.max(least, backoff(this.#failures));
    if (answer === null) this.#on.state("gone", { seconds: wait / 1000 });
    else if (answer.ok) this.#on.state("reconnecting");
    else this.#on.state("denied", { detail: problem?.detail ?? "something in between answered " + answer.status, seconds: wait / 1000 });
    this.#again = setTimeout(() => source === this.#source && this.#open(), wait);
  }
}

// backoff doubles from SOONEST to LATEST; half of it is chance, so that the
// pages that lost a gateway together do not come back together.
export function backoff(failures, chance = Math.random()) {
  return Math.min(LATEST, SOONEST * 2 ** Math.min(failures - 1, 10)) * (0.5 + chance / 2);
}
