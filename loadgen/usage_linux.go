package loadgen

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc/PID/stat, whatever the kernel's HZ.
const tick = 10 * time.Millisecond

// Measure reads from /proc what the process and its descendants have used.
// Descendants that have ended are not counted.
func Measure(pid int) (Usage, error) {
	var total Usage
	for _, p := range Family(pid) {
		u, err := measureOne(p)
		if err != nil && p == pid {
			return Usage{}, fmt.Errorf("process %d: %w; is it running, on this machine?", pid, err)
		}
		if err != nil {
			continue // it ended just now
		}
		total.User += u.User
		total.System += u.System
		total.RSS += u.RSS
		total.Peak += u.Peak
		total.Processes++
	}
	return total, nil
}

// ResetPeak makes Usage.Peak of the process and its descendants begin anew.
func ResetPeak(pid int) error {
	for _, p := range Family(pid) {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p), []byte("5"), 0); err != nil && p == pid {
			return err
		}
	}
	return nil
}

// Family returns the process and its descendants, as far as they run.
func Family(pid int) []int {
	children := map[int][]int{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		fields, err := stat(path)
		if err != nil {
			continue
		}
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// stat returns the fields of a stat file behind the name: state, parent, ….
func stat(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return nil, fmt.Errorf("%s is not understood", path)
	}
	return fields, nil
}

func measureOne(pid int) (Usage, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	fields, err := stat(dir + "/stat")
	if err != nil {
		return Usage{}, err
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	u := Usage{User: time.Duration(user) * tick, System: time.Duration(system) * tick}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return Usage{}, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			u.RSS = kib << 10
		case "VmHWM":
			u.Peak = kib << 10
		}
	}
	return u, nil
}
