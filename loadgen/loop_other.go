//go:build !linux

package loadgen

import "net"

// loop does not exist here: every stream has its goroutine.
type loop struct{}

func (f *Fleet) watch(*Stream, *net.TCPConn) (bool, error) { return false, nil }

func (f *Fleet) unwatch() {}
