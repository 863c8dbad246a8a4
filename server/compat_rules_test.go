package server

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

const rulesPath = "/2/tweets/search/stream/rules"

// ruleAnswer is any answer of the rules endpoints.
type ruleAnswer struct {
	status int
	Data   []struct{ ID, Value, Tag string }
	Meta   struct {
		Sent    time.Time
		Count   *int   `json:"result_count"`
		Next    string `json:"next_token"`
		Summary map[string]int
	}
	Errors []struct {
		Value, ID, Title, Type, Message string
		Details                         []string
	}
	Title, Detail, Type string
}

func (a ruleAnswer) values() (list []string) {
	for _, r := range a.Data {
		list = append(list, r.Value)
	}
	return list
}

// rules posts to the rules endpoint, or lists them if there is no body; a token of "" is none.
func (g *gate) rules(token, body string, query ...string) (a ruleAnswer) {
	g.t.Helper()
	method, headers := "POST", []string{"Content-Type: application/json"}
	if body == "" {
		method, headers = "GET", nil
	}
	if token != "" {
		headers = append(headers, "Authorization: Bearer "+token)
	}
	path := rulesPath
	if len(query) > 0 {
		path += "?" + query[0]
	}
	resp := g.do(method, path, body, headers...)
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		g.t.Fatalf("%v: %s", err, raw)
	}
	a.status = resp.StatusCode
	return a
}

func TestCompatRules(t *testing.T) {
	g := newTCPGate(t)
	if a := g.rules("a", ""); a.status != 200 || a.Data != nil || a.Meta.Count == nil || *a.Meta.Count != 0 || a.Meta.Sent.IsZero() {
		t.Errorf("none yet: %+v", a)
	}
	tried := g.rules("a", `{"add":[{"value":"go"},{"value":"go"},{"value":" "}]}`, "dry_run=true")
	if tried.status != 201 || len(tried.Data) != 1 || tried.Meta.Summary["created"] != 1 || len(tried.Errors) != 2 {
		t.Errorf("dry run: %+v", tried)
	}
	if a := g.rules("a", ""); *a.Meta.Count != 0 {
		t.Errorf("a dry run stores: %+v", a)
	}
	added := g.rules("a", `{"add":[{"value":"go","tag":"g"},{"value":"rust"},{"value":"go","tag":"other"}]}`)
	if added.status != 201 || !slices.Equal(added.values(), []string{"go", "rust"}) || added.Data[0].Tag != "g" || len(added.Errors) != 1 ||
		added.Errors[0].Title != "DuplicateRule" || added.Errors[0].ID != added.Data[0].ID || !strings.HasSuffix(added.Errors[0].Type, "/duplicate-rules") {
		t.Errorf("added: %+v", added)
	}
	if s := added.Meta.Summary; s["created"] != 2 || s["not_created"] != 1 || s["valid"] != 2 || s["invalid"] != 1 {
		t.Errorf("summary: %v", s)
	}
	if _, err := strconv.ParseUint(added.Data[0].ID, 10, 64); err != nil || len(added.Data[0].ID) < 18 {
		t.Errorf("id %q", added.Data[0].ID)
	}
	if a := g.rules("b", ""); *a.Meta.Count != 0 {
		t.Errorf("another token sees them: %+v", a)
	}
	if a := g.rules("a", ""); !slices.Equal(a.values(), []string{"go", "rust"}) || a.Data[0].ID != added.Data[0].ID {
		t.Errorf("list: %+v", a)
	}
	if a := g.rules("a", "", "ids="+added.Data[1].ID+",5"); !slices.Equal(a.values(), []string{"rust"}) {
		t.Errorf("by id: %+v", a)
	}
	page := g.rules("a", "", "max_results=1")
	if !slices.Equal(page.values(), []string{"go"}) || len(page.Meta.Next) != 16 {
		t.Errorf("page: %+v", page)
	}
	if a := g.rules("a", "", "max_results=1&pagination_token="+page.Meta.Next); !slices.Equal(a.values(), []string{"rust"}) || a.Meta.Next != "" {
		t.Errorf("next page: %+v", a)
	}
	resp := g.do("GET", rulesPath+"/counts", "", "Authorization: Bearer a")
	if body := readAll(t, resp.Body); !strings.Contains(body, `"client_app_rules_count":"2"`) || !strings.Contains(body, `"cap_per_client_app":"1000"`) {
		t.Errorf("counts: %s", body)
	}
	if a := g.rules("a", `{"delete":{"ids":["`+added.Data[0].ID+`","77"]}}`, "dry_run=true"); a.Meta.Summary["deleted"] != 1 || *g.rules("a", "").Meta.Count != 2 {
		t.Errorf("tried delete: %+v", a)
	}
	if a := g.rules("a", `{"delete":{"ids":[`+added.Data[0].ID+`,"77"]}}`); a.status != 200 || a.Meta.Summary["deleted"] != 1 || a.Meta.Summary["not_deleted"] != 1 {
		t.Errorf("delete: %+v", a)
	}
	if a := g.rules("a", `{"delete":{"values":["rust"]}}`); a.Meta.Summary["deleted"] != 1 || *g.rules("a", "").Meta.Count != 0 {
		t.Errorf("delete by value: %+v", a)
	}
	g.rules("a", `{"add":[{"value":"go"},{"value":"rust"}]}`)
	if a := g.rules("a", `{}`, "delete_all=true"); a.status != 200 || a.Meta.Summary["deleted"] != 2 || *g.rules("a", "").Meta.Count != 0 {
		t.Errorf("delete all: %+v", a)
	}
}

