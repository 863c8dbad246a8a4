// The live page: one EventSource, posts as cards, deletes obeyed at once.
// Everything a post says goes into text nodes.

const MOST_CARDS = 200;
const el = (id) => document.getElementById(id);
const posts = el("posts");

let source = null; // the EventSource
let retryTimer = 0; // the attempt after one that EventSource gave up
let paused = false;
let waiting = []; // posts that came while paused, oldest first
let skipped = 0; // told by gap events since the filter was set

// ---- what is asked for -------------------------------------------------------

function streamURL(extra) {
  const query = new URLSearchParams(extra);
  const track = el("track").value.trim();
  if (track !== "") query.set("track", track);
  const text = query.toString();
  return "/stream" + (text === "" ? "" : "?" + text);
}

function connect() {
  clearTimeout(retryTimer);
  if (source) source.close();
  say("connection", "waiting", "Connecting…");
  el("curl").textContent = "curl -N '" + location.origin + streamURL({}).replaceAll("'", "%27") + "'";

  const mine = new EventSource(streamURL({ payload: "compact", max_rate: "5" }));
  source = mine;
  mine.onmessage = (e) => receive(JSON.parse(e.data));
  mine.onerror = () => {
    if (mine !== source) return;
    if (mine.readyState === EventSource.CLOSED) explain();
    else say("connection", "waiting", "Connection lost; reconnecting…");
  };
  const on = (name, use) => mine.addEventListener(name, (e) => use(JSON.parse(e.data)[name], e.data));
  on("hello", (h) => {
    problem("");
    say("connection", "good", h.filter === "" ? "Live: every post" : "Live: " + h.filter);
    upstream(h.upstream);
    if (h.resumed === "partial" || h.resumed === "none") note("Some posts were missed while away.");
  });
  on("upstream", upstream);
  on("delete", (d) => forget([d.status.id_str]));
  on("status_withheld", (d, raw) => forget([exactID(raw, "id")]));
  on("user_withheld", (d, raw) => forgetAuthor(exactID(raw, "id")));
  on("gap", (g) => {
    if (g.reason === "max_rate") {
      skipped += g.missed;
      note(skipped.toLocaleString() + " posts were left out to keep this readable.");
    } else {
      note((g.missed === null ? "Some" : g.missed.toLocaleString()) + " posts were missed (" + g.reason + ").");
    }
  });
  on("bye", (b) => say("connection", "waiting", "The gateway said goodbye (" + b.reason.replaceAll("_", " ") + "); reconnecting…"));
}

// explain asks why EventSource gave up: it does not show scripts the answer.
async function explain() {
  const stop = new AbortController();
  const mine = source;
  let words = "the gateway cannot be reached";
  try {
    const answer = await fetch(streamURL({}), { headers: { Accept: "text/event-stream" }, signal: stop.signal });
    if (mine !== source) return;
    if (answer.status === 400) {
      const p = await answer.json();
      problem(p.detail);
      say("connection", "bad", "Not connected: the filter is not understood");
      return;
    }
    words = "the gateway answered " + answer.status;
  } catch {
    // words say it
  } finally {
    stop.abort();
  }
  if (mine !== source) return;
  const wait = 5 + Math.random() * 10;
  say("connection", "bad", "Not connected: " + words + "; trying again in " + Math.round(wait) + " s");
  retryTimer = setTimeout(connect, wait * 1000);
}

// exactID reads a number too large for JSON.parse.
function exactID(raw, name) {
  const found = raw.match(new RegExp('"' + name + '":"?(\\d+)'));
  return found ? found[1] : "";
}

// ---- what is shown -----------------------------------------------------------

function say(id, state, words) {
  el(id).dataset.state = state;
  el(id).textContent = words;
}

function problem(words) {
  el("problem").hidden = words === "";
  el("problem").textContent = words;
}

function note(words) {
  el("note").hidden = false;
  el("note").textContent = words;
}

const STATES = {
  connecting: ["waiting", "connecting"],
  streaming: ["good", "streaming"],
  backing_off: ["waiting", "waiting before the next attempt"],
  switching: ["waiting", "changing over to another stream"],
  halted: ["bad", "halted until somebody acts"],
};

