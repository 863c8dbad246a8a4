// One post as an article. Everything a post says goes into text nodes, and a
// reader is sent to https addresses only.

import { pieces, safe } from "/post.js";
import { clock } from "/words.js";

// Languages written from right to left: there the whole card is turned.
const TURNED = /^(ar|arc|ckb|dv|fa|he|iw|ps|sd|ug|ur|yi)(-|$)/;

let cards = 0; // made so far: for ids that are unique on the page

export function make(tag, className = "", ...content) {
  const e = document.createElement(tag);
  if (className !== "") e.className = className;
  e.append(...content);
  return e;
}

// card makes the article of a compact post.
export function card(post) {
  const shown = post.repost_of ?? post;
  const article = make("article", "card");
  article.tabIndex = 0;
  if (TURNED.test(shown.lang ?? "")) article.dir = "rtl";
  const label = "c" + ++cards;
  if (post.repost_of) article.append(make("p", "context", mark("↻"), name(post), " reposted"));
  if (shown.reply_to?.username) {
    article.append(make("p", "context", mark("↩"), "Replying to ", isolated("@" + shown.reply_to.username)));
  }
  const line = byline(shown);
  line.id = label;
  article.setAttribute("aria-labelledby", label);
  article.append(monogram(shown), line, body(shown));
  if (shown.quote_of) article.append(quote(shown.quote_of));
  return article;
}

function quote(post) {
  const block = make("blockquote", "quote");
  if (post.author || post.text) block.append(byline(post), body(post));
  else block.append(make("p", "context", "Quotes a post that is not shown here"));
  return block;
}

function byline(post) {
  const line = make("header", "byline", make("span", "name", name(post)));
  if (post.author?.verified) {
    const tick = make("span", "verified", "✓");
    tick.setAttribute("role", "img");
    tick.setAttribute("aria-label", "verified");
    line.append(tick);
  }
  if (post.author?.username) line.append(make("span", "user", isolated("@" + post.author.username)));
  const at = new Date(post.created_at ?? "");
  const dated = !Number.isNaN(at.valueOf());
  const time = dated ? make("time", "", clock(at)) : make("span", "", "open");
  if (dated) {
    time.dateTime = at.toISOString();
    time.title = at.toLocaleString();
    time.dir = "auto"; // a time of day keeps its order also in a card that is turned
  }
  const href = safe(post.url);
  if (href !== "" || dated) line.append(href === "" ? time : link(href, "permalink", time));
  return line;
}

// link leads away, and tells the place it leads to nothing.
function link(href, className, ...content) {
  const a = make("a", className, ...content);
  a.href = href;
  a.rel = "noopener noreferrer nofollow ugc";
  a.target = "_blank";
  a.referrerPolicy = "no-referrer";
  return a;
}

function body(post) {
  const parts = [text(post), ...(post.media ?? []).map(medium)];
  if (post.withheld_in?.length > 0) parts.push(make("p", "context", "Withheld in " + post.withheld_in.join(", ")));
  if (!post.sensitive) return make("div", "body", ...parts);
  const cover = make("details", "body cover", make("summary", "", "Marked as sensitive by its source"), ...parts);
  return cover;
}

function text(post) {
  const p = make("p", "text");
  p.dir = "auto";
  if (/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(post.lang ?? "") && post.lang !== "und") p.lang = post.lang;
  for (const piece of pieces(post.text ?? "", post.urls)) {
    if (typeof piece === "string") p.append(piece);
    else {
      const a = link(piece.href, "", isolated(piece.words));
      a.title = piece.title;
      p.append(a);
    }
  }
  return p;
}

const KINDS = { photo: "Picture", video: "Video", animated_gif: "Moving picture" };

// medium names a picture instead of loading it: this page asks no other host
// for anything until the reader follows a link.
function medium(m) {
  const line = make("p", "medium");
  const kind = KINDS[m.type] ?? "Attachment";
  const href = safe(m.url);
  line.append(href === "" ? kind : link(href, "", kind));
  const alt = make("bdi", "", m.alt || "no description");
  line.append(": ", alt);
  return line;
}

// name is isolated, so that no control character in it turns the words around it.
const name = (post) => isolated(post.author?.name || post.author?.username || "Somebody");
const isolated = (words) => make("bdi", "", words);

function mark(sign) {
  const s = make("span", "sign", sign);
  s.setAttribute("aria-hidden", "true");
  return s;
}

// monogram stands where a picture would: a letter on one of eight colours.
function monogram(post) {
  const who = post.author?.name || post.author?.username || "?";
  let sum = 0;
  for (const c of post.author?.id_str ?? who) sum = (sum * 31 + c.codePointAt(0)) % 997;
  const sign = make("span", "monogram hue" + (sum % 8), first(who));
  sign.setAttribute("aria-hidden", "true");
  return sign;
}

const letters = "Segmenter" in Intl ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

function first(words) {
  const letter = /[\p{L}\p{N}]/u.exec(words)?.[0];
  if (letter) return letter.toLocaleUpperCase();
  return letters ? [...letters.segment(words)][0].segment : [...words][0];
}
