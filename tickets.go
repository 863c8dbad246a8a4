package main

import (
	"crypto"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"strconv"
	"sync"
	"time"
)

// ticketDay is how long a key for session tickets is in use. Its tickets are
// taken for another day, and a day early, since clocks differ.
const ticketDay = 24 * time.Hour

// tickets make and read TLS session tickets, with which a client that comes back
// saves itself and the gateway most of a handshake. The keys follow from the
// private key and the date, so that a ticket outlives a restart and is good on
// every node that has the same key. It is like this with TLS 1.3 alone, where a
// ticket cannot open what was recorded; with TLS 1.2, whose tickets can, the keys
// are random and die with the process.
type tickets struct {
	shared *tls.Config // its ticket keys are the derived ones
	own    *tls.Config // its ticket keys are random, changed by package tls

	mu     sync.Mutex
	secret []byte
	day    int64 // that shared has the keys of
}

func newTickets() *tickets { return &tickets{shared: &tls.Config{}, own: &tls.Config{}} }

// derive takes the keys from a private key from now on. A kind of key that has no
// bytes of its own is refused.
func (t *tickets) derive(key crypto.PrivateKey) error {
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secret, t.day = secret, 0
	return nil
}

// in makes a server with this configuration use the tickets.
func (t *tickets) in(c *tls.Config) *tls.Config {
	c.WrapSession = func(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		if state.Version < tls.VersionTLS13 {
			return t.own.EncryptTicket(state, session)
		}
		t.turn(time.Now())
		return t.shared.EncryptTicket(state, session)
	}
	c.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		t.turn(time.Now())
		session, err := t.shared.DecryptTicket(ticket, state)
		if session == nil && err == nil {
			return t.own.DecryptTicket(ticket, state)
		}
		return session, err
	}
	return c
}

// turn sees to it that the keys are those of the day: its own first, which
// encrypts.
func (t *tickets) turn(now time.Time) {
	day := now.Unix() / int64(ticketDay/time.Second)
	t.mu.Lock()
	defer t.mu.Unlock()
	if day == t.day {
		return
	}
	t.day = day
	t.shared.SetSessionTicketKeys([][32]byte{t.key(day), t.key(day - 1), t.key(day + 1)})
}

// key is the key of a day, counted from 1970.
func (t *tickets) key(day int64) (key [32]byte) {
	derived, err := hkdf.Key(sha256.New, t.secret, nil, "aviary session tickets "+strconv.FormatInt(day, 10), len(key))
	if err != nil {
		panic(err) // cannot be: 32 bytes are not too many
	}
	copy(key[:], derived)
	return key
}
