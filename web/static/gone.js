// Posts that must not be shown any more, for every list on the page: deleted,
// withheld, or by somebody who is. They are remembered for a while, because a
// list may still be handed one (a repeated post, a page of an old search).

const MOST = 20000; // of each kind; the oldest are forgotten first

const posts = new Set();
const people = new Set();

export function remember({ post, author }) {
  keep(posts, post);
  keep(people, author);
}

function keep(set, id) {
  if (!id) return;
  set.add(id);
  if (set.size > MOST) set.delete(set.values().next().value);
}

// isGone reports whether a post must not be shown, or one inside it: the card shows both.
export function isGone(post) {
  return Boolean(post) && (posts.has(post.id_str) || people.has(post.author?.id_str) || isGone(post.repost_of) || isGone(post.quote_of));
}
