package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/fanout/wire"

	"github.com/r3labs/sse/v2"
)

var update = flag.Bool("update", false, "write the golden files anew")

// dialect's compact form is as short as a test needs.
var dialect = &fanout.Dialect{
	Name: "test",
	Compact: func(dst, json []byte) ([]byte, error) {
		switch {
		case bytes.Contains(json, []byte("fails")):
			return nil, errors.New("no")
		case bytes.Contains(json, []byte("panics")):
			panic("at the dialect's")
		case bytes.Contains(json, []byte("garbage")):
			return append(dst, "{\"text\":\n"...), nil
		}
		return append(dst, "{\n\"text\":\"short\u2028\"}"...), nil
	},
}

// publish gives events their ids, from k3f9a1-4712 on.
func publish(t testing.TB, events ...*fanout.Event) []*fanout.Event {
	c, _, err := fanout.ParseCursor("k3f9a1-4712")
	if err != nil {
		t.Fatal(err)
	}
	hub := fanout.NewHub(fanout.Config{Epoch: c.Epoch})
	for i, e := range events {
		if e.Kind != fanout.KindGap && e.Kind != fanout.KindUpstream {
			e.ID.Seq = c.Seq + uint64(i)
		}
		if !hub.Publish(e) {
			t.Fatalf("%s was refused", e.JSON)
		}
	}
	return events
}

func post(id, json string) *fanout.Event {
	e := fanout.NewEvent(dialect, []byte(json))
	e.Post = &filter.Post{Key: filter.Key{Source: "test", ID: id}}
	return e
}

func notice(kind fanout.Kind, json string) *fanout.Event {
	e := fanout.NewEvent(dialect, []byte(json))
	e.Kind = kind
	return e
}

func fixtures(t testing.TB) []*fanout.Event {
	loss := notice(fanout.KindGap, "")
	loss.Loss = &fanout.Loss{Reason: "upstream", Missed: -1, From: time.UnixMilli(1700000000123), To: time.UnixMilli(1700000009000)}
	return publish(t,
		post("1", "{\"created_at\":\"Wed Nov 06 10:37:41 +0000 2019\",\"id\":1,\"id_str\":\"1\",\r\n \"text\":\"line\u2028separator\"}"),
		post("2", `{"id_str":"2","text":"the compact form fails"}`),
		post("3\"\n", `{"id_str":"3","text":"the compact form panics"}`),
		post("4", `{"id_str":"4","text":"garbage"}`),
		notice(fanout.KindDelete, `{"delete":{"status":{"id":1234,"id_str":"1234","user_id":3,"user_id_str":"3"}}}`),
		notice(fanout.KindScrubGeo, `{"scrub_geo":{"user_id":14,"up_to_status_id":23}}`),
		notice(fanout.KindStatusWithheld, `{"status_withheld":{"id":1,"user_id":2,"withheld_in_countries":["DE"]}}`),
		notice(fanout.KindUserWithheld, `{"user_withheld":{"id":3,"withheld_in_countries":["DE"]}}`),
		loss,
		notice(fanout.KindUpstream, `{"upstream":{"state":"streaming"}}`),
		notice(fanout.KindLimit, `{"limit":{"track":1234}}`),
		notice(fanout.KindWarning, `{"warning":{"code":"FALLING_BEHIND"}}`),
		notice(fanout.KindDisconnect, `{"disconnect":{"code":4}}`),
		notice(fanout.KindOther, `{"hello":{"cursor":"a00000-1"}}`),
	)
}

