package bus

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is a user who owns nothing.
const nobody = 65534

// as calls a function as another user, if this one is root: on a thread that ends with it.
func as(uid int, do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never let go
		if os.Getuid() == 0 {
			_ = unix.Setfsuid(uid)
		}
		do()
	}()
	<-done
}

// A DATA_DIR that cannot be used is told with what to do, and nothing is left behind.
func TestCheckDir(t *testing.T) {
	t.Parallel()
	root, err := os.MkdirTemp("", "bus")
	must(err)
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	must(os.Chmod(root, 0o755))
	at := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	for _, folder := range []string{"open", "volume/lost+found", "foreign", "part/store/jetstream", "closed"} {
		must(os.MkdirAll(at(folder), 0o755))
	}
	must(os.Chmod(at("volume/lost+found"), 0o000))
	for _, folder := range []string{"open", "volume", "part", "part/store"} {
		must(os.Chmod(at(folder), 0o777))
	}
	must(os.Chmod(at("part/store/jetstream"), 0o555))
	must(os.Chmod(at("foreign"), 0o555))
	must(os.Chmod(at("closed"), 0o000))
	must(os.WriteFile(at("file"), nil, 0o600))
	must(os.Symlink(at("nowhere"), at("link")))
	must(os.Symlink(at("open"), at("good")))
	t.Cleanup(func() { _ = os.Chmod(at("closed"), 0o700); _ = os.Chmod(at("volume/lost+found"), 0o700) })
	for name, c := range map[string]struct {
		path string
		want string // "": it can be used
	}{
		"a folder":                 {at("open"), ""},
		"a link to a folder":       {at("good"), ""},
		"a folder yet to be made":  {at("open", "new"), ""},
		"a volume":                 {at("volume"), ""},
		"a file":                   {at("file"), "is a file; name a folder"},
		"below a file":             {at("file", "x"), "let this user read and write it"},
		"a link to nothing":        {at("link"), "is a link to nothing; create"},
		"two folders yet to make":  {at("open", "new", "newer"), "create it, or mount the volume"},
		"of somebody else":         {at("foreign"), "foreign cannot be written (permission denied); give the folder"},
		"in one of somebody else":  {at("foreign", "new"), "cannot be made (permission denied); create it"},
		"a part of somebody else":  {at("part"), "part/store/jetstream cannot be written (permission denied)"},
		"behind what is forbidden": {at("closed", "x"), "let this user read and write it"},
	} {
		as(nobody, func() { err = CheckDir(c.path) })
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if c.want == "" {
			continue
		}
		as(nobody, func() {
			if b, err := Open(context.Background(), testConfig(Config{DataDir: c.path})); err == nil {
				b.Close()
				t.Errorf("%s: it was opened", name)
			}
		})
	}
	if left, _ := filepath.Glob(at("*", "lock")); len(left) != 0 {
		t.Errorf("it left %v behind", left)
	}
}
