//go:build !linux

package server

import "time"

// tune sets the socket options that only Linux has.
func tune(any, time.Duration) bool { return false }
