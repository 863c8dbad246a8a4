// <tweet-feed> and tweets(): docs/widget.md. At most 15,000 bytes.

// A page may put in its own.
export const words = {
	lang: "en", label: "Posts, newest first", pause: "Pause", resume: "Resume", fresh: "{n} new", empty: "No post yet",
	connecting: "Connecting…", live: "Live", reconnecting: "Reconnecting…", gone: "Not reachable; trying again…",
	source: "Connected; the source is not", resting: "Asleep while hidden", over: "Ended", refused: "Not connected: {n}",
	left: "Left out: {n}", gap: "Posts are missing here", slow: "this feed fell behind", history: "no longer held",
	upstream: "the source was lost", restart: "the gateway was restarted",
	reposted: "{n} reposted", reply: "Replying to {n}", sensitive: "Marked as sensitive", view: "View on {n}",
	photo: "Picture", video: "Video", animated_gif: "Video",
};
const say = (name, n) => words[name].replace("{n}", () => n);
const FINAL = /over|refused/;

function address(src, params) {
	const url = new URL(src || "", import.meta.url), query = url.searchParams;
	url.pathname = url.pathname.replace(/\/?(embed\.js|stream)?$/, "/stream");
	for (const [name, value] of params) if (value) query.set(name, value);
	if (!query.has("since")) query.set("since", /[?&](track|follow|loc|q=|filter\.)/.test(url) ? "5m" : "30s");
	query.set("payload", "compact");
	query.set("events", "all,heartbeat");
	return url;
}

