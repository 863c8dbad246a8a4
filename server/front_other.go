//go:build !linux

package server

import "net"

// Front returns l: elsewhere net/http answers everything.
func (s *Server) Front(l net.Listener) net.Listener { return l }
