package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// status is what /status answers to a query.
func (w *world) status(query string) (said map[string]any) {
	w.t.Helper()
	answer, err := http.Get(w.url + "/status" + query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		w.t.Fatal(err)
	}
	return said
}

// follow opens a stream that reads until the test ends.
func (w *world) follow(query string) {
	w.t.Helper()
	answer, err := http.Get(w.url + "/stream" + query)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = answer.Body.Close() })
	go func() { _, _ = io.Copy(io.Discard, answer.Body) }()
}

// tile is a number among those on top.
func tile(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#tiles > div")].find((d) => d.querySelector("dt").textContent === %q)?.querySelector("dd").textContent`, name)
}

// chart is a part of the chart of that name.
func chart(name, part string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".chart")].find((c) => c.querySelector("h2").textContent === %q).querySelector(%q)`, name, part)
}

// The numbers are those of /status.
func TestDashboardShowsStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	for _, query := range []string{"", "?track=secretword", "?track=secretword", "?track=go"} {
		w.follow(query)
	}
	b := w.open("/dashboard", desktop)
	b.until(`/^Upstream streaming since /.test(document.querySelector("#upstream").textContent) && ` + tile("Posts a second") + ` !== "–"`)
	columns := func(said map[string]any, name string) []any { return said["samples"].(map[string]any)[name].([]any) }
	said := w.status("?history=1h")
	if got := ask[string](b, tile("Clients")); got != fmt.Sprint(said["clients"]) || got != "4" {
		t.Errorf("the dashboard says %s clients, /status %v", got, said["clients"])
	}
	if got := ask[string](b, tile("Filters")); got != fmt.Sprint(said["filters"]) || got != "3" {
		t.Errorf("the dashboard says %s filters, /status %v", got, said["filters"])
	}
	format := func(v any) string {
		return ask[string](b, fmt.Sprintf(`new Intl.NumberFormat("en", { maximumFractionDigits: %v >= 100 ? 0 : 1 }).format(%v)`, v, v))
	}
	for name, column := range map[string]string{"Posts a second": "posts_per_s", "Deliveries a second": "deliveries_per_s"} {
		both := ask[[2]string](b, "["+tile(name)+", "+chart(name, ".value")+".textContent]") // it may move on between two questions
		got, known, said := both[0], false, w.status("?history=1h")
		for _, v := range columns(said, column) {
			known = known || format(v) == got
		}
		if !known {
			t.Errorf("%s: the dashboard says %s, /status %v", name, got, columns(said, column))
		}
		if got != both[1] {
			t.Errorf("%s: the chart says %s, and the number on top %s", name, both[1], got)
		}
	}
	top := ask[[]string](b, `[...document.querySelectorAll("#top li .count")].map((c) => c.textContent)`)
	if strings.Join(top, " ") != "2 1 1" {
		t.Errorf("the top filters have %q clients", top)
	}
	if strings.Contains(ask[string](b, "document.documentElement.outerHTML"), "secretword") {
		t.Error("the dashboard tells a filter")
	}
	// It moves on by itself.
	n := ask[int](b, chart("Posts a second", "svg")+`.querySelectorAll(".line").length`)
	before := ask[string](b, chart("Clients", ".line")+`.getAttribute("d")`)
	b.until(chart("Clients", ".line") + `.getAttribute("d") !== ` + quote(before))
	if n != 1 {
		t.Errorf("one line is drawn in %d pieces", n)
	}
}

// It says so when the gateway is gone, keeps what it knows, and goes on after.
func TestDashboardRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	b := w.open("/dashboard", desktop)
	b.forgive = []string{"ERR_"}
	b.until(`/^Upstream /.test(document.querySelector("#upstream").textContent)`)
	look := `document.dispatchEvent(new Event("visibilitychange"))` // as whoever comes back to the tab: it asks at once
	w.stop()
	b.run(look)
	b.until(`/^The gateway does not answer/.test(document.querySelector("#upstream").textContent)`)
	w.start()
	b.run(look)
	b.until(`/^Upstream /.test(document.querySelector("#upstream").textContent)`)
}

// A proxy that answers in the gateway's place is not a gateway that is gone.
func TestDashboardIsDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for status, body := range map[int]string{401: `{"detail":"no"}`, 200: "<!doctype html>log in"} {
		b := w.openWith("/dashboard", desktop, fmt.Sprintf("globalThis.fetch = async () => new Response(%s, { status: %d })", quote(body), status))
		b.until(fmt.Sprintf(`document.querySelector("#upstream").textContent.includes("is not the gateway (HTTP %d)")`, status))
	}
}

// The reader's clock may be wrong by hours: the charts are drawn by the gateway's.
func TestDashboardBesideTheClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	for name, hours := range map[string]int{"ahead": 3, "behind": -3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := w.openWith("/dashboard", desktop, fmt.Sprintf(`{ const now = Date.now; Date.now = () => now() + %d * 3600000; }`, hours))
			path := chart("Posts a second", ".line") + `?.getAttribute("d")`
			b.until(path)
			before := ask[string](b, path)
			b.until(path + ` !== ` + quote(before)) // it goes on
			if got := ask[string](b, tile("Posts a second")); got == "–" {
				t.Error("there is a chart, and no number")
			}
		})
	}
}

// hourOf is a script that answers for /status with a made-up hour, the same each time.
const hourOf = `{
	const at = [], n = 720, end = Date.now() - 1000, began = end - n * 5000;
	let seed = 7;
	const chance = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
	const wave = (i, long, much) => 1 + much * Math.sin(i / long) + 0.12 * (chance() - 0.5);
	const out = (i) => i > 400 && i < 428;
	const columns = { posts: [], clients: [], filters: [], deliveries: [], bytes: [], p50: [], p95: [], p99: [], lag: [], remaining: [], slow: [], history: [], duplicate: [], malformed: [] };
	let clients = 820;
	for (let i = 0; i < n; i++) {
		at.push(Math.round(began + (i + 1) * 5000));
		clients = Math.max(400, Math.round(clients + 14 * (chance() - 0.46)));
		const posts = out(i) ? 0 : Math.round(10 * 42 * wave(i, 90, 0.35)) / 10;
		columns.posts.push(posts);
		columns.clients.push(clients);
		columns.filters.push(Math.round(clients / 6));
		columns.deliveries.push(Math.round(posts * clients * 0.31));
		columns.bytes.push(Math.round(posts * clients * 0.31 * 940));
		columns.p50.push(posts ? 1.1 * wave(i, 60, 0.2) : null);
		columns.p95.push(posts ? 4.2 * wave(i, 70, 0.25) : null);
		columns.p99.push(posts ? 9.5 * wave(i, 40, 0.3) + (i % 181 === 0 ? 30 : 0) : null);
		columns.lag.push(posts ? Math.round(420 * wave(i, 50, 0.3)) : null);
		columns.remaining.push(180 - (i % 180));
		columns.slow.push(i % 97 === 0 ? 3 : 0);
		columns.history.push(i === 430 ? 41 : 0);
		columns.duplicate.push(i % 50 === 0 ? 2 : 0);
		columns.malformed.push(i === 300 ? 1 : 0);
	}
	const time = (i) => new Date(began + i * 5000).toISOString();
	const upstream = { state: "streaming", since: time(428), class: null, error: null, hint: null, next_attempt: null, posts_per_s: 41.2 };
	const answer = () => ({
		version: "v1.4.0", uptime_s: 93784, source: "sim", upstream, clients: columns.clients.at(-1), filters: columns.filters.at(-1),
		history: { events: 20000, bytes: 61234567, from: time(600), to: time(719) }, cluster: { node: "local", leader: "local" },
		samples: {
			step_s: 5, at, upstream: [{ state: "streaming", since: time(-9000) }, { state: "backing_off", since: time(401) }, { state: "connecting", since: time(424) }, { state: "streaming", since: time(428) }],
			posts_per_s: columns.posts, clients: columns.clients, filters: columns.filters, deliveries_per_s: columns.deliveries, bytes_per_s: columns.bytes,
			delivery_ms: { p50: columns.p50, p95: columns.p95, p99: columns.p99 }, upstream_lag_ms: columns.lag, search_remaining: columns.remaining,
			dropped: { duplicate: columns.duplicate, malformed: columns.malformed }, gaps: { slow: columns.slow, history: columns.history, "<b>new</b>": columns.malformed },
		},
		top_filters: [311, 187, 96, 55, 31, 18, 12, 9, 7, 4], search: { limit: 180, remaining: columns.remaining.at(-1), reset: new Date(end + 400000).toISOString() },
	});
	const real = fetch;
	globalThis.fetch = (address, ...more) => String(address).startsWith("/status") ? Promise.resolve(new Response(JSON.stringify(answer()))) : real(address, ...more);
}`

// With a full hour: in words for who cannot see it, on a phone, in both themes.
func TestDashboardWithAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for _, l := range []struct {
		name string
		look look
	}{
		{"phone-light", look{width: 360, height: 780, mobile: true}}, {"phone-dark", look{width: 360, height: 780, mobile: true, dark: true}},
		{"desktop-light", look{width: 1280, height: 900}}, {"desktop-dark", look{width: 1280, height: 900, dark: true}},
	} {
		b := w.openWith("/dashboard", l.look, hourOf)
		b.until(`document.querySelectorAll(".line").length > 8`)
		if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > l.look.width {
			t.Errorf("%s: the dashboard is %d px wide", l.name, wide)
		}
		label := ask[string](b, chart("Clients", "svg")+".ariaLabel")
		if !strings.HasPrefix(label, "Clients, 15 min: now ") || !strings.Contains(label, "lowest ") {
			t.Errorf("%s: the chart is described as %q", l.name, label)
		}
		b.run(`document.querySelector("#range input[value='3600']").click()`)
		b.until(chart("Upstream", ".value") + `.textContent === "streaming 96.3 % of the time"`)
		b.run(chart("Delivery time", "details") + `.open = true`)
		b.until(chart("Delivery time", "table") + `.querySelectorAll("tbody tr").length === 12`)
		b.run(chart("Upstream", "details") + `.open = true`)
		if got := ask[[]string](b, `[...`+chart("Upstream", "table")+`.querySelectorAll("tbody td:first-of-type")].map((d) => d.textContent)`); strings.Join(got, "|") != "streaming|connecting|waiting to try again|streaming" {
			t.Errorf("%s: the states are %q", l.name, got)
		}
		if n := ask[int](b, chart("Posts a second", "svg")+`.querySelectorAll(".area").length`); n != 1 {
			t.Errorf("%s: posts are drawn in %d pieces", l.name, n)
		}
		if n := ask[int](b, chart("Delivery time", "svg")+`.querySelectorAll(".line").length`); n != 6 { // three, with a hole
			t.Errorf("%s: the delivery time is drawn in %d pieces", l.name, n)
		}
		if got := b.text("#gaps"); !strings.Contains(got, "slow") || !strings.Contains(got, "<b>new</b>") {
			t.Errorf("%s: the gaps are %q", l.name, got)
		}
		if l.look.dark == l.look.mobile { // both themes, both widths
			b.checkAxe("dashboard, " + l.name)
		}
		b.run(`for (const d of document.querySelectorAll("details")) d.open = false; scrollTo(0, 0)`)
		b.picture("dashboard-" + l.name)
		b.run(`document.querySelector("#charts").scrollIntoView()`)
		b.picture("dashboard-" + l.name + "-charts")
	}
}
