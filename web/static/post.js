// Posts as data: the compact shape that /stream gives, and how a v1.1 status,
// which the search gives as it came, is brought to it.

export const LONGEST = 30000; // letters of a text that are shown; a long post of X has 25,000
const ENTITIES = 100; // links, tags, mentions of a post that are, of each
const LINKS = 300; // places of the text that are links

// compact returns the compact form of a post in either shape.
export function compact(post) {
  return "user" in post || "full_text" in post ? fromStatus(post) : post;
}

function fromStatus(status, depth = 0) {
  const user = status.user ?? {};
  const more = status.extended_tweet ?? {};
  const entities = { ...status.entities, ...more.entities };
  const extended = more.extended_entities ?? status.extended_entities ?? entities;
  const post = {
    id_str: id(status),
    created_at: instant(status.created_at),
    text: unescaped(more.full_text ?? status.full_text ?? status.text ?? ""),
    lang: status.lang,
    author: {
      id_str: id(user),
      username: user.screen_name,
      name: user.name,
      verified: user.verified === true,
      avatar: user.profile_image_url_https,
    },
    urls: (entities.urls ?? []).map((u) => ({ url: u.url, expanded: u.expanded_url, display: u.display_url })),
    hashtags: (entities.hashtags ?? []).map((h) => h.text),
    mentions: (entities.user_mentions ?? []).map((m) => ({ id_str: m.id_str, username: m.screen_name })),
    media: (extended.media ?? []).map((m) => ({ type: m.type, url: m.media_url_https, alt: m.ext_alt_text })),
    sensitive: status.possibly_sensitive === true,
    withheld_in: status.withheld_in_countries ?? [],
  };
  post.url = /^\w+$/.test(user.screen_name ?? "") ? "https://twitter.com/" + user.screen_name + "/status/" + post.id_str : "";
  if (status.in_reply_to_screen_name || status.in_reply_to_status_id_str) {
    post.reply_to = { id_str: status.in_reply_to_status_id_str, username: status.in_reply_to_screen_name };
  }
  if (depth < 3) {
    if (status.retweeted_status) post.repost_of = fromStatus(status.retweeted_status, depth + 1);
    if (status.quoted_status) post.quote_of = fromStatus(status.quoted_status, depth + 1);
    else if (status.quoted_status_id_str) post.quote_of = { id_str: status.quoted_status_id_str };
  }
  return post;
}

// A number may have lost its last digits to JSON.parse; the text has them all.
const id = (object) => object.id_str ?? (object.id === undefined ? "" : String(object.id));

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// instant reads v1.1's "Sat Nov 21 02:59:42 +0000 2026", which is always UTC.
function instant(created) {
  const part = /^\w{3} (\w{3}) (\d{2}) (\d\d:\d\d:\d\d) \+0000 (\d{4})$/.exec(created ?? "");
  const month = part ? MONTHS.indexOf(part[1]) + 1 : 0;
  return month === 0 ? undefined : part[4] + "-" + String(month).padStart(2, "0") + "-" + part[2] + "T" + part[3] + "Z";
}

const ESCAPED = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

// unescaped undoes the escaping of v1.1 texts once: "&amp;lt;" is "&lt;".
const unescaped = (text) => text.replace(/&(amp|lt|gt|quot|#39);/g, (e) => ESCAPED[e]);

// safe returns the address if a reader may be sent there, else "".
export function safe(address) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return "";
  }
  return url.protocol === "https:" && url.username === "" && url.password === "" ? url.href : "";
}

// HOSTS are those that pictures may be shown from: X's own. The policy that the
// page is served with names the same.
export const HOSTS = ["pbs.twimg.com"];

// shown reports whether a picture at this address may be shown in the page.
export const shown = (address) => address !== "" && HOSTS.includes(new URL(address).hostname);

const X = /^https:\/\/(?:www\.|mobile\.)?(?:twitter|x)\.com\//;

// places are the addresses that a post and its author have, "" where there is
// none: {post, profile, onX}. A profile is where the post's own path begins.
export function places(post) {
  const address = safe(post.url);
  const onX = X.test(address);
  const { username } = post.author ?? {};
  if (onX) return { post: address, onX, profile: /^\w+$/.test(username ?? "") ? "https://x.com/" + username : "" };
  const home = /^(https:\/\/[^/?#]+\/(?:@[^/?#]+|profile\/[^/?#]+))\/[^?#]+$/.exec(address);
  return { post: address, onX, profile: home?.[1] ?? "" };
}

// pieces cuts the text of a post at its links: strings, and {href, words, title}
// for each place where the address of one of its urls stands; on X also for tags
// and mentions.
// All of it is bounded, since a browser would look for each of thousands of urls at each
// of a million letters, for minutes, and nobody could stop it.
export function pieces(post) {
  const text = (post.text ?? "").slice(0, LONGEST);
  const { onX } = places(post);
  const known = new Map(); // as written, in small letters → the link
  for (const u of (post.urls ?? []).slice(0, ENTITIES)) {
    const href = safe(u.url) || safe(u.expanded);
    if (u.url && href !== "") known.set(u.url.toLowerCase(), { href, words: u.display || u.url, title: safe(u.expanded) || href });
  }
  if (onX) {
    for (const tag of (post.hashtags ?? []).slice(0, ENTITIES)) known.set("#" + tag.toLowerCase(), { href: "https://x.com/hashtag/" + encodeURIComponent(tag) });
    for (const { username } of (post.mentions ?? []).slice(0, ENTITIES)) if (/^\w+$/.test(username ?? "")) known.set("@" + username.toLowerCase(), { href: "https://x.com/" + username });
    // Those of pictures are in the text only.
    for (const [short] of [...text.matchAll(/https:\/\/t\.co\/\w{1,32}/g)].slice(0, ENTITIES)) if (!known.has(short.toLowerCase())) known.set(short.toLowerCase(), { href: short });
  }
  return known.size === 0 ? [text] : cut(text, known);
}

// cut cuts a text at known words. Where several begin, the longest counts: one address
// may be the beginning of another. It goes through the text with indexOf, word by word:
// a regular expression of all words, made for one post, takes longer than its card.
function cut(text, known) {
  const small = text.toLowerCase();
  const low = small.length === text.length ? small : text.replace(/[A-Z]/g, (c) => c.toLowerCase()); // places must be the same in both
  const next = new Map([...known.keys()].map((word) => [word, find(low, word, 0)])); // where each word stands next
  const parts = [];
  let at = 0;
  for (let links = 0; links < LINKS; links++) {
    let best = "";
    for (let [word, place] of next) {
      if (place >= 0 && place < at) next.set(word, (place = find(low, word, at)));
      if (place < 0) next.delete(word);
      else if (best === "" || place < next.get(best) || (place === next.get(best) && word.length > best.length)) best = word;
    }
    if (best === "") break;
    const begin = next.get(best);
    if (begin > at) parts.push(text.slice(at, begin));
    at = begin + best.length;
    parts.push({ words: text.slice(begin, at), ...known.get(best) });
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

// find is the first place from which on a word stands, or -1. A tag or a name ends where
// its letters end.
function find(low, word, from) {
  for (let at = low.indexOf(word, from); at >= 0; at = low.indexOf(word, at + 1)) {
    if (!/^[#@]/.test(word) || !/^[\p{L}\p{N}_]/u.test(low.slice(at + word.length, at + word.length + 2))) return at;
  }
  return -1;
}

// exactID reads an id out of JSON that gives it as a number, too large for
// JSON.parse.
export function exactID(json, name) {
  return new RegExp('"' + name + '":\\s*"?(\\d+)').exec(json)?.[1] ?? "";
}
