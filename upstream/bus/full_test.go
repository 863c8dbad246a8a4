package bus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childFull works under a limit of file sizes, which is what a full disk looks
// like to the store, and then lifts it.
func childFull() {
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	must(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	was := limit.Cur
	limit.Cur = 200 << 10
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	b, err := Open(context.Background(), testConfig(Config{DataDir: os.Getenv("BUS_DIR")}))
	must(err)
	<-b.Ready()
	p := b.Publisher(1, always)
	t := &testing.T{}
	id := 1
	for ; ; id++ {
		if err := p.Publish(decoded(t, rawPost(id, 1, "text", 300))); errors.Is(err, ErrFull) {
			break
		}
	}
	fmt.Println("taken", id-1)
	for !strings.Contains(b.Status().Hint, "full") {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println("error", b.Status().Error, "|", b.Status().Hint)
	limit.Cur = was
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	must(p.Flush(context.Background()))
	fmt.Println("flushed")
	time.Sleep(time.Minute)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// A disk that is full is a state with words; when there is room again, everything
// that waits is stored.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, lines := child(t, "full", "BUS_DIR="+dir)
	taken := within(t, lines, "taken ")
	said := within(t, lines, "error ")
	if !strings.Contains(said, "full") {
		t.Errorf("the state says %q", said)
	}
	within(t, lines, "flushed")
	_ = c.Process.Kill()
	_ = c.Wait()
	b := openBus(t, Config{DataDir: dir})
	if got := fmt.Sprint(b.Status().Messages); got != taken {
		t.Errorf("%s messages are stored of the %s that were taken", got, taken)
	}
}

// Files torn in any way: the bus opens, with what is left or empty, and works.
func TestTornFiles(t *testing.T) {
	t.Parallel()
	template := t.TempDir()
	b := openBus(t, Config{DataDir: template})
	publish(t, b, 1, posts(t, 1, 200)...)
	b.Close()
	var files []string
	_ = filepath.WalkDir(template, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "lock" {
			rel, _ := filepath.Rel(template, path)
			files = append(files, rel)
		}
		return nil
	})
	for _, file := range files {
		for name, tear := range map[string]func([]byte) []byte{
			"cut":     func(c []byte) []byte { return c[:len(c)*2/3] },
			"empty":   func([]byte) []byte { return nil },
			"garbage": func(c []byte) []byte { return []byte(strings.Repeat("\xff\x00garbage", len(c)/9+1)) },
		} {
			t.Run(file+" "+name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
					t.Fatal(err)
				}
				content, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, file), tear(content), 0o600); err != nil {
					t.Fatal(err)
				}
				b := openBus(t, Config{DataDir: dir})
				n := follow(t, b)
				n.filled(t)
				before := n.told()
				publish(t, b, 100, testPost(t, 1000))
				n.expect(t, strings.TrimSpace(before+" 1000"))
				t.Logf("%d events left, put aside: %q", strings.Count(before, " "), b.Status().Damaged)
			})
		}
	}
}
