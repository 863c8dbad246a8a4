package loadgen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httputil"
	"strings"
	"testing"
)

// events feeds the pieces and writes down what comes.
func events(t *testing.T, pieces ...[]byte) (all []string) {
	t.Helper()
	var p parser
	for _, piece := range pieces {
		if err := p.feed(piece, func(e *Event) { all = append(all, fmt.Sprintf("%s|%s|%s", e.Name, e.ID, e.Data)) }); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestParser(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{"data: x\n\n", "||x"},
		{"data:x\n\n", "||x"},
		{"data:  x\r\nid: 7\r\n\r\n", "|7| x"},
		{"retry: 10\n\n:\nid: a-1\n\nid: a-2\ndata: {}\n\n", "|a-2|{}"},
		{"event: hello\nid: k-1\ndata: {\"a\":1}\n\nid: k-2\ndata: b\n\n", `hello|k-1|{"a":1} |k-2|b`},
		{"data: one\ndata: two\n\n", "||one"},
		{"data\n\ndat: x\n\n[opened]\nid: 1\ndata: y\n\n", "|1|y"},
		{"data: \n\n", "||"},
		{"data: cut", ""},
	} {
		if got := strings.Join(events(t, []byte(test.body)), " "); got != test.want {
			t.Errorf("%q is read as %q, not %q", test.body, got, test.want)
		}
	}
}

// However a body is cut, the same events come of it.
func FuzzParser(f *testing.F) {
	f.Add([]byte("retry: 1\n\nevent: hello\nid: k3f9a1-1\ndata: {\"hello\":{}}\n\n:\nid: k3f9a1-2\n\nid: k3f9a1-3\ndata: {}\n\n"), uint64(1))
	f.Add([]byte("data: a\r\n\r\ndata: b\r\rid\n\n\n"), uint64(2))
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		whole := events(t, bytes.Clone(body))
		random := rand.New(rand.NewPCG(seed, 0))
		var pieces [][]byte
		for rest := body; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			pieces, rest = append(pieces, bytes.Clone(rest[:n])), rest[n:]
		}
		if got := events(t, pieces...); strings.Join(got, "\n") != strings.Join(whole, "\n") {
			t.Errorf("%q in %d pieces is %q, whole %q", body, len(pieces), got, whole)
		}
	})
}

func TestEventWithoutEnd(t *testing.T) {
	var p parser
	piece := bytes.Repeat([]byte("x"), 1<<20)
	var err error
	for range 6 {
		err = errors.Join(err, p.feed(piece, func(*Event) { t.Error("an event") }))
	}
	if !errors.Is(err, errLong) {
		t.Errorf("6 MiB without a line end: %v", err)
	}
}

// Chunks come off however they and the reads are cut.
func TestChunks(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var wire bytes.Buffer
	body := strings.Repeat("0123456789\r\nabcdef", 400)
	w := httputil.NewChunkedWriter(&wire)
	for rest := body; rest != ""; {
		n := 1 + random.IntN(min(len(rest), 700))
		_, _ = io.WriteString(w, rest[:n])
		rest = rest[n:]
	}
	_ = w.Close()
	for range 50 {
		var c chunks
		var got []byte
		var err error
		for rest := bytes.Clone(wire.Bytes()); len(rest) > 0 && err == nil; {
			n := 1 + random.IntN(min(len(rest), 900))
			var payload []byte
			payload, err = c.strip(rest[:n])
			got, rest = append(got, payload...), rest[n:]
		}
		if string(got) != body || !errors.Is(err, errEnd) {
			t.Fatalf("%d bytes of %d come out, %v", len(got), len(body), err)
		}
	}
	for _, wrong := range []string{"x\r\n", "-1\r\n", "ffffffffff\r\n", strings.Repeat("0", 100)} {
		var c chunks
		if _, err := c.strip([]byte(wrong)); err == nil {
			t.Errorf("%q is taken for a chunk", wrong)
		}
	}
}

// BenchmarkParser shows what one delivery of 2.5 KB costs the reader beyond the
// read itself.
func BenchmarkParser(b *testing.B) {
	frame := fmt.Appendf(nil, "id: k3f9a1-4711\ndata: %s\n\n", strings.Repeat("x", 2500))
	var p parser
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := p.feed(frame, func(*Event) { n++ }); err != nil {
			b.Fatal(err)
		}
	}
	if n == 0 {
		b.Fatal("no event came")
	}
}
