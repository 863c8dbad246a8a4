package bus

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// When the machine went down under a process, the end of the store may be missing, and
// its sequences would be given out again: another epoch begins. When the process alone
// was killed, or ended in order before, cursors hold.
func TestMachineWentDown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	note := filepath.Join(dir, "running")
	b := openBus(t, Config{DataDir: dir})
	publish(t, b, 1, posts(t, 1, 10)...)
	epoch := b.Epoch()
	if wrote, err := os.ReadFile(note); err != nil || string(wrote) != bootOf()+"\n" {
		t.Errorf("noted while it runs: %q %v", wrote, err)
	}
	b.Close()
	if _, err := os.Stat(note); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the note of a process that ended in order is left: %v", err)
	}
	must(os.WriteFile(note, []byte(bootOf()+"\n"), 0o600)) // as a process leaves it that is killed
	b = openBus(t, Config{DataDir: dir})
	if b.Epoch() != epoch {
		t.Error("the end of a process made a new epoch")
	}
	b.Close()

	must(os.WriteFile(note, []byte("another life\n"), 0o600))
	early, err := Open(context.Background(), testConfig(Config{DataDir: dir})) // asked to stop before it has begun
	must(err)
	early.Close()
	select {
	case <-early.Ready():
		epoch = early.Epoch() // it was quick
		must(os.WriteFile(note, []byte("another life\n"), 0o600))
	default:
	}
	b = openBus(t, Config{DataDir: dir})
	if b.Epoch() == epoch {
		t.Error("the end of the machine made no new epoch")
	}
	follow(t, b).expect(t, numbers(1, 10))
	epoch = b.Epoch()
	b.Close()
	if b = openBus(t, Config{DataDir: dir}); b.Epoch() != epoch {
		t.Error("it happens again at the next start")
	}
}
