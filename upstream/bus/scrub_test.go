package bus

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// lies says in how many files under a directory a word lies.
func lies(t *testing.T, dir, word string) (files int) {
	t.Helper()
	must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(word)) {
			files++
		}
		return err
	}))
	return files
}

// A process that is killed between a post's deletion and its overwriting leaves the
// words in the store. The next start overwrites them, and nothing else changes.
func TestKilledBeforeOverwriting(t *testing.T) {
	t.Parallel()
	for name, doomed := range map[string]struct {
		posts string // that are left
		gone  []int
	}{
		"in the middle": {"1 3 5", []int{2, 4}},
		"the first":     {"2 3 4 5", []int{1}},
		"the last":      {"1 2 3 4", []int{5}},
		"all":           {"", []int{1, 2, 3, 4, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			b := openBus(t, Config{DataDir: dir})
			n := follow(t, b)
			publish(t, b, 5, posts(t, 1, 5)...)
			n.expect(t, "1 2 3 4 5")
			n.stop()
			js, err := b.jetStream()
			must(err)
			stream, err := js.Stream(t.Context(), b.config.Name)
			must(err)
			var seqs []uint64
			for i, id := range doomed.gone {
				seq := n.events[id-1].ID.Seq
				seqs = append(seqs, seq)
				if i == 0 { // the others were not even marked
					must(stream.DeleteMsg(t.Context(), seq))
				}
			}
			must(b.embedded.erasing(seqs))
			end := b.last.Load()
			b.Close()
			if files := lies(t, dir, "word"+strconv.Itoa(doomed.gone[0])); files == 0 {
				t.Fatal("the words were not left: this test shows nothing")
			}

			b = openBus(t, Config{DataDir: dir})
			n = follow(t, b)
			n.filled(t)
			n.expect(t, doomed.posts)
			for id := range 5 {
				word := "word" + string(rune('1'+id))
				left := strings.Contains(doomed.posts, word[4:])
				if files := lies(t, dir, word); left != (files > 0) {
					t.Errorf("%s lies in %d files", word, files)
				}
			}
			js, err = b.jetStream()
			must(err)
			stream, err = js.Stream(t.Context(), b.config.Name)
			must(err)
			if last := stream.CachedInfo().State.LastSeq; last != end {
				t.Errorf("the stream ends at %d, and did at %d", last, end)
			}
			if len(n.epochs) != 1 || n.epochs[0] == 0 {
				t.Errorf("epochs %d", n.epochs)
			}
		})
	}
}
