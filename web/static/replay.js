// The last minutes of one column, for a column that joins a connection which is
// open already. One short request: it ends when what is held has been read.

const LONGEST = 10000; // ms that it may take: on a slow line the first byte alone takes seconds
const PAUSE = 300; // ms without a byte: that was all
const MOST = 200; // posts, the newest

// A Replay reads once, behind the event id, or, if that is "", from so long ago as
// since says. The stream that it reads goes on with what is live, which comes by the
// browser's one connection too: where the two meet, all before has been read.
export class Replay {
  #address;
  #stop = new AbortController();
  #met = new Set(); // posts that came by the one connection
  #posts = [];
  #held = true; // the gateway had all behind id
  #read = false; // all that it had was read

  constructor(rule, { id, since, rate }) {
    const query = new URLSearchParams({ format: "ndjson", payload: "compact", events: "hello", max_rate: rate });
    if (rule !== "") query.set("q", rule);
    if (id !== "") query.set("last_event_id", id);
    else query.set("since", since);
    this.#address = "/stream?" + query;
  }

  // read resolves with the posts, oldest first, and why some may be missing between id
  // and what comes by the one connection: "history" or "slow", as a gap has it; "" if
  // none are. It never fails: then the column just begins empty.
  async read() {
    let over = setTimeout(() => this.stop(), LONGEST);
    const begun = performance.now();
    try {
      const answer = await fetch(this.#address, { signal: this.#stop.signal });
      if (!answer.ok) throw new Error("the gateway answered " + answer.status);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(over);
        const left = begun + LONGEST - performance.now();
        over = setTimeout(() => (left > PAUSE ? this.#end() : this.stop()), Math.min(PAUSE, left));
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines) this.#take(JSON.parse(line));
      }
    } catch {
      // stopped, or the connection is worse than the other: what came is what there is
    }
    clearTimeout(over);
    this.stop();
    return { posts: this.#posts, lost: this.#held ? (this.#read ? "" : "slow") : "history" };
  }

  // meet tells it of a post that came by the one connection.
  meet(id) {
    this.#met.add(id);
    if (this.#posts.some((post) => post.id_str === id)) this.#end();
  }

  // stop ends it where it is.
  stop() {
    this.#stop.abort();
  }

  #end() {
    this.#read = true;
    this.stop();
  }

  #take(event) {
    if (event.hello) this.#held = event.hello.resumed !== "partial" && event.hello.resumed !== "none";
    if (!event.id_str) return;
    this.#posts.push(event);
    if (this.#posts.length > MOST) this.#posts.shift();
    if (this.#met.has(event.id_str)) this.#end();
  }
}
