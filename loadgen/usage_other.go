//go:build !linux

package loadgen

import "errors"

var errNoProc = errors.New("what a process uses is read from /proc, which only Linux has")

// Measure works on Linux only.
func Measure(int) (Usage, error) { return Usage{}, errNoProc }

// ResetPeak works on Linux only.
func ResetPeak(int) error { return errNoProc }

// Family knows of no descendants here.
func Family(pid int) []int { return []int{pid} }
