package fanout_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"aviary/fanout"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1}`:                              `{"a":1}`,
		"{\r\n  \"a\" : 1,\n\"b\": 2 }\r\n":    `{"a" : 1,"b": 2 }`,
		"{\t\"a\":\t1}":                        "{\t\"a\":\t1}",
		"{\"a\":\"x\ty\x00\x7f\"}":             `{"a":"x\u0009y\u0000\u007f"}`,
		"{\"a\":\"\u0080\u009f\u00a0\"}":       "{\"a\":\"\\u0080\\u009f\u00a0\"}",
		"{\"a\":\"\u2027\u2028\u2029\u202a\"}": "{\"a\":\"\u2027\\u2028\\u2029\u202a\"}",
		`{"a":"\"\\","b":"\n"}`:                `{"a":"\"\\","b":"\n"}`,
		"{\"a\":\"\\\\\n\"}":                   `{"a":"\\\u000a"}`,
		"{\"a\":\"\xff\xe2\x80\"}":             "{\"a\":\"\ufffd\ufffd\ufffd\"}",
		"{\"a\":\"日本語…“\"}":                    "{\"a\":\"日本語…“\"}",
		"":                                     "",
	} {
		if got := string(fanout.Normalize(nil, []byte(in))); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// TestNewEventAllocations: the event and the one buffer, nothing else.
func TestNewEventAllocations(t *testing.T) {
	for name, raw := range map[string]string{"clean": `{"a":"` + strings.Repeat("x", 3000) + `"}`, "odd": "{\n\"a\":\"\u2028\x01\xff…\"\r\n}"} {
		if n := testing.AllocsPerRun(100, func() { fanout.NewEvent(dialect, []byte(raw)) }); n > 3 { // with the test's own []byte
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestParseCursor(t *testing.T) {
	for _, s := range []string{"a00000-0", "k3f9a1-4711", "zzzzzz-18446744073709551615"} {
		for _, mark := range []string{"", ".end"} {
			c, end, err := fanout.ParseCursor(s + mark)
			if err != nil || c.String() != s || end != (mark != "") || c.End() != s+".end" {
				t.Errorf("%s%s: %v %v %v", s, mark, c, end, err)
			}
		}
	}
	for _, s := range []string{"", "-", "k3f9a1", "k3f9a1-", "k3f9a1-01", "k3f9a1-+1", "k3f9a1--1", "K3F9A1-1", "03f9a1-1", "k3f9a-1", "k3f9a11-1",
		"k3f9a1-18446744073709551616", " k3f9a1-1", "k3f9a1-1 ", "k3f9a1-1.END", "k3f9a1-1.end.end", "k3f9a1-1\n", "k3f9a1-1e3", "123", "k3f9é-1"} {
		if c, _, err := fanout.ParseCursor(s); !errors.Is(err, fanout.ErrCursor) {
			t.Errorf("%q is %v", s, c)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, s := range []string{"k3f9a1-4711", "k3f9a1-4711.end", "a00000-0", "zzzzzz-18446744073709551616", "k3f9a1-007", "12345678"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, end, err := fanout.ParseCursor(s)
		if err != nil {
			return
		}
		back := c.String()
		if end {
			back = c.End()
		}
		if back != s {
			t.Errorf("%q reads as %q", s, back)
		}
	})
}

func FuzzNewEvent(f *testing.F) {
	for _, s := range []string{`{"a":"b"}`, "{\n \"a\" : \"\u2028\u0085\x7f\" }\r\n", "{\"a\":\"\\\"\\\\\\u0000\"}", "{\"a\":\"\xff\xc2\"}", "\"", "\\", "{\"a\":\"\\", "\x00\n\r\t ", "{\"a\":\"\xe2\x80\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept := bytes.Clone(raw)
		e := fanout.NewEvent(dialect, raw)
		got := e.JSON
		if !bytes.Equal(raw, kept) {
			t.Fatal("the input was changed")
		}
		checkSafe(t, got)
		if again := fanout.Normalize(nil, got); !bytes.Equal(again, got) {
			t.Errorf("%q becomes %q", got, again)
		}
		if string(e.Frame()) != "data: "+string(got)+"\n\n" || string(e.Line()) != string(got)+"\n" {
			t.Errorf("frame %q, line %q", e.Frame(), e.Line())
		}
		var before, after any
		if json.Unmarshal(raw, &before) != nil {
			return // no JSON: safe is enough
		}
		if err := json.Unmarshal(got, &after); err != nil || !reflect.DeepEqual(before, after) {
			t.Errorf("%q became %q: %v", raw, got, err)
		}
	})
}

// checkSafe: nothing that could end a line anywhere, or hide in a log.
func checkSafe(t *testing.T, got []byte) {
	if !utf8.Valid(got) {
		t.Errorf("%q is not UTF-8", got)
	}
	for _, r := range string(got) {
		if r < ' ' && r != '\t' || r >= 0x7f && r <= 0x9f || r == 0x2028 || r == 0x2029 {
			t.Errorf("%q holds %U", got, r)
		}
	}
}
