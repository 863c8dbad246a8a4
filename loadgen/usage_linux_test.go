package loadgen

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A process is measured with its children.
func TestMeasure(t *testing.T) {
	shell := exec.Command("sh", "-c", "while :; do :; done & wait")
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = shell.Wait() }()
	defer func() { // the child first, while it can be found
		for _, pid := range Family(shell.Process.Pid) {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
		}
	}()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		u, err := Measure(shell.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if u.Processes == 2 && u.CPU() >= 20*time.Millisecond && u.RSS > 0 && u.Peak >= u.RSS {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("a busy child shows as %+v", u)
		}
	}
	if err := ResetPeak(shell.Process.Pid); err != nil {
		t.Error(err)
	}
	if _, err := Measure(1 << 30); err == nil || !strings.Contains(err.Error(), "is it running") {
		t.Errorf("no such process: %v", err)
	}
}