// follow keeps a stream open until end; EventSource gives up on all but 200.
// on gets (name, data, cursor, hit, cursor before); hit(post): not to be shown.
async function follow(url, cursor, end, on) {
	let stop, watch, dead, beat = 15e3, retry = 1e3, failures = 0;
	// dead is the id, or @id of an author, taken away last.
	const hit = (p) => p && ([p.id_str, "@" + p.author?.id_str].includes(dead) || hit(p.repost_of) || hit(p.quote_of));
	const guard = () => {
		clearTimeout(watch);
		watch = setTimeout(() => stop.abort(), 3 * beat);
	};
	const take = (block) => {
		const field = (name) => RegExp(`^${name}: (.*)`, "m").exec(block)?.[1];
		const name = field("event") ?? "message", json = field("data"), before = cursor;
		retry = +field("retry") || retry;
		cursor = field("id") ?? before;
		if (end.aborted || !json) return;
		const whole = JSON.parse(json), data = whole[name] ?? whole;
		beat = data.heartbeat_ms ?? beat;
		if (/^delete$|_withheld$/.test(name)) dead = (name[0] === "u" ? "@" : "") + (data.status?.id_str ?? /"id":\s*"?(\d+)/.exec(json)?.[1]);
		failures = 0;
		on(name, data, cursor, hit, before);
		return data.reason === "limit";
	};
	end.onabort = () => stop.abort();
	while (!end.aborted) {
		let state, problem, least = 0;
		stop = new AbortController();
		guard();
		try {
			const answer = await fetch(url + "&last_event_id=" + encodeURIComponent(cursor), { headers: { Accept: "text/event-stream" }, signal: stop.signal });
			if (answer.status === 204) state = "over";
			else if (answer.ok && /event-stream/.test(answer.headers.get("Content-Type"))) {
				const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
				for (let rest = "", got; !state && !(got = await reader.read()).done; guard()) {
					const blocks = (rest + got.value).split("\n\n");
					rest = blocks.pop();
					if (blocks.some(take)) state = "over";
					if (rest[4e6]) throw 0;
				}
			} else {
				least = 1e3 * answer.headers.get("Retry-After") || 0;
				problem = await answer.json();
				if (/^4(?!29)/.test(answer.status)) state = "refused";
			}
		} catch {}
		clearTimeout(watch);
		stop.abort();
		if (end.aborted) return;
		state ??= failures ? "gone" : "reconnecting";
		on("state", { state, problem }, cursor, hit);
		if (FINAL.test(state)) return;
		await new Promise((resolve) => setTimeout(resolve, Math.min(1e9, Math.max(least, retry, Math.min(3e4, retry * 2 ** failures++)) * (1 + Math.random() / 2))));
	}
}

export async function* tweets({ src, signal, on, cursor = "", ...params } = {}) {
	let waiting = [], wake, last;
	const end = new AbortController();
	const rouse = () => wake?.();
	signal?.addEventListener("abort", rouse);
	follow(address(src, Object.entries(params)), cursor, end.signal, (name, data, cursor, hit) => {
		if (name === "message") {
			if (waiting.push(data) > 1000) waiting.shift(), on?.("gap", { reason: "slow", missed: 1 }, cursor);
		} else {
			waiting = waiting.filter((p) => !hit(p));
			if (FINAL.test(data.state)) last = data;
			on?.(name, data, cursor);
		}
		rouse();
	});
	try {
		while (!signal?.aborted) {
			if (waiting[0]) yield waiting.shift();
			else if (last?.problem) throw Object.assign(Error(last.problem.detail), last);
			else if (last) return;
			else await new Promise((resolve) => (wake = resolve));
		}
	} finally {
		end.abort();
	}
}

function make(kind, more, ...content) {
	const [tag, part = ""] = kind.split(" ");
	const e = Object.assign(document.createElement(tag), more);
	e.className = e.part = part;
	e.append(...content.filter(Boolean));
	return e;
}
const bdi = (text) => make("bdi", {}, text);

const phrase = (name, inner) => {
	const [a, b] = words[name].split("{n}");
	return make("p context", {}, a, bdi(inner), b);
};

function safe(address) {
	const url = URL.canParse(address) ? new URL(address) : {};
	return /^https?:$/.test(url.protocol) && !url.username && !url.password ? url.href : "";
}

const link = (href, part, content) => make((href ? "a " : "span ") + part, href && { href, rel: "noreferrer nofollow ugc", target: "_blank" }, content);

// card has what X's display requirements ask for, in text nodes only.
function card(post, lang, hosts) {
	const shown = post.repost_of ?? post, { author, created_at, reply_to, quote_of } = shown;
	const x = /^(x|twitter)$/.test(shown.source), url = safe(shown.url), at = new Date(created_at);
	const who = (p) => p.author?.name || p.author?.username || "?";
	const image = (address, alt = "") => {
		const src = safe(address);
		if (src && hosts.includes(new URL(src).host)) return make("img picture", { alt, loading: "lazy", src, onerror: (e) => e.target.remove() });
	};
	const home = (p) => safe(p.url).replace(/(\/status(es)?|\/post)?\/[^/]+$/, "");
	const byline = (p) => make("span byline", {}, link(home(p), "name", bdi(who(p))),
		p.author?.verified && "✓ ",
		p.author?.username && link(home(p), "username", bdi("@" + p.author.username)));
	const body = (p) => {
		const text = make("p text", { dir: "auto", lang: p.lang ?? "" }),
			urls = new Map(p.urls?.slice(0, 99).map((u) => [u.url || "\0", u])),
			any = [...urls.keys()].sort().reverse().map((u) => u.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
		if (x) any.push("(?<![\\w/])[@#][\\p{L}\\p{N}_]+");
		(p.text ?? "").slice(0, 3e4).split(RegExp(`(${any.join("|") || "\0"})`, "u")).forEach((s, i) => {
			const u = urls.get(s), href = i % 2 && (u ? safe(u.url) || safe(u.expanded) : "https://x.com/" + (s[0] === "#" ? "hashtag/" : "") + encodeURIComponent(s.slice(1)));
			text.append(href ? link(href, "link", bdi(u?.display || s)) : s);
		});
		const media = (p.media ?? []).map((m) => make("p media", {},
			link(safe(m.url), "link", (m.type === "photo" && image(m.url, m.alt)) || (words[m.type] ?? m.type)), " ", bdi(m.alt ?? "")));
		return make((p.sensitive ? "details" : "div") + " body", {}, p.sensitive && make("summary", {}, words.sensitive), text, ...media);
	};

	return make("article post", { ariaLabel: who(shown), dir: /^(ar|dv|fa|he|iw|ps|ur|yi)\b/.test(shown.lang) ? "rtl" : "ltr" },
		post.repost_of && phrase("reposted", who(post)),
		Object.assign(link(home(shown), "avatar", image(author?.avatar) ?? [...who(shown)][0]), { tabIndex: -1, ariaHidden: true }), byline(shown), x && make("span logo"),
		reply_to?.username && phrase("reply", "@" + reply_to.username),
		body(shown),
		quote_of?.author && make("blockquote quote", {}, byline(quote_of), body(quote_of)),
		make("p foot", {},
			+at && link(url, "time", make("time", { dateTime: at.toJSON() }, at.toLocaleString(lang, { dateStyle: "medium", timeStyle: "short" }))),
			url && link(url, "view", say("view", x ? "X" : new URL(url).host))));
}

const css = `
:host(:not([hidden])){display:block;color-scheme:light dark;--ink:var(--tweet-ink,light-dark(#1b2423,#e6ecea));--ground:var(--tweet-ground,light-dark(#fff,#182124));--accent:var(--tweet-accent,light-dark(#0a6761,#63cdc4));
--soft:color-mix(in srgb,var(--ink) 72%,var(--ground));--line:color-mix(in srgb,var(--ink) 16%,var(--ground))}
:host([theme=light]){color-scheme:light}:host([theme=dark]){color-scheme:dark}
.box{display:flex;flex-direction:column;max-block-size:var(--tweet-height,36rem);background:var(--ground);color:var(--ink);font:var(--tweet-font,1rem/1.45 system-ui,sans-serif);border:1px solid var(--line);border-radius:var(--tweet-radius,.9rem);overflow:clip}
.header{display:flex;gap:.5rem;align-items:center}.header,article,.left:not(:empty),.empty{padding:.6rem .9rem;border-block-end:1px solid var(--line);overflow:clip}
.status{flex:1}.status::before{content:"○ "}.live::before{content:"● ";color:var(--accent)}
button{font:inherit;font-size:.8rem;padding:.2rem .7rem;border:1px solid;border-radius:2rem;background:0 0;color:var(--accent)}
.fresh{background:var(--accent);color:var(--ground)}:focus-visible{outline-offset:-2px}
.list{overflow:auto}.post{display:grid;grid-template-columns:2.6rem 1fr 1rem;gap:.1rem .7rem}
.post>*{grid-column:2/4;overflow-wrap:anywhere}.post>.avatar{grid-area:auto/1/span 2}.post>.byline{grid-column:2}
.avatar{display:grid;place-items:center;block-size:2.6rem;border-radius:50%;overflow:hidden;background:var(--line)}
.post>.logo{grid-column:3;block-size:1rem;background:var(--ink);clip-path:polygon(0 0,31% 0,54% 33%,83% 0,93% 0,59% 40%,100% 100%,69% 100%,44% 66%,14% 100%,4% 100%,39% 57%)}
p{margin:0}.text{white-space:pre-wrap}img{max-inline-size:100%}
a{color:var(--accent)}.name{font-weight:700;color:var(--ink)}p:not(.text),.username,.notice{color:var(--soft);font-size:.85rem}
a:not(.link,:hover){text-decoration:none}.byline>*,.foot>*{margin-inline-end:.5rem}
.quote{margin:.5rem 0;padding:.6rem;border:1px solid var(--line)}
@media(forced-colors:active){.post>.logo{background:CanvasText}}`;

const PARAMS = "track follow locations language filter-level q since max-rate".split(" ");

function mount(host) {
	const attr = (name) => host.getAttribute(name);
	const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
	const max = Math.min(Math.abs(attr("max-posts")) || 50, 500), ear = new AbortController();
	const url = address(attr("src"), PARAMS.map((name) => [name.replace("-", "_"), attr(name)]));
	let queue = [], left = 0, cursor = "", end, timer, frame, paused, begun;

	const status = make("p status", { role: "status" }), fresh = make("button fresh", { hidden: true, onclick: () => draw(true) });
	const pause = make("button pause", { onclick() {
		pause.textContent = words[(paused = !paused) ? "resume" : "pause"];
		soon();
	} }, words.pause);
	const empty = make("p empty", {}, words.empty), omitted = make("p left", { tabIndex: -1 });
	const list = make("div list", { role: "feed", hidden: true, ariaLabel: words.label, onscroll: soon, onpointerleave: soon, onkeydown(e) {
		const at = e.target.closest("article"), to = (e.ctrlKey ? { End: omitted, Home: pause } : { PageDown: at?.nextSibling, PageUp: at?.previousSibling })[e.key];
		if (!to) return;
		e.preventDefault();
		to.focus();
	} });
	list.addEventListener("focusout", soon);
	const sheet = new host.ownerDocument.defaultView.CSSStyleSheet();
	sheet.replaceSync(css);
	root.adoptedStyleSheets = [sheet];
	root.replaceChildren(make("div box", { lang: words.lang, dir: "auto" }, make("div header", {}, status, fresh, pause), list, empty, omitted));

	function tell(state, n) {
		status.textContent = say(state, n);
		status.classList.toggle("live", state === "live");
	}
	function open() {
		if (end) return;
		tell("connecting");
		end = new AbortController();
		follow(url, cursor, end.signal, take);
	}
	function rest() {
		if (!end) return;
		end = end.abort();
		save();
		tell("resting");
	}
	function save() {
		try {
			sessionStorage[url] = list.lastChild?.entry.before ?? cursor;
		} catch {}
	}

	function take(name, data, now, hit, before) {
		cursor = now;
		if (name === "state") tell(data.state, data.problem?.detail);
		else if (name === "message") {
			if (![...queue, ...list.children].some((e) => (e.entry ?? e).post?.id_str === data.id_str)) add({ post: data, before });
		} else if (name === "gap") {
			if (data.reason === "max_rate") omitted.textContent = say("left", (left += data.missed));
			else if (begun || !/history|restart/.test(data.reason)) add({ words: `${words.gap}${data.missed ? ` (${data.missed})` : ""}: ${words[data.reason] ?? data.reason}`, before });
		} else if (data.upstream || name === "upstream") {
			if (data.upstream) begun = before;
			tell((data.upstream ?? data).state === "streaming" ? "live" : "source");
		} else {
			queue = queue.filter((e) => !hit(e.post));
			[...list.children].forEach((e) => hit(e.entry.post) && drop(e));
			soon();
		}
	}
	function add(entry) {
		if (queue.push(entry) > max) queue.shift();
		soon();
	}
	function drop(e) {
		if (e.matches(":focus-within")) (e.nextSibling ?? e.previousSibling)?.focus();
		e.remove();
	}
	function soon() {
		list.ariaBusy = true;
		frame ||= requestAnimationFrame(() => draw());
	}
	function draw(asked) {
		frame = 0;
		if (asked || !(paused || (list.firstChild && (list.scrollTop > 8 || list.matches(":hover,:focus-within"))))) {
			for (const entry of queue.splice(0)) try {
				const e = entry.post ? card(entry.post, host.lang.match(/^[a-z]{2,3}(-[a-z]{4})?(-[a-z]{2})?$/i)?.[0], (attr("media") ?? "").split(" ")) : make("article notice", {}, entry.words);
				list.prepend(Object.assign(e, { entry, tabIndex: 0, ariaSetSize: -1 }));
			} catch {} // one that cannot be drawn
			while (list.childElementCount > max) drop(list.lastChild);
			[...list.children].forEach((e, i) => (e.ariaPosInSet = i + 1));
			if (asked) list.scrollTop = 0;
			save();
		}
		fresh.hidden = !queue[0];
		fresh.textContent = say("fresh", queue.length + (queue.length < max ? "" : "+"));
		list.hidden = !(empty.hidden = list.firstChild);
		list.ariaBusy = false;
	}

	function look() {
		clearTimeout(timer);
		timer = document.hidden ? setTimeout(rest, 1e3 * (attr("sleep-after") || 30)) : open();
	}
	addEventListener("visibilitychange", look, ear);
	addEventListener("pagehide", rest, ear);
	addEventListener("pageshow", open, ear);
	try {
		cursor = sessionStorage[url] ?? "";
	} catch {}
	look();
	return () => {
		ear.abort();
		clearTimeout(timer);
		rest();
	};
}

if (globalThis.customElements && !customElements.get("tweet-feed")) {
	customElements.define("tweet-feed", class extends HTMLElement {
		static observedAttributes = ["src", ...PARAMS];
		#end;
		connectedCallback() { this.#end?.(), (this.#end = () => {}), (this.#end = mount(this)); }
		disconnectedCallback() { this.#end = this.#end(); }
		attributeChangedCallback() { if (this.#end) this.connectedCallback(); }
	});
}
