// One post as an article, after X's display requirements: who wrote it, with a
// picture or a letter in its place, name and @name, all leading to the profile;
// the text as it was written, with live links, tags and mentions; when, leading to
// the post; the mark of X at its end, leading there too; above it who reposted.
//
// This is the one place where posts become elements. Everything a post says goes
// into text nodes, and a reader is sent to https addresses only. Pictures are
// loaded when the reader asks for them, and from the hosts that the page's policy
// names; others are a link.

import { LONGEST, pieces, places, safe, shown } from "/post.js";
import { brief, full } from "/words.js";

// Languages written from right to left: there a whole card is turned.
const TURNED = /^(ar|arc|ckb|dv|fa|he|iw|ps|sd|ug|ur|yi)(-|$)/;

const turned = ({ lang }) => (TURNED.test(lang ?? "") ? "rtl" : "ltr");

const MEDIA = 20; // of a post that are shown

let cards = 0; // made so far: for ids that are unique on the page

export function make(tag, className = "", ...content) {
  const e = document.createElement(tag);
  if (className !== "") e.className = className;
  e.append(...content);
  return e;
}

const SVG = "http://www.w3.org/2000/svg";
const icons = new Map(); // by name, to be copied

// icon is one of the drawings that stand in the page: a copy, which is cheaper than a
// reference, since a browser makes a document of its own for each of those.
export function icon(name) {
  if (!icons.has(name)) {
    const drawing = document.getElementById("i-" + name);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", "icon");
    svg.setAttribute("viewBox", drawing.getAttribute("viewBox"));
    svg.append(...[...drawing.children].map((part) => part.cloneNode()));
    icons.set(name, svg);
  }
  return icons.get(name).cloneNode(true);
}

// card makes the article of a compact post.
export function card(post) {
  const inner = post.repost_of ?? post;
  const article = make("article", "card");
  article.tabIndex = 0;
  article.dir = turned(inner);
  const label = "c" + ++cards;
  if (post.repost_of) article.append(make("p", "context", icon("repost"), linked(places(post).profile, "", isolated(name(post))), " reposted"));
  if (inner.reply_to?.username) {
    article.append(make("p", "context", icon("reply"), "Replying to ", isolated("@" + inner.reply_to.username)));
  }
  const line = byline(inner);
  line.id = label;
  article.setAttribute("aria-labelledby", label);
  article.append(portrait(inner), line, body(inner));
  if (inner.quote_of) article.append(quote(inner.quote_of));
  return article;
}

function quote(post) {
  const block = make("blockquote", "quote");
  block.dir = turned(post);
  if (post.author || post.text) block.append(byline(post), body(post));
  else block.append(make("p", "context", "Quotes a post that is not shown here"));
  return block;
}

function byline(post) {
  const { profile, post: address, onX } = places(post);
  // Each is cut at its own end: that of a name from left to right is on the right.
  const who = linked(profile, "who", make("bdi", "name", name(post)));
  if (post.author?.verified) {
    const tick = make("span", "verified", icon("verified"));
    tick.setAttribute("role", "img");
    tick.setAttribute("aria-label", "verified");
    who.append(tick);
  }
  if (post.author?.username) who.append(make("bdi", "user", "@" + post.author.username));
  const line = make("header", "byline", who);
  const at = new Date(post.created_at ?? "");
  const dated = !Number.isNaN(at.valueOf());
  const time = dated ? make("time", "", brief(at)) : make("span", "", "open");
  if (dated) {
    time.dateTime = at.toISOString();
    time.title = full(at);
    time.dir = "auto"; // a time of day keeps its order also in a card that is turned
  }
  if (address !== "") {
    const there = link(address, "permalink", time);
    if (onX) {
      there.append(icon("x"), make("span", "unseen", " view on X"));
      there.title = "View on X";
    }
    line.append(there);
  } else if (dated) line.append(time);
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

// linked is a link where there is a place to go to.
const linked = (href, className, ...content) => (href === "" ? make("span", className, ...content) : link(href, className, ...content));

function body(post) {
  const parts = [text(post), ...(post.media ?? []).slice(0, MEDIA).map(medium)];
  if (post.text?.length > LONGEST) parts.push(make("p", "context", "The rest of this post is too long to be shown here"));
  if (post.withheld_in?.length > 0) parts.push(make("p", "context", "Withheld in " + post.withheld_in.join(", ")));
  if (!post.sensitive) return make("div", "body", ...parts);
  return make("details", "body cover", make("summary", "", "Marked as sensitive by its source"), ...parts);
}

function text(post) {
  const p = make("p", "text");
  p.dir = "auto";
  if (/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(post.lang ?? "") && post.lang !== "und") p.lang = post.lang;
  for (const piece of pieces(post)) {
    if (typeof piece === "string") p.append(piece);
    else {
      const a = link(piece.href, "", isolated(piece.words));
      if (piece.title) a.title = piece.title;
      p.append(a);
    }
  }
  return p;
}

const KINDS = new Map(Object.entries({ photo: "Picture", video: "Video", animated_gif: "Moving picture" }));

// medium names a picture. This page asks no other host for anything until the
// reader wants it: a button shows what may be shown here, a link leads to the rest.
function medium(m) {
  const line = make("p", "medium");
  const kind = KINDS.get(m.type) ?? "Attachment";
  const alt = make("bdi", "", m.alt || "no description");
  const href = safe(m.url);
  if (m.type === "photo" && shown(href)) {
    const button = make("button", "small", "Show picture");
    button.type = "button";
    button.addEventListener("click", () => line.replaceWith(picture(href, m.alt, "photo")));
    line.append(button, " ", alt);
  } else line.append(linked(href, "", kind), ": ", alt);
  return line;
}

function picture(href, alt, className) {
  const img = make("img", className);
  img.alt = alt || "";
  img.loading = "lazy";
  img.decoding = "async";
  img.referrerPolicy = "no-referrer";
  img.src = href;
  return img;
}

// What others have named is isolated, so that no control character in it turns the words
// around it.
const name = (post) => post.author?.name || post.author?.username || "Somebody";
const isolated = (words) => make("bdi", "", words);

// portrait is the author's picture, if the reader has asked for pictures, over a
// letter on one of eight colours.
function portrait(post) {
  const who = post.author?.name || post.author?.username || "?";
  let sum = 0;
  for (const c of post.author?.id_str ?? who) sum = (sum * 31 + c.codePointAt(0)) % 997;
  const sign = linked(places(post).profile, "portrait hue" + (sum % 8), first(who));
  sign.setAttribute("aria-hidden", "true"); // the name beside it says the same
  if (sign.href) sign.tabIndex = -1;
  const href = safe(post.author?.avatar);
  if (document.documentElement.dataset.pictures === "on" && shown(href)) sign.append(picture(href, "", ""));
  return sign;
}

const letters = "Segmenter" in Intl ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

function first(words) {
  const letter = /[\p{L}\p{N}]/u.exec(words)?.[0];
  if (letter) return letter.toLocaleUpperCase();
  return (letters ? [...letters.segment(words)][0].segment : [...words][0]).slice(0, 16);
}
