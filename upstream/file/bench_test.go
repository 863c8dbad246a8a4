package file_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/file"
	"aviary/upstream/twitter"
)

// BenchmarkMax is FILE_RATE=max: a capture of 3 KB posts with different ids from
// the disk, through the runner, into the history of a real hub. The figure is
// posts/s; the goal is 30,000.
func BenchmarkMax(b *testing.B) {
	for _, c := range []struct {
		name string
		zip  bool
	}{{"plain", false}, {"gzip", true}} {
		b.Run(c.name, func(b *testing.B) {
			const posts = 20000
			path := capture(b, posts, c.zip)
			done := 0
			for b.Loop() {
				hub := fanout.NewHub(fanout.Config{Events: 20000, Bytes: 256 << 20, Age: time.Hour})
				src, err := file.New(file.Config{Path: path, Pace: file.Max, Decode: twitter.Decode})
				if err != nil {
					b.Fatal(err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				r := &upstream.Runner{Source: src, Name: "file", Log: slog.New(slog.DiscardHandler)}
				r.Publish = func(e *fanout.Event) bool {
					ok := hub.Publish(e)
					if bytes.Contains(e.JSON, []byte("end of file")) {
						cancel()
					}
					return ok
				}
				_ = r.Run(ctx)
				if n := hub.Stats().Events; n < posts-10 {
					b.Fatalf("the history holds %d events", n)
				}
				hub.Close()
				done += posts
			}
			b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "posts/s")
		})
	}
}

// capture writes n posts with different ids.
func capture(b *testing.B, n int, zip bool) string {
	b.Helper()
	post, err := os.ReadFile("../twitter/testdata/post.json")
	if err != nil {
		b.Fatal(err)
	}
	var all bytes.Buffer
	for i := range n {
		id := []byte("1192021332537000000")
		for at, k := len(id)-1, i; k > 0; at, k = at-1, k/10 {
			id[at] = '0' + byte(k%10)
		}
		all.Write(bytes.ReplaceAll(post, []byte("1192021332537626111"), id))
	}
	content := all.Bytes()
	if zip {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(content)
		_ = z.Close()
		content = packed.Bytes()
	}
	path := filepath.Join(b.TempDir(), "capture")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}
