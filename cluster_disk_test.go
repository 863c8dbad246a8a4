//go:build chaos && linux

package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A full disk is a state with a hint, and it passes. To fill one, and until the store
// has found that out, takes long, so only `make chaos` does it; upstream/bus has the
// short test.
func TestDataDirIsFull(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=24m"); err != nil {
		t.Fatalf("a small disk cannot be made here (that takes root): %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	ballast := filepath.Join(disk, "ballast")
	f := newFleet(t, 2, "AVIARY_DATA_DIR="+filepath.Join(disk, "data"))
	node := f.add()
	f.streaming()
	client := node.listen("")
	stop := f.talk(20 * time.Millisecond)
	eventually(t, "posts", func() bool { return len(client.posts()) > 20 })
	fill(t, ballast)
	eventually(t, "its word about the disk", func() bool {
		s, ok := node.status()
		return ok && s.Cluster.Bus.State != "ok" && strings.Contains(s.Cluster.Bus.Error+s.Cluster.Bus.Hint, "disk") ||
			ok && s.Cluster.Bus.Error != "" && strings.Contains(s.Cluster.Bus.Error+s.Cluster.Bus.Hint, "disk")
	})
	if code, _ := fetch(t, http.DefaultClient, node.url+"/healthz"); code != http.StatusOK {
		t.Errorf("healthz is %d", code)
	}
	stop()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, "posts again", func() bool {
		p := f.fake.Post(goDraft)
		time.Sleep(50 * time.Millisecond)
		return slices.Contains(client.posts(), p.ID)
	})
}

// fill writes until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 4096)
	for n := 0; ; n++ {
		if _, err := file.Write(block); err != nil {
			if n == 0 {
				t.Fatal(fmt.Errorf("nothing fits: %w", err))
			}
			return
		}
	}
}
