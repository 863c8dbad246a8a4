package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// healthcheckTimeout is the longest wait for the gateway's answer.
const healthcheckTimeout = 5 * time.Second

// healthcheck is `aviary healthcheck`: it asks the gateway that runs with the
// same environment whether it lives. It is there for images without a shell.
func healthcheck(ctx context.Context, p *program) int {
	if len(p.args) > 0 {
		return misused(p, "healthcheck", "takes no arguments; it reads "+prefix+"LISTEN")
	}
	s, found := load(p.environ)
	if found.about("LISTEN") {
		found.write(p.err)
		return exitSettings
	}
	if err := askHealth(ctx, p, s); err != nil {
		fmt.Fprintf(p.err, "aviary healthcheck: %v\n", err)
		return exitFailed
	}
	fmt.Fprintln(p.out, "ok")
	return exitOK
}

func askHealth(ctx context.Context, p *program, s *settings) error {
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	scheme := "http"
	if s.tls() {
		scheme = "https"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+localAddress(s.Listen)+"/healthz", nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{
		DialContext:       p.dial,
		DisableKeepAlives: true,
		// The certificate is for the public name and we ask this machine: it
		// cannot match, and nothing secret is sent.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("the gateway does not answer: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the gateway answers %s", response.Status)
	}
	return nil
}

// localAddress is how this machine reaches a listener's address: a listener on
// every interface is reached on loopback.
func localAddress(listen string) string {
	host, port, _ := net.SplitHostPort(listen)
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && ip.Is4() && ip.IsUnspecified():
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}
