// Posts that must not be shown any more, for every list on the page: deleted,
// withheld, or by somebody who is. They are remembered for a while, because a
// list may still be handed one (a repeated post, a page of an old search).

import { authors, ids } from "/post.js";

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

// isGone reports whether a post, or one inside it, must not be shown.
export const isGone = (post) => ids(post).some((id) => posts.has(id)) || authors(post).some((id) => people.has(id));
