package server

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// backfill_minutes sends what matched before, once, and goes on.
func TestCompatBackfill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		g.rules("", `{"add":[{"value":"go","tag":"G"}]}`)
		for i := range uint64(60) { // one in ten seconds: ten minutes
			g.status(i+1, []string{"go", "rust"}[i%2])
			time.Sleep(10 * time.Second)
		}
		l := g.follow("GET", "/2/tweets/search/stream?backfill_minutes=5", "")
		g.status(61, "go")
		var got []string
		for range 16 {
			id, _ := matched(t, l.line())
			got = append(got, id)
		}
		if got[0] != "31" && got[0] != "33" || got[15] != "61" && got[14] != "61" {
			t.Errorf("%v", got)
		}
		if !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(fmt.Sprintf("%3s", a), fmt.Sprintf("%3s", b)) }) {
			t.Errorf("%v", got)
		}
	})
}

// start_time and end_time send what was received between them, and the stream ends in
// order, in gzip too; times that cannot be are refused.
func TestCompatRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		g.rules("", `{"add":[{"value":"go","tag":"G"}]}`)
		began := time.Now().UTC()
		for i := range uint64(60) { // one a minute
			g.status(i+1, []string{"go", "rust"}[i%2])
			time.Sleep(time.Minute)
		}
		at := func(minutes int) string {
			return began.Add(time.Duration(minutes)*time.Minute + time.Second).Format(time.RFC3339)
		}
		for query, want := range map[string]string{
			"start_time=" + at(9) + "&end_time=" + at(14):                                     "11 13 15",
			"start_time=" + at(53):                                                            "55 57 59",
			"start_time=" + at(55) + "&end_time=" + at(600):                                   "57 59",
			"start_time=" + began.Add(-time.Hour).Format(time.RFC3339) + "&end_time=" + at(2): "1 3",
			"start_time=" + at(58) + "&end_time=" + at(59):                                    "",
			"start_time=" + url.QueryEscape(began.Add(9*time.Minute+time.Second).In(time.FixedZone("", 7200)).Format(time.RFC3339)) + "&end_time=" + at(11): "11",
		} {
			for _, coding := range []string{"Accept-Encoding: identity", "Accept-Encoding: gzip"} {
				l := g.follow("GET", "/2/tweets/search/stream?"+query, "", coding)
				var got []string
				line := l.line()
				for ; strings.HasPrefix(line, "{"); line = l.line() {
					id, _ := matched(t, line)
					got = append(got, id)
				}
				if strings.Join(got, " ") != want || line != "EOF" {
					t.Errorf("%s: %v, then %q; want %s", query, got, line, want)
				}
			}
		}
		for _, query := range []string{
			"start_time=yesterday", "end_time=" + at(3), "start_time=" + at(300), "start_time=" + at(9) + "&end_time=" + at(9),
			"start_time=" + at(9) + "&backfill_minutes=1", "start_time=" + began.Add(-24*time.Hour).Format(time.RFC3339),
		} {
			resp := g.do("GET", "/2/tweets/search/stream?"+query, "")
			var a ruleAnswer
			if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != 400 || len(a.Errors) != 1 || a.Errors[0].Message == "" {
				t.Errorf("%s: %d %+v %v", query, resp.StatusCode, a, err)
			}
		}
	})
}
