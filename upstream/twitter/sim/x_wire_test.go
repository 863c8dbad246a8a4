package sim

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// call makes one request of API v2 and returns its status and body.
func (w *world) call(method, path, body string, header ...string) (int, string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://api.sim.example"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.BearerToken())
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DialContext: w.pipe.dial, DisableKeepAlives: true, DisableCompression: true}}
	resp, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(resp.Body) // a stream is ended by the clock
	synctest.Wait()
	return resp.StatusCode, string(said)
}

// The endpoints of API v2 answer as they are documented.
func TestXOnTheWire(t *testing.T) {
	inTime(t, Config{XRules: 3}, func(t *testing.T, w *world) {
		for i, c := range []struct {
			method, path, body string
			status             int
			says               []string // all of it
		}{
			{"GET", "/2/tweets/search/stream", "", 409, []string{"rule-configuration-issue"}},
			{"GET", "/2/tweets/search/stream/rules", "", 200, []string{`{"meta":{"sent":"2000-`, `"result_count":0`}},
			{"POST", "/2/tweets/search/stream/rules?dry_run=true", `{"add":[{"value":"dry"}]}`, 201, []string{`"created":1`}},
			{"POST", "/2/tweets/search/stream/rules", `{"add":[{"value":"cat has:images","tag":"cats"},{"value":"(("},{"value":"zebra"}]}`, 201, []string{`"value":"cat has:images","tag":"cats"`, `"created":2,"invalid":1,"not_created":1,"valid":2`, "invalid-rules"}},
			{"POST", "/2/tweets/search/stream/rules", `{"add":[{"value":"zebra","tag":"another"}]}`, 201, []string{"DuplicateRule", "duplicate-rules"}},
			{"POST", "/2/tweets/search/stream/rules", `{"add":[{"value":"a1"},{"value":"a2"}]}`, 201, []string{`"created":1`, "rule-cap"}},
			{"POST", "/2/tweets/search/stream/rules", `{"add":[{"value":"lang:en"}]}`, 400, []string{"stand alone"}},
			{"POST", "/2/tweets/search/stream/rules", `{"add":[],"delete":{}}`, 400, []string{"invalid-request"}},
			{"GET", "/2/tweets/search/stream/rules/counts", "", 200, []string{`"cap_per_client_app":"3"`, `"client_app_rules_count":"3"`}},
			{"GET", "/2/tweets/search/stream/rules?max_results=2", "", 200, []string{`"next_token":"0000000000000002"`, `"result_count":2`}},
			{"GET", "/2/tweets/search/stream/rules?max_results=2&pagination_token=0000000000000002", "", 200, []string{`"value":"a1"`, `"result_count":1`}},
			{"POST", "/2/tweets/search/stream/rules", `{"delete":{"values":["a1","none"]}}`, 200, []string{`"deleted":1,"not_deleted":1`}},
			{"GET", "/2/tweets/search/stream?backfill_minutes=2", "", 400, []string{"backfill_minutes"}},
			{"GET", "/2/tweets/search/recent?query=x&max_results=5", "", 400, []string{"max_results"}},
			{"GET", "/2/tweets/search/recent?query=nothinglikeit", "", 200, []string{`{"meta":{"result_count":0}}`}},
			{"GET", "/2/tweets?ids=7", "", 200, []string{`"resource_id":"7"`, "resource-not-found"}},
			{"GET", "/2/tweets/compliance/stream?partition=1", "", 403, []string{"client-forbidden"}},
			{"GET", "/2/connections", "", 200, []string{`"result_count":0`}},
			{"DELETE", "/2/connections", `{"uuids":[]}`, 400, []string{"uuids"}},
			{"GET", "/2/tweets/search/stream", "", 200, nil}, // leaves without a word
			{"PUT", "/2/tweets/search/stream/rules", "", 405, nil},
			{"GET", "/2/nothing", "", 404, nil},
		} {
			status, said := w.call(c.method, c.path, c.body)
			if status != c.status {
				t.Errorf("%d %s %s: %d %s", i, c.method, c.path, status, said)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("%d %s %s: no %s in %s", i, c.method, c.path, want, said)
				}
			}
		}
		if status, said := w.call("GET", "/2/tweets?ids=7", "", "Authorization", "Bearer wrong"); status != 401 || !strings.Contains(said, `"title":"Unauthorized"`) {
			t.Errorf("%d %s", status, said)
		}
		if status, said := w.call("GET", "/2/tweets?ids=7", "", "Authorization", "OAuth x=y"); status != 403 || !strings.Contains(said, "unsupported-authentication") {
			t.Errorf("%d %s", status, said)
		}
	})
}

// Only one stream is open at a time; the slot of one that is gone without a word is
// freed late, or by the Connections API.
func TestXSlots(t *testing.T) {
	inTime(t, Config{XSlotHold: time.Minute}, func(t *testing.T, w *world) {
		if err := w.AddRule("zebra", ""); err != nil {
			t.Fatal(err)
		}
		if status, _ := w.call("GET", "/2/tweets/search/stream", ""); status != 200 {
			t.Fatal(status)
		}
		if status, said := w.call("GET", "/2/tweets/search/stream", ""); status != 429 || !strings.Contains(said, "TooManyConnections") {
			t.Fatalf("a second stream: %d %s", status, said)
		}
		_, said := w.call("GET", "/2/connections?endpoints=filtered_stream", "")
		_, id, _ := strings.Cut(said, `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		if _, said := w.call("DELETE", "/2/connections", `{"uuids":["`+id+`"]}`); !strings.Contains(said, `"successful_kills":1`) {
			t.Fatal(said)
		}
		if status, said := w.call("GET", "/2/tweets/search/stream", ""); status != 200 {
			t.Fatalf("after the kill: %d %s", status, said)
		}
		time.Sleep(59 * time.Second)
		if status, _ := w.call("GET", "/2/tweets/search/stream", ""); status != 429 {
			t.Errorf("too early: %d", status)
		}
		time.Sleep(2 * time.Second)
		if status, _ := w.call("GET", "/2/tweets/search/stream", ""); status != 200 {
			t.Errorf("the slot is not freed: %d", status)
		}
	})
}
