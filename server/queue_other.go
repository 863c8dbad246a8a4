//go:build !linux

package server

import "net"

// lastCall does nothing: elsewhere a connection that was not accepted when its
// listener is closed is reset.
func lastCall(net.Listener) (waiting func() bool) { return func() bool { return false } }
