package sim

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseFaults(t *testing.T) {
	f, err := ParseFaults(`
		# comments and blank lines are nothing

		after 30s status 503 body html for 20s   # as is this
		after 1m disconnect 4
		disconnect 99 "a reason"
		stall 95s
		after 10 posts drop
		after 1 connect truncate
		limit 120
		line "Exceeded connection limit for user"
		line ` + "`{\"a\":1}`" + `
		duplicate 10
		oversize 5MB
		garbage
		close-after-200 times 3
		rate-limit 429 reset 2m for 1h
		rate-limit
		chunk 7
		after 1m30s loop
	`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range f.lines {
		got = append(got, l.action)
	}
	want := strings.Fields("status disconnect disconnect stall drop truncate limit line line duplicate oversize garbage close-after-200 rate-limit rate-limit chunk loop")
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	first := f.lines[0]
	if first.wait != 30*time.Second || first.last != 20*time.Second || first.number != 503 || !strings.Contains(first.door.body, "<html>") {
		t.Errorf("got %+v", first)
	}
	if f.lines[1].text != "stall" || f.lines[2].text != "a reason" || f.lines[8].text != `{"a":1}` || f.lines[10].number != 5<<20 {
		t.Errorf("got %+v", f.lines)
	}
}

func TestParseFaultsErrors(t *testing.T) {
	for script, want := range map[string]string{
		"drop\ndisconect 7":        `faults: line 2: "disconect": no such fault, did you mean "disconnect"?`,
		"\n\nstal 95s":             `faults: line 3: "stal": no such fault, did you mean "stall"?`,
		"stall":                    `faults: line 1: need a duration such as 30s or 1m30s`,
		"stall 95":                 `faults: line 1: "95": need a duration such as 30s or 1m30s`,
		"stall -1s":                `faults: line 1: "-1s": need a duration such as 30s or 1m30s`,
		"after 30s":                `faults: line 1: need a fault after the time`,
		"after soon drop":          `faults: line 1: "soon": need a duration such as 30s or 1m30s`,
		"after 30 drop":            `faults: line 1: "drop": need a unit: "after 30s", "after 10 posts", "after 2 connects" or "after 3 searches"`,
		"after 0 posts drop":       `faults: line 1: "0": need a number from 1 to 1000000`,
		"drop now":                 `faults: line 1: "now": one word too many after drop`,
		"drop for 20s":             `faults: line 1: "for": one word too many after drop`,
		"disconnect":               `faults: line 1: need a number from 1 to 99`,
		"status 200":               `faults: line 1: "200": need a number from 400 to 599`,
		"status 503 body xml":      `faults: line 1: "xml": a body is html, text, json, code, empty or a type of problem`,
		"status 503 times 0":       `faults: line 1: "0": need a number from 1 to 1000000`,
		"line":                     `faults: line 1: need a text, in quotes when it has spaces`,
		"line hello you":           `faults: line 1: "you": one word too many after line`,
		`line "hello`:              `faults: line 1: "\"hello": the quoted text has no end`,
		"oversize 5GB":             `faults: line 1: "5GB": need a size such as 300KB or 5MB, at most 64MB`,
		"oversize 65MB":            `faults: line 1: "65MB": need a size such as 300KB or 5MB, at most 64MB`,
		"oversize 99999999999MB":   `faults: line 1: "99999999999MB": need a size such as 300KB or 5MB, at most 64MB`,
		"chunk 7 times 2":          `faults: line 1: "times": chunk lasts for a time or for good`,
		"drop\nloop":               `faults: line 2: "loop": this script would repeat itself without end: give a line an "after"`,
		"duplicate 1000":           `faults: line 1: "1000": need a number from 1 to 256`,
		"rate-limit 430":           `faults: line 1: "430": one word too many after rate-limit`,
		"status 503 retry-after x": `faults: line 1: "x": need a duration such as 30s or 1m30s`,
	} {
		f, err := ParseFaults(script)
		var at *FaultError
		if !errors.As(err, &at) || err.Error() != want || f.lines != nil {
			t.Errorf("%q:\n got %v\nwant %s", script, err, want)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	f.Add("after 30s status 503 body html for 20s\nafter 10 posts drop\nloop")
	f.Add("line \"a\\n\"\n# x\ndisconnect 7 `why`")
	f.Add("oversize 5MB\nchunk 7 for 1s\nrate-limit 429 reset 2m times 3")
	f.Fuzz(func(t *testing.T, script string) {
		parsed, err := ParseFaults(script)
		if err != nil {
			var at *FaultError
			if !errors.As(err, &at) || at.Line < 1 || at.Line > strings.Count(script, "\n")+1 || at.Msg == "" {
				t.Fatalf("%q: %#v", script, err)
			}
			return
		}
		for _, l := range parsed.lines { // whatever is taken can be performed
			if _, ok := actions[l.action]; !ok || l.number < 0 || l.number > maxOversize || l.last < 0 || l.wait < 0 {
				t.Fatalf("%q: %+v", script, l)
			}
		}
		again, err := ParseFaults("# a comment before\n" + script)
		if err != nil || len(again.lines) != len(parsed.lines) {
			t.Fatalf("%q: a comment changes it: %v", script, err)
		}
	})
}
