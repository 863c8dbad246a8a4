package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// resumer is a client that keeps session tickets; it says whether its last
// handshake was a short one.
func resumer(t *testing.T, version uint16) (resumes func(g *running) bool) {
	config := &tls.Config{
		InsecureSkipVerify: true, ServerName: "gateway", MaxVersion: version,
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: config}}
	return func(g *running) bool {
		t.Helper()
		response, err := client.Get("https" + strings.TrimPrefix(g.url, "http") + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if _, err := response.Body.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if response.TLS.Version != version {
			t.Fatalf("TLS %#x", response.TLS.Version)
		}
		return response.TLS.DidResume
	}
}

// A client resumes its session after a restart and on another node with the same
// key, and nowhere else. TLS 1.2 resumes within one process only.
func TestTicketsSurviveARestart(t *testing.T) {
	cert, key := selfSigned(t)
	gateway := func(cert, key string) *running {
		return start(t, nil, "AVIARY_TLS_CERT_FILE="+cert, "AVIARY_TLS_KEY_FILE="+key)
	}
	first := gateway(cert, key)
	new13, old12 := resumer(t, tls.VersionTLS13), resumer(t, tls.VersionTLS12)
	for _, resumes := range []func(*running) bool{new13, old12} {
		if resumes(first) || !resumes(first) {
			t.Error("the second handshake should be the first short one")
		}
	}
	first.stop()
	second := gateway(cert, key)
	if !new13(second) {
		t.Error("TLS 1.3: a whole handshake after the restart")
	}
	if old12(second) {
		t.Error("TLS 1.2: the ticket outlived the process")
	}
	if new13(gateway(selfSigned(t))) {
		t.Error("a ticket is good under another private key")
	}
}

// Two nodes agree on the key of a day, take each other's of the days beside it,
// and not older ones.
func TestTicketKeysTurn(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a, b := newTickets(), newTickets()
	for _, node := range []*tickets{a, b} {
		if err := node.derive(key); err != nil {
			t.Fatal(err)
		}
	}
	const today = 20_000
	for days, agree := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		taken := [][32]byte{b.key(today), b.key(today - 1), b.key(today + 1)}
		if got := slices.Contains(taken, a.key(today+days)); got != agree {
			t.Errorf("a ticket %d days off is taken: %t", days, got)
		}
	}
	a.turn(time.Unix(today*86400+5, 0))
	if a.day != today {
		t.Errorf("day %d", a.day)
	}
	if err := a.derive("no key"); err == nil {
		t.Error("a key without bytes is taken")
	}
}
