//go:build !linux

package deliver

import (
	"net"

	"aviary/fanout/wire"
)

// Elsewhere no shard owns sockets: every client has its goroutine.

const maxBlocks = 1000

func takeSocket(net.Conn) (fd int, ok bool) { return 0, false }

type vector struct{}

func (*vector) reset()                     {}
func (*vector) set([]wire.Block)           {}
func (*vector) write(int) (int, error)     { return 0, nil }
func writeSocket(int, []byte) (int, error) { return 0, nil }
func closeSocket(int)                      {}
func resetOnClose(int)                     {}
func hangUp(int) bool                      { return true }

type readiness struct {
	slot, turn int32
	gone       bool
}

type lazyPoller struct{}

func (*lazyPoller) start(*shard) bool                   { return false }
func (*lazyPoller) watch(int, int32, int32, bool) error { return nil }
func (*lazyPoller) watchRoom(int, int32, int32) error   { return nil }
func (*lazyPoller) forget(int)                          {}
func (*lazyPoller) close()                              {}
