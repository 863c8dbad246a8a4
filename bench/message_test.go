package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"testing"
	"time"
)

// A message is JSON of the asked size that says its number and time, and it
// compresses neither better nor worse than real posts: to about 0.4.
func TestRender(t *testing.T) {
	now := time.Unix(1700000000, 123456789)
	for _, size := range []int{payload, 3000, stalledPayload} {
		for seq := uint64(1); seq < 1_000_000; seq = seq*3 + 1 {
			m := render(seq, "topic00042", size, now)
			if !json.Valid(m.data) || len(m.data) < size || len(m.data) > size+4 || bytes.ContainsAny(m.data, "\r\n\t") {
				t.Fatalf("%d bytes, valid: %v: %s", len(m.data), json.Valid(m.data), m.data)
			}
			if got, sent, ok := read(m.data); !ok || got != seq || sent != now.UnixNano() {
				t.Fatalf("read as %d, %d, %v", got, sent, ok)
			}
		}
	}
	if _, _, ok := read([]byte(`{"hello":{}}`)); ok {
		t.Error("hello is read as a message")
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	m := render(7, everybody, payload, now)
	if _, err := w.Write(m.data); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	if ratio := float64(zipped.Len()) / float64(len(m.data)); ratio < 0.37 || ratio > 0.43 {
		t.Errorf("compresses to %.2f", ratio)
	}
}

// Streams pass a message when they have got it or a later one.
func TestPassed(t *testing.T) {
	c := &crowd{n: 2, moved: make(chan struct{}, 1)}
	c.whole, c.from = 9, 10
	c.pass(9, 10)
	if c.whole != 9 {
		t.Error("one stream is both")
	}
	c.pass(9, 12) // it lost 10 and 11
	c.pass(10, 11)
	if c.whole != 11 {
		t.Errorf("all have passed 11, not %d", c.whole)
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(test.of); got != test.want {
			t.Errorf("of %v: %v", test.of, got)
		}
	}
}
