package main

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// greet says where things are. With simulated data it says so first of all.
func (g *gateway) greet(s *settings) {
	scheme := "http"
	if s.tls() {
		scheme = "https"
	}
	base := scheme + "://" + displayAddress(s.Listen, g.public.Addr())
	if s.Source == "sim" {
		g.log.Info("this is simulated data: no post here comes from Twitter or X")
		g.log.Info("the page: " + base + "/")
		g.log.Info("try: curl -N '" + base + "/stream?track=" + simTrack + "'")
		g.log.Info("for real posts set AVIARY_SOURCE=x, AVIARY_TRACK=<words> and AVIARY_X_BEARER_TOKEN; for a server that speaks Twitter's v1.1 API AVIARY_SOURCE=twitter and its keys; `aviary env` lists all settings")
		if s.Demand == "on" && s.Track+s.Follow+s.Locations == "" {
			g.log.Info("AVIARY_DEMAND is on and AVIARY_TRACK is empty: every post streams while somebody asks for all of them, or nobody for any; else only what clients ask for. Set AVIARY_TRACK to what is to stream whatever they ask for")
		}
		for _, name := range slices.Sorted(maps.Keys(s.given)) {
			if strings.HasPrefix(name, "TWITTER_") || strings.HasPrefix(name, "X_") || name == "FILE" {
				g.log.Warn(prefix + name + " is set, but the source is sim and does not use it; set AVIARY_SOURCE too")
			}
		}
	}
	admin := off
	if g.admin != nil {
		admin = g.admin.Addr().String()
	}
	g.log.Info("serving", "version", version, "source", s.Source, "url", base+"/", "admin", admin, "max_clients", s.MaxClients, "role", s.Role, "history", s.historyKind())
	if g.wanted > s.MaxClients {
		g.log.Warn("MAX_CLIENTS is lowered to what the descriptor limit allows; raise that with `ulimit -n` or LimitNOFILE",
			"wanted", g.wanted, "max_clients", s.MaxClients)
	}
}

// displayAddress is the public listener's address as a person on this machine
// types it: the host of the setting, the port that was opened.
func displayAddress(setting string, opened net.Addr) string {
	host, _, _ := net.SplitHostPort(setting)
	_, port, _ := net.SplitHostPort(opened.String())
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
