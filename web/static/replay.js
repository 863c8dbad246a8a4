// The last minutes of one column, for a column that joins a connection which is
// open already. One short request: it ends when what is held has been read.

const LONGEST = 1500; // ms that it may take: what is live comes by the other way
const PAUSE = 120; // ms without a byte: that was all
const MOST = 200; // posts, the newest

// replay resolves with the posts, oldest first, and whether some are missing
// between id and them. It never fails: then the column just begins empty. It reads
// behind the event id, or, if that is "", from so long ago as since says.
export async function replay(rule, { id, since, rate }) {
  const query = new URLSearchParams({ format: "ndjson", payload: "compact", events: "hello", max_rate: rate });
  if (rule !== "") query.set("q", rule);
  if (id !== "") query.set("last_event_id", id);
  else query.set("since", since);
  const stop = new AbortController();
  let over = setTimeout(() => stop.abort(), LONGEST);
  const begun = performance.now();
  const found = { posts: [], whole: true };
  try {
    const answer = await fetch("/stream?" + query, { signal: stop.signal });
    if (!answer.ok) return found;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      clearTimeout(over);
      over = setTimeout(() => stop.abort(), Math.min(PAUSE, begun + LONGEST - performance.now()));
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) take(JSON.parse(line), found);
    }
  } catch {
    // stopped, or the connection is worse than the other: what came is what there is
  }
  clearTimeout(over);
  return found;
}

function take(event, found) {
  if (event.hello) found.whole = event.hello.resumed !== "partial" && event.hello.resumed !== "none";
  if (!event.id_str) return;
  found.posts.push(event);
  if (found.posts.length > MOST) found.posts.shift();
}
