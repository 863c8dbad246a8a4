//go:build !linux

package server

import (
	"net"
	"time"
)

// tune sets the socket options that only Linux has.
func tune(net.Conn, time.Duration) {}
