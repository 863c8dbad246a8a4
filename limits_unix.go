//go:build linux || darwin

package main

import (
	"fmt"
	"math"
	"syscall"
)

// raiseDescriptorLimit raises the soft limit of open descriptors to the hard
// one and returns it.
func raiseDescriptorLimit() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("reading the descriptor limit: %w", err)
	}
	if limit.Cur < limit.Max {
		raised := limit
		raised.Cur = limit.Max
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil { // refused: the soft limit it is
			limit = raised
		}
	}
	return int(min(limit.Cur, math.MaxInt32)), nil
}
