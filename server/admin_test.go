package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"aviary/fanout"
	"aviary/server/deliver"
)

// ask sends a request to the admin handler under the name of loopback.
func (g *gate) ask(method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8081"+path, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	g.server.Admin().ServeHTTP(w, r)
	return w
}

func TestAdminGuard(t *testing.T) {
	const token = "Authorization: Bearer s3cret"
	for _, c := range []struct {
		name, token, method, path string
		headers                   []string
		want                      int
	}{
		{"plain", "", "POST", "/upstream/reconnect", nil, 202},
		{"localhost", "", "POST", "/upstream/reconnect", []string{"Host: localhost:8081"}, 202},
		{"IPv6", "", "POST", "/upstream/reconnect", []string{"Host: [::1]:8081"}, 202},
		{"own name", "", "POST", "/upstream/reconnect", []string{"Host: Admin.example:8081"}, 202},
		{"rebinding", "", "POST", "/upstream/reconnect", []string{"Host: evil.example:8081"}, 403},
		{"rebinding read", "", "GET", "/clients", []string{"Host: evil.example:8081"}, 403},
		{"rebinding with look-alike", "", "POST", "/upstream/reconnect", []string{"Host: localhost.evil.example"}, 403},
		{"rebinding with token", "s3cret", "POST", "/upstream/reconnect", []string{"Host: evil.example", token}, 403},
		{"same origin", "", "POST", "/upstream/reconnect", []string{"Sec-Fetch-Site: same-origin"}, 202},
		{"the user", "", "POST", "/upstream/reconnect", []string{"Sec-Fetch-Site: none"}, 202},
		{"cross site", "", "POST", "/upstream/reconnect", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"same site", "", "DELETE", "/posts/1", []string{"Sec-Fetch-Site: same-site"}, 403},
		{"cross origin, old browser", "", "DELETE", "/posts/1", []string{"Origin: https://evil.example"}, 403},
		{"token missing", "s3cret", "POST", "/upstream/reconnect", nil, 401},
		{"token wrong", "s3cret", "POST", "/upstream/reconnect", []string{"Authorization: Bearer s3cre"}, 401},
		{"token empty", "s3cret", "DELETE", "/posts/1", []string{"Authorization: Bearer "}, 401},
		{"token in another scheme", "s3cret", "POST", "/upstream/reconnect", []string{"Authorization: Basic s3cret"}, 401},
		{"token right", "s3cret", "POST", "/upstream/reconnect", []string{token}, 202},
		{"token in the URL", "s3cret", "POST", "/upstream/reconnect?token=s3cret", nil, 401},
		{"clients need it too", "s3cret", "GET", "/clients", nil, 401},
		{"clients by any name with it", "s3cret", "GET", "/clients", []string{token, "Host: admin.internal"}, 200},
		{"pprof needs it too", "s3cret", "GET", "/debug/pprof/cmdline", nil, 401},
		{"metrics are for the scraper", "s3cret", "GET", "/metrics", []string{"Host: aviary.internal:8081"}, 200},
		{"pprof", "", "GET", "/debug/pprof/goroutine?debug=1", nil, 200},
		{"GET does not reconnect", "", "GET", "/upstream/reconnect", nil, 405},
		{"filter", "", "GET", "/upstream/filter", nil, 200},
		{"filter needs the token", "s3cret", "GET", "/upstream/filter", nil, 401},
		{"filter across sites", "", "PUT", "/upstream/filter", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"a source that is not asked", "", "PUT", "/upstream/filter", nil, 409},
		{"unknown", "", "GET", "/upstream/filters", nil, 404},
		{"no stream here", "", "GET", "/stream", nil, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reconnects := 0
				g := newGate(t, func(o *Options) {
					o.AdminToken = func() string { return c.token }
					o.AdminHosts = []string{"admin.example"}
					o.Reconnect = func(context.Context) error { reconnects++; return nil }
				})
				w := g.ask(c.method, c.path, c.headers...)
				if w.Code != c.want {
					t.Errorf("%d %s, want %d", w.Code, w.Body, c.want)
				}
				if want := c.want == 202; (reconnects == 1) != want {
					t.Errorf("%d reconnects", reconnects)
				}
				if c.want >= 400 {
					decode(t, w.Result())
				}
				if strings.Contains(w.Body.String(), "s3cret") {
					t.Error("the token is in the answer")
				}
			})
		})
	}
}

func TestAdminClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		s := g.stream("/stream?track=go")
		g.open("/stream?format=ndjson&events=none")
		g.post(1, "7", "go")
		s.ids(1)
		synctest.Wait()
		var list struct {
			Count   int
			Clients []deliver.Info
		}
		if err := json.Unmarshal(g.ask("GET", "/clients").Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		if list.Count != 2 || list.Clients[0].Filter != "track=go" || list.Clients[0].Posts != 1 || list.Clients[0].Transport != "sse" ||
			list.Clients[1].Events != "none" || list.Clients[1].Transport != "ndjson" || list.Clients[0].Behind != 0 {
			t.Errorf("%+v", list)
		}
		if got := metric(t, g, `aviary_clients{transport="sse"}`) + metric(t, g, `aviary_clients{transport="ndjson"}`); got != "11" {
			t.Errorf("clients %s", got)
		}
		if w := g.ask("DELETE", "/clients/1"); w.Code != 200 {
			t.Errorf("evict: %d %s", w.Code, w.Body)
		}
		expectBye(t, s, "evicted")
		for _, id := range []string{"1", "99", "x", "-1"} {
			synctest.Wait()
			if w := g.ask("DELETE", "/clients/"+id); w.Code != 404 {
				t.Errorf("evict %s: %d", id, w.Code)
			}
		}
	})
}

// Who cannot pass the wish on says so, and why.
func TestReconnectCannotBeTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) {
			o.Reconnect = func(context.Context) error { return errors.New("the bus is away (look at its servers)") }
		})
		w := g.ask("POST", "/upstream/reconnect")
		if p := decode(t, w.Result()); p.Status != 503 || !strings.Contains(p.Detail, "the bus is away (look at its servers); ask again") {
			t.Errorf("%d %+v", w.Code, p)
		}
	})
}

func TestAdminDeletesPosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		s := g.stream("/stream?track=go")
		g.post(11, "7", "go")
		g.post(12, "7", "go")
		g.post(13, "8", "go")
		s.ids(3)
		check := func(path string, code int, body string) {
			t.Helper()
			if w := g.ask("DELETE", path); w.Code != code || code == 200 && w.Body.String() != body+"\n" {
				t.Errorf("DELETE %s: %d %s, want %d %s", path, w.Code, w.Body, code, body)
			}
		}
		check("/posts/13", 200, `{"held":1,"published":1}`)
		if f := s.next(); f.data != `{"delete":{"status":{"id":13,"id_str":"13","user_id":8,"user_id_str":"8"}}}` {
			t.Error(f)
		}
		check("/users/7/posts", 200, `{"held":2,"published":2}`)
		for range 2 {
			if f := s.next(); f.event != "delete" || !strings.Contains(f.data, `"user_id_str":"7"`) {
				t.Error(f)
			}
		}
		check("/users/7/posts", 200, `{"held":0,"published":0}`)
		check("/posts/777", 200, `{"held":0,"published":1}`) // never seen: kept out
		if g.hub.Publish(postEvent(777, "7", "go")) || g.hub.Publish(postEvent(13, "8", "go")) {
			t.Error("a deleted post came back")
		}
		if w := g.ask("DELETE", "/posts/13"); w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"held":0,`) {
			t.Errorf("again: %d %s", w.Code, w.Body)
		}
		check("/posts/a%0Ab", 400, "")
		check("/posts/%E2%80%A8", 400, "")
		check("/posts/"+strings.Repeat("1", 300), 400, "")
	})
}

// Ids that are not numbers keep out of the number's place.
func TestDeleteOfAnotherDialect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) { o.Dialect = &fanout.Dialect{Name: "other"} })
		s := g.stream("/stream")
		if w := g.ask("DELETE", "/posts/at:%2F%2Fx%252F"); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if f := s.next(); f.data != `{"delete":{"status":{"id_str":"at://x%2F"}}}` {
			t.Error(f)
		}
	})
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		s := g.stream("/stream?track=go")
		for i := range 3 {
			g.post(1+i, "7", "go")
		}
		s.ids(3)
		synctest.Wait()
		for name, want := range map[string]string{
			"aviary_history_events":                     "3",
			"aviary_filters":                            "1",
			`aviary_clients{transport="sse"}`:           "1",
			"aviary_client_connects_total":              "1",
			`aviary_client_closes_total{reason="gone"}`: "0",
			"aviary_deliveries_total":                   "3",
			`aviary_gaps_total{reason="slow"}`:          "0",
			"aviary_delivery_seconds_count":             "3",
			`aviary_delivery_seconds_bucket{le="+Inf"}`: "3",
			`aviary_build_info{commit="abc",goversion="` + goVersion + `",version="v1"}`: "1",
		} {
			if got := metric(t, g, name); got != want {
				t.Errorf("%s %s, want %s", name, got, want)
			}
		}
		for _, name := range []string{`aviary_delivered_bytes_total{encoding="identity"}`, "aviary_history_bytes"} {
			if got := metric(t, g, name); got == "0" {
				t.Errorf("%s is 0", name)
			}
		}
	})
}

// The registry's own checks: every family consistent and documented.
func TestMetricsPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		w := g.ask("GET", "/metrics")
		body, err := io.ReadAll(w.Body)
		if err != nil || w.Code != http.StatusOK || !strings.Contains(string(body), "# HELP aviary_clients ") || !strings.Contains(string(body), "go_goroutines") {
			t.Errorf("%d %v %.200s", w.Code, err, body)
		}
	})
}
