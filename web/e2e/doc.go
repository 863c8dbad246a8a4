// Package e2e drives a real browser, Debian's Chromium, against the built
// gateway and a simulator inside the test. It has a module of its own, so that
// what drives the browser is no dependency of the product.
//
//	cd web/e2e && go test .
//
// Where Chromium is missing and the user is root on a machine with apt, it is
// installed; where it cannot be had, the tests are skipped, loudly, and fail
// when CI is set. The same goes for axe-core, which npm fetches into the user's
// cache folder.
//
// They share one browser, in which each has a profile of its own, and run four at a
// time (-parallel): they wait more than they work. What a page says for a moment only is
// noted in the page when it says it (tab.hear), so that a busy machine cannot miss it.
//
// Each test has a gateway and a simulator of its own and looks at the page as a
// reader does: what stands in it, where it stands, what is announced. Every page
// is closed with a check that it had nothing to complain about: no exception, no
// console error, no breach of its content security policy. Pictures of the page
// lie in artifacts when the tests are done.
package e2e
