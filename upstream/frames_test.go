package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// split returns all that Next gives; oversized messages are "(oversize)", the
// final error comes last.
func split(r io.Reader, framing Framing) (got []string) {
	f := NewFrames(r, framing)
	for {
		m, err := f.Next()
		switch {
		case errors.Is(err, ErrOversize):
			got = append(got, "(oversize)")
		case err != nil && len(m) > 0:
			return append(got, "(rest) "+string(m), err.Error())
		case err != nil:
			return append(got, err.Error())
		default:
			got = append(got, string(m))
		}
	}
}

func TestFrames(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", MaxMessage) + `"}`
	fits := `{"a":"` + strings.Repeat("x", MaxMessage-8) + `"}`
	for _, c := range []struct {
		name, in string
		framing  Framing
		want     []string
	}{
		{"nothing", "", FramingStream, []string{"EOF"}},
		{"keep-alives", "\r\n\r\n{}\r\n\r\n", FramingStream, []string{"{}", "EOF"}},
		{"bare LF inside", "{\"a\":1}\r\n{\"b\":\n2}\r\n", FramingStream, []string{`{"a":1}`, "{\"b\":\n2}", "EOF"}},
		{"bare LF inside the first", "{\"b\":\n2}\r\n{}\r\n", FramingStream, []string{"{\"b\":\n2}", "{}", "EOF"}},
		{"bare LF inside a string of the first", "{\"b\":\"}\n{\"}\r\n{}\r\n", FramingStream, []string{"{\"b\":\"}\n{\"}", "{}", "EOF"}},
		{"CRLF, then LF", "\r\n{\"a\":1}\n{\"b\":2}\nx\n{}\r\n", FramingStream, []string{`{"a":1}`, `{"b":2}`, "x", "{}", "EOF"}},
		{"CRLF, then LF, but not inside", "{}\r\n{}\n{\"a\":\"\n}\n\"}\n{}\r\n", FramingStream, []string{"{}", "{}", "{\"a\":\"\n}\n\"}", "{}", "EOF"}},
		{"CRLF, then a broken line", "{}\r\n{\"a\":\"\n{}\n{}\r\n{}\r\n", FramingStream, []string{"{}", "{\"a\":\"\n{}\n{}", "{}", "EOF"}},
		{"only LF", "{\"a\":1}\n\n{\"b\":2}\n", FramingStream, []string{`{"a":1}`, `{"b":2}`, "EOF"}},
		{"only LF: a broken line harms itself alone", "{}\n{\"a\":\"\n{}\n", FramingStream, []string{"{}", `{"a":"`, "{}", "EOF"}},
		{"LF, then CRLF for good", "{}\n{\"a\":1}\r\n{\"b\":\n2}\r\n", FramingStream, []string{"{}", `{"a":1}`, "{\"b\":\n2}", "EOF"}},
		{"text line", "Exceeded connection limit for user\r\n", FramingStream, []string{"Exceeded connection limit for user", "EOF"}},
		{"text line, LF", "Exceeded\n{}\n", FramingStream, []string{"Exceeded", "{}", "EOF"}},
		{"lone CR", "{\"a\":\r1}\r\n", FramingStream, []string{"{\"a\":\r1}", "EOF"}},
		{"CR CR LF", "{}\r\r\n{}\r\n", FramingStream, []string{"{}", "{}", "EOF"}},
		{"cut", "{}\r\n{\"a\":", FramingStream, []string{"{}", `(rest) {"a":`, "EOF"}},
		{"no line end at the end", "{}\r\n{\"a\":1} ", FramingStream, []string{"{}", `(rest) {"a":1}`, "EOF"}},
		{"marks", "\uFEFF{\"a\":1}\r\n\uFEFF\r\n \uFEFF{\"b\":2}\r\n\uFEFF{}", FramingStream, []string{`{"a":1}`, `{"b":2}`, "(rest) {}", "EOF"}},
		{"mark, LF", "\uFEFF{\"a\":\n1}\n{}\n", FramingStream, []string{"{\"a\":\n1}", "{}", "EOF"}},
		{"only a mark", "\uFEFF", FramingStream, []string{"EOF"}},
		{"blank tail", "{}\r\n \r", FramingStream, []string{"{}", "EOF"}},
		{"longest", fits + "\r\n{}\r\n", FramingStream, []string{fits, "{}", "EOF"}},
		{"too long", "{}\r\n" + long + "\r\n{}\r\n", FramingStream, []string{"{}", "(oversize)", "{}", "EOF"}},
		{"too long by one", "\r\n" + fits + " \r\n{}\r\n", FramingStream, []string{"(oversize)", "{}", "EOF"}},
		{"too long, LF", "{}\n" + long + "\n{}\n", FramingStream, []string{"{}", "(oversize)", "{}", "EOF"}},
		{"too long, first, LF", long + "\n{}\n", FramingStream, []string{"(oversize)", "{}", "EOF"}},
		{"too long and cut", long[:len(long)-1], FramingStream, []string{"(oversize)", "unexpected EOF"}},
		{"too long after a CRLF, LF", "\r\n" + long + "\n{}\n", FramingStream, []string{"(oversize)", "{}", "EOF"}},
		{"too long after a CRLF, LF inside", "\r\n" + long[:len(long)-2] + "\n\"}\n{}\n", FramingStream, []string{"(oversize)", "{}", "EOF"}},
		{"too long twice", long + "\r\n" + long + "\r\n{}\r\n", FramingStream, []string{"(oversize)", "(oversize)", "{}", "EOF"}},
		{"file of LF", "{}\n{\"a\":1}\r\n{}", FramingFile, []string{"{}", `{"a":1}`, "{}", "EOF"}},
		{"file of CRLF", "{}\r\n{\"a\":\n1}\r\n{}", FramingFile, []string{"{}", "{\"a\":\n1}", "{}", "EOF"}},
		{"file of CRLF, then LF", "{}\r\n{\"a\":1}\n{\"a\":2}\n{\"b\":\n3}", FramingFile, []string{"{}", `{"a":1}`, `{"a":2}`, "{\"b\":\n3}", "EOF"}},
		{"file with marks", "\uFEFF{}\n\uFEFF{}", FramingFile, []string{"{}", "{}", "EOF"}},
		{"file too long", "{}\n" + long, FramingFile, []string{"{}", "(oversize)", "EOF"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, chunk := range []struct {
				name string
				r    io.Reader
			}{
				{"whole", strings.NewReader(c.in)},
				{"halves", iotest.HalfReader(strings.NewReader(c.in))},
				{"bytes", iotest.OneByteReader(strings.NewReader(c.in))},
				{"data with EOF", iotest.DataErrReader(strings.NewReader(c.in))},
			} {
				if got := split(chunk.r, c.framing); !slices.Equal(got, c.want) {
					t.Errorf("%s: got %s\nwant %s", chunk.name, brief(got), brief(c.want))
				}
			}
		})
	}
}

