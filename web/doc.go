// Package web is the gateway's page: static files compiled into the program.
// There is no build step and nothing is loaded from anywhere else. What is in
// static:
//
//	index.html  everything there is, but for the posts
//	theme.js    the chosen colours, before the first paint
//	app.js      puts the other modules and the document together
//	stream.js   the connection to /stream: resume, back-off, watchdog
//	feed.js     the list: what is drawn, what waits, what must not move
//	search.js   the walk over /search/pages
//	gone.js     what was deleted or withheld, for both lists
//	card.js     a post as an article
//	post.js     a post as data: v1.1 brought to the compact shape, safe links
//	words.js    states, gaps and numbers in words
//
// # Hostile text
//
// Posts are hostile text. The page puts them into text nodes only, links nowhere
// but to https addresses, loads no pictures (it names them and links to them),
// and is served with a policy that forbids inline script and style, other
// origins, framing, and assigning strings to markup (Trusted Types, with no
// policy allowed).
//
// # What the page promises its reader
//
// What is being read does not move: new posts wait while the list is paused,
// scrolled, under the mouse pointer, or has the focus in it, and while somebody
// is in the search below. At most 150 wait and 200 are drawn; the rest is
// counted and told. Deletes and withheld posts go at once, from the list, from
// what waits, from search results, and with them the reposts and quotes of them.
// A filter that the gateway refuses is explained under its field, in the
// gateway's words, and the old one goes on. The address of the page holds the
// filter: /?track=…&language=…&max_rate=… (1, 2, 5, 10 or off; 2 if absent).
//
// The page asks for compact posts, for named heartbeats, and, until it has an
// id to resume from, for the last 30 seconds (with a filter, 5 minutes), so that
// it does not begin empty. Hidden for a minute, it lets go of its stream, and
// goes on where it was when it is seen again.
//
// The tests of all this drive a real browser: web/e2e.
package web
