package server

import (
	"bufio"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// matched reads a message of a v2 stream.
func matched(t testing.TB, line string) (id string, rules []string) {
	t.Helper()
	var in struct {
		Data  struct{ ID string }
		Rules []struct{ ID, Tag string } `json:"matching_rules"`
	}
	if err := json.Unmarshal([]byte(line), &in); err != nil || in.Data.ID == "" {
		t.Fatalf("%v: %q", err, line)
	}
	for _, r := range in.Rules {
		rules = append(rules, r.Tag)
	}
	return in.Data.ID, rules
}

// Fields and expansions; keep-alives; rules that come and go while it is open;
// deletes are not told, and posts that are gone are not sent.
func TestCompatV2Stream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		added := g.rules("a", `{"add":[{"value":"go","tag":"G"},{"value":"rust","tag":"R"}]}`)
		plain := g.follow("GET", "/2/tweets/search/stream", "", "Authorization: Bearer a")
		full := g.follow("GET", "/2/tweets/search/stream?tweet.fields=lang,created_at&expansions=author_id&user.fields=verified", "", "Authorization: bearer a", "Accept-Encoding: gzip")
		g.status(1, "go rust")
		g.status(2, "neither")
		id := added.Data
		tail := `"matching_rules":[{"id":"` + id[0].ID + `","tag":"G"},{"id":"` + id[1].ID + `","tag":"R"}]}`
		plain.want(`{"data":{"id":"1","edit_history_tweet_ids":["1"],"text":"go rust"},` + tail)
		full.want(`{"data":{"id":"1","edit_history_tweet_ids":["1"],"text":"go rust","author_id":"7","created_at":"2026-01-02T03:04:05.000Z","lang":"en"},` +
			`"includes":{"users":[{"id":"7","name":"N","username":"n","verified":true}]},` + tail)
		began := time.Now()
		plain.want("")
		if took := time.Since(began); took < 19*time.Second || took > 20*time.Second {
			t.Errorf("the first keep-alive comes after %v", took)
		}
		full.want("")
		g.rules("a", `{"add":[{"value":"python","tag":"P"}]}`)
		g.rules("b", `{"add":[{"value":"cobol","tag":"C"}]}`)
		g.rules("a", `{"delete":{"values":["go"]}}`)
		g.status(3, "go")
		g.status(4, "cobol")
		g.status(5, "go and python")
		if id, rules := matched(t, plain.line()); id != "5" || !slices.Equal(rules, []string{"P"}) {
			t.Errorf("%s %v", id, rules)
		}
		g.delete(5)
		g.rules("a", `{}`, "delete_all=true")
		g.status(6, "python")
		synctest.Wait() // rules are those of the moment at which a post is sent
		g.rules("a", `{"add":[{"value":"python","tag":"Q"}]}`)
		g.status(7, "python")
		if id, rules := matched(t, plain.line()); id != "7" || !slices.Equal(rules, []string{"Q"}) {
			t.Errorf("%s %v", id, rules)
		}
		go func() { _ = g.server.Drain(t.Context()) }()
		plain.want(`{"errors":[{…`, "EOF")
		for range 3 { // 5, 7, the end
			full.line()
		}
		full.want("EOF")
	})
}

// Rules change all the time, and of those that do not nothing is lost or repeated.
func TestCompatRuleChangesLoseNothing(t *testing.T) {
	g := newTCPGate(t)
	g.rules("", `{"add":[{"value":"go","tag":"G"}]}`)
	l := g.follow("GET", "/2/tweets/search/stream", "")
	defer l.body.Close()
	const n = 300
	done := make(chan struct{})
	var changing sync.WaitGroup
	defer changing.Wait()
	changing.Go(func() {
		defer close(done)
		for i := range uint64(n) {
			g.status(i+1, "go")
			time.Sleep(time.Millisecond)
		}
	})
	changing.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
				g.rules("", `{"add":[{"value":"w`+strconv.Itoa(i)+`"}]}`)
				g.rules("", `{"delete":{"values":["w`+strconv.Itoa(i)+`"]}}`)
			}
		}
	})
	for i := range n {
		if id, _ := matched(t, l.line()); id != strconv.Itoa(i+1) {
			t.Fatalf("%s, want %d", id, i+1)
		}
	}
}

// A v2 client that reads too slowly is disconnected, as X does, and what is deleted
// while it is stuck is not sent.
func TestCompatV2Slow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		g.rules("", `{"add":[{"value":"go","tag":"G"}]}`)
		slow := g.do("GET", "/2/tweets/search/stream", "")
		for i := range uint64(10) {
			g.status(i+1, "go")
			synctest.Wait() // it is stuck in the write of the first
		}
		g.delete(7)
		synctest.Wait()
		l := &compatLines{t: t, body: soak(slow.Body)}
		l.in = bufio.NewReader(l.body)
		var got []string
		for range 9 {
			id, _ := matched(t, l.line())
			got = append(got, id)
		}
		if want := []string{"1", "2", "3", "4", "5", "6", "8", "9", "10"}; !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		stuck := g.do("GET", "/2/tweets/search/stream", "")
		g.status(100, "go")
		synctest.Wait()
		for i := range uint64(5000) {
			if g.status(200+i, "go"); i%100 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		l = &compatLines{t: t, body: soak(stuck.Body)}
		l.in = bufio.NewReader(l.body)
		last, n := "", 0
		for line := l.line(); line != "EOF"; line = l.line() {
			last = line
			n++
		}
		if n < 4000 || n > 4200 || !strings.Contains(last, "The client read too slowly") {
			t.Errorf("after %d lines: %q", n, last)
		}
	})
}