func brief(all []string) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "%.40q(%d) ", s, len(s))
	}
	return b.String()
}

// A reader's own error is the end, and what came before it is told apart from a message.
func TestFramesError(t *testing.T) {
	broken := errors.New("broken")
	in := io.MultiReader(strings.NewReader("{}\r\n{\"a\""), iotest.ErrReader(broken))
	if got := split(in, FramingStream); !slices.Equal(got, []string{"{}", `(rest) {"a"`, "broken"}) {
		t.Errorf("got %q", got)
	}
}

func TestPieces(t *testing.T) {
	for in, want := range map[string][]string{
		"{\"a\":\"\n\r\n\uFEFF{} \nb": {`{"a":"`, "{}", "b"},
		"one":                         nil,
		"\n":                          nil,
	} {
		var got []string
		for p := range Pieces([]byte(in)) {
			got = append(got, string(p))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// 5 MB in one message must not be held.
func TestFramesMemory(t *testing.T) {
	in := strings.NewReader("{}\r\n" + strings.Repeat("x", 5<<20) + "\r\n{}\r\n")
	f := NewFrames(in, FramingStream)
	for {
		if _, err := f.Next(); err != nil && !errors.Is(err, ErrOversize) {
			break
		}
	}
	if cap(f.buf) > 1<<20 {
		t.Errorf("the buffer grew to %d bytes", cap(f.buf))
	}
}

// chunks reads in pieces of random sizes.
type chunks struct {
	b   []byte
	rnd *rand.Rand
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.b[:min(len(c.b), 1+c.rnd.IntN(7))])
	c.b = c.b[n:]
	return n, nil
}

// FuzzFrames: however the bytes are cut into chunks, the messages are the same;
// none is blank, and none holds what ended it.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("{\"a\":1}\r\n\r\n{\"b\":\"é\"}\r\n"), uint64(1), false)
	f.Add([]byte("{\"a\":\"\\\"\n\"}\n{}\n\r\n{\n}\r\n"), uint64(2), false)
	f.Add([]byte("text\r\r\n{\"cut"), uint64(3), true)
	f.Fuzz(func(t *testing.T, in []byte, seed uint64, file bool) {
		framing := FramingStream
		if file {
			framing = FramingFile
		}
		whole := split(bytes.NewReader(in), framing)
		cut := split(&chunks{in, rand.New(rand.NewPCG(seed, 0))}, framing)
		if !slices.Equal(whole, cut) {
			t.Fatalf("whole %q\ncut   %q", whole, cut)
		}
		for _, m := range whole {
			if strings.Trim(m, " \t\r\n") == "" || strings.Contains(m, "\r\n") && framing == FramingStream {
				t.Fatalf("message %q", m)
			}
		}
	})
}

// BenchmarkFrames is the share of splitting in what a post costs.
func BenchmarkFrames(b *testing.B) {
	line := append(bytes.Repeat([]byte("x"), 3000), '\r', '\n')
	in := bytes.Repeat(line, 100)
	b.SetBytes(int64(len(line)))
	r := bytes.NewReader(in)
	f := NewFrames(r, FramingStream)
	for b.Loop() {
		if r.Len() == 0 {
			r.Reset(in)
		}
		if _, err := f.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