// What cannot be: the status, the type of the problem and a word of its detail.
func TestCompatRulesRefused(t *testing.T) {
	g := newTCPGate(t)
	long := strings.Repeat("é", 1025)
	for _, c := range []struct {
		body, query string
		status      int
		kind, said  string
	}{
		{`{`, "", 400, "invalid-request", "no JSON"},
		{`{}`, "", 400, "invalid-request", "Exactly one"},
		{`{"add":[{"value":"a"}],"delete":{"ids":["1"]}}`, "", 400, "invalid-request", "Exactly one"},
		{`{"delete":{}}`, "", 400, "invalid-request", "needs either"},
		{`{"delete":{"ids":["1"],"values":["a"]}}`, "", 400, "invalid-request", "needs either"},
		{`{"add":[{"value":"a"}]}`, "dryrun=true", 400, "invalid-request", "[dryrun] is not one of"},
		{"", "max_results=1001", 400, "invalid-request", "not between 1 and 1000"},
		{"", "max_results=x", 400, "invalid-request", "not between 1 and 1000"},
		{"", "pagination_token=abc", 400, "invalid-request", "pagination token"},
		{`{"add":[{"value":""}]}`, "", 400, "invalid-rules", "empty"},
		{`{"add":[{"value":"` + long + `"}]}`, "", 400, "invalid-rules", "1024"},
	} {
		a := g.rules("a", c.body, c.query)
		found := strings.Contains(a.Type, c.kind)
		words := a.Detail
		for _, e := range a.Errors {
			found = found || strings.Contains(e.Type, c.kind)
			words += " " + e.Message + " " + strings.Join(e.Details, " ")
		}
		if a.status != c.status || !found || !strings.Contains(words, c.said) {
			t.Errorf("%.40s?%s: %+v", c.body, c.query, a)
		}
	}
	resp := g.do("POST", rulesPath, `{"add":[{"value":"a"}]}`, "Content-Type: text/plain")
	if resp.StatusCode != 415 {
		t.Errorf("a body of text: %d", resp.StatusCode)
	}
	resp = g.do("GET", "/2/tweets/search/stream", "")
	if body := readAll(t, resp.Body); resp.StatusCode != 409 || !strings.Contains(body, "RuleConfigurationIssue") {
		t.Errorf("without rules: %d %s", resp.StatusCode, body)
	}
	for query, said := range map[string]string{
		"tweet.fields=nope": "[nope] is not one of", "expansions=author": "[author]", "backfill_minutes=6": "not between 0 and 5", "track=go": "[track] is not one of",
	} {
		resp := g.do("GET", "/2/tweets/search/stream?"+query, "")
		if body := readAll(t, resp.Body); resp.StatusCode != 400 || !strings.Contains(body, said) || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", query, resp.StatusCode, body)
		}
	}
}