function upstream(u) {
  const [state, words] = STATES[u.state] ?? ["waiting", u.state];
  let line = "Upstream: " + words;
  if (u.state === "streaming" && u.posts_per_s > 0) line += ", " + u.posts_per_s.toFixed(1) + " posts/s";
  if (u.state !== "streaming" && u.error) line += " (" + u.error + ")";
  say("upstream", state, line);
}

function receive(post) {
  if (paused) {
    waiting.push(post);
    if (waiting.length > MOST_CARDS) waiting.shift();
    el("pause").textContent = "Resume (" + waiting.length + " new)";
  } else {
    draw(post);
  }
}

function draw(post) {
  posts.prepend(card(post));
  while (posts.childElementCount > MOST_CARDS) posts.lastElementChild.remove();
}

function card(post) {
  const shown = post.repost_of ?? post;
  const article = make("article");
  article.dataset.ids = ids(post).join(" ");
  article.dataset.authors = authors(post).join(" ");
  article.tabIndex = -1;
  if (post.repost_of) {
    const by = make("p", "repost");
    by.append(isolated(post.author?.name ?? "Somebody"), " reposted");
    article.append(by);
  }
  article.append(byline(shown), text(shown));
  if (shown.quote_of) {
    const quote = make("blockquote");
    quote.append(byline(shown.quote_of), text(shown.quote_of));
    article.append(quote);
  }
  return article;
}

function byline(post) {
  const line = make("header");
  const name = make("span", "name");
  name.append(isolated(post.author?.name ?? "Somebody"));
  const user = make("span", "user");
  user.append(isolated(post.author?.username ? "@" + post.author.username : ""));
  const time = make("time");
  const at = new Date(post.created_at ?? "");
  if (!Number.isNaN(at.valueOf())) {
    time.dateTime = at.toISOString();
    time.textContent = at.toLocaleTimeString();
  }
  if (/^https:\/\//.test(post.url ?? "")) {
    const link = make("a");
    link.href = post.url;
    link.rel = "noopener noreferrer nofollow ugc";
    link.target = "_blank";
    link.append(time);
    line.append(name, user, link);
  } else {
    line.append(name, user, time);
  }
  return line;
}

function text(post) {
  const p = make("p");
  p.dir = "auto";
  if (/^[A-Za-z-]{2,12}$/.test(post.lang ?? "")) p.lang = post.lang;
  p.textContent = post.sensitive ? "(marked as sensitive by its source)" : post.text ?? "";
  return p;
}

function isolated(words) {
  const b = make("bdi");
  b.textContent = words;
  return b;
}

function make(tag, className) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  return e;
}

// ---- what must go ------------------------------------------------------------

// A card shows a post and those inside it; if one of them goes, all of it goes.
function within(post) {
  return [post, post.repost_of, post.quote_of, post.repost_of?.quote_of].filter(Boolean);
}
const ids = (post) => within(post).map((p) => p.id_str);
const authors = (post) => within(post).map((p) => p.author?.id_str).filter(Boolean);

function forget(gone) {
  waiting = waiting.filter((p) => !ids(p).some((id) => gone.includes(id)));
  for (const c of [...posts.children]) {
    if (c.dataset.ids.split(" ").some((id) => gone.includes(id))) c.remove();
  }
}

function forgetAuthor(id) {
  waiting = waiting.filter((p) => !authors(p).includes(id));
  for (const c of [...posts.children]) {
    if (c.dataset.authors.split(" ").includes(id)) c.remove();
  }
}

// ---- what the reader does ----------------------------------------------------

function clear() {
  posts.replaceChildren();
  waiting = [];
  skipped = 0;
  el("note").hidden = true;
  problem("");
}

el("filter").addEventListener("submit", (e) => {
  e.preventDefault();
  const track = el("track").value.trim();
  history.replaceState(null, "", track === "" ? "/" : "/?track=" + encodeURIComponent(track));
  clear();
  if (paused) pause(false);
  connect();
});

function pause(on) {
  paused = on;
  el("pause").setAttribute("aria-pressed", String(on));
  el("pause").textContent = on ? "Resume" : "Pause";
  if (!on) {
    for (const post of waiting) draw(post);
    waiting = [];
  }
}
el("pause").addEventListener("click", () => pause(!paused));

el("track").value = new URLSearchParams(location.search).get("track") ?? "";
connect();
