package x

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// A post counts once a day of UTC; a month begins at 0; a file outlives the process.
func TestSpend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // midnight of 2000-01-01
		path := filepath.Join(t.TempDir(), "spend.json")
		s, err := NewSpend(10, path)
		if err != nil {
			t.Fatal(err)
		}
		s.Read("1")
		s.Read("1")
		s.Read("2")
		time.Sleep(24 * time.Hour)
		s.Read("1")
		if left, limited := s.Left(); left != 7 || !limited {
			t.Errorf("%d left", left)
		}
		if err := s.Save(); err != nil {
			t.Fatal(err)
		}
		again, err := NewSpend(10, path)
		if err != nil || again.Used() != 3 {
			t.Errorf("%d after a restart, %v", again.Used(), err)
		}
		if err := again.room(7); err != nil {
			t.Error(err)
		}
		if err := again.room(8); err == nil {
			t.Error("a request for more than is left")
		}
		time.Sleep(30 * 24 * time.Hour)
		if n := again.Used(); n != 0 {
			t.Errorf("%d in the new month", n)
		}
		for i := range 10 {
			again.Read(strconv.Itoa(i))
		}
		if err := again.over(); err == nil {
			t.Error("not over")
		}
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewSpend(10, path); err == nil {
			t.Error("a broken file is taken")
		}
		if none, _ := NewSpend(0, ""); none.over() != nil || none.room(1000) != nil {
			t.Error("no budget is a limit")
		}
	})
}
