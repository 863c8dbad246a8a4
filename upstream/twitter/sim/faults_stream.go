package sim

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// This file holds the faults that act on one stream.

// dropped ends a stream without the end of its body.
func dropped(st *stream) error {
	_ = st.flush()
	return http.ErrAbortHandler
}

// truncated writes half of a message and ends the HTTP body in order: with
// gzip the compressed data is cut in the middle.
func truncated(raw []byte) op {
	return func(st *stream) error {
		if err := st.flush(); err != nil {
			return err
		}
		if st.gz == nil {
			st.out.Write(raw)
		} else {
			_, _ = st.gz.Write(raw)
			_ = st.gz.Flush()
		}
		st.out.Truncate(st.out.Len() / 2)
		if err := st.flush(); err != nil {
			return err
		}
		return errEnd
	}
}

// stalled says nothing for a while, not even keep-alives.
func stalled(d time.Duration) op {
	return func(st *stream) error {
		if err := st.flush(); err != nil {
			return err
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case last := <-st.last:
			return last(st)
		case <-st.ctx.Done():
			return st.ctx.Err()
		}
	}
}

// limitNotice tells of n more posts over the rate: the notice holds the
// stream's total, not n.
func limitNotice(n int, now time.Time) op {
	return func(st *stream) error {
		st.limited += n
		return st.line(appendLimit(nil, st.limited, now))
	}
}

// oversized pads a post with a long unknown key until it has size bytes.
func oversized(raw []byte, size int) []byte {
	const head, tail = `,"padding":"`, `"}`
	n := max(0, size-len(raw)-len(head)-len(tail)+1)
	return slices.Concat(raw[:len(raw)-1], []byte(head), bytes.Repeat([]byte("x"), n), []byte(tail))
}

// garbage is what should never come and does: lines that aren't JSON, aren't
// objects, aren't UTF-8, are cut, are nested deep, hold NUL, or only look like a post.
func garbage() [][]byte {
	noise := make([]byte, 200)
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range noise {
		noise[i] = byte(32 + rng.Uint32()%224)
	}
	return [][]byte{
		[]byte(`<html><body>Bad Gateway</body></html>`),
		[]byte(`{"created_at":"Wed Nov 06 10:37:41 +0000 2019","id":119202`),
		[]byte("{\"id\":1,\"id_str\":\"1\",\"text\":\"\xff\xfe\xc3\",\"user\":{}}"),
		[]byte("{\"id\":2,\"text\":\"a\x00b\nc\"}"),
		[]byte(`[1,2,3]`), []byte(`null`), []byte(`"undefined"`), []byte(`{}`), []byte(`{"hello":{"cursor":"a-1"}}`),
		[]byte(`{"delete":{"status":{"id":"not a number"}}}`),
		[]byte(strings.Repeat(`[`, 20_000)),
		noise,
	}
}
