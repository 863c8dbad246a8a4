// Package web is the gateway's page: static files compiled into the program.
// There is no build step and nothing is loaded from anywhere else. What is in
// static:
//
//	index.html   the live page, but for its columns and posts
//	palette.css  the colours of the page and the dashboard, and what else they share
//	theme.js     the chosen colours, before the first paint
//	app.js       puts the columns, the connection and the document together
//	head.js      how things stand, in words, at the top
//	keys.js      the page by keyboard; hidden.js when nobody looks
//	address.js   the columns in the page's address
//	column.js    a column: one rule, its posts, what can be done with them
//	editor.js    the form in which a rule is written; check.js asks about it
//	feed.js      a list: what waits, and why
//	shown.js     what stands in it: the elements near the reader
//	turns.js     one list draws in each frame
//	card.js      a post as an article, the one place that makes elements of posts
//	post.js      a post as data: v1.1 brought to the compact shape, safe links
//	shared.js    this tab's part in the browser's one connection
//	leader.js    the one connection: the rules of all tabs under names
//	stream.js    one EventSource that does not give up: resume, back-off, watchdog
//	replay.js    the last minutes of a column that joins later
//	search.js    the walk over /search/pages
//	gone.js      what was deleted or withheld, for all lists
//	words.js     states, gaps and numbers in words
//	keep.js      the reader's choices, and the clipboard
//
//	dashboard.html, dashboard.css, dashboard.js
//	             the last hour in charts, from /status?history=
//	panel.js     its cards: a chart with its words and its table
//	figures.js   numbers and times in words
//	chart.js     lines and bands in SVG
//
//	embed.js     the widget and the iterator for pages of other origins, one file
//	embed.d.ts   its types
//
// # One connection for a browser
//
// Over HTTP/1.1 a browser opens six connections to one origin. So the tabs of a
// browser share one: the tab that holds the Web Lock "aviary-stream" leads. It
// gathers the rules of all tabs over a BroadcastChannel, asks for them as
// filter.c1, filter.c2 … of one stream, and tells every tab what comes and which
// rules it matches. When the rules change, the stream is opened again behind the
// last event id. The leader learns of a tab's end by the lock that each tab holds
// while it lives; the next tab in line takes over from a leader that ends, and a
// leader that does not answer for three seconds loses the lock to the tab that
// asked. A column that joins reads its last minutes by a short request of its own, up
// to where it meets what comes by the one connection; if that takes more than ten
// seconds, and posts may be missing, the column says so.
// Locks exist in secure contexts only (HTTPS, or this machine); elsewhere each tab
// has a connection of its own, and the sixth warns. 32 rules fit on a connection;
// a rule beyond them, or one that the gateway does not take, is refused in its
// column, and the others go on.
//
// A column of every post has no rule. Alone it asks for an unfiltered stream;
// beside others it is asked for as followers_count:0, since a rule must look for
// something. That finds every post of a source that tells how many followers an author
// has, as Twitter and X do. Of a source that does not, such a column stays empty beside
// others, and must stand alone: a second connection for it would take one of six from
// every browser, for what only some sources need.
//
// A tab that the browser freezes, or that goes into its back/forward cache, leaves the
// connection to the others and asks for what it missed when it goes on. So does a leader
// whose lock another tab took. Where locks are denied each tab is alone. What was refused
// for want of room comes in when there is room.
//
// # Hostile text
//
// Posts are hostile text. The page puts them into text nodes only, links nowhere
// but to https addresses, isolates names from the words around them, cuts what
// towers over its line, shows 30,000 letters of a text and 100 links, tags and mentions
// of each kind (a long post of X has 25,000 letters; a browser that looks for thousands
// of links in a million letters is busy for minutes), and is served with a policy that
// forbids inline script and style, other origins, framing, and assigning strings to
// markup (Trusted Types, with no policy allowed). Pictures are named; from X's own host,
// the one that the policy allows, they are shown when the reader asks for it.
//
// # What the page promises its reader
//
// What is being read does not move: new posts wait while a column is paused,
// scrolled, under the mouse pointer, or has the focus or selected words in it. At most 150 wait and
// 400 are kept for a column; the rest is counted and told. Elements are made for
// the newest 24 to 30, six in a frame, and for others when the reader scrolls down to
// them; while more come at once than anybody sees, only for those in sight. Each
// column shows at most so many posts a second as the reader chose, and says how
// many it left out; with one rule on the connection the gateway sees to that
// (max_rate), else the page. A browser asks for at most 500 a second in all.
// Deletes and withheld posts go at once, from the lists, from what waits, from
// search results, and with them the reposts and quotes of them. A rule that the
// gateway refuses is explained under its field, in the gateway's words, and the
// old one goes on. The address of the page holds the columns:
// /?filter.NAME=RULE&…&max_rate=… (1, 2, 5, 10 or off; 2 if absent), in their
// order, and ?q=RULE is a column without a name.
//
// The page asks for compact posts, for named heartbeats, and, until it has an
// id to resume from, for the last 5 minutes (with a column of every post, 30
// seconds), so that it does not begin empty. Hidden for a minute, a tab leaves the
// connection to others, and goes on where it was when it is seen again.
//
// # The widget
//
// embed.js is on its own: it shares no module with the page, so that one request
// brings all of it, and has at most 15,000 bytes as it lies there. It reads streams
// by fetch, which shows it the status of a refusal, Retry-After and heartbeats;
// EventSource hides all three and gives up on anything but a 200. What is no event
// stream is not read, and no answer makes it ask again at once, or later than after
// twelve days. It begins when its page is seen for the first time. Its elements are
// made from text nodes in a shadow root, its style is a constructed sheet, so that
// it runs under a policy that allows the gateway's origin and nothing else.
//
// The tests of all this drive a real browser: web/e2e.
package web