// A thousand rules, and not one more; tokens that nobody uses make room.
func TestCompatRuleCap(t *testing.T) {
	g := newTCPGate(t)
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `,{"value":"word%d"}`, i)
	}
	if a := g.rules("a", `{"add":[`+b.String()[1:]+`]}`); a.status != 201 || len(a.Data) != 1000 {
		t.Fatalf("%d: %d rules", a.status, len(a.Data))
	}
	a := g.rules("a", `{"add":[{"value":"one more"},{"value":"word7"}]}`)
	if a.Data != nil || len(a.Errors) != 2 || a.Errors[0].Title != "RulesCapExceeded" || a.Errors[1].Title != "DuplicateRule" {
		t.Errorf("%+v", a)
	}
	long := strings.Repeat("x", 1025)
	if a := g.rules("long", `{"add":[{"value":"go","tag":"`+long+`"},{"value":"rust","tag":"`+long[1:]+`"}]}`); len(a.Data) != 1 || len(a.Errors) != 1 || !strings.Contains(strings.Join(a.Errors[0].Details, ""), "Tag length exceeds 1024") {
		t.Errorf("%+v", a)
	}
	first := g.follow("GET", "/2/tweets/search/stream", "", "Authorization: Bearer a") // in use: it stays
	defer first.body.Close()
	for i := range 1001 {
		if a := g.rules("t"+strconv.Itoa(i), `{"add":[{"value":"go"}]}`); len(a.Data) != 1 {
			t.Fatalf("token %d: %+v", i, a)
		}
	}
	for token, want := range map[string]int{"a": 1000, "t0": 0, "t1": 0, "t2": 1, "t1000": 1} {
		if a := g.rules(token, ""); *a.Meta.Count != want {
			t.Errorf("token %s has %d rules, want %d", token, *a.Meta.Count, want)
		}
	}
}

// Drop-in streams count as all others do: what they are sent, in which coding, how
// soon, and what they miss. A replay is not late.
func TestCompatMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		g.rules("", `{"add":[{"value":"go"}]}`)
		g.status(1, "go")
		time.Sleep(time.Minute)
		v2 := g.follow("GET", "/2/tweets/search/stream?backfill_minutes=5", "", "Accept-Encoding: gzip")
		v1 := g.follow("GET", "/1.1/statuses/sample.json", "")
		matched(t, v2.line())
		g.status(2, "go")
		if id, _ := matched(t, v2.line()); id != "2" {
			t.Errorf("%s", id)
		}
		v1.texts(1)
		now := time.Now()
		g.hub.Publish(&fanout.Event{Kind: fanout.KindGap, Loss: &fanout.Loss{Reason: "upstream", Missed: -1, From: now, To: now}})
		v1.want(`{"limit":{"track":1,…`)
		synctest.Wait()
		for name, want := range map[string]string{
			`aviary_deliveries_total`:              "3",
			`aviary_delivery_seconds_count`:        "2",
			`aviary_gaps_total{reason="upstream"}`: "1",
		} {
			if got := metric(t, g, name); got != want {
				t.Errorf("%s is %q, want %s", name, got, want)
			}
		}
		for _, coding := range []string{"gzip", "identity"} {
			if n := metric(t, g, `aviary_delivered_bytes_total{encoding="`+coding+`"}`); n == "0" || n == "" {
				t.Errorf("%q bytes in %s", n, coding)
			}
		}
	})
}
