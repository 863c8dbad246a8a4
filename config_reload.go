package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
)

// reread returns a copy of the settings with the secrets that came from files
// read again. With any error the old ones are to be kept, all of them: a new
// key with an old secret signs nothing.
func (s *settings) reread() (*settings, error) {
	fresh := *s
	var failed []error
	for name, path := range s.secretFiles {
		value, err := readSecret(path)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s%s_FILE: %w", prefix, name, err))
			continue
		}
		fieldNamed(name).value(&fresh).SetString(value)
	}
	var found problems
	fresh.checkSecrets(&found)
	for _, p := range found {
		failed = append(failed, errors.New(p.String()))
	}
	return &fresh, errors.Join(failed...)
}

// certificate is the public listener's TLS certificate; it can be replaced
// while connections are made.
type certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
	tickets           *tickets // their keys follow from the private key
}

func loadCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, tickets: newTickets()}
	return c, c.reload()
}

// reload reads both files; on an error the current certificate stays.
func (c *certificate) reload() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	if err := c.tickets.derive(pair.PrivateKey); err != nil {
		return err
	}
	c.current.Store(&pair)
	return nil
}

// get is tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

// config is what a TLS listener with this certificate needs.
func (c *certificate) config() *tls.Config {
	return c.tickets.in(&tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get})
}