// TestGolden holds every form of every kind to the committed bytes.
func TestGolden(t *testing.T) {
	forms := map[string]func(*fanout.Event) []byte{
		"tombstone.sse": wire.Tombstone,
	}
	for name, p := range map[string]wire.Payload{"full": wire.Full, "compact": wire.Compact, "ids": wire.IDs} {
		forms[name+".sse"] = func(e *fanout.Event) []byte { return wire.SSE(e, p) }
		forms[name+".ndjson"] = func(e *fanout.Event) []byte { return wire.NDJSON(e, p) }
	}
	events := fixtures(t)
	for name, form := range forms {
		var got []byte
		for _, e := range events {
			got = append(got, form(e)...)
		}
		golden(t, name, got)
	}
	own := wire.AppendRetry(nil, 3381*time.Millisecond)
	own = wire.AppendComment(own, "welcome\r\ndata: forged")
	c := events[0].ID
	own = wire.AppendSSE(own, "hello", c.String(), []byte(`{"hello":{}}`))
	own = wire.AppendGap(own, fanout.Gap{Reason: "slow", Missed: 120, From: time.UnixMilli(1700000000000), To: time.UnixMilli(1700000001500), Cursor: c})
	own = wire.AppendSSE(own, "bye", c.End(), []byte(`{"bye":{"reason":"limit"}}`))
	golden(t, "own.sse", own)
	lines := wire.AppendGapLine(nil, fanout.Gap{Reason: "history", Missed: -1, Cursor: c})
	golden(t, "own.ndjson", lines)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// TestShared: every form is built once, and the plain ones not at all.
func TestShared(t *testing.T) {
	e := fixtures(t)[0]
	for _, p := range []wire.Payload{wire.Full, wire.Compact, wire.IDs} {
		a, b, line := wire.SSE(e, p), wire.SSE(e, p), wire.NDJSON(e, p)
		if &a[0] != &b[0] {
			t.Errorf("payload %d: two copies", p)
		}
		if &line[0] != &a[len(a)-1-len(line)] {
			t.Errorf("payload %d: the line is a copy", p)
		}
		if n := testing.AllocsPerRun(100, func() { wire.SSE(e, p); wire.NDJSON(e, p) }); n != 0 {
			t.Errorf("payload %d: %v allocations", p, n)
		}
	}
	if a := wire.SSE(e, wire.Full); &a[len(a)-2-len(e.JSON)] != &e.JSON[0] {
		t.Error("the plain frame is not around the event's own JSON")
	}
}

// TestForgery: nothing in a name, id or data makes a field of its own.
func TestForgery(t *testing.T) {
	bad := "x\r\nid: 9\n\ndata: forged\x00"
	got := read(string(wire.AppendSSE(nil, bad, bad, []byte("{\"a\":\r\n1,\"b\":\r2}"))))
	if len(got.messages) != 1 || got.messages[0].data != "{\"a\":\n1,\"b\":\n2}" || strings.ContainsAny(got.messages[0].lastID, "\r\n\x00") || got.lastID != "xid: 9data: forged" {
		t.Errorf("%+v", got)
	}
}

// TestParser holds the test's own parser to the standard's examples.
func TestParser(t *testing.T) {
	for stream, want := range map[string][]message{
		"data: YHOO\ndata: +2\ndata: 10\n\n": {{"message", "YHOO\n+2\n10", ""}},
		": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n": {{"message", "first event", "1"}, {"message", "second event", ""}, {"message", " third event", ""}},
		"data\n\ndata\ndata\n\ndata:":        {{"message", "", ""}, {"message", "\n", ""}},
		"data:test\n\ndata: test\n\n":        {{"message", "test", ""}, {"message", "test", ""}},
		"id: a\x00b\ndata: x\n\n":            {{"message", "x", ""}},
		"event: foo\n\ndata: y\n\n":          {{"message", "y", ""}},
		"data: a\rdata: b\r\r":               {{"message", "a\nb", ""}},
		"\uFEFFdata: x\n\n":                  {{"message", "x", ""}},
		"DATA: x\n\n":                        nil,
		"id: 7\n\nevent: e\ndata: z\r\n\r\n": {{"e", "z", "7"}},
	} {
		if got := read(stream).messages; !slices.Equal(got, want) {
			t.Errorf("%q reads as %q, want %q", stream, got, want)
		}
	}
}

// FuzzWire writes any event of any kind in every form and reads it back with two
// readers.
func FuzzWire(f *testing.F) {
	f.Add([]byte(`{"id_str":"1","text":"plain"}`), "1", uint8(0))
	f.Add([]byte("{\"text\":\"\u2028\u0085\\n\"\r\n}"), "1\n", uint8(0))
	f.Add([]byte(`{"delete":{}}`), "", uint8(1))
	f.Add([]byte("not json\nid: 1\n\ndata: forged"), "\x00\"", uint8(10))
	f.Add([]byte("{\"a\":\"\xff\xfe\"}"), "\xff", uint8(255))
	f.Fuzz(func(t *testing.T, raw []byte, id string, kind uint8) {
		e := post(id, string(raw))
		e.Kind = fanout.Kind(kind)
		publish(t, e)
		for _, p := range []wire.Payload{wire.Full, wire.Compact, wire.IDs} {
			checkFrame(t, wire.SSE(e, p), wire.NDJSON(e, p), e, e.ID.String())
		}
		checkFrame(t, wire.Tombstone(e), e.Line(), e, "")
		checkFrame(t, wire.AppendSSE(nil, e.Kind.String(), id, e.JSON), e.Line(), e, strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(id))
		var before, after any
		if json.Unmarshal(raw, &before) == nil && (json.Unmarshal(e.JSON, &after) != nil || !reflect.DeepEqual(before, after)) {
			t.Errorf("%q became %q", raw, e.JSON)
		}
	})
}

func checkFrame(t *testing.T, frame, line []byte, e *fanout.Event, id string) {
	t.Helper()
	name := e.Kind.String()
	if name == "" {
		name = "message"
	}
	data := strings.TrimSuffix(string(line), "\n")
	if strings.ContainsAny(data, "\r\n") || len(data) == len(line) {
		t.Fatalf("%q is not one line", line)
	}
	want := []message{{name, data, id}}
	if got := read("id: before\n\n" + string(frame)).messages; id != "" && !slices.Equal(got, want) {
		t.Errorf("%q reads as %q, want %q", frame, got, want)
	}
	if got := read(string(frame)); !slices.Equal(got.messages, want) {
		t.Errorf("%q reads as %q, want %q", frame, got.messages, want)
	}
	checkByPeer(t, frame, e.Kind.String(), data, id)
}

// checkByPeer reads the frame with another project's reader, which hands out raw
// blocks of lines; its field rules are applied here.
func checkByPeer(t *testing.T, frame []byte, name, data, id string) {
	t.Helper()
	r := sse.NewEventStreamReader(bytes.NewReader(frame), 1<<20)
	block, err := r.ReadEvent()
	if err != nil {
		t.Fatalf("%q: %v", frame, err)
	}
	var want []string
	if name != "" {
		want = append(want, "event: "+name)
	}
	if id != "" {
		want = append(want, "id: "+id)
	}
	want = append(want, "data: "+data)
	if got := strings.Split(string(block), "\n"); !slices.Equal(got, want) {
		t.Errorf("%q: r3labs reads %q, want %q", frame, got, want)
	}
	if rest, err := r.ReadEvent(); err != io.EOF {
		t.Errorf("%q: r3labs reads one more: %q, %v", frame, rest, err)
	}
}

func ExampleAppendSSE() {
	frame := wire.AppendSSE(nil, "bye", "k3f9a1-4713.end", []byte(`{"bye":{"reason":"limit"}}`))
	fmt.Printf("%s", frame)
	// Output:
	// event: bye
	// id: k3f9a1-4713.end
	// data: {"bye":{"reason":"limit"}}
}

// BenchmarkSSE shows that the plain form is free and the others are paid once.
func BenchmarkSSE(b *testing.B) {
	e := fixtures(b)[0]
	for name, p := range map[string]wire.Payload{"full": wire.Full, "compact": wire.Compact} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				wire.SSE(e, p)
			}
		})
	}
}
